package channel

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
)

const hidden = "[secret]"

// redactor takes a secret out of what others say: a receiver may echo it.
type redactor []string

// newRedactor looks for a secret as it is, and in the forms it is sent in.
func newRedactor(kind monitor.ChannelKind, s *monitor.ChannelSettings, secret string) redactor {
	if secret == "" {
		return nil
	}
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))}
	for _, pair := range []string{s.Username + ":" + secret, "\x00" + s.Username + "\x00" + secret} {
		forms = append(forms, base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	if kind == monitor.ChannelSlack || kind == monitor.ChannelTeams {
		forms = append(forms, addressParts(secret)...)
	}
	for _, f := range forms { // as it stands in JSON and HTML
		escaped, err := json.Marshal(f)
		if err == nil {
			forms = append(forms, strings.Trim(string(escaped), `"`))
		}
		forms = append(forms, strings.ReplaceAll(f, "/", `\/`), html.EscapeString(f))
	}
	forms = slices.DeleteFunc(forms, func(f string) bool { return len(f) < 4 })
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }) // the longest first
	return slices.Compact(forms)
}

// word is a part of an address that is the same in all of them, such as services.
var word = regexp.MustCompile(`^[a-z]{1,15}$`)

// addressParts are the pieces that a receiver may name of its own address: what is
// behind the host, and each part of it that can be a secret by its length.
func addressParts(secret string) []string {
	u, err := url.Parse(secret)
	if err != nil {
		return nil
	}
	parts := []string{u.RequestURI(), u.EscapedPath(), u.Path, u.RawQuery}
	for each := range strings.SplitSeq(u.Path, "/") {
		parts = append(parts, each)
	}
	for _, values := range u.Query() {
		for _, each := range values {
			parts = append(parts, each, url.QueryEscape(each))
		}
	}
	return slices.DeleteFunc(parts, func(p string) bool { return len(p) < 8 || word.MatchString(p) })
}

// text gives a text without the secret, and without the beginning of it where the text
// was cut.
func (r redactor) text(s string) string {
	for _, form := range r {
		s = strings.ReplaceAll(s, form, hidden)
	}
	for _, form := range r {
		for n := min(len(form)-1, len(s)); n >= 6; n-- {
			if strings.HasSuffix(s, form[:n]) {
				s = s[:len(s)-n] + hidden
				break
			}
		}
	}
	return s
}

// answer makes what came back fit to be kept: its beginning is.
func (r redactor) answer(b []byte) string {
	return notify.Readable([]byte(r.text(string(b[:min(len(b), maxAnswer)]))))
}
