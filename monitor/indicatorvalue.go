package monitor

import (
	"encoding/hex"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// The shortest prefixes of networks: a shorter one warns of half the internet.
const (
	minPrefix4 = 8
	minPrefix6 = 16
)

// NormalIndicator gives the one form in which a value is kept and compared, the form
// that events have it in. A network of one address is an ADDRESS. Values that were
// made harmless for people (hxxp, [.]) are read too. What is none of its kind is
// BAD_INPUT.
func NormalIndicator(kind IndicatorKind, value string) (IndicatorKind, string, error) {
	value = Refang(value)
	if value == "" || len(value) > MaxIndicatorValue || !isText(value) {
		return "", "", InputErrorf("value", "a value is text of 1 to %d bytes", MaxIndicatorValue)
	}
	var ok bool
	switch kind {
	case IndicatorAddress, IndicatorNetwork:
		return normalNetwork(kind, value)
	case IndicatorDomain:
		value, ok = NormalDomain(value)
	case IndicatorURL:
		value, ok = NormalURL(value)
	case IndicatorMD5, IndicatorSHA1, IndicatorSHA256:
		var of IndicatorKind
		value = Fold(value)
		of, ok = HashKind(value)
		ok = ok && of == kind
	case IndicatorEmail:
		value, ok = NormalEmail(value)
	default:
		return "", "", InputErrorf("kind", "%q is no kind of indicator", kind)
	}
	if !ok {
		return "", "", InputErrorf("value", "%q is no %s", cutText(value, 100), kind)
	}
	return kind, value, nil
}

// GuessIndicator tells what kind of indicator a value can be.
func GuessIndicator(value string) (IndicatorKind, bool) {
	value = Refang(value)
	if _, ok := HashKind(Fold(value)); ok {
		kind, _ := HashKind(Fold(value))
		return kind, true
	}
	if _, err := netip.ParseAddr(value); err == nil {
		return IndicatorAddress, true
	}
	if _, err := netip.ParsePrefix(value); err == nil {
		return IndicatorNetwork, true
	}
	if strings.Contains(value, "://") {
		_, ok := NormalURL(value)
		return IndicatorURL, ok
	}
	if _, ok := NormalEmail(value); ok {
		return IndicatorEmail, true
	}
	if _, ok := NormalDomain(strings.TrimPrefix(value, "*.")); ok {
		return IndicatorDomain, true
	}
	return "", false
}

var harmless = regexp.MustCompile(`(?i)\[(?:\.|dot|:|://|/|@|at)\]|\((?:\.|dot|@|at)\)|\{(?:\.|dot|@|at)\}`)

func harmful(mark string) string {
	switch sign := Fold(mark[1 : len(mark)-1]); sign {
	case "dot":
		return "."
	case "at":
		return "@"
	default:
		return sign
	}
}

// Refang takes back what makes a value harmless for people.
func Refang(value string) string {
	value = strings.TrimSpace(value)
	if strings.ContainsAny(value, "[({") {
		value = harmless.ReplaceAllStringFunc(value, harmful)
	}
	if len(value) > 4 && strings.EqualFold(value[:4], "hxxp") {
		value = "http" + value[4:]
	}
	return value
}

func normalNetwork(kind IndicatorKind, value string) (IndicatorKind, string, error) {
	var prefix netip.Prefix
	if addr, err := netip.ParseAddr(value); err == nil {
		addr = addr.Unmap().WithZone("")
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	} else if prefix, err = netip.ParsePrefix(value); err != nil {
		return "", "", InputErrorf("value", "%q is no %s", cutText(value, 100), kind)
	}
	if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	prefix = prefix.Masked()
	least := minPrefix4
	if prefix.Addr().Is6() {
		least = minPrefix6
	}
	if prefix.Bits() < least {
		return "", "", InputErrorf("value", "%s is too wide: at least /%d", prefix, least)
	}
	if addr := prefix.Addr(); addr.IsLoopback() || addr.IsUnspecified() {
		return "", "", InputErrorf("value", "%s names no other machine", prefix)
	}
	if prefix.IsSingleIP() {
		return IndicatorAddress, prefix.Addr().String(), nil
	}
	if kind == IndicatorAddress {
		return "", "", InputErrorf("value", "%q is no %s", cutText(value, 100), kind)
	}
	return IndicatorNetwork, prefix.String(), nil
}

// FoldDomain gives the form that names are compared in, without saying whether it is
// one: lower case, no last dot, and letters beyond ASCII as the DNS asks for them
// (xn--, RFC 5891). It copies nothing where nothing changes.
func FoldDomain(value string) string {
	value = strings.TrimSuffix(Fold(value), ".")
	for i := range len(value) {
		if value[i] >= 0x80 {
			return asciiDomain(value)
		}
	}
	return value
}

// NormalDomain gives a name as FoldDomain does. It has at least two labels and is no
// address.
func NormalDomain(value string) (string, bool) {
	value = FoldDomain(value)
	if len(value) > 253 || !strings.Contains(value, ".") {
		return "", false
	}
	for label := range strings.SplitSeq(value, ".") {
		if label == "" || len(label) > 63 {
			return "", false
		}
		for _, r := range label {
			if r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				return "", false
			}
		}
	}
	if last := value[strings.LastIndexByte(value, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return "", false // an address, or what looks like one
	}
	return value, true
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// NormalURL gives a URL with scheme and host in lower case, without the scheme's own
// port, fragment and user, and with a path. Without a scheme it is one of http.
func NormalURL(value string) (string, bool) {
	if !scheme.MatchString(value) {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return "", false
	}
	host, port := FoldDomain(u.Hostname()), u.Port()
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.Unmap().WithZone("").String()
	} else if host == "" || strings.IndexByte(host, ':') >= 0 { // as of "a://:0:"
		return "", false
	}
	u.Scheme = Fold(u.Scheme)
	if u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		port = ""
	}
	if strings.IndexByte(host, ':') >= 0 {
		host = "[" + host + "]"
	}
	if u.Host = host; port != "" {
		u.Host += ":" + port
	}
	if u.Path == "" {
		u.Path = "/"
	}
	if strings.Contains(u.Path, "/.") { // RFC 3986, 5.2.4: no client sends them
		u = u.JoinPath()
	}
	escaped := unescape(u.EscapedPath())
	if path, err := url.PathUnescape(escaped); err == nil {
		u.Path, u.RawPath = path, escaped
	}
	u.RawQuery = unescape(u.RawQuery)
	u.User, u.Fragment, u.RawFragment, u.ForceQuery = nil, "", "", false
	out := u.String()
	return out, len(out) <= MaxIndicatorValue
}

// unescape writes what need not be escaped as it is, and the rest in capitals, so that
// two forms of one text are the same (RFC 3986, 6.2.2).
func unescape(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		var c [1]byte
		if text[i] != '%' || i+3 > len(text) {
			out = append(out, text[i])
			continue
		}
		if _, err := hex.Decode(c[:], []byte(text[i+1:i+3])); err != nil {
			out = append(out, text[i])
			continue
		}
		if b := c[0]; b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-._~", b) >= 0 {
			out = append(out, b)
		} else {
			out = append(out, strings.ToUpper(text[i:i+3])...)
		}
		i += 2
	}
	return string(out)
}

// HashKind tells by its length which hash hexadecimal digits in lower case are.
func HashKind(value string) (IndicatorKind, bool) {
	var kind IndicatorKind
	switch len(value) {
	case 32:
		kind = IndicatorMD5
	case 40:
		kind = IndicatorSHA1
	case 64:
		kind = IndicatorSHA256
	default:
		return "", false
	}
	var raw [32]byte
	_, err := hex.Decode(raw[:], []byte(value))
	return kind, err == nil
}

// NormalEmail gives an address of e-mail in lower case.
func NormalEmail(value string) (string, bool) {
	name, domain, ok := strings.Cut(Fold(value), "@")
	if !ok || name == "" || strings.ContainsAny(name, " \t<>,;\"") {
		return "", false
	}
	domain, ok = NormalDomain(domain)
	return name + "@" + domain, ok
}
