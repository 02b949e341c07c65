package schema_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/schema"
)

func load(t *testing.T, path string) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}

func parse(t *testing.T, text string) *ast.Schema {
	t.Helper()
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "test.graphqls", Input: text})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The contract itself.
func TestSchemaKeepsToTheConventions(t *testing.T) {
	s := load(t, "../schema.graphqls")
	schema.Complete(s)
	for _, problem := range schema.Lint(s) {
		t.Error(problem)
	}
}

// What clients of the last release use is still there. docs/schema/released.graphqls
// is that release; `make schema/release` sets it.
func TestSchemaBreaksNothing(t *testing.T) {
	for _, broken := range schema.Breaks(load(t, "../docs/schema/released.graphqls"), load(t, "../schema.graphqls")) {
		t.Error(broken)
	}
}

const fine = `
"A name." directive @auth(requires: String) on FIELD_DEFINITION
type Query {
  "One." thing(id: ID!): Thing
  "Many." things(first: Int!, after: String, filter: ThingFilter): ThingConnection!
}
type Mutation { "Closes." thingClose(input: ThingCloseInput!): ThingPayload! "Ends." sessionLogout: ThingPayload! }
"It." type Thing { id: ID! "Its kind." kind: Kind! }
"Kinds." enum Kind { "One." A "Two." B_2 }
"Page." type ThingConnection { nodes: [Thing!]! }
"Which." input ThingFilter { and: [ThingFilter!] kind: Kind "Its size." size: Int }
"What." input ThingCloseInput { id: ID! }
"Result." type ThingPayload { "It." thing: Thing errors: [UserError!]! }
"Error." type UserError { "What." message: String! }
`

func TestLint(t *testing.T) {
	for _, c := range []struct{ reason, from, to, want string }{
		{"nothing to say", "", "", ""},
		{"a type", `"It." type Thing`, `type Thing`, "Thing: is not described"},
		{"a field", `"Its kind." kind: Kind! }`, `kind: Kind! }`, "Thing.kind: is not described"},
		{"an argument without a convention", `thing(id: ID!)`, `thing(id: ID!, colour: Int)`, "Query.thing(colour:): is not described"},
		{"a field of an input", `"Its size." size`, `size`, "ThingFilter.size: is not described"},
		{"a value of an enum", `"Two." B_2`, `B_2`, "Kind.B_2: is not described"},
		{"an enum", `"Kinds." enum`, `enum`, "Kind: is not described"},
		{"a directive", `"A name." directive`, `directive`, "@auth: is not described"},
		{"a type's name", `"Kinds." enum Kind {`, `"Bad." scalar bad_name "Kinds." enum Kind {`, "bad_name: is not named in PascalCase"},
		{"a field's name", `"One." thing(`, `"Bad." Thing_x: Int "One." thing(`, "Query.Thing_x: is not named in camelCase"},
		{"a value's name", `B_2`, `bTwo`, "Kind.bTwo: is not named in UPPER_CASE"},
		{"an input's name", `"Which." input`, `"Bad." input ThingArgs { id: ID } "Which." input`, "ThingArgs: is an input: its name ends in Input or Filter"},
		{"a verb first", `thingClose(`, `closeThing(`, "Mutation.closeThing: begins with a verb: the noun comes first"},
		{"arguments instead of an input", `thingClose(input: ThingCloseInput!)`, `thingClose(id: ID!)`, "Mutation.thingClose: takes something else than input: ...Input!"},
		{"more than an input", `thingClose(input: ThingCloseInput!)`, `thingClose(input: ThingCloseInput!, id: ID)`, "Mutation.thingClose: takes something else than input: ...Input!"},
		{"no payload", `sessionLogout: ThingPayload!`, `sessionLogout: Thing`, "Mutation.sessionLogout: does not give a ...Payload!"},
		{"no errors", `thing: Thing errors: [UserError!]!`, `thing: Thing`, "ThingPayload: has no errors: [UserError!]!"},
		{"first may be left out", `first: Int!`, `first: Int`, "Query.things: has first that may be left out: it is Int!, or has a default"},
		{"first has a default", `first: Int!`, `first: Int = 50`, ""},
		{"a page without first", `things(first: Int!, after: String, filter`, `things(filter`, "Query.things: gives a page: it takes first"},
		{"a page without after", `first: Int!, after: String`, `first: Int!`, "Query.things: gives a page: it takes after"},
		{"an offset", `thing(id: ID!)`, `thing(id: ID!, "From." offset: Int)`, "Query.thing: takes offset: lists go by first and after"},
		{"deprecated for ever", `thing(id: ID!): Thing`, `thing(id: ID!): Thing @deprecated(reason: "old")`, "Query.thing: is deprecated without the date (2027-01-31) until which it stays, and what to use instead"},
		{"deprecated until", `thing(id: ID!): Thing`, `thing(id: ID!): Thing @deprecated(reason: "use things; stays until 2027-06-30")`, ""},
	} {
		t.Run(c.reason, func(t *testing.T) {
			if !strings.Contains(fine, c.from) {
				t.Fatalf("the schema has no %q", c.from)
			}
			text := fine
			if c.from != "" {
				text = strings.Replace(fine, c.from, c.to, 1)
			}
			s := parse(t, text)
			schema.Complete(s)
			got := schema.Lint(s)
			if c.want == "" && len(got) > 0 || c.want != "" && !slices.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCompleteKeepsWhatIsSaid(t *testing.T) {
	s := parse(t, `type Query { "My own." id: ID! nodes: [ID!]! x("Own." first: Int, after: String): Int }`)
	schema.Complete(s)
	schema.Complete(s)
	q := s.Query
	if q.Fields.ForName("id").Description != "My own." || q.Fields.ForName("nodes").Description == "" ||
		q.Fields.ForName("x").Arguments.ForName("first").Description != "Own." || q.Fields.ForName("x").Arguments.ForName("after").Description == "" {
		t.Errorf("descriptions: %+v", q.Fields)
	}
}

const released = `
type Query { a(x: Int, y: Int! = 1, list: [ID!]): String! old: Int list: [String!]! }
interface Node { id: ID! }
type T implements Node { id: ID! }
type Q { b: Int }
union U = T | Q
enum E { ONE TWO }
input I { a: Int b: Int! c: Int! = 3 }
`

func TestBreaks(t *testing.T) {
	for _, c := range []struct{ reason, from, to, want string }{
		{"the same", "", "", ""},
		{"a type is gone", `type Q { b: Int }
union U = T | Q`, `union U = T`, "Q: is gone"},
		{"another kind", `input I { a: Int b: Int! c: Int! = 3 }`, `scalar I`, "I: was INPUT_OBJECT, is SCALAR"},
		{"a field is gone", ` old: Int`, ``, "Query.old: is gone"},
		{"another type", `old: Int`, `old: String`, "Query.old: was Int, is String"},
		{"a value that may be null now", `): String! old`, `): String old`, "Query.a: was String!, is String"},
		{"items that may be null now", `[String!]!`, `[String]!`, "Query.list: was [String!]!, is [String]!"},
		{"a list instead of a value", `old: Int`, `old: [Int]`, "Query.old: was Int, is [Int]"},
		{"never null any more", `old: Int`, `old: Int!`, ""},
		{"an argument is gone", `x: Int, `, ``, "Query.a(x:): is gone"},
		{"an argument has to be given now", `x: Int,`, `x: Int!,`, "Query.a(x:): was Int, is Int!"},
		{"items of an argument may be null now", `list: [ID!])`, `list: [ID])`, ""},
		{"an argument's default changes", `y: Int! = 1`, `y: Int! = 2`, "Query.a(y:): had the default 1, has 2"},
		{"an argument need not be given any more", `y: Int! = 1`, `y: Int = 1`, ""},
		{"a new argument", `x: Int,`, `x: Int, z: Int,`, ""},
		{"a new argument that has to be given", `x: Int,`, `x: Int, z: Int!,`, "Query.a(z:): is new and has to be given"},
		{"a new argument with a default", `x: Int,`, `x: Int, z: Int! = 5,`, ""},
		{"a value of an enum is gone", `ONE TWO`, `ONE`, "E.TWO: is gone"},
		{"a new value of an enum", `ONE TWO`, `ONE TWO THREE`, ""},
		{"an interface less", `type T implements Node`, `type T`, "T: implements Node no longer"},
		{"a member of a union less", `T | Q`, `T`, "U: is no longer a union with Q"},
		{"an input's field is gone", `input I { a: Int `, `input I { `, "I.a: is gone"},
		{"an input's field has to be given now", `input I { a: Int `, `input I { a: Int! `, "I.a: was Int, is Int!"},
		{"an input's field need not be given any more", `b: Int!`, `b: Int`, ""},
		{"a new field of an input", `b: Int!`, `b: Int! d: Int`, ""},
		{"a new field of an input that has to be given", `b: Int!`, `b: Int! d: Int!`, "I.d: is new and has to be given"},
		{"a new type and field", `old: Int`, `old: Int new: E`, ""},
	} {
		t.Run(c.reason, func(t *testing.T) {
			text := released
			if c.from != "" {
				if text = strings.Replace(released, c.from, c.to, 1); text == released {
					t.Fatalf("the schema has no %q", c.from)
				}
			}
			got := schema.Breaks(parse(t, released), parse(t, text))
			if c.want == "" && len(got) > 0 || c.want != "" && !slices.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
