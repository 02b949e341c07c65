package resolvers_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/resolvers"
)

// Every field of every type, for everybody there is: the Guard lets through what
// @auth allows and nothing else. The list is the schema's own.
func TestEveryFieldIsGuarded(t *testing.T) {
	schema := graph.NewExecutableSchema(graph.Config{}).Schema()
	guard, err := resolvers.NewGuard(schema)
	if err != nil {
		t.Fatal(err)
	}
	ranks := map[string]int{"PUBLIC": 0, "VIEWER": 1, "ANALYST": 2, "ADMIN": 3}
	people := []struct {
		name   string
		viewer *monitor.Viewer
		rank   int
		code   monitor.Code
	}{
		{"nobody", nil, 0, monitor.CodeUnauthenticated},
		{"a viewer", person(monitor.RoleViewer), 1, monitor.CodeForbidden},
		{"an analyst", person(monitor.RoleAnalyst), 2, monitor.CodeForbidden},
		{"an administrator", person(monitor.RoleAdmin), 3, monitor.CodeForbidden},
		{"somebody without a role", person(""), 0, monitor.CodeForbidden},
		{"a token without scopes", token(), 0, monitor.CodeForbidden},
		{"a token with ingest", token(monitor.ScopeIngest), 0, monitor.CodeForbidden},
		{"a token with read", token(monitor.ScopeRead), 1, monitor.CodeForbidden},
		{"a token with write", token(monitor.ScopeWrite), 2, monitor.CodeForbidden},
		{"a token with admin", token(monitor.ScopeAdmin), 3, monitor.CodeForbidden},
		{"a token with ingest and read", token(monitor.ScopeIngest, monitor.ScopeRead), 1, monitor.CodeForbidden},
		{"a token with an unknown scope", token("root"), 0, monitor.CodeForbidden},
	}
	checked := 0
	for _, def := range schema.Types {
		if def.Kind != ast.Object || strings.HasPrefix(def.Name, "__") {
			continue
		}
		for _, field := range def.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			d := field.Directives.ForName("auth")
			if d == nil {
				d = def.Directives.ForName("auth")
			}
			need, known := ranks[d.Arguments.ForName("requires").Value.Raw]
			if !known {
				t.Fatalf("%s.%s needs %s, which this test does not know", def.Name, field.Name, d.Arguments.ForName("requires").Value.Raw)
			}
			for _, p := range people {
				ctx := context.Background()
				if p.viewer != nil {
					ctx = monitor.WithViewer(ctx, p.viewer)
				}
				passed, err := pass(ctx, guard, def.Name, field.Name)
				checked++
				switch may := p.rank >= need; {
				case may && (!passed || err != nil):
					t.Errorf("%s may not see %s.%s: %v", p.name, def.Name, field.Name, err)
				case !may && (passed || monitor.CodeOf(err) != p.code):
					t.Errorf("%s sees %s.%s: passed %t, %v", p.name, def.Name, field.Name, passed, err)
				}
			}
			for role, rank := range map[monitor.Role]int{"": 0, monitor.RoleViewer: 1, monitor.RoleAnalyst: 2, monitor.RoleAdmin: 3} {
				if passed, err := pass(monitor.WithSharedRole(context.Background(), role), guard, def.Name, field.Name); role != "" && passed != (rank >= need) {
					t.Errorf("shared by %q: %s.%s passed %t, %v", role, def.Name, field.Name, passed, err)
				}
			}
		}
	}
	t.Logf("%d pairs of field and credential", checked)
	for _, unknown := range []string{"Alert.nope", "Nope.id"} {
		object, field, _ := strings.Cut(unknown, ".")
		if passed, _ := pass(monitor.WithViewer(context.Background(), person(monitor.RoleAdmin)), guard, object, field); passed {
			t.Errorf("%s, which nobody allows, is let through", unknown)
		}
	}
}

func person(role monitor.Role) *monitor.Viewer {
	return &monitor.Viewer{User: &monitor.User{Role: role}}
}

func token(scopes ...monitor.Scope) *monitor.Viewer {
	return &monitor.Viewer{Token: &monitor.APIToken{Scopes: slices.Clone(scopes)}}
}

func pass(ctx context.Context, guard *resolvers.Guard, object, field string) (passed bool, err error) {
	defer func() {
		if recover() != nil { // a shared operation has no viewer
			passed = false
		}
	}()
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: object, Field: graphql.CollectedField{Field: &ast.Field{Name: field}}})
	_, err = guard.Field(ctx, func(context.Context) (any, error) { passed = true; return nil, nil })
	return passed, err
}

func TestSchemaWithoutAuthIsRefused(t *testing.T) {
	const head = `directive @auth(requires: Access!) on OBJECT | FIELD_DEFINITION
enum Access { PUBLIC VIEWER ANALYST ADMIN }
`
	for _, c := range []struct{ reason, text, names string }{
		{"all said", `type Query { a: Int @auth(requires: VIEWER) }`, ""},
		{"said on the type", `type Query @auth(requires: VIEWER) { a: Int }`, ""},
		{"a root field", `type Query { a: Int @auth(requires: VIEWER) b: Int }`, "Query.b"},
		{"a field of a type", `type Query { a: T @auth(requires: VIEWER) } type T { x: Int }`, "T.x"},
		{"a mutation", `type Query { a: Int @auth(requires: VIEWER) } type Mutation { m: Int }`, "Mutation.m"},
		{"a subscription", `type Query { a: Int @auth(requires: VIEWER) } type Subscription { s: Int }`, "Subscription.s"},
	} {
		_, err := resolvers.NewGuard(gqlparser.MustLoadSchema(&ast.Source{Input: head + c.text}))
		if (err == nil) != (c.names == "") || err != nil && !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v, want an error about %q", c.reason, err, c.names)
		}
	}
}
