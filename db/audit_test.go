package db_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// The audit log gives what the predicate holds for, latest first, on pages of any
// size, and an object's own entries alone.
func TestAuditLogGivesWhatMatches(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	alerts := raise(t, store, testRule(1), "a", "b", "c")
	bob := monitor.Actor{Kind: monitor.ActorUser, ID: monitor.ID{8}, Name: "bob"}
	for n := range 30 {
		clock = clock.Add(time.Hour)
		actor := []monitor.Actor{analyst, bob}[n%2]
		if _, err := store.UpdateAlert(t.Context(), actor, monitor.ActionAlertTag, alerts[n%3].ID, nil, func(a *monitor.Alert, _ time.Time) error {
			a.Tags = []string{fmt.Sprint(n)}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := store.Entries(t.Context(), 0, 1_000)
	if err != nil {
		t.Fatal(err)
	}
	text := func(s string) *monitor.StringFilter { return &monitor.StringFilter{Eq: &s} }
	since, until := timeInput(clock.Add(-20*time.Hour)), timeInput(clock.Add(-5*time.Hour))
	for name, filter := range map[string]*monitor.JournalFilter{
		"all":        nil,
		"actor":      {Actor: text("bob")},
		"action":     {Action: text(monitor.ActionAlertTag)},
		"not":        {Not: &monitor.JournalFilter{Actor: text("bob")}},
		"time":       {At: &monitor.TimeFilter{Gte: since, Lt: until}},
		"both":       {At: &monitor.TimeFilter{Gt: since}, Actor: text("ana")},
		"nobody":     {Actor: text("carl")},
		"long ago":   {At: &monitor.TimeFilter{Lt: timeInput(clock.Add(-1000 * time.Hour))}},
		"the future": {At: &monitor.TimeFilter{Gt: timeInput(clock.Add(1000 * time.Hour))}},
	} {
		for _, object := range []*monitor.Object{nil, {Kind: monitor.KindAlert, ID: alerts[1].ID}} {
			p, err := filter.Compile()
			if err != nil {
				t.Fatal(err)
			}
			var want []uint64
			for _, e := range slices.Backward(all) {
				touches := slices.ContainsFunc(e.Body.Changes, func(c monitor.Change) bool { return object == nil || c.ID == object.ID })
				if touches && p.Matches(&e, clock) {
					want = append(want, e.Seq)
				}
			}
			for _, first := range []int{1, 4, 500} {
				var got []uint64
				for args := (page.Args{First: first}); ; {
					found, err := store.Audit(t.Context(), filter, object, args)
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range found.Edges {
						got = append(got, e.Node.Seq)
					}
					if !found.PageInfo.HasNextPage {
						break
					}
					args.After = *found.PageInfo.EndCursor
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s, object %v, %d a page: %v, want %v", name, object, first, got, want)
				}
			}
		}
	}
	if _, err := store.Audit(t.Context(), nil, nil, page.Args{First: 1, After: "x"}); monitor.CodeOf(err) != monitor.CodeBadInput {
		t.Errorf("a foreign cursor gives %v", err)
	}
}

func timeInput(at time.Time) *monitor.TimeInput {
	in, err := monitor.ParseTimeInput(at.Format(time.RFC3339Nano))
	if err != nil {
		panic(err) // RFC 3339
	}
	return &in
}

// Whoever changes, takes out or puts in an entry is found, also at the very end.
func TestTamperingWithTheJournalIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		statements []string
		seq        uint64
	}{
		"changed":     {[]string{"UPDATE journal SET body = REPLACE(body, 'alert.raise', 'alert.close') WHERE seq = 2"}, 2},
		"time":        {[]string{"UPDATE journal SET body = REPLACE(body, '2026', '2025') WHERE seq = 3"}, 3},
		"taken out":   {[]string{"DELETE FROM journal WHERE seq = 2"}, 3},
		"exchanged":   {[]string{"UPDATE journal SET seq = 1000 WHERE seq = 2", "UPDATE journal SET seq = 2 WHERE seq = 3", "UPDATE journal SET seq = 3 WHERE seq = 1000"}, 2},
		"cut off":     {[]string{"DELETE FROM journal WHERE seq >= 4"}, 4},
		"cut and set": {[]string{"DELETE FROM journal WHERE seq >= 4", "UPDATE feed_state SET seq = 3"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := dbtest.DSN(t)
			store, err := db.Open(t.Context(), db.Options{DSN: dsn})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close() //nolint:errcheck // a test
			for _, host := range []string{"a", "b", "c", "d", "e"} {
				raise(t, store, testRule(1), host)
			}
			progress := func(int, int) error { return nil }
			if n, err := store.VerifyJournal(t.Context(), progress); err != nil || n != 5 {
				t.Fatalf("%d entries verified, %v", n, err)
			}
			for _, s := range c.statements {
				dbtest.Exec(t, dsn, s)
			}
			_, err = store.VerifyJournal(t.Context(), progress)
			if fault := (db.ChainFault{}); !errors.As(err, &fault) || fault.Seq != c.seq {
				t.Errorf("got %v, want a fault at %d", err, c.seq)
			}
		})
	}
}
