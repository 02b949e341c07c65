package db_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var falco = monitor.SourceKey{Protocol: "json", TokenID: monitor.ID{7}, TokenName: "falco-prod", Format: "falco"}

func countOf(key monitor.SourceKey, at time.Time, records, rejected int64) *monitor.SourceCount {
	return &monitor.SourceCount{
		Key: key, First: at, Last: at, Records: records, Rejected: rejected, Bytes: 100 * records, Lag: time.Duration(records) * time.Second, Lagged: records, LagMax: time.Second,
		Minutes: map[time.Time]monitor.SourceMinute{at.Truncate(time.Minute): {Records: records, Rejected: rejected, Bytes: 100 * records}},
	}
}

func countSources(t *testing.T, store *db.Store, counts ...*monitor.SourceCount) {
	t.Helper()
	if refused, err := store.CountSources(t.Context(), counts); err != nil || refused != 0 {
		t.Fatal(refused, err)
	}
}

func sourceNow(t *testing.T, store *db.Store, key monitor.SourceKey) *monitor.Source {
	t.Helper()
	found, err := store.SourcesByID(t.Context(), []monitor.ID{key.ID()})
	if err != nil || len(found) != 1 {
		t.Fatal(len(found), err)
	}
	return found[0]
}

func replica(t *testing.T, dsn string, clock *time.Time) *db.Store {
	t.Helper()
	store, err := db.Open(t.Context(), db.Options{DSN: dsn, Now: func() time.Time { return *clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestReplicasCountASourceTogether(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 30, 0, time.UTC)
	dsn := dbtest.DSN(t)
	stores := []*db.Store{replica(t, dsn, &clock), replica(t, dsn, &clock)}
	var all sync.WaitGroup
	for i, store := range stores {
		for n := range 10 {
			all.Go(func() {
				other := falco
				other.Format = fmt.Sprint("other-", n%3)
				if _, err := store.CountSources(t.Context(), []*monitor.SourceCount{countOf(falco, clock.Add(time.Duration(i)*time.Second), 10, 1), countOf(other, clock, 1, 0)}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	got := sourceNow(t, stores[0], falco)
	if got.Records != 200 || got.Rejected != 20 || got.Bytes != 20_000 || got.Lag != time.Second || !got.LastSeen.Equal(clock.Add(time.Second)) {
		t.Errorf("counted %+v", got)
	}
	minutes, err := stores[1].SourceMinutes(t.Context(), []monitor.ID{falco.ID()})
	if err != nil || len(minutes[0]) != 1 || minutes[0][0].Records != 200 || minutes[0][0].Rejected != 20 {
		t.Errorf("minutes %+v, %v", minutes, err)
	}
	found, err := stores[1].JournalOf(t.Context(), monitor.KindSource, falco.ID(), page.Args{First: 10})
	if err != nil || len(found.Edges) != 1 {
		t.Errorf("%d entries, %v; want one: it was found once, and counting is no news", len(found.Edges), err)
	}
	first, err := stores[0].Sources(t.Context(), nil, page.Args{First: 2})
	if err != nil || len(first.Edges) != 2 || !first.PageInfo.HasNextPage {
		t.Fatalf("%+v %v", first, err)
	}
	rest, err := stores[0].Sources(t.Context(), nil, page.Args{First: 10, After: *first.PageInfo.EndCursor})
	if err != nil || len(rest.Edges) != 2 {
		t.Errorf("%d more, %v", len(rest.Edges), err)
	}
}

// A token that is replaced by another of its name is not missed; two that send beside
// each other are.
func TestASourceThatAnotherTakesOverFromIsNotMissed(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := replica(t, dbtest.DSN(t), &clock)
	of := func(token byte, name string) monitor.SourceKey {
		return monitor.SourceKey{Protocol: "json", TokenID: monitor.ID{token}, TokenName: name, Format: "journald"}
	}
	agent, replaced := of(1, "agent"), of(2, "agent")
	web, beside := of(3, "web"), of(4, "web")
	asked, its := of(5, "asked"), of(6, "asked")
	for i := range 40 {
		clock = clock.Add(5 * time.Minute)
		if i < 20 {
			countSources(t, store, countOf(agent, clock, 3, 0), countOf(asked, clock, 3, 0), countOf(web, clock, 3, 0))
		} else {
			countSources(t, store, countOf(replaced, clock, 3, 0), countOf(its, clock, 3, 0))
		}
		countSources(t, store, countOf(beside, clock, 3, 0))
		if i == 19 {
			day := 20 * time.Minute
			if _, err := store.UpdateSource(t.Context(), monitor.SystemActor, asked.ID(), nil, func(s *monitor.Source) error { s.Expect = &day; return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := store.NoteSilence(t.Context()); n != 2 || err != nil {
		t.Fatalf("%d are silent, %v, want the one beside another and the one that was asked about", n, err)
	}
	for key, silent := range map[monitor.SourceKey]bool{agent: false, replaced: false, web: true, beside: false, asked: true, its: false} {
		if got := sourceNow(t, store, key); got.SilentSince.IsZero() == silent {
			t.Errorf("%s of token %x: silent since %s", key.TokenName, key.TokenID[0], got.SilentSince)
		}
	}
}

func TestASilentSourceRaisesOneAlertWhichEndsWhenItSendsAgain(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	dsn := dbtest.DSN(t)
	stores := []*db.Store{replica(t, dsn, &clock), replica(t, dsn, &clock)}
	store := stores[0]
	for range 12 {
		clock = clock.Add(5 * time.Minute)
		countSources(t, store, countOf(falco, clock, 3, 0))
	}
	clock = clock.Add(19 * time.Minute)
	if n, err := store.NoteSilence(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d silent before the time, %v", n, err)
	}
	clock = clock.Add(2 * time.Minute)
	var all sync.WaitGroup
	for range 4 {
		for _, s := range stores {
			all.Go(func() {
				if _, err := s.NoteSilence(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	alerts := openAlerts(t, store)
	if len(alerts) != 1 || alerts[0].Count != 1 || alerts[0].Title != monitor.SilentSourceRule.Title {
		t.Fatalf("alerts %+v", alerts)
	}
	silent := sourceNow(t, store, falco)
	if silent.SilentSince.IsZero() || silent.AlertID != alerts[0].ID {
		t.Fatalf("source %+v", silent)
	}
	if assetNow(t, store, monitor.AssetUser, silent.Name()) != nil {
		t.Error("the source was learned as a user")
	}
	countSources(t, stores[1], countOf(falco, clock, 0, 4))
	if got := sourceNow(t, store, falco); got.SilentSince.IsZero() {
		t.Error("what cannot be read ends no silence")
	}
	countSources(t, stores[1], countOf(falco, clock, 3, 0))
	back := sourceNow(t, store, falco)
	if !back.SilentSince.IsZero() || !back.AlertID.IsZero() || back.Gap > 5*time.Minute {
		t.Errorf("back: %+v", back)
	}
	if alerts := openAlerts(t, store); len(alerts) != 0 {
		t.Errorf("still open: %+v", alerts)
	}
	// A second silence is another one; while somebody works on its alert it stays open.
	clock = clock.Add(time.Hour)
	if n, err := store.NoteSilence(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	working := openAlerts(t, store)[0]
	if _, err := store.UpdateAlert(t.Context(), monitor.SystemActor, monitor.ActionAlertAcknowledge, working.ID, nil, (*monitor.Alert).Acknowledge); err != nil {
		t.Fatal(err)
	}
	countSources(t, store, countOf(falco, clock, 3, 0))
	alerts = openAlerts(t, store)
	if len(alerts) != 1 || len(alerts[0].Tags) != 2 || alerts[0].Tags[1] != monitor.TagSourceReturned {
		t.Errorf("alert in work: %+v", alerts)
	}
	journal, err := store.JournalOf(t.Context(), monitor.KindSource, falco.ID(), page.Args{First: 10})
	if err != nil || len(journal.Edges) != 5 { // found, silent, back, silent, back
		t.Errorf("%d entries, %v", len(journal.Edges), err)
	}
}

func openAlerts(t *testing.T, store *db.Store) (open []*monitor.Alert) {
	t.Helper()
	alerts, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range alerts.Edges {
		if e.Node.Status != monitor.AlertClosed {
			open = append(open, e.Node)
		}
	}
	return open
}

func TestASourceIsChangedAndForgotten(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	countSources(t, store, countOf(falco, clock, 1, 0))
	every := time.Hour
	changed, err := store.UpdateSource(t.Context(), monitor.SystemActor, falco.ID(), new(1), func(s *monitor.Source) error { return s.SetExpect(&every) })
	if err != nil || changed.Version != 2 || changed.Patience() != time.Hour {
		t.Fatalf("%+v %v", changed, err)
	}
	if now, err := store.UpdateSource(t.Context(), monitor.SystemActor, falco.ID(), new(1), func(*monitor.Source) error { return nil }); monitor.CodeOf(err) != monitor.CodeConflict || now.Version != 2 {
		t.Errorf("%+v %v", now, err)
	}
	clock = clock.Add(61 * time.Minute)
	if n, err := store.NoteSilence(t.Context()); n != 1 || err != nil {
		t.Errorf("%d silent after the time that was set, %v", n, err)
	}
	clock = clock.Add(2 * time.Hour)
	if err := store.TrimSources(t.Context()); err != nil {
		t.Fatal(err)
	}
	if minutes, err := store.SourceMinutes(t.Context(), []monitor.ID{falco.ID()}); err != nil || len(minutes[0]) != 0 {
		t.Errorf("%+v %v", minutes, err)
	}
	if _, err := store.DeleteSource(t.Context(), monitor.SystemActor, falco.ID(), nil); err != nil {
		t.Fatal(err)
	}
	if found, err := store.SourcesByID(t.Context(), []monitor.ID{falco.ID()}); len(found) != 0 || err != nil {
		t.Error(found, err)
	}
}

func TestThereIsABoundToSources(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	counts := make([]*monitor.SourceCount, monitor.MaxSources+5)
	for i := range counts {
		counts[i] = countOf(monitor.SourceKey{Protocol: "json", Format: fmt.Sprint(i)}, clock, 1, 0)
	}
	if refused, err := store.CountSources(t.Context(), counts); refused != 5 || err != nil {
		t.Errorf("%d refused, %v", refused, err)
	}
}
