package detect

import (
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/security-monitor/secmon/monitor"
)

// FuzzParse checks that no source makes Parse panic or stall, that errors have
// a position, and that what Parse accepts can be compiled and run.
func FuzzParse(f *testing.F) {
	f.Add([]byte(fullRule), "powershell.exe")
	for _, detection := range []string{
		"s:\n  A|contains|all: [x, 'y*?']\ncondition: 1 of s* and not (all of them or s)",
		"s:\n  - A|re|i: 'a(b|c)+'\n  - B|cidr: 10.0.0.0/8\n  - word\ncondition: [s, not s]",
		"s: &a\n  A|wide|base64offset|contains: cmd\n  B|windash: ' -x'\nt: *a\ncondition: s | count() > 5",
		"s:\n  A|gt: 1e5\n  B|hour: 3\n  C|exists: true\n  D|fieldref|endswith: E\n  F: null\ncondition: s",
		"s:\n  '|all': [1, 0x10]\n  A|expand: '%x%'\ncondition: s",
	} {
		f.Add([]byte(ruleWith(detection)), "a -x 10.0.0.1")
	}
	f.Add([]byte(correlationOf("a", "type: temporal_ordered\ntimespan: 5m\ngroup-by: [A]\ncondition: b and not (c or d)")), "x")
	f.Add([]byte(correlationOf("a", "type: value_percentile\nrules: [b]\ntimespan: 1M\ncondition: {field: A, percentile: 9, gt: 1}")), "x")
	f.Fuzz(func(t *testing.T, source []byte, value string) {
		start := time.Now()
		rule, err := Parse(source)
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("takes %v", took)
		}
		var where *SyntaxError
		if err != nil {
			if !errors.As(err, &where) || where.Line < 1 || where.Column < 1 || where.Message == "" {
				t.Fatalf("an error without position: %#v", err)
			}
			return
		}
		rs := Compile([]*monitor.Rule{rule})
		runs := rule.State == monitor.RuleActive && rule.Kind == monitor.DetectionRule
		if runs != (rs.Len() == 1) {
			t.Fatalf("%s, state %s, but %d rules run", rule.Kind, rule.State, rs.Len())
		}
		rec := &monitor.Record{LogSource: rule.LogSource}
		for _, name := range []string{"A", "B", "C D", ""} {
			rec.Add(name, monitor.Value{Text: value})
		}
		rec.Add("B", monitor.Value{Kind: monitor.NullValue})
		rs.Match(rec, nil)
	})
}

// FuzzParseAll checks that no file makes ParseAll panic or stall, that problems
// stand in the file, that every text it makes is a rule again, and that all of
// them, filters included, can be compiled and run.
func FuzzParseAll(f *testing.F) {
	for _, seed := range []string{
		fullRule + "---\n" + filterOf("product: Windows", "any", "not selection"),
		"action: global\nlevel: low\n---\n" + documentOf("a", idA) + "---\naction: repeat\ntitle: &t b\nstatus: *t\n---\naction: reset\n",
		legacyRule("s | count(a b) by c, d > 5", "1m"),
		"# c\n" + legacyRule("s and t | near t # d", "1h"),
		legacyRule("s | sum(x) by y <= 1.50", "10s") + "...\n--- {title: x, correlation: {}}\n",
		ruleWith("s:\n  A|re|expand: '%a%\\%b%%B%'\ncondition: s"),
	} {
		f.Add([]byte(seed), "a*", "x")
	}
	f.Fuzz(func(t *testing.T, source []byte, a, b string) {
		o := Options{Placeholders: monitor.Placeholders{"a": {a, "b"}, "b": {b}}}
		start := time.Now()
		file := ParseAll(source, o)
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("takes %v", took)
		}
		lines := strings.Count(string(source), "\n") + 1
		for _, p := range file.Problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || p.Line > lines+1 {
				t.Fatalf("a problem in no place of %d lines: %v", lines, p)
			}
		}
		for _, r := range file.Rules {
			again, err := Parse([]byte(r.Source), o)
			if err != nil || again.ID != r.ID || again.Kind != r.Kind || again.Title != r.Title {
				t.Fatalf("alone it is %+v, %v, in the file %+v:\n%s", again, err, r.Rule, r.Source)
			}
		}
		rec := &monitor.Record{LogSource: monitor.LogSource{Product: "test"}}
		rec.Add("A", monitor.Value{Text: a})
		rec.Add("User", monitor.Value{Text: b})
		Compile(rulesOf(file), o).Match(rec, nil)
	})
}

// FuzzPattern compares patterns with an obvious matcher.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"a*b?c", "aXXbYc"},
		{`\*\?\\`, `*?\`},
		{"*", ""},
		{"", ""},
		{"?", "ü"},
		{"aba*aba", "ababa"},
		{"*ab*ab*", "abxab"},
		{"?*?", "x"},
		{"\u212aß", "kSS"},
		{`C:\\*.EXE`, `c:\x.exe`},
		{"-a /b", "/A –B"},
		{"?", "\xff"},
	} {
		f.Add(seed[0], seed[1], uint8(0))
		f.Add(seed[0], seed[1], uint8(7))
	}
	anchors := []string{"", "contains", "startswith", "endswith"}
	f.Fuzz(func(t *testing.T, source, text string, options uint8) {
		if len(source) > 50 || len(text) > 100 || !utf8.ValidString(source) {
			return
		}
		cased := options&4 != 0
		glyphs := readString(source)
		if options&8 != 0 {
			glyphs = freeDashes(glyphs)
		}
		glyphs = anchored(glyphs, anchors[options&3])
		subject := text
		if !cased {
			subject = fold(text)
		}
		if got, want := newPattern(glyphs, cased).match(subject), obvious(glyphs, characters(text), cased); got != want {
			t.Errorf("%q on %q, options %d: %v, want %v", source, text, options, got, want)
		}
	})
}

// characters splits a text into characters; bytes that are no UTF-8 stay alone.
func characters(s string) []string {
	var list []string
	for len(s) > 0 {
		_, n := utf8.DecodeRuneInString(s)
		list, s = append(list, s[:n]), s[n:]
	}
	return list
}

// obvious matches glyph by glyph, by the table of which beginnings match.
func obvious(glyphs []glyph, text []string, cased bool) bool {
	reach := make([]bool, len(text)+1)
	reach[0] = true
	for _, g := range glyphs {
		next := make([]bool, len(text)+1)
		for i, ok := range reach {
			if g.kind == anyMany {
				next[i] = ok || i > 0 && next[i-1]
			} else if ok && i < len(text) {
				next[i+1] = accepts(g, text[i], cased)
			}
		}
		reach = next
	}
	return reach[len(text)]
}

func accepts(g glyph, character string, cased bool) bool {
	switch {
	case g.kind == anyOne:
		return true
	case !utf8.ValidString(character):
		return false
	case g.kind == anyDash:
		return strings.Contains(dashes, character)
	case cased:
		return string(g.char) == character
	default:
		return strings.EqualFold(string(g.char), character)
	}
}

// FuzzDecimal compares exact decimals with math/big.
func FuzzDecimal(f *testing.F) {
	for _, seed := range [][2]string{{"4688", "4688.0"}, {"-0", "0"}, {"1e3", "999.99"}, {"9223372036854775807", "9223372036854775806"}, {"-1", "1"}, {"0.001", "1e-3"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsAny(a+b, "eE") && len(a)+len(b) > 8 {
			return // math/big would write out large exponents
		}
		x, okX := parseDecimal(a)
		y, okY := parseDecimal(b)
		if !okX || !okY {
			return
		}
		p, okP := new(big.Rat).SetString(a)
		q, okQ := new(big.Rat).SetString(b)
		if !okP || !okQ {
			return
		}
		if got, want := x.compare(y), p.Cmp(q); got != want {
			t.Errorf("%s against %s: %d, want %d", a, b, got, want)
		}
	})
}

// FuzzRegexGuard checks that the guard never hides a match.
func FuzzRegexGuard(f *testing.F) {
	f.Add("(?i)abc+(d|e)?", "xABCCd")
	f.Add("a{2,3}b|c", "aab")
	f.Add("\ufffd", "\xff")
	f.Add("(?i)\u212a", "K")
	f.Add(".{3,}", "ab\ncd\xffe")
	f.Add("([Ii][Ee]x|foo(bar|baz)+)[ ]*=", "IEx =")
	f.Fuzz(func(t *testing.T, source, text string) {
		if len(source) > 50 || len(text) > 200 {
			return
		}
		re, err := newRegex(source, "")
		if err != nil {
			return
		}
		if got, want := re.match(text, fold(text)), regexp.MustCompile(source).MatchString(text); got != want {
			t.Errorf("%q on %q: %v, want %v (required %q)", source, text, got, want, re.required)
		}
	})
}
