package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// run is one server and its connections.
type run struct {
	driver       *Driver
	target, load *process
	setup        setup
	server       string

	idle    idle
	seq     uint64 // of the newest event
	commits int    // of the scenario
}

// idle is what the connections cost while nothing happens.
type idle struct {
	memory     float64 // bytes of the server's RSS per connection
	goroutines float64 // per connection
}

// connect opens the connections and measures them idle, after a garbage
// collection on both sides of it.
func (r *run) connect(ctx context.Context) error {
	before, start, err := r.settled(ctx)
	if err != nil {
		return err
	}
	o := order{Address: r.target.at.Sockets, Speaks: graphqlWS}
	if isCentrifuge(r.server) {
		o.Speaks = centrifugeWS
	}
	for i := range r.setup.n {
		o.Groups = append(o.Groups, r.setup.groupOf(i))
		if r.setup.scenario == "slow" && i%50 == 7 {
			o.Slow = append(o.Slow, i)
		}
	}
	if err := r.load.call(ctx, "POST", "/connect", o, nil); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	pause(ctx, time.Second)
	after, end, err := r.settled(ctx)
	if err != nil {
		return err
	}
	n := float64(r.setup.n)
	r.idle = idle{memory: float64(after-before) / n, goroutines: float64(end.Goroutines-start.Goroutines) / n}
	return nil
}

func (r *run) settled(ctx context.Context) (rss int64, c counts, err error) {
	if err = r.target.call(ctx, "POST", "/settle", nil, &c); err != nil {
		return 0, c, err
	}
	rss, err = r.target.resident("VmRSS")
	return rss, c, err
}

// scenario runs one scenario and gives its row.
func (r *run) scenario(ctx context.Context, name string) (row, error) {
	play := map[string]func(context.Context) (string, error){
		"idle": r.doNothing, "paced": r.paced, "burst": r.burst, "mixed": r.burst, "storm": r.storm, "slow": r.slow,
	}[name]
	out := row{server: r.server, setup: r.setup, idle: r.idle}
	out.setup.scenario = name
	if err := r.load.call(ctx, "POST", fmt.Sprintf("/expect?seq=%d", r.seq), nil, nil); err != nil {
		return out, err
	}
	r.commits = 0
	watch := watchMemory(r.target)
	before, err := r.snapshot(ctx)
	if err == nil {
		out.note, err = play(ctx)
	}
	if err == nil {
		err = r.finish(ctx, &out, before)
	}
	out.rss, out.sockets = watch.stop()
	return out, err
}

type snapshot struct {
	at  time.Time
	cpu time.Duration
	counts
}

func (r *run) snapshot(ctx context.Context) (s snapshot, err error) {
	if err = r.target.call(ctx, "GET", "/counts", nil, &s.counts); err != nil {
		return s, err
	}
	s.cpu, err = r.target.cpu()
	s.at = time.Now()
	return s, err
}

// finish waits until everything has arrived and counts.
func (r *run) finish(ctx context.Context, out *row, before snapshot) error {
	if err := r.await(ctx, true); err != nil {
		return err
	}
	after, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	out.took, out.cpu = after.at.Sub(before.at), after.cpu-before.cpu
	out.executions, out.commits = after.Executions-before.Executions, r.commits
	return r.load.call(ctx, "GET", fmt.Sprintf("/report?seq=%d", r.seq), nil, &out.report)
}

// await waits a minute for the newest event on every connection, and not for a
// client of centrifuge that was cut off: it does not come back.
func (r *run) await(ctx context.Context, slowToo bool) error {
	for range 6 {
		all, err := r.wait(ctx, r.seq, slowToo)
		if err != nil || all {
			return err
		}
		var open int
		if err := r.load.call(ctx, "GET", "/open", nil, &open); err != nil {
			return err
		}
		if open < r.setup.n && isCentrifuge(r.server) {
			return nil
		}
	}
	return nil // the report says how many are late
}

func (r *run) wait(ctx context.Context, seq uint64, slowToo bool) (reached bool, err error) {
	err = r.load.call(ctx, "GET", fmt.Sprintf("/wait?seq=%d&all=%t", seq, slowToo), nil, &reached)
	return reached, err
}

func (r *run) commit(ctx context.Context, events int) error {
	var c counts
	if err := r.target.call(ctx, "POST", fmt.Sprintf("/commit?events=%d", events), nil, &c); err != nil {
		return err
	}
	r.seq = c.Seq
	r.commits++
	return nil
}

func (r *run) doNothing(ctx context.Context) (string, error) {
	pause(ctx, min(r.driver.Duration, 2*time.Second))
	return "", ctx.Err()
}

// paced commits single events at a rate; when the server is slower than that,
// they pile up.
func (r *run) paced(ctx context.Context) (string, error) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / r.driver.Rate))
	defer ticker.Stop()
	for range max(int(r.driver.Duration.Seconds()*r.driver.Rate), 1) {
		if err := r.commit(ctx, 1); err != nil {
			return "", err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return "", nil
}

// burst commits as fast as the slowest subscriber that reads takes it.
func (r *run) burst(ctx context.Context) (string, error) {
	return r.burstFor(ctx, r.driver.Duration)
}

func (r *run) burstFor(ctx context.Context, d time.Duration) (string, error) {
	window, batch := uint64(r.window()), uint64(r.driver.Batch) //nolint:gosec // positive
	for end := time.Now().Add(d); time.Now().Before(end); {
		if err := r.commit(ctx, r.driver.Batch); err != nil {
			return "", err
		}
		if r.seq+batch <= window {
			continue
		}
		reached, err := r.wait(ctx, r.seq+batch-window, false)
		if err != nil {
			return "", err
		}
		if !reached {
			return fmt.Sprintf("stopped: somebody was %d events behind for %s", window, waitLimit), nil
		}
	}
	return "", nil
}

// window is wider with few connections: our feeds gather for 100 ms, and what is
// under way then bounds the rate.
func (r *run) window() int { return max(r.driver.Window, min(256, 256_000/r.setup.n)) }

// stormEvents are committed while nobody is connected.
const stormEvents = 64

// storm cuts all connections at once; they come back with their cursors.
func (r *run) storm(ctx context.Context) (string, error) {
	if err := r.commit(ctx, 1); err != nil {
		return "", err
	}
	if _, err := r.wait(ctx, r.seq, true); err != nil {
		return "", err
	}
	if err := r.load.call(ctx, "POST", "/cut", nil, nil); err != nil {
		return "", err
	}
	cut := time.Now()
	if err := r.commit(ctx, stormEvents); err != nil {
		return "", err
	}
	if err := r.load.call(ctx, "POST", "/resume", nil, nil); err != nil {
		return "", fmt.Errorf("resume: %w", err)
	}
	if err := r.await(ctx, true); err != nil {
		return "", err
	}
	return fmt.Sprintf("all back with the %d events they missed after %.1f s", stormEvents, time.Since(cut).Seconds()), nil
}

// slow is a burst of twice the time in which 2 % of the subscribers do not read.
// Latency and rate are those of all; the window is that of the others.
func (r *run) slow(ctx context.Context) (string, error) {
	if err := r.load.call(ctx, "POST", "/stall", nil, nil); err != nil {
		return "", err
	}
	if _, err := r.burstFor(ctx, 2*r.driver.Duration); err != nil {
		return "", err
	}
	if err := r.await(ctx, false); err != nil {
		return "", err
	}
	var others report
	if err := r.load.call(ctx, "GET", fmt.Sprintf("/report?seq=%d", r.seq), nil, &others); err != nil {
		return "", err
	}
	woken := time.Now()
	if err := r.load.call(ctx, "POST", "/unstall", nil, nil); err != nil {
		return "", err
	}
	if err := r.await(ctx, true); err != nil {
		return "", err
	}
	behind := others.SlowLate / uint64(max(r.setup.n/50, 1)) //nolint:gosec // positive
	return fmt.Sprintf("the others: p99 %s ms; the slow ones were %d of %d events behind, and %.1f s after they read again there was no more to come",
		milliseconds(others.P99), behind, r.seq, time.Since(woken).Seconds()), nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// memoryWatch keeps the highest values, looked at every 50 ms.
type memoryWatch struct {
	quit         chan struct{}
	done         sync.WaitGroup
	rss, sockets int64
}

func watchMemory(p *process) *memoryWatch {
	w := &memoryWatch{quit: make(chan struct{})}
	w.done.Go(func() {
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for {
			rss, err1 := p.resident("VmRSS")
			sockets, err2 := socketMemory()
			if errors.Join(err1, err2) == nil {
				w.rss, w.sockets = max(w.rss, rss), max(w.sockets, sockets)
			}
			select {
			case <-ticker.C:
			case <-w.quit:
				return
			}
		}
	})
	return w
}

func (w *memoryWatch) stop() (rss, sockets int64) {
	close(w.quit)
	w.done.Wait()
	return w.rss, w.sockets
}

// failures gives what could not be measured, and what our feeds promise and did
// not keep. Centrifuge without a history does not promise it.
func failures(rows []row) error {
	var all []error
	for _, r := range rows {
		switch lost := r.report.Missing + r.report.Late + uint64(r.report.Reordered); { //nolint:gosec // not negative
		case r.failure != nil:
			all = append(all, fmt.Errorf("%s, %s: %w", r.server, r.setup.scenario, r.failure))
		case lost > 0 && !isCentrifuge(r.server):
			all = append(all, fmt.Errorf("%s, %s: %d missing, late or out of order", r.server, r.setup.scenario, lost))
		}
	}
	return errors.Join(all...)
}
