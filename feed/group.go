package feed

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/security-monitor/secmon/monitor"
)

// Sizes of a page: what one message is made from at most. Replay cuts at
// multiples of pageEntries, so that all who come back share what is rendered.
const (
	pageEntries    = 256
	pageBytes      = 1 << 20
	pageEvents     = 2_000           // that the entries tell of: a feed may show them all
	progressPeriod = 5 * time.Minute // a silent group tells its position in a message of its own
)

// Source executes an operation whose newest payload alone counts.
type Source interface {
	// Next waits for a message; io.EOF when there will be none any more.
	Next(ctx context.Context) (Payload, error)
	Close()
}

// Group is one running operation and those who get its messages.
type Group struct {
	hub    *Hub
	key    string
	ctx    context.Context
	cancel context.CancelFunc
	ready  chan struct{} // closed when it runs or has failed to start
	failed error         // why it did not start; set before ready is closed

	start  func(context.Context) (Renderer, error)
	live   Renderer
	latest Source

	flight   singleflight.Group // pages for those who are behind, by where they begin
	replayMu sync.Mutex
	replay   Renderer // begun when the first one is behind

	mu       sync.Mutex
	journal  int
	pos      monitor.Position // what all attached members have
	quiet    uint64           // nothing in (quiet, pos.Seq] concerned anybody
	sent     time.Time        // the last message
	members  []*Membership    // those attached
	held     int              // members, attached or behind
	idle     time.Time        // since when held is 0
	ended    bool
	end      error // why, nil when the operation is complete
	greeting *Frame
	newest   *Frame        // of a latest group
	moved    chan struct{} // closed and replaced when pos moves or the group ends
}

func newGroup(h *Hub, key string) *Group {
	g := &Group{hub: h, key: key, ready: make(chan struct{}), moved: make(chan struct{}), idle: time.Now()}
	g.ctx, g.cancel = context.WithCancel(h.ctx)
	return g
}

// begin starts the operation.
func (g *Group) begin(j Joining) {
	defer close(g.ready)
	g.journal, g.pos, _ = g.hub.passed()
	g.quiet, g.sent, g.start = g.pos.Seq, time.Now(), j.Start
	late := time.AfterFunc(g.hub.limits.JoinTime, g.cancel)
	g.failed = g.open(j)
	if !late.Stop() {
		g.failed = errAway // nobody waits any more, and what was opened is cancelled
	}
	switch {
	case g.failed != nil:
		g.hub.remove(g)
		g.cancel()
	case j.Latest != nil:
		g.hub.running.Go(g.runLatest)
	default:
		g.hub.running.Go(g.run)
	}
}

// open begins to execute the operation. A panic ends this group, not the server.
func (g *Group) open(j Joining) (err error) {
	defer func() {
		if p := recover(); p != nil {
			g.hub.lg.Error("feed: panic", "panic", p, "stack", string(debug.Stack()))
			err = monitor.Errorf(monitor.CodeInternal, "something went wrong on our side")
		}
	}()
	if j.Latest != nil {
		g.latest, err = j.Latest(g.ctx)
		return err
	}
	g.live, err = j.Start(g.ctx)
	return err
}

// Position is what all attached members have.
func (g *Group) Position() monitor.Position {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pos
}

func (g *Group) hold() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return false
	}
	g.held++
	return true
}

// release takes back a hold. Callers hold mu.
func (g *Group) release() {
	g.held--
	if g.held == 0 {
		g.idle = time.Now()
	}
}

// endIdle ends the group when nobody has held it for d.
func (g *Group) endIdle(d time.Duration) bool {
	select {
	case <-g.ready:
	default:
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held > 0 || time.Since(g.idle) < d {
		return false
	}
	g.finish(nil)
	return true
}

// finish ends the group. Callers hold mu.
func (g *Group) finish(err error) {
	if g.ended {
		return
	}
	g.ended, g.end = true, err
	g.cancel()
	close(g.moved)
	g.moved = make(chan struct{})
}

// run follows the journal and hands each message to all attached members.
func (g *Group) run() {
	defer g.closeRenderers()
	for {
		frame, err := g.next()
		if err != nil {
			g.conclude(err)
			return
		}
		sent := g.publish(frame)
		if sent {
			g.hub.delay(time.Since(frame.oldest))
		}
		if sent && !sleep(g.ctx, g.hub.limits.Pause) {
			g.conclude(g.ctx.Err())
			return
		}
	}
}

// next waits for entries and makes them a frame.
func (g *Group) next() (*Frame, error) {
	var entries []monitor.Entry
	for len(entries) == 0 {
		journal, gate, moved := g.hub.passed()
		if journal == g.journal && gate.Seq <= g.pos.Seq {
			select {
			case <-g.ctx.Done():
				return nil, g.ctx.Err()
			case <-moved:
				continue
			}
		}
		err := g.hub.retry(g.ctx, func() (err error) {
			entries, _, err = g.hub.tail.read(g.ctx, g.journal, g.pos.Seq, pageEntries)
			return err
		})
		if err != nil {
			return nil, err
		}
		entries = cutPage(entries, gate.Seq)
	}
	greet := time.Since(g.sent) > progressPeriod
	return g.render(g.live, g.pos, entries, greet)
}

// cutPage keeps the entries up to seq, and not more than a page's bytes and
// events, but one entry at least.
func cutPage(entries []monitor.Entry, seq uint64) []monitor.Entry {
	bytes, events := 0, 0
	for i := range entries {
		bytes += sizeOf(&entries[i])
		events += entries[i].Body.Events
		if entries[i].Seq > seq || i > 0 && (bytes > pageBytes || events > pageEvents) {
			return entries[:i]
		}
	}
	return entries
}

// render makes a frame of entries, trying again while the database fails, and
// with half of them when they take too long.
func (g *Group) render(r Renderer, from monitor.Position, entries []monitor.Entry, greet bool) (*Frame, error) {
	frame := &Frame{From: from}
	attempt := func() (tooMany bool, err error) {
		// The time that rendering may take begins when it does.
		select {
		case g.hub.renders <- struct{}{}:
			defer func() { <-g.hub.renders }()
		case <-g.ctx.Done():
			return false, g.ctx.Err()
		}
		page := monitor.JournalPage{Entries: entries, From: from, At: g.hub.tail.PositionOf(entries[len(entries)-1]), Greet: greet}
		frame.To, frame.oldest = page.At, entries[0].Body.At
		frame.Payloads, err = r.Render(g.ctx, page)
		late := errors.Is(err, context.DeadlineExceeded) || monitor.CodeOf(err) == monitor.CodeTimeout
		return late && len(entries) > 1, err
	}
	for {
		tooMany := false
		err := g.hub.retry(g.ctx, func() (err error) {
			if tooMany, err = attempt(); tooMany {
				return nil
			}
			return err
		})
		if !tooMany {
			g.hub.Stats.Executions.Add(int64(len(frame.Payloads)))
			return frame, err
		}
		entries = entries[:len(entries)/2]
	}
}

// publish moves the group behind a frame and hands it to the attached members.
// One that does not take it is behind from now on. It tells whether there was a message.
func (g *Group) publish(f *Frame) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.pos
	g.pos = f.To
	close(g.moved)
	g.moved = make(chan struct{})
	if len(f.Payloads) == 0 {
		return false
	}
	g.quiet, g.sent = f.To.Seq, time.Now()
	g.hub.cacheMu.Lock()
	g.hub.cache.put(g, f)
	g.hub.cacheMu.Unlock()
	taken := 0
	for i := 0; i < len(g.members); {
		m := g.members[i]
		if m.out.Deliver(f) {
			taken++
			i++
			continue
		}
		g.detach(m)
		m.at = before
		g.hub.Stats.Lagged.Add(1)
		g.hub.running.Go(m.resume)
	}
	g.hub.Stats.Deliveries.Add(int64(taken * len(f.Payloads)))
	return true
}

// conclude ends the group with the reason why its loop ended and tells the
// attached members; the others find out when they look.
func (g *Group) conclude(err error) {
	if g.hub.ctx.Err() != nil || errors.Is(err, context.Canceled) {
		err = context.Canceled // the server stops, or nobody is left
	}
	g.mu.Lock()
	g.finish(err)
	members := slices.Clone(g.members)
	g.mu.Unlock()
	g.hub.remove(g)
	for _, m := range members {
		m.tellEnd()
	}
}

func (g *Group) closeRenderers() {
	g.cancel()
	g.live.Close()
	g.replayMu.Lock()
	defer g.replayMu.Unlock()
	if g.replay != nil {
		g.replay.Close()
		g.replay = nil
	}
}

// attach makes a member one of those who are at the group's position. Callers hold mu.
func (g *Group) attach(m *Membership) {
	m.index = len(g.members)
	m.behind = time.Time{}
	g.members = append(g.members, m)
}

// detach takes an attached member out. Callers hold mu.
func (g *Group) detach(m *Membership) {
	last := g.members[len(g.members)-1]
	g.members[m.index] = last
	last.index = m.index
	g.members[len(g.members)-1] = nil
	g.members = g.members[:len(g.members)-1]
	m.index = -1
	m.behind = time.Now()
}

// page gives the frame that begins behind from and reaches to end at most.
func (g *Group) page(from monitor.Position, end uint64) (*Frame, error) {
	g.hub.cacheMu.Lock()
	f := g.hub.cache.get(g, from.Seq)
	g.hub.cacheMu.Unlock()
	if f != nil {
		g.hub.Stats.CacheHits.Add(1)
		return f, nil
	}
	v, err, _ := g.flight.Do(strconv.FormatUint(from.Seq, 10), func() (any, error) { return g.renderPage(from, end) })
	if err != nil {
		return nil, err
	}
	return v.(*Frame), nil //nolint:forcetypeassert // what renderPage gives
}

func (g *Group) renderPage(from monitor.Position, end uint64) (*Frame, error) {
	done, err := g.replayer()
	if err != nil {
		return nil, err
	}
	defer done()
	var entries []monitor.Entry
	err = g.hub.retry(g.ctx, func() (err error) {
		entries, _, err = g.hub.tail.read(g.ctx, g.journal, from.Seq, int(end-from.Seq)) //nolint:gosec // at most a page
		if err == nil && len(entries) == 0 {
			err = errAway // the head is not where it was
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	f, err := g.render(g.replay, from, cutPage(entries, end), false)
	if err != nil {
		return nil, err
	}
	g.hub.Stats.Replayed.Add(1)
	g.hub.cacheMu.Lock()
	defer g.hub.cacheMu.Unlock()
	if g.ctx.Err() == nil {
		g.hub.cache.put(g, f)
	}
	return f, nil
}

// replayer waits for a turn with the group's second renderer: those who are
// behind must not hold up those who are not.
func (g *Group) replayer() (done func(), err error) {
	g.replayMu.Lock()
	if err := g.hub.turn(g.ctx); err != nil {
		g.replayMu.Unlock()
		return nil, err
	}
	done = func() {
		<-g.hub.replays
		g.replayMu.Unlock()
	}
	if g.replay == nil {
		if g.ctx.Err() != nil { // closeRenderers has been or waits
			done()
			return nil, g.ctx.Err()
		}
		if g.replay, err = g.start(g.ctx); err != nil {
			g.replay = nil
			done()
			return nil, err
		}
	}
	return done, nil
}

// greet gives the message that tells a position.
func (g *Group) greet(at monitor.Position) (*Frame, error) {
	v, err, _ := g.flight.Do("greet"+strconv.FormatUint(at.Seq, 10), func() (any, error) {
		g.mu.Lock()
		made := g.greeting
		g.mu.Unlock()
		if made != nil && made.To == at {
			return made, nil
		}
		done, err := g.replayer()
		if err != nil {
			return nil, err
		}
		defer done()
		f := &Frame{From: at, To: at}
		if err = g.hub.retry(g.ctx, func() (err error) {
			f.Payloads, err = g.replay.Render(g.ctx, monitor.JournalPage{From: at, At: at, Greet: true})
			return err
		}); err != nil {
			return nil, err
		}
		g.hub.Stats.Executions.Add(int64(len(f.Payloads)))
		g.mu.Lock()
		g.greeting = f
		g.mu.Unlock()
		return f, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*Frame), nil //nolint:forcetypeassert // what the function gives
}

// runLatest hands the newest message to whoever is ready for it.
func (g *Group) runLatest() {
	defer g.cancel()
	defer g.latest.Close()
	for {
		message, err := g.latest.Next(g.ctx)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			g.conclude(err)
			return
		}
		g.hub.Stats.Executions.Add(1)
		g.replaceNewest(&Frame{Payloads: []Payload{message}})
	}
}

func (g *Group) replaceNewest(f *Frame) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.newest = f
	close(g.moved)
	g.moved = make(chan struct{})
	taken := 0
	for i := 0; i < len(g.members); {
		m := g.members[i]
		if m.out.Deliver(f) {
			m.seen = f
			taken++
			i++
			continue
		}
		g.detach(m)
		g.hub.running.Go(m.resume)
	}
	g.hub.Stats.Deliveries.Add(int64(taken))
}
