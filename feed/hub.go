package feed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Limits bound what subscribers can take of a replica.
type Limits struct {
	Groups     int           // distinct operations that run at once
	Renders    int           // pages rendered at once: more would only take turns on the processors
	Replays    int           // of those, pages for subscriptions that are behind; more wait for their turn
	JoinTime   time.Duration // how long a subscription may take to begin
	CacheBytes int           // frames kept for those who come back
	RenderTime time.Duration // how long rendering is tried while the database fails
	Pause      time.Duration // between two messages of a busy group
	Linger     time.Duration // how long a group outlives its last member
}

// DefaultLimits suit a pod of 256 MiB.
var DefaultLimits = Limits{
	Groups: 4_096, Renders: 32, Replays: 16, JoinTime: 8 * time.Second, CacheBytes: 16 << 20,
	RenderTime: 30 * time.Second, Pause: 100 * time.Millisecond, Linger: 5 * time.Second,
}

// Access is told of every journal entry before any subscriber gets it, so that
// whoever loses a right gets nothing that came later. It is called in order,
// from one goroutine. nil entries mean that anything may have changed.
type Access func(ctx context.Context, entries []monitor.Entry)

// Stats count what a hub does, from its start on.
type Stats struct {
	Members    atomic.Int64 // now
	Groups     atomic.Int64 // now
	Executions atomic.Int64 // messages made, each by one execution of an operation
	Deliveries atomic.Int64 // messages handed to subscribers
	Replayed   atomic.Int64 // pages rendered for those who were behind
	CacheHits  atomic.Int64 // pages that had been rendered already
	Lagged     atomic.Int64 // times that a subscriber fell behind because it read too slowly
	Refused    atomic.Int64 // subscriptions refused by a limit
}

// Hub runs one operation for all subscribers with the same key, its group, and
// hands each message to all of them.
type Hub struct {
	Stats  Stats
	tail   *Tail
	limits Limits
	access Access
	delay  func(time.Duration)
	lg     *slog.Logger

	ctx     context.Context // ends all groups
	cancel  context.CancelFunc
	running sync.WaitGroup
	renders chan struct{}
	replays chan struct{}

	cacheMu sync.Mutex
	cache   *frameCache

	mu      sync.Mutex
	groups  map[string]*Group
	gate    monitor.Position // entries up to here have passed Access
	journal int              // the journal that gate counts in
	moved   chan struct{}    // closed and replaced when gate moves
}

// NewHub prepares a hub on a tail that was started. access may be nil.
func NewHub(tail *Tail, limits Limits, access Access, lg *slog.Logger) *Hub {
	if access == nil {
		access = func(context.Context, []monitor.Entry) {}
	}
	h := &Hub{
		tail: tail, limits: limits, access: access, delay: func(time.Duration) {}, lg: lg, renders: make(chan struct{}, limits.Renders), replays: make(chan struct{}, limits.Replays),
		cache: newFrameCache(limits.CacheBytes), groups: map[string]*Group{}, moved: make(chan struct{}),
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	tail.mu.Lock()
	h.gate, h.journal = tail.positionOf(tail.head), tail.journal
	tail.mu.Unlock()
	return h
}

// OnDelay sets who hears how old each message is when it has been handed to those
// at the head: from the transaction of its oldest entry on, by the clock of the
// replica that wrote it. Call it before Run.
func (h *Hub) OnDelay(f func(time.Duration)) { h.delay = f }

// Run lets entries pass, in order, until ctx ends.
func (h *Hub) Run(ctx context.Context) {
	h.running.Go(h.sweep)
	for ctx.Err() == nil {
		h.mu.Lock()
		at, journal := h.gate, h.journal
		h.mu.Unlock()
		entries, wait, err := h.tail.read(ctx, journal, at.Seq, readLimit)
		switch {
		case monitor.CodeOf(err) == monitor.CodeCursorExpired:
			// Another journal, or this replica slept past retention: the groups find
			// out by themselves. Who may see what is not known any more.
			h.access(ctx, nil)
			h.tail.mu.Lock()
			at, journal = h.tail.positionOf(h.tail.head), h.tail.journal
			h.tail.mu.Unlock()
			h.open(journal, at)
		case err != nil:
			h.lg.Warn("feed: journal not readable, trying again", "error", err)
			sleep(ctx, pollWithoutBus)
		case len(entries) == 0:
			select {
			case <-ctx.Done():
			case <-wait:
			}
		default:
			h.access(ctx, entries)
			h.open(journal, h.tail.PositionOf(entries[len(entries)-1]))
		}
	}
}

// open lets entries up to a position through.
func (h *Hub) open(journal int, at monitor.Position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gate, h.journal = at, journal
	close(h.moved)
	h.moved = make(chan struct{})
}

// passed gives how far entries have passed, and what is closed when more do.
func (h *Hub) passed() (journal int, at monitor.Position, moved <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.journal, h.gate, h.moved
}

// Close ends all groups; their members hear nothing more. Run must have been
// told to end.
func (h *Hub) Close() {
	h.cancel()
	h.running.Wait()
}

// Subscribe reads the journal as Tail.Subscribe does, but an entry comes when it
// has passed Access.
func (h *Hub) Subscribe(ctx context.Context, after *monitor.Position) (*Subscription, monitor.Position, error) {
	s, at, err := h.tail.Subscribe(ctx, after)
	if err == nil {
		s.gate = h.passed
	}
	return s, at, err
}

// Head is the newest position that subscribers can have.
func (h *Hub) Head() monitor.Position { return h.tail.Position() }

// Joining says what somebody wants to subscribe to.
type Joining struct {
	// Key is equal for those, and only those, who get the same messages.
	Key string
	// Start begins to execute the operation; it is called for the first of a group.
	Start func(ctx context.Context) (Renderer, error)
	// Latest starts an operation whose newest message alone counts, in place of Start.
	Latest func(ctx context.Context) (Source, error)
	// After is the position to go on from; nil: now.
	After *monitor.Position
}

// Join makes out a member of the group of the key. It fails with CURSOR_EXPIRED,
// with RATE_LIMITED when there are too many groups, with UNAVAILABLE when the
// journal cannot be read now, and with what the operation says when it cannot start.
func (h *Hub) Join(ctx context.Context, j Joining, out Member) (*Membership, error) {
	timed, cancel := context.WithTimeout(ctx, h.limits.JoinTime)
	defer cancel()
	g, head, err := h.find(timed, j)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = errAway
	}
	if err != nil {
		return nil, err
	}
	m := &Membership{group: g, out: out, index: -1, behind: time.Now()}
	if j.After != nil {
		m.at = *j.After
	} else {
		m.at = head // the group may be on its way there
	}
	h.Stats.Members.Add(1)
	h.running.Go(m.follow)
	return m, nil
}

var errAway = monitor.Errorf(monitor.CodeUnavailable, "the journal cannot be read; try again")

// find checks where a subscriber goes on from and gives its group, which reads the
// same journal that the cursor was checked against.
func (h *Hub) find(ctx context.Context, j Joining) (*Group, monitor.Position, error) {
	for {
		journal, head, err := h.agreed(ctx)
		if err != nil {
			return nil, head, err
		}
		if j.After != nil && j.Latest == nil {
			if err := h.tail.check(ctx, *j.After, head); err != nil {
				if transient(err) {
					h.lg.Warn("feed: cursor not checked", "error", err)
					err = errAway
				}
				return nil, head, err
			}
		}
		g, err := h.group(ctx, j)
		if err != nil || g.latest != nil || g.journal == journal {
			return g, head, err
		}
		if g.journal < journal { // it has not noticed yet that its journal was replaced, and ends when it does
			h.remove(g)
		}
		g.mu.Lock()
		g.release()
		g.mu.Unlock()
	}
}

// agreed waits until the gate counts in the journal that the tail follows, and
// gives that journal with its head.
func (h *Hub) agreed(ctx context.Context) (journal int, head monitor.Position, err error) {
	for {
		passed, _, moved := h.passed()
		h.tail.mu.Lock()
		journal, head = h.tail.journal, h.tail.positionOf(h.tail.head)
		h.tail.mu.Unlock()
		if passed == journal {
			return journal, head, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return 0, head, ctx.Err()
		}
	}
}

// group finds the running group of a key or starts it; the caller is counted as
// one of those who hold it.
func (h *Hub) group(ctx context.Context, j Joining) (*Group, error) {
	for {
		h.mu.Lock()
		g, ok := h.groups[j.Key]
		if !ok {
			if len(h.groups) >= h.limits.Groups && !h.evict() {
				h.mu.Unlock()
				h.Stats.Refused.Add(1)
				return nil, tooMany("groups", h.limits.Groups, "too many different subscriptions run on this replica")
			}
			g = newGroup(h, j.Key)
			h.groups[j.Key] = g
			h.Stats.Groups.Add(1)
		}
		h.mu.Unlock()
		if !ok {
			h.running.Go(func() { g.begin(j) }) // not here: the caller's time may be over first
		}
		select {
		case <-g.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if g.failed != nil {
			return nil, g.failed
		}
		if g.hold() {
			return g, nil
		}
		// It ended in this moment; the next round starts another.
		h.remove(g)
	}
}

// evict closes one group that only lingers. Callers hold mu.
func (h *Hub) evict() bool {
	for _, g := range h.groups {
		if g.endIdle(0) {
			h.drop(g)
			return true
		}
	}
	return false
}

func (h *Hub) remove(g *Group) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(g)
}

// drop forgets a group. Callers hold mu.
func (h *Hub) drop(g *Group) {
	if h.groups[g.key] == g {
		delete(h.groups, g.key)
		h.Stats.Groups.Add(-1)
	}
	h.cacheMu.Lock()
	h.cache.forget(g)
	h.cacheMu.Unlock()
}

// sweep closes groups that nobody has held for a while.
func (h *Hub) sweep() {
	for sleep(h.ctx, max(h.limits.Linger/4, 50*time.Millisecond)) {
		h.mu.Lock()
		for _, g := range h.groups {
			if g.endIdle(h.limits.Linger) {
				h.drop(g)
			}
		}
		h.mu.Unlock()
	}
}

// turn waits for the right to render a page for one who is behind. It waits as
// long as it takes: who is behind can wait, and to be refused would begin it all again.
func (h *Hub) turn(ctx context.Context) error {
	select {
	case h.replays <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func tooMany(limit string, n int, why string) error {
	err := monitor.Errorf(monitor.CodeRateLimited, "%s (%d)", why, n)
	err.Details = map[string]any{"limit": limit, "max": n}
	return err
}

// sleep waits; it is false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// retry tries f again while the database fails, for as long as the limits say.
func (h *Hub) retry(ctx context.Context, f func() error) error {
	until := time.Now().Add(h.limits.RenderTime)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := f()
		if err == nil || !transient(err) || ctx.Err() != nil {
			return err
		}
		switch {
		case time.Now().Add(pause).Before(until):
		case monitor.CodeOf(err) == monitor.CodeInternal && !errors.Is(err, context.DeadlineExceeded):
			// A fault of this operation: it alone ends.
			h.lg.Error("feed: not rendered", "error", err)
			return monitor.Errorf(monitor.CodeInternal, "something went wrong on our side")
		default:
			return monitor.Errorf(monitor.CodeUnavailable, "the feed could not be read for %s", h.limits.RenderTime)
		}
		h.lg.Warn("feed: not rendered, trying again", "error", err)
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
	}
}

// transient tells faults of the server, which may pass, from those of the request.
func transient(err error) bool {
	switch monitor.CodeOf(err) {
	case monitor.CodeInternal, monitor.CodeUnavailable, monitor.CodeTimeout:
		return true
	}
	return false
}
