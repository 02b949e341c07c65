package contract

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/bench/machine"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/feed/localredis"
	"github.com/security-monitor/secmon/monitor"
)

// Pod measures what one replica of the smallest installation carries when
// everything comes at once: answers, subscribers and events, in a cgroup of 200 m
// CPU and 256 MiB. Then each of the three is raised alone until it breaks.
type Pod struct {
	Data        string        `help:"Directory of the database, kept for the next time. In the user's cache directory without it." type:"path" placeholder:"DIR"`
	Events      int           `help:"Events to load." default:"500000"`
	Alerts      int           `help:"Alerts to load." default:"20000"`
	Seed        uint64        `help:"Of everything random." default:"1"`
	Requests    float64       `help:"Requests a minute, of the dashboard's mix." default:"1000"`
	Subscribers int           `help:"WebSockets with a feed each." default:"1000"`
	EventRate   float64       `name:"event-rate" help:"Events a second." default:"500"`
	Duration    time.Duration `help:"Of each step." default:"60s"`
	WarmUp      time.Duration `name:"warm-up" help:"Of everything before it is measured." default:"20s"`
	Target      time.Duration `help:"p99 of answers beyond which it is broken." default:"200ms"`
	Delay       time.Duration `help:"p99 from the commit to the subscriber beyond which it is broken." default:"1s"`
	Program     string        `help:"The program to measure." default:"bin/secmon" type:"path"`
	Documents   string        `help:"The dashboard's operations." default:"web/src" type:"path"`
	Unlimited   bool          `help:"Without a cgroup, where none may be made: for trying the program out."`
	Short       bool          `help:"A hundredth of everything for a few seconds, each raised once: for trying the program out."`
}

// load is what comes at once.
type podLoad struct {
	requests    float64 // a minute
	subscribers int
	events      float64 // a second
}

func (l podLoad) String() string {
	return fmt.Sprintf("%.0f requests a minute, %d subscribers, %.0f events/s", l.requests, l.subscribers, l.events)
}

// climbs say what is raised, and by how much from step to step.
var climbs = []struct {
	name  string
	raise func(podLoad) podLoad
}{
	{"requests", func(l podLoad) podLoad { l.requests *= 1.5; return l }},
	{"subscribers", func(l podLoad) podLoad { l.subscribers = l.subscribers * 3 / 2; return l }},
	{"events", func(l podLoad) podLoad { l.events *= 1.5; return l }},
}

const mostSteps = 12

// Run loads what is not loaded, measures and prints. It fails when the load that
// one pod has to carry breaks it.
func (p *Pod) Run(ctx context.Context) (err error) {
	if err := p.settle(); err != nil {
		return err
	}
	documents, err := readDocuments(p.Documents)
	if err != nil {
		return err
	}
	ops, err := readMix(documents)
	if err != nil {
		return err
	}
	data, err := open(ctx, p.Data, plan{Seed: p.Seed, Events: p.Events, Alerts: p.Alerts, End: time.Now().UTC().Truncate(time.Hour)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.server.Close()) }()
	if err := ensureUser(ctx, data.dsn()); err != nil {
		return err
	}
	redis, err := localredis.Start(ctx, localredis.Options{Dir: filepath.Join(data.dir, "redis")})
	if err != nil {
		return err
	}
	defer redis.Close() //nolint:errcheck // it holds nothing
	tokens, err := makeTokens(ctx, data.dsn())
	if err != nil {
		return err
	}
	fmt.Printf("%sOne replica held to %s; %d events and %d alerts stored before\n\n", machine.Line(machine.Cores()), p.limits(), p.Events, p.Alerts)
	base := podLoad{p.Requests, p.Subscribers, p.EventRate}
	var steps []podStep
	for i, climb := range climbs {
		taken, err := p.climb(ctx, &podRun{pod: p, data: data, ops: ops, redis: redis.URL(), tokens: tokens}, climb.name, base, climb.raise, i == 0)
		if err != nil {
			return errors.Join(err, fmt.Errorf("while the %s were raised", climb.name))
		}
		steps = append(steps, taken...)
		if broken := taken[0].broken; i == 0 && broken != "" && !p.Short {
			printPod(steps)
			return fmt.Errorf("%s at once: %s", base, broken)
		}
	}
	printPod(steps)
	return nil
}

func (p *Pod) limits() string {
	if p.Unlimited {
		return "nothing"
	}
	return fmt.Sprintf("%.0f m CPU and %d MiB by a cgroup", 1000*limitCPU, limitMemory>>20)
}

func (p *Pod) settle() error {
	if p.Short {
		p.Events, p.Alerts, p.Requests, p.Subscribers, p.EventRate = 3_000, 400, 120, 10, 10
		p.Duration, p.WarmUp = 3*time.Second, time.Second
	}
	if p.Data != "" {
		return nil
	}
	cache, err := os.UserCacheDir()
	p.Data = filepath.Join(cache, "secmon-bench", fmt.Sprintf("pod-%d-%d", p.Events, p.Alerts))
	return err
}

// climb starts a replica and raises one thing until it breaks. The first step is
// measured once for all: only where first is set is it part of what is given.
func (p *Pod) climb(ctx context.Context, run *podRun, what string, base podLoad, raise func(podLoad) podLoad, first bool) (steps []podStep, err error) {
	if err := run.start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, run.close()) }()
	fmt.Fprintf(os.Stderr, "warming up for %s: %s\n", p.WarmUp, base)
	if _, err := run.step(ctx, base, p.WarmUp); err != nil {
		return nil, err
	}
	load := base
	if !first {
		load = raise(load)
	}
	for range mostSteps {
		fmt.Fprintln(os.Stderr, load)
		s, err := run.step(ctx, load, p.Duration)
		if err != nil {
			return steps, err
		}
		s.what = what
		if load == base {
			s.what = "all at once"
		}
		if s.broken = p.judge(s); s.broken != "" || p.Short && load != base {
			return append(steps, s), nil
		}
		steps = append(steps, s)
		load = raise(load)
	}
	return steps, nil
}

// judge says what broke, "" when nothing did.
func (p *Pod) judge(s podStep) string {
	switch {
	case s.dead:
		return "the process was ended: no memory"
	case s.answers.errors > 0:
		return fmt.Sprintf("%d of %d requests failed: %v", s.answers.errors, s.answers.requests, s.answers.firstError)
	case s.ingest.errors > 0:
		return fmt.Sprintf("%d of %d batches of events failed: %v", s.ingest.errors, s.ingest.requests, s.ingest.firstError)
	case s.lost > 0:
		return fmt.Sprintf("%d subscribers lost their connection: %v", s.lost, s.lostBy)
	case s.answers.p99 > p.Target:
		return fmt.Sprintf("p99 of answers over %s", p.Target)
	case s.delay.requests == 0:
		return "nothing was delivered"
	case s.delay.p99 > p.Delay:
		return fmt.Sprintf("p99 of deliveries over %s", p.Delay)
	default:
		return ""
	}
}

// tokens are what events are sent and feeds are read with.
type tokens struct{ ingest, read string }

func makeTokens(ctx context.Context, dsn string) (t tokens, err error) {
	store, err := db.Open(ctx, db.Options{DSN: dsn})
	if err != nil {
		return t, err
	}
	defer store.Close() //nolint:errcheck // see there
	keeper := auth.New(store, nil, nil)
	for _, each := range []struct {
		scope  monitor.Scope
		secret *string
	}{{monitor.ScopeIngest, &t.ingest}, {monitor.ScopeRead, &t.read}} {
		token := monitor.APIToken{Name: "bench pod", Scopes: []monitor.Scope{each.scope}, ExpiresAt: time.Now().Add(24 * time.Hour).UTC().Truncate(time.Microsecond)}
		if *each.secret, _, err = keeper.CreateToken(ctx, monitor.SystemActor, token); err != nil {
			return t, err
		}
	}
	return t, nil
}

func printPod(steps []podStep) {
	fmt.Print("| raised | requests a minute | subscribers | events/s | answers p50, ms | p99, ms | delivery p50, ms | p99, ms | ingest p99, ms | deliveries/s | CPU, cores | periods throttled | highest memory, MiB | RSS, MiB | |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range steps {
		fmt.Printf("| %s | %.0f | %d | %.0f | %s | %s | %s | %s | %s | %.0f | %.3f | %.0f %% | %d | %d | %s |\n",
			s.what, s.load.requests, s.load.subscribers, s.load.events, ms(s.answers.p50), ms(s.answers.p99), ms(s.delay.p50), ms(s.delay.p99), ms(s.ingest.p99),
			s.deliveries, s.cores, 100*s.throttled, s.memory>>20, s.rss>>20, s.broken)
	}
	fmt.Println()
}
