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
// the text. guard is a folded text that every match must contain.
type regex struct {
	re    *regexp.Regexp
	guard string
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
	guard := required(tree)
	program, err := syntax.Compile(tree.Simplify())
	if err != nil || len(program.Inst) > maxRegexProgram {
		return nil, &regexError{0, "the regular expression is too large when its repetitions are written out"}
	}
	re, err := regexp.Compile(flags + source)
	if err != nil {
		return nil, explainRegex(source, err)
	}
	return &regex{re, fold(guard)}, nil
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

// required finds the longest plain text that every match of the expression
// contains, or "".
func required(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		s := string(re.Rune)
		if strings.ContainsRune(s, utf8.RuneError) {
			return "" // it also matches bytes that are no UTF-8
		}
		return s
	case syntax.OpCapture, syntax.OpPlus, syntax.OpConcat:
		return longest(re.Sub)
	case syntax.OpRepeat:
		if re.Min > 0 {
			return longest(re.Sub)
		}
	}
	return ""
}

func longest(list []*syntax.Regexp) string {
	best := ""
	for _, sub := range list {
		if s := required(sub); len(s) > len(best) {
			best = s
		}
	}
	return best
}

// match takes the text as it came and folded.
func (r *regex) match(text, folded string) bool {
	return strings.Contains(folded, r.guard) && r.re.MatchString(text)
}
