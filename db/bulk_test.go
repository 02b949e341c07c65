package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

func work(t *testing.T, store *db.Store, id monitor.ID) *monitor.Job {
	t.Helper()
	for range 100 {
		job, err := store.BulkStep(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if job.Finished() {
			return job
		}
	}
	t.Fatal("the job does not end")
	return nil
}

func items(t *testing.T, store *db.Store, job monitor.ID, state monitor.JobItemState) []*monitor.JobItem {
	t.Helper()
	var all []*monitor.JobItem
	for args := (page.Args{First: 37}); ; {
		got, err := store.JobItems(t.Context(), job, &state, args)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, got.Nodes()...)
		if !got.PageInfo.HasNextPage {
			return all
		}
		args.After = *got.PageInfo.EndCursor
	}
}

// A bulk job does to each alert what the mutation of one does, says of each why
// not, and is undone once, but for what somebody has changed since.
func TestBulkAndItsUndo(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	hosts := make([]string, 130)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("host-%03d", i)
	}
	var alerts []*monitor.Alert
	for len(hosts) > 0 { // testEvent has 60 at most
		alerts = append(alerts, raise(t, store, testRule(1), hosts[:min(50, len(hosts))]...)...)
		hosts = hosts[min(50, len(hosts)):]
	}
	change := func(n int, action string, f func(*monitor.Alert, time.Time) error) {
		t.Helper()
		if _, err := store.UpdateAlert(t.Context(), analyst, action, alerts[n].ID, nil, f); err != nil {
			t.Fatal(err)
		}
	}
	shut := func(a *monitor.Alert, now time.Time) error { return a.Close(monitor.TruePositive, "before", now) }
	change(3, monitor.ActionAlertClose, shut)
	change(4, monitor.ActionAlertAcknowledge, func(a *monitor.Alert, now time.Time) error { a.AssigneeID = monitor.ID{9}; return a.Acknowledge(now) })
	before := map[monitor.ID]*monitor.Alert{}
	for _, a := range alerts {
		before[a.ID] = alertNow(t, store, a.ID)
	}
	prefix := "host-"
	filter := &monitor.AlertFilter{Host: &monitor.StringFilter{StartsWith: &prefix}}
	if _, err := store.CreateBulk(t.Context(), analyst, monitor.Bulk{Action: monitor.BulkClose, Reason: "x"}, filter, nil); monitor.CodeOf(err) != monitor.CodeBadInput {
		t.Errorf("closing without a disposition: %v", err)
	}
	job, err := store.CreateBulk(t.Context(), analyst, monitor.Bulk{Action: monitor.BulkClose, Disposition: monitor.Benign, Reason: "the yearly test"}, filter, nil)
	if err != nil || job.Total != 130 {
		t.Fatalf("%+v %v", job, err)
	}
	if _, err := store.CreateUndo(t.Context(), analyst, job.ID); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("a job that goes on is undone: %v", err)
	}
	if _, err := store.BulkStep(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	// Its server dies here. Nobody takes it while it may live, and one alone later.
	if taken, err := store.TakeJob(t.Context(), job.ID, monitor.JobStale); err != nil || taken {
		t.Errorf("a living job is taken: %v", err)
	}
	clock = clock.Add(2 * monitor.JobStale)
	for n, want := range []bool{true, false} {
		if taken, err := store.TakeJob(t.Context(), job.ID, monitor.JobStale); err != nil || taken != want {
			t.Errorf("take %d: %t, %v", n, taken, err)
		}
	}
	job = work(t, store, job.ID)
	if job.State != monitor.JobDone || job.Done != 130 || job.Failed != 1 {
		t.Errorf("%+v", job)
	}
	failed := items(t, store, job.ID, monitor.JobItemFailed)
	if len(failed) != 1 || failed[0].EntityID != alerts[3].ID || failed[0].Code != monitor.CodeConflict {
		t.Errorf("failed: %+v", failed)
	}
	if n := len(items(t, store, job.ID, monitor.JobItemDone)); n != 129 {
		t.Errorf("%d were changed", n)
	}
	for _, a := range alerts {
		now := alertNow(t, store, a.ID)
		if now.Status != monitor.AlertClosed || a.ID != alerts[3].ID && (now.Reason != "the yearly test" || now.Version != before[a.ID].Version+1) {
			t.Errorf("%+v", now)
		}
	}
	journal, err := store.JournalOf(t.Context(), monitor.KindAlert, alerts[0].ID, page.Args{First: 1})
	if err != nil || journal.Edges[0].Node.Body.Actor.Name != "ana" || journal.Edges[0].Node.Body.Action != monitor.ActionAlertClose {
		t.Errorf("the journal says %+v, %v", journal.Edges[0].Node.Body, err)
	}

	change(7, monitor.ActionAlertReopen, func(a *monitor.Alert, _ time.Time) error { return a.Reopen("no, look at it") })
	change(8, monitor.ActionAlertTag, func(a *monitor.Alert, _ time.Time) error { return a.Tag([]string{"kept"}, nil) })
	undo, err := store.CreateUndo(t.Context(), analyst, job.ID)
	if err != nil || undo.Total != 129 {
		t.Fatalf("%+v %v", undo, err)
	}
	undo = work(t, store, undo.ID)
	failed = items(t, store, undo.ID, monitor.JobItemFailed)
	if undo.Failed != 1 || len(failed) != 1 || failed[0].EntityID != alerts[7].ID || failed[0].Code != monitor.CodeConflict {
		t.Errorf("%+v: %+v", undo, failed)
	}
	for n, a := range alerts {
		now, was := alertNow(t, store, a.ID), before[a.ID]
		if n != 7 && (now.Status != was.Status || now.Reason != was.Reason || now.AssigneeID != was.AssigneeID || !now.ClosedAt.Equal(was.ClosedAt) || !now.AcknowledgedAt.Equal(was.AcknowledgedAt)) {
			t.Errorf("alert %d is not what it was: %+v, was %+v", n, now, was)
		}
	}
	if tags := alertNow(t, store, alerts[8].ID).Tags; len(tags) == 0 || tags[len(tags)-1] != "kept" {
		t.Errorf("undoing took %v", tags)
	}
	for _, id := range []monitor.ID{job.ID, undo.ID} {
		if _, err := store.CreateUndo(t.Context(), analyst, id); monitor.CodeOf(err) != monitor.CodeConflict {
			t.Errorf("undone again: %v", err)
		}
	}
}

func TestBulkIsBoundedAndCanBeCancelled(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	alerts := raise(t, store, testRule(1), "a", "b")
	if _, err := store.CreateBulk(t.Context(), analyst, monitor.Bulk{Action: monitor.BulkStart}, nil, make([]monitor.ID, monitor.MaxBulk+1)); monitor.CodeOf(err) != monitor.CodeBadInput {
		t.Errorf("got %v", err)
	}
	job, err := store.CreateBulk(t.Context(), analyst, monitor.Bulk{Action: monitor.BulkStart}, nil, []monitor.ID{alerts[0].ID, alerts[0].ID, {1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	if done := work(t, store, job.ID); done.Done != 3 || done.Failed != 1 { // one that is not there
		t.Errorf("%+v", done)
	}
	job, err = store.CreateBulk(t.Context(), analyst, monitor.Bulk{Action: monitor.BulkAcknowledge}, nil, []monitor.ID{alerts[1].ID})
	if err != nil {
		t.Fatal(err)
	}
	if job, err = store.CancelJob(t.Context(), analyst, job.ID); err != nil || job.State != monitor.JobCancelled {
		t.Errorf("%+v %v", job, err)
	}
	work(t, store, job.ID)
	if now := alertNow(t, store, alerts[1].ID); now.Status != monitor.AlertNew {
		t.Errorf("a cancelled job went on: %s", now.Status)
	}
}
