package monitor

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The query line is a filter that people type:
//
//	severity:>=high host:web-* "mimikatz" NOT user:svc_* (action:logon OR action:logoff)
//
// It is parsed into the predicate that every other filter is, so it means the
// same in lists, which the database answers, and in feeds. docs/hunting.md has the
// grammar.
const (
	maxLine      = 2_000 // bytes
	maxLineDepth = 20    // parentheses and NOTs within one another
)

// Line is a query line that is read word by word.
type line struct {
	text  string
	at    int // byte at which the next word begins
	noun  *lineNoun
	b     *filterBuilder
	depth int
	err   error
}

// line adds the query line of a filter to its predicate.
func (b *filterBuilder) line(p *Predicate, noun *lineNoun, text *string) {
	if text == nil || b.err != nil {
		return
	}
	parsed, err := parseLine(b, noun, *text)
	if err != nil {
		b.err = err
		return
	}
	p.All = append(p.All, parsed)
}

// CheckLine tells what is wrong with a query line of a noun, nil for nothing.
func CheckLine(noun LineNoun, text string) error {
	b := &filterBuilder{}
	if _, err := parseLine(b, lineNouns[noun], text); err != nil {
		return err
	}
	return b.err
}

func parseLine(b *filterBuilder, noun *lineNoun, text string) (Predicate, error) {
	l := &line{text: text, noun: noun, b: b}
	if len(text) > maxLine {
		l.fail(0, len(text), "", "a query line has at most %d bytes, this one has %d", maxLine, len(text))
		return Predicate{}, l.err
	}
	if !utf8.ValidString(text) {
		l.fail(0, len(text), "", "the query line is not UTF-8")
		return Predicate{}, l.err
	}
	l.space()
	if l.at == len(text) {
		return Predicate{}, nil
	}
	p := l.either()
	if l.err == nil && l.at < len(text) { // only a parenthesis ends a line early
		l.fail(l.at, 1, "", "this parenthesis closes nothing")
	}
	if l.err == nil {
		l.err = b.err
	}
	return p, l.err
}

// fail keeps the first error, with its place in characters, from 1.
func (l *line) fail(at, length int, hint, format string, args ...any) {
	if l.err == nil {
		details := map[string]any{
			"position": utf8.RuneCountInString(l.text[:at]) + 1,
			"length":   max(1, utf8.RuneCountInString(l.text[at:min(at+length, len(l.text))])),
		}
		if hint != "" {
			details["hint"] = hint
		}
		l.err = &Error{Code: CodeBadInput, Message: "query: " + fmt.Sprintf(format, args...), Path: []string{"filter", "query"}, Details: details}
	}
}

func (l *line) space() {
	for l.at < len(l.text) {
		r, n := utf8.DecodeRuneInString(l.text[l.at:])
		if !unicode.IsSpace(r) {
			return
		}
		l.at += n
	}
}

// keyword takes a word of the language, which is written in capitals.
func (l *line) keyword(word string) bool {
	rest := l.text[l.at:]
	if !strings.HasPrefix(rest, word) {
		return false
	}
	if next, _ := utf8.DecodeRuneInString(rest[len(word):]); len(rest) > len(word) && !unicode.IsSpace(next) && !strings.ContainsRune(`()"`, next) {
		return false
	}
	l.at += len(word)
	l.space()
	return true
}

func (l *line) byte() byte {
	if l.at < len(l.text) {
		return l.text[l.at]
	}
	return 0
}

// either is: all OR all OR ...
func (l *line) either() Predicate {
	first := l.every()
	if l.err != nil || !l.keyword("OR") {
		return first
	}
	p := Predicate{Any: []Predicate{first}}
	for again := true; again && l.err == nil; again = l.keyword("OR") {
		p.Any = append(p.Any, l.every())
	}
	return p
}

// every is: one one AND one ...
func (l *line) every() Predicate {
	var p Predicate
	for l.err == nil {
		if l.at == len(l.text) || l.byte() == ')' || l.peek("OR") {
			break
		}
		if l.peek("AND") { // one that stands between two is taken below
			l.fail(l.at, len("AND"), "", "something is missing in front of AND")
			break
		}
		p.All = append(p.All, l.one())
		if l.err == nil && l.keyword("AND") && (l.at == len(l.text) || l.byte() == ')' || l.peek("OR")) {
			l.fail(l.at, 1, "", "something is missing behind AND")
		}
	}
	switch {
	case l.err != nil:
	case len(p.All) == 0:
		l.fail(min(l.at, max(len(l.text)-1, 0)), 1, "", "something is missing here")
	case len(p.All) == 1:
		return p.All[0]
	}
	return p
}

func (l *line) peek(word string) bool {
	at := l.at
	found := l.keyword(word)
	l.at = at
	return found
}

// one is a condition, one that is denied, or a group.
func (l *line) one() Predicate {
	if l.depth++; l.depth > maxLineDepth {
		l.fail(l.at, 1, "", "nested deeper than %d", maxLineDepth)
		return Predicate{}
	}
	defer func() { l.depth-- }()
	begin := l.at
	switch {
	case l.keyword("NOT"), l.minus():
		if l.at == len(l.text) || l.byte() == ')' {
			l.fail(begin, l.at-begin, "", "something is missing behind NOT")
			return Predicate{}
		}
		inner := l.one()
		return Predicate{Not: &inner}
	case l.byte() == '(':
		l.at++
		l.space()
		p := l.either()
		if l.err == nil && l.byte() != ')' {
			l.fail(begin, 1, "", "this parenthesis is not closed")
		}
		l.close()
		return p
	}
	if p, ok := l.condition(); ok || l.err != nil {
		return p
	}
	word := l.atom("()")
	l.space()
	if l.err != nil {
		return Predicate{}
	}
	return l.anywhere(word)
}

// minus takes the short form of NOT, which touches what it denies.
func (l *line) minus() bool {
	if l.byte() != '-' || l.at+1 == len(l.text) || strings.ContainsAny(l.text[l.at+1:l.at+2], " \t-") {
		return false
	}
	l.at++
	return true
}

// atom is a word or a text in quotes, in which \" and \\ stand for themselves.
type atom struct {
	text   string
	quoted bool
	at     int
	length int
}

func (l *line) atom(ends string) atom {
	a := atom{at: l.at}
	if l.byte() != '"' {
		for l.at < len(l.text) {
			r, n := utf8.DecodeRuneInString(l.text[l.at:])
			if unicode.IsSpace(r) || strings.ContainsRune(ends, r) || r == '"' {
				break
			}
			l.at += n
		}
		a.text, a.length = l.text[a.at:l.at], l.at-a.at
		if a.text == "" {
			l.fail(min(a.at, max(len(l.text)-1, 0)), 1, "", "a value is missing")
		}
		return a
	}
	var out strings.Builder
	for l.at++; ; l.at++ {
		switch {
		case l.at >= len(l.text):
			l.fail(a.at, 1, "", "this quote is not closed")
			return a
		case l.text[l.at] == '"':
			l.at++
			a.text, a.quoted, a.length = out.String(), true, l.at-a.at
			return a
		case l.text[l.at] == '\\' && l.at+1 < len(l.text) && strings.ContainsAny(l.text[l.at+1:l.at+2], `"\`):
			l.at++
		}
		out.WriteByte(l.text[l.at])
	}
}

// condition is field:value; ok is false where there is no field.
func (l *line) condition() (p Predicate, ok bool) {
	begin := l.at
	end := begin
	raw := len(l.text) > begin+len(rawPrefix) && strings.EqualFold(l.text[begin:begin+len(rawPrefix)], rawPrefix)
	for end < len(l.text) && (l.text[end] == '.' || raw && strings.IndexByte("-@/", l.text[end]) >= 0 || l.text[end] == '_' || end > begin && '0' <= l.text[end] && l.text[end] <= '9' || l.text[end] < utf8.RuneSelf && unicode.IsLetter(rune(l.text[end]))) {
		end++
	}
	if end == begin || end >= len(l.text) || l.text[end] != ':' {
		return p, false
	}
	name := l.text[begin:end]
	field := l.noun.field(name)
	if field == nil {
		l.fail(begin, end-begin, l.noun.nearest(name), "%s have no field %q; a text that has a colon stands in quotes", l.noun.plural, name)
		return p, true
	}
	l.at = end + 1
	if l.byte() == '(' {
		return l.group(field), true
	}
	values := l.values(field)
	l.space()
	return values, true
}

// group is field:(value OR value value): any of them holds.
func (l *line) group(field *lineField) Predicate {
	begin := l.at
	l.at++
	l.space()
	p := Predicate{Any: []Predicate{}}
	for l.err == nil && l.byte() != ')' {
		if l.at == len(l.text) {
			l.fail(begin, 1, "", "this parenthesis is not closed")
			return p
		}
		if l.keyword("OR") {
			continue
		}
		if l.peek("AND") || l.peek("NOT") || l.byte() == '-' {
			l.fail(l.at, 1, "", "behind %s: only values stand between parentheses, of which any holds; write a value that begins with - in quotes", field.field)
			break
		}
		p.Any = append(p.Any, l.values(field))
		l.space()
	}
	if l.err == nil && len(p.Any) == 0 {
		l.fail(begin, 2, "", "there is no value between these parentheses")
	}
	l.close()
	return p
}

// close passes the parenthesis at which the line stands.
func (l *line) close() {
	if l.err == nil {
		l.at++
		l.space()
	}
}

// values are values with commas between them, of which any holds, or one with a comparison.
func (l *line) values(field *lineField) Predicate {
	comparison := ""
	for _, c := range []string{">=", "<=", ">", "<"} {
		if strings.HasPrefix(l.text[l.at:], c) {
			comparison = c
			l.at += len(c)
			break
		}
	}
	var all []Predicate
	for l.err == nil {
		a := l.atom("(),")
		if l.err != nil {
			break
		}
		all = append(all, l.compare(field, comparison, a))
		if l.byte() == ',' && comparison != "" {
			l.fail(l.at, 1, "", "what is compared with %s is one value", comparison)
		}
		if l.byte() != ',' {
			break
		}
		l.at++
	}
	if len(all) == 1 {
		return all[0]
	}
	return Predicate{Any: all}
}

// anywhere looks for a word in everything that people read of a noun.
func (l *line) anywhere(a atom) Predicate {
	text := a.text
	if !a.quoted {
		text = strings.Trim(text, "*")
		if strings.Contains(text, "*") {
			l.fail(a.at, a.length, "", "a word may begin and end with *, and have none inside")
			return Predicate{}
		}
	}
	if text == "" {
		l.fail(a.at, a.length, "", "there is nothing to look for")
		return Predicate{}
	}
	p := Predicate{Any: make([]Predicate, len(l.noun.words))}
	for i, field := range l.noun.words {
		l.b.add(&p.Any[i], Test{Field: field, Op: TextContains, Texts: []string{Fold(text)}})
	}
	if l.b.err != nil {
		l.fail(a.at, a.length, "", "%v; a word counts once for each field that it is looked for in", l.b.err)
	}
	if len(p.Any) == 1 {
		return p.Any[0]
	}
	return p
}
