package feed

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/trace"
)

// How often the journal itself is asked: rarely while Redis tells of every
// entry, often while it does not. And how many entries one read takes.
const (
	pollWithBus    = 2 * time.Second
	pollWithoutBus = 250 * time.Millisecond
	readLimit      = 256
	ringBytes      = 32 << 20
)

// Bus carries committed entries between replicas. It may lose, repeat and
// reorder: the Tail puts right whatever arrives.
type Bus interface {
	// Publish tells all replicas of entries; the error is for the log only.
	Publish(ctx context.Context, epoch uint64, entries []monitor.Entry) error
	// Listen calls receive for what arrives until ctx ends, and reconnects by
	// itself. up is called with every change of whether messages can arrive.
	Listen(ctx context.Context, receive func(Message), up func(bool))
}

// Message is what a Bus delivers: entries, or, when they were too large to
// carry, only the number of the newest.
type Message struct {
	Epoch   uint64
	Seq     uint64
	Entries []Arrival
}

// Arrival is an entry that did not come out of the journal itself.
type Arrival struct {
	monitor.Entry
	// Raw is the body as it is stored. The entry counts only when its hash
	// continues the journal's chain, so that nobody can slip one in through
	// Redis. Nil for what this process has just committed.
	Raw []byte
}

func (a *Arrival) continues(head *monitor.Entry) bool {
	return a.Raw == nil || monitor.ChainHash(head.Hash, a.Seq, a.Raw) == a.Hash
}

// Tail follows the journal in this process. Every subscription reads from it.
type Tail struct {
	log Log
	bus Bus
	lg  *slog.Logger

	wake    chan struct{} // capacity 1: something may have come
	publish chan commit   // for the other replicas; what does not fit, they find by polling

	// Stats count from the start on.
	Stats TailStats

	mu      sync.Mutex
	epoch   uint64
	journal int           // how many journals this process has seen: grows when one replaces another
	head    monitor.Entry // the newest entry seen: Seq and Hash
	ring    ring
	early   map[uint64]Arrival // arrived before the ones ahead of them; bounded
	busUp   bool
	changed chan struct{} // closed and replaced when head moves
}

// TailStats count what a tail does.
type TailStats struct {
	Published   atomic.Int64 // entries told to the other replicas
	Unpublished atomic.Int64 // entries that could not be told; replicas find them by polling
	Unreadable  atomic.Int64 // times that the journal could not be read
}

// commit is what a commit of this process wrote.
type commit struct {
	ctx     context.Context // of the commit's trace
	entries []monitor.Entry
}

// maxEarly bounds what arrives ahead of a gap; beyond it the journal is read
// anyway. maxPublish bounds the commits that wait for Redis.
const (
	maxEarly   = 1_024
	maxPublish = 256
)

// NewTail prepares to follow the log. A nil bus means that only the log is asked.
func NewTail(log Log, bus Bus, lg *slog.Logger) *Tail {
	return &Tail{
		log: log, bus: bus, lg: lg, wake: make(chan struct{}, 1), publish: make(chan commit, maxPublish),
		changed: make(chan struct{}), ring: ring{limit: ringBytes}, early: map[uint64]Arrival{},
	}
}

// Start finds the head of the journal. After it subscriptions are possible.
func (t *Tail) Start(ctx context.Context) error {
	head, err := t.log.Head(ctx)
	if err != nil {
		return fmt.Errorf("start feed: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epoch, t.head = head.Epoch, monitor.Entry{Seq: head.Seq}
	if head.Seq > 0 {
		entry, found, err := t.log.Entry(ctx, head.Seq)
		if err != nil || !found {
			return fmt.Errorf("start feed: newest entry %d: found %t: %w", head.Seq, found, err)
		}
		t.head = entry
	}
	return nil
}

// Run follows the journal until ctx ends. It is the only goroutine that moves
// the head, apart from Listen and the publisher, which it owns and waits for.
func (t *Tail) Run(ctx context.Context) {
	var others sync.WaitGroup
	defer others.Wait()
	if t.bus != nil {
		others.Go(func() { t.bus.Listen(ctx, t.receive, t.setBusUp) })
		others.Go(func() { t.publishAll(ctx) })
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-timer.C:
		}
		if err := t.catchUp(ctx); err != nil && ctx.Err() == nil {
			t.Stats.Unreadable.Add(1)
			t.lg.Warn("feed: journal not readable, trying again", "error", err)
		}
		timer.Reset(t.pollInterval())
	}
}

// Committed takes the entries of a commit of this process and passes them on to
// the other replicas. It never waits for Redis. Of ctx the trace alone counts.
func (t *Tail) Committed(ctx context.Context, entries []monitor.Entry) {
	t.mu.Lock()
	m := Message{Epoch: t.epoch, Seq: entries[len(entries)-1].Seq}
	t.mu.Unlock()
	for _, e := range entries {
		m.Entries = append(m.Entries, Arrival{Entry: e})
	}
	t.receive(m)
	select {
	case t.publish <- commit{trace.Only(ctx), entries}:
	default: // Redis is slow or gone
		t.Stats.Unpublished.Add(int64(len(entries)))
	}
}

func (t *Tail) publishAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-t.publish:
			t.mu.Lock()
			epoch := t.epoch
			t.mu.Unlock()
			traced, span := trace.Join(ctx, []context.Context{c.ctx}, "feed publish")
			span.Count("secmon.entries", len(c.entries))
			if err := t.bus.Publish(traced, epoch, c.entries); err != nil {
				t.Stats.Unpublished.Add(int64(len(c.entries)))
				span.Fail("not published")
				if ctx.Err() == nil {
					t.lg.Debug("feed: not published, replicas will poll", "seq", c.entries[0].Seq, "error", err)
				}
			} else {
				t.Stats.Published.Add(int64(len(c.entries)))
			}
			span.End()
		}
	}
}

// receive takes what a bus or a commit brings, in whatever order.
func (t *Tail) receive(m Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m.Epoch != t.epoch {
		t.poke() // a restore: the next read of the head finds out
		return
	}
	for _, e := range m.Entries {
		if e.Seq > t.head.Seq && len(t.early) < maxEarly {
			t.early[e.Seq] = e
		}
	}
	moved := t.takeEarly()
	if m.Seq > t.head.Seq {
		t.poke() // something between is missing
	}
	if moved {
		t.announce()
	}
}

// takeEarly moves the head over what has become contiguous. Callers hold mu.
func (t *Tail) takeEarly() (moved bool) {
	for {
		a, ok := t.early[t.head.Seq+1]
		if !ok {
			return moved
		}
		if !a.continues(&t.head) {
			delete(t.early, a.Seq)
			t.lg.Warn("feed: an entry on redis is not the journal's", "seq", a.Seq)
			return moved
		}
		t.advance(a.Entry)
		moved = true
	}
}

// advance makes e, which follows the head, the new head. Callers hold mu.
func (t *Tail) advance(e monitor.Entry) {
	delete(t.early, e.Seq)
	t.ring.push(e)
	t.head = e
}

// announce wakes all subscriptions. Callers hold mu.
func (t *Tail) announce() {
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *Tail) poke() {
	select {
	case t.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (t *Tail) setBusUp(up bool) {
	t.mu.Lock()
	t.busUp = up
	t.mu.Unlock()
	t.poke() // what was said while it was down is in the journal
}

// BusUp tells whether entries of other replicas reach this one at once; else the
// journal itself is asked often.
func (t *Tail) BusUp() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.busUp
}

func (t *Tail) pollInterval() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bus != nil && t.busUp {
		return pollWithBus
	}
	return pollWithoutBus
}

// catchUp reads the journal behind the head until there is no more.
func (t *Tail) catchUp(ctx context.Context) error {
	if err := t.checkJournal(ctx); err != nil {
		return err
	}
	for {
		t.mu.Lock()
		seq := t.head.Seq
		t.mu.Unlock()
		readCtx, cancel := context.WithTimeout(ctx, 10*time.Second)
		entries, err := t.log.Entries(readCtx, seq, readLimit)
		cancel()
		if err != nil {
			return err
		}
		t.take(entries)
		if len(entries) < readLimit {
			return nil
		}
	}
}

// take adds entries read from the journal; some may have come by the bus meanwhile.
func (t *Tail) take(entries []monitor.Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	moved := false
	for _, e := range entries {
		switch {
		case e.Seq == t.head.Seq+1:
			t.advance(e)
			moved = true
		case e.Seq > t.head.Seq+1:
			// The journal is dense: only retention cuts it, and it cuts old ones.
			t.lg.Error("feed: journal has a hole", "behind", t.head.Seq, "next", e.Seq)
			t.ring = ring{limit: ringBytes}
			t.advance(e)
			moved = true
		}
	}
	if t.takeEarly() || moved {
		t.announce()
	}
}

// checkJournal notices that the journal is another one than before: restored
// from a backup (another epoch), or failed over to a server that lost the newest
// commits (shorter, or with another entry where the head was). Then nothing that
// is in memory counts any more, and no subscription may go on unchecked.
func (t *Tail) checkJournal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	t.mu.Lock()
	epoch, seen := t.epoch, t.head // before the look: commits of this process move the head meanwhile
	t.mu.Unlock()
	head, err := t.log.Head(ctx)
	if err != nil {
		return err
	}
	same := head.Epoch == epoch && head.Seq >= seen.Seq
	if same && seen.Seq > 0 {
		entry, found, err := t.log.Entry(ctx, seen.Seq)
		if err != nil {
			return err
		}
		same = !found || entry.Hash == seen.Hash // past retention is not another
	}
	if same {
		return nil
	}
	newest := monitor.Entry{}
	if head.Seq > 0 {
		var found bool
		if newest, found, err = t.log.Entry(ctx, head.Seq); err != nil || !found {
			return fmt.Errorf("newest entry %d: found %t: %w", head.Seq, found, err)
		}
	}
	t.lg.Warn("feed: the journal is another one now", "epoch", head.Epoch, "seq", head.Seq, "was", seen.Seq)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epoch, t.head, t.ring = head.Epoch, newest, ring{limit: ringBytes}
	t.journal++
	clear(t.early)
	t.announce()
	return nil
}

// Position is the place behind the newest entry that this process has seen.
func (t *Tail) Position() monitor.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.positionOf(t.head)
}

// PositionOf is the place behind an entry.
func (t *Tail) PositionOf(e monitor.Entry) monitor.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.positionOf(e)
}

func (t *Tail) positionOf(e monitor.Entry) monitor.Position {
	p := monitor.Position{Epoch: t.epoch, Seq: e.Seq}
	if e.Seq > 0 {
		p.Tag = monitor.TagOf(e.Hash)
	}
	return p
}
