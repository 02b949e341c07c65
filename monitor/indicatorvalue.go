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

var harmless = strings.NewReplacer("[.]", ".", "(.)", ".", "[dot]", ".", "(dot)", ".", "[:]", ":", "[://]", "://", "[@]", "@", "[at]", "@")

// Refang takes back what makes a value harmless for people.
func Refang(value string) string {
	value = strings.TrimSpace(value)
	if strings.ContainsAny(value, "[(") {
		value = harmless.Replace(value)
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

// NormalDomain gives a name in lower case without its last dot. It has at least two
// labels and is no address.
func NormalDomain(value string) (string, bool) {
	value = strings.TrimSuffix(Fold(value), ".")
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
	u.Scheme, u.Host = Fold(u.Scheme), strings.TrimSuffix(Fold(u.Host), ".")
	switch {
	case u.Hostname() == "":
		return "", false
	case u.Scheme == "http":
		u.Host = strings.TrimSuffix(u.Host, ":80")
	case u.Scheme == "https":
		u.Host = strings.TrimSuffix(u.Host, ":443")
	}
	if u.Path == "" {
		u.Path = "/"
	}
	u.User, u.Fragment, u.RawFragment, u.ForceQuery = nil, "", "", false
	out := u.String()
	return out, len(out) <= MaxIndicatorValue
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
