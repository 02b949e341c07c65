package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// A list is imported on one replica; the other finds what it warns of within a
// second, and stops when it is over.
func TestIndicatorImportedOnOneReplicaRaisesAlertsOnTheOther(t *testing.T) {
	dsn, redis := dbtest.DSN(t), startRedis(t).URL()
	one := startReplica(t, config(t, dsn, redis))
	two := startReplica(t, config(t, dsn, redis))
	admin, token := login(t, one.URL(), "admin", testPassword), ingestToken(t, two)
	type indicator struct {
		ID, Value, State string
		Version          int
		Sightings        struct{ Count, Alerts int }
		Alerts           struct{ Nodes []struct{ ID string } }
		Others           []struct{ Source string }
	}
	const fields = `{ id version value state sightings { count alerts firstSeen lastSeen } alerts(first: 5) { nodes { id } } others { source } }`
	var list strings.Builder
	list.WriteString("ioc,confidence\n")
	for i := range 3_000 {
		fmt.Fprintf(&list, "198.51.%d.%d,80\n", 100+i/250, i%250+1)
	}
	list.WriteString("203.0.113.7,90\nnonsense,1\n")
	var imported struct {
		IndicatorImport struct {
			Report struct {
				Read, Added, Refused int
				Problems             []struct {
					Position int
					Message  string
				}
			}
			Errors []struct{ Message string }
		}
	}
	importList := func(format, text string) {
		t.Helper()
		post(t, one.URL(), admin, `mutation($i: IndicatorImportInput!) { indicatorImport(input: $i) { report { read added refused problems { position message } } errors { message } } }`,
			map[string]any{"i": map[string]any{"format": format, "text": text, "source": "abuse.ch", "severity": "HIGH", "first": 1}}, &imported)
	}
	begun := time.Now()
	importList("CSV", list.String())
	report := imported.IndicatorImport.Report
	if report.Added != 3_001 || report.Refused != 1 || len(report.Problems) != 1 || report.Problems[0].Position != 3_003 {
		t.Fatalf("report %+v, %v", report, imported.IndicatorImport.Errors)
	}
	committed := time.Now()
	sendOne := func(address string) {
		t.Helper()
		body := fmt.Sprintf(`{"time":%q,"host":"web-1","src_ip":%q,"message":"connected"}`, time.Now().UTC().Format(time.RFC3339), address)
		if status, answer := sendEvents(t, two.URL(), token, []byte(body)); status != 200 {
			t.Fatalf("status %d, %v", status, answer)
		}
	}
	var alerts struct {
		Alerts struct {
			Nodes []struct {
				ID, Title, Severity, RuleAuthor string
				Rule                            *struct{ ID string }
				Indicator                       *struct {
					ID, Source string
					Confidence int
				}
				Evidence struct {
					Nodes []struct{ Matched []monitor.MatchedField }
				}
			}
		}
	}
	raised := func() int {
		t.Helper()
		post(t, two.URL(), admin, `{ alerts(first: 10) { nodes { id title severity ruleAuthor rule { id } indicator { id source confidence } evidence(first: 1) { nodes { matched { field value pattern selection } } } } } }`, nil, &alerts)
		return len(alerts.Alerts.Nodes)
	}
	eventually(t, "an alert on the other replica", func() bool { sendOne("203.0.113.7"); return raised() > 0 })
	t.Logf("import took %s, the alert came %s after it", committed.Sub(begun), time.Since(committed))
	alert := alerts.Alerts.Nodes[0]
	if alert.Title != "Indicator: 203.0.113.7 (abuse.ch)" || alert.Severity != "HIGH" || alert.Rule != nil || alert.Indicator == nil || alert.Indicator.Confidence != 90 {
		t.Fatalf("alert %+v", alert)
	}
	if m := alert.Evidence.Nodes[0].Matched; len(m) != 1 || m[0].Field != "source.ip" || m[0].Value != "203.0.113.7" || m[0].Pattern != "203.0.113.7" {
		t.Errorf("evidence %+v", m)
	}
	sendOne("192.0.2.1")
	if n := raised(); n != 1 {
		t.Errorf("%d alerts; what nobody warns of raised one", n)
	}
	get := func() indicator {
		t.Helper()
		var data struct{ Indicator indicator }
		post(t, one.URL(), admin, `query($id: ID!) { indicator(id: $id) `+fields+` }`, map[string]any{"id": alert.Indicator.ID}, &data)
		return data.Indicator
	}
	now := get()
	if now.State != "ACTIVE" || now.Sightings.Count < 1 || now.Sightings.Alerts != 1 || len(now.Alerts.Nodes) != 1 || now.Alerts.Nodes[0].ID != alert.ID {
		t.Errorf("indicator %+v", now)
	}
	importList("STIX", `{"objects":[{"type":"indicator","id":"indicator--1","pattern":"[ipv4-addr:value ISSUBSET '203.0.113.0/24']"}]}`)
	var entity struct {
		Entity struct{ Indicators []struct{ Value string } }
	}
	post(t, two.URL(), admin, `{ entity(kind: ADDRESS, value: "203.0.113.7") { indicators { value } } }`, nil, &entity)
	if len(entity.Entity.Indicators) != 2 {
		t.Errorf("of the address %+v", entity)
	}
	end := func(id string) {
		t.Helper()
		var ended struct {
			IndicatorUpdate struct {
				Indicator indicator
				Errors    []struct{ Message string }
			}
		}
		post(t, one.URL(), admin, `mutation($i: IndicatorUpdateInput!) { indicatorUpdate(input: $i) { indicator `+fields+` errors { message } } }`,
			map[string]any{"i": map[string]any{"id": id, "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2026-01-02T00:00:00Z"}}, &ended)
		if ended.IndicatorUpdate.Indicator.State != "EXPIRED" {
			t.Fatalf("ended %+v", ended)
		}
	}
	end(alert.Indicator.ID)
	network := monitor.GlobalID(monitor.KindIndicator, monitor.IndicatorID(monitor.IndicatorNetwork, "203.0.113.0/24", "abuse.ch").String())
	end(network)
	eventually(t, "no more matches", func() bool {
		before := get().Sightings.Count
		sendOne("203.0.113.7")
		return get().Sightings.Count == before
	})
	var node struct{ Node struct{ Typename string } }
	post(t, two.URL(), admin, `query($id: ID!) { node(id: $id) { typename: __typename } }`, map[string]any{"id": network}, &node)
	if node.Node.Typename != "Indicator" {
		t.Errorf("node %+v", node)
	}
}
