package app

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/resolvers"
	"github.com/security-monitor/secmon/web"
)

// gate lets operations in, the same way whatever transport they come by: it finds
// stored documents, keeps to trusted ones, and holds the limits of form, cost and
// rate, all before anything is executed.
type gate struct {
	shapes    *limit.Shapes
	model     *limit.Model
	rate      *limit.Rate
	points    limit.Points
	documents *limit.Documents
	trusted   limit.Trusted // nil: any operation
	untrusted monitor.Audience
	offers    func() monitor.Offers
	let       func(context.Context, *graphql.OperationContext) // told of operations that are let in
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationContextMutator
} = (*gate)(nil)

// openGate connects the limits to Redis. Redis may be away.
func (a *App) openGate(schema *ast.Schema) (*gate, error) {
	model, err := limit.NewModel(schema)
	if err != nil {
		return nil, err
	}
	g := &gate{
		shapes: &limit.Shapes{Limits: a.cfg.limits()}, model: model, offers: a.offers, let: a.subscribed, untrusted: a.cfg.UntrustedFor,
	}
	if g.untrusted == "" {
		g.untrusted = monitor.AudienceNobody
	}
	if g.points, err = a.cfg.points(); err != nil {
		return nil, err
	}
	if g.trusted, err = readTrusted(a.cfg.TrustedOperations); err != nil {
		return nil, err
	}
	if err := g.trusted.Check(schema, g.shapes.Limits.CheckShape); err != nil {
		return nil, err
	}
	client, hide, err := feed.NewRedisClient(a.redis)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, client.Close)
	shared := &limit.Redis{Client: client, Hide: hide, Log: a.lg, Prefix: a.cfg.RedisChannel + ":"}
	g.rate, g.documents = limit.NewRate(shared, nil), limit.NewDocuments(shared)
	a.rate = g.rate
	a.measureLimits(g.rate, shared)
	return g, nil
}

// dashboard names the operations that are built in.
const dashboard = "dashboard"

// readTrusted joins manifests; nil without any.
func readTrusted(names []string) (limit.Trusted, error) {
	var all limit.Trusted
	for _, name := range names {
		var some limit.Trusted
		var err error
		if name == dashboard {
			if some, err = limit.ParseTrusted(web.Operations()); err != nil {
				err = fmt.Errorf("trusted operations: the dashboard is not part of this binary: %w", err)
			}
		} else {
			some, err = limit.ReadTrusted(name)
		}
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = limit.Trusted{}
		}
		maps.Copy(all, some)
	}
	return all, nil
}

// ExtensionName names the gate.
func (*gate) ExtensionName() string { return "Gate" }

// Validate has nothing to check.
func (*gate) Validate(graphql.ExecutableSchema) error { return nil }

// codeNotFound is what clients of persisted queries wait for, to send the document.
const codeNotFound monitor.Code = "PERSISTED_QUERY_NOT_FOUND"

// MutateOperationParameters looks at a request before it is parsed.
func (g *gate) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	hash, err := g.find(ctx, params)
	if err == nil {
		err = g.trust(ctx, hash, params.Query)
	}
	if err == nil {
		err = g.shapes.Check(params.Query, params.Variables)
	}
	return wrapped(err)
}

func wrapped(err error) *gqlerror.Error {
	if err == nil {
		return nil
	}
	return gqlerror.Wrap(err)
}

// find gives the request its document when it names it by its hash; "" when it
// does not.
func (g *gate) find(ctx context.Context, params *graphql.RawParams) (hash string, err error) {
	said, ok := params.Extensions["persistedQuery"]
	if !ok || said == nil {
		return "", nil
	}
	fields, _ := said.(map[string]any)
	hash, _ = fields["sha256Hash"].(string)
	hash = strings.ToLower(hash)
	if hash == "" || fmt.Sprint(fields["version"]) != "1" {
		return "", monitor.Errorf(monitor.CodeBadInput, "extensions.persistedQuery has version 1 and a sha256Hash")
	}
	if params.Query != "" {
		if limit.Hash(params.Query) != hash {
			return "", monitor.Errorf(monitor.CodeBadInput, "the document does not have the hash that stands beside it")
		}
		return hash, nil
	}
	text, found := g.trusted[hash]
	if !found && g.mayRunAny(ctx) {
		text, found = g.documents.Find(ctx, hash)
	}
	if !found {
		return "", monitor.Errorf(codeNotFound, "PersistedQueryNotFound") // the text that Apollo's clients look for
	}
	params.Query = text
	return hash, nil
}

func (g *gate) mayRunAny(ctx context.Context) bool {
	return g.trusted == nil || g.untrusted.Includes(monitor.RoleFrom(ctx))
}

// trust refuses documents that are not trusted, where only such may run.
func (g *gate) trust(ctx context.Context, hash, document string) error {
	if g.mayRunAny(ctx) {
		return nil
	}
	if hash == "" {
		hash = limit.Hash(document)
	}
	if _, ok := g.trusted[hash]; ok {
		return nil
	}
	return monitor.Errorf(monitor.CodeForbidden, "this server runs trusted operations only, and this is none of them")
}

// MutateOperationContext looks at an operation that fits the schema.
func (g *gate) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	op.DisableIntrospection = !g.offers().ToIntrospect(monitor.RoleFrom(ctx))
	if op.DisableIntrospection && introspects(op.Doc, op.Operation.SelectionSet, map[string]bool{}) {
		return wrapped(resolvers.MayIntrospect(ctx, g.offers()))
	}
	cost := g.model.Cost(op.Doc, op.Operation, op.Variables)
	if monitor.Shared(ctx) {
		return nil // its subscribers have been looked at one by one
	}
	if err := g.shapes.Limits.CheckCost(cost); err != nil {
		return wrapped(err)
	}
	viewer, address := monitor.ViewerFrom(ctx), auth.Address(ctx)
	id := ""
	if viewer != nil {
		id = viewer.Actor().ID.String()
		if address == "" {
			address = viewer.Address
		}
	}
	charge, err := g.rate.Charge(ctx, g.points, id, address, cost)
	op.Stats.SetExtension(limit.StatsKey, charge)
	if err == nil {
		g.store(ctx, op, viewer != nil)
		g.let(ctx, op)
	}
	return wrapped(err)
}

// store keeps the document of a valid operation when the client gave its hash.
func (g *gate) store(ctx context.Context, op *graphql.OperationContext, known bool) {
	if g.trusted != nil || op.Extensions["persistedQuery"] == nil {
		return
	}
	g.documents.Store(ctx, limit.Hash(op.RawQuery), op.RawQuery, known)
}

// introspects tells whether a root selection reads the schema, under whatever
// name and through whatever fragments.
func introspects(doc *ast.QueryDocument, set ast.SelectionSet, seen map[string]bool) bool {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if s.Name == "__schema" || s.Name == "__type" {
				return true
			}
		case *ast.InlineFragment:
			if introspects(doc, s.SelectionSet, seen) {
				return true
			}
		case *ast.FragmentSpread:
			if seen[s.Name] {
				continue
			}
			seen[s.Name] = true
			if f := doc.Fragments.ForName(s.Name); f != nil && introspects(doc, f.SelectionSet, seen) {
				return true
			}
		}
	}
	return false
}
