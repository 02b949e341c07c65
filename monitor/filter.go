package monitor

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of one filter, so that neither the database nor a feed can be stalled by one.
const (
	maxFilterTests = 200
	maxFilterDepth = 8
	maxFilterText  = 1_000 // bytes of one value
	maxFilterIn    = 500   // values of one `in`
	maxFilterRaw   = 20    // conditions on paths of the raw record: each reads it anew
)

// Predicate is a filter in the one form that both readers share: Matches runs
// it on an entity in memory (feeds), package db turns it into SQL (lists). All
// of All, at least one of Any (unless it is nil) and all Tests must hold, and
// Not must not.
type Predicate struct {
	All   []Predicate
	Any   []Predicate
	Not   *Predicate
	Tests []Test
}

// Test is one condition on one field. Exactly one of its operators is in use.
type Test struct {
	Field  FilterField
	Op     TestOp
	Texts  []string       // TextIn, EnumIn, ListHasAny; one for TextContains, TextPrefix
	Number int64          // NumberGTE, NumberLTE
	Nums   []int64        // NumberIn
	Time   TimeInput      // TimeGT and its like
	Nets   []netip.Prefix // IPIn
	IDs    []ID           // IDIn
	Exists bool           // the Exists operators
}

// FilterField names a field of an entity as the schema does.
type FilterField string

// TestOp is the operator of a Test.
type TestOp uint8

// The operators. Texts are compared in lower case.
const (
	TextIn TestOp = iota
	TextContains
	TextPrefix
	TextExists
	EnumIn
	NumberIn
	NumberGTE
	NumberLTE
	TimeGT
	TimeGTE
	TimeLT
	TimeLTE
	IPIn
	IPExists
	IDIn
	IDExists
	ListHasAny
)

// Subject is an entity that a predicate can be run on. A method is asked only
// for fields of its kind.
type Subject interface {
	filterTexts(FilterField) []string // in lower case; several for a list or a virtual field
	filterEnum(FilterField) string
	filterNumber(FilterField) int64
	filterTime(FilterField) time.Time
	filterIP(FilterField) netip.Addr
	filterID(FilterField) ID
}

// Matches runs the predicate on an entity. Relative times count from now.
func (p *Predicate) Matches(s Subject, now time.Time) bool {
	for i := range p.Tests {
		if !p.Tests[i].holds(s, now) {
			return false
		}
	}
	for i := range p.All {
		if !p.All[i].Matches(s, now) {
			return false
		}
	}
	if p.Not != nil && p.Not.Matches(s, now) {
		return false
	}
	return p.Any == nil || slices.ContainsFunc(p.Any, func(each Predicate) bool { return each.Matches(s, now) })
}

func (t *Test) holds(s Subject, now time.Time) bool {
	switch t.Op {
	case TextIn, ListHasAny:
		return slices.ContainsFunc(s.filterTexts(t.Field), func(v string) bool { return slices.Contains(t.Texts, v) })
	case TextContains:
		return slices.ContainsFunc(s.filterTexts(t.Field), func(v string) bool { return strings.Contains(v, t.Texts[0]) })
	case TextPrefix:
		return slices.ContainsFunc(s.filterTexts(t.Field), func(v string) bool { return strings.HasPrefix(v, t.Texts[0]) })
	case TextExists:
		return t.Exists == slices.ContainsFunc(s.filterTexts(t.Field), func(v string) bool { return v != "" })
	case EnumIn:
		return slices.Contains(t.Texts, s.filterEnum(t.Field))
	case NumberIn:
		return slices.Contains(t.Nums, s.filterNumber(t.Field))
	case NumberGTE:
		return s.filterNumber(t.Field) >= t.Number
	case NumberLTE:
		return s.filterNumber(t.Field) <= t.Number
	case TimeGT:
		return s.filterTime(t.Field).After(t.Time.At(now))
	case TimeGTE:
		return !s.filterTime(t.Field).Before(t.Time.At(now))
	case TimeLT:
		return s.filterTime(t.Field).Before(t.Time.At(now))
	case TimeLTE:
		return !s.filterTime(t.Field).After(t.Time.At(now))
	case IPIn:
		ip := s.filterIP(t.Field).Unmap()
		return slices.ContainsFunc(t.Nets, func(n netip.Prefix) bool { return n.Contains(ip) })
	case IPExists:
		return t.Exists == s.filterIP(t.Field).IsValid()
	case IDIn:
		return slices.Contains(t.IDs, s.filterID(t.Field))
	case IDExists:
		return t.Exists == !s.filterID(t.Field).IsZero()
	default:
		panic(fmt.Sprintf("monitor: filter operator %d is not known", t.Op)) // a programming error
	}
}

// Fold is the form in which filters compare text.
func Fold(s string) string { return strings.ToLower(s) }

// filterBuilder collects the tests of one filter and the first error.
type filterBuilder struct {
	tests int
	raws  int // of those, on paths of the raw record
	err   error
}

func (b *filterBuilder) fail(field FilterField, format string, args ...any) {
	if b.err == nil {
		b.err = &Error{Code: CodeBadInput, Message: fmt.Sprintf("filter %s: ", field) + fmt.Sprintf(format, args...), Path: []string{"filter", string(field)}}
	}
}

func (b *filterBuilder) add(p *Predicate, t Test) {
	if b.tests++; b.tests > maxFilterTests {
		b.fail(t.Field, "more than %d conditions", maxFilterTests)
		return
	}
	if _, ok := RawPath(t.Field); ok {
		if b.raws++; b.raws > maxFilterRaw {
			b.fail(t.Field, "more than %d conditions on paths of the raw record", maxFilterRaw)
		}
	}
	if len(t.Texts) > maxFilterIn || len(t.IDs) > maxFilterIn || len(t.Nets) > maxFilterIn || len(t.Nums) > maxFilterIn {
		b.fail(t.Field, "more than %d values", maxFilterIn)
	}
	for _, text := range t.Texts {
		if len(text) > maxFilterText {
			b.fail(t.Field, "a value has %d bytes, at most %d are allowed", len(text), maxFilterText)
		}
	}
	p.Tests = append(p.Tests, t)
}

// buildTree makes the predicate of a filter and of the filters in it. own adds
// the tests of one filter's own fields, parts gives its and, or, not.
func buildTree[F any](b *filterBuilder, f *F, depth int, own func(*Predicate, *F), parts func(*F) (and, or []*F, not *F)) Predicate {
	var p Predicate
	if f == nil || b.err != nil {
		return p
	}
	and, or, not := parts(f)
	if depth > maxFilterDepth {
		b.fail("and", "nested deeper than %d", maxFilterDepth)
		return p
	}
	own(&p, f)
	for _, each := range and {
		p.All = append(p.All, buildTree(b, each, depth+1, own, parts))
	}
	if or != nil {
		p.Any = []Predicate{} // an empty `or` holds for nothing
		for _, each := range or {
			p.Any = append(p.Any, buildTree(b, each, depth+1, own, parts))
		}
	}
	if not != nil {
		inner := buildTree(b, not, depth+1, own, parts)
		p.Not = &inner
	}
	b.tests += len(and) + len(or) + 1
	return p
}

// StringFilter compares a text. It and the filters below are the operators of
// the schema.
type StringFilter struct {
	Eq         *string
	In         []string
	Contains   *string
	StartsWith *string
	Exists     *bool
}

func (b *filterBuilder) text(p *Predicate, field FilterField, f *StringFilter) {
	if f == nil {
		return
	}
	if f.Eq != nil {
		b.add(p, Test{Field: field, Op: TextIn, Texts: []string{Fold(*f.Eq)}})
	}
	if f.In != nil {
		b.add(p, Test{Field: field, Op: TextIn, Texts: mapEach(f.In, Fold)})
	}
	if f.Contains != nil {
		b.add(p, Test{Field: field, Op: TextContains, Texts: []string{Fold(*f.Contains)}})
	}
	if f.StartsWith != nil {
		b.add(p, Test{Field: field, Op: TextPrefix, Texts: []string{Fold(*f.StartsWith)}})
	}
	if f.Exists != nil {
		b.add(p, Test{Field: field, Op: TextExists, Exists: *f.Exists})
	}
}

// IntFilter compares a number.
type IntFilter struct {
	Eq  *int
	In  []int
	Gt  *int
	Gte *int
	Lt  *int
	Lte *int
}

func (b *filterBuilder) number(p *Predicate, field FilterField, f *IntFilter) {
	if f == nil {
		return
	}
	if f.Eq != nil {
		b.add(p, Test{Field: field, Op: NumberIn, Nums: []int64{int64(*f.Eq)}})
	}
	if f.In != nil {
		b.add(p, Test{Field: field, Op: NumberIn, Nums: mapEach(f.In, func(n int) int64 { return int64(n) })})
	}
	for _, bound := range []struct {
		value *int
		op    TestOp
		shift int64
	}{{f.Gt, NumberGTE, 1}, {f.Gte, NumberGTE, 0}, {f.Lt, NumberLTE, -1}, {f.Lte, NumberLTE, 0}} {
		if bound.value != nil {
			b.add(p, Test{Field: field, Op: bound.op, Number: int64(*bound.value) + bound.shift})
		}
	}
}

// TimeFilter compares an instant.
type TimeFilter struct {
	Gt  *TimeInput
	Gte *TimeInput
	Lt  *TimeInput
	Lte *TimeInput
}

func (b *filterBuilder) time(p *Predicate, field FilterField, f *TimeFilter) {
	if f == nil {
		return
	}
	for _, bound := range []struct {
		value *TimeInput
		op    TestOp
	}{{f.Gt, TimeGT}, {f.Gte, TimeGTE}, {f.Lt, TimeLT}, {f.Lte, TimeLTE}} {
		if bound.value != nil {
			b.add(p, Test{Field: field, Op: bound.op, Time: *bound.value})
		}
	}
}

// IPFilter compares an address.
type IPFilter struct {
	Eq     *string
	In     []string
	Cidr   *string
	Exists *bool
}

func (b *filterBuilder) ip(p *Predicate, field FilterField, f *IPFilter) {
	if f == nil {
		return
	}
	if f.Eq != nil {
		b.add(p, Test{Field: field, Op: IPIn, Nets: b.nets(field, []string{*f.Eq})})
	}
	if f.In != nil {
		b.add(p, Test{Field: field, Op: IPIn, Nets: b.nets(field, f.In)})
	}
	if f.Cidr != nil {
		prefix, err := netip.ParsePrefix(*f.Cidr)
		if err != nil {
			b.fail(field, "%q is not a network such as 10.0.0.0/8", *f.Cidr)
			return
		}
		b.add(p, Test{Field: field, Op: IPIn, Nets: []netip.Prefix{unmapPrefix(prefix)}})
	}
	if f.Exists != nil {
		b.add(p, Test{Field: field, Op: IPExists, Exists: *f.Exists})
	}
}

func (b *filterBuilder) nets(field FilterField, addrs []string) []netip.Prefix {
	nets := make([]netip.Prefix, 0, len(addrs))
	for _, s := range addrs {
		ip, err := netip.ParseAddr(s)
		if err != nil {
			b.fail(field, "%q is not an IP address", s)
			continue
		}
		ip = ip.Unmap().WithZone("")
		nets = append(nets, netip.PrefixFrom(ip, ip.BitLen()))
	}
	return nets
}

// unmapPrefix makes ::ffff:10.0.0.0/104 the same as 10.0.0.0/8.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// SeverityFilter compares a severity.
type SeverityFilter struct {
	Eq  *Severity
	In  []Severity
	Gte *Severity
	Lte *Severity
}

func (b *filterBuilder) severity(p *Predicate, field FilterField, f *SeverityFilter) {
	if f == nil {
		return
	}
	addEnum(b, p, field, f.Eq, f.In)
	if f.Gte != nil {
		addEnum(b, p, field, nil, Severities[max(f.Gte.Rank(), 0):])
	}
	if f.Lte != nil {
		addEnum(b, p, field, nil, Severities[:f.Lte.Rank()+1])
	}
}

func addEnum[E ~string](b *filterBuilder, p *Predicate, field FilterField, eq *E, in []E) {
	asText := func(e E) string { return string(e) }
	if eq != nil {
		b.add(p, Test{Field: field, Op: EnumIn, Texts: []string{string(*eq)}})
	}
	if in != nil {
		b.add(p, Test{Field: field, Op: EnumIn, Texts: mapEach(in, asText)})
	}
}

// IDFilter compares a reference by global ids.
type IDFilter struct {
	Eq     *string
	In     []string
	Exists *bool
}

func (b *filterBuilder) id(p *Predicate, field FilterField, kind Kind, f *IDFilter) {
	if f == nil {
		return
	}
	parse := func(global string) ID {
		id, err := ParseIDOf(kind, global)
		if err != nil {
			b.fail(field, "%v", err)
		}
		return id
	}
	if f.Eq != nil {
		b.add(p, Test{Field: field, Op: IDIn, IDs: []ID{parse(*f.Eq)}})
	}
	if f.In != nil {
		b.add(p, Test{Field: field, Op: IDIn, IDs: mapEach(f.In, parse)})
	}
	if f.Exists != nil {
		b.add(p, Test{Field: field, Op: IDExists, Exists: *f.Exists})
	}
}

// StringListFilter looks into a list of words.
type StringListFilter struct {
	Has    *string
	HasAny []string
}

func (b *filterBuilder) list(p *Predicate, field FilterField, f *StringListFilter) {
	if f == nil {
		return
	}
	if f.Has != nil {
		b.add(p, Test{Field: field, Op: ListHasAny, Texts: []string{Fold(*f.Has)}})
	}
	if f.HasAny != nil {
		b.add(p, Test{Field: field, Op: ListHasAny, Texts: mapEach(f.HasAny, Fold)})
	}
}

// TimeInput is an instant in a filter: fixed, or relative to the time at which
// the filter runs.
type TimeInput struct {
	fixed    time.Time
	relative bool
	offset   time.Duration
}

var relativeTime = regexp.MustCompile(`^now(?:([+-])(\d{1,6})([smhdw]))?$`)

// ParseTimeInput reads RFC 3339, or "now" with an offset in s, m, h, d or w.
func ParseTimeInput(s string) (TimeInput, error) {
	m := relativeTime.FindStringSubmatch(s)
	if m == nil {
		fixed, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return TimeInput{}, Errorf(CodeBadInput, "%q is neither an RFC 3339 time nor relative like now-24h", s)
		}
		return TimeInput{fixed: fixed.UTC()}, nil
	}
	t := TimeInput{relative: true}
	if m[1] != "" {
		n, _ := strconv.Atoi(m[2]) // six digits
		unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[3]]
		t.offset = time.Duration(n) * unit
		if m[1] == "-" {
			t.offset = -t.offset
		}
	}
	return t, nil
}

// FixedTime is an instant in a filter.
func FixedTime(at time.Time) TimeInput { return TimeInput{fixed: at.UTC()} }

// At gives the instant that is meant when the filter runs at now.
func (t TimeInput) At(now time.Time) time.Time {
	if t.relative {
		return now.Add(t.offset)
	}
	return t.fixed
}

// mapEach applies f to every item; the result is never nil.
func mapEach[A, B any](items []A, f func(A) B) []B {
	out := make([]B, len(items))
	for i, item := range items {
		out[i] = f(item)
	}
	return out
}
