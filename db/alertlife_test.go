package db_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// raise stores one event for each host and lets the rule find it.
func raise(t *testing.T, store *db.Store, rule *monitor.Rule, hosts ...string) []*monitor.Alert {
	t.Helper()
	b := &monitor.Batch{}
	for i, host := range hosts {
		ev := testEvent(i)
		ev.Host = host
		b.Events = append(b.Events, ev)
		b.Findings = append(b.Findings, monitor.Finding{Event: i, Rule: rule})
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	open := monitor.AlertNew
	var out []*monitor.Alert
	for _, host := range hosts {
		id := monitor.GlobalID(monitor.KindRule, rule.ID.String())
		found, err := store.Alerts(t.Context(), &monitor.AlertFilter{
			Host: &monitor.StringFilter{Eq: &host}, Rule: &monitor.IDFilter{Eq: &id}, Status: &monitor.AlertStatusFilter{Eq: &open},
		}, monitor.AlertsByCreated, page.Args{First: 1})
		if err != nil || len(found.Edges) != 1 {
			t.Fatalf("alert about %s: %d found, %v", host, len(found.Edges), err)
		}
		out = append(out, found.Edges[0].Node)
	}
	return out
}

func alertNow(t *testing.T, store *db.Store, id monitor.ID) *monitor.Alert {
	t.Helper()
	found, err := store.AlertsByID(t.Context(), []monitor.ID{id})
	if err != nil || len(found) != 1 {
		t.Fatalf("alert %s: %d found, %v", id, len(found), err)
	}
	return found[0]
}

func TestMergedAlertsComeApartAgain(t *testing.T) {
	store := dbtest.New(t)
	a := raise(t, store, testRule(1), "web-1", "web-2", "web-3") // their events are a second apart
	actor := monitor.SystemActor
	kept, err := store.MergeAlerts(t.Context(), actor, a[0].ID, &a[0].Version, []monitor.ID{a[1].ID, a[2].ID})
	if err != nil || kept.Count != 3 || !kept.LastSeen.Equal(a[2].LastSeen) {
		t.Fatalf("merged: count %d, last seen %s, %v, want 3 and %s", kept.Count, kept.LastSeen, err, a[2].LastSeen)
	}
	part := alertNow(t, store, a[2].ID)
	if part.Status != monitor.AlertClosed || part.Disposition != monitor.Duplicate || part.MergedInto != a[0].ID {
		t.Errorf("the merged alert is %s %s of %s", part.Status, part.Disposition, part.MergedInto)
	}
	for name, err := range map[string]error{
		"itself":       merge(t, store, a[0].ID, a[0].ID),
		"twice merged": merge(t, store, a[0].ID, a[1].ID),
		"into a part":  merge(t, store, a[1].ID, raise(t, store, testRule(2), "web-9")[0].ID),
		"a whole":      merge(t, store, raise(t, store, testRule(2), "web-8")[0].ID, a[0].ID),
		"unknown":      merge(t, store, a[0].ID, monitor.ID{9}),
		"none":         merge(t, store, a[0].ID),
	} {
		if code := monitor.CodeOf(err); code != monitor.CodeConflict && code != monitor.CodeBadInput && code != monitor.CodeNotFound {
			t.Errorf("merging %s gives %v", name, err)
		}
	}
	detached, err := store.DetachAlert(t.Context(), actor, a[2].ID, nil)
	if err != nil || detached.Status != monitor.AlertNew || !detached.MergedInto.IsZero() {
		t.Fatalf("detached: %+v, %v", detached, err)
	}
	kept = alertNow(t, store, a[0].ID)
	if kept.Count != 2 || !kept.LastSeen.Equal(a[1].LastSeen) || !kept.FirstSeen.Equal(a[0].FirstSeen) {
		t.Errorf("what stays: count %d from %s to %s, want 2, %s, %s", kept.Count, kept.FirstSeen, kept.LastSeen, a[0].FirstSeen, a[1].LastSeen)
	}
	if _, err := store.DetachAlert(t.Context(), actor, a[2].ID, nil); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("detaching twice gives %v", err)
	}
	stale := a[0].Version
	if _, err := store.MergeAlerts(t.Context(), actor, a[0].ID, &stale, []monitor.ID{a[2].ID}); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("a stale version gives %v", err)
	}
}

func merge(t *testing.T, store *db.Store, into monitor.ID, from ...monitor.ID) error {
	t.Helper()
	before, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, refused := store.MergeAlerts(t.Context(), monitor.SystemActor, into, nil, from)
	if after, err := store.Head(t.Context()); err != nil || after.Seq != before.Seq {
		t.Errorf("a refused merge wrote to the journal (%v)", err)
	}
	return refused
}

func TestClaimRefusesNobodysWorkAndEndsByItself(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	a := raise(t, store, testRule(1), "web-1")[0]
	ana, bob := monitor.ID{1}, monitor.ID{2}
	claim := func(by monitor.ID, takeOver bool) (*monitor.Alert, monitor.Code) {
		t.Helper()
		got, err := store.ClaimAlert(t.Context(), monitor.SystemActor, a.ID, by, takeOver)
		if err == nil {
			return got, ""
		}
		return got, monitor.CodeOf(err)
	}
	got, code := claim(ana, false)
	if c := got.ClaimAt(clock); code != "" || c == nil || c.UserID != ana || !c.Until.Equal(clock.Add(monitor.ClaimLease)) {
		t.Fatalf("claim: %+v %s", c, code)
	}
	if got.Version != a.Version {
		t.Error("a claim changed the version: it would refuse the work of others")
	}
	if got, code = claim(bob, false); code != monitor.CodeConflict || got.ClaimedBy != ana {
		t.Errorf("Bob's claim beside Ana's gives %q and %s", code, got.ClaimedBy)
	}
	before, _ := store.Head(t.Context())
	clock = clock.Add(time.Second)
	if _, code = claim(ana, false); code != "" {
		t.Errorf("renewal: %s", code)
	}
	if after, _ := store.Head(t.Context()); after.Seq != before.Seq {
		t.Error("an early renewal wrote to the journal")
	}
	if got, code = claim(bob, true); code != "" || got.ClaimedBy != bob {
		t.Errorf("taking over: %s %s", got.ClaimedBy, code)
	}
	clock = clock.Add(monitor.ClaimLease)
	if c := alertNow(t, store, a.ID).ClaimAt(clock); c != nil {
		t.Errorf("the claim outlives its lease: %+v", c)
	}
	if got, code = claim(ana, false); code != "" || got.ClaimedBy != ana {
		t.Errorf("a claim behind an ended one: %s %s", got.ClaimedBy, code)
	}
	if got, err := store.ReleaseAlert(t.Context(), monitor.SystemActor, a.ID, bob); err != nil || got.ClaimedBy != ana {
		t.Errorf("Bob released Ana's claim: %v", err)
	}
	if got, err := store.ReleaseAlert(t.Context(), monitor.SystemActor, a.ID, ana); err != nil || got.ClaimAt(clock) != nil {
		t.Errorf("release: %v", err)
	}
	history, err := store.JournalOf(t.Context(), monitor.KindAlert, a.ID, page.Args{First: 10})
	if err != nil || len(history.Edges) != 1 {
		t.Errorf("%d entries in the alert's history, want that of the raising alone: %v", len(history.Edges), err)
	}
}

// openAt opens a new database whose store tells the time by the clock.
func openAt(t *testing.T, clock *time.Time) *db.Store {
	t.Helper()
	store, err := db.Open(t.Context(), db.Options{DSN: dbtest.DSN(t), Now: func() time.Time { return *clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestSimilarAlertsAreRankedByWhatTheyShare(t *testing.T) {
	store := dbtest.New(t)
	one, two := testRule(1), testRule(2)
	two.Techniques = []string{"T1059"}
	a := raise(t, store, one, "web-1", "web-2")
	b := raise(t, store, two, "web-1")[0]
	found, err := store.SimilarAlerts(t.Context(), []*monitor.Alert{a[0], b})
	if err != nil || len(found) != 2 {
		t.Fatalf("%d lists, %v", len(found), err)
	}
	if len(found[0]) != 2 || found[0][0].Score <= found[0][1].Score {
		t.Fatalf("similar to the first: %+v", found[0])
	}
	for _, s := range found[0] {
		if s.Alert.ID == a[0].ID {
			t.Error("an alert is similar to itself")
		}
		if s.Score <= 0 || s.Score > 1 {
			t.Errorf("score %f", s.Score)
		}
	}
	if !slices.Contains(found[1][0].Reasons, monitor.SameHost) || found[1][0].Alert.ID != a[0].ID {
		t.Errorf("most similar to the alert of the other rule: %+v", found[1][0])
	}
	counted, err := store.Prevalence(t.Context(), []monitor.PrevalenceKey{{Rule: one.ID, Host: "web-1"}, {Rule: two.ID, Host: "db-1"}}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if p := counted[monitor.PrevalenceKey{Rule: one.ID, Host: "web-1"}]; p != (monitor.Prevalence{Alerts: 2, Hosts: 2, Users: 1, OnHost: 1}) {
		t.Errorf("prevalence %+v", p)
	}
	if p := counted[monitor.PrevalenceKey{Rule: two.ID, Host: "db-1"}]; p != (monitor.Prevalence{Alerts: 1, Hosts: 1, Users: 1}) {
		t.Errorf("prevalence %+v", p)
	}
}

// TestAsOfShowsWhatWasListed keeps every list as it was behind each change, and
// asks for all of them at the end.
func TestAsOfShowsWhatWasListed(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	high, open := monitor.SeverityHigh, monitor.AlertClosed
	filters := map[string]*monitor.AlertFilter{
		"all":      nil,
		"not done": {Not: &monitor.AlertFilter{Status: &monitor.AlertStatusFilter{Eq: &open}}},
		"high":     {Severity: &monitor.SeverityFilter{Gte: &high}},
	}
	type moment struct {
		at    time.Time
		lists map[string][]string
	}
	orders := []monitor.AlertOrder{monitor.AlertsByLastSeen, monitor.AlertsByCreated, monitor.AlertsBySeverity}
	read := func(list func(*monitor.AlertFilter, monitor.AlertOrder, page.Args) (*monitor.AlertConnection, error)) map[string][]string {
		t.Helper()
		out := map[string][]string{}
		for name, filter := range filters {
			for _, order := range orders {
				key := name + " " + string(order)
				for args := (page.Args{First: 3}); ; {
					got, err := list(filter, order, args)
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range got.Edges {
						out[key] = append(out[key], fmt.Sprintf("%s v%d %s %s %d", e.Node.ID, e.Node.Version, e.Node.Status, e.Node.Severity, e.Node.Count))
					}
					if !got.PageInfo.HasNextPage {
						break
					}
					args.After = *got.PageInfo.EndCursor
				}
			}
		}
		return out
	}
	var moments []moment
	step := func(what func()) {
		clock = clock.Add(time.Minute)
		what()
		lists := read(func(f *monitor.AlertFilter, o monitor.AlertOrder, a page.Args) (*monitor.AlertConnection, error) {
			return store.Alerts(t.Context(), f, o, a)
		})
		moments = append(moments, moment{at: clock.Add(time.Second), lists: lists})
	}
	var alerts []*monitor.Alert
	change := func(i int, action string, do func(*monitor.Alert, time.Time) error) {
		t.Helper()
		step(func() {
			if _, err := store.UpdateAlert(t.Context(), monitor.SystemActor, action, alerts[i].ID, nil, do); err != nil {
				t.Fatal(err)
			}
		})
	}
	step(func() {})
	step(func() { alerts = raise(t, store, testRule(1), "a", "b", "c", "d", "e", "f", "g") })
	change(2, monitor.ActionAlertSeverity, func(a *monitor.Alert, _ time.Time) error { a.SetSeverity(monitor.SeverityLow); return nil })
	change(4, monitor.ActionAlertStart, func(a *monitor.Alert, now time.Time) error { return a.Start(now) })
	step(func() { raise(t, store, testRule(1), "b", "h") })
	change(1, monitor.ActionAlertClose, func(a *monitor.Alert, now time.Time) error { return a.Close(monitor.Benign, "x", now) })
	step(func() { raise(t, store, testRule(1), "b") })
	step(func() {
		if _, err := store.MergeAlerts(t.Context(), monitor.SystemActor, alerts[5].ID, nil, []monitor.ID{alerts[6].ID}); err != nil {
			t.Fatal(err)
		}
	})
	step(func() {
		if _, err := store.ClaimAlert(t.Context(), monitor.SystemActor, alerts[0].ID, monitor.ID{7}, false); err != nil {
			t.Fatal(err)
		}
	})
	clock = clock.Add(time.Hour)
	for i, m := range moments {
		got := read(func(f *monitor.AlertFilter, o monitor.AlertOrder, a page.Args) (*monitor.AlertConnection, error) {
			return store.AlertsAsOf(t.Context(), m.at, f, o, a)
		})
		for key, want := range m.lists {
			if !slices.Equal(got[key], want) {
				t.Errorf("moment %d, %s:\n got %v\nwant %v", i, key, got[key], want)
			}
		}
		for name, filter := range filters {
			n, err := store.CountAlertsAsOf(t.Context(), m.at, filter, 100)
			if want := len(m.lists[name+" "+string(monitor.AlertsByCreated)]); err != nil || n != want {
				t.Errorf("moment %d, %s: counted %d, want %d: %v", i, name, n, want, err)
			}
		}
	}
	was, err := store.AlertAsOf(t.Context(), moments[1].at, alerts[1].ID)
	if err != nil || was.Status != monitor.AlertNew || was.Count != 1 {
		t.Errorf("one alert as of then: %+v, %v", was, err)
	}
	if was, err := store.AlertAsOf(t.Context(), moments[0].at, alerts[1].ID); err != nil || was != nil {
		t.Errorf("an alert before it was raised: %+v, %v", was, err)
	}
	if _, err := store.AlertsAsOf(t.Context(), clock.Add(time.Second), nil, monitor.AlertsByCreated, page.Args{First: 1}); monitor.CodeOf(err) != monitor.CodeBadInput {
		t.Errorf("the future gives %v", err)
	}
	if _, err := store.TrimJournal(t.Context(), time.Hour, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := store.AlertsAsOf(t.Context(), moments[0].at, nil, monitor.AlertsByCreated, page.Args{First: 1}); monitor.CodeOf(err) != monitor.CodeCursorExpired {
		t.Errorf("an instant past retention gives %v", err)
	}
}
