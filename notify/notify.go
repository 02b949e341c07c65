// Package notify owns what leaves the server by itself: it follows the journal for
// those who are told of changes, keeps what is to be sent until it has arrived, and
// sends it. It knows the HTTP of webhooks and nothing of GraphQL: what a message says
// is rendered by a feed.Renderer that the program gives it.
//
//	journal ── render ──┐                       ┌── send ── settle
//	                    ▼                       │
//	     one transaction: deliveries + position ┘   (db: delivery_queues, deliveries)
//
// A queue is worked on by one replica at a time, which holds its lease. That position
// and deliveries move together loses and doubles nothing; a crash between sending and
// settling sends again, under the same idempotency key.
package notify

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// Leases say who works on which queue. Every method but LeaseQueues and
// ReleaseQueues gives monitor.ErrLeaseLost when the lease is another's, or the queue
// is paused or switched off.
type Leases interface {
	LeaseQueues(ctx context.Context, owner string, kinds []monitor.Kind, lasts time.Duration, limit int) ([]monitor.Lease, error)
	ReleaseQueues(ctx context.Context, owner string) error
	LeasedQueue(ctx context.Context, lease monitor.Lease) (*monitor.DeliveryQueue, error)
	PauseQueue(ctx context.Context, lease monitor.Lease, reason monitor.PauseReason, text string) error
}

// Deliveries keep what is to be sent. All but DueDeliveries give monitor.ErrLeaseLost
// as Leases do, and have then changed nothing.
type Deliveries interface {
	// Enqueue makes deliveries and moves the queue's position, both or nothing.
	Enqueue(ctx context.Context, lease monitor.Lease, from, to monitor.Position, bodies [][]byte) error
	DueDeliveries(ctx context.Context, lease monitor.Lease, inOrder bool, limit int, busy []monitor.ID) (due []*monitor.Delivery, next time.Time, err error)
	SettleDelivery(ctx context.Context, lease monitor.Lease, d *monitor.Delivery, attempt monitor.DeliveryAttempt, state monitor.DeliveryState, next time.Time) error
}

// Journal is what the queues follow: entries in order, without a gap.
type Journal interface {
	// Subscribe reads behind a position, nil: from now on.
	Subscribe(ctx context.Context, after *monitor.Position) (*feed.Subscription, monitor.Position, error)
	PositionOf(entry monitor.Entry) monitor.Position
}

// Destination is one kind of receivers, such as webhooks.
type Destination interface {
	// Open says how a queue's messages are made and sent at this moment. It is asked
	// again for every page and every round of sending, so that a right that is taken
	// away counts at once. A *Stop pauses the queue; any other error is tried again.
	Open(ctx context.Context, queue monitor.ID) (Route, error)
}

// Route is how the messages of one queue are made and sent.
type Route struct {
	// Version differs when messages are made in another way than before.
	Version string
	// Start begins to make messages.
	Start func(ctx context.Context) (feed.Renderer, error)
	// Delay is how long after they were written entries are looked at.
	Delay time.Duration
	// Concurrency is how many are sent at once; 1: in order, each when the one before
	// has arrived.
	Concurrency int
	Sender      Sender
}

// Gatherer is a Renderer that gives no payloads of its pages: it sums them up. The
// queue's place stays before what has been taken in until that is told.
type Gatherer interface {
	feed.Renderer
	// Due tells when what Render took in is to be told; ok is false when there is nothing.
	Due(now time.Time) (at time.Time, ok bool)
	// Take gives the messages of what Render took in, and begins anew; none where it is
	// no news any more.
	Take(ctx context.Context) ([][]byte, error)
}

// Sender sends one message. It returns by the deadline of its context, and is used
// concurrently.
type Sender interface {
	Send(ctx context.Context, d *monitor.Delivery) Result
}

// Result is what became of a try to send. It has arrived when the attempt has no error.
type Result struct {
	monitor.DeliveryAttempt
	RetryAfter time.Duration // what the receiver asks for; 0: nothing
	Gone       bool          // it wants nothing more, ever
}

// Stop is why a queue cannot go on until somebody does something.
type Stop struct {
	Reason monitor.PauseReason
	Text   string
}

func (s *Stop) Error() string { return s.Text }

// Meter counts. Its methods do not wait.
type Meter interface {
	// Sent counts a try to send: what became of it (delivered, failed, gone, given_up).
	Sent(kind monitor.Kind, outcome string, took time.Duration)
	// Paused counts a queue that stopped by itself.
	Paused(kind monitor.Kind, reason monitor.PauseReason)
	// Holding tells how many queues this replica works on.
	Holding(n int)
}

// Limits bound what the queues of a replica take.
type Limits struct {
	Queues       int           // worked on at once; others may take what is left
	Sends        int           // under way at once, of all queues
	Renders      int           // likewise
	Page         int           // entries that one message is made of
	Waiting      int           // deliveries of one queue that wait; beyond it the journal does
	WaitingBytes int64         // likewise
	Lease        time.Duration // how long a replica that died keeps its queues
	SendTime     time.Duration // one try
	GiveUp       time.Duration // how long is tried
	FirstRetry   time.Duration
	LastRetry    time.Duration // the longest pause between two tries
}

// DefaultLimits suit a pod of 256 MiB: at most Sends bodies are in memory, and
// Renders pages.
var DefaultLimits = Limits{
	Queues: 256, Sends: 32, Renders: 4, Page: 64, Waiting: 100, WaitingBytes: 16 << 20,
	Lease: 30 * time.Second, SendTime: 15 * time.Second, GiveUp: 72 * time.Hour, FirstRetry: 5 * time.Second, LastRetry: 6 * time.Hour,
}
