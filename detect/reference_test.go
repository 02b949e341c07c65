package detect_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

// The reference is a second reading of the specification, written to be checked
// by eye and not to be fast: it reads a rule's YAML itself and asks every
// predicate of every rule about every event. The engine has to give what it
// gives. It takes for granted that Parse accepted the rule, so it refuses
// nothing but what it does not know.
//
// Where the specification leaves room it follows match_test.go. These places
// are:
//   - a text is found in a field by simple case folding of Unicode, character by
//     character (K is the Kelvin sign, ß is not ss, İ is only itself);
//   - the names of fields are compared with case and without spaces;
//   - a lone backslash is itself; three are two;
//   - windash frees a dash that begins a word, and no other;
//   - null is also what an absent field and an empty array are; exists asks for
//     the field alone;
//   - neq is the opposite of the whole item, so it holds for an absent field;
//   - a number is compared by value with numbers and with texts that are spelled
//     as JSON spells numbers, or by its spelling; a text is compared by value
//     with numbers alone;
//   - a number without field is found as a word of a value, or as a whole value
//     by its size;
//   - `cidr` sees an IPv4 address in IPv6 clothes as both, in a rule as IPv4, and
//     `::/0` holds no IPv4 address that is written as one; zones do not count;
//   - a text without field is found by its spelling, also in numbers; one with
//     windash, too;
//   - wildcards stay what they are in wide texts: ? is one character, a NUL or not;
//   - encoded values (base64, base64offset) are texts like others, so without
//     regard to case;
//   - time modifiers read a date as it is written.
//
// https://github.com/SigmaHQ/sigma-specification, "Rules" 2.0 and "Modifiers" 2.1

// refRule is a rule as the reference reads it.
type refRule struct {
	logSource monitor.LogSource
	test      *refNode
}

// refNode is a node of a rule's condition: of its parts at least `least` must
// hold (all for "and", one for "or"), or the single part must not hold, or it is
// a predicate.
type refNode struct {
	least int
	parts []*refNode
	not   bool
	leaf  *refPredicate
}

func refAll(parts []*refNode) *refNode { return &refNode{least: len(parts), parts: parts} }
func refAny(parts []*refNode) *refNode { return &refNode{least: 1, parts: parts} }
func refNot(part *refNode) *refNode    { return &refNode{not: true, parts: []*refNode{part}} }

func (n *refNode) holds(e *refEvent) bool {
	switch {
	case n.leaf != nil:
		return n.leaf.holds(e)
	case n.not:
		return !n.parts[0].holds(e)
	}
	found := 0
	for _, p := range n.parts {
		if p.holds(e) {
			found++
		}
		if found >= n.least {
			break
		}
	}
	return found >= n.least
}

// fires tells whether the rule applies to the record's log source and holds.
func (r *refRule) fires(e *refEvent) bool { return r.applies(e.rec.LogSource) && r.test.holds(e) }

// applies tells whether each part that the rule names is the record's.
// registry_event is the name of what registry_add, _delete, _set and _rename
// are parts of (appendix "Taxonomy" 2.1).
func (r *refRule) applies(to monitor.LogSource) bool {
	category := strings.ToLower(to.Category)
	part := slices.Contains([]string{"registry_add", "registry_delete", "registry_set", "registry_rename"}, category)
	return refNames(r.logSource.Product, to.Product) && refNames(r.logSource.Service, to.Service) &&
		(refNames(r.logSource.Category, category) || part && strings.EqualFold(r.logSource.Category, "registry_event"))
}

func refNames(rule, record string) bool { return rule == "" || strings.EqualFold(rule, record) }

// refReader reads one rule.
type refReader struct {
	names    []string
	searches map[string]*refNode
}

// readReference reads a rule that Parse found active.
func readReference(source string) (rule *refRule, err error) {
	defer func() { // reading a rule that the reference does not know ends here
		if problem := recover(); problem != nil {
			rule, err = nil, fmt.Errorf("the reference cannot read it: %v", problem)
		}
	}()
	var doc struct {
		LogSource struct{ Product, Category, Service string } `yaml:"logsource"`
		Detection yaml.Node
	}
	if err := yaml.Unmarshal([]byte(source), &doc); err != nil {
		return nil, err
	}
	r := &refReader{searches: map[string]*refNode{}}
	var condition *yaml.Node
	detection := refFollow(&doc.Detection)
	for i := 0; i < len(detection.Content); i += 2 {
		name, value := refFollow(detection.Content[i]).Value, refFollow(detection.Content[i+1])
		switch name {
		case "condition":
			condition = value
		case "timeframe":
		default:
			r.names = append(r.names, name)
			r.searches[name] = r.search(value)
		}
	}
	ls := monitor.LogSource{Product: doc.LogSource.Product, Category: doc.LogSource.Category, Service: doc.LogSource.Service}
	return &refRule{ls, r.conditions(condition)}, nil
}

func refFollow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// search reads a map (all of its items), a list (any of its elements) or one
// keyword.
func (r *refReader) search(n *yaml.Node) *refNode {
	switch n.Kind {
	case yaml.ScalarNode:
		return refItem("", nil, []*yaml.Node{n})
	case yaml.SequenceNode:
		var parts []*refNode
		for _, each := range n.Content {
			parts = append(parts, r.search(refFollow(each)))
		}
		return refAny(parts)
	}
	var parts []*refNode
	for i := 0; i < len(n.Content); i += 2 {
		words := strings.Split(refFollow(n.Content[i]).Value, "|")
		value := refFollow(n.Content[i+1])
		values := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			values = nil
			for _, each := range value.Content {
				values = append(values, refFollow(each))
			}
		}
		parts = append(parts, refItem(refField(words[0]), words[1:], values))
	}
	return refAll(parts)
}

func refField(name string) string { return strings.ReplaceAll(name, " ", "") }

// conditions reads the condition, or a list of them, of which any will do.
func (r *refReader) conditions(n *yaml.Node) *refNode {
	if n.Kind != yaml.SequenceNode {
		return r.condition(n.Value)
	}
	var parts []*refNode
	for _, each := range n.Content {
		parts = append(parts, r.condition(refFollow(each).Value))
	}
	return refAny(parts)
}

// condition reads
//
//	or   = and { "or" and }
//	and  = not { "and" not }
//	not  = "not" not | "(" or ")" | (number | "any" | "all") "of" (pattern | "them") | name
func (r *refReader) condition(text string) *refNode {
	text = strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text)
	p := &refWords{strings.FieldsFunc(text, unicode.IsSpace), r}
	n := p.or()
	if len(p.words) > 0 {
		panic(fmt.Sprintf("%q is left of the condition", p.words))
	}
	return n
}

type refWords struct {
	words []string
	rule  *refReader
}

// next takes the word if it is the next one.
func (p *refWords) next(word string) bool {
	if len(p.words) == 0 || !strings.EqualFold(p.words[0], word) {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *refWords) or() *refNode {
	parts := []*refNode{p.and()}
	for p.next("or") {
		parts = append(parts, p.and())
	}
	return refAny(parts)
}

func (p *refWords) and() *refNode {
	parts := []*refNode{p.not()}
	for p.next("and") {
		parts = append(parts, p.not())
	}
	return refAll(parts)
}

func (p *refWords) not() *refNode {
	if p.next("not") {
		return refNot(p.not())
	}
	if p.next("(") {
		n := p.or()
		if !p.next(")") {
			panic("a bracket is not closed")
		}
		return n
	}
	if len(p.words) >= 3 && strings.EqualFold(p.words[1], "of") {
		quantity, pattern := strings.ToLower(p.words[0]), p.words[2]
		p.words = p.words[3:]
		return p.rule.of(quantity, pattern)
	}
	n := p.rule.searches[p.words[0]]
	if n == nil {
		panic("no search " + p.words[0])
	}
	p.words = p.words[1:]
	return n
}

// of reads `1 of selection_*`, `all of them`.
func (r *refReader) of(quantity, pattern string) *refNode {
	if strings.EqualFold(pattern, "them") {
		pattern = "*"
	}
	var parts []*refNode
	for _, name := range r.names {
		hidden := strings.HasPrefix(name, "_") && !strings.HasPrefix(pattern, "_")
		if !hidden && refGlob(pattern, name) {
			parts = append(parts, r.searches[name])
		}
	}
	switch quantity {
	case "all":
		return refAll(parts)
	case "any":
		return refAny(parts)
	}
	least, err := strconv.Atoi(quantity)
	if err != nil {
		panic(err)
	}
	return &refNode{least: least, parts: parts}
}

// refGlob matches a name of a search; * is any text.
func refGlob(pattern, name string) bool {
	if pattern == "" {
		return name == ""
	}
	if pattern[0] == '*' {
		return refGlob(pattern[1:], name) || name != "" && refGlob(pattern, name[1:])
	}
	return name != "" && name[0] == pattern[0] && refGlob(pattern[1:], name[1:])
}
