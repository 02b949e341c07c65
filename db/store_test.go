package db_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func testEvent(i int) *monitor.Event {
	return &monitor.Event{
		OccurredAt: time.Date(2026, 5, 4, 9, 30, i, 123456000, time.UTC), Class: monitor.ClassAuthentication, Action: "ssh_login_failed",
		Outcome: monitor.OutcomeFailure, Severity: monitor.SeverityMedium, LogSource: monitor.LogSource{Product: "linux", Service: "sshd"},
		Format: "journald", Host: "web-1", User: "root", SrcIP: netip.MustParseAddr("203.0.113.5"), SrcPort: 40000,
		DstIP: netip.MustParseAddr("2001:db8::1"), DstPort: 22, Process: "/usr/sbin/sshd", Message: fmt.Sprintf("Failed password %d 🔒 100%% \\_", i),
		Raw: monitor.RawJSON(fmt.Sprintf(`{"n":%d,"text":"Ünïcode \"quoted\""}`, i)),
	}
}

func testRule(n byte) *monitor.Rule {
	return &monitor.Rule{
		ID: monitor.ID{n}, Title: fmt.Sprintf("Rule %d", n), Level: monitor.SeverityHigh, Author: "Ana", Tags: []string{"attack.t1110"},
		Techniques: []string{"T1110"}, Source: "title: x", State: monitor.RuleActive, Enabled: true, Version: 1,
	}
}

func TestStoredBatchReadsBackWhole(t *testing.T) {
	store := dbtest.New(t)
	b := &monitor.Batch{Events: []*monitor.Event{testEvent(1), testEvent(2)}}
	batch, err := store.StoreBatch(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := store.EventsOfBatch(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.Events, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("events differ from what was stored (-want +got):\n%s", diff)
	}
	if byID, err := store.EventsByID(t.Context(), []monitor.EventID{got[1].ID}); err != nil || len(byID) != 1 || byID[0].ID != got[1].ID {
		t.Errorf("EventsByID: %v, %v", byID, err)
	}
}

func TestMatchesOfOneKeyJoinOneOpenAlert(t *testing.T) {
	store := dbtest.New(t)
	rule := testRule(1)
	raise := func() { //nolint:thelper // a step of the story
		b := &monitor.Batch{Events: []*monitor.Event{testEvent(1), testEvent(2)}, Findings: []monitor.Finding{
			{Event: 0, Rule: rule, Matched: []monitor.MatchedField{{Field: "User", Value: "root", Pattern: "root", Selection: "selection"}}},
			{Event: 1, Rule: rule},
		}}
		if _, err := store.StoreBatch(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	only := func(want int) *monitor.Alert {
		t.Helper()
		alerts, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 10})
		if err != nil || len(alerts.Edges) != want {
			t.Fatalf("got %d alerts, want %d: %v", len(alerts.Edges), want, err)
		}
		return alerts.Edges[0].Node
	}
	raise()
	raise()
	a := only(1)
	if a.Count != 4 || a.Version != 2 || a.Status != monitor.AlertNew {
		t.Errorf("count %d version %d status %s, want 4, 2, NEW", a.Count, a.Version, a.Status)
	}
	closed, err := store.UpdateAlert(t.Context(), monitor.SystemActor, monitor.ActionAlertClose, a.ID, &a.Version, func(a *monitor.Alert, now time.Time) error {
		return a.Close(monitor.FalsePositive, "a test", now)
	})
	if err != nil || closed.Version != 3 {
		t.Fatalf("close: version %d, %v", closed.Version, err)
	}
	if _, err := store.UpdateAlert(t.Context(), monitor.SystemActor, monitor.ActionAlertReopen, a.ID, &a.Version, func(*monitor.Alert, time.Time) error { return nil }); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("a stale version gives %v, want CONFLICT", err)
	}
	raise()
	if fresh := only(2); fresh.ID == a.ID || fresh.Count != 2 {
		t.Errorf("a match behind the closing gives alert %s with count %d, want a new one with 2", fresh.ID, fresh.Count)
	}
	_, err = store.UpdateAlert(t.Context(), monitor.SystemActor, monitor.ActionAlertReopen, a.ID, nil, func(a *monitor.Alert, _ time.Time) error { return a.Reopen("again") })
	if monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("reopening beside a newer open alert gives %v, want CONFLICT", err)
	}
	evidence, err := store.EvidenceOf(t.Context(), a.ID, page.Args{First: 10})
	if err != nil || len(evidence.Edges) != 4 {
		t.Errorf("evidence: %d rows, %v, want 4", len(evidence.Edges), err)
	}
	entries, err := store.JournalOf(t.Context(), monitor.KindAlert, a.ID, page.Args{First: 10})
	if err != nil || len(entries.Edges) != 3 {
		t.Fatalf("journal of the alert: %d entries, %v, want raise, repeat, close", len(entries.Edges), err)
	}
	after, before, err := monitor.States[monitor.Alert](entries.Edges[0].Node.Body.Changes[0])
	if err != nil || after.Status != monitor.AlertClosed || before.Status != monitor.AlertNew || before.Version != 2 || before.Count != 4 {
		t.Errorf("states of the closing: after %+v, before %+v, %v", after, before, err)
	}
}

func TestJournalIsADenseHashChain(t *testing.T) {
	store := dbtest.New(t)
	for i := range 5 {
		if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{testEvent(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := store.Entries(t.Context(), 0, 100)
	if err != nil || len(entries) != 5 {
		t.Fatalf("%d entries, %v, want 5", len(entries), err)
	}
	for i, e := range entries {
		if e.Seq != uint64(i+1) { //nolint:gosec // a small index
			t.Errorf("entry %d has seq %d", i, e.Seq)
		}
	}
	head, err := store.Head(t.Context())
	if err != nil || head.Seq != 5 || head.Tag != monitor.TagOf(entries[4].Hash) {
		t.Errorf("head %+v, %v does not fit the newest entry", head, err)
	}
}

func TestRolledBackTransactionLeavesNothing(t *testing.T) {
	store := dbtest.New(t)
	bad := testEvent(1)
	bad.Class = monitor.EventClass(fmt.Sprintf("%0100d", 1)) // longer than its column
	if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{testEvent(0), bad}}); err == nil {
		t.Fatal("a value that does not fit was stored: strict mode is off")
	}
	head, err := store.Head(context.Background())
	events, listErr := store.Events(t.Context(), nil, monitor.EventsByReceived, page.Args{First: 10})
	if err != nil || listErr != nil || head.Seq != 0 || len(events.Edges) != 0 {
		t.Errorf("seq %d, %d events after a failed batch, want none (%v, %v)", head.Seq, len(events.Edges), err, listErr)
	}
}
