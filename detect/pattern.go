package detect

import (
	"strings"
	"unicode/utf8"
)

// pattern is a wildcard expression ready to match: segments between stars.
type pattern struct {
	segments []segment
	open     [2]bool // a star before the first segment, after the last
	cased    bool
}

// segment is a run of glyphs without a star. It matches a fixed number of
// characters. hint is its longest plain text, which must be in any text that
// the segment matches; where it is the whole segment, atoms is nil.
type segment struct {
	atoms []atom
	hint  string
	runes int
}

// atom is a plain text, or one character of a kind.
type atom struct {
	text string
	kind glyphKind
}

// newPattern folds the literals, unless case counts.
func newPattern(glyphs []glyph, cased bool) *pattern {
	p := &pattern{cased: cased}
	start := 0
	for i := 0; i <= len(glyphs); i++ {
		if i < len(glyphs) && glyphs[i].kind != anyMany {
			continue
		}
		if i > start {
			p.segments = append(p.segments, newSegment(glyphs[start:i], cased))
		}
		start = i + 1
	}
	if n := len(glyphs); n > 0 {
		p.open = [2]bool{glyphs[0].kind == anyMany, glyphs[n-1].kind == anyMany}
	}
	return p
}

func newSegment(glyphs []glyph, cased bool) segment {
	s := segment{runes: len(glyphs)}
	var text []rune
	flush := func() {
		if len(text) == 0 {
			return
		}
		t := string(text)
		if !cased {
			t = fold(t)
		}
		s.atoms, text = append(s.atoms, atom{t, literal}), nil
		if len(t) > len(s.hint) {
			s.hint = t
		}
	}
	for _, g := range glyphs {
		if g.kind == literal {
			text = append(text, g.char)
			continue
		}
		flush()
		s.atoms = append(s.atoms, atom{kind: g.kind})
	}
	flush()
	if len(s.atoms) == 1 && s.atoms[0].kind == literal {
		s.atoms = nil
	}
	return s
}

// exact tells whether the pattern is one plain text, and which.
func (p *pattern) exact() (string, bool) {
	switch {
	case p.open[0] || p.open[1] || len(p.segments) > 1:
		return "", false
	case len(p.segments) == 0:
		return "", true
	}
	return p.segments[0].hint, p.segments[0].atoms == nil
}

// match tells whether the whole text fits. The text must be folded already,
// unless case counts. Time grows at worst with length of text times pattern.
func (p *pattern) match(s string) bool {
	segments := p.segments
	if len(segments) == 0 {
		return p.open[0] || s == ""
	}
	if len(segments) == 1 && !p.open[0] && !p.open[1] {
		return segments[0].at(s) == len(s)
	}
	if !p.open[0] {
		n := segments[0].at(s)
		if n < 0 {
			return false
		}
		s, segments = s[n:], segments[1:]
	}
	if !p.open[1] {
		last := len(segments) - 1
		n := segments[last].atEnd(s)
		if n < 0 {
			return false
		}
		s, segments = s[:n], segments[:last]
	}
	for i := range segments {
		n := segments[i].find(s)
		if n < 0 {
			return false
		}
		s = s[n:]
	}
	return true
}

// at gives the length of the beginning of s that the segment matches, or -1.
func (g *segment) at(s string) int {
	if g.atoms == nil {
		if strings.HasPrefix(s, g.hint) {
			return len(g.hint)
		}
		return -1
	}
	n := 0
	for i := range g.atoms {
		k := g.atoms[i].at(s[n:])
		if k < 0 {
			return -1
		}
		n += k
	}
	return n
}

// atEnd gives where the end of s that the segment matches begins, or -1.
func (g *segment) atEnd(s string) int {
	if g.atoms == nil {
		if strings.HasSuffix(s, g.hint) {
			return len(s) - len(g.hint)
		}
		return -1
	}
	start := len(s)
	for range g.runes {
		if start == 0 {
			return -1
		}
		_, n := utf8.DecodeLastRuneInString(s[:start])
		start -= n
	}
	if g.at(s[start:]) != len(s)-start {
		return -1
	}
	return start
}

// find gives the end of the segment's first place in s, or -1.
func (g *segment) find(s string) int {
	n := strings.Index(s, g.hint)
	if n < 0 {
		return -1
	}
	if g.atoms == nil {
		return n + len(g.hint)
	}
	for i := 0; i <= len(s); {
		if n := g.at(s[i:]); n >= 0 {
			return i + n
		}
		_, width := utf8.DecodeRuneInString(s[i:])
		i += max(width, 1)
	}
	return -1
}

func (a *atom) at(s string) int {
	if a.kind == literal {
		if strings.HasPrefix(s, a.text) {
			return len(a.text)
		}
		return -1
	}
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 || a.kind == anyDash && !isDash(r) {
		return -1
	}
	return n
}

func isDash(r rune) bool {
	return r == '-' || r == '/' || '–' <= r && r <= '―'
}
