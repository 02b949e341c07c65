package e2e

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/audit"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// An administrator finds in the audit log who did what to an alert and what it
// was before; the export of it verifies, and not any more when somebody touches
// the database.
func TestAuditLog(t *testing.T) {
	dsn := dbtest.DSN(t)
	r := startReplica(t, config(t, dsn, startRedis(t).URL()))
	user(t, r, "ana", monitor.RoleAnalyst)
	ana, admin := login(t, r.URL(), "ana", testPassword), login(t, r.URL(), "admin", testPassword)
	raise(t, r, "web-1", "web-2")
	var list struct {
		Alerts struct{ Nodes []struct{ ID string } }
	}
	post(t, r.URL(), ana, `{ alerts(first: 10) { nodes { id } } }`, nil, &list)
	id := list.Alerts.Nodes[0].ID
	post(t, r.URL(), ana, `mutation($id: ID!) { alertClose(input: {id: $id, disposition: BENIGN, reason: "<b>&\"x\" ü\u2028"}) { errors { code } } }`, map[string]any{"id": id}, nil)
	var got struct {
		Journal struct {
			Nodes []struct {
				Action  string
				Actor   struct{ Name string }
				Changes []struct {
					Kind, ID string
					Fields   []struct {
						Field         string
						Before, After any
					}
				}
			}
			PageInfo struct{ HasNextPage bool }
		}
	}
	const query = `query($o: ID, $f: JournalFilter) { journal(object: $o, filter: $f, first: 50) { nodes { action actor { name } changes { kind id fields { field before after } } } pageInfo { hasNextPage } } }`
	post(t, r.URL(), admin, query, map[string]any{"o": id, "f": map[string]any{"actor": map[string]any{"eq": "ana"}}}, &got)
	if n := len(got.Journal.Nodes); n != 1 || got.Journal.Nodes[0].Action != "alert.close" || got.Journal.Nodes[0].Actor.Name != "ana" {
		t.Fatalf("%d entries: %+v", n, got)
	}
	said := map[string]string{}
	for _, f := range got.Journal.Nodes[0].Changes[0].Fields {
		said[f.Field] = fmt.Sprint(f.Before, " ", f.After)
	}
	if said["status"] != "NEW CLOSED" || said["disposition"] != " BENIGN" {
		t.Errorf("it says %v", said)
	}
	if a := post(t, r.URL(), ana, query, nil, nil); a.code() != "FORBIDDEN" {
		t.Errorf("an analyst reads the audit log: %+v", a)
	}

	access := &app.Access{Store: r.Store}
	var file bytes.Buffer
	n, err := access.ExportJournal(t.Context(), &file, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	if report, err := audit.Verify(bytes.NewReader(file.Bytes())); err != nil || report.Entries != n || n < 4 {
		t.Errorf("%d entries: %+v, %v", n, report, err)
	}
	dbtest.Exec(t, dsn, "UPDATE journal SET body = REPLACE(body, 'alert.close', 'alert.raise') WHERE action = 'alert.close'")
	file.Reset()
	if _, err := access.ExportJournal(t.Context(), &file, false, 0); err != nil {
		t.Fatal(err)
	}
	if report, err := audit.Verify(&file); err == nil {
		t.Errorf("a changed journal verifies: %+v", report)
	}
}

// Whoever reads the audit log sees that somebody made a token or an account that
// may do everything.
func TestAuditLogShowsWhatWasMade(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	apiToken(t, r, time.Time{}, monitor.ScopeAdmin)
	userToken(t, r, "mallory", monitor.RoleAdmin)
	var log struct {
		Journal struct {
			Nodes []struct {
				Action  string
				Changes []struct {
					Kind   string
					Fields []struct {
						Field         string
						Before, After any
					}
				}
			}
		}
	}
	post(t, r.URL(), admin, `{ journal(first: 20) { nodes { action changes { kind fields { field before after } } } } }`, nil, &log)
	made := map[string]string{}
	for _, entry := range log.Journal.Nodes {
		for _, change := range entry.Changes {
			for _, f := range change.Fields {
				key := entry.Action + " " + f.Field
				if _, newer := made[key]; f.Before == nil && !newer {
					made[key] = fmt.Sprint(f.After)
				}
				if strings.Contains(strings.ToLower(f.Field), "hash") || strings.Contains(strings.ToLower(f.Field), "secret") {
					t.Errorf("%s shows %s", entry.Action, f.Field)
				}
			}
		}
	}
	if made["token.create scopes"] != "[admin]" || made["user.create role"] != "ADMIN" || made["user.create name"] != "mallory" {
		t.Errorf("the log shows %v", made)
	}
}
