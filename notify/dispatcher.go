package notify

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Options of a dispatcher.
type Options struct {
	Owner        string // this replica's name; no other has it, nor had
	Leases       Leases
	Deliveries   Deliveries
	Journal      Journal
	Destinations map[monitor.Kind]Destination
	Limits       Limits
	Meter        Meter
	Log          *slog.Logger
}

// Dispatcher works on the queues whose lease this replica holds.
type Dispatcher struct {
	Options
	kinds   []monitor.Kind
	sends   chan struct{}
	renders chan struct{}
	look    chan struct{} // capacity 1: leases may have changed

	mu      sync.Mutex
	workers map[monitor.ID]*worker
	running sync.WaitGroup
}

// NewDispatcher prepares one; it begins with Run.
func NewDispatcher(o Options) *Dispatcher {
	return &Dispatcher{
		Options: o, kinds: slices.Sorted(maps.Keys(o.Destinations)), sends: make(chan struct{}, o.Limits.Sends), renders: make(chan struct{}, o.Limits.Renders),
		look: make(chan struct{}, 1), workers: map[monitor.ID]*worker{},
	}
}

// releaseTime bounds how long a stopping replica tries to give its leases back; what
// it keeps others take when it has run out.
const releaseTime = 3 * time.Second

// Run works until ctx ends. What is being sent then is cut off, and sent again by
// whoever takes the queue over.
func (d *Dispatcher) Run(ctx context.Context) {
	d.running.Go(func() { d.follow(ctx) })
	for ctx.Err() == nil {
		leases, err := d.Leases.LeaseQueues(ctx, d.Owner, d.kinds, d.Limits.Lease, d.Limits.Queues)
		switch {
		case err == nil:
			d.adjust(ctx, leases)
		case ctx.Err() == nil:
			d.Log.Warn("notify: leases not renewed", "error", err)
			d.dropOverdue()
		}
		select {
		case <-ctx.Done():
		case <-d.look:
		case <-time.After(d.Limits.Lease / 6):
		}
	}
	d.running.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if err := d.Leases.ReleaseQueues(ctx, d.Owner); err != nil {
		d.Log.Warn("notify: leases not given back", "error", err)
	}
}

// adjust starts and ends workers, so that there is one for each lease.
func (d *Dispatcher) adjust(ctx context.Context, leases []monitor.Lease) {
	held := make(map[monitor.ID]monitor.Lease, len(leases))
	for _, l := range leases {
		held[l.Queue] = l
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	until := time.Now().Add(d.Limits.Lease)
	for id, w := range d.workers {
		if held[id] != w.lease || w.over() {
			w.cancel()
			delete(d.workers, id)
			continue
		}
		w.until = until
	}
	for id, lease := range held {
		if d.workers[id] == nil {
			w := newWorker(ctx, d, lease)
			w.until = until
			d.workers[id] = w
			d.running.Go(w.run)
		}
	}
	d.Meter.Holding(len(d.workers))
}

// dropOverdue ends the workers whose lease has run out while the database was away.
func (d *Dispatcher) dropOverdue() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, w := range d.workers {
		if time.Now().After(w.until) {
			w.cancel()
			delete(d.workers, id)
		}
	}
}

// follow hears of changes of what has queues: one was made, switched on, changed, or
// a delivery is to be sent again.
func (d *Dispatcher) follow(ctx context.Context) {
	for ctx.Err() == nil {
		sub, _, err := d.Journal.Subscribe(ctx, nil)
		for err == nil {
			var entries []monitor.Entry
			if entries, err = sub.Next(ctx, 256); err == nil {
				d.hear(entries)
			}
		}
		if ctx.Err() == nil {
			d.Log.Warn("notify: the journal is not followed, trying again", "error", err)
		}
		wait(ctx, time.Second)
	}
}

func (d *Dispatcher) hear(entries []monitor.Entry) {
	for i := range entries {
		for _, change := range entries[i].Body.Changes {
			if d.Destinations[change.Kind] == nil {
				continue
			}
			d.mu.Lock()
			if w := d.workers[change.ID]; w != nil {
				signal(w.kick)
			}
			d.mu.Unlock()
			signal(d.look)
		}
	}
}

// signal tells whoever waits on a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait ends early with ctx.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
