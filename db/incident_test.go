package db_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var analyst = monitor.Actor{Kind: monitor.ActorUser, ID: monitor.ID{7}, Name: "ana"}

// raiseIDs stores one alert for each host and gives their ids in that order.
func raiseIDs(t *testing.T, store *db.Store, hosts ...string) []monitor.ID {
	t.Helper()
	ids := make([]monitor.ID, len(hosts))
	for i, a := range raise(t, store, testRule(1), hosts...) {
		ids[i] = a.ID
	}
	return ids
}

func alertsOf(t *testing.T, store *db.Store, hosts ...string) []monitor.ID {
	t.Helper()
	ids := make([]monitor.ID, len(hosts))
	for i, host := range hosts {
		found, err := store.Alerts(t.Context(), &monitor.AlertFilter{Host: &monitor.StringFilter{Eq: &host}}, monitor.AlertsByCreated, page.Args{First: 1})
		if err != nil || len(found.Edges) != 1 {
			t.Fatalf("alert of %s: %d, %v", host, len(found.Edges), err)
		}
		ids[i] = found.Edges[0].Node.ID
	}
	return ids
}

func openIncident(t *testing.T, store *db.Store, title string, alerts ...monitor.ID) *monitor.Incident {
	t.Helper()
	i, err := store.CreateIncident(t.Context(), analyst, monitor.Incident{Title: title, Severity: monitor.SeverityHigh}, alerts)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func hostsOf(t *testing.T, store *db.Store, incident monitor.ID) string {
	t.Helper()
	alerts, err := store.AlertsOfIncident(t.Context(), incident, nil, page.Args{First: 500})
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	for _, a := range alerts.Nodes() {
		hosts = append(hosts, a.Host)
		if a.IncidentID != incident {
			t.Errorf("the alert of %s says that it is in %s", a.Host, a.IncidentID)
		}
	}
	slices.Sort(hosts)
	return strings.Join(hosts, " ")
}

func present(t *testing.T, store *db.Store, id monitor.ID) *monitor.Incident {
	t.Helper()
	found, err := store.IncidentsByID(t.Context(), []monitor.ID{id})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d incidents, %v", len(found), err)
	}
	return found[0]
}

func wantCode(t *testing.T, what string, err error, code monitor.Code) {
	t.Helper()
	if monitor.CodeOf(err) != code || err == nil {
		t.Errorf("%s gives %v, want %s", what, err, code)
	}
}

func TestIncidentTakesAndGivesAlerts(t *testing.T) {
	store := dbtest.New(t)
	ids := raiseIDs(t, store, "a", "b", "c", "d")
	one := openIncident(t, store, "one", ids[0], ids[1])
	two := openIncident(t, store, "two", ids[3])
	now, err := store.AddIncidentAlerts(t.Context(), analyst, one.ID, &one.Version, []monitor.ID{ids[1], ids[2]})
	if err != nil || now.AlertCount != 3 || now.Version != 2 || hostsOf(t, store, one.ID) != "a b c" {
		t.Fatalf("added: %+v, %v, %s", now, err, hostsOf(t, store, one.ID))
	}
	if same, err := store.AddIncidentAlerts(t.Context(), analyst, one.ID, nil, ids[:3]); err != nil || same.Version != 2 {
		t.Errorf("adding what is there gives version %d, %v, want no change", same.Version, err)
	}
	_, err = store.AddIncidentAlerts(t.Context(), analyst, one.ID, nil, ids[3:])
	wantCode(t, "an alert of another incident", err, monitor.CodeConflict)
	_, err = store.AddIncidentAlerts(t.Context(), analyst, one.ID, &one.Version, ids[:1])
	wantCode(t, "a stale version", err, monitor.CodeConflict)
	_, err = store.AddIncidentAlerts(t.Context(), analyst, monitor.ID{1}, nil, ids[:1])
	wantCode(t, "no incident", err, monitor.CodeNotFound)
	_, err = store.AddIncidentAlerts(t.Context(), analyst, one.ID, nil, make([]monitor.ID, 501))
	wantCode(t, "too many alerts", err, monitor.CodeBadInput)
	_, err = store.RemoveIncidentAlerts(t.Context(), analyst, one.ID, nil, ids[3:])
	wantCode(t, "removing what is elsewhere", err, monitor.CodeConflict)
	now, err = store.RemoveIncidentAlerts(t.Context(), analyst, one.ID, nil, ids[:1])
	if err != nil || now.AlertCount != 2 || hostsOf(t, store, one.ID) != "b c" || hostsOf(t, store, two.ID) != "d" {
		t.Errorf("removed: %+v, %v, %s", now, err, hostsOf(t, store, one.ID))
	}
	yes := true
	free, err := store.Alerts(t.Context(), &monitor.AlertFilter{Not: &monitor.AlertFilter{Incident: &monitor.IDFilter{Exists: &yes}}}, monitor.AlertsByCreated, page.Args{First: 5})
	if err != nil || len(free.Edges) != 1 || free.Edges[0].Node.ID != ids[0] || free.Edges[0].Node.Version != 3 {
		t.Errorf("in no incident: %d, %v, want the alert of a at version 3", len(free.Edges), err)
	}
}

func TestIncidentTakesWhatMatches(t *testing.T) {
	store := dbtest.New(t)
	var hosts []string
	for i := range 1_205 {
		hosts = append(hosts, fmt.Sprintf("web-%d", i))
	}
	ids := raiseMany(t, store, hosts)
	one := openIncident(t, store, "one")
	other := openIncident(t, store, "other", ids[0])
	web := "web"
	now, err := store.AddMatchingAlerts(t.Context(), analyst, one.ID, &one.Version, &monitor.AlertFilter{Host: &monitor.StringFilter{StartsWith: &web}})
	if err != nil || now.AlertCount != 1_204 || present(t, store, other.ID).AlertCount != 1 {
		t.Fatalf("%+v, %v", now, err)
	}
	groups, err := store.AlertGroupsOfIncidents(t.Context(), []monitor.ID{one.ID, other.ID})
	if err != nil || len(groups) != 2 {
		t.Fatalf("%d groups, %v", len(groups), err)
	}
	// The whole is in the journal, in bounded entries, each alert with its change.
	entries, err := store.Entries(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	moved := 0
	for _, e := range entries {
		if len(e.Body.Changes) > 1_000 {
			t.Errorf("entry %d has %d changes", e.Seq, len(e.Body.Changes))
		}
		for _, c := range e.Body.Changes {
			if c.Action == monitor.ActionAlertIncident && c.Kind == monitor.KindAlert {
				after, before, err := monitor.States[monitor.Alert](c)
				if err != nil || !before.IncidentID.IsZero() || after.IncidentID.IsZero() || after.Version != before.Version+1 {
					t.Fatalf("change %+v: %v", c, err)
				}
				moved++
			}
		}
	}
	if moved != 1_205 {
		t.Errorf("%d alerts came to an incident by the journal, want 1205", moved)
	}
}

// raiseMany stores many alerts at once and gives their ids in no order.
func raiseMany(t *testing.T, store *db.Store, hosts []string) []monitor.ID {
	t.Helper()
	b := &monitor.Batch{}
	for i, host := range hosts {
		ev := testEvent(i % 60)
		ev.Host = host
		b.Events = append(b.Events, ev)
		b.Findings = append(b.Findings, monitor.Finding{Event: i, Rule: testRule(1)})
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return alertsOf(t, store, hosts[0])
}

func TestMergedIncidentBringsAllItHas(t *testing.T) {
	store := dbtest.New(t)
	ids := raiseIDs(t, store, "a", "b", "c")
	into, from, third := openIncident(t, store, "into", ids[0]), openIncident(t, store, "from", ids[1]), openIncident(t, store, "third", ids[2])
	task, _, err := store.AddIncidentTask(t.Context(), analyst, monitor.IncidentTask{IncidentID: from.ID, Title: "look"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.AddIncidentComment(t.Context(), analyst, monitor.Comment{IncidentID: from.ID, Body: "seen"}); err != nil {
		t.Fatal(err)
	}
	stale := 9
	_, err = store.MergeIncidents(t.Context(), analyst, into.ID, &stale, []monitor.ID{from.ID})
	wantCode(t, "a stale version", err, monitor.CodeConflict)
	_, err = store.MergeIncidents(t.Context(), analyst, into.ID, nil, []monitor.ID{into.ID})
	wantCode(t, "into itself", err, monitor.CodeBadInput)
	now, err := store.MergeIncidents(t.Context(), analyst, into.ID, &into.Version, []monitor.ID{from.ID, third.ID})
	if err != nil || now.AlertCount != 3 || now.TaskCount != 1 || now.CommentCount != 1 {
		t.Fatalf("%+v, %v", now, err)
	}
	gone := present(t, store, from.ID)
	if gone.Status != monitor.IncidentClosed || gone.MergedIntoID != into.ID || gone.Disposition != monitor.Duplicate || gone.AlertCount+gone.TaskCount+gone.CommentCount != 0 {
		t.Errorf("the merged one: %+v", gone)
	}
	tasks, err := store.TasksOfIncidents(t.Context(), []monitor.ID{into.ID, from.ID})
	if err != nil || len(tasks) != 1 || tasks[0].ID != task.ID || tasks[0].IncidentID != into.ID {
		t.Errorf("tasks %+v, %v", tasks, err)
	}
	comments, err := store.CommentsOfIncident(t.Context(), into.ID, page.Args{First: 5})
	if err != nil || len(comments.Edges) != 1 || hostsOf(t, store, into.ID) != "a b c" {
		t.Errorf("%d comments, %v, alerts %s", len(comments.Edges), err, hostsOf(t, store, into.ID))
	}
	if again, err := store.MergeIncidents(t.Context(), analyst, into.ID, nil, []monitor.ID{from.ID}); err != nil || again.Version != now.Version {
		t.Errorf("merging again: %+v, %v, want no change", again, err)
	}
	other := openIncident(t, store, "other")
	_, err = store.MergeIncidents(t.Context(), analyst, other.ID, nil, []monitor.ID{from.ID})
	wantCode(t, "merging what was merged elsewhere", err, monitor.CodeConflict)
	_, err = store.UpdateIncident(t.Context(), analyst, monitor.ActionIncidentReopen, from.ID, nil, func(i *monitor.Incident, _ time.Time) error { return i.Reopen("again") })
	wantCode(t, "reopening what was merged", err, monitor.CodeConflict)
}

func TestSplitOpensAnIncidentWithSomeAlerts(t *testing.T) {
	store := dbtest.New(t)
	ids := raiseIDs(t, store, "a", "b", "c")
	one := openIncident(t, store, "one", ids...)
	_, _, err := store.SplitIncident(t.Context(), analyst, one.ID, nil, monitor.Incident{Title: "two"}, nil)
	wantCode(t, "no alerts", err, monitor.CodeBadInput)
	_, _, err = store.SplitIncident(t.Context(), analyst, one.ID, nil, monitor.Incident{Title: " "}, ids[:1])
	wantCode(t, "no title", err, monitor.CodeBadInput)
	from, made, err := store.SplitIncident(t.Context(), analyst, one.ID, &one.Version, monitor.Incident{Title: "two"}, ids[1:])
	if err != nil || from.AlertCount != 1 || made.AlertCount != 2 || made.Severity != monitor.SeverityHigh {
		t.Fatalf("%+v, %+v, %v", from, made, err)
	}
	if a, b := hostsOf(t, store, one.ID), hostsOf(t, store, made.ID); a != "a" || b != "b c" {
		t.Errorf("split into %q and %q", a, b)
	}
}

func TestTasksAreChangesOfTheirIncident(t *testing.T) {
	store := dbtest.New(t)
	one := openIncident(t, store, "one")
	task, now, err := store.AddIncidentTask(t.Context(), analyst, monitor.IncidentTask{IncidentID: one.ID, Title: " isolate ", DueAt: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil || now.Version != 2 || now.TaskCount != 1 || task.Title != "isolate" {
		t.Fatalf("%+v, %+v, %v", task, now, err)
	}
	task, now, err = store.UpdateIncidentTask(t.Context(), analyst, task.ID, &task.Version, func(t *monitor.IncidentTask, now time.Time) error { t.SetDone(true, now); return nil })
	if err != nil || !task.Done || task.DoneAt.IsZero() || now.TasksDone != 1 || now.Version != 3 {
		t.Fatalf("%+v, %+v, %v", task, now, err)
	}
	stale := 1
	kept, _, err := store.UpdateIncidentTask(t.Context(), analyst, task.ID, &stale, func(*monitor.IncidentTask, time.Time) error { return errors.New("not asked") })
	wantCode(t, "a stale version", err, monitor.CodeConflict)
	if kept == nil || kept.Version != 2 {
		t.Errorf("a conflict gives %+v, want the task as it is", kept)
	}
	if _, same, err := store.UpdateIncidentTask(t.Context(), analyst, task.ID, nil, func(*monitor.IncidentTask, time.Time) error { return nil }); err != nil || same.Version != 3 {
		t.Errorf("changing nothing gives version %d, %v", same.Version, err)
	}
	now, err = store.DeleteIncidentTask(t.Context(), analyst, task.ID)
	if err != nil || now.TaskCount != 0 || now.TasksDone != 0 || now.Version != 4 {
		t.Errorf("deleted: %+v, %v", now, err)
	}
	_, err = store.DeleteIncidentTask(t.Context(), analyst, task.ID)
	wantCode(t, "deleting again", err, monitor.CodeNotFound)
	if _, err := store.UpdateIncident(t.Context(), analyst, monitor.ActionIncidentClose, one.ID, nil, func(i *monitor.Incident, now time.Time) error { return i.Close("", "over", now) }); err != nil {
		t.Fatal(err)
	}
	_, _, err = store.AddIncidentTask(t.Context(), analyst, monitor.IncidentTask{IncidentID: one.ID, Title: "more"})
	wantCode(t, "a task for a closed incident", err, monitor.CodeConflict)
}

func TestTimelineTellsOfTheIncidentAndItsAlerts(t *testing.T) {
	store := dbtest.New(t)
	ids := raiseIDs(t, store, "a", "b", "c")
	one := openIncident(t, store, "one", ids[0], ids[1])
	if _, err := store.UpdateAlert(t.Context(), analyst, monitor.ActionAlertAcknowledge, ids[0], nil, func(a *monitor.Alert, now time.Time) error { return a.Acknowledge(now) }); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.AddIncidentComment(t.Context(), analyst, monitor.Comment{IncidentID: one.ID, Body: "aha"}); err != nil {
		t.Fatal(err)
	}
	told := func(first int) []string {
		var out []string
		for args := (page.Args{First: first}); ; {
			steps, err := store.IncidentTimeline(t.Context(), one.ID, args)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range steps.Nodes() {
				name := map[monitor.ID]string{one.ID: "incident", ids[0]: "a", ids[1]: "b", ids[2]: "c"}[e.Subject]
				if c, err := e.Comment(); err != nil || (c != nil) != (e.Action() == monitor.ActionIncidentComment) {
					t.Errorf("%s has comment %v, %v", e.Action(), c, err)
				}
				out = append(out, e.Action()+" "+name)
			}
			if !steps.PageInfo.HasNextPage {
				return out
			}
			args.After = *steps.PageInfo.EndCursor
		}
	}
	raised := []string{"alert.raise a", "alert.raise b"}
	want := []string{"incident.comment incident", "alert.acknowledge a", "incident.create incident"}
	for _, first := range []int{1, 2, 100} {
		got := told(first)
		if n := len(want); len(got) != n+2 || !slices.Equal(got[:n], want) || !slices.Equal(slices.Sorted(slices.Values(got[n:])), raised) {
			t.Errorf("%d a page: %v", first, got)
		}
	}
	if _, err := store.RemoveIncidentAlerts(t.Context(), analyst, one.ID, nil, ids[:1]); err != nil {
		t.Fatal(err)
	}
	if got := told(100); slices.Contains(got, "alert.acknowledge a") || got[0] != "incident.removeAlerts incident" {
		t.Errorf("the story of an alert that left is told: %v", got)
	}
}

func TestEntitiesOfAnIncident(t *testing.T) {
	store := dbtest.New(t)
	b := &monitor.Batch{}
	for i, host := range []string{"a", "b", ""} {
		ev := testEvent(i)
		ev.Host, ev.User, ev.FileHash = host, "root", "abcd"
		ev.DstIP = netip.Addr{}
		b.Events, b.Findings = append(b.Events, ev), append(b.Findings, monitor.Finding{Event: i, Rule: testRule(1)})
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	one := openIncident(t, store, "one", alertsOf(t, store, "a", "b", "")...)
	e, err := store.IncidentEntities(t.Context(), one.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(e.Hosts, e.Users, e.Addresses, e.Hashes, e.Techniques, e.Alerts, e.IsEstimate)
	if want := "[{a 1} {b 1}] [{root 3}] [{203.0.113.5 3}] [{abcd 3}] [{T1110 3}] 3 false"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	spans, err := store.IncidentSpans(t.Context(), []monitor.ID{one.ID, openIncident(t, store, "empty").ID})
	if err != nil || len(spans) != 2 {
		t.Fatalf("%d spans, %v", len(spans), err)
	}
	for _, s := range spans {
		if s.ID == one.ID && (s.LastSeen.Sub(s.FirstSeen) != 2*time.Second || !s.FirstSeen.Equal(testEvent(0).OccurredAt)) || s.ID != one.ID && !s.FirstSeen.IsZero() {
			t.Errorf("span %+v", s)
		}
	}
}

// The list of incidents as of each step is the list that was shown then.
func TestIncidentsAsOfShowWhatWasListed(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	open := monitor.IncidentOpen
	filters := []*monitor.IncidentFilter{nil, {Status: &monitor.IncidentStatusFilter{Eq: &open}}}
	read := func(list func(*monitor.IncidentFilter, page.Args) (*monitor.IncidentConnection, error)) string {
		t.Helper()
		var out strings.Builder
		for _, filter := range filters {
			for args := (page.Args{First: 2}); ; {
				got, err := list(filter, args)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range got.Edges {
					fmt.Fprintln(&out, e.Node.Title, e.Node.Version, e.Node.Status, e.Node.AlertCount, e.Node.MergedIntoID)
				}
				if !got.PageInfo.HasNextPage {
					break
				}
				args.After = *got.PageInfo.EndCursor
			}
			fmt.Fprintln(&out, "-")
		}
		return out.String()
	}
	ids := raiseIDs(t, store, "a", "b", "c", "d")
	var made []*monitor.Incident
	steps := []func() error{
		func() error { return nil },
		func() error { made = append(made, openIncident(t, store, "one", ids[0])); return nil },
		func() error { made = append(made, openIncident(t, store, "two", ids[1])); return nil },
		func() error {
			made = append(made, openIncident(t, store, "three"), openIncident(t, store, "four"))
			return nil
		},
		func() error {
			_, err := store.AddIncidentAlerts(t.Context(), analyst, made[2].ID, nil, ids[2:])
			return err
		},
		func() error {
			_, err := store.MergeIncidents(t.Context(), analyst, made[0].ID, nil, []monitor.ID{made[1].ID})
			return err
		},
	}
	shown, at := make([]string, len(steps)), make([]time.Time, len(steps))
	for n, step := range steps {
		clock = clock.Add(time.Minute)
		if err := step(); err != nil {
			t.Fatal(err)
		}
		at[n] = clock.Add(time.Second)
		shown[n] = read(func(f *monitor.IncidentFilter, a page.Args) (*monitor.IncidentConnection, error) {
			return store.Incidents(t.Context(), f, a)
		})
	}
	clock = clock.Add(time.Hour)
	for n := range steps {
		if got := read(func(f *monitor.IncidentFilter, a page.Args) (*monitor.IncidentConnection, error) {
			return store.IncidentsAsOf(t.Context(), at[n], f, a)
		}); got != shown[n] {
			t.Errorf("step %d:\n got %s\nwant %s", n, got, shown[n])
		}
	}
	if was, err := store.IncidentAsOf(t.Context(), at[4], made[1].ID); err != nil || was == nil || was.Status != open || was.AlertCount != 1 {
		t.Errorf("before it was merged it was %+v, %v", was, err)
	}
	if was, err := store.IncidentAsOf(t.Context(), at[1], made[1].ID); err != nil || was != nil {
		t.Errorf("before it was opened it was %+v, %v", was, err)
	}
}
