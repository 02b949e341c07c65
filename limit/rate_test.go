package limit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/security-monitor/secmon/child"
	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/monitor"
)

// server is a real redis-server, which a test may stop, kill and start again.
type server struct {
	t       *testing.T
	args    []string
	dir     string
	address string
	process *child.Process
}

func startRedis(t *testing.T, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed")
		}
		t.Skip("redis-server is not installed: run scripts/install-deps.sh servers")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	s := &server{t: t, dir: t.TempDir(), address: l.Addr().String()}
	_, port, _ := net.SplitHostPort(s.address)
	s.args = append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", s.dir}, args...)
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.t.Helper()
	var err error
	if s.process, err = child.Start(filepath.Join(s.dir, "log"), "redis-server", s.args...); err != nil {
		s.t.Fatal(err)
	}
	probe := redis.NewClient(&redis.Options{Addr: s.address})
	defer probe.Close()
	eventually(s.t, "redis-server to answer", func() bool { return probe.Ping(s.t.Context()).Err() == nil })
}

func (s *server) kill() {
	_ = syscall.Kill(s.process.PID(), syscall.SIGKILL)
	<-s.process.Done()
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// counted counts the commands that reach for Redis.
type counted struct{ n atomic.Int64 }

func (c *counted) DialHook(next redis.DialHook) redis.DialHook { return next }
func (c *counted) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { c.n.Add(1); return next(ctx, cmd) }
}

func (c *counted) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func replica(t *testing.T, s *server) (*limit.Redis, *limit.Rate, *counted) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.address, ContextTimeoutEnabled: true, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	hook := &counted{}
	client.AddHook(hook)
	r := &limit.Redis{Client: client, Log: slog.New(slog.DiscardHandler), Prefix: "test:"}
	return r, limit.NewRate(r, nil), hook
}

func TestReplicasShareOneBudget(t *testing.T) {
	s := startRedis(t)
	_, a, _ := replica(t, s)
	_, b, _ := replica(t, s)
	const budget = 600
	var taken, local atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for _, rate := range []*limit.Rate{a, b, a, b, a, b} {
		all.Go(func() {
			for range 100 {
				if got := rate.Take(t.Context(), "v:1", 3, budget); got.RetryAfter == 0 {
					taken.Add(3)
				}
			}
			local.Store(rate.Local.Load())
		})
	}
	all.Wait()
	if local.Load() > 0 {
		t.Skip("Redis took longer than its deadline: this machine is too busy for this test")
	}
	back := int64(budget*time.Since(begun)/limit.Period) + 3 // what came back meanwhile
	if n := taken.Load(); n < budget-3 || n > budget+back {
		t.Errorf("two replicas gave %d points of a budget of %d, of which %d came back", n, budget, back)
	}
	got := a.Take(t.Context(), "v:1", 30, budget)
	if got.RetryAfter <= 0 || got.RetryAfter > 4*time.Second || got.Remaining > 10 || got.Limit != budget || time.Until(got.Reset) < 50*time.Second {
		t.Errorf("what is left: %+v", got)
	}
	if got := a.Take(t.Context(), "v:2", 30, budget); got.RetryAfter != 0 || got.Remaining != budget-30 {
		t.Errorf("another's budget: %+v", got)
	}
}

func TestKilledRedisLeavesLocalBudgets(t *testing.T) {
	s := startRedis(t)
	_, rate, hook := replica(t, s)
	take := func() limit.Budget { return rate.Take(t.Context(), "v:1", 100, 300) }
	for range 3 {
		if got := take(); got.RetryAfter != 0 {
			t.Fatalf("within the budget: %+v", got)
		}
	}
	if got := take(); got.RetryAfter == 0 || rate.Local.Load() != 0 {
		t.Fatalf("beyond the budget: %+v, %d decided locally", got, rate.Local.Load())
	}
	s.kill()
	for range 3 {
		if got := take(); got.RetryAfter != 0 {
			t.Errorf("a whole local budget: %+v", got)
		}
	}
	if got := take(); got.RetryAfter == 0 {
		t.Errorf("beyond the local budget: %+v", got)
	}
	if n := rate.Local.Load(); n != 4 {
		t.Errorf("%d decided locally, want 4", n)
	}
	s.start()
	before := hook.n.Load()
	eventually(t, "Redis to be asked again", func() bool { // it is empty: whole budgets
		local := rate.Local.Load()
		got := rate.Take(t.Context(), "v:1", 1, 300)
		return got.RetryAfter == 0 && rate.Local.Load() == local && hook.n.Load() > before
	})
}

// A Redis that hangs is worse than none: each request would wait for it.
func TestHangingRedisIsLeftAlone(t *testing.T) {
	s := startRedis(t)
	_, rate, hook := replica(t, s)
	if got := rate.Take(t.Context(), "v:1", 1, 1_000); got.RetryAfter != 0 {
		t.Fatal(got)
	}
	_ = syscall.Kill(s.process.PID(), syscall.SIGSTOP)
	defer syscall.Kill(s.process.PID(), syscall.SIGCONT)
	before := hook.n.Load()
	begun := time.Now()
	for range 500 {
		rate.Take(t.Context(), "v:1", 1, 1_000)
	}
	tries := 1 + int64(time.Since(begun)/time.Second)
	if n := hook.n.Load() - before; n > 2*tries {
		t.Errorf("a hanging Redis was asked %d times in %s", n, time.Since(begun))
	}
	if rate.Local.Load() != 500 {
		t.Errorf("%d of 500 decided locally", rate.Local.Load())
	}
}

// On a cluster a script may touch keys of one slot only, and has to name them.
func TestRateOnACluster(t *testing.T) {
	s := startRedis(t, "--cluster-enabled", "yes")
	admin := redis.NewClient(&redis.Options{Addr: s.address})
	defer admin.Close()
	if err := admin.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cluster to be whole", func() bool {
		return strings.Contains(admin.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.address}})
	defer client.Close()
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	r := &limit.Redis{Client: client, Log: slog.New(slog.DiscardHandler), Prefix: "test:"}
	rate := limit.NewRate(r, nil)
	charge, err := rate.Charge(t.Context(), limit.Points{Viewer: 100, Address: 1_000}, "ana", "192.0.2.1", 60)
	if err != nil || charge.Budget.Remaining != 40 || rate.Local.Load() != 0 {
		t.Errorf("%+v, %v; %d decided locally", charge, err, rate.Local.Load())
	}
	keys := admin.Keys(t.Context(), "*").Val()
	if len(keys) != 2 {
		t.Errorf("keys: %q", keys)
	}
	for _, key := range keys {
		if ttl := admin.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > limit.Period+time.Second {
			t.Errorf("%s lives for %s", key, ttl)
		}
	}
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestBudgetComesBack(t *testing.T) {
	c := &clock{time.Unix(1_800_000_000, 0)}
	rate := limit.NewRate(nil, c.now)
	take := func(cost int) limit.Budget { return rate.Take(t.Context(), "k", cost, 600) } // 10 a second
	if got := take(600); got.RetryAfter != 0 || got.Remaining != 0 || !got.Reset.Equal(c.at.Add(time.Minute)) {
		t.Errorf("the whole budget at once: %+v", got)
	}
	if got := take(20); got.RetryAfter != 2*time.Second {
		t.Errorf("20 points more: %+v, want to wait 2 s", got)
	}
	c.at = c.at.Add(2 * time.Second)
	if got := take(20); got.RetryAfter != 0 || got.Remaining != 0 {
		t.Errorf("after 2 s: %+v", got)
	}
	c.at = c.at.Add(time.Hour)
	if got := take(1); got.Remaining != 599 {
		t.Errorf("after an hour: %+v, never more than the budget", got)
	}
}

func TestManyAddressesTakeBoundedMemory(t *testing.T) {
	c := &clock{time.Unix(1_800_000_000, 0)}
	rate := limit.NewRate(nil, c.now)
	rate.Take(t.Context(), "first", 100, 100)
	for i := range 9_999 {
		rate.Take(t.Context(), fmt.Sprint(i), 1, 100)
	}
	if got := rate.Take(t.Context(), "first", 1, 100); got.RetryAfter == 0 {
		t.Error("a budget was forgotten before the map was full")
	}
	for i := range 10_000 {
		rate.Take(t.Context(), fmt.Sprint("x", i), 1, 100)
	}
	if got := rate.Take(t.Context(), "first", 1, 100); got.RetryAfter != 0 {
		t.Error("the oldest budget is still kept: the map has no bound")
	}
}

func TestChargesByViewerAndAddress(t *testing.T) {
	c := &clock{time.Unix(1_800_000_000, 0)}
	points := limit.Points{Viewer: 100, Address: 250}
	type charge struct {
		viewer, address string
		cost            int
		refused         bool
		remaining       int
	}
	for _, test := range []struct {
		reason  string
		charges []charge
	}{
		{"a viewer has a budget wherever they are", []charge{{"a", "192.0.2.1", 100, false, 0}, {"a", "192.0.2.2", 1, true, 0}}},
		{"viewers of one address have budgets of their own, up to the address's", []charge{{"a", "192.0.2.1", 100, false, 0}, {"b", "192.0.2.1", 100, false, 0}, {"c", "192.0.2.1", 51, true, 50}}},
		{"strangers have the address's", []charge{{"", "192.0.2.1", 250, false, 0}, {"", "192.0.2.1", 1, true, 0}, {"", "192.0.2.2", 1, false, 249}}},
		{"an IPv6 client has a /64", []charge{{"", "2001:db8::1", 250, false, 0}, {"", "2001:db8::ffff:1", 1, true, 0}, {"", "2001:db8:0:1::1", 1, false, 249}}},
		{"an IPv4 address in IPv6 is the same", []charge{{"", "::ffff:192.0.2.1", 250, false, 0}, {"", "192.0.2.1", 1, true, 0}}},
	} {
		t.Run(test.reason, func(t *testing.T) {
			rate := limit.NewRate(nil, c.now)
			for i, want := range test.charges {
				got, err := rate.Charge(t.Context(), points, want.viewer, want.address, want.cost)
				if (err != nil) != want.refused || got.Budget.Remaining != want.remaining || got.Cost != want.cost {
					t.Errorf("charge %d: %+v, %v; want %+v", i, got, err, want)
				}
				var known *monitor.Error
				if err != nil && (!errors.As(err, &known) || known.Code != monitor.CodeRateLimited || known.Details["retryAfter"].(int) < 1) {
					t.Errorf("charge %d: %v", i, err)
				}
			}
		})
	}
	got, err := limit.NewRate(nil, c.now).Charge(t.Context(), limit.Points{}, "a", "192.0.2.1", 1<<40)
	if err != nil || got.Budget.Limit != 0 {
		t.Errorf("without bounds: %+v, %v", got, err)
	}
}
