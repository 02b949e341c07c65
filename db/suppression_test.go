package db_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// suppress makes a suppression; what is left out holds always.
func suppress(t *testing.T, store *db.Store, s monitor.Suppression, until time.Time) *monitor.Suppression {
	t.Helper()
	s = filled(s)
	s.Name, s.Reason, s.Enabled = "Backups", "the backup reads everything", true
	made, err := store.CreateSuppression(t.Context(), analyst, s, until)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func filled(s monitor.Suppression) monitor.Suppression {
	if s.AlertFilter == nil {
		s.AlertFilter = json.RawMessage("{}")
	}
	if s.EventFilter == nil {
		s.EventFilter = json.RawMessage("{}")
	}
	return s
}

func suppression(t *testing.T, store *db.Store, id monitor.ID) *monitor.Suppression {
	t.Helper()
	found, err := store.SuppressionsByID(t.Context(), []monitor.ID{id})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d suppressions, %v", len(found), err)
	}
	return found[0]
}

// findOn stores one event a host, found by the rule, and tells how many alerts there
// are, and how many findings they have.
func findOn(t *testing.T, store *db.Store, rule *monitor.Rule, hosts ...string) {
	t.Helper()
	b := &monitor.Batch{}
	for i, host := range hosts {
		ev := testEvent(i)
		ev.Host = host
		b.Events = append(b.Events, ev)
		b.Findings = append(b.Findings, monitor.Finding{Event: i, Rule: rule})
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func raised(t *testing.T, store *db.Store) string {
	t.Helper()
	list, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 500})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, a := range list.Nodes() {
		n += a.Count
	}
	return fmt.Sprintf("%d of %d", len(list.Edges), n)
}

func importRules(t *testing.T, store *db.Store, numbers ...byte) {
	t.Helper()
	rules := make([]*monitor.Rule, len(numbers))
	for i, n := range numbers {
		rules[i] = testRule(n)
	}
	if _, err := store.ImportRules(t.Context(), analyst, rules); err != nil {
		t.Fatal(err)
	}
}

func TestSuppressedFindingRaisesNothingAndIsCounted(t *testing.T) {
	store := dbtest.New(t)
	findOn(t, store, testRule(1), "web-1")
	s := suppress(t, store, monitor.Suppression{AlertFilter: json.RawMessage(`{"host":{"eq":"WEB-1"}}`)}, time.Time{})
	findOn(t, store, testRule(1), "web-1", "web-1", "web-2")
	if got := raised(t, store); got != "2 of 2" {
		t.Errorf("alerts: %s, want the older one as it was and one of web-2", got)
	}
	is := suppression(t, store, s.ID)
	if is.Hits != 2 || is.LastHit.IsZero() || is.Version != 1 {
		t.Errorf("%d hits, the last at %s, version %d", is.Hits, is.LastHit, is.Version)
	}
	events, err := store.Events(t.Context(), nil, monitor.EventsByOccurred, page.Args{First: 10})
	if err != nil || len(events.Edges) != 4 {
		t.Errorf("%d events, %v, want all 4 stored", len(events.Edges), err)
	}
	found, err := store.SuppressedFindings(t.Context(), s.ID, page.Args{First: 1})
	if err != nil || len(found.Edges) != 1 || !found.PageInfo.HasNextPage {
		t.Fatalf("%+v, %v", found, err)
	}
	rest, err := store.SuppressedFindings(t.Context(), s.ID, page.Args{First: 5, After: found.Edges[0].Cursor})
	if err != nil || len(rest.Edges) != 1 || rest.Edges[0].Node.Event == found.Edges[0].Node.Event || rest.Edges[0].Node.Rule != testRule(1).ID {
		t.Errorf("%+v, %v", rest, err)
	}
	// The journal says it, with the batch.
	head, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entry, _, err := store.Entry(t.Context(), head.Seq)
	if err != nil || len(entry.Body.Suppressed) != 1 || entry.Body.Suppressed[0] != (monitor.SuppressedCount{Suppression: s.ID, Findings: 2}) {
		t.Errorf("%+v, %v", entry.Body, err)
	}
}

func TestSuppressionFitsByAlertEventAndRule(t *testing.T) {
	private := func(e *monitor.Event) { e.SrcIP = netip.MustParseAddr("10.1.2.3") }
	for name, c := range map[string]struct {
		is     monitor.Suppression
		event  func(*monitor.Event)
		hidden bool
	}{
		"its rule":                        {is: monitor.Suppression{Rules: []monitor.ID{testRule(1).ID}}, hidden: true},
		"another rule":                    {is: monitor.Suppression{Rules: []monitor.ID{testRule(2).ID}}},
		"one of its rules":                {is: monitor.Suppression{Rules: []monitor.ID{testRule(2).ID, testRule(1).ID}}, hidden: true},
		"a query line":                    {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"query":"severity:>=high user:ro*"}`)}, hidden: true},
		"a query line that does not":      {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"query":"NOT user:root"}`)}},
		"a network":                       {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"sourceIp":{"cidr":"10.0.0.0/8"}}`)}, event: private, hidden: true},
		"another network":                 {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"sourceIp":{"cidr":"10.2.0.0/16"}}`)}, event: private},
		"or":                              {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"or":[{"host":{"eq":"x"}},{"user":{"eq":"root"}}]}`)}, hidden: true},
		"an empty or":                     {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"or":[]}`)}},
		"the event":                       {is: monitor.Suppression{EventFilter: json.RawMessage(`{"command":{"contains":"rsync"}}`)}, event: func(e *monitor.Event) { e.Command = "/usr/bin/rsync -a" }, hidden: true},
		"another event":                   {is: monitor.Suppression{EventFilter: json.RawMessage(`{"command":{"contains":"rsync"}}`)}, event: func(e *monitor.Event) { e.Command = "nc" }},
		"a path of the raw record":        {is: monitor.Suppression{EventFilter: json.RawMessage(`{"rawFields":[{"path":"a.b","eq":"c"}]}`)}, event: func(e *monitor.Event) { e.Raw = []byte(`{"a":{"b":"C"}}`) }, hidden: true},
		"alert and event":                 {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"user":{"eq":"root"}}`), EventFilter: json.RawMessage(`{"domain":{"eq":"example.org"}}`)}, event: func(e *monitor.Event) { e.Domain = "example.org" }, hidden: true},
		"the alert, but not the event":    {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"user":{"eq":"root"}}`), EventFilter: json.RawMessage(`{"domain":{"eq":"example.org"}}`)}},
		"the rule, but not the condition": {is: monitor.Suppression{Rules: []monitor.ID{testRule(1).ID}, AlertFilter: json.RawMessage(`{"user":{"eq":"nobody"}}`)}},
		"a window by the event's time":    {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"lastSeen":{"gte":"now-1h"}}`)}, event: func(e *monitor.Event) { e.OccurredAt = time.Now() }, hidden: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := dbtest.New(t)
			importRules(t, store, 1, 2)
			made := suppress(t, store, c.is, time.Time{})
			ev := testEvent(1)
			if c.event != nil {
				c.event(ev)
			}
			b := &monitor.Batch{Events: []*monitor.Event{ev}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}}}
			preview := func() *monitor.SuppressionPreview {
				t.Helper()
				p, err := store.PreviewSuppression(t.Context(), filled(c.is), time.Now().Add(-365*24*time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			if _, err := store.StoreBatch(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			want := map[bool]string{true: "0 of 0", false: "1 of 1"}[c.hidden]
			if got := raised(t, store); got != want {
				t.Errorf("alerts: %s, want %s", got, want)
			}
			if got := suppression(t, store, made.ID).Hits == 1; got != c.hidden {
				t.Errorf("counted: %t", got)
			}
			// Raised without it, the preview and the alert's panel say the same.
			if _, err := store.DeleteSuppression(t.Context(), analyst, made.ID, nil); err != nil {
				t.Fatal(err)
			}
			again := *ev
			b.Events = []*monitor.Event{&again}
			if _, err := store.StoreBatch(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			p := preview()
			if (p.Findings > 0) != c.hidden || (p.Alerts == 1) != c.hidden || !p.Complete {
				t.Errorf("the preview says %+v", p)
			}
			suppress(t, store, c.is, time.Time{})
			alerts, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 1})
			if err != nil || len(alerts.Edges) != 1 {
				t.Fatalf("%d alerts, %v", len(alerts.Edges), err)
			}
			covering, err := store.SuppressionsCovering(t.Context(), alerts.Nodes())
			if err != nil || (len(covering[0]) == 1) != c.hidden {
				t.Errorf("covered by %d, %v", len(covering[0]), err)
			}
		})
	}
}

func TestSuppressionThatCannotBe(t *testing.T) {
	store := dbtest.New(t)
	now := time.Now()
	for name, c := range map[string]struct {
		is    monitor.Suppression
		until time.Time
		path  string
	}{
		"everything":             {path: "[input alertFilter]"},
		"everything, in words":   {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"and":[{},{"or":[{},{"host":{"eq":"x"}}]}]}`)}, path: "[input alertFilter]"},
		"who looks after it":     {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"assignee":{"exists":false}}`)}, path: "[input alertFilter]"},
		"its status, in a line":  {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"query":"host:a status:new"}`)}, path: "[input alertFilter]"},
		"how often, within not":  {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"not":{"count":{"gt":3}}}`)}, path: "[input alertFilter]"},
		"an unknown field":       {is: monitor.Suppression{EventFilter: json.RawMessage(`{"hosts":{"eq":"x"}}`)}, path: "[input eventFilter]"},
		"no address":             {is: monitor.Suppression{EventFilter: json.RawMessage(`{"sourceIp":{"eq":"x"}}`)}, path: "[input eventFilter sourceIp]"},
		"a rule that is not":     {is: monitor.Suppression{Rules: []monitor.ID{testRule(7).ID}}, path: "[input rules]"},
		"an end in the past":     {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"host":{"eq":"x"}}`)}, until: now.Add(-time.Second), path: "[input until]"},
		"an end beyond all ends": {is: monitor.Suppression{AlertFilter: json.RawMessage(`{"host":{"eq":"x"}}`)}, until: now.Add(20 * 366 * 24 * time.Hour), path: "[input until]"},
	} {
		t.Run(name, func(t *testing.T) {
			is := filled(c.is)
			is.Name, is.Reason = "x", "y"
			_, err := store.CreateSuppression(t.Context(), analyst, is, c.until)
			var refused *monitor.Error
			if !errors.As(err, &refused) || refused.Code != monitor.CodeBadInput || fmt.Sprint(refused.Path) != c.path {
				t.Errorf("%v at %v, want %s", err, refused, c.path)
			}
		})
	}
	is := filled(monitor.Suppression{Name: "x", AlertFilter: json.RawMessage(`{"host":{"eq":"x"}}`)})
	if _, err := store.CreateSuppression(t.Context(), analyst, is, time.Time{}); monitor.CodeOf(err) != monitor.CodeBadInput {
		t.Errorf("without a reason: %v", err)
	}
}

func TestSuppressionIsCountedOnceWhenTheTransactionIsTriedAgain(t *testing.T) {
	dsn := dbtest.DSN(t)
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Params["innodb_lock_wait_timeout"] = "1" // seconds
	store, sent := dbtest.Recorded(t, cfg.FormatDSN())
	s := suppress(t, store, monitor.Suppression{AlertFilter: json.RawMessage(`{"user":{"eq":"root"}}`)}, time.Time{})
	// Somebody holds the journal's counter, which the transaction locks last of all,
	// until it has counted for the second time.
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close() //nolint:errcheck // a test
	holder, err := handle.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.ExecContext(t.Context(), "SELECT seq FROM feed_state WHERE id = 1 FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	tries := 0
	var released sync.WaitGroup
	released.Go(func() {
		for tries < 2 && t.Context().Err() == nil {
			for _, statement := range sent.Take() {
				if strings.HasPrefix(statement, "UPDATE `suppressions`") {
					tries++
				}
			}
			time.Sleep(10 * time.Millisecond) // until the database has said no
		}
		_ = holder.Rollback()
	})
	findOn(t, store, testRule(1), "a", "b", "c")
	released.Wait()
	if tries < 2 {
		t.Fatal("the transaction was not tried again: the test tests nothing")
	}
	if got := suppression(t, store, s.ID).Hits; got != 3 {
		t.Errorf("%d hits, want 3", got)
	}
	found, err := store.SuppressedFindings(t.Context(), s.ID, page.Args{First: 10})
	if err != nil || len(found.Edges) != 3 {
		t.Errorf("%d findings kept, %v", len(found.Edges), err)
	}
}

func TestSuppressionCountsExactlyOverReplicas(t *testing.T) {
	dsn := dbtest.DSN(t)
	first, _ := clocked(t, dsn)
	s := suppress(t, first, monitor.Suppression{AlertFilter: json.RawMessage(`{"user":{"eq":"root"}}`)}, time.Time{})
	other := suppress(t, first, monitor.Suppression{AlertFilter: json.RawMessage(`{"user":{"eq":"svc"}}`)}, time.Time{})
	second, _ := clocked(t, dsn)
	if err := second.LoadSuppressions(t.Context()); err != nil {
		t.Fatal(err)
	}
	const batches, per = 20, 50
	var both sync.WaitGroup
	for _, store := range []*db.Store{first, second, first, second} {
		both.Go(func() {
			for range batches {
				b := &monitor.Batch{}
				for i := range per {
					ev := testEvent(i)
					if i%2 == 0 {
						ev.User = "svc"
					}
					b.Events, b.Findings = append(b.Events, ev), append(b.Findings, monitor.Finding{Event: i, Rule: testRule(1)})
				}
				if _, err := store.StoreBatch(context.WithoutCancel(t.Context()), b); err != nil {
					t.Error(err)
				}
			}
		})
	}
	both.Wait()
	want := int64(4 * batches * per / 2)
	if a, b := suppression(t, first, s.ID).Hits, suppression(t, first, other.ID).Hits; a != want || b != want {
		t.Errorf("%d and %d hits, want %d each", a, b, want)
	}
	if got := raised(t, first); got != "0 of 0" {
		t.Errorf("alerts: %s", got)
	}
	// All are counted, a part is kept to look at.
	kept, err := first.SuppressedFindings(t.Context(), s.ID, page.Args{First: 500})
	if err != nil || len(kept.Edges) != 500 || !kept.PageInfo.HasNextPage {
		t.Errorf("%d kept, %v", len(kept.Edges), err)
	}
	if err := first.TrimSuppressed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := countKept(t, first, s.ID); n != 1_000 {
		t.Errorf("%d kept behind the trimming, want 1000 of 1600", n)
	}
	if _, err := first.DeleteSuppression(t.Context(), analyst, s.ID, nil); err != nil {
		t.Fatal(err)
	}
	if err := first.TrimSuppressed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if gone, stays := countKept(t, first, s.ID), countKept(t, first, other.ID); gone != 0 || stays != 1_000 {
		t.Errorf("%d of the deleted one, %d of the other", gone, stays)
	}
}

func countKept(t *testing.T, store *db.Store, of monitor.ID) (n int) {
	t.Helper()
	for after := ""; ; {
		found, err := store.SuppressedFindings(t.Context(), of, page.Args{First: 500, After: after})
		if err != nil {
			t.Fatal(err)
		}
		if n += len(found.Edges); !found.PageInfo.HasNextPage {
			return n
		}
		after = *found.PageInfo.EndCursor
	}
}

func TestSuppressionEndsByTheClock(t *testing.T) {
	dsn := dbtest.DSN(t)
	store, sleep := clocked(t, dsn)
	s := suppress(t, store, monitor.Suppression{AlertFilter: json.RawMessage(`{"user":{"eq":"root"}}`)}, time.Now().Add(time.Hour))
	sleep(59 * time.Minute)
	findOn(t, store, testRule(1), "a")
	if got := raised(t, store); got != "0 of 0" {
		t.Fatalf("a minute before its end: %s", got)
	}
	if n, err := store.ExpireSuppressions(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d noted before the end, %v", n, err)
	}
	sleep(2 * time.Minute) // nobody loads anything again
	findOn(t, store, testRule(1), "a")
	if got := raised(t, store); got != "1 of 1" {
		t.Errorf("behind its end: %s", got)
	}
	expired := monitor.SuppressionExpired
	list := func(state monitor.SuppressionState) int {
		t.Helper()
		found, err := store.Suppressions(t.Context(), &monitor.SuppressionFilter{State: &monitor.SuppressionStateFilter{Eq: &state}}, monitor.SuppressionsByCreated, page.Args{First: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(found.Edges)
	}
	if list(expired) != 1 || list(monitor.SuppressionActive) != 0 || list(monitor.SuppressionDisabled) != 0 {
		t.Errorf("%d expired, %d active, %d disabled", list(expired), list(monitor.SuppressionActive), list(monitor.SuppressionDisabled))
	}
	// Noted once over all replicas, by the system.
	var total int
	for range 3 {
		n, err := store.ExpireSuppressions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
	entries, err := store.JournalOf(t.Context(), monitor.KindSuppression, s.ID, page.Args{First: 5})
	if err != nil || total != 1 || len(entries.Edges) != 2 || entries.Edges[0].Node.Body.Action != monitor.ActionSuppressionExpire || entries.Edges[0].Node.Body.Actor != monitor.SystemActor {
		t.Errorf("noted %d times, %d entries, %v", total, len(entries.Edges), err)
	}
	// A new end puts it in force again, and makes its next end news again.
	_, err = store.UpdateSuppression(t.Context(), analyst, monitor.ActionSuppressionUpdate, s.ID, nil, func(s *monitor.Suppression, now time.Time) error { return s.EndAt(now.Add(time.Hour), now) })
	if err != nil {
		t.Fatal(err)
	}
	findOn(t, store, testRule(1), "a")
	if got := raised(t, store); got != "1 of 1" {
		t.Errorf("prolonged: %s", got)
	}
	sleep(2 * time.Hour)
	if n, err := store.ExpireSuppressions(t.Context()); n != 1 || err != nil {
		t.Errorf("its second end was noted %d times, %v", n, err)
	}
}

func TestSuppressionIsSwitchedChangedAndFiltered(t *testing.T) {
	store := dbtest.New(t)
	importRules(t, store, 1)
	ruled := suppress(t, store, monitor.Suppression{Rules: []monitor.ID{testRule(1).ID}}, time.Time{})
	anyRule := suppress(t, store, monitor.Suppression{AlertFilter: json.RawMessage(`{"user":{"eq":"root"}}`)}, time.Now().Add(time.Hour))
	findOn(t, store, testRule(1), "a")
	if a, b := suppression(t, store, ruled.ID).Hits, suppression(t, store, anyRule.ID).Hits; a != 1 || b != 0 {
		t.Errorf("two fit: %d and %d hits, want the one for the rule to count", a, b)
	}
	off, err := store.UpdateSuppression(t.Context(), analyst, monitor.ActionSuppressionDisable, ruled.ID, &ruled.Version, func(s *monitor.Suppression, _ time.Time) error { s.Enabled = false; return nil })
	if err != nil || off.Version != 2 || off.Hits != 1 {
		t.Fatalf("%+v, %v", off, err)
	}
	if _, err := store.UpdateSuppression(t.Context(), analyst, monitor.ActionSuppressionEnable, ruled.ID, &ruled.Version, func(s *monitor.Suppression, _ time.Time) error { s.Enabled = true; return nil }); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("at an old version: %v", err)
	}
	findOn(t, store, testRule(1), "a", "b")
	if a, b := suppression(t, store, ruled.ID).Hits, suppression(t, store, anyRule.ID).Hits; a != 1 || b != 2 {
		t.Errorf("with one off: %d and %d hits", a, b)
	}
	ruleGlobal, yes, no := testRule(1).GlobalID(), true, false
	text := "BACKUP"
	for name, c := range map[string]struct {
		filter *monitor.SuppressionFilter
		want   int
	}{
		"all":          {nil, 2},
		"a rule":       {&monitor.SuppressionFilter{Rule: &monitor.IDFilter{Eq: &ruleGlobal}}, 1},
		"any rule":     {&monitor.SuppressionFilter{Rule: &monitor.IDFilter{Exists: &no}}, 1},
		"some rule":    {&monitor.SuppressionFilter{Rule: &monitor.IDFilter{Exists: &yes}}, 1},
		"text":         {&monitor.SuppressionFilter{Text: &monitor.StringFilter{Contains: &text}}, 2},
		"off":          {&monitor.SuppressionFilter{State: &monitor.SuppressionStateFilter{In: []monitor.SuppressionState{monitor.SuppressionDisabled}}}, 1},
		"no such":      {&monitor.SuppressionFilter{State: &monitor.SuppressionStateFilter{In: []monitor.SuppressionState{}}}, 0},
		"not expiring": {&monitor.SuppressionFilter{Not: &monitor.SuppressionFilter{Until: &monitor.TimeFilter{Lt: at(time.Now().Add(48 * time.Hour))}}}, 1},
	} {
		found, err := store.Suppressions(t.Context(), c.filter, monitor.SuppressionsByHits, page.Args{First: 10})
		if err != nil || len(found.Edges) != c.want {
			t.Errorf("%s: %d, %v", name, len(found.Edges), err)
		}
	}
	byHits, err := store.Suppressions(t.Context(), nil, monitor.SuppressionsByHits, page.Args{First: 1})
	if err != nil || byHits.Edges[0].Node.ID != anyRule.ID {
		t.Fatalf("%v", err)
	}
	next, err := store.Suppressions(t.Context(), nil, monitor.SuppressionsByHits, page.Args{First: 1, After: byHits.Edges[0].Cursor})
	if err != nil || len(next.Edges) != 1 || next.Edges[0].Node.ID != ruled.ID {
		t.Errorf("the second page: %v", err)
	}
}

func at(when time.Time) *monitor.TimeInput {
	in := monitor.FixedTime(when)
	return &in
}

func TestSuppressionPreviewCounts(t *testing.T) {
	store := dbtest.New(t)
	importRules(t, store, 1, 2)
	findOn(t, store, testRule(1), "a", "a", "b", "c")
	findOn(t, store, testRule(2), "a")
	mixed := testEvent(1)
	mixed.Host, mixed.Command = "a", "rsync"
	if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{mixed}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}}}); err != nil {
		t.Fatal(err)
	}
	preview := func(is monitor.Suppression, since time.Time) *monitor.SuppressionPreview {
		t.Helper()
		p, err := store.PreviewSuppression(t.Context(), filled(is), since)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	long := time.Now().Add(-24 * 365 * time.Hour)
	p := preview(monitor.Suppression{AlertFilter: json.RawMessage(`{"host":{"in":["a","c"]}}`)}, long)
	if p.Findings != 5 || p.Alerts != 3 || p.Smaller != 0 || len(p.Examples) != 3 || !p.Complete || len(p.Rules) != 2 || p.Rules[0].RuleID != testRule(1).ID || p.Rules[0].Findings != 4 || p.Rules[0].Alerts != 2 {
		t.Errorf("%+v", p)
	}
	p = preview(monitor.Suppression{Rules: []monitor.ID{testRule(1).ID}, EventFilter: json.RawMessage(`{"command":{"eq":"rsync"}}`)}, long)
	if p.Findings != 1 || p.Alerts != 0 || p.Smaller != 1 || p.Examined != 5 {
		t.Errorf("a part of an alert: %+v", p)
	}
	if p = preview(monitor.Suppression{Rules: []monitor.ID{testRule(1).ID}}, time.Now().Add(time.Hour)); p.Findings != 0 || p.Examined != 0 {
		t.Errorf("of nothing: %+v", p)
	}
	if head, _ := store.Head(t.Context()); head.Seq == 0 {
		t.Fatal("no journal")
	}
	if list, err := store.Suppressions(t.Context(), nil, monitor.SuppressionsByCreated, page.Args{First: 1}); err != nil || len(list.Edges) != 0 {
		t.Errorf("a preview made something: %v", err)
	}
}
