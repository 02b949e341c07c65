package detect_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

// refEvent is a record in the form in which predicates look at it. Texts are
// spelled out as characters once.
type refEvent struct {
	rec    *monitor.Record
	fields map[string][]monitor.Value // by name without spaces; no values for an empty array
	all    []monitor.Value
	spelt  map[string][]rune
	folded map[string][]rune
}

func newRefEvent(rec *monitor.Record) *refEvent {
	e := &refEvent{rec: rec, fields: map[string][]monitor.Value{}, spelt: map[string][]rune{}, folded: map[string][]rune{}}
	for _, f := range rec.Fields {
		name := refField(f.Name)
		e.fields[name] = append(e.fields[name], f.Values...)
		e.all = append(e.all, f.Values...)
	}
	return e
}

// chars gives a text's characters, folded unless cased. A byte that is no UTF-8
// is a character that equals only itself: a negative number.
func (e *refEvent) chars(text string, cased bool) []rune {
	cache := e.folded
	if cased {
		cache = e.spelt
	}
	list, known := cache[text]
	if !known {
		list = refChars(text, cased)
		cache[text] = list
	}
	return list
}

func refChars(text string, cased bool) []rune {
	list := []rune{}
	for rest := text; rest != ""; {
		char, size := utf8.DecodeRuneInString(rest)
		if char == utf8.RuneError && size == 1 {
			char = -1 - rune(rest[0])
		}
		if !cased {
			char = refFold(char)
		}
		list, rest = append(list, char), rest[size:]
	}
	return list
}

// refFold gives the least of the characters that Unicode's simple case folding
// holds for equal.
func refFold(char rune) rune {
	least := char
	for other := unicode.SimpleFold(char); char >= 0 && other != char; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}

// Wildcards among the characters of a pattern.
const (
	refStar rune = -1000 - iota // any text
	refOne                      // any character
	refDash                     // any of refDashes
)

const refDashes = "-/–—―"

// refPattern reads Sigma's escapes: \* \? \\ are these characters, any other
// backslash is one, * and ? are wildcards.
func refPattern(text string) []rune {
	runes, list := []rune(text), []rune{}
	for i := 0; i < len(runes); i++ {
		switch {
		case runes[i] == '\\' && i+1 < len(runes) && strings.ContainsRune(`*?\`, runes[i+1]):
			i++
			list = append(list, runes[i])
		case runes[i] == '*':
			list = append(list, refStar)
		case runes[i] == '?':
			list = append(list, refOne)
		default:
			list = append(list, runes[i])
		}
	}
	return list
}

// refWindash frees the dashes that begin a word.
func refWindash(pattern []rune) []rune {
	word := func(i int) bool {
		return i >= 0 && i < len(pattern) && (pattern[i] == '_' || unicode.IsLetter(pattern[i]) || unicode.IsDigit(pattern[i]))
	}
	out := slices.Clone(pattern)
	for i, char := range pattern {
		if char >= 0 && strings.ContainsRune(refDashes, char) && !word(i-1) && word(i+1) {
			out[i] = refDash
		}
	}
	return out
}

// refMatch matches by recursion. A star tries every place behind it; where it
// failed once from an earlier place, it need not be tried from a later one.
func refMatch(pattern, text []rune) bool {
	failed := map[int]int{} // how much of the text was left when a star failed
	var match func(p, t int) bool
	match = func(p, t int) bool {
		for ; p < len(pattern); p, t = p+1, t+1 {
			if pattern[p] == refStar {
				if left, tried := failed[p]; tried && len(text)-t <= left {
					return false
				}
				for from := t; from <= len(text); from++ {
					if match(p+1, from) {
						return true
					}
				}
				failed[p] = len(text) - t
				return false
			}
			if t == len(text) || !refIs(pattern[p], text[t]) {
				return false
			}
		}
		return t == len(text)
	}
	return match(0, 0)
}

func refIs(pattern, char rune) bool {
	switch pattern {
	case refOne:
		return true
	case refDash:
		return char >= 0 && strings.ContainsRune(refDashes, char)
	default:
		return pattern == char
	}
}

// refPredicate is one value of an item: what a field has to be.
type refPredicate struct {
	field   string // without spaces; of a keyword ""
	keyword bool
	kind    string   // pattern, number, null, exists, re, cidr, fieldref, part or gt, gte, lt, lte
	text    string   // as the rule has it
	pattern []rune   // of a pattern or the spelling of a number, with its anchors
	number  *big.Rat // of a number, a comparison or a text that is spelled as a number
	cased   bool
	anchor  string // of a fieldref
	present bool   // of exists
	part    string // of a time
	other   string // field of a fieldref
	compare string // of a part of a time: how, "" for equal
	regex   *regexp.Regexp
	network netip.Prefix
}

// refItem reads a field with its modifiers and values: any of the values, all
// with `all`, and the opposite with `neq`.
func refItem(field string, modifiers []string, nodes []*yaml.Node) *refNode {
	has := func(names ...string) string {
		for _, name := range names {
			if slices.Contains(modifiers, name) {
				return name
			}
		}
		return ""
	}
	var values []*refNode
	for _, n := range nodes {
		var list []*refNode
		for _, p := range refValue(field, has, n) {
			list = append(list, &refNode{leaf: p})
		}
		values = append(values, refAny(list))
	}
	node := refAny(values)
	if has("all") != "" {
		node = refAll(values)
	}
	if has("neq") != "" {
		node = refNot(node)
	}
	return node
}

// refValue reads one value. Encodings make several predicates of it, of which
// any will do.
func refValue(field string, has func(...string) string, n *yaml.Node) []*refPredicate {
	if has("expand") != "" { // no list is known here: what is left of placeholders is the escape of their sign
		with := *n
		with.Value = strings.ReplaceAll(n.Value, `\%`, "%")
		n = &with
	}
	p := &refPredicate{field: field, keyword: field == "", text: n.Value, cased: has("cased") != ""}
	tag := n.ShortTag()
	switch {
	case has("exists") != "":
		p.kind, p.present = "exists", strings.EqualFold(n.Value, "true")
	case tag == "!!null":
		p.kind = "null"
	case has("re") != "":
		p.kind, p.regex = "re", refRegex(has, n.Value)
	case has("cidr") != "":
		p.kind, p.network = "cidr", refNetwork(n.Value)
	case has("fieldref") != "":
		p.kind, p.other, p.anchor = "fieldref", refField(n.Value), has("contains", "startswith", "endswith")
	case has("minute", "hour", "day", "week", "month", "year") != "":
		p.kind, p.part, p.compare, p.number = "part", has("minute", "hour", "day", "week", "month", "year"), has("gt", "gte", "lt", "lte"), refNumber(n)
	case has("gt", "gte", "lt", "lte") != "":
		p.kind, p.number = has("gt", "gte", "lt", "lte"), refNumber(n)
	default:
		return refTexts(p, has, n)
	}
	return []*refPredicate{p}
}

// refTexts reads a text, a number or a boolean.
func refTexts(p *refPredicate, has func(...string) string, n *yaml.Node) []*refPredicate {
	pattern := refPattern(n.Value)
	number := n.ShortTag() == "!!int" || n.ShortTag() == "!!float"
	if number {
		pattern = []rune(n.Value)
	}
	if has("windash") != "" { // which is for texts alone
		pattern, number = refWindash(pattern), false
	}
	anchor := has("contains", "startswith", "endswith")
	encoded := has("wide", "utf16le", "utf16be", "utf16", "base64", "base64offset") != ""
	p.kind = "pattern"
	if number && !encoded && anchor == "" {
		p.kind, p.number, p.cased = "number", refNumber(n), false // a number has no case
	} else if !encoded && anchor == "" && !p.keyword && !slices.ContainsFunc(pattern, func(char rune) bool { return char < 0 }) {
		p.number = refDecimal(string(pattern))
	}
	var list []*refPredicate
	for _, each := range refEncoded(pattern, has) {
		q := *p
		if anchor == "contains" || anchor == "endswith" || p.keyword && anchor == "" && p.kind == "pattern" {
			each = append([]rune{refStar}, each...)
		}
		if anchor == "contains" || anchor == "startswith" || p.keyword && anchor == "" && p.kind == "pattern" {
			each = append(slices.Clone(each), refStar)
		}
		if !p.cased {
			each = slices.Clone(each)
			for i := range each {
				each[i] = refFold(each[i])
			}
		}
		q.pattern = each
		list = append(list, &q)
	}
	return list
}

// refEncoded gives the spellings that a pattern has after its encodings.
func refEncoded(pattern []rune, has func(...string) string) [][]rune {
	wide, encoding := has("wide", "utf16le", "utf16be", "utf16"), has("base64", "base64offset")
	if encoding == "" {
		if wide == "" {
			return [][]rune{pattern}
		}
		return [][]rune{refWide(pattern, wide)}
	}
	var list [][]rune
	for _, spelling := range refSpellings(pattern) {
		data := []byte(string(spelling))
		if wide != "" {
			data = refUTF16(spelling, wide)
		}
		if encoding == "base64" {
			list = append(list, []rune(base64.StdEncoding.EncodeToString(data)))
			continue
		}
		for shift := range 3 {
			list = append(list, []rune(refBase64At(data, shift)))
		}
	}
	return list
}

// refSpellings lists the plain texts of a pattern with free dashes.
func refSpellings(pattern []rune) [][]rune {
	i := slices.Index(pattern, refDash)
	if i < 0 {
		return [][]rune{pattern}
	}
	var list [][]rune
	for _, dash := range refDashes {
		one := slices.Clone(pattern)
		one[i] = dash
		list = append(list, refSpellings(one)...)
	}
	return list
}

// refBase64At gives those characters of a base64 text which only the data
// decides that stands so many bytes behind a multiple of three.
func refBase64At(data []byte, shift int) string {
	first := []int{0, 2, 3}[shift] // characters that depend on what stands before
	last := []int{0, 3, 2}[(shift+len(data))%3]
	text := base64.StdEncoding.EncodeToString(append(bytes.Repeat([]byte{' '}, shift), data...))
	return text[first : len(text)-last]
}

func refUTF16(spelling []rune, wide string) []byte {
	order := binary.AppendByteOrder(binary.LittleEndian)
	if wide == "utf16be" {
		order = binary.BigEndian
	}
	var data []byte
	if wide == "utf16" {
		data = order.AppendUint16(data, 0xfeff)
	}
	for _, unit := range utf16.Encode(spelling) {
		data = order.AppendUint16(data, unit)
	}
	return data
}

// refWide spells a pattern of ASCII with a NUL beside each character.
func refWide(pattern []rune, wide string) []rune {
	var list []rune
	if wide == "utf16" {
		panic("a byte order mark without base64")
	}
	for _, char := range pattern {
		switch {
		case char < 0: // a wildcard stays what it is
			list = append(list, char)
		case wide == "utf16be":
			list = append(list, 0, char)
		default:
			list = append(list, char, 0)
		}
	}
	return list
}

func refRegex(has func(...string) string, expression string) *regexp.Regexp {
	flags := ""
	for _, names := range [][]string{{"i", "ignorecase"}, {"m", "multiline"}, {"s", "dotall"}} {
		if has(names...) != "" {
			flags += names[0]
		}
	}
	if flags != "" {
		expression = "(?" + flags + ":" + expression + ")"
	}
	return regexp.MustCompile(expression)
}

// refNetwork reads a network or an address; IPv6 that maps IPv4 is IPv4.
func refNetwork(text string) netip.Prefix {
	address, size, found := strings.Cut(text, "/")
	a := netip.MustParseAddr(address)
	bits := a.BitLen()
	if found {
		var err error
		if bits, err = strconv.Atoi(size); err != nil {
			panic(err)
		}
	}
	if a.Is4In6() && bits >= 96 {
		a, bits = a.Unmap(), bits-96
	}
	prefix, err := a.Prefix(bits)
	if err != nil {
		panic(err)
	}
	return prefix
}

// refNumber reads a number as YAML has it.
func refNumber(n *yaml.Node) *big.Rat {
	text := strings.ReplaceAll(n.Value, "_", "")
	if whole, ok := new(big.Int).SetString(text, 0); ok && n.ShortTag() == "!!int" {
		return new(big.Rat).SetInt(whole)
	}
	number, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("no number: " + n.Value)
	}
	return number
}

var refJSONNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,6})?$`)

// refDecimal reads a number as JSON has it; nil if it is none.
func refDecimal(text string) *big.Rat {
	if !refJSONNumber.MatchString(text) {
		return nil
	}
	number, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return number
}

// holds tells whether the event has what the predicate asks for.
func (p *refPredicate) holds(e *refEvent) bool {
	values, present := e.fields[p.field]
	if p.keyword {
		values, present = e.all, true
	}
	switch p.kind {
	case "exists":
		return present == p.present
	case "null":
		return len(values) == 0 || slices.ContainsFunc(values, func(v monitor.Value) bool { return v.Kind == monitor.NullValue })
	}
	return slices.ContainsFunc(values, func(v monitor.Value) bool { return v.Kind != monitor.NullValue && p.accepts(e, v) })
}

func (p *refPredicate) accepts(e *refEvent, v monitor.Value) bool {
	text := e.chars(v.Text, p.cased)
	switch p.kind {
	case "pattern":
		byValue := p.number != nil && v.Kind == monitor.NumberValue && refEqual(p.number, refDecimal(v.Text))
		return byValue || refMatch(p.pattern, text)
	case "number":
		if p.keyword && refWord(p.pattern, text) {
			return true
		}
		return v.Kind != monitor.BoolValue && refEqual(p.number, refDecimal(v.Text)) || refMatch(p.pattern, text)
	case "re":
		return p.regex.MatchString(v.Text)
	case "cidr":
		address, err := netip.ParseAddr(v.Text)
		address = address.WithZone("")
		return err == nil && (p.network.Contains(address.Unmap()) || p.network.Contains(address))
	case "fieldref":
		return slices.ContainsFunc(e.fields[p.other], func(other monitor.Value) bool {
			return other.Kind != monitor.NullValue && p.refers(e, v, other)
		})
	case "part":
		number := refPart(p.part, v)
		return number != nil && refCompare(p.compare, number, p.number)
	case "gt", "gte", "lt", "lte":
		number := refDecimal(v.Text)
		return number != nil && refCompare(p.kind, number, p.number)
	}
	panic("no kind " + p.kind)
}

// refWord tells whether a number stands in a text as a word.
func refWord(number, text []rune) bool {
	word := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] == '_' || unicode.IsLetter(text[i]) || unicode.IsDigit(text[i]))
	}
	for i := 0; i+len(number) <= len(text); i++ {
		if slices.Equal(text[i:i+len(number)], number) && !word(i-1) && !word(i+len(number)) {
			return true
		}
	}
	return false
}

// refers compares the values of two fields.
func (p *refPredicate) refers(e *refEvent, v, other monitor.Value) bool {
	text, wanted := e.chars(v.Text, p.cased), e.chars(other.Text, p.cased)
	switch p.anchor {
	case "startswith":
		return len(text) >= len(wanted) && slices.Equal(text[:len(wanted)], wanted)
	case "endswith":
		return len(text) >= len(wanted) && slices.Equal(text[len(text)-len(wanted):], wanted)
	case "contains":
		for i := 0; i+len(wanted) <= len(text); i++ {
			if slices.Equal(text[i:i+len(wanted)], wanted) {
				return true
			}
		}
		return false
	}
	numbers := v.Kind == monitor.NumberValue || other.Kind == monitor.NumberValue
	return slices.Equal(text, wanted) || numbers && refEqual(refDecimal(v.Text), refDecimal(other.Text))
}

func refEqual(a, b *big.Rat) bool { return a != nil && b != nil && a.Cmp(b) == 0 }

func refCompare(how string, a, b *big.Rat) bool {
	switch c := a.Cmp(b); how {
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

var (
	refEpoch = regexp.MustCompile(`^([0-9]{9,19})(\.|$)`)
	refDate  = regexp.MustCompile(`(?s)^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]([0-9]{2}:[0-9]{2}).*)?$`)
)

// refPart takes a part of a date: as written, or of what has passed since 1970,
// in UTC. Up to 11 digits are seconds, up to 14 milliseconds, up to 17
// microseconds, more are nanoseconds.
func refPart(part string, v monitor.Value) *big.Rat {
	var at time.Time
	clock := true
	if digits := refEpoch.FindStringSubmatch(v.Text); digits != nil {
		count, err := strconv.ParseInt(digits[1], 10, 64)
		if err != nil {
			return nil
		}
		switch n := len(digits[1]); {
		case n <= 11:
			at = time.Unix(count, 0).UTC()
		case n <= 14:
			at = time.UnixMilli(count).UTC()
		case n <= 17:
			at = time.UnixMicro(count).UTC()
		default:
			at = time.Unix(0, count).UTC()
		}
	} else {
		date := refDate.FindStringSubmatch(v.Text)
		if date == nil {
			return nil
		}
		clock = date[2] != ""
		if !clock {
			date[2] = "00:00"
		}
		var err error
		if at, err = time.Parse("2006-01-02 15:04", date[1]+" "+date[2]); err != nil {
			return nil
		}
	}
	if !clock && (part == "minute" || part == "hour") {
		return nil
	}
	_, week := at.ISOWeek()
	number := map[string]int{"minute": at.Minute(), "hour": at.Hour(), "day": at.Day(), "week": week, "month": int(at.Month()), "year": at.Year()}[part]
	return new(big.Rat).SetInt64(int64(number))
}

// String shows a predicate in messages of tests.
func (p *refPredicate) String() string {
	return fmt.Sprintf("%s|%s%s%s: %q", p.field, p.kind, p.part, p.anchor, p.text)
}
