package detect

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// detection is a rule's detection section under reading, or a filter's section.
type detection struct {
	doc       *document
	names     []string // of the searches, in order
	searches  map[string]expr
	condition *yaml.Node
	current   string            // name of the search that is being read
	inactive  string            // why the rule cannot run, "" if it can
	legacy    *legacyExpression // what stands behind a condition's pipe, nil without one
}

// readDetection gives the section as it was read, and the rule's test.
func (d *document) readDetection(e entry) (*detection, expr, error) {
	if e.value == nil {
		return nil, nil, errorAt(d.root, "a rule needs a detection")
	}
	r, err := d.readSearches(e, "timeframe") // of aggregations, which are no part of the test
	if err != nil {
		return nil, nil, err
	}
	test, err := r.readConditions(r.condition)
	return r, test, err
}

// readSearches reads a section of searches and a condition; keys of other names
// that belong to it are the caller's.
func (d *document) readSearches(e entry, others ...string) (*detection, error) {
	if e.value.Kind != yaml.MappingNode {
		return nil, errorAt(e.value, "%s must be a mapping of searches and a condition", e.name)
	}
	keys, err := d.entries(e.value)
	if err != nil {
		return nil, err
	}
	r := &detection{doc: d, searches: make(map[string]expr, len(keys))}
	for _, k := range keys {
		switch {
		case k.name == "condition":
			r.condition = k.value
		case slices.Contains(others, k.name):
		default:
			if err := r.readSearch(k); err != nil {
				return nil, err
			}
		}
	}
	if r.condition == nil || isNull(r.condition) {
		return nil, errorAt(e.key, "a %s needs a condition", e.name)
	}
	return r, nil
}

func (r *detection) readSearch(e entry) error {
	r.current = e.name
	x, err := r.readNode(e.value)
	if err != nil {
		return err
	}
	r.names = append(r.names, e.name)
	r.searches[e.name] = x
	return nil
}

// readNode reads a search: a mapping (all fields), a list of mappings and
// keywords (any), or a single keyword.
func (r *detection) readNode(n *yaml.Node) (expr, error) {
	if n.Kind != yaml.SequenceNode {
		return r.readElement(n)
	}
	if len(n.Content) == 0 {
		return nil, errorAt(n, "the search %q is an empty list", shorten(r.current))
	}
	list := make([]expr, 0, len(n.Content))
	for _, each := range n.Content {
		x, err := r.readElement(follow(each))
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return flat(list, false), nil
}

func (r *detection) readElement(n *yaml.Node) (expr, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return r.readFields(n)
	case yaml.ScalarNode:
		return r.readValue("", &modifiers{}, n)
	default:
		return nil, errorAt(n, "a list in a list")
	}
}

func (r *detection) readFields(n *yaml.Node) (expr, error) {
	keys, err := r.doc.entries(n)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errorAt(n, "the search %q is empty", shorten(r.current))
	}
	list := make([]expr, 0, len(keys))
	for _, k := range keys {
		x, err := r.readField(k)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return flat(list, true), nil
}

func (r *detection) readField(e entry) (expr, error) {
	field, m, err := parseKey(e.key)
	if err != nil {
		return nil, err
	}
	nodes := []*yaml.Node{e.value}
	if e.value.Kind == yaml.SequenceNode {
		nodes = e.value.Content
	}
	if len(nodes) == 0 {
		return nil, errorAt(e.value, "%s has an empty list of values", shorten(e.name))
	}
	if m.kind == "exists" && len(nodes) > 1 {
		return nil, errorAt(e.value, "exists takes one value, true or false")
	}
	list := make([]expr, 0, len(nodes))
	for _, n := range nodes {
		x, err := r.readSpellings(field, &m, follow(n))
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	x := flat(list, m.all)
	if m.neq {
		return notOf{x}, nil
	}
	return x, nil
}

var valueTags = map[string]bool{
	"!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true, "!!timestamp": true,
}

// readSpellings reads one value, any of whose spellings will do where it has placeholders.
func (r *detection) readSpellings(field string, m *modifiers, n *yaml.Node) (expr, error) {
	nodes, err := r.expand(m, n)
	if err != nil {
		return nil, err
	}
	list := make([]expr, 0, len(nodes))
	for _, each := range nodes {
		x, err := r.readValue(field, m, each)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return flat(list, false), nil
}

// readValue reads one value with the modifiers of its field.
func (r *detection) readValue(field string, m *modifiers, n *yaml.Node) (expr, error) {
	switch {
	case n.Kind != yaml.ScalarNode:
		return nil, errorAt(n, "a value must be a text, a number, true, false or null")
	case !valueTags[n.Tag]:
		return nil, errorAt(n, "values of the kind %s are not supported", shorten(n.Tag))
	case len(n.Value) > maxPattern:
		return nil, errorAt(n, "the value has %d bytes, more than %d", len(n.Value), maxPattern)
	}
	if err := r.doc.spend(n); err != nil {
		return nil, err
	}
	t := &test{field: field, pattern: m.display(n), selection: r.current}
	var err error
	switch {
	case m.kind == "exists":
		err = t.askExistence(n)
	case n.Tag == "!!null":
		t.asks, err = askNull, checkNull(field, m, n)
	default:
		return r.readMatchers(t, m, n)
	}
	return t, err
}

// readMatchers makes a test for each spelling of a value, mostly one.
func (r *detection) readMatchers(t *test, m *modifiers, n *yaml.Node) (expr, error) {
	list, err := m.matchers(t.field, n)
	var inRegex *regexError
	if errors.As(err, &inRegex) {
		return nil, errorIn(n, inRegex.offset, "%v", err)
	}
	if err != nil {
		return nil, errorAt(n, "%v", err)
	}
	tests := make([]expr, 0, len(list))
	for i, is := range list {
		if i > 0 { // the value itself is paid for
			if err := r.doc.spend(n); err != nil {
				return nil, err
			}
		}
		each := *t
		each.is = is
		tests = append(tests, &each)
	}
	return flat(tests, false), nil
}

func (t *test) askExistence(n *yaml.Node) error {
	t.asks = askMissing
	if strings.EqualFold(n.Value, "true") {
		t.asks = askThere
	}
	if n.Tag != "!!bool" {
		return errorAt(n, "exists takes true or false")
	}
	return nil
}

func checkNull(field string, m *modifiers, n *yaml.Node) error {
	if field == "" {
		return errorAt(n, "null cannot be searched for without a field")
	}
	for _, s := range m.spellings {
		if s != "all" && s != "neq" && s != "expand" {
			return errorAt(n, "null cannot have the modifier %s", s)
		}
	}
	return nil
}

// matchers makes what tests the value, one matcher for each spelling that will do.
func (m *modifiers) matchers(field string, n *yaml.Node) ([]matcher, error) {
	switch {
	case m.kind == "re":
		re, err := newRegex(n.Value, m.flags)
		return []matcher{&regexMatcher{re}}, err
	case m.kind == "cidr":
		c, err := newCIDRMatcher(n.Value)
		if err != nil {
			err = fmt.Errorf("%q is not a network in CIDR notation", shorten(n.Value))
		}
		return []matcher{c}, err
	case m.kind == "fieldref":
		ref := &refMatcher{field: withoutSpaces(n.Value), anchor: m.anchor, cased: m.cased}
		if ref.field == "" {
			return nil, errors.New("fieldref needs the name of a field")
		}
		return []matcher{ref}, nil
	case m.compare != "" || m.part != "":
		limit, ok := parseDecimal(n.Value)
		if !ok {
			return nil, fmt.Errorf("%s needs a decimal number", m.part+m.compare)
		}
		return []matcher{&compareMatcher{m.compare, m.part, limit}}, nil
	case (n.Tag == "!!int" || n.Tag == "!!float") && m.plainValue():
		return []matcher{newNumberMatcher(field, n)}, nil
	}
	return m.textMatchers(field, n)
}

// plainValue tells whether nothing asks to treat a number as a text.
func (m *modifiers) plainValue() bool {
	return m.anchor == "" && m.utf16 == "" && m.base64 == "" && !m.windash // cased says nothing of a number
}

func newNumberMatcher(field string, n *yaml.Node) matcher {
	m := numberMatcher{spelling: fold(n.Value)}
	m.number, m.isNumber = parseDecimal(n.Value)
	if !m.isNumber { // hexadecimal, octal, 1_000
		if i, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			m.number, m.isNumber = parseDecimal(strconv.FormatInt(i, 10))
		}
	}
	if field == "" {
		return &wordMatcher{m}
	}
	return &m
}

func (m *modifiers) textMatchers(field string, n *yaml.Node) ([]matcher, error) {
	glyphs, spellings := readString(n.Value), [][]glyph(nil)
	if m.windash {
		glyphs = freeDashes(glyphs)
	}
	if m.utf16 == "" && m.base64 == "" {
		spellings = [][]glyph{glyphs}
	} else {
		plains, err := spellDashes(glyphs)
		if err != nil {
			return nil, err
		}
		for _, p := range plains {
			encoded, err := m.encode(p)
			if err != nil {
				return nil, err
			}
			spellings = append(spellings, encoded...)
		}
	}
	anchor := m.anchor
	if field == "" && anchor == "" {
		anchor = "contains"
	}
	list := make([]matcher, 0, len(spellings))
	for _, s := range spellings {
		list = append(list, newTextMatcher(anchored(s, anchor), m.cased))
	}
	return list, nil
}

// display shows a value as people know it from rules: with the stars of
// contains and the like, and the other modifiers around it, for example
// "*\\powershell.exe", "base64offset(*IEX*)", "gt(5)".
func (m *modifiers) display(n *yaml.Node) string {
	s := n.Value
	if n.Tag == "!!null" {
		s = "null"
	}
	for _, word := range m.spellings {
		switch modifierSlots[word] {
		case "utf16", "base64", "compare", "part":
			s = word + "(" + s + ")"
		case "kind":
			if word == "fieldref" || word == "exists" {
				s = word + "(" + s + ")"
			}
		}
	}
	if (m.anchor == "contains" || m.anchor == "endswith") && !strings.HasPrefix(s, "*") {
		s = "*" + s
	}
	if (m.anchor == "contains" || m.anchor == "startswith") && !strings.HasSuffix(s, "*") {
		s += "*"
	}
	return s
}
