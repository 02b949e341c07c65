package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// A batch of more events than a message holds reaches a client whole: live, and
// when it resumes in front of it.
func TestClientGetsEveryPartOfALargeBatch(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	bearer := login(t, r.URL(), "admin", testPassword)
	head, err := r.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const size = 1_200
	for _, after := range []string{"", head.Cursor()} { // live, then resumed
		f := &client.Feed{
			URL: r.URL() + "/api/graphql", After: after, Token: func(context.Context) (string, error) { return bearer, nil },
			Query: `subscription($after: Cursor) { eventFeed(after: $after) { cursor events { host } } }`,
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		seen, done := map[string]bool{}, errors.New("all are there")
		err := f.Run(ctx, func(m client.Message) error {
			var data struct {
				EventFeed struct{ Events []struct{ Host string } }
			}
			if err := json.Unmarshal(m.Data, &data); err != nil {
				return err
			}
			if len(seen) == 0 && len(data.EventFeed.Events) == 0 {
				fill(t, r, 1, size) // it is at the head
			}
			for _, e := range data.EventFeed.Events {
				seen[e.Host] = true
			}
			if len(seen) == size {
				return done
			}
			return nil
		})
		cancel()
		if !errors.Is(err, done) {
			t.Errorf("after %q: %d of %d events, %v", after, len(seen), size, err)
		}
	}
}

// subscribed opens a socket with one subscription, and gives it behind the first
// message.
func subscribed(t *testing.T, r *replica, bearer, query string, variables map[string]any) *socket {
	t.Helper()
	s, err := dial(t.Context(), r.URL(), bearer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	if err := s.subscribe(query, variables); err != nil {
		t.Fatal(err)
	}
	if m, err := s.next(); err != nil || m.Type != "next" {
		t.Fatalf("first message: %s %s, %v", m.Type, m.Payload, err)
	}
	return s
}

// read gives the next message's field.
func read[T any](t *testing.T, s *socket, field string) T {
	t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	m, err := s.next()
	if err != nil || m.Type != "next" {
		t.Fatalf("%s: %s %s, %v", field, m.Type, m.Payload, err)
	}
	var p struct {
		Data   map[string]T
		Errors json.RawMessage
	}
	if err := json.Unmarshal(m.Payload, &p); err != nil || p.Errors != nil {
		t.Fatalf("%s: %v", m.Payload, err)
	}
	return p.Data[field]
}

func TestIncidentFeedFollowsAFilteredList(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	user(t, r, "ana", monitor.RoleAnalyst)
	ana := login(t, r.URL(), "ana", testPassword)
	s := subscribed(t, r, ana, `subscription { incidentFeed(filter: {status: {eq: OPEN}}) { cursor entries { change action actor { name } incident { id title status alertCount } } } }`, nil)
	raise(t, r, "one", "two")
	var list struct {
		Alerts struct{ Nodes []struct{ ID string } }
	}
	post(t, r.URL(), ana, `{ alerts(first: 10) { nodes { id } } }`, nil, &list)
	type payload struct {
		Incident *struct {
			ID       string
			Version  int
			Reason   string
			ClosedAt string
			Alerts   struct{ Nodes []struct{ Host string } }
			Journal  struct{ Nodes []struct{ Action string } }
		}
		Errors []struct{ Code string }
	}
	const create = `mutation($alerts: [ID!]!) { incidentCreate(input: {title: " Break-in ", severity: HIGH, alerts: $alerts}) { incident { id version alerts(first: 10) { nodes { host } } } errors { code } } }`
	var created struct{ IncidentCreate payload }
	ids := []string{list.Alerts.Nodes[0].ID, list.Alerts.Nodes[1].ID}
	post(t, r.URL(), ana, create, map[string]any{"alerts": ids}, &created)
	incident := created.IncidentCreate.Incident
	if incident == nil || len(incident.Alerts.Nodes) != 2 {
		t.Fatalf("created %+v", created)
	}
	for name, c := range map[string]struct {
		alerts []string
		code   string
	}{
		"an alert of another incident": {ids[:1], "CONFLICT"},
		"an alert that is not there":   {[]string{monitor.GlobalID(monitor.KindAlert, monitor.NewID(time.Now()).String())}, "NOT_FOUND"},
		"an id of something else":      {[]string{incident.ID}, "BAD_INPUT"},
	} {
		var again struct{ IncidentCreate payload }
		post(t, r.URL(), ana, create, map[string]any{"alerts": c.alerts}, &again)
		if errs := again.IncidentCreate.Errors; len(errs) != 1 || errs[0].Code != c.code || again.IncidentCreate.Incident != nil {
			t.Errorf("%s: %+v, want %s", name, again, c.code)
		}
	}
	const closing = `mutation($id: ID!, $v: Int) { incidentClose(input: {id: $id, expectedVersion: $v, reason: "done"}) { incident { id version reason closedAt journal(first: 5) { nodes { action } } } errors { code } } }`
	var closed struct{ IncidentClose payload }
	post(t, r.URL(), ana, closing, map[string]any{"id": incident.ID, "v": 7}, &closed)
	if errs := closed.IncidentClose.Errors; len(errs) != 1 || errs[0].Code != "CONFLICT" {
		t.Errorf("stale version: %+v", closed)
	}
	post(t, r.URL(), ana, closing, map[string]any{"id": incident.ID, "v": 1}, &closed)
	if is := closed.IncidentClose.Incident; is == nil || is.Reason != "done" || is.ClosedAt == "" || len(is.Journal.Nodes) != 2 || is.Journal.Nodes[0].Action != "incident.close" {
		t.Errorf("closed: %+v", closed.IncidentClose.Incident)
	}
	type batch struct {
		Entries []struct {
			Change, Action string
			Actor          struct{ Name string }
			Incident       struct {
				Title, Status string
				AlertCount    int
			}
		}
	}
	var got []string
	for len(got) < 2 {
		for _, e := range read[batch](t, s, "incidentFeed").Entries {
			got = append(got, e.Change+" "+e.Action+" "+e.Actor.Name+" "+e.Incident.Title+" "+e.Incident.Status)
		}
	}
	if strings.Join(got, ", ") != "ENTERED incident.create ana Break-in OPEN, LEFT incident.close ana Break-in CLOSED" {
		t.Errorf("the feed told %v", got)
	}
	var open struct {
		Incidents struct{ Nodes []struct{ ID string } }
	}
	post(t, r.URL(), ana, `{ incidents(filter: {status: {eq: OPEN}}, first: 5) { nodes { id } } }`, nil, &open)
	if len(open.Incidents.Nodes) != 0 {
		t.Errorf("open: %+v", open)
	}
}

func TestEntityFeedWatchesWhatNamesTheEntity(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	const query = `subscription($k: EntityKind!, $v: String!) { entityFeed(kind: $k, value: $v) { cursor entries { event { host } alert { change alert { host } } } } }`
	type batch struct {
		Entries []struct {
			Event *struct{ Host string }
			Alert *struct {
				Change string
				Alert  struct{ Host string }
			}
		}
	}
	watched := map[string]*socket{}
	for kind, value := range map[string]string{"ADDRESS": "::ffff:203.0.113.7", "HOST": "WEB-1", "HASH": "ABCD", "USER": "root"} {
		watched[kind] = subscribed(t, r, admin, query, map[string]any{"k": kind, "v": value})
	}
	for name, v := range map[string]map[string]any{"an address that is none": {"k": "ADDRESS", "v": "300.1.1.1"}, "nothing": {"k": "HOST", "v": " "}} {
		s, err := dial(t.Context(), r.URL(), admin)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		if err := s.subscribe(query, v); err != nil {
			t.Fatal(err)
		}
		if m, err := s.next(); err != nil || m.Type != "error" || !strings.Contains(string(m.Payload), "BAD_INPUT") {
			t.Errorf("%s: %s %s %v", name, m.Type, m.Payload, err)
		}
	}
	other, address, hash, both := testEvent("db-1"), testEvent("db-2"), testEvent("db-3"), testEvent("web-1")
	address.DstIP, hash.FileHash, both.User = netip.MustParseAddr("203.0.113.7"), "abcd", "root"
	b := &monitor.Batch{Events: []*monitor.Event{other, address, hash, both}, Findings: []monitor.Finding{{Event: 3, Rule: testRule(1)}}}
	if _, err := r.Store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{"ADDRESS": "event db-2", "HOST": "event web-1, alert ENTERED web-1", "HASH": "event db-3", "USER": "event web-1, alert ENTERED web-1"} {
		var got []string
		for _, e := range read[batch](t, watched[kind], "entityFeed").Entries {
			if e.Event != nil {
				got = append(got, "event "+e.Event.Host)
			}
			if e.Alert != nil {
				got = append(got, "alert "+e.Alert.Change+" "+e.Alert.Alert.Host)
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: got %v, want %s", kind, got, want)
		}
	}
}

func TestJournalFeedIsTheAuditTrail(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	const query = `subscription($f: JournalFilter, $after: Cursor) { journalFeed(filter: $f, after: $after) { cursor entries { action actor { name user { name } } events changes { kind id action created fields { field before after } snapshot } } } }`
	user(t, r, "ana", monitor.RoleAnalyst)
	ana := login(t, r.URL(), "ana", testPassword)
	s, err := dial(t.Context(), r.URL(), ana)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.subscribe(query, nil); err != nil {
		t.Fatal(err)
	}
	if m, err := s.next(); err != nil || m.Type != "error" || !strings.Contains(string(m.Payload), "FORBIDDEN") {
		t.Errorf("an analyst: %s %s %v", m.Type, m.Payload, err)
	}
	type batch struct {
		Entries []struct {
			Action  string
			Actor   struct{ Name string }
			Events  int
			Changes []struct {
				Kind, ID, Action string
				Created          bool
				Fields           []struct {
					Field         string
					Before, After any
				}
				Snapshot json.RawMessage
			}
		}
	}
	all := subscribed(t, r, admin, query, nil)
	alerts := subscribed(t, r, admin, query, map[string]any{"f": map[string]any{"kind": map[string]any{"has": "Alert"}, "actor": map[string]any{"eq": "ana"}}})
	raise(t, r, "one")
	var list struct {
		Alerts struct{ Nodes []struct{ ID string } }
	}
	post(t, r.URL(), ana, `{ alerts(first: 1) { nodes { id } } }`, nil, &list)
	post(t, r.URL(), ana, `mutation($id: ID!) { alertAcknowledge(input: {id: $id}) { errors { code } } }`, map[string]any{"id": list.Alerts.Nodes[0].ID}, &struct{}{})
	apiToken(t, r, time.Time{}, monitor.ScopeRead)
	one := read[batch](t, alerts, "journalFeed").Entries
	if len(one) != 1 || one[0].Action != "alert.acknowledge" || one[0].Actor.Name != "ana" || len(one[0].Changes) != 1 {
		t.Fatalf("ana's: %+v", one)
	}
	change := one[0].Changes[0]
	fields := map[string][2]any{}
	for _, f := range change.Fields {
		fields[f.Field] = [2]any{f.Before, f.After}
	}
	if change.ID != list.Alerts.Nodes[0].ID || change.Created || fields["status"] != [2]any{"NEW", "ACKNOWLEDGED"} || fields["assignee"] != [2]any{nil, "ana"} {
		t.Errorf("the change: %+v", change)
	}
	seen := ""
	for !strings.Contains(seen, "token.create") {
		for _, e := range read[batch](t, all, "journalFeed").Entries {
			seen += e.Action + " "
			for _, c := range e.Changes {
				for _, secret := range []string{"hash", "secret", "password", "smt_"} {
					if strings.Contains(strings.ReplaceAll(strings.ToLower(string(c.Snapshot)), "filehash", ""), secret) && c.Kind != "Event" {
						t.Errorf("a snapshot of %s holds %q: %s", c.Kind, secret, c.Snapshot)
					}
				}
			}
		}
	}
	if seen != "event.ingest alert.acknowledge token.create " {
		t.Errorf("all: %s", seen)
	}
}

func TestIngestStatsCountOverAllReplicas(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	a, b := startReplica(t, cfg), startReplica(t, cfg)
	admin := login(t, a.URL(), "admin", testPassword)
	s := subscribed(t, a, admin, `subscription { ingestStats { at lastSecond { events batches alerts } lastMinute { events batches alerts } } }`, nil)
	raise(t, b, "one", "two", "two")
	type counts struct{ Events, Batches, Alerts int }
	type stats struct{ LastSecond, LastMinute counts }
	var total counts
	for range 6 {
		got := read[stats](t, s, "ingestStats")
		total.Events += got.LastSecond.Events
		if got.LastMinute == (counts{3, 3, 3}) && got.LastSecond == (counts{}) {
			if total.Events != 3 {
				t.Errorf("the seconds have %d events together, want 3", total.Events)
			}
			// It came, and the rate has fallen to nothing. Who asks now, of another replica, is told the minute at once.
			late := subscribed(t, b, admin, `subscription { ingestStats { lastMinute { events batches alerts } } }`, nil)
			if first := read[stats](t, late, "ingestStats"); first.LastMinute != (counts{3, 3, 3}) {
				t.Errorf("the first that another is told: %+v, want the minute before", first.LastMinute)
			}
			return
		}
	}
	t.Error("the counts did not come")
}

func TestJobTellsItsProgressAndItsEnd(t *testing.T) {
	dsn := dbtest.DSN(t)
	r := startReplica(t, config(t, dsn, startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	verify := func() (state, message string) {
		t.Helper()
		var begun struct {
			JournalVerify struct {
				Job    struct{ ID string }
				Errors []struct{ Code string }
			}
		}
		post(t, r.URL(), admin, `mutation { journalVerify { job { id } errors { code } } }`, nil, &begun)
		s, err := dial(t.Context(), r.URL(), admin)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		if err := s.subscribe(`subscription($id: ID!) { jobProgress(id: $id) { state message } }`, map[string]any{"id": begun.JournalVerify.Job.ID}); err != nil {
			t.Fatal(err)
		}
		type job struct{ State, Message string }
		for {
			_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			m, err := s.next()
			if err != nil {
				t.Fatal(err)
			}
			if m.Type == "complete" {
				return state, message
			}
			var p struct{ Data struct{ JobProgress job } }
			if err := json.Unmarshal(m.Payload, &p); err != nil {
				t.Fatal(err)
			}
			state, message = p.Data.JobProgress.State, p.Data.JobProgress.Message
		}
	}
	raise(t, r, "one", "two")
	if state, message := verify(); state != "DONE" || !strings.Contains(message, "entries checked") {
		t.Errorf("%s: %s", state, message)
	}
	dbtest.Exec(t, dsn, "UPDATE journal SET body = REPLACE(body, 'event', 'tneve') WHERE seq = 3")
	if state, message := verify(); state != "FAILED" || !strings.Contains(message, "journal entry 3 was changed") {
		t.Errorf("%s: %s", state, message)
	}
	var jobs struct {
		Jobs struct {
			Nodes []struct{ State, Kind string }
		}
	}
	post(t, r.URL(), admin, `{ jobs(first: 5) { nodes { state kind } } }`, nil, &jobs)
	if len(jobs.Jobs.Nodes) != 2 || jobs.Jobs.Nodes[0].State != "FAILED" || jobs.Jobs.Nodes[0].Kind != "JOURNAL_VERIFY" {
		t.Errorf("%+v", jobs)
	}
}
