// Package transport carries GraphQL over WebSocket (graphql-transport-ws) and
// server-sent events (graphql-sse): it speaks the protocols, guards the
// connections, and runs each subscription once for all who want the same. Which
// entries a feed shows is the resolvers' matter; in which order and from where
// on is feed's.
package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// Limits bound what clients can take of a replica.
type Limits struct {
	Total         int           // connections of all
	Waiting       int           // of those, sockets that nobody has logged in on yet
	Connections   int           // of one user or token
	Subscriptions int           // of one user or token
	PerConnection int           // operations of one connection at once
	Queries       int           // queries and mutations of one connection at once
	MessageBytes  int64         // of one message from a client
	InitTime      time.Duration // until connection_init
	KeepAlive     time.Duration // between pings; load balancers cut silent connections at 60 s
}

// DefaultLimits suit a pod of 256 MiB.
var DefaultLimits = Limits{
	Total: 20_000, Waiting: 2_000, Connections: 200, Subscriptions: 1_000, PerConnection: 200, Queries: 8,
	MessageBytes: 1 << 20, InitTime: 10 * time.Second, KeepAlive: 20 * time.Second,
}

// Options of a Server. All but Lagging are needed.
type Options struct {
	Hub     *feed.Hub
	Limits  Limits
	Replica string // its name among the replicas
	// Authenticate gives the viewer of an Authorization value in connection_init.
	Authenticate func(ctx context.Context, authorization string) (*monitor.Viewer, error)
	// Recheck fails when the viewer's rights are not what they were.
	Recheck func(ctx context.Context, v *monitor.Viewer) error
	// Failure gives why a request's credential was refused, nil when it was not.
	Failure func(ctx context.Context) error
	Present graphql.ErrorPresenterFunc
	Log     *slog.Logger
	// Lagging is told once of each consumer that is behind for longer than
	// LagBound, or whose connection was ended because it did not read. It must not wait.
	Lagging  func(*monitor.FeedConsumer)
	LagBound time.Duration
}

// Stats count connections and what became of them, from the start on.
type Stats struct {
	Connections atomic.Int64 // now
	Opened      atomic.Int64
	Slow        atomic.Int64 // ended because the client did not read
	Revoked     atomic.Int64 // ended because a right was withdrawn or ran out
	Refused     atomic.Int64 // connections and operations refused by a limit
	Messages    atomic.Int64 // from clients
}

// Server holds all live connections. It is safe for concurrent use.
type Server struct {
	Options
	Stats Stats

	work     chan func() // what needs a deep stack runs on few goroutines
	quick    chan func() // so does what never waits, which what waits must not hold up
	running  sync.WaitGroup
	stop     chan struct{}
	stopping atomic.Bool
	nextID   atomic.Uint64
	touched  atomic.Uint64 // grows with each entry that changes somebody's rights
	names    keyNames
	streams  reservations

	left       chan struct{} // told of each connection that is over; one place is enough for who counts them
	mu         sync.Mutex
	live       map[*connection]struct{}
	waiting    int                       // sockets that nobody has logged in on yet
	principals map[monitor.ID]*principal // by user or token
}

// principal is one user or token with everything that it has open.
type principal struct {
	id            monitor.ID
	connections   map[*connection]struct{}
	subscriptions int
}

// NewServer starts the goroutines that a server needs; Close ends them.
func NewServer(o Options) *Server {
	s := &Server{
		Options: o, work: make(chan func()), quick: make(chan func()), stop: make(chan struct{}),
		left: make(chan struct{}, 1), live: map[*connection]struct{}{}, principals: map[monitor.ID]*principal{},
	}
	for range 4 * runtime.GOMAXPROCS(0) {
		s.running.Go(func() { s.worker(s.work) })
	}
	for range runtime.GOMAXPROCS(0) {
		s.running.Go(func() { s.worker(s.quick) })
	}
	s.running.Go(s.watch)
	return s
}

// CheckSchema fails when a subscription does not say that it may be shared: what
// says nothing is not executed for many.
func CheckSchema(schema *ast.Schema) error {
	for _, field := range schema.Subscription.Fields {
		if field.Directives.ForName("shared") == nil && field.Name[0] != '_' {
			return fmt.Errorf("schema: Subscription.%s needs @shared", field.Name)
		}
	}
	return nil
}

func (s *Server) worker(work <-chan func()) {
	for {
		select {
		case f := <-work:
			s.guard(f)
		case <-s.stop:
			return
		}
	}
}

// guard keeps a panic of one client's operation from ending the others.
func (s *Server) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("transport: panic", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f()
}

// do runs f on a worker and waits for it; false when the server has stopped.
func (s *Server) do(work chan<- func(), f func()) bool {
	done := make(chan struct{})
	select {
	case work <- func() { defer close(done); f() }:
		<-done
		return true
	case <-s.stop:
		return false
	}
}

// watch looks at all connections once a second: pings, expired tokens, silence.
func (s *Server) watch() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-ticker.C:
			for _, c := range s.connections() {
				c.tick(now)
			}
			s.streams.expire(now)
		}
	}
}

func (s *Server) connections() []*connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*connection, 0, len(s.live))
	for c := range s.live {
		all = append(all, c)
	}
	return all
}

// register takes a connection in; false when the server stops or is full.
func (s *Server) register(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return false
	}
	if len(s.live) >= s.Limits.Total || c.kind == kindSocket && s.waiting >= s.Limits.Waiting {
		s.Stats.Refused.Add(1)
		return false
	}
	if c.kind == kindSocket {
		c.waits = true
		s.waiting++
	}
	s.live[c] = struct{}{}
	s.Stats.Connections.Add(1)
	s.Stats.Opened.Add(1)
	return true
}

// admit counts a connection for its viewer; an error when there are too many, or
// the connection is over.
func (s *Server) admit(c *connection, v *monitor.Viewer) error {
	id := v.Actor().ID
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.live[c]; !ok {
		return context.Canceled // leave has been, and would not come again
	}
	p := s.principals[id]
	if p == nil {
		p = &principal{id: id, connections: map[*connection]struct{}{}}
		s.principals[id] = p
	}
	if len(p.connections) >= s.Limits.Connections {
		s.Stats.Refused.Add(1)
		return tooMany("connections", s.Limits.Connections)
	}
	p.connections[c] = struct{}{}
	c.principal = p
	s.settle(c)
	return nil
}

// settle notes that a connection does not wait for its login any more. Callers hold mu.
func (s *Server) settle(c *connection) {
	if c.waits {
		c.waits = false
		s.waiting--
	}
}

// leave forgets a connection that is over.
func (s *Server) leave(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.live[c]; !ok {
		return
	}
	delete(s.live, c)
	select {
	case s.left <- struct{}{}:
	default: // who counts has not looked since the last one
	}
	s.settle(c)
	s.Stats.Connections.Add(-1)
	if p := c.principal; p != nil {
		delete(p.connections, c)
		if len(p.connections) == 0 && s.principals[p.id] == p {
			delete(s.principals, p.id)
		}
	}
}

// take counts a subscription for the connection's principal, which give takes
// back from: by then another one of the same name may have begun.
func (s *Server) take(c *connection) (*principal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := c.principal
	if _, ok := s.live[c]; !ok || p == nil {
		return nil, context.Canceled // the connection is over
	}
	if p.subscriptions >= s.Limits.Subscriptions {
		s.Stats.Refused.Add(1)
		return nil, tooMany("subscriptions", s.Limits.Subscriptions)
	}
	p.subscriptions++
	return p, nil
}

func (s *Server) give(p *principal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.subscriptions--
}

func tooMany(limit string, n int) error {
	err := monitor.Errorf(monitor.CodeRateLimited, "too many %s at once (%d)", limit, n)
	err.Details = map[string]any{"limit": limit, "max": n}
	return err
}

// Access ends the connections of those who lose a right by these entries. The
// hub calls it before it hands the entries to anybody. nil: anything may have
// changed, everybody has to log in again.
func (s *Server) Access(ctx context.Context, entries []monitor.Entry) {
	if entries == nil {
		for _, c := range s.connections() {
			c.close(closeServiceRestart, "the database was replaced")
		}
		return
	}
	touched := map[monitor.ID]struct{}{}
	for i := range entries {
		for _, change := range entries[i].Body.Changes {
			if id, ok := principalOf(change); ok {
				touched[id] = struct{}{}
			}
		}
	}
	s.touched.Add(uint64(len(touched)))
	for id := range touched {
		s.recheck(ctx, id)
	}
}

// principalOf gives whose rights a change touches.
func principalOf(c monitor.Change) (monitor.ID, bool) {
	switch c.Kind {
	case monitor.KindUser, monitor.KindAPIToken:
		return c.ID, true
	case monitor.KindSession:
		if c.Action == monitor.ActionSessionLogin {
			return monitor.ID{}, false
		}
		session, _, err := monitor.States[monitor.Session](c)
		if err == nil {
			return session.UserID, true
		}
	}
	return monitor.ID{}, false
}

// recheck looks at the rights of all connections of a user, with the tokens that
// they own, or of a token, once for each login and token.
func (s *Server) recheck(ctx context.Context, id monitor.ID) {
	known := map[monitor.ID]error{}
	for _, c := range s.connections() {
		v := c.who()
		if v == nil || !rightsHangOn(v, id) {
			continue
		}
		credential := v.SessionID
		if v.Token != nil {
			credential = v.Token.ID
		}
		err, ok := known[credential]
		if !ok {
			checkCtx, cancel := context.WithTimeout(ctx, 5*time.Second)
			err = s.Recheck(checkCtx, v)
			cancel()
			known[credential] = err
		}
		switch {
		case err == nil:
		case monitor.CodeOf(err) == monitor.CodeUnauthenticated, monitor.CodeOf(err) == monitor.CodeForbidden:
			s.Stats.Revoked.Add(1)
			c.close(closeForbidden, "Forbidden")
		default: // nobody knows: better none than too much
			c.close(closeTryLater, "the rights could not be checked")
		}
	}
}

// rightsHangOn tells whether a viewer is that user or token, or a token of that user.
func rightsHangOn(v *monitor.Viewer, id monitor.ID) bool {
	if v.Token != nil {
		return v.Token.ID == id || v.Token.OwnerID == id
	}
	return v.User != nil && v.User.ID == id
}

// Drain ends all connections with 1012, spread at random over at most within, so
// that not all clients come to the other replicas in one moment, and waits until
// each client has hung up or had the time to. New ones are refused. It gives how
// many were still open when ctx ended.
func (s *Server) Drain(ctx context.Context, within time.Duration) (open int) {
	s.dismiss(ctx, within)
	for {
		if open = len(s.connections()); open == 0 {
			return 0
		}
		select {
		case <-s.left:
		case <-ctx.Done():
			return open
		}
	}
}

// dismiss tells all clients that the server restarts.
func (s *Server) dismiss(ctx context.Context, within time.Duration) {
	s.stopping.Store(true)
	all := s.connections()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	step := min(within/time.Duration(len(all)+1), time.Millisecond)
	for _, c := range all {
		c.close(closeServiceRestart, "the server restarts")
		select {
		case <-time.After(step):
		case <-ctx.Done():
			step = 0
		}
	}
}

// Close ends what Drain has left, and waits for all goroutines. The hub may be
// closed before or after.
func (s *Server) Close() {
	s.dismiss(context.Background(), 0)
	close(s.stop)
	for _, c := range s.connections() {
		c.out.conn.Close() //nolint:errcheck,gosec // it had its time
	}
	s.running.Wait()
}

// present gives errors the form of all others.
func (s *Server) present(ctx context.Context, err error) gqlerror.List {
	var refused operationError
	if errors.As(err, &refused) {
		return refused.list
	}
	return gqlerror.List{s.Present(ctx, err)}
}

// unavailable answers a request that comes while the server stops, or is full.
func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusServiceUnavailable, monitor.Errorf(monitor.CodeUnavailable, "this replica takes no more live connections; try again"))
}

// closed tells whether new connections are turned away.
func (s *Server) closed() bool {
	return s.stopping.Load() || s.Stats.Connections.Load() >= int64(s.Limits.Total)
}

// crowded tells whether too many sockets wait for their login already.
func (s *Server) crowded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting >= s.Limits.Waiting
}
