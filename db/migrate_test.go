package db_test

import (
	"database/sql"
	"os"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Each step of the schema can be taken back and taken again, with data in the
// tables: what the first version knew is there afterwards.
func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	dsn := dbtest.DSN(t)
	fill := func() *db.Store {
		t.Helper()
		store, err := db.Open(t.Context(), db.Options{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return store
	}
	store := fill()
	user, err := store.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: "ana", DisplayName: "Ana", Role: monitor.RoleAdmin}, "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{testEvent(1), testEvent(2)}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}, {Event: 1, Rule: testRule(2)}}}); err != nil {
		t.Fatal(err)
	}
	alerts, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 10})
	if err != nil || len(alerts.Edges) != 2 {
		t.Fatal(len(alerts.Edges), err)
	}
	id := alerts.Edges[0].Node.ID
	if _, _, err := store.AddComment(t.Context(), monitor.SystemActor, monitor.Comment{AlertID: id, AuthorID: user.ID, Body: "seen"}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateIncident(t.Context(), monitor.SystemActor, monitor.Incident{Title: "x", Severity: monitor.SeverityHigh, Status: monitor.IncidentOpen}, []monitor.ID{id}); err != nil {
		t.Fatal(err)
	}

	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close() //nolint:errcheck // a test
	provider, err := goose.NewProvider(goose.DialectMySQL, handle, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Migrate(t.Context(), dsn); err != nil || n < 10 {
		t.Fatal(n, err)
	}
	again := fill()
	if err := again.RecountAlerts(t.Context()); err != nil {
		t.Error(err)
	}
	alerts, err = again.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 10})
	if err != nil || len(alerts.Edges) != 2 || alerts.Edges[0].Node.Title == "" {
		t.Errorf("%d alerts, %v", len(alerts.Edges), err)
	}
	if comments, err := again.CommentsOf(t.Context(), id, page.Args{First: 10}); err != nil || len(comments.Edges) != 1 {
		t.Errorf("%v %v", comments, err)
	}
	if events, err := again.Events(t.Context(), nil, monitor.EventsByOccurred, page.Args{First: 10}); err != nil || len(events.Edges) != 2 {
		t.Errorf("%v %v", events, err)
	}
	if _, err := again.VerifyJournal(t.Context(), func(int, int) error { return nil }); err != nil {
		t.Errorf("the journal's chain: %v", err)
	}
	if _, err := again.UpdateAlert(t.Context(), monitor.SystemActor, monitor.ActionAlertStart, id, nil, (*monitor.Alert).Start); err != nil {
		t.Errorf("work goes on: %v", err)
	}
	if _, err := provider.DownTo(t.Context(), 0); err != nil {
		t.Errorf("to nothing: %v", err)
	}
	if _, err := db.Migrate(t.Context(), dsn); err != nil {
		t.Errorf("from nothing: %v", err)
	}
}
