package detect

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// predicates numbers the distinct questions of a Ruleset: rules ask the same of
// the same field again and again, and each is answered once an event.
type predicates map[string]*test

// intern gives a test the number of its question, and the matcher and the handles of
// the first test that asked it: the others' memory is free. The test's slot must be
// known.
func (p predicates) intern(t *test) {
	b := strconv.AppendInt(nil, int64(t.slot), 36)
	b = append(b, byte('0'+t.asks))
	if t.is != nil {
		b = t.is.appendKey(b)
	}
	first, ok := p[string(b)]
	if !ok {
		t.predicate = int32(len(p)) //nolint:gosec // far fewer than 2^31 tests
		t.handles = handlesOf(t.is)
		p[string(b)] = t
		return
	}
	t.predicate, t.is, t.handles = first.predicate, first.is, first.handles
}

func (m *textMatcher) appendKey(b []byte) []byte { return m.pattern.appendKey(append(b, 't')) }

func (m *numberMatcher) appendKey(b []byte) []byte { return append(append(b, 'n'), m.spelling...) }

func (m *wordMatcher) appendKey(b []byte) []byte { return append(append(b, 'w'), m.spelling...) }

func (m *regexMatcher) appendKey(b []byte) []byte {
	return append(append(b, 'r'), m.regex.re.String()...)
}

func (m *cidrMatcher) appendKey(b []byte) []byte {
	return append(append(b, 'c'), m.network.String()...)
}

func (m *refMatcher) appendKey(b []byte) []byte {
	b = append(strconv.AppendBool(append(b, 'f'), m.cased), m.anchor...)
	return append(append(b, ' '), m.field...)
}

func (m *compareMatcher) appendKey(b []byte) []byte {
	b = append(append(append(append(b, 'g'), m.op...), ' '), m.part...)
	return m.limit.appendKey(append(b, ' '))
}

// appendKey writes the pattern so that two of them are written alike only when
// they match the same texts. Literals are written with their length.
func (p *pattern) appendKey(b []byte) []byte {
	b = strconv.AppendBool(b, p.cased)
	if p.open[0] {
		b = append(b, '*')
	}
	for i := range p.segments {
		if i > 0 {
			b = append(b, '*')
		}
		for _, a := range p.segments[i].parts() {
			b = append(strconv.AppendInt(append(b, byte('0'+a.kind)), int64(len(a.text)), 10), ':')
			b = append(b, a.text...)
		}
	}
	if p.open[1] {
		b = append(b, '*')
	}
	return b
}

// parts gives a segment's atoms, also of one that is a plain text.
func (g *segment) parts() []atom {
	if g.atoms == nil {
		return []atom{{text: g.hint, kind: literal}}
	}
	return g.atoms
}

// appendKey writes a number so that equal numbers are written alike.
func (d decimal) appendKey(b []byte) []byte {
	if d.negative {
		b = append(b, '-')
	}
	return strconv.AppendInt(append(append(b, d.digits...), 'e'), int64(d.exp), 10)
}

// handlesOf lists what the index can look for instead of asking the matcher: where
// the matcher says yes to a value, at least one handle is found in it. The list
// is empty where only the matcher itself can tell.
//
// The texts of handles are folded; case-sensitive matchers are served too, since
// what is equal is equal when folded.
func handlesOf(m matcher) []handle {
	switch m := m.(type) {
	case *textMatcher:
		return m.handles()
	case *numberMatcher:
		return m.handles()
	case *wordMatcher:
		return m.handles()
	case *regexMatcher:
		return m.regex.handles()
	default:
		return nil
	}
}

func (m *numberMatcher) handles() []handle {
	return append(m.numberHandles(), handle{by: findExact, text: m.spelling})
}

func (m *wordMatcher) handles() []handle {
	word := containing(m.spelling)
	if len(word) == 0 {
		return nil
	}
	return append(m.numberHandles(), word...)
}

func (m *numberMatcher) numberHandles() []handle {
	if !m.isNumber {
		return nil
	}
	return []handle{{by: findNumber, text: string(m.number.appendKey(nil))}}
}

func (m *textMatcher) handles() []handle {
	p := m.pattern
	if text, ok := p.exact(); ok {
		list := []handle{{by: findExact, text: fold(text)}}
		if m.isNumber {
			list = append(list, handle{by: findNumber, text: string(m.number.appendKey(nil))})
		}
		return list
	}
	var candidates []handle
	for i := range p.segments {
		parts := p.segments[i].parts()
		for j, a := range parts {
			if a.kind != literal {
				continue
			}
			text := fold(a.text)
			candidates = append(candidates, containing(text)...)
			if i == 0 && j == 0 && !p.open[0] {
				candidates = append(candidates, handle{by: findPrefix, text: text})
			}
			if i == len(p.segments)-1 && j == len(parts)-1 && !p.open[1] {
				candidates = append(candidates, handle{by: findSuffix, text: text})
			}
		}
	}
	return cheapest(candidates)
}

// handles of a regular expression are those of its required texts.
func (r *regex) handles() []handle {
	var list []handle
	for _, text := range r.required {
		found := containing(text)
		if len(found) == 0 {
			return nil
		}
		list = append(list, found...)
	}
	return list
}

// containing gives the handle of a text that stands anywhere, or none if it is
// too short for that.
func containing(text string) []handle {
	switch {
	case len(text) > gramSize-2:
		gram, offset := rarestGram(text)
		return []handle{{by: findGram, text: gram, whole: text, offset: offset}}
	case text != "" && text[0] >= utf8.RuneSelf:
		return []handle{{by: findForeign}}
	default:
		return nil
	}
}

func cheapest(list []handle) []handle {
	if len(list) == 0 {
		return nil
	}
	best := list[0]
	for _, h := range list[1:] {
		if h.cost() < best.cost() {
			best = h
		}
	}
	return []handle{best}
}

// handle is a way to find a value through an index.
type handle struct {
	by     lookup
	text   string
	whole  string // of findGram: the text that stands where the gram is found
	offset int    // of the gram in whole
}

type lookup uint8

const (
	findExact  lookup = iota // the whole value
	findNumber               // the number it is, spelled by decimal.appendKey
	findPrefix
	findSuffix
	findGram    // text has 3 or 4 bytes and stands anywhere in it
	findForeign // it has bytes that are not ASCII
)

// cost estimates how often the handle is found in events, in no unit: what a
// rule is found by is chosen by it.
func (h handle) cost() int {
	switch h.by {
	case findExact, findNumber:
		if len(h.text) < 3 {
			return 8 // 0, 1, -
		}
		return 2
	case findPrefix, findSuffix:
		return affixCost(h.text)
	case findForeign:
		return costCommon / 2
	default:
		return 4 + gramCost(h.text)
	}
}

const (
	costPresent = 2_000 // the field has a value
	costCommon  = 400   // as ".exe" at the end
)

func affixCost(text string) int {
	switch n := len(text); {
	case n < 3:
		return costCommon
	case n <= 5 && !strings.ContainsAny(text, `\/`):
		return costCommon / 2 // an extension
	default:
		return 3
	}
}
