package limit

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// What is counted where the schema says nothing. GitHub's model is the pattern:
// objects cost, the values that are read with them do not.
const (
	objectWeight        = 1
	mutationWeight      = 10
	listSize            = 10  // items of a list that no argument bounds
	introspectionWeight = 500 // __schema and __type with all that is beneath
)

// Model says what operations cost, by the schema's @cost. A field costs its
// weight, as often as it comes: a list for each of its items.
type Model struct {
	rules map[*ast.FieldDefinition]rule
}

// rule is what @cost says of a field.
type rule struct {
	weight     int
	multiplier string // argument with the number of items; "" without one
	size       int    // items of a list without such an argument; 0: not said
	list       bool
	std        *int // the argument's default
}

// NewModel reads @cost of all fields. It fails where a directive cannot be meant
// so: a weight below 0, a multiplier that is no Int argument of the field.
func NewModel(schema *ast.Schema) (*Model, error) {
	m := &Model{rules: map[*ast.FieldDefinition]rule{}}
	for _, def := range schema.Types {
		if def.Kind != ast.Object && def.Kind != ast.Interface {
			continue
		}
		for _, field := range def.Fields {
			r, err := readRule(schema, def, field)
			if err != nil {
				return nil, fmt.Errorf("schema: @cost of %s.%s: %w", def.Name, field.Name, err)
			}
			m.rules[field] = r
		}
	}
	return m, nil
}

func readRule(schema *ast.Schema, def *ast.Definition, field *ast.FieldDefinition) (rule, error) {
	r := rule{weight: objectWeight, list: field.Type.Elem != nil}
	named := schema.Types[field.Type.Name()]
	switch {
	case strings.HasPrefix(def.Name, "__") || field.Name == "__typename":
		return rule{}, nil // counted with __schema and __type
	case strings.HasPrefix(field.Name, "__"):
		return rule{weight: introspectionWeight}, nil
	case def == schema.Mutation:
		r.weight = mutationWeight
	case named != nil && named.IsLeafType():
		r.weight = 0
	}
	for _, name := range []string{"first", "last"} {
		if field.Arguments.ForName(name) != nil {
			r.multiplier = name
			break
		}
	}
	if d := field.Directives.ForName("cost"); d != nil {
		if err := r.apply(d); err != nil {
			return r, err
		}
	}
	return r, r.check(field)
}

func (r *rule) apply(d *ast.Directive) error {
	for _, a := range d.Arguments {
		var err error
		switch a.Name {
		case "weight":
			r.weight, err = strconv.Atoi(a.Value.Raw)
		case "size":
			r.size, err = strconv.Atoi(a.Value.Raw)
		case "multiplier":
			r.multiplier = a.Value.Raw
		}
		if err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return nil
}

func (r *rule) check(field *ast.FieldDefinition) error {
	if r.weight < 0 || r.size < 0 {
		return fmt.Errorf("nothing costs less than nothing")
	}
	if r.multiplier == "" {
		return nil
	}
	a := field.Arguments.ForName(r.multiplier)
	if a == nil || a.Type.Name() != "Int" || a.Type.Elem != nil {
		return fmt.Errorf("the multiplier %q is no argument of type Int", r.multiplier)
	}
	if a.DefaultValue != nil {
		if n, err := strconv.Atoi(a.DefaultValue.Raw); err == nil {
			r.std = &n
		}
	}
	return nil
}

// Cost measures an operation that was validated against the model's schema, with
// its variables as coerced. Each fragment is measured once, so it takes time in
// proportion to the document. It is never below 1 and stops counting at 2^40.
func (m *Model) Cost(doc *ast.QueryDocument, op *ast.OperationDefinition, variables map[string]any) int {
	c := &counter{model: m, doc: doc, variables: variables, known: map[string]amount{}}
	return max(1, c.set(op.SelectionSet).of(listSize))
}

// amount is what a selection costs: once, and for each item of the list that its
// fields stand for. A connection's `nodes` and `edges` come as often as its field
// has items, its `pageInfo` and `totalCount` once.
type amount struct{ once, each int }

func (a amount) of(items int) int { return add(a.once, times(items, a.each)) }

type counter struct {
	model     *Model
	doc       *ast.QueryDocument
	variables map[string]any
	known     map[string]amount
}

func (c *counter) set(set ast.SelectionSet) amount {
	var sum amount
	for _, selection := range set {
		var part amount
		switch s := selection.(type) {
		case *ast.Field:
			if c.included(s.Directives) {
				part = c.field(s)
			}
		case *ast.InlineFragment:
			if c.included(s.Directives) {
				part = c.set(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if c.included(s.Directives) {
				part = c.fragment(s.Name)
			}
		}
		sum.once, sum.each = add(sum.once, part.once), add(sum.each, part.each)
	}
	return sum
}

func (c *counter) fragment(name string) amount {
	if known, ok := c.known[name]; ok {
		return known
	}
	f := c.doc.Fragments.ForName(name)
	if f == nil {
		return amount{}
	}
	c.known[name] = amount{} // validation allows no cycles; one would end here
	sum := c.set(f.SelectionSet)
	c.known[name] = sum
	return sum
}

func (c *counter) field(f *ast.Field) amount {
	r, known := c.model.rules[f.Definition]
	switch {
	case !known && strings.HasPrefix(f.Name, "__"):
		if f.Name == "__typename" {
			return amount{}
		}
		return amount{once: introspectionWeight}
	case !known:
		r = rule{weight: objectWeight}
	case strings.HasPrefix(f.Name, "__"):
		return amount{once: r.weight}
	}
	inner := c.set(f.SelectionSet)
	items, bounded := c.items(f, r)
	switch {
	case !r.list && bounded: // a connection
		return amount{once: add(r.weight, inner.of(items))}
	case !r.list:
		return amount{once: add(r.weight, inner.of(listSize))}
	case bounded:
		return amount{once: times(items, add(r.weight, inner.of(listSize)))}
	default:
		return amount{each: add(r.weight, inner.of(listSize))}
	}
}

// items says how many items a field gives at most; false where only the field
// around it knows.
func (c *counter) items(f *ast.Field, r rule) (int, bool) {
	if r.multiplier == "" {
		return r.size, r.size > 0
	}
	if a := f.Arguments.ForName(r.multiplier); a != nil {
		if value, err := a.Value.Value(c.variables); err == nil {
			if n, ok := integer(value); ok {
				return min(max(n, 1), ceiling), true
			}
		}
	}
	switch {
	case r.std != nil:
		return *r.std, true
	case r.size > 0:
		return r.size, true
	}
	return listSize, true
}

func integer(value any) (int, bool) {
	switch v := value.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		return int(v), true
	case json.Number:
		n, err := v.Int64()
		return int(n), err == nil
	}
	return 0, false
}

// included evaluates @skip and @include.
func (c *counter) included(directives ast.DirectiveList) bool {
	is := func(name string) (bool, bool) {
		d := directives.ForName(name)
		if d == nil {
			return false, false
		}
		a := d.Arguments.ForName("if")
		if a == nil {
			return false, false
		}
		value, err := a.Value.Value(c.variables)
		yes, ok := value.(bool)
		return yes, ok && err == nil
	}
	if skip, said := is("skip"); said && skip {
		return false
	}
	include, said := is("include")
	return !said || include
}
