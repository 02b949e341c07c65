package detect

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// token is a word, a bracket or a pipe of a condition.
type token struct {
	text   string
	offset int // bytes from the condition's beginning
}

// condition is a condition under parsing:
//
//	or      = and { "or" and }
//	and     = not { "and" not }
//	not     = "not" not | primary
//	primary = "(" or ")" | count "of" ("them" | pattern) | name
//	count   = "all" | "any" | number
type condition struct {
	of     *detection
	node   *yaml.Node
	tokens []token
	depth  int
	leaves int
}

// readConditions reads one condition, or a list of which any may hold.
func (r *detection) readConditions(n *yaml.Node) (expr, error) {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	if len(nodes) == 0 {
		return nil, errorAt(n, "the list of conditions is empty")
	}
	var list []expr
	for _, each := range nodes {
		each = follow(each)
		if each.Kind != yaml.ScalarNode {
			return nil, errorAt(each, "a condition must be a text")
		}
		if err := r.doc.spend(each); err != nil {
			return nil, err
		}
		x, err := r.readCondition(each)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	if r.legacy != nil && len(nodes) > 1 {
		r.legacy.several = true
	}
	if sizeOf(list) > maxLeaves {
		return nil, errorAt(n, "the conditions come to more than %d tests", maxLeaves)
	}
	return flat(list, false), nil
}

func (r *detection) readCondition(n *yaml.Node) (expr, error) {
	c := &condition{of: r, node: n, tokens: tokenise(n.Value)}
	if len(c.tokens) == 0 {
		return nil, errorAt(n, "the condition is empty")
	}
	if len(c.tokens) > maxTokens {
		return nil, errorAt(n, "the condition has more than %d words", maxTokens)
	}
	x, err := c.or()
	if err != nil {
		return nil, err
	}
	if len(c.tokens) == 0 {
		return x, nil
	}
	if rest := c.tokens[0]; rest.text == "|" {
		return x, c.aggregation(rest.offset)
	}
	return nil, c.unexpected("and, or, or the end")
}

func tokenise(s string) []token {
	var tokens []token
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case strings.IndexByte("()|", c) >= 0:
			tokens = append(tokens, token{s[i : i+1], i})
			i++
		default:
			n := strings.IndexAny(s[i:], " \t\r\n()|")
			if n < 0 {
				n = len(s) - i
			}
			tokens = append(tokens, token{s[i : i+n], i})
			i += n
		}
	}
	return tokens
}

var aggregate = regexp.MustCompile(`(?i)^\|\s*(near\s|(?:count|min|max|avg|sum)\s*\()`)

// aggregation recognises what Sigma 1 had behind a pipe.
func (c *condition) aggregation(offset int) error {
	rest := c.node.Value[offset:]
	if !aggregate.MatchString(rest) {
		return errorIn(c.node, offset, "%q is no aggregation", shorten(rest))
	}
	c.of.legacy = &legacyExpression{search: strings.TrimSpace(c.node.Value[:offset]), behind: strings.TrimSpace(rest[1:])}
	c.of.inactive = "the aggregation " + strconv.Quote(shorten(rest)) +
		" is of Sigma 1: importing the rule turns it into a correlation"
	return nil
}

func (c *condition) or() (expr, error) { return c.chain("or", c.and) }

func (c *condition) and() (expr, error) { return c.chain("and", c.not) }

// chain reads operands joined by one operator.
func (c *condition) chain(operator string, operand func() (expr, error)) (expr, error) {
	var list []expr
	for {
		x, err := operand()
		if err != nil {
			return nil, err
		}
		list = append(list, x)
		if !c.take(operator) {
			return flat(list, operator == "and"), nil
		}
	}
}

func (c *condition) not() (expr, error) {
	if !c.take("not") {
		return c.primary()
	}
	if err := c.enter(); err != nil {
		return nil, err
	}
	x, err := c.not()
	c.depth--
	if err != nil {
		return nil, err
	}
	return notOf{x}, nil
}

func (c *condition) primary() (expr, error) {
	if c.take("(") {
		if err := c.enter(); err != nil {
			return nil, err
		}
		x, err := c.or()
		c.depth--
		if err == nil && !c.take(")") {
			err = c.unexpected("a closing bracket")
		}
		return x, err
	}
	if len(c.tokens) > 1 && strings.EqualFold(c.tokens[1].text, "of") {
		return c.quantified()
	}
	return c.name()
}

// reserved words name no search.
var reserved = []string{"(", ")", "|", "and", "or", "not"}

func (c *condition) name() (expr, error) {
	if len(c.tokens) == 0 || slices.Contains(reserved, strings.ToLower(c.tokens[0].text)) {
		return nil, c.unexpected("the name of a search")
	}
	t := c.tokens[0]
	x, ok := c.of.searches[t.text]
	if !ok {
		return nil, errorIn(c.node, t.offset, "there is no search named %q", shorten(t.text))
	}
	c.tokens = c.tokens[1:]
	return x, c.count(x, t)
}

// quantified reads "1 of selection_*", "all of them" and the like.
func (c *condition) quantified() (expr, error) {
	many := c.tokens[0]
	n, all := 1, false
	switch word := strings.ToLower(many.text); word {
	case "all":
		all = true
	case "any":
	default:
		var err error
		if n, err = strconv.Atoi(word); err != nil || n < 1 {
			return nil, errorIn(c.node, many.offset, "%q of: only all, any or a number can stand here", shorten(many.text))
		}
	}
	c.tokens = c.tokens[2:]
	if len(c.tokens) == 0 {
		return nil, c.unexpected("them or a pattern of names")
	}
	pattern := c.tokens[0]
	list := c.of.named(pattern.text)
	if len(list) == 0 {
		return nil, errorIn(c.node, pattern.offset, "no search has a name like %q", shorten(pattern.text))
	}
	c.tokens = c.tokens[1:]
	if err := c.count(anyOf(list), pattern); err != nil {
		return nil, err
	}
	if all || n == 1 {
		return flat(list, all), nil
	}
	return atLeast{n, list}, nil
}

// named gives the searches whose names fit. Names that begin with _ are meant
// only by patterns that do so too.
func (r *detection) named(glob string) []expr {
	them := strings.EqualFold(glob, "them")
	var glyphs []glyph
	for _, c := range glob {
		if c == '*' {
			glyphs = append(glyphs, glyph{kind: anyMany})
		} else {
			glyphs = append(glyphs, glyph{literal, c})
		}
	}
	pattern := newPattern(glyphs, true)
	var list []expr
	for _, name := range r.names {
		hidden := strings.HasPrefix(name, "_") && !strings.HasPrefix(glob, "_")
		if !hidden && (them || pattern.match(name)) {
			list = append(list, r.searches[name])
		}
	}
	return list
}

// take consumes the next token if it is the wanted one.
func (c *condition) take(text string) bool {
	if len(c.tokens) == 0 || !strings.EqualFold(c.tokens[0].text, text) {
		return false
	}
	c.tokens = c.tokens[1:]
	return true
}

func (c *condition) enter() error {
	if c.depth++; c.depth > maxNesting {
		return errorAt(c.node, "the condition nests deeper than %d", maxNesting)
	}
	return nil
}

// count bounds the tests that one event can cost.
func (c *condition) count(x expr, t token) error {
	if c.leaves += x.size(); c.leaves > maxLeaves {
		return errorIn(c.node, t.offset, "the condition comes to more than %d tests", maxLeaves)
	}
	return nil
}

func (c *condition) unexpected(wanted string) error {
	if len(c.tokens) == 0 {
		return errorIn(c.node, len(c.node.Value), "the condition ends where %s should stand", wanted)
	}
	t := c.tokens[0]
	return errorIn(c.node, t.offset, "%q stands where %s should", shorten(t.text), wanted)
}
