package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// echo renders the actions of a page, without those that are hidden.
type echo struct {
	hidden string
	runs   *atomic.Int64
	fail   *atomic.Int64 // how many times rendering fails before it works
	bug    bool          // that is its own fault and not the database's
	most   int           // entries that can be rendered in time, 0: all
}

func (e echo) Render(_ context.Context, page monitor.JournalPage) ([]Payload, error) {
	if e.fail != nil && e.fail.Add(-1) >= 0 {
		if e.bug {
			return nil, errors.New("a bug")
		}
		return nil, monitor.ErrAway
	}
	if e.most > 0 && len(page.Entries) > e.most {
		return nil, fmt.Errorf("render: %w", context.DeadlineExceeded)
	}
	text := ""
	for _, entry := range page.Entries {
		if entry.Body.Action != e.hidden {
			text += entry.Body.Action + " "
		}
	}
	if text == "" && !page.Greet {
		return nil, nil
	}
	e.runs.Add(1)
	return []Payload{{Body: []byte(text), Cursor: page.At.Cursor()}}, nil
}

func (echo) Close() {}

// reader is a member that takes at most room frames until it reads.
type reader struct {
	mu    sync.Mutex
	room  int
	got   string
	pages int
	ready chan struct{}
	end   error
	ended chan struct{}
	more  chan struct{} // capacity 1
}

func newReader(room int) *reader {
	return &reader{room: room, ended: make(chan struct{}), more: make(chan struct{}, 1)}
}

func (r *reader) Deliver(f *Frame) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.room == 0 {
		return false
	}
	r.room--
	for _, p := range f.Payloads {
		r.got += string(p.Body)
		r.pages++
	}
	select {
	case r.more <- struct{}{}:
	default:
	}
	return true
}

func (r *reader) Ready() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.room > 0 {
		c := make(chan struct{})
		close(c)
		return c
	}
	if r.ready == nil {
		r.ready = make(chan struct{})
	}
	return r.ready
}

func (r *reader) End(err error) {
	r.end = err
	close(r.ended)
}

// read makes room for n frames.
func (r *reader) read(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.room += n
	if r.ready != nil {
		close(r.ready)
		r.ready = nil
	}
}

// await waits until the reader has got this.
func (r *reader) await(t *testing.T, want string) {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		r.mu.Lock()
		got := r.got
		r.mu.Unlock()
		if got == want {
			return
		}
		select {
		case <-r.more:
		case <-timeout:
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

const plenty = 1 << 20

// rig is a hub on a journal in memory.
type rig struct {
	t    *testing.T
	log  *fakeLog
	tail *Tail
	hub  *Hub
	runs atomic.Int64
}

func newRig(t *testing.T, access Access, change func(*Limits)) *rig {
	t.Helper()
	r := &rig{t: t, log: &fakeLog{epoch: 1}}
	r.tail = startTail(t, r.log)
	limits := DefaultLimits
	limits.Pause = time.Millisecond
	if change != nil {
		change(&limits)
	}
	r.hub = NewHub(r.tail, limits, access, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { r.hub.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done; r.hub.Close() })
	return r
}

func (r *rig) commit(actions ...string) {
	for _, a := range r.log.append(actions...) {
		r.tail.receive(Message{Epoch: 1, Seq: a.Seq, Entries: []Arrival{a}})
	}
}

func (r *rig) join(key string, e echo, after *monitor.Position, m Member) *Membership {
	r.t.Helper()
	e.runs = &r.runs
	membership, err := r.hub.Join(r.t.Context(), Joining{Key: key, After: after, Start: func(context.Context) (Renderer, error) { return e, nil }}, m)
	if err != nil {
		r.t.Fatal(err)
	}
	return membership
}

func (r *rig) position(seq uint64) *monitor.Position {
	e, _, _ := r.log.Entry(context.Background(), seq) // in memory
	p := r.tail.PositionOf(e)
	return &p
}

func TestManySubscribersOneExecution(t *testing.T) {
	r := newRig(t, nil, nil)
	var readers []*reader
	for range 100 {
		m := newReader(plenty)
		r.join("same", echo{}, nil, m)
		readers = append(readers, m)
	}
	for _, m := range readers {
		for m.pagesNow() == 0 { // the greeting
			<-m.more
		}
	}
	before := r.runs.Load()
	r.commit("one")
	for _, m := range readers {
		m.await(t, "one ")
	}
	if n := r.runs.Load() - before; n != 1 {
		t.Errorf("executed %d times for 100 subscribers", n)
	}
	if n := r.hub.Stats.Groups.Load(); n != 1 {
		t.Errorf("%d groups", n)
	}
}

func (r *reader) pagesNow() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pages
}

func TestReplayAndLiveMeetWithoutAGap(t *testing.T) {
	r := newRig(t, nil, nil)
	want := ""
	for i := range 1_000 {
		r.commit(fmt.Sprint(i))
	}
	for i := range 1_500 {
		if i >= 100 {
			want += fmt.Sprint(i) + " "
		}
	}
	early := newReader(plenty)
	r.join("same", echo{}, r.position(100), early)
	for i := 1_000; i < 1_500; i++ {
		r.commit(fmt.Sprint(i))
	}
	early.await(t, want)
	again := r.hub.Stats.Replayed.Load()
	late := newReader(plenty)
	r.join("same", echo{}, r.position(100), late)
	late.await(t, want)
	if n := r.hub.Stats.Replayed.Load() - again; n != 0 {
		t.Errorf("the second one that came back had %d pages rendered anew, the first one's are there", n)
	}
}

func TestSlowMemberPagesAndMissesNothing(t *testing.T) {
	r := newRig(t, nil, nil)
	slow, fast := newReader(1), newReader(plenty)
	at := r.join("same", echo{}, nil, slow)
	r.join("same", echo{}, nil, fast)
	// Who is not attached yet when the first entry comes pages from the beginning.
	for attached := false; !attached; time.Sleep(time.Millisecond) {
		at.group.mu.Lock()
		attached = at.index >= 0
		at.group.mu.Unlock()
	}
	want := ""
	for i := range 600 {
		r.commit(fmt.Sprint(i))
		want += fmt.Sprint(i) + " "
	}
	fast.await(t, want)
	if position, behind := at.Position(); behind.IsZero() || position.Seq == 600 {
		t.Errorf("at %d, behind since %s", position.Seq, behind)
	}
	if r.hub.Stats.Lagged.Load() == 0 {
		t.Error("nobody lagged")
	}
	slow.read(plenty)
	slow.await(t, want)
}

func TestNobodyGetsAnEntryBeforeItsAccessCheck(t *testing.T) {
	var r *rig
	var evicted atomic.Pointer[Membership]
	checked := make(chan struct{})
	r = newRig(t, func(_ context.Context, entries []monitor.Entry) {
		for _, e := range entries {
			if e.Body.Action == "revoke" {
				evicted.Load().Leave()
				close(checked)
			}
		}
	}, nil)
	shut, stays := newReader(plenty), newReader(plenty)
	evicted.Store(r.join("same", echo{hidden: "revoke"}, nil, shut))
	r.join("same", echo{hidden: "revoke"}, nil, stays)
	r.commit("before")
	shut.await(t, "before ")
	r.commit("revoke", "after")
	stays.await(t, "before after ")
	<-checked
	if shut.got != "before " {
		t.Errorf("the one shut out got %q", shut.got)
	}
}

func TestFailingDatabaseIsWaitedFor(t *testing.T) {
	r := newRig(t, nil, nil)
	var fail atomic.Int64
	m := newReader(plenty)
	r.join("same", echo{fail: &fail}, nil, m)
	for m.pagesNow() == 0 {
		<-m.more
	}
	fail.Store(3)
	r.commit("one")
	m.await(t, "one ")
}

// UNAVAILABLE ends connections, which come back; a fault of one operation ends
// that alone.
func TestFaultThatStaysEndsTheSubscription(t *testing.T) {
	for bug, want := range map[bool]monitor.Code{false: monitor.CodeUnavailable, true: monitor.CodeInternal} {
		r := newRig(t, nil, func(l *Limits) { l.RenderTime = 60 * time.Millisecond })
		var fail atomic.Int64
		m := newReader(plenty)
		r.join("same", echo{fail: &fail, bug: bug}, nil, m)
		for m.pagesNow() == 0 {
			<-m.more
		}
		fail.Store(plenty)
		r.commit("one")
		<-m.ended
		if monitor.CodeOf(m.end) != want {
			t.Errorf("bug %t: ended with %v", bug, m.end)
		}
	}
}

func TestReplacedJournalEndsGroups(t *testing.T) {
	r := newRig(t, nil, nil)
	r.commit("one", "two")
	m := newReader(plenty)
	r.join("same", echo{}, r.position(1), m)
	m.await(t, "two ")
	r.log.lose(1)
	r.log.append("other")
	if err := r.tail.checkJournal(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.commit("three")
	<-m.ended
	if monitor.CodeOf(m.end) != monitor.CodeCursorExpired {
		t.Errorf("ended with %v", m.end)
	}
}

func TestTooManyGroupsAreRefused(t *testing.T) {
	r := newRig(t, nil, func(l *Limits) { l.Groups = 2; l.Linger = time.Hour })
	first := r.join("1", echo{}, nil, newReader(plenty))
	r.join("2", echo{}, nil, newReader(plenty))
	start := func(context.Context) (Renderer, error) { return echo{runs: &r.runs}, nil }
	if _, err := r.hub.Join(t.Context(), Joining{Key: "3", Start: start}, newReader(plenty)); monitor.CodeOf(err) != monitor.CodeRateLimited {
		t.Errorf("third group: %v", err)
	}
	first.Leave() // what only lingers makes room
	r.join("3", echo{}, nil, newReader(plenty))
}

func TestGroupThatCannotStartTellsEverybody(t *testing.T) {
	r := newRig(t, nil, nil)
	refused := monitor.Errorf(monitor.CodeForbidden, "no")
	for range 2 {
		_, err := r.hub.Join(t.Context(), Joining{Key: "x", Start: func(context.Context) (Renderer, error) { return nil, refused }}, newReader(1))
		if !errors.Is(err, refused) {
			t.Errorf("got %v", err)
		}
	}
	if n := r.hub.Stats.Groups.Load(); n != 0 {
		t.Errorf("%d groups are left", n)
	}
}

// ticks is a source whose newest message alone counts.
type ticks struct{ next chan string }

func (s ticks) Next(ctx context.Context) (Payload, error) {
	select {
	case text, ok := <-s.next:
		if !ok {
			return Payload{}, io.EOF
		}
		return Payload{Body: []byte(text)}, nil
	case <-ctx.Done():
		return Payload{}, ctx.Err()
	}
}

func (ticks) Close() {}

func TestLatestConflatesForTheSlowAndEndsForAll(t *testing.T) {
	r := newRig(t, nil, nil)
	s := ticks{make(chan string)}
	start := func(context.Context) (Source, error) { return s, nil }
	slow, fast := newReader(1), newReader(plenty)
	for _, m := range []*reader{slow, fast} {
		if _, err := r.hub.Join(t.Context(), Joining{Key: "x", Latest: start}, m); err != nil {
			t.Fatal(err)
		}
	}
	for r.hub.groups["x"].attached() < 2 {
		time.Sleep(time.Millisecond) // until both wait for the first message
	}
	for _, text := range []string{"1 ", "2 ", "3 "} {
		s.next <- text
	}
	fast.await(t, "1 2 3 ")
	late := newReader(plenty)
	if _, err := r.hub.Join(t.Context(), Joining{Key: "x", Latest: start}, late); err != nil {
		t.Fatal(err)
	}
	late.await(t, "3 ")
	close(s.next)
	slow.read(plenty)
	for _, m := range []*reader{fast, late, slow} {
		<-m.ended
		if m.end != nil {
			t.Errorf("ended with %v", m.end)
		}
	}
	if slow.got != "1 3 " {
		t.Errorf("the slow one got %q", slow.got)
	}
}

func (g *Group) attached() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.members)
}

// A page tells of a bounded number of events, whatever its entries are; an entry
// that alone tells of more is a page.
func TestPageIsBounded(t *testing.T) {
	entries := func(events ...int) (all []monitor.Entry) {
		for i, n := range events {
			all = append(all, monitor.Entry{Seq: uint64(i + 1), Body: monitor.EntryBody{Events: n}}) //nolint:gosec // small
		}
		return all
	}
	for name, c := range map[string]struct {
		entries []monitor.Entry
		seq     uint64
		want    int
	}{
		"few events":               {entries(1, 2, 3), 9, 3},
		"up to the bound":          {entries(1_000, 1_000, 1), 9, 2},
		"one entry is always left": {entries(10_000, 1), 9, 1},
		"up to a number":           {entries(1, 1, 1), 2, 2},
	} {
		if got := len(cutPage(c.entries, c.seq)); got != c.want {
			t.Errorf("%s: %d entries, want %d", name, got, c.want)
		}
	}
}

// What takes too long as a whole is rendered in parts.
func TestPageThatTakesTooLongIsHalved(t *testing.T) {
	r := newRig(t, nil, nil)
	want := ""
	for i := range 300 {
		want += fmt.Sprint(i) + " "
		r.commit(fmt.Sprint(i))
	}
	m := newReader(plenty)
	r.join("same", echo{most: 70}, r.position(0), m)
	m.await(t, want)
}

func TestFrameLargerThanTheCacheIsNotKept(t *testing.T) {
	c, g := newFrameCache(1_000), &Group{}
	small := &Frame{Payloads: []Payload{{Body: make([]byte, 100)}}}
	c.put(g, small)
	c.put(g, &Frame{From: monitor.Position{Seq: 1}, Payloads: []Payload{{Body: make([]byte, 2_000)}}})
	if c.bytes > c.limit || c.get(g, 0) != small {
		t.Errorf("%d bytes are kept, the limit is %d", c.bytes, c.limit)
	}
}

// Whoever joins while the database hangs, or starting the operation does, is told
// to try again after a bounded time.
func TestJoiningTakesABoundedTime(t *testing.T) {
	r := newRig(t, nil, func(l *Limits) { l.JoinTime = 50 * time.Millisecond })
	r.commit("one", "two")
	r.tail.mu.Lock()
	r.tail.ring = ring{limit: ringBytes} // nothing is remembered
	r.tail.mu.Unlock()
	after := r.position(1)
	r.log.mu.Lock()
	r.log.hangs = true
	r.log.mu.Unlock()
	for name, j := range map[string]Joining{
		"the cursor's check": {Key: "1", After: after, Start: func(context.Context) (Renderer, error) { return echo{runs: &r.runs}, nil }},
		"the start": {Key: "2", Start: func(ctx context.Context) (Renderer, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}},
		"the start, which does not look at its time": {Key: "3", Latest: func(context.Context) (Source, error) {
			<-r.hub.ctx.Done()
			return nil, errors.New("too late")
		}},
	} {
		if _, err := r.hub.Join(t.Context(), j, newReader(1)); monitor.CodeOf(err) != monitor.CodeUnavailable {
			t.Errorf("%s: %v, want UNAVAILABLE", name, err)
		}
	}
}

func TestPanicOfAStartEndsItsGroupAlone(t *testing.T) {
	r := newRig(t, nil, nil)
	for range 2 {
		_, err := r.hub.Join(t.Context(), Joining{Key: "x", Start: func(context.Context) (Renderer, error) { panic("a bug") }}, newReader(1))
		if monitor.CodeOf(err) != monitor.CodeInternal {
			t.Errorf("got %v", err)
		}
	}
	if n := r.hub.Stats.Groups.Load(); n != 0 {
		t.Errorf("%d groups are left", n)
	}
}

// Between a failover and the groups' noticing it, a good cursor of the new journal
// is not refused because a group still reads the old one.
func TestJoiningAfterAFailoverFindsNoGroupOfTheOldJournal(t *testing.T) {
	replaced, goOn := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(_ context.Context, entries []monitor.Entry) {
		if entries == nil {
			close(replaced)
			<-goOn
		}
	}, nil)
	r.commit("one", "two", "three")
	old := newReader(plenty)
	r.join("same", echo{}, r.position(1), old)
	old.await(t, "two three ")
	r.log.lose(1)
	r.log.append("other")
	if err := r.tail.checkJournal(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-replaced // the gate has noticed, and the groups cannot yet
	m := newReader(plenty)
	joined := make(chan error)
	after := r.position(2)
	go func() {
		start := func(context.Context) (Renderer, error) { return echo{runs: &r.runs}, nil }
		_, err := r.hub.Join(t.Context(), Joining{Key: "same", After: after, Start: start}, m)
		joined <- err
	}()
	select {
	case err := <-joined:
		t.Errorf("joined a group of the old journal, %v", err)
		close(goOn)
	case <-time.After(50 * time.Millisecond):
		close(goOn)
		if err := <-joined; err != nil {
			t.Fatal(err)
		}
	}
	m.await(t, "other ")
}

// What reads the journal at its own pace gets an entry after its access check too.
func TestStreamWaitsForTheAccessCheck(t *testing.T) {
	checking, goOn := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(_ context.Context, entries []monitor.Entry) {
		for _, e := range entries {
			if e.Body.Action == "revoke" {
				close(checking)
				<-goOn
			}
		}
	}, nil)
	s, _, err := r.hub.Subscribe(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.commit("before")
	if got, err := s.Next(t.Context(), 10); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	r.commit("revoke")
	<-checking
	if got := next(t, s); len(got) != 0 {
		t.Errorf("%v came before its check", got)
	}
	close(goOn)
	if got, err := s.Next(t.Context(), 10); err != nil || len(got) != 1 || got[0].Body.Action != "revoke" {
		t.Errorf("got %v %v", got, err)
	}
}

// Those who are behind wait for their turn as long as it takes.
func TestOneTurnServesAllWhoAreBehind(t *testing.T) {
	r := newRig(t, nil, func(l *Limits) { l.Replays = 1 })
	r.commit("one", "two")
	r.hub.replays <- struct{}{} // somebody has it
	var readers []*reader
	for i := range 3 {
		m := newReader(plenty)
		r.join(fmt.Sprint(i), echo{}, r.position(1), m)
		readers = append(readers, m)
	}
	<-r.hub.replays
	for _, m := range readers {
		m.await(t, "two ")
	}
}
