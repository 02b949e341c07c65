package transport

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	mathrand "math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// Close codes: of the graphql-transport-ws protocol, and of RFC 6455.
const (
	closeNormal         = 1000
	closeProtocol       = 1002
	closeNotText        = 1007
	closeTooBig         = 1009
	closeServiceRestart = 1012
	closeTryLater       = 1013
	closeBadMessage     = 4400
	closeUnauthorized   = 4401
	closeForbidden      = 4403
	closeSubprotocol    = 4406
	closeInitTimeout    = 4408
	closeDuplicate      = 4409
	closeTooManyInits   = 4429
)

// lagStep is how often a connection's lag is looked at, in seconds: not all at once.
const lagStep = 5

// closeTime is how long a peer has to take the last message and to hang up.
const closeTime = 2 * time.Second

// connection is one client, by WebSocket or server-sent events.
type connection struct {
	server  *Server
	exec    graphql.GraphExecutor
	id      uint64
	framing framing
	kind    string
	address string
	opened  time.Time
	out     outlet

	heard atomic.Int64 // when the client was last heard of, in Unix seconds

	// The server's mu guards these.
	waits     bool       // for its login
	principal *principal // nil until it is admitted

	mu         sync.Mutex
	viewer     *monitor.Viewer
	operations map[string]*operation
	queries    int
	nextPing   time.Time
	initBy     time.Time // zero: it has introduced itself
	closed     bool      // no operation begins any more
	ended      bool      // the socket is gone
}

// newConnection takes over conn; false when the server stops or is full. head is
// what stands before all messages.
func (s *Server) newConnection(conn net.Conn, head string, exec graphql.GraphExecutor, kind string, framing framing, address string) (*connection, bool) {
	now := time.Now()
	c := &connection{
		server: s, exec: exec, id: s.nextID.Add(1), framing: framing, kind: kind, address: address, opened: now,
		operations: map[string]*operation{},
		nextPing:   now.Add(mathrand.N(s.Limits.KeepAlive)), //nolint:gosec // spread over time
	}
	c.heard.Store(now.Unix())
	c.out.open(conn, func(f func()) { s.running.Go(f) }, c.broken)
	c.out.mu.Lock() // once it is registered, others write too
	defer c.out.mu.Unlock()
	if !s.register(c) {
		return nil, false
	}
	if head != "" {
		c.out.put(nil, []byte(head), nil)
	}
	return c, true
}

// context is what an operation of this connection runs with: nothing of the
// request that opened it, which would keep its buffers alive.
func (c *connection) context() context.Context {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	ctx := monitor.WithRequestID(context.Background(), hex.EncodeToString(b[:]))
	return graphql.StartOperationTrace(monitor.WithViewer(ctx, c.who()))
}

func (c *connection) who() *monitor.Viewer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.viewer
}

// tick does what is due.
func (c *connection) tick(now time.Time) {
	c.mu.Lock()
	viewer, initBy, ping := c.viewer, c.initBy, now.After(c.nextPing)
	if ping {
		c.nextPing = now.Add(c.server.Limits.KeepAlive)
	}
	closed := c.closed
	c.mu.Unlock()
	switch {
	case closed:
	case !initBy.IsZero() && now.After(initBy):
		c.close(closeInitTimeout, "Connection initialisation timeout")
	case viewer != nil && !viewer.ExpiresAt.IsZero() && now.After(viewer.ExpiresAt):
		c.server.Stats.Revoked.Add(1)
		c.close(closeForbidden, "Forbidden")
	case c.kind == kindSocket && now.Sub(time.Unix(c.heard.Load(), 0)) > 3*c.server.Limits.KeepAlive && !c.out.waiting():
		c.close(closeTryLater, "no pong")
	default:
		if ping {
			c.ping()
		}
		if now.Unix()%lagStep == int64(c.id%lagStep) { //nolint:gosec // a remainder
			c.watchLag()
		}
	}
}

// ping keeps the connection open and tells how far its subscriptions have come
// without a message. It never overtakes one: what was handed over meanwhile
// moves an operation's mark.
func (c *connection) ping() {
	positions := map[*operation]monitor.Position{}
	for op, membership := range c.subscriptions() {
		if !op.latest {
			positions[op], _ = membership.Position()
		}
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.busy {
		return // there is traffic
	}
	cursors := map[string]string{}
	for op, at := range positions {
		if op.told < at.Seq {
			op.told = at.Seq
			cursors[op.id] = at.Cursor()
		}
	}
	c.out.put(nil, c.framing.alive(cursors), nil)
}

// subscriptions gives the running ones.
func (c *connection) subscriptions() map[*operation]*feed.Membership {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[*operation]*feed.Membership{}
	for _, op := range c.operations {
		if op.membership != nil {
			all[op] = op.membership
		}
	}
	return all
}

// close ends all operations, says why, and hangs up. When it returns, nothing
// more is delivered.
func (c *connection) close(code int, reason string) {
	if !c.shut() {
		return
	}
	c.out.finish(c.framing.goodbye(code, reason), c.hangUp)
}

// shut ends all operations; false when that was done before.
func (c *connection) shut() bool {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return false
	}
	c.closed = true
	operations := c.operations
	c.operations = map[string]*operation{}
	c.mu.Unlock()
	for _, op := range operations {
		op.leave()
	}
	return true
}

// hangUp ends our side and gives the client a moment to end its own: closing at
// once would make the kernel throw away what the client has not read yet.
func (c *connection) hangUp() {
	_ = c.out.conn.SetReadDeadline(time.Now().Add(closeTime)) // the reader ends the rest
	if half, ok := c.out.conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	c.end()
}

// broken ends a connection that cannot be written to.
func (c *connection) broken(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.mu.Lock()
		slow := !c.closed
		c.mu.Unlock()
		if slow {
			c.server.Stats.Slow.Add(1)
			for op, membership := range c.subscriptions() {
				if c.server.Lagging != nil && !op.latest {
					c.server.Lagging(op.consumer(membership))
				}
			}
			c.server.Log.Info("feed: a client does not read, its connection is ended", "address", c.address, "connection", c.id)
		}
	}
	c.shut()
	c.end()
}

// end closes the socket and forgets the connection. The goroutine that reads it
// calls it last.
func (c *connection) end() {
	c.shut()
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended = true
	c.mu.Unlock()
	_ = c.out.conn.Close() // it is over either way
	c.server.leave(c)
}
