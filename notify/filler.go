package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

const (
	progressPeriod = 10 * time.Second // how often a position is stored that nothing was delivered of
	maxFaults      = 10               // times that a selection may fail on the same page
)

// filler makes deliveries of the journal for one queue. It holds one page.
type filler struct {
	w       *worker
	stored  monitor.Position // the queue's, as in the database
	at      monitor.Position // behind what has been looked at
	wrote   time.Time        // when stored was
	reading *feed.Subscription
	entries []monitor.Entry // the page that is being made
	from    monitor.Position
	limit   int // entries that are rendered at once
	faults  int

	version  string
	renderer feed.Renderer
}

func newFiller(w *worker) *filler { return &filler{w: w, limit: w.d.Limits.Page} }

// step makes the next page's deliveries. It waits for entries, for their time, and for
// room.
func (f *filler) step(ctx context.Context) error {
	if f.reading == nil {
		if err := f.begin(ctx); err != nil {
			return err
		}
	}
	if len(f.entries) == 0 {
		if err := f.read(ctx); err != nil {
			return err
		}
	}
	// Whether the owner may see it is asked when it is there, not when it was waited for.
	route, err := f.w.route.Open(ctx, f.w.lease.Queue)
	if err != nil {
		return err
	}
	q, err := f.w.d.Leases.LeasedQueue(ctx, f.w.lease)
	if err != nil {
		return err
	}
	if q.Reached != f.stored.Cursor() { // a replay sent it elsewhere
		f.forget()
		return nil
	}
	if q.Waiting >= f.w.d.Limits.Waiting || q.WaitingBytes >= f.w.d.Limits.WaitingBytes {
		f.pause(ctx, time.Minute, f.w.room) // the journal keeps what comes behind
		return nil
	}
	if f.renderer != nil && f.version != route.Version {
		if _, gathers := f.gathered(); gathers { // what was taken in is taken in again, as it is to be now
			f.forget()
			return nil
		}
		f.closeRenderer()
	}
	due, gathers := f.gathered()
	if gathers && !time.Now().Before(due) { // before more is taken in: a busy journal must not put it off
		return f.tell(ctx)
	}
	if some := f.ripe(route.Delay); some > 0 {
		return f.render(ctx, route, some)
	}
	if len(f.entries) > 0 { // nothing is to be told yet
		wait := time.Until(f.entries[0].Body.At.Add(route.Delay))
		if gathers {
			wait = min(wait, time.Until(due))
		}
		f.pause(ctx, wait, nil)
	}
	return nil
}

// pause waits for something, or a time: a minute at most, since settings may change.
func (f *filler) pause(ctx context.Context, lasts time.Duration, until <-chan struct{}) {
	timer := time.NewTimer(max(min(lasts, time.Minute), time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-until:
	case <-timer.C:
	}
}

// begin reads on from the stored position; with what has been taken in, from behind that.
func (f *filler) begin(ctx context.Context) error {
	if _, gathers := f.gathered(); gathers {
		return f.subscribe(ctx)
	}
	q, err := f.w.d.Leases.LeasedQueue(ctx, f.w.lease)
	if err != nil {
		return err
	}
	if f.stored, err = monitor.ParseCursor(q.Reached); err != nil {
		return fmt.Errorf("position of queue %s: %w", f.w.lease.Queue, err)
	}
	f.at, f.wrote, f.entries = f.stored, time.Now(), nil
	return f.subscribe(ctx)
}

// forget lets the next step begin at the stored position.
func (f *filler) forget() {
	f.reading, f.entries = nil, nil
	f.closeRenderer()
}

func (f *filler) closeRenderer() {
	if f.renderer != nil {
		f.renderer.Close()
		f.renderer = nil
	}
}

// gathered tells when what has been taken in is to be told; ok is false when there is
// nothing.
func (f *filler) gathered() (due time.Time, ok bool) {
	if g, is := f.renderer.(Gatherer); is {
		return g.Due(time.Now())
	}
	return due, false
}

// ripe is how many of the page's entries are old enough to be looked at.
func (f *filler) ripe(delay time.Duration) int {
	most := min(f.limit, len(f.entries))
	if delay <= 0 {
		return most
	}
	for i, e := range f.entries[:most] {
		if time.Since(e.Body.At) < delay {
			return i
		}
	}
	return most
}

func (f *filler) subscribe(ctx context.Context) error {
	reading, _, err := f.w.d.Journal.Subscribe(ctx, &f.at)
	if err != nil {
		return f.expired(err)
	}
	f.reading = reading
	return nil
}

// read waits for entries, or until what has been taken in is to be told.
func (f *filler) read(ctx context.Context) error {
	reading := ctx
	if due, ok := f.gathered(); ok {
		timed, cancel := context.WithDeadline(ctx, earlier(due, time.Now().Add(time.Minute)))
		defer cancel()
		reading = timed
	}
	entries, err := f.reading.Next(reading, f.w.d.Limits.Page)
	if err != nil {
		f.reading = nil
		if reading.Err() != nil && ctx.Err() == nil {
			return nil
		}
		return f.expired(err)
	}
	f.entries, f.from = entries, f.at
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// expired makes a Stop of what no waiting mends: silence would hide the gap.
func (f *filler) expired(err error) error {
	if monitor.CodeOf(err) != monitor.CodeCursorExpired {
		return err
	}
	mend := "replay from a cursor or a time that is kept"
	if f.w.lease.Kind == monitor.KindChannel {
		mend = "enable it again to go on from then"
	}
	return &Stop{monitor.PauseExpired, err.Error() + "; " + mend}
}

// render makes deliveries of the page's beginning.
func (f *filler) render(ctx context.Context, route Route, n int) error {
	select {
	case f.w.d.renders <- struct{}{}:
		defer func() { <-f.w.d.renders }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if f.renderer == nil {
		renderer, err := route.Start(f.w.ctx)
		if err != nil {
			return f.fault(err)
		}
		f.renderer, f.version = renderer, route.Version
	}
	some := f.entries[:n]
	to := f.w.d.Journal.PositionOf(some[n-1])
	payloads, err := f.renderer.Render(ctx, monitor.JournalPage{Entries: some, From: f.from, At: to})
	if err != nil {
		return f.fault(err)
	}
	bodies := make([][]byte, len(payloads))
	for i, p := range payloads {
		bodies[i] = Body(p)
	}
	_, gathers := f.gathered()
	if !gathers && (len(bodies) > 0 || time.Since(f.wrote) > progressPeriod) {
		if err := f.enqueue(ctx, to, bodies); err != nil {
			return err
		}
	}
	f.faults, f.limit = 0, f.w.d.Limits.Page
	f.at, f.from, f.entries = to, to, f.entries[n:]
	return nil
}

// tell makes deliveries of what has been taken in.
func (f *filler) tell(ctx context.Context) error {
	g, is := f.renderer.(Gatherer)
	if !is {
		return nil
	}
	bodies, err := g.Take(ctx)
	if err == nil {
		err = f.enqueue(ctx, f.at, bodies)
	}
	if err != nil {
		f.forget() // it is taken in again
	}
	return err
}

// enqueue stores deliveries with the position that they lead to.
func (f *filler) enqueue(ctx context.Context, to monitor.Position, bodies [][]byte) error {
	if err := f.w.d.Deliveries.Enqueue(ctx, f.w.lease, f.stored, to, bodies); err != nil {
		if !errors.Is(err, monitor.ErrLeaseLost) || ctx.Err() != nil {
			f.reading = nil // whether it was written is not known: the queue tells
		}
		return err
	}
	f.stored, f.wrote = to, time.Now()
	if len(bodies) > 0 {
		signal(f.w.kick)
	}
	return nil
}

// fault tells what may pass from what does not.
func (f *filler) fault(err error) error {
	switch monitor.CodeOf(err) {
	case monitor.CodeUnavailable:
		return err
	case monitor.CodeInternal, monitor.CodeTimeout:
		f.limit = max(1, f.limit/2) // a page that takes too long is made in parts
		if f.faults++; f.faults < maxFaults || errors.Is(err, context.Canceled) {
			return err
		}
	}
	return &Stop{monitor.PauseOperation, "the selection cannot be executed: " + err.Error()}
}

// Body gives a payload as it is sent: the response of the subscription.
func Body(p feed.Payload) []byte {
	return p.Body[:max(0, len(p.Body)-1)] // without the brace that ends a frame
}
