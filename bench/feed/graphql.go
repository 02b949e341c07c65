package feed

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	live "github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/resolvers"
)

// newSecmonHandler is the product's own way from the resolvers to the socket.
// It is the one place to change when the transport package lands; until then it
// is gqlgen's, as in app/graphql.go.
func newSecmonHandler(p *product) (http.Handler, error) { return newGqlgenHandler(p) }

// sharedExecution says that newSecmonHandler executes once for each group. Set it
// with the new transport: then the smoke test asserts it.
const sharedExecution = false

// newGqlgenHandler is gqlgen's stock transport: each subscriber has an execution
// of its own.
func newGqlgenHandler(p *product) (http.Handler, error) {
	server, err := p.executor()
	if err != nil {
		return nil, err
	}
	server.AddTransport(transport.Websocket{
		InitFunc:         authenticate,
		InitTimeout:      time.Minute, // a reconnect storm on few cores is slow, not wrong
		PingPongInterval: 20 * time.Second,
		MissingPongOk:    true,
	})
	return server, nil
}

// authenticate lets everybody read, as a token of scope read does.
func authenticate(ctx context.Context, _ transport.InitPayload) (context.Context, *transport.InitPayload, error) {
	return monitor.WithViewer(ctx, viewer), nil, nil
}

var viewer = &monitor.Viewer{Token: &monitor.APIToken{Name: "bench", Scopes: []monitor.Scope{monitor.ScopeRead}}}

// product is the product's schema, resolvers and feed over a journal in memory.
type product struct {
	journal    *journal
	tail       *live.Tail
	lg         *slog.Logger
	root       *resolvers.Resolver
	executions atomic.Int64 // responses of subscriptions
}

// newProduct follows the journal until ctx ends.
func newProduct(ctx context.Context) (*product, error) {
	p := &product{journal: &journal{}, lg: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	p.tail = live.NewTail(p.journal, nil, p.lg)
	if err := p.tail.Start(ctx); err != nil {
		return nil, err
	}
	go p.tail.Run(ctx)
	p.root = &resolvers.Resolver{
		Events: noEvents{}, Rules: noRules{}, Users: noUsers{},
		Feed: tailFeed{p.tail}, Version: "bench", Present: resolvers.Presenter(p.lg),
	}
	return p, nil
}

// executor is the handler with everything but its transports.
func (p *product) executor() (*handler.Server, error) {
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: p.root})
	guard, err := resolvers.NewGuard(schema.Schema())
	if err != nil {
		return nil, err
	}
	server := handler.New(schema)
	server.SetQueryCache(lru.New[*ast.QueryDocument](100))
	server.SetErrorPresenter(p.root.Present)
	server.SetRecoverFunc(resolvers.Recover(p.lg))
	server.Use(extension.FixedComplexityLimit(1_000))
	server.AroundResponses(p.count)
	server.AroundResponses(p.root.Loaders)
	server.AroundFields(guard.Field)
	return server, nil
}

// count counts the responses of subscriptions: one for each batch and execution.
func (p *product) count(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if response != nil {
		p.executions.Add(1)
	}
	return response
}

// commit stores events in one transaction each and tells the tail of all at once.
func (p *product) commit(events int) (uint64, error) {
	entries, err := p.journal.append(events, time.Now())
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	p.tail.Committed(entries)
	return entries[len(entries)-1].Seq, nil
}

type tailFeed struct{ *live.Tail }

// Subscribe begins behind after, or now.
func (f tailFeed) Subscribe(ctx context.Context, after *monitor.Position) (resolvers.Stream, monitor.Position, error) {
	return f.Tail.Subscribe(ctx, after)
}

// The query reaches none of these.
type (
	eventStore = resolvers.Events
	ruleStore  = resolvers.Rules
	userStore  = resolvers.Users
	noEvents   struct{ eventStore }
	noRules    struct{ ruleStore }
	noUsers    struct{ userStore }
)
