package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
	"github.com/security-monitor/secmon/resolvers"
	live "github.com/security-monitor/secmon/transport"
)

// none answers what a feed of alerts does not ask.
type none struct{}

func (none) UsersByID(context.Context, []monitor.ID) ([]*monitor.User, error) { return nil, nil }
func (none) RulesByID(context.Context, []monitor.ID) ([]*monitor.Rule, error) { return nil, nil }
func (none) Users(context.Context, page.Args) (*monitor.UserConnection, error) {
	return &monitor.UserConnection{}, nil
}

func (none) Rules(context.Context, *monitor.RuleFilter, page.Args) (*monitor.RuleConnection, error) {
	return &monitor.RuleConnection{}, nil
}
func (none) CountRules(context.Context, *monitor.RuleFilter, int) (int, error) { return 0, nil }
func (none) SetRuleEnabled(context.Context, monitor.Actor, monitor.ID, *int, bool) (*monitor.Rule, error) {
	return nil, nil
}

func (none) Events(context.Context, *monitor.EventFilter, monitor.EventOrder, page.Args) (*monitor.EventConnection, error) {
	return &monitor.EventConnection{}, nil
}

func (none) EventsByID(context.Context, []monitor.EventID) ([]*monitor.Event, error) { return nil, nil }
func (none) EventsOfBatch(context.Context, monitor.ID) ([]*monitor.Event, error)     { return nil, nil }

// graphqlServer is the schema and the resolvers of the product over the journal
// in memory.
func graphqlServer(source resolvers.Feed, lg *slog.Logger) *handler.Server {
	root := &resolvers.Resolver{Feed: source, Users: none{}, Rules: none{}, Events: none{}}
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: root})
	guard, err := resolvers.NewGuard(schema.Schema())
	if err != nil {
		panic(err)
	}
	server := handler.New(schema)
	server.SetQueryCache(lru.New[*ast.QueryDocument](1_000))
	server.SetErrorPresenter(resolvers.Presenter(lg))
	server.AroundResponses(root.Loaders)
	server.AroundFields(guard.Field)
	return server
}

var viewer = &monitor.Viewer{Token: &monitor.APIToken{ID: monitor.ID{1}, Name: "bench", Scopes: []monitor.Scope{monitor.ScopeRead}}}

// secmon is the product's own transport.
func secmon(tail *feed.Tail, lg *slog.Logger) (http.Handler, func() figures) {
	limits := feed.DefaultLimits
	limits.Groups = 1 << 20 // the scenario without any sharing
	var server *live.Server
	hub := feed.NewHub(tail, limits, func(ctx context.Context, entries []monitor.Entry) { server.Access(ctx, entries) }, lg)
	bounds := live.DefaultLimits
	bounds.Connections, bounds.Subscriptions = 1<<20, 1<<20
	server = live.NewServer(live.Options{
		Hub: hub, Limits: bounds, Present: resolvers.Presenter(lg), Log: lg, Replica: "bench",
		Authenticate: func(context.Context, string) (*monitor.Viewer, error) { return viewer, nil },
		Recheck:      func(context.Context, *monitor.Viewer) error { return nil },
		Failure:      func(context.Context) error { return nil },
	})
	go hub.Run(context.Background())
	handler := graphqlServer(lockstep{tail}, lg)
	handler.AddTransport(live.WebSocket{Server: server})
	return handler, func() figures {
		return figures{Executions: hub.Stats.Executions.Load(), Groups: hub.Stats.Groups.Load(), Replayed: hub.Stats.Replayed.Load(), Lagged: hub.Stats.Lagged.Load()}
	}
}

// lockstep lets the transport hand out the pages.
type lockstep struct{ *feed.Tail }

func (f lockstep) Subscribe(ctx context.Context, after *monitor.Position) (resolvers.Stream, monitor.Position, error) {
	return f.Tail.Subscribe(ctx, after)
}
func (lockstep) Pages(ctx context.Context) (resolvers.Pages, error) { return live.PagesFrom(ctx) }

// stock is gqlgen's own transport: an execution for each subscriber.
func stock(tail *feed.Tail, lg *slog.Logger) (http.Handler, func() figures) {
	own := &alone{Tail: tail}
	handler := graphqlServer(own, lg)
	handler.AddTransport(transport.Websocket{
		PingPongInterval: 20 * time.Second, MissingPongOk: true,
		InitFunc: func(ctx context.Context, _ transport.InitPayload) (context.Context, *transport.InitPayload, error) {
			return monitor.WithViewer(ctx, viewer), nil, nil
		},
	})
	return handler, func() figures { return figures{Executions: own.executions.Load()} }
}

// alone gives every subscription its own pages of the journal, at its own pace.
type alone struct {
	*feed.Tail
	executions atomic.Int64
}

func (f *alone) Subscribe(ctx context.Context, after *monitor.Position) (resolvers.Stream, monitor.Position, error) {
	return f.Tail.Subscribe(ctx, after)
}

func (f *alone) Pages(ctx context.Context) (resolvers.Pages, error) {
	var from *monitor.Position
	if after, _ := graphql.GetOperationContext(ctx).Variables["after"].(string); after != "" {
		position, err := monitor.ParseCursor(after)
		if err != nil {
			return nil, err
		}
		from = &position
	}
	stream, at, err := f.Tail.Subscribe(ctx, from)
	return &ownPages{feed: f, stream: stream, at: at, first: true}, err
}

type ownPages struct {
	feed   *alone
	stream *feed.Subscription
	at     monitor.Position
	first  bool
}

func (p *ownPages) Next(ctx context.Context) (monitor.JournalPage, error) {
	if p.first {
		p.first = false
		return monitor.JournalPage{From: p.at, At: p.at, Greet: true}, nil
	}
	entries, err := p.stream.Next(ctx, 256)
	if err != nil {
		return monitor.JournalPage{}, err
	}
	from := p.at
	p.at = p.feed.PositionOf(entries[len(entries)-1])
	return monitor.JournalPage{Entries: entries, From: from, At: p.at}, nil
}

func (p *ownPages) Answer(n int, _ error) { p.feed.executions.Add(int64(n)) }
