package db_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// big are the tables that no query may read whole.
var big = []string{"events", "alerts", "alert_events", "comments", "incidents", "incident_timeline", "journal", "journal_refs"}

// mostSorted is how many rows a list may sort, by the server's estimate: what one
// host, rule or person has, where another order than theirs is asked for. It is a
// tenth of the smallest table that has such lists.
const mostSorted = 600

// step is one line of EXPLAIN.
type step struct {
	table, access, key, extra string
	rows                      int
}

// explain gives how the server would run a statement.
func explain(t *testing.T, handle *sql.DB, statement string) (steps []step) {
	t.Helper()
	rows, err := handle.QueryContext(t.Context(), "EXPLAIN "+statement)
	if err != nil {
		t.Fatalf("EXPLAIN %s: %v", statement, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		column := func(name string) string {
			i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
			return values[i].String
		}
		estimate, _ := strconv.Atoi(column("rows"))
		steps = append(steps, step{table: column("table"), access: column("type"), key: column("key"), extra: column("Extra"), rows: estimate})
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

// large fills a database with some thousands of rows of each kind, in the
// proportions of a real one.
func large(t *testing.T) (dsn string, f *db.Filling) {
	t.Helper()
	dsn = dbtest.DSN(t)
	store, err := db.Open(t.Context(), db.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r := rand.New(rand.NewPCG(1, 2))
	end := time.Now().UTC().Truncate(time.Microsecond)
	f = &db.Filling{Members: map[monitor.ID][]monitor.ID{}}
	alert := func(n int, at time.Time, e *monitor.Event) {
		rule := testRule(byte(n % 30))
		a := monitor.NewAlert(monitor.NewID(at), rule, e, at)
		a.Severity, a.DedupKey = monitor.Severities[r.IntN(5)], fmt.Appendf(nil, "%032d", n)
		if r.IntN(5) > 0 {
			_ = a.Close(monitor.Benign, "seen before", at)
		}
		if r.IntN(3) == 0 {
			a.AssigneeID = monitor.ID{1, byte(r.IntN(12))}
		}
		f.Alerts = append(f.Alerts, a)
		f.Evidence = append(f.Evidence, &monitor.Evidence{AlertID: a.ID, Event: e.ID, Matched: []monitor.MatchedField{}})
		f.Comments = append(f.Comments, &monitor.Comment{ID: monitor.NewID(at), AlertID: a.ID, Body: "x", CreatedAt: at})
		c, err := monitor.NewChange(monitor.KindAlert, a.ID, monitor.ActionAlertRaise, nil, a)
		if err != nil {
			t.Fatal(err)
		}
		f.Journal = append(f.Journal, monitor.EntryBody{At: at, Actor: monitor.SystemActor, Action: monitor.ActionIngest, Changes: []monitor.Change{c}})
	}
	const events, alerts = 30_000, 6_000
	for batch := range events / 100 {
		at := end.Add(-time.Duration(events/100-batch) * 10 * time.Minute)
		name := monitor.NewID(at)
		for k := range 100 {
			e := testEvent(k)
			e.ID, e.ReceivedAt = monitor.EventID{Batch: name, Ordinal: uint32(k)}, at
			e.OccurredAt = at.Add(-time.Duration(r.IntN(100_000)) * time.Microsecond)
			e.Host, e.User = fmt.Sprintf("host-%d", r.IntN(300)), fmt.Sprintf("user-%d", r.IntN(300))
			e.Class, e.Severity = monitor.EventClasses[r.IntN(len(monitor.EventClasses))], monitor.Severities[min(r.IntN(50), 4)%5]
			f.Events = append(f.Events, e)
			if k%(events/alerts) == 0 {
				alert(len(f.Alerts), at, e)
			}
		}
	}
	for n := range alerts {
		at := end.Add(-time.Duration(alerts-n) * time.Minute)
		i := &monitor.Incident{ID: monitor.NewID(at), Version: 1, Title: "x", Severity: monitor.SeverityHigh, Status: monitor.IncidentOpen, AlertCount: 1, CreatedAt: at, UpdatedAt: at}
		f.Incidents = append(f.Incidents, i)
		f.Members[f.Incidents[n/4*4].ID] = append(f.Members[f.Incidents[n/4*4].ID], f.Alerts[n].ID)
	}
	if err := store.Fill(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	for _, table := range big {
		dbtest.Exec(t, dsn, "ANALYZE TABLE "+table)
	}
	return dsn, f
}

// TestNoListReadsAWholeTable asks the server how it would run what each list,
// count and look-up of the store sends.
func TestNoListReadsAWholeTable(t *testing.T) {
	dsn, f := large(t)
	store, sent := dbtest.Recorded(t, dsn)
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close()
	for _, c := range planCases(f) {
		t.Run(c.name, func(t *testing.T) {
			sent.Take()
			if err := c.ask(t.Context(), store); err != nil {
				t.Fatal(err)
			}
			statements := sent.Take()
			if len(statements) == 0 {
				t.Fatal("nothing was asked of the database")
			}
			for _, s := range statements {
				checkPlan(t, s, explain(t, handle, s))
			}
		})
	}
}

func checkPlan(t *testing.T, statement string, steps []step) {
	t.Helper()
	for _, s := range steps {
		if !slices.Contains(big, s.table) && s.table != "j" { // j is the journal; others are derived, a page at most
			continue
		}
		if s.access == "ALL" {
			t.Errorf("reads all of %s: %+v\n%s", s.table, steps, statement)
		}
		if (strings.Contains(s.extra, "filesort") || strings.Contains(s.extra, "temporary")) && s.rows > mostSorted {
			t.Errorf("sorts %d rows of %s: %+v\n%s", s.rows, s.table, steps, statement)
		}
	}
}

// planCase is one thing that is asked of a store.
type planCase struct {
	name string
	ask  func(context.Context, *db.Store) error
}

func planCases(f *db.Filling) []planCase {
	var all []planCase
	add := func(name string, ask func(context.Context, *db.Store) error) {
		all = append(all, planCase{name: name, ask: ask})
	}
	for _, order := range []monitor.AlertOrder{monitor.AlertsByLastSeen, monitor.AlertsByCreated, monitor.AlertsBySeverity} {
		for name, filter := range alertFilters(f) {
			add(fmt.Sprintf("alerts %s %s", order, name), func(ctx context.Context, s *db.Store) error {
				first, err := s.Alerts(ctx, filter, order, page.Args{First: 50})
				if err != nil || first.PageInfo.EndCursor == nil {
					return err
				}
				_, err = s.Alerts(ctx, filter, order, page.Args{First: 50, After: *first.PageInfo.EndCursor})
				return err
			})
		}
	}
	for name, filter := range alertFilters(f) {
		add("count of alerts "+name, func(ctx context.Context, s *db.Store) error {
			_, _, err := s.CountAlerts(ctx, filter, 10_000)
			return err
		})
	}
	for _, order := range []monitor.EventOrder{monitor.EventsByOccurred, monitor.EventsByReceived} {
		for name, filter := range eventFilters() {
			add(fmt.Sprintf("events %s %s", order, name), func(ctx context.Context, s *db.Store) error {
				first, err := s.Events(ctx, filter, order, page.Args{First: 50})
				if err != nil || first.PageInfo.EndCursor == nil {
					return err
				}
				_, err = s.Events(ctx, filter, order, page.Args{First: 50, After: *first.PageInfo.EndCursor})
				return err
			})
		}
	}
	return append(all, detailCases(f)...)
}

func alertFilters(f *db.Filling) map[string]*monitor.AlertFilter {
	open, closed, high := []monitor.AlertStatus{monitor.AlertNew, monitor.AlertAcknowledged}, monitor.AlertClosed, monitor.SeverityHigh
	host, user := f.Alerts[0].Host, f.Alerts[0].User
	rule, assignee := monitor.GlobalID(monitor.KindRule, f.Alerts[0].RuleID.String()), monitor.GlobalID(monitor.KindUser, monitor.ID{1, 1}.String())
	none := false
	return map[string]*monitor.AlertFilter{
		"all":               nil,
		"open":              {Status: &monitor.AlertStatusFilter{In: open}},
		"closed":            {Status: &monitor.AlertStatusFilter{Eq: &closed}},
		"of a severity":     {Severity: &monitor.SeverityFilter{Eq: &high}},
		"severe":            {Severity: &monitor.SeverityFilter{Gte: &high}},
		"open and severe":   {Status: &monitor.AlertStatusFilter{In: open}, Severity: &monitor.SeverityFilter{Gte: &high}},
		"of a host":         {Host: &monitor.StringFilter{Eq: &host}},
		"of a user":         {User: &monitor.StringFilter{Eq: &user}},
		"of a rule":         {Rule: &monitor.IDFilter{Eq: &rule}},
		"of an assignee":    {Assignee: &monitor.IDFilter{Eq: &assignee}},
		"of nobody, open":   {Assignee: &monitor.IDFilter{Exists: &none}, Status: &monitor.AlertStatusFilter{In: open}},
		"of a host, closed": {Host: &monitor.StringFilter{Eq: &host}, Status: &monitor.AlertStatusFilter{Eq: &closed}},
	}
}

func eventFilters() map[string]*monitor.EventFilter {
	host, user, address, class, high := "host-7", "user-7", "203.0.113.5", monitor.ClassDNSActivity, monitor.SeverityHigh
	return map[string]*monitor.EventFilter{
		"all":           nil,
		"of a host":     {Host: &monitor.StringFilter{Eq: &host}},
		"of a user":     {User: &monitor.StringFilter{Eq: &user}},
		"of an address": {SourceIP: &monitor.IPFilter{Eq: &address}},
		"of a class":    {Class: &monitor.EventClassFilter{Eq: &class}},
		"severe":        {Severity: &monitor.SeverityFilter{Gte: &high}},
	}
}

func detailCases(f *db.Filling) []planCase {
	alert, incident, batch := f.Alerts[len(f.Alerts)/2].ID, f.Incidents[len(f.Incidents)/8*4].ID, f.Events[5_000].ID
	after := func(first *string, ask func(after string) error) error {
		if first == nil {
			return nil
		}
		return ask(*first)
	}
	return []planCase{
		{name: "alerts by id", ask: func(ctx context.Context, s *db.Store) error {
			_, err := s.AlertsByID(ctx, []monitor.ID{alert, f.Alerts[3].ID})
			return err
		}},
		{name: "groups of alerts", ask: func(ctx context.Context, s *db.Store) error {
			_, err := s.AlertGroups(ctx, nil)
			return err
		}},
		{name: "groups of the alerts of a host", ask: func(ctx context.Context, s *db.Store) error {
			_, err := s.AlertGroups(ctx, &monitor.AlertFilter{Host: &monitor.StringFilter{Eq: &f.Alerts[0].Host}})
			return err
		}},
		{name: "events by id", ask: func(ctx context.Context, s *db.Store) error {
			_, err := s.EventsByID(ctx, []monitor.EventID{batch, f.Events[70].ID, f.Events[20_000].ID})
			return err
		}},
		{name: "events of a batch", ask: func(ctx context.Context, s *db.Store) error {
			_, err := s.EventsOfBatch(ctx, batch.Batch)
			return err
		}},
		{name: "evidence", ask: func(ctx context.Context, s *db.Store) error {
			c, err := s.EvidenceOf(ctx, alert, page.Args{First: 1})
			if err != nil {
				return err
			}
			return after(c.PageInfo.EndCursor, func(after string) error {
				_, err := s.EvidenceOf(ctx, alert, page.Args{First: 1, After: after})
				return err
			})
		}},
		{name: "comments", ask: func(ctx context.Context, s *db.Store) error {
			c, err := s.CommentsOf(ctx, alert, page.Args{First: 1})
			if err != nil {
				return err
			}
			return after(c.PageInfo.EndCursor, func(after string) error {
				_, err := s.CommentsOf(ctx, alert, page.Args{First: 1, After: after})
				return err
			})
		}},
		{name: "changes of an alert", ask: func(ctx context.Context, s *db.Store) error {
			c, err := s.JournalOf(ctx, monitor.KindAlert, alert, page.Args{First: 1})
			if err != nil {
				return err
			}
			return after(c.PageInfo.EndCursor, func(after string) error {
				_, err := s.JournalOf(ctx, monitor.KindAlert, alert, page.Args{First: 1, After: after})
				return err
			})
		}},
		{name: "journal", ask: func(ctx context.Context, s *db.Store) error {
			_, err := s.Entries(ctx, 1_000, 100)
			return err
		}},
		{name: "audit log", ask: func(ctx context.Context, s *db.Store) error {
			c, err := s.Audit(ctx, nil, nil, page.Args{First: 50})
			if err != nil {
				return err
			}
			return after(c.PageInfo.EndCursor, func(after string) error {
				_, err := s.Audit(ctx, nil, nil, page.Args{First: 50, After: after})
				return err
			})
		}},
		{name: "audit log of a time", ask: func(ctx context.Context, s *db.Store) error {
			from, to := monitor.FixedTime(time.Now().Add(-20*time.Hour)), monitor.FixedTime(time.Now().Add(-19*time.Hour))
			_, err := s.Audit(ctx, &monitor.JournalFilter{At: &monitor.TimeFilter{Gte: &from, Lt: &to}}, nil, page.Args{First: 50})
			return err
		}},
		{name: "audit log of an alert", ask: func(ctx context.Context, s *db.Store) error {
			_, err := s.Audit(ctx, nil, &monitor.Object{Kind: monitor.KindAlert, ID: alert}, page.Args{First: 50})
			return err
		}},
		{name: "incidents", ask: func(ctx context.Context, s *db.Store) error {
			c, err := s.Incidents(ctx, nil, page.Args{First: 10})
			if err != nil {
				return err
			}
			_, err = s.Incidents(ctx, nil, page.Args{First: 10, After: *c.PageInfo.EndCursor})
			return err
		}},
		{name: "incidents by id", ask: func(ctx context.Context, s *db.Store) error {
			_, err := s.IncidentsByID(ctx, []monitor.ID{incident})
			return err
		}},
		{name: "alerts of an incident", ask: func(ctx context.Context, s *db.Store) error {
			c, err := s.AlertsOfIncident(ctx, incident, nil, page.Args{First: 2})
			if err != nil {
				return err
			}
			_, err = s.AlertsOfIncident(ctx, incident, nil, page.Args{First: 2, After: *c.PageInfo.EndCursor})
			return err
		}},
	}
}
