package db_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// named gives a batch whose parts have those names and one event each; "" is no name.
func named(names ...string) *monitor.Batch {
	b := &monitor.Batch{}
	for i, name := range names {
		e := testEvent(0)
		e.Host = name
		b.Events = append(b.Events, e)
		b.Findings = append(b.Findings, monitor.Finding{Event: i, Rule: testRule(1)})
		part := &monitor.Part{Events: 1}
		if name != "" {
			part.Key, part.Content = monitor.HashPart("test", name), monitor.HashPart("content of "+name)
		}
		b.Parts = append(b.Parts, part)
	}
	return b
}

func storedHosts(t *testing.T, store *db.Store) map[string]int {
	t.Helper()
	out := map[string]int{}
	for args := (page.Args{First: 500}); ; {
		found, err := store.Events(t.Context(), nil, monitor.EventsByReceived, args)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found.Nodes() {
			out[e.Host]++
		}
		if !found.PageInfo.HasNextPage {
			return out
		}
		args.After = *found.PageInfo.EndCursor
	}
}

func outcomes(b *monitor.Batch) (out []monitor.PartOutcome) {
	for _, p := range b.Parts {
		out = append(out, p.Outcome)
	}
	return out
}

func TestPartsAreStoredOnce(t *testing.T) {
	dsn := dbtest.DSN(t)
	store, _ := clocked(t, dsn)
	first := named("a", "", "b", "b")
	send(t, store, first)
	if got, want := fmt.Sprint(outcomes(first)), "[0 0 0 1]"; got != want {
		t.Errorf("the first time: %s, want %s", got, want)
	}
	head, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again := named("b", "a")
	send(t, store, again)
	if now, err := store.Head(t.Context()); err != nil || now.Seq != head.Seq {
		t.Errorf("a batch of which nothing is new left an entry: %d, %d, %v", head.Seq, now.Seq, err)
	}
	if got := fmt.Sprint(outcomes(again)); got != "[1 1]" || again.Parts[0].Batch != first.Parts[0].Batch {
		t.Errorf("the second time: %s of %s, want [1 1] of %s", got, again.Parts[0].Batch, first.Parts[0].Batch)
	}
	restarted, _ := clocked(t, dsn)
	mixed := named("b", "c", "", "a")
	mixed.Parts[0].Content = monitor.HashPart("something else")
	send(t, restarted, mixed)
	if got := fmt.Sprint(outcomes(mixed)); got != "[2 0 0 1]" {
		t.Errorf("after a restart: %s, want [2 0 0 1]", got)
	}
	if got := fmt.Sprint(storedHosts(t, store)); got != "map[:2 a:1 b:1 c:1]" {
		t.Errorf("stored: %s", got)
	}
	alerts, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 10})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, a := range alerts.Nodes() {
		count += a.Count
	}
	if count != 5 {
		t.Errorf("alerts count %d events, want 5", count)
	}
}

func TestRepeatedPartsCountOnceInCorrelations(t *testing.T) {
	store := dbtest.New(t)
	rule := correlationRule(9, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 3})
	batch := func() *monitor.Batch {
		b := batchOf(rule, counted{second: 1, user: "root"}, counted{second: 2, user: "root"})
		b.Parts = []*monitor.Part{{Events: 2, Key: monitor.HashPart("r"), Content: monitor.HashPart("c")}}
		return b
	}
	for range 3 {
		send(t, store, batch())
	}
	wantAlerts(t, store, map[string]string{})
	with := batch()
	more := batchOf(rule, counted{second: 3, user: "root"})
	with.Events = append(with.Events, more.Events...)
	more.Samples[0].Event = 2
	with.Samples = append(with.Samples, more.Samples...)
	with.Parts = append(with.Parts, &monitor.Part{Events: 1})
	send(t, store, with)
	wantAlerts(t, store, map[string]string{"Correlation 9 (root)": "count 3, 3 members, 3 events"})
}

// Two replicas that get the same parts at once, in whatever order, store each once.
func TestPartsAreStoredOnceOverReplicas(t *testing.T) {
	dsn := dbtest.DSN(t)
	var replicas [2]*db.Store
	for i := range replicas {
		replicas[i], _ = clocked(t, dsn)
	}
	const parts, senders = 200, 6
	var stored atomic.Int64
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for from := 0; from < parts; from += 10 {
				names := make([]string, 10)
				for i := range names {
					names[i] = fmt.Sprintf("p%d", (from+i*(s*2+1))%parts)
				}
				b := named(names...)
				if _, err := replicas[s%2].StoreBatch(t.Context(), b); err != nil {
					t.Error(err)
					return
				}
				for _, p := range b.Parts {
					if p.Outcome == monitor.PartStored {
						stored.Add(1)
					}
				}
			}
		})
	}
	all.Wait()
	hosts := storedHosts(t, replicas[0])
	for name, n := range hosts {
		if n != 1 {
			t.Errorf("%s is stored %d times", name, n)
		}
	}
	if len(hosts) != int(stored.Load()) {
		t.Errorf("%d are there, %d were said to be stored", len(hosts), stored.Load())
	}
}

// A name is forgotten when it is old, and the oldest when there are too many.
func TestNamesOfPartsAreForgotten(t *testing.T) {
	store, tick := clocked(t, dbtest.DSN(t))
	send(t, store, named("a", "b"))
	tick(db.PartMemory - time.Minute)
	send(t, store, named("c"))
	tick(2 * time.Minute)
	if err := store.TrimParts(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := named("a", "b", "c")
	send(t, store, again)
	if got := fmt.Sprint(outcomes(again)); got != "[0 0 1]" {
		t.Errorf("got %s, want [0 0 1]", got)
	}
	tick(time.Second)
	send(t, store, named("d"))
	if err := store.TrimPartsTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	again = named("a", "d")
	send(t, store, again)
	if got := fmt.Sprint(outcomes(again)); got != "[0 1]" {
		t.Errorf("got %s, want [0 1]", got)
	}
}
