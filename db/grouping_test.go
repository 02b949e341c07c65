package db_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// clocked gives a store whose clock the test moves.
func clocked(t *testing.T, dsn string) (*db.Store, func(time.Duration)) {
	t.Helper()
	var offset atomic.Int64
	begun := time.Now()
	store, err := db.Open(t.Context(), db.Options{DSN: dsn, Now: func() time.Time { return begun.Add(time.Duration(offset.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store, func(d time.Duration) { offset.Add(int64(d)) }
}

func createGrouping(t *testing.T, store *db.Store, g monitor.IncidentGrouping) *monitor.IncidentGrouping {
	t.Helper()
	if g.Filter == nil {
		g.Filter = json.RawMessage("{}")
	}
	if g.Window == 0 {
		g.Window = time.Hour
	}
	g.Name, g.Enabled = "Same user", true
	made, err := store.CreateIncidentGrouping(t.Context(), analyst, g)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func incidents(t *testing.T, store *db.Store) []*monitor.Incident {
	t.Helper()
	list, err := store.Incidents(t.Context(), nil, page.Args{First: 500})
	if err != nil {
		t.Fatal(err)
	}
	return list.Nodes()
}

// told gives the numbers of alerts of all incidents, newest first.
func told(t *testing.T, store *db.Store) string {
	t.Helper()
	var out []string
	for _, i := range incidents(t, store) {
		alerts, err := store.AlertsOfIncident(t.Context(), i.ID, nil, page.Args{First: 500})
		if err != nil || len(alerts.Edges) != i.AlertCount {
			t.Errorf("an incident of %d alerts has %d, %v", i.AlertCount, len(alerts.Edges), err)
		}
		out = append(out, fmt.Sprintf("%d %s", i.AlertCount, i.Status))
	}
	return strings.Join(out, ", ")
}

var byUser = monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupByUser}, MinimumCount: 3}

func TestGroupOpensAnIncidentAtItsMinimum(t *testing.T) {
	store, sleep := clocked(t, dbtest.DSN(t))
	g := createGrouping(t, store, byUser)
	first := raiseIDs(t, store, "a", "b")
	if got := told(t, store); got != "" {
		t.Fatalf("two alerts opened %s", got)
	}
	sleep(59 * time.Minute)
	raiseIDs(t, store, "c")
	if got := told(t, store); got != "3 OPEN" {
		t.Fatalf("three alerts opened %q", got)
	}
	i := incidents(t, store)[0]
	if i.GroupingID != g.ID || i.Title != "Same user: user=root" || i.Severity != monitor.SeverityHigh {
		t.Errorf("%+v", i)
	}
	sleep(48 * time.Hour)
	raiseIDs(t, store, "d", "e")
	if got := told(t, store); got != "5 OPEN" {
		t.Errorf("two more, while it is open: %q", got)
	}
	// The journal names it, and each alert says where it is.
	entries, err := store.JournalOf(t.Context(), monitor.KindIncident, i.ID, page.Args{First: 5})
	if err != nil || len(entries.Edges) != 2 {
		t.Fatalf("%d entries, %v", len(entries.Edges), err)
	}
	for _, e := range entries.Nodes() {
		for _, c := range e.Body.Changes {
			if c.Kind == monitor.KindIncident && c.Action != monitor.ActionIncidentGroup || c.Kind == monitor.KindAlert && !strings.Contains(string(c.After), `"incidentId":"`+i.ID.String()) {
				t.Errorf("entry %d: %s %s", e.Seq, c.Action, c.After)
			}
		}
		if e.Body.Action != monitor.ActionIngest || e.Body.Actor.Name != "system" {
			t.Errorf("entry %d: %s by %s", e.Seq, e.Body.Action, e.Body.Actor.Name)
		}
	}
	steps, err := store.IncidentTimeline(t.Context(), i.ID, page.Args{First: 50})
	if err != nil {
		t.Fatal(err)
	}
	raises := map[monitor.ID]bool{}
	for _, e := range steps.Nodes() {
		raises[e.Subject] = true
	}
	if len(raises) != 6 || !raises[first[0]] {
		t.Errorf("the timeline is of %d subjects, want the incident and 5 alerts", len(raises))
	}
	// Closed, it takes no more; three further alerts open another.
	if _, err := store.UpdateIncident(t.Context(), analyst, monitor.ActionIncidentClose, i.ID, nil, func(i *monitor.Incident, now time.Time) error { return i.Close(monitor.Benign, "over", now) }); err != nil {
		t.Fatal(err)
	}
	raiseIDs(t, store, "f", "g")
	if got := told(t, store); got != "5 CLOSED" {
		t.Errorf("two alerts behind the closing: %q", got)
	}
	sleep(time.Second)
	raiseIDs(t, store, "h", "i", "j")
	if got := told(t, store); got != "5 OPEN, 5 CLOSED" {
		t.Errorf("the third and more: %q", got)
	}
}

func TestGroupForgetsWhatIsOutsideTheWindow(t *testing.T) {
	store, sleep := clocked(t, dbtest.DSN(t))
	createGrouping(t, store, byUser)
	raiseIDs(t, store, "a", "b")
	sleep(time.Hour)
	raiseIDs(t, store, "c")
	if got := told(t, store); got != "" {
		t.Errorf("alerts an hour apart opened %s", got)
	}
	raiseIDs(t, store, "d", "e")
	if got := told(t, store); got != "3 OPEN" {
		t.Errorf("three within the hour: %q", got)
	}
	sleep(31 * 24 * time.Hour)
	if err := store.TrimGroups(t.Context()); err != nil {
		t.Fatal(err)
	}
	raiseIDs(t, store, "f")
	if got := told(t, store); got != "4 OPEN" {
		t.Errorf("a month later, still open: %q", got)
	}
}

func TestGroupCountsOnlyAlertsThatWait(t *testing.T) {
	store := dbtest.New(t)
	createGrouping(t, store, byUser)
	ids := raiseIDs(t, store, "a", "b")
	if _, err := store.UpdateAlert(t.Context(), analyst, monitor.ActionAlertClose, ids[0], nil, func(a *monitor.Alert, now time.Time) error { return a.Close(monitor.FalsePositive, "no", now) }); err != nil {
		t.Fatal(err)
	}
	mine := openIncident(t, store, "mine", ids[1])
	raiseIDs(t, store, "c", "d")
	if got := told(t, store); got != "1 OPEN" {
		t.Errorf("a closed alert, one of another incident, and two: %q", got)
	}
	if _, err := store.RemoveIncidentAlerts(t.Context(), analyst, mine.ID, nil, ids[1:]); err != nil {
		t.Fatal(err)
	}
	raiseIDs(t, store, "e")
	if got := told(t, store); got != "4 OPEN, 0 OPEN" {
		t.Errorf("with the one that was set free: %q", got)
	}
}

func TestGroupOfARepeatedAlert(t *testing.T) {
	store := dbtest.New(t)
	createGrouping(t, store, monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupByUser}, MinimumCount: 2})
	ids := raiseIDs(t, store, "a")
	raiseIDs(t, store, "a") // repeats it: not a second alert
	if got := told(t, store); got != "" {
		t.Fatalf("one alert opened %s", got)
	}
	raiseIDs(t, store, "a", "b")
	if got := told(t, store); got != "2 OPEN" {
		t.Fatalf("a repeat and a second alert: %q", got)
	}
	alert, err := store.AlertsByID(t.Context(), ids)
	if err != nil || alert[0].Count != 3 || alert[0].Version != 4 {
		t.Errorf("%+v, %v, want 3 matches at version 4", alert[0], err)
	}
	steps, err := store.IncidentTimeline(t.Context(), incidents(t, store)[0].ID, page.Args{First: 50})
	if err != nil {
		t.Fatal(err)
	}
	var repeats int
	for _, e := range steps.Nodes() {
		if e.Subject == ids[0] && e.Action() == monitor.ActionAlertRepeat {
			repeats++
		}
	}
	if repeats != 2 {
		t.Errorf("the timeline tells of %d repeats, want 2", repeats)
	}
}

func TestGroupingsChooseByFilterAndFields(t *testing.T) {
	for name, c := range map[string]struct {
		grouping monitor.IncidentGrouping
		want     string
	}{
		"equal in two fields":       {monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupByHost, monitor.GroupByUser}, MinimumCount: 2}, "2 OPEN"},
		"nothing in the field":      {monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupByUser}, MinimumCount: 2, Filter: json.RawMessage(`{"user":{"exists":false}}`)}, ""},
		"by rule":                   {monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupByRule}, MinimumCount: 4}, "4 OPEN"},
		"by one of the techniques":  {monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupByTechnique}, MinimumCount: 5}, "5 OPEN"},
		"by technique and filter":   {monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupByTechnique}, MinimumCount: 2, Filter: json.RawMessage(`{"host":{"in":["b"]}}`)}, ""},
		"more than there are":       {monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupBySourceIP}, MinimumCount: 6}, ""},
		"each for itself":           {monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupByHost}, MinimumCount: 1, Filter: json.RawMessage(`{"host":{"eq":"b"}}`)}, "1 OPEN"},
		"by address, v4 both sides": {monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupBySourceIP, monitor.GroupByDestinationIP}, MinimumCount: 5}, "5 OPEN"},
	} {
		t.Run(name, func(t *testing.T) {
			store := dbtest.New(t)
			createGrouping(t, store, c.grouping)
			b := &monitor.Batch{}
			for i, who := range [][2]string{{"a", "root"}, {"a", "ana"}, {"b", "root"}, {"c", ""}, {"a", "root"}} {
				ev := testEvent(i)
				ev.Host, ev.User = who[0], who[1]
				rule := testRule(1)
				if i == 4 {
					rule = testRule(2)
				}
				b.Events, b.Findings = append(b.Events, ev), append(b.Findings, monitor.Finding{Event: i, Rule: rule})
			}
			if _, err := store.StoreBatch(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if got := told(t, store); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Several replicas at once: however the batches come, the group's alerts are
// counted once each, and one incident has all of them.
func TestGroupingIsExactOverReplicas(t *testing.T) {
	dsn := dbtest.DSN(t)
	var stores []*db.Store
	for range 3 {
		store, _ := clocked(t, dsn)
		stores = append(stores, store)
	}
	createGrouping(t, stores[0], monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupByUser}, MinimumCount: 20})
	createGrouping(t, stores[0], monitor.IncidentGrouping{Fields: []monitor.GroupingField{monitor.GroupBySourceIP}, MinimumCount: 41})
	for _, store := range stores {
		if err := store.LoadGroupings(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const each = 13
	var done sync.WaitGroup
	for n, store := range stores {
		done.Go(func() {
			for i := range each {
				ev := testEvent(i)
				ev.Host = fmt.Sprintf("host-%d-%d", n, i)
				b := &monitor.Batch{Events: []*monitor.Event{ev}, Findings: []monitor.Finding{{Rule: testRule(1)}}}
				for try := 0; ; try++ { // a replica that loses five deadlocks in a row tells its shipper, who sends again
					_, err := store.StoreBatch(context.Background(), b)
					if err == nil {
						break
					}
					if try > 20 {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	done.Wait()
	if got := told(t, stores[0]); got != "39 OPEN" {
		t.Errorf("39 alerts from 3 replicas are in %q", got)
	}
}

func TestGroupingLifeAndBounds(t *testing.T) {
	store := dbtest.New(t)
	good := monitor.IncidentGrouping{Name: "x", Filter: json.RawMessage("{}"), Fields: byUser.Fields, Window: time.Hour, MinimumCount: 2}
	for name, spoil := range map[string]func(*monitor.IncidentGrouping){
		"no name":           func(g *monitor.IncidentGrouping) { g.Name = " " },
		"no fields":         func(g *monitor.IncidentGrouping) { g.Fields = nil },
		"no alerts":         func(g *monitor.IncidentGrouping) { g.MinimumCount = 0 },
		"a window too long": func(g *monitor.IncidentGrouping) { g.Window = 31 * 24 * time.Hour },
		"a filter's key":    func(g *monitor.IncidentGrouping) { g.Filter = json.RawMessage(`{"hots":{"eq":"a"}}`) },
		"a filter's value":  func(g *monitor.IncidentGrouping) { g.Filter = json.RawMessage(`{"sourceIp":{"eq":"a"}}`) },
	} {
		g := good
		spoil(&g)
		_, err := store.CreateIncidentGrouping(t.Context(), analyst, g)
		wantCode(t, name, err, monitor.CodeBadInput)
	}
	g, err := store.CreateIncidentGrouping(t.Context(), analyst, good)
	if err != nil {
		t.Fatal(err)
	}
	off := func(g *monitor.IncidentGrouping, _ time.Time) error { g.Enabled = true; return nil }
	now, err := store.UpdateIncidentGrouping(t.Context(), analyst, g.ID, &g.Version, off)
	if err != nil || now.Version != 2 || !now.Enabled {
		t.Fatalf("%+v, %v", now, err)
	}
	_, err = store.UpdateIncidentGrouping(t.Context(), analyst, g.ID, &g.Version, off)
	wantCode(t, "a stale version", err, monitor.CodeConflict)
	raiseIDs(t, store, "a", "b")
	if got := told(t, store); got != "2 OPEN" {
		t.Errorf("enabled: %q", got)
	}
	if _, err := store.DeleteIncidentGrouping(t.Context(), analyst, g.ID, nil); err != nil {
		t.Fatal(err)
	}
	raiseIDs(t, store, "c", "d")
	if got := told(t, store); got != "2 OPEN" {
		t.Errorf("deleted: %q", got)
	}
	_, err = store.DeleteIncidentGrouping(t.Context(), analyst, g.ID, nil)
	wantCode(t, "deleting again", err, monitor.CodeNotFound)
}

func TestMergedIncidentsGroupGoesOnInTheOther(t *testing.T) {
	store := dbtest.New(t)
	createGrouping(t, store, byUser)
	raiseIDs(t, store, "a", "b", "c")
	grouped, mine := incidents(t, store)[0], openIncident(t, store, "mine")
	if _, err := store.MergeIncidents(t.Context(), analyst, mine.ID, nil, []monitor.ID{grouped.ID}); err != nil {
		t.Fatal(err)
	}
	raiseIDs(t, store, "d")
	if got := present(t, store, mine.ID).AlertCount; got != 4 {
		t.Errorf("the incident that stayed has %d alerts, want 4", got)
	}
}
