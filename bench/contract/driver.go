package contract

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/security-monitor/secmon/bench/machine"
	"github.com/security-monitor/secmon/feed/localredis"
)

// Driver measures the contract's queries and prints tables in Markdown.
type Driver struct {
	Part      []string      `help:"${enum}" default:"mix,cost,deep" enum:"mix,cost,deep"`
	Data      string        `help:"Directory of the database, kept for the next time. In the user's cache directory without it." type:"path" placeholder:"DIR"`
	Events    int           `help:"Events to load." default:"5000000"`
	Alerts    int           `help:"Alerts to load." default:"200000"`
	Seed      uint64        `help:"Of everything random." default:"1"`
	Rate      float64       `help:"Requests a second." default:"200"`
	Duration  time.Duration `help:"Of the mix." default:"60s"`
	WarmUp    time.Duration `name:"warm-up" help:"Of the mix before it is measured." default:"20s"`
	Cgroup    bool          `help:"Hold the replica to 200 m CPU and 256 MiB in a cgroup, begin with 1,000 requests a minute and go up from there until p99 is 200 ms."`
	Program   string        `help:"The program to measure." default:"bin/secmon" type:"path"`
	Documents string        `help:"The dashboard's operations." default:"web/src" type:"path"`
	Short     bool          `help:"50,000 events, 2,000 alerts and a few seconds."`
	Load      bool          `help:"Load and leave."`
	Requests  int           `help:"Of each operation when its cost is measured." default:"200"`
}

// Run loads what is not loaded, measures and prints.
func (d *Driver) Run(ctx context.Context) (err error) {
	if err := d.settle(); err != nil {
		return err
	}
	documents, err := readDocuments(d.Documents)
	if err != nil {
		return err
	}
	ops, err := readMix(documents)
	if err != nil {
		return err
	}
	data, err := open(ctx, d.Data, plan{Seed: d.Seed, Events: d.Events, Alerts: d.Alerts, End: time.Now().UTC().Truncate(time.Hour)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.server.Close()) }()
	if d.Load {
		return nil
	}
	fmt.Printf("%s%d events and %d alerts up to %s, buffer pool of %d MiB\n\n", machine.Line(machine.Cores()), d.Events, d.Alerts, data.plan.End.Format(time.DateOnly), bufferPoolMB)
	redis, err := localredis.Start(ctx, localredis.Options{Dir: filepath.Join(data.dir, "redis")})
	if err != nil {
		return err
	}
	defer redis.Close() //nolint:errcheck // it holds nothing
	if err := ensureUser(ctx, data.dsn()); err != nil {
		return err
	}
	var limits *cgroup
	if d.Cgroup {
		if limits, err = newCgroup(); err != nil {
			return fmt.Errorf("--cgroup: this machine does not let us (run as root, or where a cgroup is delegated): %w", err)
		}
		defer func() { err = errors.Join(err, limits.remove()) }()
	}
	server, err := startReplica(ctx, d.Program, data, redis.URL(), limits)
	if err != nil {
		return err
	}
	defer server.stop() //nolint:errcheck // it was told to
	return d.measure(ctx, &measurement{server: server, data: data, ops: ops, limits: limits})
}

func (d *Driver) settle() error {
	if d.Short {
		d.Events, d.Alerts, d.Duration, d.WarmUp, d.Rate, d.Requests = 50_000, 2_000, 3*time.Second, time.Second, min(d.Rate, 50), 10
	}
	if d.Data != "" {
		return nil
	}
	cache, err := os.UserCacheDir()
	d.Data = filepath.Join(cache, "secmon-bench", fmt.Sprintf("%d-%d", d.Events, d.Alerts))
	return err
}

// measurement is what the parts share.
type measurement struct {
	server *replica
	data   *dataset
	ops    []*operation
	limits *cgroup
	client *client
	known  variables
}

func (d *Driver) measure(ctx context.Context, m *measurement) (err error) {
	if m.client, err = newClient(ctx, m.server.url); err != nil {
		return err
	}
	if m.known, err = learn(ctx, m.client, 50); err != nil {
		return fmt.Errorf("learn what to ask for: %w", err)
	}
	if d.Cgroup {
		return d.climb(ctx, m)
	}
	var failed []error
	for _, part := range []struct {
		name string
		run  func(context.Context, *measurement) error
	}{{"mix", d.mix}, {"cost", d.cost}, {"deep", d.deep}} {
		if slices.Contains(d.Part, part.name) {
			failed = append(failed, part.run(ctx, m))
		}
	}
	return errors.Join(failed...)
}

// mix drives the mix at the rate.
func (d *Driver) mix(ctx context.Context, m *measurement) error {
	fmt.Fprintf(os.Stderr, "warming up for %s, then %s at %.0f requests/s\n", d.WarmUp, d.Duration, d.Rate)
	openLoop(ctx, m.client, m.ops, m.known, d.Rate, d.WarmUp, d.Seed+1)
	before, err := m.cpu()
	if err != nil {
		return err
	}
	begun := time.Now()
	samples := openLoop(ctx, m.client, m.ops, m.known, d.Rate, d.Duration, d.Seed+2)
	took := time.Since(begun)
	after, err := m.cpu()
	if err != nil {
		return err
	}
	printMix(samples, m.ops)
	fmt.Printf("\nCPU: secmon %.2f cores (%.2f ms a request), MariaDB %.2f cores (%.2f ms a request); secmon's highest RSS %d MiB\n\n",
		(after.server-before.server).Seconds()/took.Seconds(), float64((after.server-before.server).Microseconds())/1e3/float64(len(samples)),
		(after.database-before.database).Seconds()/took.Seconds(), float64((after.database-before.database).Microseconds())/1e3/float64(len(samples)),
		peakMemory(m.server.command.Process.Pid)>>20)
	if f := sumUp(samples); f.errors > 0 {
		return fmt.Errorf("mix: %d of %d requests failed, the last: %w", f.errors, f.requests, f.firstError)
	}
	return nil
}

type times struct{ server, database time.Duration }

func (m *measurement) cpu() (times, error) {
	server, err1 := cpuOf(m.server.command.Process.Pid)
	database, err2 := cpuOf(m.data.server.PID())
	return times{server, database}, errors.Join(err1, err2)
}

// cost measures the ten commonest operations one by one.
func (d *Driver) cost(ctx context.Context, m *measurement) error {
	all, err := costs(ctx, m.client, commonest(m.ops, 10), m.known, d.Requests, m.server.command.Process.Pid, m.data.server.PID())
	printCosts(all)
	return err
}

// deep compares page 1,000 of each list with page 1.
func (d *Driver) deep(ctx context.Context, m *measurement) error {
	var all []depth
	var failed []error
	for _, l := range m.data.plan.lists() {
		fmt.Fprintf(os.Stderr, "deep pages: %s\n", l.name)
		each, err := compare(ctx, m.client, l)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		all = append(all, each)
	}
	printDepths(all)
	return errors.Join(failed...)
}

// climb raises the rate until the limits show.
func (d *Driver) climb(ctx context.Context, m *measurement) error {
	const target = 200 * time.Millisecond
	openLoop(ctx, m.client, m.ops, m.known, 1_000.0/60, d.WarmUp, d.Seed+1)
	var steps []step
	for perMinute := 1_000.0; perMinute < 100_000; perMinute *= 1.25 {
		fmt.Fprintf(os.Stderr, "%.0f requests a minute\n", perMinute)
		before, err := m.cpu()
		if err != nil {
			return err
		}
		throttled, periods := m.limits.throttled()
		begun := time.Now()
		f := sumUp(openLoop(ctx, m.client, m.ops, m.known, perMinute/60, d.Duration, d.Seed+uint64(perMinute)))
		took := time.Since(begun)
		after, err := m.cpu()
		if err != nil {
			return err
		}
		s := step{perMinute: perMinute, figures: f, server: (after.server - before.server).Seconds() / took.Seconds()}
		n, p := m.limits.throttled()
		s.throttled = float64(n-throttled) / float64(max(p-periods, 1))
		s.memory = peakMemory(m.server.command.Process.Pid)
		steps = append(steps, s)
		if f.p99 >= target || f.errors > 0 || d.Short {
			break
		}
	}
	printSteps(steps, m.limits.version)
	if first := steps[0]; !d.Short && (first.p99 >= target || first.errors > 0) {
		return fmt.Errorf("1,000 requests a minute: p99 %s, %d errors (%v)", first.p99, first.errors, first.firstError) //nolint:errorlint // there may be none
	}
	return nil
}
