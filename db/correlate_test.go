package db_test

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// correlationRule is a correlation over rule 1, and more.
func correlationRule(n byte, t monitor.CorrelationType, span time.Duration, bound monitor.CorrelationBound) *monitor.Rule {
	r := testRule(n)
	r.Title, r.Kind = fmt.Sprintf("Correlation %d", n), monitor.CorrelationRule
	r.Correlation = &monitor.Correlation{
		Type: t, Rules: []string{"a", "b"}, Members: []monitor.ID{{1}, {2}}, GroupBy: []string{"User"}, Timespan: span,
		Condition: monitor.CorrelationCondition{Bounds: []monitor.CorrelationBound{bound}},
	}
	return r
}

// counted is an event that a member found.
type counted struct {
	second int
	user   string
	member int
	value  string
}

func batchOf(rule *monitor.Rule, events ...counted) *monitor.Batch {
	b := &monitor.Batch{}
	for i, c := range events {
		e := testEvent(0)
		e.OccurredAt = e.OccurredAt.Truncate(time.Second).Add(time.Duration(c.second) * time.Second)
		e.User = c.user
		b.Events = append(b.Events, e)
		b.Samples = append(b.Samples, monitor.Sample{
			Event: i, Rule: rule, Found: testRule(byte(c.member + 1)), Member: c.member, Group: []string{c.user}, Value: c.value,
		})
	}
	return b
}

func send(t *testing.T, store *db.Store, b *monitor.Batch) {
	t.Helper()
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// firedAlerts gives "title count members" of all alerts.
func firedAlerts(t *testing.T, store *db.Store) map[string]string {
	t.Helper()
	alerts, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 500})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, a := range alerts.Nodes() {
		members, err := store.AlertMembers(t.Context(), a.ID, page.Args{First: 500})
		if err != nil {
			t.Fatal(err)
		}
		evidence, err := store.EvidenceOf(t.Context(), a.ID, page.Args{First: 500})
		if err != nil {
			t.Fatal(err)
		}
		out[a.Title] = fmt.Sprintf("count %d, %d members, %d events", a.Count, len(members.Edges), len(evidence.Edges))
	}
	return out
}

func wantAlerts(t *testing.T, store *db.Store, want map[string]string) {
	t.Helper()
	got := firedAlerts(t, store)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("alerts are %v, want %v", got, want)
	}
}

func TestCorrelationCountsOverBatchesAndRestarts(t *testing.T) {
	dsn := dbtest.DSN(t)
	first, _ := clocked(t, dsn)
	rule := correlationRule(9, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 3})
	send(t, first, batchOf(rule, counted{second: 1, user: "root"}, counted{second: 2, user: "ana"}))
	send(t, first, batchOf(rule, counted{second: 20, user: "root"}))
	wantAlerts(t, first, map[string]string{})
	second, _ := clocked(t, dsn) // another process goes on
	send(t, second, batchOf(rule, counted{second: 61, user: "root"}, counted{second: 130, user: "ana"}, counted{second: 131, user: "ana"}))
	wantAlerts(t, second, map[string]string{"Correlation 9 (root)": "count 3, 3 members, 3 events"})
	send(t, first, batchOf(rule, counted{second: 62, user: "root"})) // the window has the one of second 20, not of 1
	wantAlerts(t, second, map[string]string{"Correlation 9 (root)": "count 4, 4 members, 4 events"})
	if stats := first.Correlations(); stats.Counted.Load() != 4 || stats.Fired.Load() != 1 {
		t.Errorf("the first process counted %d and fired %d times, want 4 and 1", stats.Counted.Load(), stats.Fired.Load())
	}
}

func TestCorrelationAlertIsAboutItsGroup(t *testing.T) {
	store := dbtest.New(t)
	rule := correlationRule(9, monitor.CorrelateValueCount, time.Minute, monitor.CorrelationBound{Op: "gt", Limit: 1})
	b := batchOf(rule, counted{second: 1, user: "root", value: "x"}, counted{second: 2, user: "root", member: 1, value: "y"})
	b.Events[0].Host = "web-2"
	send(t, store, b)
	alerts, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 10})
	if err != nil || len(alerts.Edges) != 1 {
		t.Fatalf("%d alerts, want 1: %v", len(alerts.Edges), err)
	}
	a := alerts.Edges[0].Node
	if a.User != "root" || a.Host != "" || a.SrcIP.IsValid() || a.FirstSeen.Second() != 1 || a.LastSeen.Second() != 2 {
		t.Errorf("the alert is about host %q, user %q, source %s, from %s to %s", a.Host, a.User, a.SrcIP, a.FirstSeen, a.LastSeen)
	}
	var got []string
	after := ""
	for range 2 { // a page each
		members, err := store.AlertMembers(t.Context(), a.ID, page.Args{First: 1, After: after})
		if err != nil {
			t.Fatal(err)
		}
		m := members.Edges[0].Node
		got = append(got, fmt.Sprintf("%d %t %d %s", m.Rule[0], m.Event == b.Events[len(got)].ID, m.OccurredAt.Second(), m.Value))
		after = members.Edges[0].Cursor
	}
	if want := "[1 true 1 x 2 true 2 y]"; fmt.Sprint(got) != want {
		t.Errorf("members are %v, want %s", got, want)
	}
	evidence, err := store.EvidenceOf(t.Context(), a.ID, page.Args{First: 10})
	if err != nil || len(evidence.Edges) != 2 || len(evidence.Edges[0].Node.Matched) != 1 || evidence.Edges[0].Node.Matched[0].Value != "root" {
		t.Errorf("evidence does not show the group: %v", err)
	}
}

func TestChainFiresWithinTheTransaction(t *testing.T) {
	store := dbtest.New(t)
	inner := correlationRule(8, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	outer := correlationRule(9, monitor.CorrelateTemporalOrdered, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	outer.Correlation.Members = []monitor.ID{inner.ID, {2}}
	b := batchOf(inner, counted{second: 1, user: "root"}, counted{second: 2, user: "root"}, counted{second: 3, user: "root"}, counted{second: 4, user: "ana"}, counted{second: 5, user: "ana"})
	b.Samples = append(b.Samples[:2], b.Samples[3])
	for i := range b.Samples {
		b.Samples[i].Silent = true
		up := b.Samples[i]
		up.Rule, up.Found, up.Member, up.Chained, up.Depth, up.Silent = outer, inner, 0, true, 1, false
		b.Samples = append(b.Samples, up)
	}
	for i, user := range map[int]string{2: "root", 4: "ana"} {
		b.Samples = append(b.Samples, monitor.Sample{Event: i, Rule: outer, Found: testRule(2), Member: 1, Group: []string{user}, Depth: 1})
	}
	send(t, store, b)
	// The inner one's two events, its firing by the second, and the event after it.
	wantAlerts(t, store, map[string]string{"Correlation 9 (root)": "count 2, 4 members, 3 events"})
}

// An alert leads down to the events of a correlation under a correlation under it,
// in whichever batch and by whichever replica each of them fired; and what is kept
// for that goes when nobody can ask for it.
func TestAlertOfAChainLeadsToAllItsEvents(t *testing.T) {
	dsn := dbtest.DSN(t)
	store, forward := clocked(t, dsn)
	other, _ := clocked(t, dsn)
	bottom := correlationRule(7, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	middle := correlationRule(8, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	middle.Correlation.Members = []monitor.ID{bottom.ID}
	top := correlationRule(9, monitor.CorrelateTemporal, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	top.Correlation.Members = []monitor.ID{middle.ID, {2}}
	for _, rule := range []*monitor.Rule{bottom, middle, top} {
		inForce(t, store, rule)
	}
	for i, on := range []*db.Store{store, other, store} {
		b := batchOf(bottom, counted{second: i + 1, user: "root"})
		b.Samples[0].Silent = true
		at := b.Samples[0]
		at.Rule, at.Found, at.Chained, at.Depth = middle, bottom, true, 1
		b.Samples = append(b.Samples, at)
		at.Rule, at.Found, at.Silent, at.Depth = top, middle, false, 2
		b.Samples = append(b.Samples, at)
		send(t, on, b)
	}
	last := batchOf(top, counted{second: 4, user: "root", member: 1})
	last.Samples[0].Depth = 2
	send(t, other, last)
	// Members: three events of rule 1, two firings of 7, one of 8, and the event of rule 2.
	wantAlerts(t, store, map[string]string{"Correlation 9 (root)": "count 2, 7 members, 4 events"})

	rows := func() (n int) {
		handle, err := sql.Open("mysql", dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer handle.Close() //nolint:errcheck // it was only read
		if err := handle.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM correlation_firings").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 3}, {12 * time.Minute, 2}, {12 * time.Minute, 0}} { // that of the middle one goes first, the others can be asked for by way of it
		forward(step.after)
		if err := store.TrimCorrelations(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := rows(); n != step.want {
			t.Errorf("%d firings are kept, want %d", n, step.want)
		}
	}
}

func TestChangedCorrelationStartsAfresh(t *testing.T) {
	store := dbtest.New(t)
	rule := correlationRule(9, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 3})
	send(t, store, batchOf(rule, counted{second: 1, user: "root"}, counted{second: 2, user: "root"}))
	same := correlationRule(9, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 3})
	same.Title = "Another title"
	changed := correlationRule(9, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	send(t, store, batchOf(changed, counted{second: 3, user: "root"}))
	wantAlerts(t, store, map[string]string{})
	send(t, store, batchOf(changed, counted{second: 4, user: "root"}))
	wantAlerts(t, store, map[string]string{"Correlation 9 (root)": "count 2, 2 members, 2 events"})
	send(t, store, batchOf(same, counted{second: 5, user: "ana"}, counted{second: 6, user: "ana"}))
	same.Title = "Correlation 9"
	send(t, store, batchOf(same, counted{second: 7, user: "ana"}))
	if got := firedAlerts(t, store)["Correlation 9 (ana)"]; got != "count 3, 3 members, 3 events" {
		t.Errorf("with another title alone it began afresh: %q", got)
	}
}

// A batch that was gathered while a rule changed has samples of both versions: the
// newer one counts its own, and none of the older one's stop the batch.
func TestBatchWithTwoVersionsOfACorrelation(t *testing.T) {
	store := dbtest.New(t)
	older := correlationRule(9, monitor.CorrelateTemporalOrdered, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	newer := correlationRule(9, monitor.CorrelateTemporalOrdered, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 3})
	newer.Version = 2
	newer.Correlation.Rules, newer.Correlation.Members = []string{"a", "b", "c"}, []monitor.ID{{1}, {2}, {3}}
	for _, order := range [][]*monitor.Rule{{older, newer}, {newer, older}} {
		user := fmt.Sprint("from version ", order[0].Version)
		b := batchOf(order[0], counted{second: 1, user: user}, counted{second: 2, user: user}, counted{second: 3, user: user}, counted{second: 640, user: user})
		for i := range b.Samples {
			b.Samples[i].Member = i % 2
			again := b.Samples[i]
			again.Rule, again.Member = order[1], i%2
			if order[1] == newer {
				again.Member = i % 3
			} else {
				b.Samples[i].Member = i % 3
			}
			b.Samples = append(b.Samples, again)
		}
		send(t, store, b)
	}
	wantAlerts(t, store, map[string]string{
		"Correlation 9 (from version 1)": "count 3, 3 members, 3 events", "Correlation 9 (from version 2)": "count 3, 3 members, 3 events",
	})
}

// Two processes write to one database at once: every event counts exactly once.
func TestReplicasCountTogether(t *testing.T) {
	dsn := dbtest.DSN(t)
	stores := make([]*db.Store, 2)
	for i := range stores {
		stores[i], _ = clocked(t, dsn)
	}
	const rounds, users = 12, 3
	// The bound is what all events come to, so that one lost makes it not fire, and
	// one counted twice lets it fire twice.
	rule := correlationRule(9, monitor.CorrelateEventCount, time.Hour, monitor.CorrelationBound{Op: "gte", Limit: 2 * rounds * 2})
	var group sync.WaitGroup
	for _, store := range stores {
		group.Go(func() {
			for round := range rounds {
				var events []counted
				for user := range users {
					events = append(events, counted{second: round, user: fmt.Sprint("user", user)}, counted{second: 30 - round, user: fmt.Sprint("user", users-1-user), member: 1})
				}
				if _, err := store.StoreBatch(t.Context(), batchOf(rule, events...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	want := map[string]string{}
	for user := range users {
		want[fmt.Sprintf("Correlation 9 (user%d)", user)] = fmt.Sprintf("count %d, %d members, %d events", 4*rounds, 4*rounds, 4*rounds)
	}
	wantAlerts(t, stores[0], want)
	if fired := stores[0].Correlations().Fired.Load() + stores[1].Correlations().Fired.Load(); fired != users {
		t.Errorf("fired %d times, want %d", fired, users)
	}
}

func TestFailedBatchLeavesNothingCounted(t *testing.T) {
	store := dbtest.New(t)
	rule := correlationRule(9, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	b := batchOf(rule, counted{second: 1, user: "root"})
	b.Events[0].Raw = monitor.RawJSON(make([]byte, 17<<20)) // more than the column takes
	if _, err := store.StoreBatch(t.Context(), b); err == nil {
		t.Fatal("the batch was stored")
	}
	send(t, store, batchOf(rule, counted{second: 2, user: "root"}))
	wantAlerts(t, store, map[string]string{})
	if n := store.Correlations().Counted.Load(); n != 1 {
		t.Errorf("%d events were counted, want 1", n)
	}
}

func TestLateAndFutureEvents(t *testing.T) {
	store := dbtest.New(t)
	rule := correlationRule(9, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	send(t, store, batchOf(rule, counted{second: 3600, user: "root"}))
	send(t, store, batchOf(rule, counted{second: 3600 - 601, user: "root"}, counted{second: 3600 - 602, user: "root"}))
	wantAlerts(t, store, map[string]string{})
	if n := store.Correlations().Late.Load(); n != 2 {
		t.Errorf("%d were late, want 2", n)
	}
	send(t, store, batchOf(rule, counted{second: 3600 - 599, user: "root"}, counted{second: 3600 - 598, user: "root"}))
	wantAlerts(t, store, map[string]string{"Correlation 9 (root)": "count 2, 2 members, 2 events"})

	future := batchOf(rule, counted{user: "ana"}, counted{user: "ana"})
	future.Events[0].OccurredAt = time.Now().Add(48 * time.Hour)
	future.Events[1].OccurredAt = time.Now()
	send(t, store, future)
	if n := store.Correlations().Late.Load(); n != 2 {
		t.Errorf("after an event from the future %d were late, want 2 as before", n)
	}
}

func TestGroupsAreForgotten(t *testing.T) {
	dsn := dbtest.DSN(t)
	now := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	store, err := db.Open(t.Context(), db.Options{DSN: dsn, Now: func() time.Time { return now }, Correlating: db.Correlating{MaxGroups: 3}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	rule := correlationRule(9, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	inForce(t, store, rule)
	for i := range 5 {
		now = now.Add(time.Second)
		send(t, store, batchOf(rule, counted{second: i, user: fmt.Sprint("user", i)}))
	}
	if err := store.TrimCorrelations(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := store.Correlations().EvictedGroups.Load(); n != 2 {
		t.Errorf("%d groups evicted, want the oldest 2", n)
	}
	var again []counted
	for i := range 5 {
		again = append(again, counted{second: 5, user: fmt.Sprint("user", i)})
	}
	send(t, store, batchOf(rule, again...))
	if got := len(firedAlerts(t, store)); got != 3 {
		t.Errorf("%d groups fired, want the 3 that were kept", got)
	}
	now = now.Add(time.Minute + 11*time.Minute)
	if err := store.TrimCorrelations(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := store.Correlations().EvictedGroups.Load(); n != 2 {
		t.Errorf("expired groups were counted as evicted: %d", n)
	}
	send(t, store, batchOf(rule, counted{second: 6, user: "user4"}))
	if got := store.Correlations().Fired.Load(); got != 3 {
		t.Errorf("fired %d times, want 3: the expired state is gone", got)
	}
}

func inForce(t *testing.T, store *db.Store, rule *monitor.Rule) {
	t.Helper()
	if _, err := store.ImportRules(t.Context(), monitor.SystemActor, []*monitor.Rule{rule}); err != nil {
		t.Fatal(err)
	}
}

// groupsOf counts what is kept of a rule.
func groupsOf(t *testing.T, dsn string, rule *monitor.Rule) (n int) {
	t.Helper()
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close() //nolint:errcheck // it was only read
	if err := handle.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM correlation_state WHERE rule_id = ?", rule.ID[:]).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A flood of groups that are all different does not grow the table between two
// rounds of the upkeep: not from two replicas either, and the newest stay.
func TestFloodOfGroupsIsBoundedByTheBatches(t *testing.T) {
	dsn := dbtest.DSN(t)
	const most, replicas, writers, batches, each = 64, 2, 2, 12, 20
	rule := correlationRule(9, monitor.CorrelateEventCount, time.Hour, monitor.CorrelationBound{Op: "gte", Limit: 2})
	var group sync.WaitGroup
	var stores []*db.Store
	for replica := range replicas {
		store, err := db.Open(t.Context(), db.Options{DSN: dsn, Correlating: db.Correlating{MaxGroups: most}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		stores = append(stores, store)
		for writer := range writers {
			group.Go(func() {
				for i := range batches {
					var events []counted
					for k := range each {
						events = append(events, counted{second: i, user: fmt.Sprint(replica, " ", writer, " ", i, " ", k)})
					}
					if _, err := store.StoreBatch(t.Context(), batchOf(rule, events...)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	kept := groupsOf(t, dsn, rule)
	if bound := most + replicas*(most/64+writers*each); kept > bound || kept < most {
		t.Errorf("%d groups are kept of %d, the bound allows %d, and %d should stay", kept, replicas*writers*batches*each, bound, most)
	}
	var evicted int64
	for _, store := range stores {
		evicted += store.Correlations().EvictedGroups.Load()
	}
	if want := replicas*writers*batches*each - kept; int(evicted) != want {
		t.Errorf("%d groups were counted as evicted, %d are gone", evicted, want)
	}
	send(t, stores[0], batchOf(rule, counted{second: 1, user: "last"}))
	send(t, stores[1], batchOf(rule, counted{second: 2, user: "last"}))
	if got := firedAlerts(t, stores[0])["Correlation 9 (last)"]; got == "" {
		t.Error("the newest group was forgotten")
	}
}

// Two replicas do their upkeep at once: each group beyond the bound is forgotten and
// counted once, and no other.
func TestUpkeepOfTwoReplicasForgetsNoMoreThanItShould(t *testing.T) {
	dsn := dbtest.DSN(t)
	rule := correlationRule(9, monitor.CorrelateEventCount, time.Hour, monitor.CorrelationBound{Op: "gte", Limit: 2})
	writer := dbOpen(t, dsn, 0)
	inForce(t, writer, rule)
	for i := range 15 {
		var events []counted
		for k := range 100 {
			events = append(events, counted{second: i, user: fmt.Sprint(i, " ", k)})
		}
		send(t, writer, batchOf(rule, events...))
	}
	stores := []*db.Store{dbOpen(t, dsn, 100), dbOpen(t, dsn, 100)}
	var group sync.WaitGroup
	for _, store := range stores {
		group.Go(func() {
			if err := store.TrimCorrelations(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n, counted := groupsOf(t, dsn, rule), stores[0].Correlations().EvictedGroups.Load()+stores[1].Correlations().EvictedGroups.Load(); n != 100 || counted != 1_400 {
		t.Errorf("%d groups are left, want 100; %d counted as evicted, want 1400", n, counted)
	}
}

func dbOpen(t *testing.T, dsn string, groups int) *db.Store {
	t.Helper()
	store, err := db.Open(t.Context(), db.Options{DSN: dsn, Correlating: db.Correlating{MaxGroups: groups}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// A rule that is over its bound of groups is not starved by those of a longer
// timespan that it had before: they would be done last, but count for nothing.
func TestGroupsOfAnOlderDefinitionGoFirst(t *testing.T) {
	dsn := dbtest.DSN(t)
	store := dbOpen(t, dsn, 8)
	long := correlationRule(9, monitor.CorrelateEventCount, 30*24*time.Hour, monitor.CorrelationBound{Op: "gte", Limit: 2})
	short := correlationRule(9, monitor.CorrelateEventCount, time.Minute, monitor.CorrelationBound{Op: "gte", Limit: 2})
	for i := range 8 {
		send(t, store, batchOf(long, counted{second: i, user: fmt.Sprint("long", i)}))
	}
	for i := range 3 {
		send(t, store, batchOf(short, counted{second: i, user: fmt.Sprint("short", i)}))
	}
	for i := range 3 {
		send(t, store, batchOf(short, counted{second: i, user: fmt.Sprint("short", i)}))
	}
	if got := len(firedAlerts(t, store)); got != 3 {
		t.Errorf("%d of 3 groups fired", got)
	}
	if n := store.Correlations().EvictedGroups.Load(); n != 0 {
		t.Errorf("%d groups that count for nothing were counted as evicted", n)
	}
}

// The state of a rule that has been disabled goes with the next upkeep, that of the
// others stays.
func TestStateGoesWithItsRule(t *testing.T) {
	dsn := dbtest.DSN(t)
	store := dbOpen(t, dsn, 0)
	goes := correlationRule(8, monitor.CorrelateEventCount, 24*time.Hour, monitor.CorrelationBound{Op: "gte", Limit: 2})
	stays := correlationRule(9, monitor.CorrelateEventCount, 24*time.Hour, monitor.CorrelationBound{Op: "gte", Limit: 2})
	for _, rule := range []*monitor.Rule{goes, stays} {
		inForce(t, store, rule)
		send(t, store, batchOf(rule, counted{second: 1, user: "root"}))
	}
	if _, err := store.SetRuleEnabled(t.Context(), monitor.SystemActor, goes.ID, nil, false); err != nil {
		t.Fatal(err)
	}
	if err := store.TrimCorrelations(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, b := groupsOf(t, dsn, goes), groupsOf(t, dsn, stays); a != 0 || b != 1 {
		t.Errorf("%d groups are kept of the disabled rule, %d of the other; want 0 and 1", a, b)
	}
	if n := store.Correlations().EvictedGroups.Load(); n != 0 {
		t.Errorf("%d groups were counted as evicted", n)
	}
}
