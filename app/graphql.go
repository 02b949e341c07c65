package app

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
	"github.com/security-monitor/secmon/resolvers"
	"github.com/security-monitor/secmon/schema"
	live "github.com/security-monitor/secmon/transport"
)

// Bounds of one GraphQL request, beside those of package limit.
const (
	maxGraphQLBytes = 1 << 20
	cachedQueries   = 1_000
)

// graphql is the handler of /api/graphql: POST, GET, graphql-transport-ws and
// server-sent events.
func (a *App) graphql() (http.Handler, error) {
	root := &resolvers.Resolver{
		Alerts: a.Store, Discussion: a.Store, Kin: a.Store, Merging: a.Store, Claims: a.Store, Assets: a.Store, Indicators: indicators{a.Store}, Events: a.Store, Archives: archives{a.Store, a}, Rules: a.Store, Bench: ruleBench{a, a.normaliser},
		Users: a.Store, Incidents: a.Store, IncidentMoves: a.Store, IncidentReading: a.Store,
		IncidentTasks: a.Store, IncidentComments: a.Store, Groupings: a.Store, Suppressions: a.Store, Sources: a.Store, DeadLetters: a.Store, Replays: replays{a.in}, Mappings: a.Store, Mapper: mapper{a}, Webhooks: a.Store, Deliveries: a.Store, Channels: a.Store, Jobs: jobs{a.Store, a},
		Feed: liveFeed{a.tail, a.hub}, Running: a, Journal: a.Store, Audit: a.Store, Aggregates: a.Store, Exports: a.Store, SavedViews: a.Store, SavedOperations: a.Store, Sessions: a.Store, Tokens: a.Store, Stored: a.Store, Setup: setup{a}, Auth: a.Auth, Version: Version,
	}
	executable := graph.NewExecutableSchema(graph.Config{Resolvers: root})
	schema.Complete(executable.Schema())
	root.Schema = executable.Schema()
	guard, err := resolvers.NewGuard(executable.Schema())
	if err != nil {
		return nil, err
	}
	guard.Offers = a.offers
	if err := live.CheckSchema(executable.Schema()); err != nil {
		return nil, err
	}
	gate, err := a.openGate(executable.Schema())
	if err != nil {
		return nil, err
	}
	root.Shapes = gate.shapes
	a.metrics.GraphQL.Know(knownOperations(executable.Schema(), gate.trusted))
	presenter := resolvers.WithoutHints(resolvers.Presenter(a.lg), a.offers)
	out, err := a.openOutbound()
	if err != nil {
		return nil, err
	}
	hooks, channels := a.openWebhooks(out, root, executable, gate, presenter, guard), a.openChannels(out)
	root.WebhookWork, root.ChannelWork = hooks, channels
	a.openNotifying(map[monitor.Kind]notify.Destination{monitor.KindWebhook: hooks.hooks, monitor.KindChannel: channels.channels})
	server := handler.New(executable)
	server.AddTransport(live.WebSocket{Server: a.live})
	server.AddTransport(live.Stream{Server: a.live})
	server.AddTransport(live.Streams{Server: a.live})
	server.AddTransport(live.HTTP{Present: presenter})
	a.equip(server, root, gate, presenter, guard)
	return http.MaxBytesHandler(server, maxGraphQLBytes), nil
}

// equipped is what executes operations: a server's handler, or an executor alone.
type equipped interface {
	SetQueryCache(cache graphql.Cache[*ast.QueryDocument])
	SetParserTokenLimit(limit int)
	SetErrorPresenter(f graphql.ErrorPresenterFunc)
	SetRecoverFunc(f graphql.RecoverFunc)
	Use(extension graphql.HandlerExtension)
	AroundResponses(f graphql.ResponseMiddleware)
	AroundFields(f graphql.FieldMiddleware)
}

// equip gives what executes operations everything that stands around them: whoever
// asks, the same holds.
func (a *App) equip(server equipped, root *resolvers.Resolver, gate *gate, presenter graphql.ErrorPresenterFunc, guard *resolvers.Guard) {
	server.SetQueryCache(lru.New[*ast.QueryDocument](cachedQueries))
	server.SetParserTokenLimit(gate.shapes.Limits.Tokens)
	server.SetErrorPresenter(presenter)
	server.SetRecoverFunc(resolvers.Recover(a.lg))
	server.Use(gate)
	server.AroundResponses(a.operation)
	server.AroundResponses(a.deadline)
	server.AroundResponses(root.Loaders)
	server.AroundFields(guard.Field)
}

// deadline bounds queries and mutations; subscriptions live as long as they are wanted.
func (a *App) deadline(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if graphql.HasOperationContext(ctx) {
		if op := graphql.GetOperationContext(ctx).Operation; op != nil && op.Operation == ast.Subscription {
			return next(ctx)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, a.cfg.QueryTimeout)
	defer cancel()
	return next(ctx)
}
