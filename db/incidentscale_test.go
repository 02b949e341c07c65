package db_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

const largeIncident = 50_000

// numbers gives a table of the numbers from 0 to 99,999.
const numbers = `(SELECT a.d + 10*b.d + 100*c.d + 1000*e.d + 10000*f.d AS n FROM
(DIGITS) a, (DIGITS) b, (DIGITS) c, (DIGITS) e, (DIGITS) f) AS numbers`

// enlarge makes an incident of largeIncident alerts, out of one, beside as many
// that are in none. Bulk SQL: no store would.
func enlarge(t *testing.T, dsn string, incident monitor.ID) {
	t.Helper()
	digits := "SELECT 0 d"
	for i := 1; i < 10; i++ {
		digits += fmt.Sprintf(" UNION ALL SELECT %d", i)
	}
	id := fmt.Sprintf("UNHEX('%x')", incident[:])
	dbtest.Exec(t, dsn, `INSERT INTO alerts (id, version, title, severity, status, disposition, reason, assignee_id, count, first_seen, last_seen, created_at,
		updated_at, acknowledged_at, closed_at, host, user, src_ip, src_port, dst_ip, dst_port, process, techniques, tags, rule_id, rule_version, rule_author,
		comments, dedup_key, incident_id)
		SELECT UNHEX(MD5(n)), 1, a.title, n % 5, IF(n % 3 = 0, 'ACKNOWLEDGED', 'NEW'), '', '', NULL, 1, a.first_seen + INTERVAL n SECOND, a.last_seen + INTERVAL n SECOND,
		a.created_at, a.updated_at, NULL, NULL, CONCAT('host-', n % 100), 'root', a.src_ip, 0, a.dst_ip, 0, '', a.techniques, a.tags, a.rule_id, 1, '', 0,
		UNHEX(SHA2(n, 256)), IF(n % 2 = 0, `+id+`, NULL) FROM `+strings.ReplaceAll(numbers, "DIGITS", digits)+`, (SELECT * FROM alerts LIMIT 1) a`)
	dbtest.Exec(t, dsn, `INSERT INTO incident_timeline (incident_id, seq, entity_id) SELECT incident_id, 10 + CONV(LEFT(HEX(id), 4), 16, 10) MOD 500, id FROM alerts WHERE incident_id IS NOT NULL AND host LIKE 'host-%'`)
	dbtest.Exec(t, dsn, fmt.Sprintf("UPDATE incidents SET alerts = %d WHERE id = %s", largeIncident, id))
	dbtest.Exec(t, dsn, "ANALYZE TABLE alerts, incident_timeline, incidents")
}

// readings tells how many rows the server has read and how many SELECTs it has run.
func readings(t *testing.T, handle *sql.DB) (rows, selects int) {
	t.Helper()
	found, err := handle.QueryContext(t.Context(), "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Com_select'")
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close() //nolint:errcheck // a test
	for found.Next() {
		var name string
		var n int
		if err := found.Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		switch {
		case name == "Com_select":
			selects = n
		case !strings.HasSuffix(name, "_deleted") && !strings.HasSuffix(name, "_retry"):
			rows += n
		}
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return rows, selects
}

func TestLargeIncidentIsReadInBoundedSteps(t *testing.T) {
	dsn := dbtest.DSN(t)
	store, err := db.Open(t.Context(), db.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	raiseIDs(t, store, "first")
	one := openIncident(t, store, "large")
	enlarge(t, dsn, one.ID)
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = handle.Close() })
	ids, global := []monitor.ID{one.ID}, one.GlobalID()
	first := page.Args{First: 50}
	middle := page.Args{First: 50, After: page.EncodeCursor(testEvent(0).OccurredAt.Add(largeIncident*time.Second), monitor.ID{})}
	rare, fifth := "host-98", monitor.SeverityCritical
	for _, c := range []struct {
		name          string
		rows, selects int // at most
		run           func() (int, error)
		want          int
	}{
		{"first page of alerts", 120, 1, func() (int, error) { return edges(store.AlertsOfIncident(t.Context(), one.ID, nil, first)) }, 50},
		{"page 500 of alerts", 120, 1, func() (int, error) { return edges(store.AlertsOfIncident(t.Context(), one.ID, nil, middle)) }, 50},
		{"alerts of one host in fifty", 6_000, 1, func() (int, error) {
			return edges(store.AlertsOfIncident(t.Context(), one.ID, &monitor.AlertFilter{Host: &monitor.StringFilter{Eq: &rare}}, first))
		}, 50},
		{"alerts of one severity in five", 600, 1, func() (int, error) {
			return edges(store.AlertsOfIncident(t.Context(), one.ID, &monitor.AlertFilter{Severity: &monitor.SeverityFilter{Eq: &fifth}}, first))
		}, 50},
		{"list of alerts filtered by incident", 400, 1, func() (int, error) {
			return edges(store.Alerts(t.Context(), &monitor.AlertFilter{Incident: &monitor.IDFilter{Eq: &global}}, monitor.AlertsByLastSeen, first))
		}, 50},
		{"counts, from the index alone", 2*largeIncident + 200, 1, func() (int, error) {
			groups, err := store.AlertGroupsOfIncidents(t.Context(), ids)
			n := 0
			for _, g := range groups[0].Groups {
				n += g.Count
			}
			return n, err
		}, largeIncident},
		{"first and last seen", 20, 1, func() (int, error) {
			spans, err := store.IncidentSpans(t.Context(), ids)
			return int(spans[0].LastSeen.Sub(spans[0].FirstSeen) / time.Second), err
		}, 2*largeIncident - 2},
		{"entities", 11_000, 2, func() (int, error) {
			e, err := store.IncidentEntities(t.Context(), one.ID)
			if err == nil && (!e.IsEstimate || len(e.Hosts) != 20 || e.Techniques[0].Count != 5_000) {
				t.Errorf("entities: %+v", e)
			}
			return e.Alerts, err
		}, 5_000},
		{"timeline", 130, 2, func() (int, error) {
			steps, err := store.IncidentTimeline(t.Context(), one.ID, first)
			return len(steps.Edges), err
		}, 50},
		{"timeline from the middle", 400, 2, func() (int, error) {
			steps, err := store.IncidentTimeline(t.Context(), one.ID, page.Args{First: 50, After: page.EncodeCursor(260, monitor.ID{})})
			return len(steps.Edges), err
		}, 50},
		{"tasks", 40, 1, func() (int, error) { tasks, err := store.TasksOfIncidents(t.Context(), ids); return len(tasks), err }, 0},
		{"comments", 40, 1, func() (int, error) {
			comments, err := store.CommentsOfIncident(t.Context(), one.ID, first)
			return len(comments.Edges), err
		}, 0},
		{"list of incidents", 20, 1, func() (int, error) {
			list, err := store.Incidents(t.Context(), nil, first)
			return len(list.Edges), err
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			readings(t, handle)
			idle, _ := readings(t, handle)
			rowsBefore, selectsBefore := readings(t, handle)
			got, err := c.run()
			rows, selects := readings(t, handle)
			rows -= rowsBefore + (rowsBefore - idle) // what asking itself reads
			if err != nil || got != c.want {
				t.Errorf("got %d, %v, want %d", got, err, c.want)
			}
			if selects -= selectsBefore; selects > c.selects || rows > c.rows {
				t.Errorf("%d rows in %d queries, want at most %d in %d", rows, selects, c.rows, c.selects)
			}
		})
	}
	var extra string
	explain := fmt.Sprintf("SELECT incident_id, status, severity, COUNT(*) FROM alerts WHERE incident_id IN (UNHEX('%x')) GROUP BY incident_id, status, severity", one.ID[:])
	columns, err := explained(t, handle, explain)
	if extra = columns["Extra"]; err != nil || columns["key"] != "alerts_incident_counts" || !strings.Contains(extra, "Using index") {
		t.Errorf("counting reads %+v, %v", columns, err)
	}
}

func edges(c *monitor.AlertConnection, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return len(c.Edges), nil
}

// explained gives the first line of a plan by the names of its columns.
func explained(t *testing.T, handle *sql.DB, statement string) (map[string]string, error) {
	t.Helper()
	found, err := handle.QueryContext(t.Context(), "EXPLAIN "+statement)
	if err != nil {
		return nil, err
	}
	defer found.Close() //nolint:errcheck // a test
	names, err := found.Columns()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	if found.Next() {
		values := make([]sql.NullString, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			return nil, err
		}
		for i, name := range names {
			out[name] = values[i].String
		}
	}
	return out, found.Err()
}
