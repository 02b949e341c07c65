package app

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/resolvers"
)

// Bounds of one GraphQL request, beside its cost.
const (
	maxTokens       = 15_000
	maxGraphQLBytes = 1 << 20
	cachedQueries   = 1_000
	keepAlive       = 20 * time.Second // load balancers cut at 60
	initTime        = 10 * time.Second
)

// graphql is the handler of /api/graphql: POST, GET and graphql-transport-ws.
func (a *App) graphql() (http.Handler, error) {
	present := resolvers.Presenter(a.lg)
	root := &resolvers.Resolver{
		Alerts: a.Store, Discussion: a.Store, Events: a.Store, Rules: a.Store, Users: a.Store,
		Feed: liveFeed{a.tail}, Journal: a.Store, Bounds: a.cfg.journalBounds(), Auth: a.Auth, Version: Version, Present: present,
	}
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: root, Complexity: complexity()})
	guard, err := resolvers.NewGuard(schema.Schema())
	if err != nil {
		return nil, err
	}
	server := handler.New(schema)
	server.AddTransport(transport.Websocket{
		Implementation:        sockets{app: a},
		InitFunc:              a.initSocket,
		InitTimeout:           initTime,
		KeepAlivePingInterval: 0,
		PingPongInterval:      keepAlive,
		MissingPongOk:         true,
	})
	server.AddTransport(transport.Options{})
	server.AddTransport(transport.GET{UseGrapQLResponseJsonByDefault: true})
	server.AddTransport(transport.POST{UseGrapQLResponseJsonByDefault: true})
	server.SetQueryCache(lru.New[*ast.QueryDocument](cachedQueries))
	server.SetParserTokenLimit(maxTokens)
	server.SetErrorPresenter(present)
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

// liveFeed gives the resolvers the tail in their own terms.
type liveFeed struct{ *feed.Tail }

// Subscribe begins behind after, or now.
func (f liveFeed) Subscribe(ctx context.Context, after *monitor.Position) (resolvers.Stream, monitor.Position, error) {
	return f.Tail.Subscribe(ctx, after)
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
	c.Query.Users = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Alert.Evidence = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Alert.Comments = func(child, first int, _ *string) int { return listCost(child, first) }
	c.Alert.Journal = func(child, first int, _ *string) int { return listCost(child, first) }
	return c
}

func listCost(child, first int) int { return 1 + max(first, 1)*child }

// socketState is what the parts of one WebSocket know of each other: gqlgen
// closes with 1000 whatever the reason, and a client must be told the reason.
type socketState struct {
	expires atomic.Int64 // Unix nanoseconds; 0: never
}

type socketKey struct{}

func withSocketState(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), socketKey{}, &socketState{})))
	})
}

// initSocket checks the token of connection_init. The connection ends with the
// token, and when the server stops.
func (a *App) initSocket(ctx context.Context, payload transport.InitPayload) (context.Context, *transport.InitPayload, error) {
	viewer, err := a.Auth.SocketViewer(ctx, payload.Authorization())
	if err != nil {
		ctx = transport.AppendCloseReason(ctx, "Forbidden")
		return transport.WithWebsocketCloseCode(ctx, closeForbidden), nil, err
	}
	ctx, cancel := context.WithCancel(monitor.WithViewer(ctx, viewer))
	if !viewer.ExpiresAt.IsZero() {
		if state, ok := ctx.Value(socketKey{}).(*socketState); ok {
			state.expires.Store(viewer.ExpiresAt.UnixNano())
		}
		ctx, cancel = context.WithDeadline(ctx, viewer.ExpiresAt)
	}
	context.AfterFunc(a.draining, cancel)
	return ctx, nil, nil
}

// Close codes of the graphql-transport-ws protocol, and of RFC 6455.
const (
	closeForbidden      = 4403
	closeServiceRestart = 1012
)

// sockets accepts WebSockets as gqlgen does, and puts the close codes right.
type sockets struct {
	transport.CoderWebsocketImplementation
	app *App
}

// Accept upgrades the request.
func (s sockets) Accept(w http.ResponseWriter, r *http.Request, options transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	conn, err := s.CoderWebsocketImplementation.Accept(w, r, options)
	if err != nil {
		return nil, err
	}
	state, _ := r.Context().Value(socketKey{}).(*socketState)
	return &socket{WebsocketConn: conn, state: state, app: s.app}, nil
}

type socket struct {
	transport.WebsocketConn
	state *socketState
	app   *App
}

// WriteClose tells the client why: 1012 when the server stops, 4403 when the
// token has expired, and otherwise what gqlgen means.
func (s *socket) WriteClose(code int, message string) error {
	if code == transport.WebsocketCloseNormalClosure {
		expires := s.state.expires.Load()
		switch {
		case s.app.draining.Err() != nil:
			code, message = closeServiceRestart, "the server restarts"
		case expires != 0 && time.Now().UnixNano() >= expires:
			code, message = closeForbidden, "Forbidden"
		}
	}
	return s.WebsocketConn.WriteClose(code, message)
}

// SetReadLimit bounds a message; gqlgen asks for it through this interface.
func (s *socket) SetReadLimit(limit int64) {
	if limited, ok := s.WebsocketConn.(transport.WebsocketReadLimiter); ok {
		limited.SetReadLimit(limit)
	}
}

// SetReadDeadline bounds the wait for a message.
func (s *socket) SetReadDeadline(at time.Time) error {
	if limited, ok := s.WebsocketConn.(transport.WebsocketReadDeadliner); ok {
		return limited.SetReadDeadline(at)
	}
	return nil
}
