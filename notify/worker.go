package notify

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// worker works on one queue while its lease is held: one goroutine makes deliveries
// of the journal, another sends them.
type worker struct {
	d      *Dispatcher
	lease  monitor.Lease
	route  Destination
	lg     *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	until  time.Time     // of the lease; guarded by d.mu
	kick   chan struct{} // capacity 1: there may be something to send
	room   chan struct{} // capacity 1: something arrived

	mu    sync.Mutex
	busy  map[monitor.ID]bool // deliveries under way
	tries sync.WaitGroup      // likewise
}

func newWorker(ctx context.Context, d *Dispatcher, lease monitor.Lease) *worker {
	w := &worker{
		d: d, lease: lease, route: d.Destinations[lease.Kind], lg: d.Log.With("kind", lease.Kind, "queue", lease.Queue.String()),
		kick: make(chan struct{}, 1), room: make(chan struct{}, 1), busy: map[monitor.ID]bool{},
	}
	w.ctx, w.cancel = context.WithCancel(ctx)
	return w
}

func (w *worker) over() bool { return w.ctx.Err() != nil }

func (w *worker) run() {
	defer w.cancel()
	var both sync.WaitGroup
	both.Go(func() { w.keep(newFiller(w).step) })
	both.Go(func() { w.keep(w.sendDue) })
	both.Wait()
	w.tries.Wait()
}

// keep repeats a step until the worker is over. Faults of the server are tried again;
// what cannot pass by itself pauses the queue.
func (w *worker) keep(step func(context.Context) error) {
	defer w.cancel()
	pause := 100 * time.Millisecond
	for w.ctx.Err() == nil {
		err := step(w.ctx)
		var stop *Stop
		switch {
		case err == nil:
			pause = 100 * time.Millisecond
			continue
		case w.ctx.Err() != nil:
			return
		case errors.Is(err, monitor.ErrLeaseLost):
			signal(w.d.look)
			return
		case errors.As(err, &stop):
			if w.pause(stop) {
				return
			}
		default:
			w.lg.Warn("notify: trying again", "error", err)
		}
		wait(w.ctx, pause)
		pause = min(2*pause, 10*time.Second)
	}
}

// pause stops the queue; false: that could not be written now.
func (w *worker) pause(stop *Stop) bool {
	switch err := w.d.Leases.PauseQueue(w.ctx, w.lease, stop.Reason, stop.Text); {
	case errors.Is(err, monitor.ErrLeaseLost):
	case err != nil:
		w.lg.Warn("notify: queue not paused", "error", err)
		return false
	default:
		w.d.Meter.Paused(w.lease.Kind, stop.Reason)
		w.lg.Warn("notify: queue paused", "reason", stop.Reason, "text", stop.Text)
	}
	return true
}

// sendSilence is how long nothing is looked for at most when nobody says that there
// is something.
const sendSilence = time.Minute

// sendDue begins to send what is due, and waits for more.
func (w *worker) sendDue(ctx context.Context) error {
	route, err := w.route.Open(ctx, w.lease.Queue)
	if err != nil {
		return err
	}
	busy := w.underWay()
	next := time.Time{}
	if free := route.Concurrency - len(busy); free > 0 {
		var begun bool
		if begun, next, err = w.begin(ctx, route, busy); err != nil {
			return err
		}
		if begun && free > 1 {
			return nil // there may be more
		}
	}
	pause := sendSilence
	if !next.IsZero() {
		pause = min(pause, max(time.Until(next), time.Millisecond))
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-w.kick:
	case <-timer.C:
	}
	return nil
}

// begin sends one delivery that is due, when the replica has room for it: before that
// its body is not even read. next is when there is one, zero for none.
func (w *worker) begin(ctx context.Context, route Route, busy []monitor.ID) (begun bool, next time.Time, err error) {
	select {
	case w.d.sends <- struct{}{}:
	case <-ctx.Done():
		return false, next, ctx.Err()
	}
	due, next, err := w.d.Deliveries.DueDeliveries(ctx, w.lease, route.Concurrency == 1, 1, busy)
	if err != nil || len(due) == 0 {
		<-w.d.sends
		return false, next, err
	}
	w.mark(due[0].ID, true)
	w.tries.Go(func() {
		defer func() {
			w.mark(due[0].ID, false)
			<-w.d.sends
			signal(w.kick)
		}()
		w.deliver(ctx, route.Sender, due[0])
	})
	return true, next, nil
}

func (w *worker) underWay() []monitor.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]monitor.ID, 0, len(w.busy))
	for id := range w.busy {
		ids = append(ids, id)
	}
	return ids
}

func (w *worker) mark(id monitor.ID, busy bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if busy {
		w.busy[id] = true
	} else {
		delete(w.busy, id)
	}
}

// settleTime bounds one try to write what became of a delivery, which a stopping
// replica waits for.
const settleTime = 3 * time.Second

// deliver sends one delivery and notes what became of it. When the worker ends
// meanwhile nothing is noted: it may have arrived, and is sent again under its id.
func (w *worker) deliver(ctx context.Context, sender Sender, d *monitor.Delivery) {
	timed, cancel := context.WithTimeout(ctx, w.d.Limits.SendTime)
	result := sender.Send(timed, d)
	cancel()
	if ctx.Err() != nil && result.Error != "" {
		return
	}
	pause := 50 * time.Millisecond
	for { // until it is written: what is not settled is sent again
		// Also when the worker ends in this moment: it has arrived.
		settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
		err := w.settle(settling, d, result)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		if errors.Is(err, monitor.ErrLeaseLost) {
			w.cancel()
			return
		}
		w.lg.Warn("notify: delivery not settled, trying again", "error", err)
		wait(ctx, pause)
		pause = min(2*pause, 5*time.Second)
	}
}

func (w *worker) settle(ctx context.Context, d *monitor.Delivery, result Result) error {
	limits := &w.d.Limits
	took := time.Duration(result.Took) * time.Millisecond
	if result.Error == "" {
		if err := w.d.Deliveries.SettleDelivery(ctx, w.lease, d, result.DeliveryAttempt, monitor.DeliveryDelivered, time.Time{}); err != nil {
			return err
		}
		w.d.Meter.Sent(w.lease.Kind, "delivered", took)
		signal(w.room)
		return nil
	}
	q, err := w.d.Leases.LeasedQueue(ctx, w.lease)
	if err != nil {
		return err
	}
	now := time.Now()
	dead := !q.FailingSince.IsZero() && now.Sub(q.FailingSince) >= limits.GiveUp
	state, outcome := monitor.DeliveryPending, "failed"
	switch {
	case result.Gone:
		outcome = "gone"
	case !dead && now.Sub(d.Since) >= limits.GiveUp && q.LastSuccess.After(d.Since): // others do arrive
		state, outcome = monitor.DeliveryFailed, "given_up"
	}
	next := now.Add(limits.pause(d.Attempts+1, result.RetryAfter)).UTC().Truncate(time.Microsecond)
	if err := w.d.Deliveries.SettleDelivery(ctx, w.lease, d, result.DeliveryAttempt, state, next); err != nil {
		return err
	}
	w.d.Meter.Sent(w.lease.Kind, outcome, took)
	signal(w.room)
	switch {
	case result.Gone:
		w.stop(&Stop{monitor.PauseGone, "the receiver answered 410 Gone: it wants nothing more"})
	case dead:
		w.stop(&Stop{monitor.PauseFailing, "nothing has arrived since " + q.FailingSince.Format(time.RFC3339) + "; the last try: " + result.Error})
	}
	return nil
}

// stop pauses the queue and ends the worker.
func (w *worker) stop(stop *Stop) {
	for w.ctx.Err() == nil && !w.pause(stop) {
		wait(w.ctx, time.Second)
	}
	w.cancel()
}
