package db_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// A DSN as operators write it, and as the chart, Terraform and Compose do, has no
// parameters of the driver: the store brings its own.
func TestPlainDSNIsEnough(t *testing.T) {
	plain, _, _ := strings.Cut(dbtest.DSN(t), "?")
	if _, err := db.Migrate(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	store, err := db.Open(t.Context(), db.Options{DSN: plain})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // a test
	at := time.Date(2026, 5, 4, 12, 0, 0, 123_456_000, time.UTC)
	event := testEvent(0)
	event.OccurredAt, event.Message = at, "größer als 🦊"
	if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{event}}); err != nil {
		t.Fatal(err)
	}
	found, err := store.Events(t.Context(), nil, monitor.EventsByOccurred, page.Args{First: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := found.Edges[0].Node; !got.OccurredAt.Equal(at) || got.Message != event.Message {
		t.Errorf("came back as %s %q", got.OccurredAt, got.Message)
	}
	for _, d := range db.Examine(t.Context(), plain, db.Needs{}) {
		if d.State == monitor.StateFailure {
			t.Errorf("doctor: %+v", d)
		}
	}
}

// The server's own time zone and modes do not matter.
func TestDSNSetsWhatIsMissing(t *testing.T) {
	plain, _, _ := strings.Cut(dbtest.DSN(t), "?")
	dbtest.Exec(t, plain, "SET GLOBAL sql_mode = ''")
	store, err := db.Open(t.Context(), db.Options{DSN: plain})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // a test
	event := testEvent(0)
	event.Host = strings.Repeat("x", 10_000) // wider than its column: refused, never cut off
	if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{event}}); err == nil {
		t.Error("a value was cut off in silence")
	}
}

// Readiness asks by a connection of its own: where all others are busy the database
// is there all the same, and taking the pod out would only move its load.
func TestPingWaitsForNoBusyConnection(t *testing.T) {
	store, err := db.Open(t.Context(), db.Options{DSN: dbtest.DSN(t), MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // a test
	for range 2 {
		release, err := store.HoldConnection(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer release() //nolint:errcheck // a test
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := store.Ping(ctx); err != nil {
		t.Errorf("while all connections are in use: %v", err)
	}
}
