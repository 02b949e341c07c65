package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"os"
	"strings"
	"time"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/resolvers"
	live "github.com/security-monitor/secmon/transport"
)

// openLive prepares the hub, which runs each subscription once for all who want
// the same, and the server of their connections.
func (a *App) openLive() {
	// The hub tells the server who lost a right, the server joins the hub.
	a.hub = feed.NewHub(a.tail, feed.DefaultLimits, func(ctx context.Context, entries []monitor.Entry) { a.live.Access(ctx, entries) }, a.lg)
	a.hub.OnDelay(a.metrics.Feed.Delay)
	limits := live.DefaultLimits
	if a.cfg.MaxConnections > 0 {
		limits.Connections = a.cfg.MaxConnections
	}
	if a.cfg.MaxSubscriptions > 0 {
		limits.Subscriptions = a.cfg.MaxSubscriptions
	}
	a.live = live.NewServer(live.Options{
		Hub: a.hub, Limits: limits, Authenticate: a.Auth.SocketViewer, Recheck: a.Auth.Recheck, Failure: auth.Failure,
		Present: resolvers.WithoutHints(resolvers.Presenter(a.lg), a.offers), Log: a.lg, Replica: a.name, Lagging: a.alarm, LagBound: cmp.Or(a.cfg.FeedLagAlert, time.Minute),
	})
	a.closers = append(a.closers, func() error {
		a.live.Close()
		a.hub.Close()
		return nil
	})
}

// replicaName gives this process a name among the others: the pod's, or the
// machine's, and something that differs where several run on one.
func replicaName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "replica"
	}
	return host + "-" + strings.ToLower(rand.Text()[:6])
}

// drainTime is how long the connections of a stopping server are ended over, so
// that not all clients come to the other replicas at once.
func (a *App) drainTime() time.Duration { return a.cfg.Grace / 2 }

// liveFeed gives the resolvers the tail in their own terms.
type liveFeed struct {
	*feed.Tail
	hub *feed.Hub
}

// Subscribe begins behind after, or now. Who loses a right has lost it before the
// entry that says so comes.
func (f liveFeed) Subscribe(ctx context.Context, after *monitor.Position) (resolvers.Stream, monitor.Position, error) {
	return f.hub.Subscribe(ctx, after)
}

// Pages gives what the transport hands to the subscription that runs in ctx.
func (f liveFeed) Pages(ctx context.Context) (resolvers.Pages, error) { return live.PagesFrom(ctx) }

// LiveStats are figures of the live side, at this moment and from the start on.
type LiveStats struct {
	Groups, Members, Executions, Deliveries, Replayed, CacheHits, Lagged int64
	Connections, Opened, Slow, Revoked, Refused                          int64
}

// LiveStats gives the figures of this replica.
func (a *App) LiveStats() LiveStats {
	h, s := &a.hub.Stats, &a.live.Stats
	return LiveStats{
		Groups: h.Groups.Load(), Members: h.Members.Load(), Executions: h.Executions.Load(), Deliveries: h.Deliveries.Load(),
		Replayed: h.Replayed.Load(), CacheHits: h.CacheHits.Load(), Lagged: h.Lagged.Load(),
		Connections: s.Connections.Load(), Opened: s.Opened.Load(), Slow: s.Slow.Load(), Revoked: s.Revoked.Load(), Refused: s.Refused.Load() + h.Refused.Load(),
	}
}
