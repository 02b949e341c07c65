package limit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/monitor"
)

const costDirective = `directive @cost(weight: Int! = 1, multiplier: String, size: Int) on FIELD_DEFINITION
`

const testSchema = costDirective + `
type Query {
  alert: Alert
  alerts(first: Int!, after: String): AlertConnection!
  page(count: Int = 3): [Alert!]! @cost(weight: 2, multiplier: "count")
  expensive: Int! @cost(weight: 100)
  node: Node
}
type Mutation { close: Alert }
type Subscription { feed: Batch! }
interface Node { id: ID! }
type Batch { entries: [Alert!]! }
type AlertConnection { nodes: [Alert!]! edges: [Edge!]! pageInfo: PageInfo! total: Int! }
type Edge { node: Alert! }
type PageInfo { next: Boolean! }
type Alert implements Node {
  id: ID!
  tags: [String!]!
  rule: Alert
  related: [Alert!]!
  few: [Alert!]! @cost(size: 2)
  evidence(first: Int!): AlertConnection!
}
`

func measure(t *testing.T, query, operation string, variables map[string]any) int {
	t.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: testSchema})
	model, err := limit.NewModel(schema)
	if err != nil {
		t.Fatal(err)
	}
	doc, errs := gqlparser.LoadQueryWithRules(schema, query, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	op := doc.Operations.ForName(operation)
	coerced, err := validator.VariableValues(schema, op, variables)
	if err != nil {
		t.Fatal(err)
	}
	return model.Cost(doc, op, coerced)
}

func TestCost(t *testing.T) {
	for _, c := range []struct {
		reason, query string
		variables     map[string]any
		want          int
	}{
		{"an object costs 1, its values nothing", `{ alert { id tags } }`, nil, 1},
		{"an operation is never free", `{ __typename }`, nil, 1},
		{"objects add up", `{ alert { rule { rule { id } } } }`, nil, 3},
		{"a connection costs 1, each of its nodes 1", `{ alerts(first: 50) { nodes { id } } }`, nil, 51},
		{"what stands beside the nodes comes once", `{ alerts(first: 50) { total pageInfo { next } nodes { id } } }`, nil, 52},
		{"an edge and its node are two objects", `{ alerts(first: 50) { edges { node { id } } } }`, nil, 101},
		{"objects in nodes come with each", `{ alerts(first: 50) { nodes { rule { id } } } }`, nil, 101},
		{"lists in lists multiply", `{ alerts(first: 10) { nodes { evidence(first: 20) { nodes { id } } } } }`, nil, 1 + 10*(1+1+20)},
		{"first from a variable", `query($n: Int!) { alerts(first: $n) { nodes { id } } }`, map[string]any{"n": 7}, 8},
		{"first from a variable's default", `query($n: Int! = 9) { alerts(first: $n) { nodes { id } } }`, nil, 10},
		{"a list of unknown length has 10 items", `{ alert { related { id } } }`, nil, 11},
		{"a length that the schema tells", `{ alert { few { id } } }`, nil, 3},
		{"the list in an item of a list does not take the outer length", `{ alerts(first: 50) { nodes { related { id } } } }`, nil, 1 + 50*(1+10)},
		{"a list with a multiplier of its own, and weight", `{ page(count: 4) { id } }`, nil, 8},
		{"the multiplier's default", `{ page { id } }`, nil, 6},
		{"a negative count is no discount", `{ alerts(first: -5) { nodes { id } } }`, nil, 2},
		{"a value with a weight", `{ expensive }`, nil, 100},
		{"aliases count each", `{ a: expensive b: expensive }`, nil, 200},
		{"a mutation costs 10", `mutation { close { id } }`, nil, 10},
		{"a subscription costs its message", `subscription { feed { entries { id } } }`, nil, 11},
		{"fragments count where they are spread", `{ alert { ...F } x: alert { ...F } } fragment F on Alert { rule { id } }`, nil, 4},
		{"inline fragments", `{ node { ... on Alert { rule { id } } } }`, nil, 2},
		{"a fragment on a connection multiplies too", `{ alerts(first: 5) { ...P } } fragment P on AlertConnection { nodes { id } total }`, nil, 6},
		{"skipped by a variable", `query($s: Boolean!) { expensive @skip(if: $s) alert { id } }`, map[string]any{"s": true}, 1},
		{"not included", `{ ...F @include(if: false) alert { id } } fragment F on Query { expensive }`, nil, 1},
		{"included", `query($s: Boolean!) { expensive @include(if: $s) }`, map[string]any{"s": true}, 100},
		{"introspection has its price", `{ __schema { types { name } } }`, nil, 500},
		{"introspection under other names", `{ a: __type(name: "x") { name } ...F } fragment F on Query { b: __schema { types { name } } }`, nil, 1000},
		{"__typename is free", `{ alert { __typename } }`, nil, 1},
		{"what would overflow stops", `{ alerts(first: 2000000000) { nodes { evidence(first: 2000000000) { nodes { evidence(first: 2000000000) { nodes { id } } } } } } }`, nil, 1 << 40},
	} {
		t.Run(c.reason, func(t *testing.T) {
			if got := measure(t, c.query, "", c.variables); got != c.want {
				t.Errorf("%s costs %d, want %d", c.query, got, c.want)
			}
		})
	}
}

func TestOneOperationOfTheDocumentIsMeasured(t *testing.T) {
	if got := measure(t, `query A { expensive } query B { alert { id } }`, "B", nil); got != 1 {
		t.Errorf("B costs %d, want 1", got)
	}
}

func TestModelRefusesASchemaThatCannotBeMeantSo(t *testing.T) {
	for reason, field := range map[string]string{
		"the multiplier is no argument":     `a: Int @cost(multiplier: "first")`,
		"the multiplier is no number":       `a(first: String): Int @cost(multiplier: "first")`,
		"the multiplier is a list":          `a(ids: [Int!]): Int @cost(multiplier: "ids")`,
		"a weight below nothing":            `a: Int @cost(weight: -1)`,
		"a size below nothing":              `a: [Int] @cost(size: -1)`,
		"first is taken for the multiplier": `a(first: ID): Int`,
	} {
		schema := gqlparser.MustLoadSchema(&ast.Source{Input: costDirective + `type Query { ` + field + ` }`})
		if _, err := limit.NewModel(schema); err == nil || !strings.Contains(err.Error(), "Query.a") {
			t.Errorf("%s: %s gives %v, want an error that names Query.a", reason, field, err)
		}
	}
}

// doubling makes a document of n fragments, each of which spreads the next twice:
// 2^n selections when spread out.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString("{ alert { ...F0 } }")
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on Alert { a: rule { ...F%d } b: rule { ...F%d } }", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on Alert { id }", n)
	return b.String()
}

// A document whose fragments double at each step would take 2^1000 steps to walk.
func TestExponentialFragmentsAreMeasuredInNoTime(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: testSchema})
	model, err := limit.NewModel(schema)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: doubling(1_000)})
	if err != nil {
		t.Fatal(err)
	}
	if got := model.Cost(doc, doc.Operations[0], nil); got != 1<<40 {
		t.Errorf("it costs %d, want the ceiling", got)
	}
	for kind, l := range map[string]limit.Limits{"depth": {Depth: 15}, "aliases": {Aliases: 50}, "fields": {Fields: 5_000}} {
		if got := kindOf(l.CheckShape(doc)); got != kind {
			t.Errorf("%+v: refused for %q", l, got)
		}
	}
}

func kindOf(err error) string {
	var known *monitor.Error
	if !errors.As(err, &known) {
		return fmt.Sprint(err)
	}
	if known.Code != monitor.CodeCostLimit {
		return string(known.Code)
	}
	return known.Details["kind"].(string)
}

func TestShape(t *testing.T) {
	l := limit.Limits{Depth: 3, Aliases: 2, RootFields: 3, Directives: 2, Fields: 8, Tokens: 100, DocumentBytes: 400, VariableBytes: 60}
	for _, c := range []struct{ reason, query, want string }{
		{"all within", `{ a: alert { rule { id } } b: alert { id } }`, "<nil>"},
		{"too deep", `{ alert { rule { rule { id } } } }`, "depth"},
		{"too deep through fragments", `{ alert { ...A } } fragment A on Alert { rule { ...B } } fragment B on Alert { rule { id } }`, "depth"},
		{"too deep through inline fragments", `{ ... { alert { ... { rule { ... { rule { id } } } } } } }`, "depth"},
		{"aliases", `{ a: alert b: alert c: alert }`, "aliases"},
		{"aliases of a fragment that is spread twice", `{ alert { ...F } page { ...F } } fragment F on Alert { a: id b: id }`, "aliases"},
		{"an alias that is the name is none", `{ alert: alert page: page node: node }`, "<nil>"},
		{"root fields", `{ alert alert alert alert }`, "rootFields"},
		{"root fields through fragments", `{ ...F alert alert } fragment F on Query { alert alert }`, "rootFields"},
		{"root fields of the second operation", `query A { alert } query B { alert alert alert alert }`, "rootFields"},
		{"directives of a field", `{ alert @a @b @c }`, "directives"},
		{"directives of a spread", `{ ...F @a @b @c } fragment F on Query { alert }`, "directives"},
		{"directives of a fragment", `{ ...F } fragment F on Query @a @b @c { alert }`, "directives"},
		{"directives of an operation", `query @a @b @c { alert }`, "directives"},
		{"directives of an inline fragment", `{ ... @a @b @c { alert } }`, "directives"},
		{"fields", `{ alert { id id id id id id id id } }`, "fields"},
		{"tokens", `{ alert { ` + strings.Repeat("id ", 100) + `} }`, "tokens"},
		{"bytes", `{ alert }` + strings.Repeat(" ", 400), "documentBytes"},
		{"a fragment that spreads itself", `{ ...A } fragment A on Query { ...A }`, "BAD_INPUT"},
		{"fragments in a ring", `{ ...A } fragment A on Query { ...B } fragment B on Query { ...C } fragment C on Query { ...A }`, "BAD_INPUT"},
		{"a ring through fields", `{ alert { ...A } } fragment A on Alert { rule { ...A } }`, "BAD_INPUT"},
		{"a syntax error is left to the parser", `{ alert(`, "<nil>"},
		{"an unknown fragment is left to validation", `{ ...A }`, "<nil>"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			s := &limit.Shapes{Limits: l}
			for range 2 { // the second time from memory
				if got := kindOf(s.Check(c.query, nil)); got != c.want {
					t.Errorf("%s: %s, want %s", c.query, got, c.want)
				}
			}
		})
	}
	big := map[string]any{"a": []any{map[string]any{"b": strings.Repeat("x", 61)}}}
	if got := kindOf((&limit.Shapes{Limits: l}).Check(`{ alert }`, big)); got != "variableBytes" {
		t.Errorf("big variables: %s", got)
	}
}

func TestNoBoundIsNoBound(t *testing.T) {
	s := &limit.Shapes{}
	if err := s.Check(`{ a: alert { b: rule { c: rule { id @a @b @c @d @e @f } } } }`, map[string]any{"x": strings.Repeat("x", 1<<20)}); err != nil {
		t.Error(err)
	}
}

func FuzzShape(f *testing.F) {
	f.Add(`{ alert { ...F } } fragment F on Alert { id ...F }`)
	f.Add(doubling(20))
	f.Fuzz(func(_ *testing.T, document string) {
		_ = (&limit.Shapes{Limits: limit.DefaultLimits}).Check(document, nil) // must end, and not panic
	})
}
