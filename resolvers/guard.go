package resolvers

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// Guard decides for every field of every answer whether the viewer may see it,
// by the schema's @auth. What the schema says nothing about is denied, and
// NewGuard refuses a schema that says nothing about a field.
type Guard struct {
	needs map[string]map[string]int // type → field → rank of the role it takes

	// Offers say who may read the schema. Set it before the first request.
	Offers func() monitor.Offers
}

// NewGuard reads @auth of every field. It fails when one has none, neither on
// itself nor on its type.
func NewGuard(schema *ast.Schema) (*Guard, error) {
	g := &Guard{needs: map[string]map[string]int{}}
	for name, def := range schema.Types {
		if def.Kind != ast.Object || strings.HasPrefix(name, "__") {
			continue
		}
		g.needs[name] = map[string]int{}
		for _, field := range def.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			d := field.Directives.ForName("auth")
			if d == nil {
				d = def.Directives.ForName("auth")
			}
			if d == nil {
				return nil, fmt.Errorf("schema: nothing says who may see %s.%s: give it or its type @auth", name, field.Name)
			}
			need := model.Access(d.Arguments.ForName("requires").Value.Raw)
			g.needs[name][field.Name] = rankOf(need)
		}
	}
	return g, nil
}

func rankOf(need model.Access) int {
	if need == model.AccessPublic {
		return 0
	}
	return monitor.Role(need).Rank() // the other values are named like the roles
}

// Field is the middleware around every field.
func (g *Guard) Field(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	if strings.HasPrefix(fc.Object, "__") {
		return next(ctx) // inside an introspection that was allowed
	}
	if fc.Object == "Query" && (fc.Field.Name == "__schema" || fc.Field.Name == "__type") {
		if err := MayIntrospect(ctx, g.Offers()); err != nil {
			return nil, err
		}
		return next(ctx)
	}
	need, known := g.needs[fc.Object][fc.Field.Name]
	if !known {
		return nil, monitor.Errorf(monitor.CodeForbidden, "nobody may see %s.%s", fc.Object, fc.Field.Name)
	}
	if need == 0 {
		return next(ctx)
	}
	role := monitor.RoleFrom(ctx)
	if err := stranger(ctx, role); err != nil {
		return nil, err
	}
	if role.Rank() < need {
		return nil, monitor.Errorf(monitor.CodeForbidden, "your role does not allow %s.%s", fc.Object, fc.Field.Name)
	}
	return next(ctx)
}

// stranger fails where nobody has come in.
func stranger(ctx context.Context, role monitor.Role) error {
	if role != "" || monitor.ViewerFrom(ctx) != nil {
		return nil
	}
	if err := auth.Failure(ctx); err != nil {
		return err
	}
	return monitor.Errorf(monitor.CodeUnauthenticated, "log in, or send an API token")
}

// MayIntrospect fails where the schema is not offered to whoever asks.
func MayIntrospect(ctx context.Context, offers monitor.Offers) error {
	role := monitor.RoleFrom(ctx)
	if offers.ToIntrospect(role) {
		return nil
	}
	if err := stranger(ctx, role); err != nil && offers.Introspection != monitor.AudienceNobody {
		return err
	}
	return monitor.Errorf(monitor.CodeForbidden, "the schema is not offered to you: introspection is switched off for your role")
}
