package detect

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// glyph is one element of a rule's string value after its escapes are read: a
// character to be found as it is, or one of the wildcards.
type glyph struct {
	kind glyphKind
	char rune // of a literal
}

type glyphKind uint8

const (
	literal glyphKind = iota
	anyOne            // ?
	anyMany           // *
	anyDash           // windash: one of the five dashes
)

// dashes are the five characters that windash makes equal.
const dashes = "-/–—―"

// readString reads Sigma's escapes: \* and \? and \\ are the characters
// themselves, any other backslash is a backslash.
func readString(s string) []glyph {
	glyphs := make([]glyph, 0, len(s))
	runes := []rune(s)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == '\\' && i+1 < len(runes) && strings.ContainsRune(`*?\`, runes[i+1]):
			i++
			glyphs = append(glyphs, glyph{literal, runes[i]})
		case r == '*':
			glyphs = append(glyphs, glyph{kind: anyMany})
		case r == '?':
			glyphs = append(glyphs, glyph{kind: anyOne})
		default:
			glyphs = append(glyphs, glyph{literal, r})
		}
	}
	return glyphs
}

// freeDashes lets every dash that begins a word stand for all five, as in
// "-param" and " /c" but not in "well-known".
func freeDashes(glyphs []glyph) []glyph {
	out := append([]glyph(nil), glyphs...)
	for i, g := range glyphs {
		if g.kind != literal || !strings.ContainsRune(dashes, g.char) {
			continue
		}
		before := i > 0 && glyphs[i-1].wordy()
		after := i+1 < len(glyphs) && glyphs[i+1].wordy()
		if !before && after {
			out[i] = glyph{kind: anyDash}
		}
	}
	return out
}

func (g glyph) wordy() bool {
	return g.kind == literal && (g.char == '_' || unicode.IsLetter(g.char) || unicode.IsDigit(g.char))
}

// maxSpellings bounds the spellings of one value: four dashes have 625.
const maxSpellings = 625

// spellDashes lists the plain spellings of a value with free dashes: encodings
// need them one by one.
func spellDashes(glyphs []glyph) ([][]glyph, error) {
	var free []int
	count := 1
	for i, g := range glyphs {
		if g.kind != anyDash {
			continue
		}
		free = append(free, i)
		if count *= utf8.RuneCountInString(dashes); count > maxSpellings {
			return nil, errors.New("too many dashes for windash with an encoding")
		}
	}
	if count > 1 && count*len(glyphs) > maxPattern {
		return nil, fmt.Errorf("too long for windash with an encoding: %d characters in %d spellings", len(glyphs), count)
	}
	list := [][]glyph{glyphs}
	for _, at := range free {
		var next [][]glyph
		for _, spelling := range list {
			for _, dash := range dashes {
				with := slices.Clone(spelling)
				with[at] = glyph{literal, dash}
				next = append(next, with)
			}
		}
		list = next
	}
	return list, nil
}

// encode applies utf16*, base64 and base64offset to one value and gives the
// spellings to look for.
func (m *modifiers) encode(glyphs []glyph) ([][]glyph, error) {
	if m.base64 == "" {
		wide, err := m.widen(glyphs)
		return [][]glyph{wide}, err
	}
	raw, err := m.bytes(glyphs)
	if err != nil {
		return nil, err
	}
	if m.base64 == "base64" {
		return [][]glyph{plain(base64.StdEncoding.EncodeToString(raw))}, nil
	}
	var list [][]glyph
	for _, s := range base64Offsets(raw) {
		if s == "" {
			return nil, errors.New("the value is too short to be found in base64")
		}
		list = append(list, plain(s))
	}
	return list, nil
}

// base64Offsets gives the part of raw's base64 that does not depend on its
// neighbours, for each of the three positions it may have in a longer text.
func base64Offsets(raw []byte) []string {
	var list []string
	for shift := range 3 {
		s := base64.StdEncoding.EncodeToString(append(make([]byte, shift), raw...))
		from := [...]int{0, 2, 3}[shift]
		cut := [...]int{0, 3, 2}[(len(raw)+shift)%3]
		list = append(list, s[from:max(from, len(s)-cut)])
	}
	return list
}

func plain(s string) []glyph {
	var glyphs []glyph
	for _, r := range s {
		glyphs = append(glyphs, glyph{literal, r})
	}
	return glyphs
}

// bytes gives what base64 is to encode.
func (m *modifiers) bytes(glyphs []glyph) ([]byte, error) {
	var text []rune
	for _, g := range glyphs {
		if g.kind != literal {
			return nil, errors.New("a value with wildcards has no base64 form")
		}
		text = append(text, g.char)
	}
	if m.utf16 == "" {
		return []byte(string(text)), nil
	}
	var raw []byte
	if m.utf16 == "utf16" {
		raw = []byte{0xff, 0xfe}
	}
	for _, unit := range utf16.Encode(text) {
		if low, high := byte(unit&0xff), byte(unit>>8); m.utf16 == "utf16be" {
			raw = append(raw, high, low)
		} else {
			raw = append(raw, low, high)
		}
	}
	return raw, nil
}

// widen writes a value as UTF-16 that was read byte by byte: "cmd" has a NUL
// beside each letter. Only ASCII has such a form.
func (m *modifiers) widen(glyphs []glyph) ([]glyph, error) {
	if m.utf16 == "" {
		return glyphs, nil
	}
	var out []glyph
	if m.utf16 == "utf16" {
		out = append(out, glyph{literal, '\ufeff'})
	}
	for _, g := range glyphs {
		switch {
		case g.kind != literal:
			out = append(out, g)
		case g.char >= utf8.RuneSelf:
			return nil, fmt.Errorf("%q is not ASCII: %s needs base64 or base64offset behind it", g.char, m.utf16)
		case m.utf16 == "utf16be":
			out = append(out, glyph{literal, 0}, g)
		default:
			out = append(out, g, glyph{literal, 0})
		}
	}
	return out, nil
}

// anchored puts the wildcards of contains, startswith and endswith.
func anchored(glyphs []glyph, anchor string) []glyph {
	many := glyph{kind: anyMany}
	out := make([]glyph, 0, len(glyphs)+2)
	if anchor == "contains" || anchor == "endswith" {
		out = append(out, many)
	}
	out = append(out, glyphs...)
	if anchor == "contains" || anchor == "startswith" {
		out = append(out, many)
	}
	return out
}
