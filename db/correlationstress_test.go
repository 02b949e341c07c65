package db_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// Two replicas store batches for a chain of correlations, many at once and over the
// bound of groups, and do their upkeep all the while: no two transactions wait for each
// other, whatever the order of the events.
func TestCorrelationsDoNotDeadlock(t *testing.T) {
	dsn := dbtest.DSN(t)
	inner := correlationRule(8, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	outer := correlationRule(7, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 3})
	outer.Correlation.Members = []monitor.ID{inner.ID}
	meter := &conflicts{}
	stores := []*db.Store{meter.open(t, dsn, 40), meter.open(t, dsn, 40)}
	for _, rule := range []*monitor.Rule{inner, outer} {
		inForce(t, stores[0], rule)
	}
	var writers, upkeep sync.WaitGroup
	var done atomic.Bool
	for n, store := range stores {
		upkeep.Go(func() {
			for !done.Load() {
				if err := store.TrimCorrelations(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		for w := range 4 {
			writers.Go(func() {
				r := rand.New(rand.NewPCG(uint64(n), uint64(w))) //nolint:gosec // a test
				for range 40 {
					var events []counted
					for range 30 {
						events = append(events, counted{second: r.IntN(50), user: fmt.Sprint("user", r.IntN(70))})
					}
					b := batchOf(inner, events...)
					for i := range b.Samples {
						b.Samples[i].Silent = true
						up := b.Samples[i]
						up.Rule, up.Found, up.Chained, up.Depth = outer, inner, true, 1
						b.Samples = append(b.Samples, up)
					}
					if _, err := store.StoreBatch(t.Context(), b); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	writers.Wait()
	done.Store(true)
	upkeep.Wait()
	if n := meter.n.Load(); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
	if n := stores[0].Correlations().EvictedGroups.Load(); n == 0 {
		t.Error("nothing was evicted: that proves nothing")
	}
}

// Nor do batches that find something, and have many open alerts in common.
func TestFindingsDoNotDeadlock(t *testing.T) {
	dsn := dbtest.DSN(t)
	meter := &conflicts{}
	var group sync.WaitGroup
	for n := range 2 {
		store := meter.open(t, dsn, 0)
		for w := range 4 {
			group.Go(func() {
				r := rand.New(rand.NewPCG(uint64(n), uint64(w))) //nolint:gosec // a test
				for range 30 {
					b := &monitor.Batch{}
					for i := range 30 {
						e := testEvent(0)
						e.Host = fmt.Sprint("web-", r.IntN(200))
						b.Events = append(b.Events, e)
						b.Findings = append(b.Findings, monitor.Finding{Event: i, Rule: testRule(1)})
					}
					if _, err := store.StoreBatch(t.Context(), b); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	if n := meter.n.Load(); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
}

// conflicts counts deadlocks and lock timeouts.
type conflicts struct{ n atomic.Int64 }

func (*conflicts) Statement(string, string, time.Duration) {}
func (*conflicts) Transaction(string, time.Duration)       {}
func (c *conflicts) Failed(kind string) {
	if kind == "conflict" {
		c.n.Add(1)
	}
}

func (c *conflicts) open(t *testing.T, dsn string, groups int) *db.Store {
	t.Helper()
	store, err := db.Open(t.Context(), db.Options{DSN: dsn, Meter: c, Correlating: db.Correlating{MaxGroups: groups}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}
