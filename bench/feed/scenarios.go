package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// runner runs scenarios, each on a fresh process of each server.
type runner struct {
	servers []string
	n       int
	seconds int
}

// trial is one server under one load.
type trial struct {
	*process
	load   *load
	before sample // without subscribers
	idle   sample // with them
}

func begin(ctx context.Context, kind string, n, groups int, cursors bool) (*trial, error) {
	p, err := start(kind, groups)
	if err != nil {
		return nil, err
	}
	t := &trial{process: p, load: &load{kind: kind, address: p.address, groups: groups, cursors: cursors}}
	_ = p.ask("/gc", nil)
	if t.before, err = p.sample(); err != nil {
		return t, err
	}
	if err := t.load.dial(ctx, n); err != nil {
		return t, fmt.Errorf("%s: %w", kind, err)
	}
	for range 4 { // stacks shrink by half at a collection
		_ = p.ask("/gc", nil)
	}
	time.Sleep(500 * time.Millisecond) // memory goes back to the system in the background
	t.idle, err = p.sample()
	return t, err
}

func (t *trial) end() {
	t.load.close()
	t.stop()
}

// row is a line of a table; the first column names the server.
type table struct {
	title string
	head  []string
	rows  [][]string
}

func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	t.rows = append(t.rows, row)
}

func (t *table) print() {
	fmt.Printf("\n%s\n\n| %s |\n|%s\n", t.title, strings.Join(t.head, " | "), strings.Repeat(" --- |", len(t.head)))
	for _, row := range t.rows {
		fmt.Printf("| %s |\n", strings.Join(row, " | "))
	}
}

func kib(n int64) string { return fmt.Sprintf("%.1f KiB", float64(n)/1024) }
func mib(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }
func ms(d time.Duration) string {
	return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
}
func us(d time.Duration, per int64) string {
	return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond)/float64(max(per, 1)))
}

// each runs f on every server and ends it again.
func (r *runner) each(ctx context.Context, n, groups int, cursors bool, f func(kind string, t *trial) error) error {
	for _, kind := range r.servers {
		t, err := begin(ctx, kind, n, groups, cursors)
		if err == nil {
			err = f(kind, t)
		}
		if t != nil {
			t.end()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

// idle: what a connection costs that has nothing to say.
func (r *runner) idle(ctx context.Context) error {
	out := table{title: fmt.Sprintf("Idle, %d subscribers in 100 groups", r.n), head: []string{"server", "memory a connection", "kernel, both ends", "goroutines a connection"}}
	err := r.each(ctx, r.n, 100, false, func(kind string, t *trial) error {
		n := int64(r.n)
		out.add(kind, kib((t.idle.rss-t.before.rss)/n), kib((t.idle.kernel-t.before.kernel)/n), fmt.Sprintf("%.2f", float64(t.idle.Goroutines-t.before.Goroutines)/float64(n)))
		return nil
	})
	out.print()
	return err
}

// paced: two events a second to everybody, one at a time.
func (r *runner) paced(ctx context.Context) error {
	out := table{title: fmt.Sprintf("Paced, 2 single events a second to %d subscribers in 100 groups", r.n), head: []string{"server", "CPU a delivery", "p50", "p99", "executions an event", "missing", "out of order"}}
	err := r.each(ctx, r.n, min(100, r.n), false, func(kind string, t *trial) error {
		events := int64(2 * r.seconds)
		for range events {
			if err := t.commit(1); err != nil {
				return err
			}
			time.Sleep(500 * time.Millisecond) // the pace
		}
		total := events * int64(r.n)
		t.load.await(total, 30*time.Second)
		after, err := t.sample()
		out.add(kind, us(after.cpu-t.idle.cpu, total), ms(t.load.latency.quantile(0.5)), ms(t.load.latency.quantile(0.99)),
			perEvent(after.Executions-t.idle.Executions, events), total-t.load.delivered.Load(), t.load.wrong.Load())
		return err
	})
	out.print()
	return err
}

func perEvent(executions, events int64) string {
	if executions == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(executions)/float64(events))
}

// flood commits 16 at a time as fast as all subscribers take them, for a while.
func (r *runner) flood(t *trial, subscribers int, skip func(*client) bool) (events int64, took time.Duration, err error) {
	const write, ahead = 16, 4
	begun := time.Now()
	for time.Since(begun) < time.Duration(r.seconds)*time.Second {
		if err := t.commit(write); err != nil {
			return events, 0, err
		}
		events += write
		if skip == nil {
			if !t.load.await((events-ahead*write)*int64(subscribers), 60*time.Second) {
				break
			}
		}
	}
	t.load.await(events*int64(subscribers), 120*time.Second)
	return events, time.Since(begun), nil
}

// burst: 16 events a write, as fast as they go.
func (r *runner) burst(ctx context.Context) error { return r.floods(ctx, "Burst", 100) }

func (r *runner) floods(ctx context.Context, title string, groups int) error {
	out := table{title: fmt.Sprintf("%s, 16 events a write to %d subscribers in %d groups, closed loop", title, r.n, groups), head: []string{"server", "deliveries/s", "CPU a delivery", "messages", "peak memory", "missing", "out of order"}}
	err := r.each(ctx, r.n, groups, false, func(kind string, t *trial) error {
		events, took, err := r.flood(t, r.n, nil)
		if err != nil {
			return err
		}
		total := events * int64(r.n)
		after, err := t.sample()
		out.add(kind, int64(float64(t.load.delivered.Load())/took.Seconds()), us(after.cpu-t.idle.cpu, t.load.delivered.Load()), t.load.messages.Load(), mib(after.peak), total-t.load.delivered.Load(), t.load.wrong.Load())
		return err
	})
	out.print()
	return err
}

// mixed: few are alike.
func (r *runner) mixed(ctx context.Context) error {
	if err := r.floods(ctx, "Mixed", max(1, r.n/5)); err != nil {
		return err
	}
	return r.floods(ctx, "No two alike", r.n)
}

// slow: 2 % stop reading; the others must not notice, and the slow must have all in the end.
func (r *runner) slow(ctx context.Context) error {
	slowOnes := max(1, r.n/50)
	out := table{title: fmt.Sprintf("Slow, %d of %d subscribers stop reading", slowOnes, r.n), head: []string{"server", "p50", "p99 of the others", "peak memory", "missing of the others", "missing of the slow, when they read again", "out of order"}}
	err := r.each(ctx, r.n, min(100, r.n), false, func(kind string, t *trial) error {
		for _, c := range t.load.clients[:slowOnes] {
			c.paused.Store(true)
		}
		fast := int64(r.n - slowOnes)
		events := int64(0)
		for range 10 * r.seconds {
			if err := t.commit(16); err != nil {
				return err
			}
			events += 16
			time.Sleep(100 * time.Millisecond) // the pace
		}
		t.load.await(events*fast, 30*time.Second)
		missing := int64(0)
		for _, c := range t.load.clients[slowOnes:] {
			missing += events + 1 - int64(max(c.seq, 1)) //nolint:gosec // a number of events
		}
		p50, p99 := t.load.latency.quantile(0.5), t.load.latency.quantile(0.99)
		for _, c := range t.load.clients[:slowOnes] {
			c.paused.Store(false)
			c.resume <- struct{}{}
		}
		t.load.await(events*int64(r.n), 20*time.Second)
		missingSlow := int64(0)
		for _, c := range t.load.clients[:slowOnes] {
			missingSlow += events + 1 - int64(max(c.seq, 1)) //nolint:gosec // a number of events
		}
		after, err := t.sample()
		out.add(kind, ms(p50), ms(p99), mib(after.peak), missing, missingSlow, t.load.wrong.Load())
		return err
	})
	out.print()
	return err
}

// storm: all connections break at once while events go on; everybody resumes.
func (r *runner) storm(ctx context.Context) error {
	n := 2 * r.n
	out := table{title: fmt.Sprintf("Storm, %d subscribers in 200 groups reconnect at once and resume, 10 events a second", n), head: []string{"server", "memory before", "peak memory", "until all are back", "executions", "missing", "out of order"}}
	servers := slices.DeleteFunc(slices.Clone(r.servers), func(kind string) bool { return kind == "centrifuge" })
	all := *r
	all.servers = servers
	err := all.each(ctx, n, min(200, n), true, func(kind string, t *trial) error {
		events := int64(0)
		commit := func() error { events++; return t.commit(1) }
		for range 10 {
			if err := commit(); err != nil {
				return err
			}
			time.Sleep(100 * time.Millisecond) // the pace
		}
		t.load.await(events*int64(n), 30*time.Second)
		stop := make(chan struct{})
		var writing sync.WaitGroup
		var failed error
		writing.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Millisecond):
					if failed = commit(); failed != nil {
						return
					}
				}
			}
		})
		for _, c := range t.load.clients {
			_ = c.conn.Close()
		}
		begun := time.Now()
		err := t.load.connect(ctx, 256)
		back := time.Since(begun)
		close(stop)
		writing.Wait()
		if err != nil || failed != nil {
			return fmt.Errorf("storm: %w, %w", err, failed)
		}
		t.load.await(events*int64(n), 60*time.Second)
		after, err := t.sample()
		out.add(kind, mib(t.idle.rss), mib(after.peak), fmt.Sprintf("%.1f s", back.Seconds()), after.Executions-t.idle.Executions, events*int64(n)-t.load.delivered.Load(), t.load.wrong.Load())
		return err
	})
	out.print()
	return err
}

// scale: how cost grows with the number of subscribers.
func (r *runner) scale(ctx context.Context) error {
	out := table{title: "Scale, 2 single events a second to N subscribers in 100 groups", head: []string{"server", "N", "memory", "CPU a delivery", "p50", "p99", "missing"}}
	for _, n := range []int{100, 1_000, 5_000, 10_000, 20_000} {
		if n > 4*r.n {
			break
		}
		err := r.each(ctx, n, min(100, n), false, func(kind string, t *trial) error {
			events := int64(2 * r.seconds)
			for range events {
				if err := t.commit(1); err != nil {
					return err
				}
				time.Sleep(500 * time.Millisecond) // the pace
			}
			total := events * int64(n)
			t.load.await(total, 30*time.Second)
			after, err := t.sample()
			out.add(kind, n, mib(after.rss), us(after.cpu-t.idle.cpu, total), ms(t.load.latency.quantile(0.5)), ms(t.load.latency.quantile(0.99)), total-t.load.delivered.Load())
			return err
		})
		if err != nil {
			out.print()
			return err
		}
	}
	out.print()
	return nil
}
