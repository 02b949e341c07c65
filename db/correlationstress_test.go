package db_test

import (
	"database/sql"
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
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close() //nolint:errcheck // it was only read
	deadlocks := func() (n int) {
		var name string
		if err := handle.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'").Scan(&name, &n); err != nil {
			t.Skip("this server does not count deadlocks: ", err)
		}
		return n
	}
	before := deadlocks()
	inner := correlationRule(8, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	outer := correlationRule(7, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 3})
	outer.Correlation.Members = []monitor.ID{inner.ID}
	stores := []*db.Store{dbOpen(t, dsn, 40), dbOpen(t, dsn, 40)}
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
	if n := deadlocks() - before; n > 0 {
		t.Errorf("%d deadlocks", n)
	}
	if n := stores[0].Correlations().EvictedGroups.Load(); n == 0 {
		t.Error("nothing was evicted: that proves nothing")
	}
}
