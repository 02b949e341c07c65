package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

func readSchema(t *testing.T) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile("../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	return gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(text)})
}

// literal writes the least value of a type that the schema takes: required fields
// alone, text for every string.
func literal(schema *ast.Schema, t *ast.Type, text string) string {
	if t.Elem != nil {
		return "[]"
	}
	def := schema.Types[t.NamedType]
	switch {
	case t.NamedType == "Int" || t.NamedType == "Float":
		return "1"
	case t.NamedType == "Boolean":
		return "true"
	case t.NamedType == "Duration":
		return `"PT1H"`
	case t.NamedType == "Time" || t.NamedType == "TimeInput":
		return `"2026-01-01T00:00:00Z"`
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		fields := []string{}
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil {
				fields = append(fields, f.Name+": "+literal(schema, f.Type, text))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	default:
		return quote(text)
	}
}

// selection writes the operation of one root field, with the least arguments.
func rootOperation(schema *ast.Schema, kind string, field *ast.FieldDefinition) string {
	arguments := []string{}
	for _, a := range field.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil {
			arguments = append(arguments, a.Name+": "+literal(schema, a.Type, "x"))
		}
	}
	text := field.Name
	if len(arguments) > 0 {
		text += "(" + strings.Join(arguments, ", ") + ")"
	}
	if def := schema.Types[field.Type.Name()]; !def.IsLeafType() {
		text += " { __typename }"
	}
	return kind + " { " + text + " }"
}

// needs gives what @auth of a root field asks for; a type's own says it for those
// fields that say nothing.
func needs(def *ast.Definition, field *ast.FieldDefinition) string {
	d := field.Directives.ForName("auth")
	if d == nil {
		d = def.Directives.ForName("auth")
	}
	return d.Arguments.ForName("requires").Value.Raw
}

// Every root field of the schema, with every credential there is, over HTTP: who
// may is let in, who may not is refused, by @auth alone. Nested fields are
// resolvers' TestEveryFieldIsGuarded.
func TestEveryRootFieldIsGuarded(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	schema := readSchema(t)
	ranks := map[string]int{"PUBLIC": 0, "VIEWER": 1, "ANALYST": 2, "ADMIN": 3}
	type credential struct {
		name string
		rank int // -1: it is refused as such
		make func() string
		code string // of a refusal
	}
	number := 0
	person := func(role monitor.Role) func() string {
		return func() string {
			number++
			name := fmt.Sprintf("%s-%d", strings.ToLower(string(role)), number)
			user(t, r, name, role)
			// From an address of its own: the operations below guess at passwords too.
			session, err := r.Auth.Login(t.Context(), auth.Login{Name: name, Password: testPassword, Address: name})
			if err != nil {
				t.Fatal(err)
			}
			return session.AccessToken
		}
	}
	token := func(scope monitor.Scope) func() string {
		return func() string {
			secret, _ := apiToken(t, r, time.Time{}, scope)
			return secret
		}
	}
	credentials := []credential{
		{"nobody", 0, func() string { return "" }, "UNAUTHENTICATED"},
		{"viewer", 1, person(monitor.RoleViewer), "FORBIDDEN"},
		{"analyst", 2, person(monitor.RoleAnalyst), "FORBIDDEN"},
		{"admin", 3, person(monitor.RoleAdmin), "FORBIDDEN"},
		{"token ingest", 0, token(monitor.ScopeIngest), "FORBIDDEN"},
		{"token read", 1, token(monitor.ScopeRead), "FORBIDDEN"},
		{"token write", 2, token(monitor.ScopeWrite), "FORBIDDEN"},
		{"token admin", 3, token(monitor.ScopeAdmin), "FORBIDDEN"},
		{"expired token", 0, func() string {
			secret, _ := apiToken(t, r, time.Now().Add(-time.Hour).UTC().Truncate(time.Second), monitor.ScopeAdmin)
			return secret
		}, "UNAUTHENTICATED"},
		{"revoked token", 0, func() string {
			secret, made := apiToken(t, r, time.Time{}, monitor.ScopeAdmin)
			if err := r.Store.RevokeToken(t.Context(), monitor.SystemActor, made.ID); err != nil {
				t.Fatal(err)
			}
			return secret
		}, "UNAUTHENTICATED"},
		{"garbage", 0, func() string { return "smt_garbage" }, "UNAUTHENTICATED"},
	}
	// What belongs to people is no program's to change, whatever its scopes.
	personal := []string{
		"sessions", "tokens", "sessionRevoke", "sessionRevokeAll", "viewerSetPassword", "totpEnrol", "totpConfirm", "totpRemove", "tokenCreate", "tokenRevoke",
	}
	checked := 0
	for _, c := range credentials {
		bearer := c.make()
		for _, root := range []struct {
			kind string
			def  *ast.Definition
		}{{"query", schema.Query}, {"mutation", schema.Mutation}, {"subscription", schema.Subscription}} {
			for _, field := range root.def.Fields {
				if strings.HasPrefix(field.Name, "__") {
					continue
				}
				may := ranks[needs(root.def, field)] <= c.rank
				query := rootOperation(schema, root.kind, field)
				code := post(t, r.URL(), bearer, query, nil, nil).code()
				if code == "UNAUTHENTICATED" && may && c.rank > 0 { // an operation before this one has ended the session
					bearer = c.make()
					code = post(t, r.URL(), bearer, query, nil, nil).code()
				}
				checked++
				switch {
				case may && code == "FORBIDDEN" && strings.HasPrefix(c.name, "token") && slices.Contains(personal, field.Name):
				case may && (code == "UNAUTHENTICATED" || code == "FORBIDDEN"):
					t.Errorf("%s is refused %s: %s", c.name, query, code)
				case !may && code != c.code:
					t.Errorf("%s is not refused %s: %q, want %s", c.name, query, code, c.code)
				}
			}
		}
	}
	t.Logf("%d pairs of root field and credential", checked)
}
