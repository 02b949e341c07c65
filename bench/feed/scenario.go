package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	if r.server == "centrifuge" {
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
	if err := r.awaitAll(ctx); err != nil {
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

// awaitAll waits for the newest event on every connection, as long as a client
// of centrifuge that was cut off would wait in vain.
func (r *run) awaitAll(ctx context.Context) error {
	for range 6 {
		all, err := r.wait(ctx, r.seq, true)
		if err != nil || all {
			return err
		}
		var open int
		if err := r.load.call(ctx, "GET", "/open", nil, &open); err != nil {
			return err
		}
		if open < r.setup.n && r.server == "centrifuge" {
			return nil
		}
	}
	return nil // the report counts them as missing
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
	pause(ctx, min(r.driver.Seconds, 2*time.Second))
	return "", ctx.Err()
}

// paced commits single events at a rate; when the server is slower than that,
// they pile up.
func (r *run) paced(ctx context.Context) (string, error) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / r.driver.Rate))
	defer ticker.Stop()
	for range max(int(r.driver.Seconds.Seconds()*r.driver.Rate), 1) {
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
	end := time.Now().Add(r.driver.Seconds)
	for time.Now().Before(end) {
		if err := r.commit(ctx, r.driver.Batch); err != nil {
			return "", err
		}
		if r.seq < uint64(r.driver.Window) { //nolint:gosec // positive
			continue
		}
		reached, err := r.wait(ctx, r.seq-uint64(r.driver.Window)+uint64(r.driver.Batch), false) //nolint:gosec // positive
		if err != nil {
			return "", err
		}
		if !reached {
			return fmt.Sprintf("stopped: somebody was %d events behind for %s", r.driver.Window, waitLimit), nil
		}
	}
	return "", nil
}

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
	if err := r.awaitAll(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("all back with the %d events they missed after %.1f s", stormEvents, time.Since(cut).Seconds()), nil
}

// slow is a burst in which 2 % of the subscribers do not read. The latencies and
// the rate are those of all; the window is that of the others.
func (r *run) slow(ctx context.Context) (string, error) {
	if err := r.load.call(ctx, "POST", "/stall", nil, nil); err != nil {
		return "", err
	}
	if _, err := r.burst(ctx); err != nil {
		return "", err
	}
	if _, err := r.wait(ctx, r.seq, false); err != nil {
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
	if err := r.awaitAll(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("the others: p99 %s; the slow ones had all %.1f s after they read again", milliseconds(others.P99), time.Since(woken).Seconds()), nil
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

// failures gives an error when anything was missing or could not be measured.
func failures(rows []row) error {
	if i := slices.IndexFunc(rows, func(r row) bool { return r.failure != nil }); i >= 0 {
		return fmt.Errorf("%s, %s: %w", rows[i].server, rows[i].setup.scenario, rows[i].failure)
	}
	return nil
}
