package detect

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/security-monitor/secmon/monitor"
)

// matcher tells whether one value, which is never null, is what a rule looks for.
type matcher interface {
	match(e *event, v *value) bool
	// appendKey appends what tells the matcher from all that match otherwise.
	appendKey(b []byte) []byte
}

func (t *test) matches(e *event, v *value) bool {
	if v.kind == monitor.NullValue {
		return t.asks == askNull
	}
	return t.asks == askValue && t.is.match(e, v)
}

// textMatcher looks for a string. A string that is a number in JSON's spelling
// also equals that number: "4688" is 4688.0.
type textMatcher struct {
	pattern  *pattern
	number   decimal
	isNumber bool
}

func newTextMatcher(glyphs []glyph, cased bool) *textMatcher {
	m := &textMatcher{pattern: newPattern(glyphs, cased)}
	if text, ok := m.pattern.exact(); ok {
		m.number, m.isNumber = parseDecimal(text)
	}
	return m
}

func (m *textMatcher) match(e *event, v *value) bool {
	text := v.text
	if !m.pattern.cased {
		text = e.fold(v)
	}
	return m.pattern.match(text) || m.isNumber && v.kind == monitor.NumberValue && equalsNumber(v.text, m.number)
}

// numberMatcher looks for a number: as a number, or in the rule's own spelling,
// so that an unquoted 0x1410 finds "0x1410".
type numberMatcher struct {
	spelling string // folded
	number   decimal
	isNumber bool
}

func (m *numberMatcher) match(e *event, v *value) bool {
	if v.kind == monitor.BoolValue {
		return false
	}
	return e.fold(v) == m.spelling || m.isNumber && equalsNumber(v.text, m.number)
}

func equalsNumber(text string, n decimal) bool {
	d, ok := parseDecimal(text)
	return ok && d.compare(n) == 0
}

// wordMatcher looks for a number without a field: as a word of its own, since
// 200 is not meant to be found in 12001.
type wordMatcher struct {
	numberMatcher
}

func (m *wordMatcher) match(e *event, v *value) bool {
	if m.numberMatcher.match(e, v) {
		return true
	}
	text := e.fold(v)
	for from := 0; ; {
		i := strings.Index(text[from:], m.spelling)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(m.spelling)
		before, _ := utf8.DecodeLastRuneInString(text[:start])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if !isWordRune(before) && !isWordRune(after) {
			return true
		}
		from = start + 1
	}
}

func isWordRune(r rune) bool {
	return r != utf8.RuneError && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r))
}

type regexMatcher struct {
	regex *regex
}

func (m *regexMatcher) match(e *event, v *value) bool { return m.regex.match(v.text, e.fold(v)) }

// cidrMatcher looks for addresses in a network. IPv4 addresses are found in
// their IPv6-mapped spelling too.
type cidrMatcher struct {
	network netip.Prefix
}

func newCIDRMatcher(s string) (*cidrMatcher, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return &cidrMatcher{netip.PrefixFrom(addr, addr.BitLen())}, nil
	}
	network, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, err
	}
	if addr := network.Addr(); addr.Is4In6() && network.Bits() >= 96 {
		network = netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
	}
	return &cidrMatcher{network.Masked()}, nil
}

func (m *cidrMatcher) match(_ *event, v *value) bool {
	if v.kind != monitor.StringValue || len(v.text) > 64 {
		return false
	}
	addr, err := netip.ParseAddr(v.text)
	if err != nil {
		return false
	}
	addr = addr.WithZone("")
	return m.network.Contains(addr.Unmap()) || m.network.Contains(addr)
}

// refMatcher compares with another field of the same event.
type refMatcher struct {
	field  string
	slot   int32
	anchor string
	cased  bool
}

func (m *refMatcher) match(e *event, v *value) bool {
	at, _ := e.first(m.slot)
	for ; at != 0; at = e.values[at-1].next {
		if other := &e.values[at-1]; other.kind != monitor.NullValue && m.fits(e, v, other) {
			return true
		}
	}
	return false
}

func (m *refMatcher) fits(e *event, v, other *value) bool {
	a, b := v.text, other.text
	if !m.cased {
		a, b = e.fold(v), e.fold(other)
	}
	switch m.anchor {
	case "contains":
		return strings.Contains(a, b)
	case "startswith":
		return strings.HasPrefix(a, b)
	case "endswith":
		return strings.HasSuffix(a, b)
	}
	return a == b || sameNumber(v, other)
}

// sameNumber compares by value where at least one side is a number.
func sameNumber(a, b *value) bool {
	if a.kind != monitor.NumberValue && b.kind != monitor.NumberValue ||
		a.kind == monitor.BoolValue || b.kind == monitor.BoolValue {
		return false
	}
	n, ok := parseDecimal(b.text)
	return ok && equalsNumber(a.text, n)
}

// compareMatcher compares a number, or a part of a date, with the rule's.
type compareMatcher struct {
	op    string // gt, gte, lt, lte, "" for equality
	part  string // minute to year, "" for the number itself
	limit decimal
}

func (m *compareMatcher) match(_ *event, v *value) bool {
	if v.kind == monitor.BoolValue {
		return false
	}
	d, ok := parseDecimal(v.text)
	if m.part != "" {
		var n int
		if n, ok = timePart(v.text, m.part); ok {
			d = decimalOf(n)
		}
	}
	if !ok {
		return false
	}
	switch c := d.compare(m.limit); m.op {
	case "gt":
		return c > 0
	case "gte":
		return c >= 0
	case "lt":
		return c < 0
	case "lte":
		return c <= 0
	default:
		return c == 0
	}
}
