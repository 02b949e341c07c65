package channel

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

var routingKey = regexp.MustCompile(`^[A-Za-z0-9]{32}$`)

// teamsHosts are those that workflows are called at, by the ends of their names.
var teamsHosts = []string{
	".logic.azure.com", ".api.powerplatform.com",
	".logic.azure.us", ".api.gov.powerplatform.microsoft.us", ".api.high.powerplatform.microsoft.us", ".api.appsplatform.us",
	".logic.azure.cn", ".api.powerplatform.partner.microsoftonline.cn",
}

// reserved are headers that no secret may stand in: the exchange needs them.
var reserved = []string{
	"Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "Trailer", "Te", "Expect", "User-Agent",
	"Proxy-Connection", headerKey, headerTest,
}

// CheckSecret gives BAD_INPUT for a secret that does not suit a kind and its settings.
// What it says holds nothing of the secret.
func CheckSecret(kind monitor.ChannelKind, s monitor.ChannelSettings, secret string) error {
	if len(secret) > monitor.MaxChannelSecret {
		return badSecret("the secret has %d bytes, at most %d are kept", len(secret), monitor.MaxChannelSecret)
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return badSecret("the secret holds a line break or another control character")
	}
	switch kind {
	case monitor.ChannelSlack:
		return checkSlack(secret)
	case monitor.ChannelTeams:
		return checkTeams(secret)
	case monitor.ChannelEmail:
		return checkPair(secret, s.Username, "the password of the mail server, as there is a user name", "without a user name no password is sent: leave it empty")
	case monitor.ChannelPagerDuty:
		if !routingKey.MatchString(secret) {
			return badSecret("the integration key of an Events API v2 integration: 32 letters and digits")
		}
	case monitor.ChannelJira:
		return checkToken(secret, "an API token of the account")
	case monitor.ChannelGitHub:
		return checkToken(secret, "a token that may write issues")
	case monitor.ChannelGeneric:
		return checkHeader(s.Header, secret)
	default:
		return monitor.InputErrorf("kind", "there is no kind %q", kind)
	}
	return nil
}

func badSecret(format string, args ...any) error {
	return monitor.InputErrorf("secret", format, args...)
}

func checkSlack(secret string) error {
	u, ok := secretAddress(secret)
	if !ok || u.Port() != "" || u.Host != "hooks.slack.com" && u.Host != "hooks.slack-gov.com" || len(u.Path) < 2 {
		return badSecret("the address of an incoming webhook, which begins with https://hooks.slack.com/services/")
	}
	return nil
}

func checkTeams(secret string) error {
	u, ok := secretAddress(secret)
	host := ""
	if ok {
		host = strings.ToLower(u.Hostname())
	}
	if strings.HasSuffix(host, ".webhook.office.com") {
		return badSecret("connectors of Office 365 do not work any more: make a workflow with the trigger “When a Teams webhook request is received”")
	}
	known := slices.ContainsFunc(teamsHosts, func(end string) bool { return strings.HasSuffix(host, end) })
	if !known || u.Port() != "" && u.Port() != "443" || u.Query().Get("sig") == "" {
		return badSecret("the address of a workflow with the trigger “When a Teams webhook request is received”, which anyone may call: it begins with https:// and holds sig=")
	}
	return nil
}

func secretAddress(secret string) (*url.URL, bool) {
	u, err := url.Parse(secret)
	if err != nil {
		return nil, false
	}
	return u, u.Scheme == "https" && u.Opaque == "" && u.User == nil && u.Fragment == "" && u.Hostname() != ""
}

// checkPair is for a secret that is needed where something else is given.
func checkPair(secret, other, needed, forbidden string) error {
	switch {
	case other != "" && secret == "":
		return badSecret("%s", needed)
	case other == "" && secret != "":
		return badSecret("%s", forbidden)
	}
	return nil
}

func checkToken(secret, what string) error {
	if secret == "" || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return badSecret("%s, without spaces", what)
	}
	return nil
}

func checkHeader(header, secret string) error {
	if slices.Contains(reserved, http.CanonicalHeaderKey(header)) {
		return monitor.InputErrorf("settings.header", "%s is what the exchange needs itself: take another header", header)
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return r > '~' }) || strings.TrimSpace(secret) != secret {
		return badSecret("the value of the header %s: ASCII characters, no space at its ends", header)
	}
	return checkPair(secret, header, "the value of the header "+header, "without a header no secret is sent: leave it empty")
}
