package detect

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// regex is a regular expression in RE2's dialect, which takes time linear in
// the text. What every match has is looked for first, since that is much cheaper.
type regex struct {
	re       *regexp.Regexp
	required []string // one of these folded texts, if there are any
	sequence []string // all of these, in this order
	runes    int      // at least so many characters
	line     bool     // that many characters in a line are all that it asks for, as .{1000,} does
}

// regexError says where in the expression the trouble is, in bytes.
type regexError struct {
	offset  int
	message string
}

func (e *regexError) Error() string { return e.message }

// unsupported are the constructs of PCRE that need backtracking.
var unsupported = []string{"(?=", "(?!", "(?<=", "(?<!", "(?>"}

// newRegex compiles with flags out of "ims".
func newRegex(source, flags string) (*regex, error) {
	if len(source) > maxRegex {
		return nil, &regexError{0, fmt.Sprintf("the regular expression has %d bytes, more than %d", len(source), maxRegex)}
	}
	if flags != "" {
		flags = "(?" + flags + ")"
	}
	tree, err := syntax.Parse(flags+source, syntax.Perl)
	if err != nil {
		return nil, explainRegex(source, err)
	}
	guarded := regex{required: required(tree), sequence: sequence(tree), runes: leastRunes(tree), line: isLine(tree)}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil || len(program.Inst) > maxRegexProgram {
		return nil, &regexError{0, "the regular expression is too large when its repetitions are written out"}
	}
	re, err := regexp.Compile(flags + source)
	if err != nil {
		return nil, explainRegex(source, err)
	}
	guarded.re = re
	return &guarded, nil
}

func explainRegex(source string, err error) error {
	for _, construct := range unsupported {
		if i := strings.Index(source, construct); i >= 0 {
			return &regexError{i, fmt.Sprintf(
				"look-around and atomic groups, here %s, are not supported: expressions run in linear time (RE2)", construct)}
		}
	}
	var e *syntax.Error
	if !errors.As(err, &e) {
		return &regexError{0, err.Error()}
	}
	return &regexError{max(strings.Index(source, e.Expr), 0), fmt.Sprintf("%s: %s", e.Code, shorten(e.Expr))}
}

// maxRequired bounds the alternatives that a regular expression is found by.
const maxRequired = 32

// required gives folded texts of which every match of the expression contains at
// least one, the longest that can be had; nil where there are none.
func required(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass:
		if s := spelled(re); s != "" {
			return []string{s}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		return requiredOfSequence(re.Sub)
	case syntax.OpAlternate:
		return requiredOfAny(re.Sub)
	}
	return nil
}

// requiredOfSequence joins neighbours that are plain texts, and takes the best.
func requiredOfSequence(list []*syntax.Regexp) []string {
	var best []string
	run := ""
	flush := func() {
		best, run = better(best, []string{run}), ""
	}
	for _, sub := range list {
		if s := spelled(sub); s != "" {
			run += s
			continue
		}
		flush()
		best = better(best, required(sub))
	}
	flush()
	return best
}

func requiredOfAny(list []*syntax.Regexp) []string {
	var all []string
	for _, sub := range list {
		texts := required(sub)
		if len(texts) == 0 || len(all)+len(texts) > maxRequired {
			return nil
		}
		all = append(all, texts...)
	}
	return all
}

// better takes the texts of which the shortest is longer.
func better(a, b []string) []string {
	if shortest(b) > shortest(a) {
		return b
	}
	return a
}

func shortest(texts []string) int {
	if len(texts) == 0 {
		return 0
	}
	n := len(texts[0])
	for _, s := range texts[1:] {
		n = min(n, len(s))
	}
	return n
}

// spelled gives the folded text that an expression stands for, or "" if it
// stands for several: [Ii]e(?i:x) is iex.
func spelled(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		s := string(re.Rune)
		if strings.ContainsRune(s, utf8.RuneError) {
			return "" // it also matches bytes that are no UTF-8
		}
		return fold(s)
	case syntax.OpCharClass:
		return spelledClass(re.Rune)
	case syntax.OpCapture:
		return spelled(re.Sub[0])
	case syntax.OpConcat:
		var all strings.Builder
		for _, sub := range re.Sub {
			s := spelled(sub)
			if s == "" {
				return ""
			}
			all.WriteString(s)
		}
		return all.String()
	}
	return ""
}

// spelledClass takes ranges of characters that differ in case only.
func spelledClass(ranges []rune) string {
	const most = 4 // characters; no more differ in case only
	one, seen := rune(-1), 0
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if seen++; seen > most || r == utf8.RuneError || one >= 0 && foldRune(r) != one {
				return ""
			}
			one = foldRune(r)
		}
	}
	if one < 0 {
		return ""
	}
	return string(one)
}

// match takes the text as it came and folded.
func (r *regex) match(text, folded string) bool {
	if !r.mayMatch(folded) {
		return false
	}
	if r.line {
		return hasLine(text, r.runes)
	}
	return r.re.MatchString(text)
}

// isLine recognises expressions of nothing but dots, for texts of some length.
func isLine(re *syntax.Regexp) bool {
	return re.Op == syntax.OpRepeat && re.Sub[0].Op == syntax.OpAnyCharNotNL
}

// hasLine tells whether some line of the text has n characters.
func hasLine(text string, n int) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) >= n && utf8.RuneCountInString(line) >= n {
			return true
		}
	}
	return false
}

func (r *regex) mayMatch(folded string) bool {
	if len(folded) < r.runes {
		return false
	}
	rest := folded
	for _, s := range r.sequence {
		i := strings.Index(rest, s)
		if i < 0 {
			return false
		}
		rest = rest[i+len(s):]
	}
	if len(r.required) < 2 {
		return true // one text stands in the sequence already
	}
	for _, s := range r.required {
		if strings.Contains(folded, s) {
			return true
		}
	}
	return false
}

// sequence gives the folded texts that every match contains in this order.
func sequence(re *syntax.Regexp) []string {
	if s := spelled(re); s != "" {
		return []string{s}
	}
	switch re.Op {
	case syntax.OpCapture, syntax.OpPlus:
		return sequence(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return sequence(re.Sub[0])
		}
	case syntax.OpConcat:
		return sequenceOf(re.Sub)
	}
	return nil
}

func sequenceOf(list []*syntax.Regexp) []string {
	var all []string
	run := ""
	for _, sub := range list {
		if s := spelled(sub); s != "" {
			run += s
			continue
		}
		if run != "" {
			all, run = append(all, run), ""
		}
		all = append(all, sequence(sub)...)
	}
	if run != "" {
		all = append(all, run)
	}
	return all
}

// leastRunes is how many characters the shortest match has. Each is a byte or
// more, also when folded.
func leastRunes(re *syntax.Regexp) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n = 1
	case syntax.OpCapture, syntax.OpPlus:
		n = leastRunes(re.Sub[0])
	case syntax.OpRepeat:
		n = re.Min * leastRunes(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			n += leastRunes(sub)
		}
	case syntax.OpAlternate:
		n = leastRunes(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			n = min(n, leastRunes(sub))
		}
	}
	return n
}
