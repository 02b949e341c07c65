package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// conformance has, for each type of correlation, events in the order of time of which
// the last makes it fire, and others that do not.
var conformance = []struct {
	of         monitor.CorrelationType
	bound      monitor.CorrelationBound
	percentile float64
	yes, no    []counted
}{
	{of: monitor.CorrelateEventCount, bound: monitor.CorrelationBound{Op: "gte", Limit: 3}, yes: []counted{{second: 1}, {second: 2}, {second: 61}}, no: []counted{{second: 1}, {second: 2}, {second: 62}}},
	{
		of: monitor.CorrelateValueCount, bound: monitor.CorrelationBound{Op: "gt", Limit: 2},
		yes: []counted{{second: 1, value: "a"}, {second: 2, value: "b"}, {second: 3, value: "c"}}, no: []counted{{second: 1, value: "a"}, {second: 2, value: "b"}, {second: 3, value: "a"}, {second: 64, value: "c"}},
	},
	{of: monitor.CorrelateTemporal, bound: monitor.CorrelationBound{Op: "gte", Limit: 2}, yes: []counted{{second: 1, member: 1}, {second: 2}}, no: []counted{{second: 1}, {second: 2}, {second: 63, member: 1}}},
	{of: monitor.CorrelateTemporalOrdered, bound: monitor.CorrelationBound{Op: "gte", Limit: 2}, yes: []counted{{second: 1}, {second: 2, member: 1}}, no: []counted{{second: 1, member: 1}, {second: 2}}},
	{
		of: monitor.CorrelateValueSum, bound: monitor.CorrelationBound{Op: "gte", Limit: 100},
		yes: []counted{{second: 1, value: "40"}, {second: 2, value: "40"}, {second: 3, value: "30"}}, no: []counted{{second: 1, value: "40"}, {second: 2, value: "40"}, {second: 62, value: "30"}},
	},
	{
		of: monitor.CorrelateValueAvg, bound: monitor.CorrelationBound{Op: "gt", Limit: 50},
		yes: []counted{{second: 1, value: "10"}, {second: 2, value: "80"}, {second: 3, value: "80"}}, no: []counted{{second: 1, value: "10"}, {second: 2, value: "80"}, {second: 3, value: "5"}},
	},
	{
		of: monitor.CorrelateValuePercentile, percentile: 60, bound: monitor.CorrelationBound{Op: "gt", Limit: 55},
		yes: []counted{{second: 1, value: "10"}, {second: 2, value: "80"}, {second: 3, value: "80"}}, no: []counted{{second: 1, value: "10"}, {second: 2, value: "80"}, {second: 3, value: "20"}},
	},
	{
		of: monitor.CorrelateValueMedian, bound: monitor.CorrelationBound{Op: "gt", Limit: 50},
		yes: []counted{{second: 1, value: "10"}, {second: 2, value: "80"}, {second: 3, value: "80"}}, no: []counted{{second: 1, value: "10"}, {second: 2, value: "80"}, {second: 3, value: "20"}},
	},
}

// Each type in each of these circumstances, on a database: it fires, does not, by
// events that are late, out of order, or come twice, over a restart, a batch that
// failed and was sent again, and over two replicas. Each has a group of its own.
func TestConformanceOfEachType(t *testing.T) {
	dsn := dbtest.DSN(t)
	stores := []*db.Store{dbOpen(t, dsn, 0), dbOpen(t, dsn, 0)}
	want := map[string]string{}
	for n, c := range conformance {
		rule := correlationRule(byte(100+n), c.of, time.Minute, c.bound)
		rule.Title = string(c.of)
		rule.Correlation.Condition.Percentile = c.percentile
		user := ""
		in := func(events ...counted) *monitor.Batch { //nolint:thelper // a step
			for i := range events {
				events[i].user = user
			}
			return batchOf(rule, events...)
		}
		begin := func(name string, fires bool) {
			user = name
			if fires {
				want[fmt.Sprintf("%s (%s)", c.of, name)] = fmt.Sprintf("count %d, %d members, %d events", len(c.yes), len(c.yes), len(c.yes))
			}
		}
		each := func(store *db.Store, events []counted) { //nolint:thelper // a step
			for _, e := range events {
				send(t, store, in(e))
			}
		}
		last := len(c.yes) - 1
		early, end := slices.Clone(c.yes[:last]), c.yes[last]

		begin("positive", true)
		each(stores[0], c.yes)
		begin("one batch", true)
		send(t, stores[0], in(slices.Clone(c.yes)...))
		begin("not all", false)
		each(stores[0], early)
		begin("negative", false)
		each(stores[0], c.no)

		begin("late", true) // within the allowance
		ahead := c.no[0]
		ahead.second = 590
		send(t, stores[0], in(ahead))
		each(stores[0], c.yes)
		begin("too late", false)
		ahead.second = 3_600
		send(t, stores[0], in(ahead))
		before := stores[0].Correlations().Late.Load()
		each(stores[0], c.yes)
		if late := stores[0].Correlations().Late.Load() - before; int(late) != len(c.yes) {
			t.Errorf("%s: %d events were late, want %d", c.of, late, len(c.yes))
		}

		begin("out of order", true)
		order := slices.Clone(c.yes)
		order[last], order[last-1] = order[last-1], order[last]
		each(stores[0], order)

		begin("duplicate", true)
		for i, e := range c.yes {
			b := in(e)
			b.Samples = append(b.Samples, b.Samples[0])
			send(t, stores[0], b)
			if _, fired := firedAlerts(t, stores[0])[fmt.Sprintf("%s (duplicate)", c.of)]; fired && i < last {
				t.Errorf("%s: fired by an event that was counted twice", c.of)
			}
		}
		begin("retried", true)
		each(stores[0], early)
		for range 2 {
			failing := in(end)
			failing.Events[0].Raw = monitor.RawJSON(make([]byte, 17<<20)) // more than the column takes
			if _, err := stores[0].StoreBatch(t.Context(), failing); err == nil {
				t.Fatal("the batch was stored")
			}
		}
		send(t, stores[0], in(end))

		begin("restart", true)
		for _, e := range c.yes {
			store, err := db.Open(t.Context(), db.Options{DSN: dsn})
			if err != nil {
				t.Fatal(err)
			}
			send(t, store, in(e))
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
		}
		begin("two replicas", true)
		for i, e := range c.yes {
			send(t, stores[i%2], in(e))
		}
	}
	got := firedAlerts(t, stores[1])
	for name, is := range want {
		if got[name] != is {
			t.Errorf("%s: %q, want %q", name, got[name], is)
		}
		delete(got, name)
	}
	for name, is := range got {
		t.Errorf("%s fired and should not: %s", name, is)
	}
	for _, kind := range monitor.CorrelationTypes {
		found := 0
		for name := range want {
			if strings.HasPrefix(name, string(kind)+" (") {
				found++
			}
		}
		if found < 8 {
			t.Errorf("%s has %d cases in which it fires, want 8", kind, found)
		}
	}
}
