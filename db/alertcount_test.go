package db_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// TestCountsAreThoseOfTheTable does to alerts what people and rules do, and
// compares the counts that are kept with those of the alerts themselves.
func TestCountsAreThoseOfTheTable(t *testing.T) {
	store := dbtest.New(t)
	batch := &monitor.Batch{}
	for i := range 12 {
		e, rule := testEvent(i), testRule(byte(i))
		e.Host, rule.Level = e.Message, monitor.Severities[i%5]
		batch.Events = append(batch.Events, e)
		batch.Findings = append(batch.Findings, monitor.Finding{Event: i, Rule: rule})
	}
	actor := monitor.SystemActor
	check := func(step string, want int) []*monitor.Alert {
		t.Helper()
		alerts := compareCounts(t, store, step)
		if len(alerts) != want {
			t.Fatalf("%s: %d alerts, want %d", step, len(alerts), want)
		}
		return alerts
	}
	mustStore := func() {
		t.Helper()
		if _, err := store.StoreBatch(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	update := func(id monitor.ID, action string, change func(*monitor.Alert, time.Time) error) {
		t.Helper()
		if _, err := store.UpdateAlert(t.Context(), actor, action, id, nil, change); err != nil {
			t.Fatal(err)
		}
	}
	check("nothing", 0)
	mustStore()
	alerts := check("raised", 12)
	mustStore()
	check("repeated", 12)
	update(alerts[0].ID, monitor.ActionAlertAcknowledge, func(a *monitor.Alert, now time.Time) error { return a.Acknowledge(now) })
	check("acknowledged", 12)
	for _, a := range alerts[1:4] {
		update(a.ID, monitor.ActionAlertClose, func(a *monitor.Alert, now time.Time) error { return a.Close(monitor.Benign, "seen", now) })
	}
	check("closed", 12)
	update(alerts[1].ID, monitor.ActionAlertReopen, func(a *monitor.Alert, _ time.Time) error { return a.Reopen("again") })
	check("reopened", 12)
	update(alerts[4].ID, "alert.severity", func(a *monitor.Alert, now time.Time) error {
		a.Severity = monitor.SeverityCritical
		return a.Acknowledge(now)
	})
	check("another severity and status at once", 12)
	update(alerts[5].ID, monitor.ActionAlertAssign, func(a *monitor.Alert, _ time.Time) error { a.AssigneeID = monitor.ID{9}; return nil })
	check("assigned: counts stay", 12)
	mustStore()
	check("raised anew where closed", 14)
}

// compareCounts asks for counts with the filters that the counters answer, and
// counts the alerts themselves. It gives all alerts.
func compareCounts(t *testing.T, store *db.Store, step string) []*monitor.Alert {
	t.Helper()
	all := allAlerts(t.Context(), t, store)
	high, open := monitor.SeverityHigh, []monitor.AlertStatus{monitor.AlertNew, monitor.AlertAcknowledged}
	for name, filter := range map[string]*monitor.AlertFilter{
		"none":       nil,
		"open":       {Status: &monitor.AlertStatusFilter{In: open}},
		"severe":     {Severity: &monitor.SeverityFilter{Gte: &high}},
		"not severe": {Not: &monitor.AlertFilter{Severity: &monitor.SeverityFilter{Gte: &high}}, Status: &monitor.AlertStatusFilter{In: open}},
	} {
		matching, err := filter.Compile()
		if err != nil {
			t.Fatal(err)
		}
		want, total := map[[2]string]int{}, 0
		for _, a := range all {
			if matching.Matches(a, time.Now()) {
				want[[2]string{string(a.Status), string(a.Severity)}]++
				total++
			}
		}
		groups, err := store.AlertGroups(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		got := map[[2]string]int{}
		for _, g := range groups {
			got[[2]string{string(g.Status), string(g.Severity)}] = g.Count
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, filter %s (-want +got):\n%s", step, name, diff)
		}
		for _, bound := range []int{3, 10_001} {
			if n, more, err := store.CountAlerts(t.Context(), filter, bound); err != nil || n != min(total, bound) || more != (total > bound) {
				t.Errorf("%s, filter %s: %d up to %d, %v; want %d", step, name, n, bound, err, min(total, bound))
			}
		}
	}
	return all
}

func TestCountsAreMendedAfterAnOldReplica(t *testing.T) {
	dsn := dbtest.DSN(t)
	store, err := db.Open(t.Context(), db.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	batch := &monitor.Batch{Events: []*monitor.Event{testEvent(1)}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}}}
	if _, err := store.StoreBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	dbtest.Exec(t, dsn, "UPDATE alerts SET status = 'ACKNOWLEDGED'") // one that keeps no counts
	if err := store.RecountAlerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	groups, err := store.AlertGroups(t.Context(), nil)
	if err != nil || !slices.Equal(groups, []monitor.AlertGroup{{Status: monitor.AlertAcknowledged, Severity: testRule(1).Level, Count: 1}}) {
		t.Errorf("got %+v, %v", groups, err)
	}
}

func allAlerts(ctx context.Context, t *testing.T, store *db.Store) []*monitor.Alert {
	t.Helper()
	c, err := store.Alerts(ctx, nil, monitor.AlertsByCreated, page.Args{First: 500})
	if err != nil {
		t.Fatal(err)
	}
	return c.Nodes()
}
