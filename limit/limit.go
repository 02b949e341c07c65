// Package limit keeps one client from taking what belongs to all: it measures
// operations before they run (shape and cost), keeps the budgets of viewers and
// addresses in Redis or, while Redis is away, in this process, and knows the
// documents that were stored beforehand. It knows no resolver and no transport.
package limit

import (
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/monitor"
)

// Limits bound one operation. Zero is no bound.
type Limits struct {
	Cost          int // points, see Model
	Depth         int // fields within one another; the roots count 1
	Aliases       int // fields with an alias, those of fragments for each spread
	RootFields    int
	Directives    int // of one field, spread, fragment or operation
	Fields        int // all fields, those of fragments for each spread
	Tokens        int // of the document; the parser's
	DocumentBytes int
	VariableBytes int
}

// DefaultLimits let the dashboard's and GraphiQL's own operations through with
// room to spare.
var DefaultLimits = Limits{
	Cost: 20_000, Depth: 15, Aliases: 50, RootFields: 20, Directives: 5, Fields: 5_000,
	Tokens: 15_000, DocumentBytes: 128 << 10, VariableBytes: 512 << 10,
}

// exceeded is the error of every limit. kind is the name of the limit, as
// docs/limits.md lists them; for the cost, cost is what the operation would cost.
func exceeded(kind string, is, limit int, format string, args ...any) *monitor.Error {
	err := monitor.Errorf(monitor.CodeCostLimit, format, args...)
	err.Details = map[string]any{"kind": kind, "cost": is, "limit": limit}
	return err
}

// CheckSize refuses a document or variables that are too big, before anything
// is parsed.
func (l Limits) CheckSize(document string, variables map[string]any) error {
	if n := len(document); over(n, l.DocumentBytes) {
		return exceeded("documentBytes", n, l.DocumentBytes, "the document has %d bytes, %d are allowed", n, l.DocumentBytes)
	}
	if l.VariableBytes == 0 {
		return nil
	}
	if n := sizeOf(variables, l.VariableBytes+1); n > l.VariableBytes {
		return exceeded("variableBytes", n, l.VariableBytes, "the variables have more than the %d bytes that are allowed", l.VariableBytes)
	}
	return nil
}

// CheckCost refuses an operation that costs too much.
func (l Limits) CheckCost(cost int) error {
	if over(cost, l.Cost) {
		return exceeded("cost", cost, l.Cost, "the operation costs %d points, %d are allowed: ask for fewer items or fewer lists within lists", cost, l.Cost)
	}
	return nil
}

// TooManyTokens is the parser's refusal.
func (l Limits) TooManyTokens() error {
	return exceeded("tokens", l.Tokens+1, l.Tokens, "the document has more than the %d tokens that are allowed", l.Tokens)
}

func over(is, limit int) bool { return limit > 0 && is > limit }

// sizeOf is about how many bytes a decoded JSON value has; it stops counting at most.
func sizeOf(value any, most int) int {
	switch v := value.(type) {
	case map[string]any:
		n := 2
		for key, item := range v {
			if n += len(key) + 4; n < most {
				n += sizeOf(item, most-n)
			}
			if n >= most {
				return n
			}
		}
		return n
	case []any:
		n := 2
		for _, item := range v {
			if n++; n < most {
				n += sizeOf(item, most-n)
			}
			if n >= most {
				return n
			}
		}
		return n
	case string:
		return len(v) + 2
	case json.Number:
		return len(v)
	default:
		return 4
	}
}

// CheckShape refuses a document by its form alone, before it is validated: what
// validation and execution do with it is then bounded. It takes time in
// proportion to the document's length, whatever its fragments spread.
func (l Limits) CheckShape(doc *ast.QueryDocument) error {
	s := &shaper{doc: doc, limits: l, known: map[string]shape{}}
	for _, op := range doc.Operations {
		if n := len(op.Directives); over(n, l.Directives) {
			return l.directives(n)
		}
		if n := rootFields(doc, op.SelectionSet, map[string]bool{}); over(n, l.RootFields) {
			return exceeded("rootFields", n, l.RootFields, "the operation selects %d root fields, %d are allowed", n, l.RootFields)
		}
		whole, err := s.set(op.SelectionSet)
		if err != nil {
			return err
		}
		if err := l.checkShape(whole); err != nil {
			return err
		}
	}
	return nil
}

func (l Limits) checkShape(s shape) error {
	switch {
	case over(s.depth, l.Depth):
		return exceeded("depth", s.depth, l.Depth, "the operation is %d fields deep, %d are allowed", s.depth, l.Depth)
	case over(s.aliases, l.Aliases):
		return exceeded("aliases", s.aliases, l.Aliases, "the operation has %d aliases, %d are allowed", s.aliases, l.Aliases)
	case over(s.fields, l.Fields):
		return exceeded("fields", s.fields, l.Fields, "the operation selects %d fields, %d are allowed", s.fields, l.Fields)
	}
	return nil
}

func (l Limits) directives(n int) error {
	return exceeded("directives", n, l.Directives, "there are %d directives in one place, %d are allowed", n, l.Directives)
}

// rootFields counts the root fields, those of a fragment once.
func rootFields(doc *ast.QueryDocument, set ast.SelectionSet, seen map[string]bool) int {
	n := 0
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			n++
		case *ast.InlineFragment:
			n += rootFields(doc, s.SelectionSet, seen)
		case *ast.FragmentSpread:
			if f := doc.Fragments.ForName(s.Name); f != nil && !seen[s.Name] {
				seen[s.Name] = true
				n += rootFields(doc, f.SelectionSet, seen)
			}
		}
	}
	return n
}

// shape is the form of a selection, its fragments spread out.
type shape struct{ depth, aliases, fields int }

// shaper measures each fragment once.
type shaper struct {
	doc    *ast.QueryDocument
	limits Limits
	known  map[string]shape
	open   []string // fragments being measured: one that comes again is a cycle
}

func (s *shaper) set(set ast.SelectionSet) (shape, error) {
	var whole shape
	for _, selection := range set {
		var part shape
		var directives ast.DirectiveList
		var err error
		switch selection := selection.(type) {
		case *ast.Field:
			directives = selection.Directives
			if part, err = s.set(selection.SelectionSet); err == nil {
				part.depth++
				part.fields++
				if selection.Alias != selection.Name {
					part.aliases++
				}
			}
		case *ast.InlineFragment:
			directives = selection.Directives
			part, err = s.set(selection.SelectionSet)
		case *ast.FragmentSpread:
			directives = selection.Directives
			part, err = s.fragment(selection.Name)
		}
		if err != nil {
			return whole, err
		}
		if over(len(directives), s.limits.Directives) {
			return whole, s.limits.directives(len(directives))
		}
		whole.depth = max(whole.depth, part.depth)
		whole.aliases = add(whole.aliases, part.aliases)
		whole.fields = add(whole.fields, part.fields)
	}
	return whole, nil
}

func (s *shaper) fragment(name string) (shape, error) {
	if known, ok := s.known[name]; ok {
		return known, nil
	}
	for _, open := range s.open {
		if open == name {
			return shape{}, monitor.Errorf(monitor.CodeBadInput, "fragment %s spreads itself", name)
		}
	}
	f := s.doc.Fragments.ForName(name)
	if f == nil {
		return shape{}, nil // validation says so
	}
	if n := len(f.Directives); over(n, s.limits.Directives) {
		return shape{}, s.limits.directives(n)
	}
	s.open = append(s.open, name)
	whole, err := s.set(f.SelectionSet)
	s.open = s.open[:len(s.open)-1]
	if err == nil {
		s.known[name] = whole
	}
	return whole, err
}

// ceiling is where sums stop: far beyond every limit, far below overflow.
const ceiling = 1 << 40

func add(a, b int) int { return min(a+b, ceiling) }

func times(a, b int) int {
	if a > 0 && b > ceiling/a {
		return ceiling
	}
	return a * b
}
