package db_test

import (
	"slices"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Whole days of events go when the youngest of them is too old. What open alerts point to
// stays: see package archive.
func TestOldEventsAreDroppedByDays(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	store, err := db.Open(t.Context(), db.Options{DSN: dbtest.DSN(t), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	for range 10 {
		if err := store.EnsurePartitions(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		event := &monitor.Event{Host: now.Format(time.DateOnly), OccurredAt: now.AddDate(-1, 0, 0), Raw: monitor.RawJSON("{}")}
		if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{event}}); err != nil {
			t.Fatal(err)
		}
		now = now.AddDate(0, 0, 1)
	}
	now = now.AddDate(0, 0, -1) // the day of the last event
	hosts := func() (out []string) {
		t.Helper()
		found, err := store.Events(t.Context(), nil, monitor.EventsByReceived, page.Args{First: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found.Nodes() {
			out = append(out, e.Host)
		}
		return out
	}
	for _, c := range []struct {
		keep    time.Duration
		dropped []string
		left    int
	}{
		{0, nil, 10},
		{30 * 24 * time.Hour, nil, 10},
		{7 * 24 * time.Hour, []string{"2026-03-01", "2026-03-02"}, 8},
		{7 * 24 * time.Hour, nil, 8},
		{24 * time.Hour, []string{"2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07", "2026-03-08"}, 2},
	} {
		days, err := dropEvents(t, store, now, c.keep)
		days = slices.DeleteFunc(days, func(day string) bool { return day < "2026-03-01" || day > "2026-03-10" }) // of the migration's own clock
		if err != nil || !slices.Equal(days, c.dropped) || len(hosts()) != c.left {
			t.Errorf("%s: dropped %v, left %v, %v", c.keep, days, hosts(), err)
		}
	}
}

// dropEvents is what the upkeep does without rules and without an archive.
func dropEvents(t *testing.T, store *db.Store, now time.Time, keep time.Duration) (dropped []string, err error) {
	t.Helper()
	days, err := store.EventDays(t.Context())
	for _, day := range days {
		due := (&monitor.EventKeeping{Default: keep}).Due(day.Day, now)
		if err != nil || !due.All() {
			break
		}
		if err = store.RemoveDueEvents(t.Context(), day.Day, due); err == nil {
			dropped = append(dropped, day.Day.Format(time.DateOnly))
		}
	}
	return dropped, err
}
