package detect

import (
	"slices"
	"sync/atomic"

	"github.com/security-monitor/secmon/monitor"
)

// index finds, among the rules of one log source, those that an event may make
// fire: by a test that must be true for the rule to hold (witnesses). Each test is
// entered at its field under what its value must have (handles), so that an event
// costs about the length of its texts, not the number of rules.
//
// It never changes once it is built, but for the count of events.
type index struct {
	rules    []*compiledRule
	always   []*compiledRule // tried on every event
	fields   []*fieldIndex
	sampled  *atomic.Int64 // events that were measured
	answered []uint64      // a bit for each predicate that is entered
}

// fieldIndex holds the tests of one field, or of all values at once.
type fieldIndex struct {
	slot     int32 // anywhere for tests without a field
	postings []posting
	exact    map[string][]int32 // the positions of postings
	numbers  map[string][]int32
	prefixes []affixIndex
	suffixes []affixIndex
	grams    *gramIndex
	trigrams *gramIndex
	present  []int32 // only the matcher can tell
	relative []int32 // the same, and other fields have a part in it
	foreign  []int32 // tried where the value is not all ASCII
	there    []int32 // found by the field alone
}

const anywhere = -1

// posting is a test, and the rules that it is the witness of.
type posting struct {
	test  *test
	rules []*compiledRule
}

func newIndex(rules []*compiledRule, sampled *atomic.Int64) *index {
	b := &indexBuilder{fields: map[int32]*fieldBuilder{}}
	x := &index{rules: rules, sampled: sampled}
	for _, c := range rules {
		w, ok := witnessesOf(c.test, true)
		if !ok {
			x.always = append(x.always, c)
		}
		for _, t := range w.tests {
			b.enter(t, c)
		}
	}
	x.fields = b.build()
	for _, f := range x.fields {
		for _, p := range f.postings {
			x.answer(p.test.predicate)
		}
	}
	return x
}

func (x *index) answer(predicate int32) {
	for int(predicate/64) >= len(x.answered) {
		x.answered = append(x.answered, 0)
	}
	x.answered[predicate/64] |= 1 << (predicate % 64)
}

type indexBuilder struct {
	fields map[int32]*fieldBuilder
	order  []int32 // of slots, as they came
}

type fieldBuilder struct {
	fieldIndex
	byPredicate    map[int32]int32 // positions in postings
	byText         [findGram]map[string][]int32
	grams4, grams3 map[string][]gramPosting
}

// enter puts a test in, with a rule to be tried where it is true.
func (b *indexBuilder) enter(t *test, c *compiledRule) {
	f := b.field(t)
	at, known := f.byPredicate[t.predicate]
	if !known {
		at = int32(len(f.postings)) //nolint:gosec // far fewer than 2^31
		f.byPredicate[t.predicate] = at
		f.postings = append(f.postings, posting{test: t})
		f.list(t, at)
	}
	f.postings[at].rules = appendNew(f.postings[at].rules, c)
}

func (b *indexBuilder) field(t *test) *fieldBuilder {
	f := b.fields[t.slot]
	if f == nil {
		f = &fieldBuilder{byPredicate: map[int32]int32{}, grams4: map[string][]gramPosting{}, grams3: map[string][]gramPosting{}}
		f.slot = t.slot
		for i := range f.byText {
			f.byText[i] = map[string][]int32{}
		}
		b.fields[t.slot] = f
		b.order = append(b.order, t.slot)
	}
	return f
}

// list files a posting under its handles.
func (f *fieldBuilder) list(t *test, at int32) {
	if t.asks == askThere {
		f.there = append(f.there, at)
		return
	}
	if _, ok := t.is.(*refMatcher); ok {
		f.relative = append(f.relative, at)
		return
	}
	if len(t.handles) == 0 {
		f.present = append(f.present, at)
		return
	}
	for _, h := range t.handles {
		switch h.by {
		case findForeign:
			f.foreign = appendNew(f.foreign, at)
		case findGram:
			into := f.grams4
			if len(h.text) < gramSize {
				into = f.grams3
			}
			into[h.text] = appendNew(into[h.text], gramPosting{h.whole, h.offset, at})
		default:
			f.byText[h.by][h.text] = appendNew(f.byText[h.by][h.text], at)
		}
	}
}

func appendNew[T comparable](list []T, x T) []T {
	if slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}

func (b *indexBuilder) build() []*fieldIndex {
	list := make([]*fieldIndex, 0, len(b.order))
	for _, slot := range b.order {
		f := b.fields[slot]
		f.exact, f.numbers = f.byText[findExact], f.byText[findNumber]
		f.prefixes, f.suffixes = newAffixes(f.byText[findPrefix], true), newAffixes(f.byText[findSuffix], false)
		f.grams, f.trigrams = newGramIndex(gramSize, f.grams4), newGramIndex(gramSize-1, f.grams3)
		done := f.fieldIndex
		list = append(list, &done)
	}
	return list
}

// search adds to e.found the postings that are true of the value, each once.
func (f *fieldIndex) search(e *event, v *value) {
	e.beginSearch(len(f.postings))
	f.considerAll(e, f.present, v)
	text := e.fold(v)
	if len(f.foreign) > 0 && !isASCII(text) {
		f.considerAll(e, f.foreign, v)
	}
	if len(f.exact) > 0 {
		f.considerAll(e, f.exact[text], v)
	}
	if len(f.numbers) > 0 && v.kind != monitor.BoolValue && looksNumeric(text) {
		f.lookNumber(e, v)
	}
	for i := range f.prefixes {
		f.considerAll(e, f.prefixes[i].prefix(text), v)
	}
	for i := range f.suffixes {
		f.considerAll(e, f.suffixes[i].suffix(text), v)
	}
	if f.grams != nil {
		f.grams.scan(e, f, v, text)
	}
	if f.trigrams != nil {
		f.trigrams.scan(e, f, v, text)
	}
}

func looksNumeric(s string) bool {
	return s != "" && (s[0] == '-' || '0' <= s[0] && s[0] <= '9')
}

func (f *fieldIndex) lookNumber(e *event, v *value) {
	d, ok := parseDecimal(v.text)
	if !ok {
		return
	}
	e.scratch = d.appendKey(e.scratch[:0])
	f.considerAll(e, f.numbers[string(e.scratch)], v)
}

func (f *fieldIndex) considerAll(e *event, postings []int32, v *value) {
	for _, at := range postings {
		f.consider(e, at, v)
	}
}

// consider asks a test that the search came upon whether it is true of the value,
// the first time.
func (f *fieldIndex) consider(e *event, at int32, v *value) {
	if e.asked[at] == e.searches {
		return
	}
	e.asked[at] = e.searches
	if p := &f.postings[at]; p.ask(e, v) {
		e.found = append(e.found, p)
	}
}

func (p *posting) ask(e *event, v *value) bool {
	if e.measured {
		return p.measure(e, v)
	}
	return p.test.is.match(e, v)
}
