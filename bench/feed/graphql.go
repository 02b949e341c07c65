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
	stock "github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	live "github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/resolvers"
	"github.com/security-monitor/secmon/transport"
)

// newSecmonHandler is the product's own way from the journal to the socket: one
// execution for all subscribers that want the same, as in app/live.go.
func newSecmonHandler(ctx context.Context, p *product) (http.Handler, error) {
	limits := live.DefaultLimits
	limits.Groups = 1 << 20 // also where no two subscribers want the same
	var sockets *transport.Server
	hub := live.NewHub(p.tail, limits, func(ctx context.Context, entries []monitor.Entry) { sockets.Access(ctx, entries) }, p.lg)
	bounds := transport.DefaultLimits
	bounds.Total, bounds.Connections, bounds.Subscriptions = 1<<20, 1<<20, 1<<20 // all of one user
	sockets = transport.NewServer(transport.Options{
		Hub: hub, Limits: bounds, Replica: "bench", Present: resolvers.Presenter(p.lg), Log: p.lg,
		Authenticate: func(context.Context, string) (*monitor.Viewer, error) { return viewer, nil },
		Recheck:      func(context.Context, *monitor.Viewer) error { return nil },
		Failure:      func(context.Context) error { return nil },
	})
	go hub.Run(ctx)
	server, err := p.executor(sharedFeed{p.tail})
	if err != nil {
		return nil, err
	}
	server.AddTransport(transport.WebSocket{Server: sockets})
	return server, nil
}

// sharedFeed lets the transport hand out the pages of the journal.
type sharedFeed struct{ *live.Tail }

// Subscribe begins behind after, or now.
func (f sharedFeed) Subscribe(ctx context.Context, after *monitor.Position) (resolvers.Stream, monitor.Position, error) {
	return f.Tail.Subscribe(ctx, after)
}

// Pages gives what the transport hands to the subscription that runs in ctx.
func (sharedFeed) Pages(ctx context.Context) (resolvers.Pages, error) {
	return transport.PagesFrom(ctx)
}

// newGqlgenHandler is gqlgen's stock transport: each subscriber has an execution
// of its own.
func newGqlgenHandler(p *product) (http.Handler, error) {
	server, err := p.executor(ownFeed{p.tail})
	if err != nil {
		return nil, err
	}
	server.AddTransport(stock.Websocket{
		InitFunc:         authenticate,
		InitTimeout:      time.Minute, // a reconnect storm on few cores is slow, not wrong
		PingPongInterval: 20 * time.Second,
		MissingPongOk:    true,
	})
	return server, nil
}

// authenticate lets everybody read, as a token of scope read does.
func authenticate(ctx context.Context, _ stock.InitPayload) (context.Context, *stock.InitPayload, error) {
	return monitor.WithViewer(ctx, viewer), nil, nil
}

var viewer = &monitor.Viewer{Token: &monitor.APIToken{Name: "bench", Scopes: []monitor.Scope{monitor.ScopeRead}}}

// product is the product's schema, resolvers and feed over a journal in memory.
type product struct {
	journal    *journal
	tail       *live.Tail
	lg         *slog.Logger
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
	return p, nil
}

// executor is the handler with everything but its transports.
func (p *product) executor(source resolvers.Feed) (*handler.Server, error) {
	root := &resolvers.Resolver{Events: noEvents{}, Rules: noRules{}, Users: noUsers{}, Feed: source, Version: "bench"}
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: root})
	guard, err := resolvers.NewGuard(schema.Schema())
	if err != nil {
		return nil, err
	}
	server := handler.New(schema)
	server.SetQueryCache(lru.New[*ast.QueryDocument](100))
	server.SetErrorPresenter(resolvers.Presenter(p.lg))
	server.SetRecoverFunc(resolvers.Recover(p.lg))
	server.Use(extension.FixedComplexityLimit(1_000))
	server.AroundResponses(p.count)
	server.AroundResponses(root.Loaders)
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
	p.tail.Committed(context.Background(), entries)
	return entries[len(entries)-1].Seq, nil
}

// ownFeed gives every subscription its own pages of the journal, at its own pace,
// as a server without shared execution does.
type ownFeed struct{ *live.Tail }

// Subscribe begins behind after, or now.
func (f ownFeed) Subscribe(ctx context.Context, after *monitor.Position) (resolvers.Stream, monitor.Position, error) {
	return f.Tail.Subscribe(ctx, after)
}

// Pages begins behind the variable after, or now.
func (f ownFeed) Pages(ctx context.Context) (resolvers.Pages, error) {
	var from *monitor.Position
	if after, _ := graphql.GetOperationContext(ctx).Variables["after"].(string); after != "" {
		position, err := monitor.ParseCursor(after)
		if err != nil {
			return nil, err
		}
		from = &position
	}
	stream, at, err := f.Tail.Subscribe(ctx, from)
	return &ownPages{tail: f.Tail, stream: stream, at: at}, err
}

// ownPages are the pages of one subscriber; the first tells the position.
type ownPages struct {
	tail    *live.Tail
	stream  *live.Subscription
	at      monitor.Position
	greeted bool
	sent    time.Time
}

// Next waits for a page. While it is busy, it gathers for a tenth of a second.
func (p *ownPages) Next(ctx context.Context) (monitor.JournalPage, error) {
	if !p.greeted {
		p.greeted = true
		return monitor.JournalPage{From: p.at, At: p.at, Greet: true}, nil
	}
	select {
	case <-time.After(live.DefaultLimits.Pause - time.Since(p.sent)):
	case <-ctx.Done():
		return monitor.JournalPage{}, ctx.Err()
	}
	entries, err := p.stream.Next(ctx, 256)
	if err != nil {
		return monitor.JournalPage{}, err
	}
	from := p.at
	p.at, p.sent = p.tail.PositionOf(entries[len(entries)-1]), time.Now()
	return monitor.JournalPage{Entries: entries, From: from, At: p.at}, nil
}

// Answer has nothing to do: nobody waits.
func (*ownPages) Answer(int, error) {}

// The query reaches none of these.
type (
	eventStore = resolvers.Events
	ruleStore  = resolvers.Rules
	userStore  = resolvers.Users
	noEvents   struct{ eventStore }
	noRules    struct{ ruleStore }
	noUsers    struct{ userStore }
)
