package app

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/resolvers"
	live "github.com/security-monitor/secmon/transport"
)

// Bounds of one GraphQL request, beside its cost.
const (
	maxTokens       = 15_000
	maxGraphQLBytes = 1 << 20
	cachedQueries   = 1_000
)

// graphql is the handler of /api/graphql: POST, GET, graphql-transport-ws and
// server-sent events.
func (a *App) graphql() (http.Handler, error) {
	root := &resolvers.Resolver{
		Alerts: a.Store, Discussion: a.Store, Events: a.Store, Rules: a.Store, Users: a.Store, Incidents: a.Store, IncidentMoves: a.Store, IncidentReading: a.Store, IncidentTasks: a.Store, IncidentComments: a.Store, Groupings: a.Store,
		Jobs: jobs{a.Store, a},
		Feed: liveFeed{a.tail}, Running: a, Journal: a.Store, Bounds: a.cfg.journalBounds(), Auth: a.Auth, Version: Version,
	}
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: root, Complexity: complexity()})
	guard, err := resolvers.NewGuard(schema.Schema())
	if err != nil {
		return nil, err
	}
	if err := live.CheckSchema(schema.Schema()); err != nil {
		return nil, err
	}
	server := handler.New(schema)
	server.AddTransport(live.WebSocket{Server: a.live})
	server.AddTransport(live.Stream{Server: a.live})
	server.AddTransport(live.Streams{Server: a.live})
	server.AddTransport(transport.Options{})
	server.AddTransport(transport.GET{UseGrapQLResponseJsonByDefault: true})
	server.AddTransport(transport.POST{UseGrapQLResponseJsonByDefault: true})
	server.SetQueryCache(lru.New[*ast.QueryDocument](cachedQueries))
	server.SetParserTokenLimit(maxTokens)
	server.SetErrorPresenter(resolvers.Presenter(a.lg))
	server.SetRecoverFunc(resolvers.Recover(a.lg))
	server.Use(extension.Introspection{})
	server.Use(extension.AutomaticPersistedQuery{Cache: lru.New[string](cachedQueries)})
	server.Use(extension.FixedComplexityLimit(a.cfg.MaxComplexity))
	server.AroundResponses(a.deadline)
	server.AroundResponses(root.Loaders)
	server.AroundFields(guard.Field)
	return http.MaxBytesHandler(server, maxGraphQLBytes), nil
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

// complexity counts a list as its number of items times what one item costs.
func complexity() graph.ComplexityRoot {
	var c graph.ComplexityRoot
	c.Query.Alerts = func(child int, _ *monitor.AlertFilter, _ *monitor.AlertOrder, first int, _ *string) int {
		return listCost(child, first)
	}
	c.Query.Events = func(child int, _ *monitor.EventFilter, _ *monitor.EventOrder, first int, _ *string) int {
		return listCost(child, first)
	}
	c.Query.Rules = func(child int, _ *monitor.RuleFilter, first int, _ *string) int { return listCost(child, first) }
	c.Query.FeedConsumers = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Query.Users = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Query.Incidents = func(child int, _ *monitor.IncidentFilter, first int, _ *string) int { return listCost(child, first) }
	c.Query.Jobs = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Incident.Alerts = func(child int, _ *monitor.AlertFilter, first int, _ *string) int { return listCost(child, first) }
	c.Incident.Comments = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Incident.Timeline = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Incident.Tasks = func(child int) int { return listCost(child, 10) }
	c.Incident.AlertCounts = func(child int) int { return 20 + child }
	c.Incident.Entities = func(child int) int { return 500 + child } // it reads thousands of rows
	c.Incident.Techniques = func(child int) int { return 500 + child }
	c.Query.IncidentReport = func(child int, _ string, _ model.ReportFormat) int { return 5_000 + child }
	c.Incident.Journal = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Alert.Evidence = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Alert.Comments = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Alert.Journal = func(child, first int, _ *string) int { return listCost(child, first) }
	return c
}

func listCost(child, first int) int { return 1 + max(first, 1)*child }
