package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// A suppression from its preview to its end, over two replicas.
func TestAnalystSuppressesWhatIsKnown(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r, other := startReplica(t, cfg), startReplica(t, cfg)
	user(t, r, "ana", monitor.RoleAnalyst)
	user(t, r, "vic", monitor.RoleViewer)
	admin, ana, vic := login(t, r.URL(), "admin", testPassword), login(t, r.URL(), "ana", testPassword), login(t, r.URL(), "vic", testPassword)
	if _, err := r.Store.ImportRules(t.Context(), monitor.SystemActor, []*monitor.Rule{testRule(1)}); err != nil {
		t.Fatal(err)
	}
	raise(t, r, "build-1")
	raise(t, r, "build-1")
	rule := testRule(1).GlobalID()
	filter := map[string]any{"query": "host:build-*"}

	// What it would have hidden, before it is made; a viewer may ask, and make none.
	var preview struct{ SuppressionPreview map[string]any }
	post(t, r.URL(), vic, `query($i: SuppressionPreviewInput!) { suppressionPreview(input: $i) { since complete examined findings alerts smaller rules { alerts findings rule { title } } examples { host } } }`,
		map[string]any{"i": map[string]any{"rules": []string{rule}, "alertFilter": filter}}, &preview)
	if p := preview.SuppressionPreview; fmt.Sprint(p["findings"], p["alerts"], p["smaller"], p["complete"]) != "2 1 0 true" || pick(t, p, "rules", 0, "rule", "title") != testRule(1).Title || pick(t, p, "examples", 0, "host") != "build-1" {
		t.Errorf("the preview: %+v", p)
	}
	var empty struct{ SuppressionPreview map[string]any }
	post(t, r.URL(), vic, `{ suppressionPreview(input: {alertFilter: {host: {eq: "nobody"}}}) { findings rules { alerts } examples { id } } }`, nil, &empty)
	if fmt.Sprint(empty.SuppressionPreview) != "map[examples:[] findings:0 rules:[]]" {
		t.Errorf("a preview of nothing: %+v", empty)
	}
	const fields = `suppression { id version name reason state enabled anyRule rules { title } alertFilter eventFilter until hits lastHit createdBy { name user { name } } findings(first: 5) { nodes { at rule { title } event { host } } } journal(first: 5) { nodes { action } } }`
	input := map[string]any{"name": "Builds", "reason": "they do this all day", "rules": []string{rule}, "alertFilter": filter, "until": time.Now().Add(24 * time.Hour).Format(time.RFC3339)}
	for _, field := range []string{"suppressionCreate", "suppressionUpdate", "suppressionDelete", "suppressionEnable", "suppressionDisable"} {
		name := "S" + field[1:] + "Input"
		given := input
		if field != "suppressionCreate" {
			given = map[string]any{"id": "x"}
		}
		if a := post(t, r.URL(), vic, fmt.Sprintf(`mutation($i: %s!) { %s(input: $i) { errors { code } } }`, name, field), map[string]any{"i": given}, nil); a.code() != "FORBIDDEN" {
			t.Errorf("a viewer's %s: %+v", field, a)
		}
	}
	made, codes := mutate(t, r, ana, "suppressionCreate", "SuppressionCreateInput", fields, input)
	if codes != "" || pick(t, made, "suppression", "state") != "ACTIVE" || pick(t, made, "suppression", "createdBy", "user", "name") != "ana" ||
		fmt.Sprint(pick(t, made, "suppression", "alertFilter"), pick(t, made, "suppression", "eventFilter")) != "map[query:host:build-*] map[]" {
		t.Fatalf("%+v", made)
	}
	id := pick(t, made, "suppression", "id").(string)
	for name, spoilt := range map[string]map[string]any{
		"until": {"until": "2020-01-01T00:00:00Z"}, "reason": {"reason": "  "}, "alertFilter": {"rules": []string{}, "alertFilter": nil}, "rules": {"rules": []string{id}},
	} {
		bad := map[string]any{}
		for _, from := range []map[string]any{input, spoilt} {
			for k, v := range from {
				bad[k] = v
			}
		}
		if p, codes := mutate(t, r, ana, "suppressionCreate", "SuppressionCreateInput", fields, bad); codes != "BAD_INPUT" || pick(t, p, "errors", 0, "path", 1) != name {
			t.Errorf("a bad %s: %+v", name, p)
		}
	}

	// Here it works at once; the other replica hears of it through the journal.
	read := func() map[string]any {
		t.Helper()
		var data struct{ Node map[string]any }
		post(t, r.URL(), vic, `query($id: ID!) { node(id: $id) { ... on Suppression `+fields[len("suppression "):]+` } }`, map[string]any{"id": id}, &data)
		return data.Node
	}
	raise(t, r, "build-2")
	if s := read(); fmt.Sprint(pick(t, s, "hits")) != "1" || pick(t, s, "findings", "nodes", 0, "event", "host") != "build-2" || pick(t, s, "lastHit") == nil {
		t.Errorf("behind one finding: %+v", s)
	}
	raised := 0
	eventually(t, "the other replica suppresses too", func() bool {
		raise(t, other, fmt.Sprintf("build-x%d", raised))
		raised++
		return fmt.Sprint(pick(t, read(), "hits")) == "2"
	})
	hosts := func() (n int) {
		t.Helper()
		var data struct{ Alerts struct{ TotalCount int } }
		post(t, r.URL(), vic, `{ alerts(filter: {host: {startsWith: "build-"}}, first: 1) { totalCount } }`, nil, &data)
		return data.Alerts.TotalCount
	}
	if n := hosts(); n != raised { // build-1, and all but the last of build-x
		t.Errorf("%d alerts, want %d", n, raised)
	}
	raise(t, other, "web-1")
	var alert struct {
		Alerts struct {
			Nodes []struct {
				Host         string
				Suppressions []struct{ ID string }
			}
		}
		Journal struct {
			Nodes []struct {
				Suppressed []struct {
					SuppressionID string
					Suppression   struct{ Name string }
					Findings      int
				}
			}
		}
	}
	post(t, r.URL(), admin, `{ alerts(filter: {host: {in: ["build-1", "web-1"]}}, first: 2, orderBy: CREATED_AT_DESC) { nodes { host suppressions { id } } }
		journal(filter: {action: {eq: "event.ingest"}}, first: 2) { nodes { suppressed { suppressionId suppression { name } findings } } } }`, nil, &alert)
	if nodes := alert.Alerts.Nodes; len(nodes) != 2 || len(nodes[0].Suppressions) != 0 || len(nodes[1].Suppressions) != 1 || nodes[1].Suppressions[0].ID != id {
		t.Errorf("what covers the alerts: %+v", nodes)
	}
	if nodes := alert.Journal.Nodes; len(nodes) != 2 || len(nodes[0].Suppressed) != 0 || len(nodes[1].Suppressed) != 1 || nodes[1].Suppressed[0].Findings != 1 ||
		nodes[1].Suppressed[0].SuppressionID != id || nodes[1].Suppressed[0].Suppression.Name != "Builds" {
		t.Errorf("the journal: %+v", nodes)
	}

	// It is switched off and on, changed, and ends by itself, which is told.
	if p, codes := mutate(t, r, ana, "suppressionDisable", "SuppressionDisableInput", fields, map[string]any{"id": id, "expectedVersion": 1}); codes != "" || pick(t, p, "suppression", "state") != "DISABLED" {
		t.Errorf("%+v", p)
	}
	before := hosts()
	raise(t, r, "build-3")
	if n := hosts(); n != before+1 {
		t.Errorf("off, it hides still: %d alerts, before %d", n, before)
	}
	if p, codes := mutate(t, r, ana, "suppressionEnable", "SuppressionEnableInput", fields, map[string]any{"id": id, "expectedVersion": 1}); codes != "CONFLICT" || fmt.Sprint(pick(t, p, "suppression", "version")) != "2" {
		t.Errorf("at an old version: %+v", p)
	}
	mutate(t, r, ana, "suppressionEnable", "SuppressionEnableInput", fields, map[string]any{"id": id})
	if p, codes := mutate(t, r, ana, "suppressionUpdate", "SuppressionUpdateInput", fields, map[string]any{"id": id, "until": time.Now().Add(2 * time.Second).Format(time.RFC3339Nano), "eventFilter": map[string]any{"user": map[string]any{"exists": true}}}); codes != "" ||
		fmt.Sprint(pick(t, p, "suppression", "eventFilter")) != "map[user:map[exists:true]]" || pick(t, p, "suppression", "name") != "Builds" {
		t.Errorf("%+v", p)
	}
	eventually(t, "its end is in the journal", func() bool {
		return pick(t, read(), "journal", "nodes", 0, "action") == "suppression.expire"
	})
	if s := read(); pick(t, s, "state") != "EXPIRED" {
		t.Errorf("behind its end: %+v", s)
	}
	before = hosts()
	raise(t, other, "build-4")
	if n := hosts(); n != before+1 {
		t.Errorf("over, it hides still: %d alerts, before %d", n, before)
	}
	if _, codes := mutate(t, r, ana, "suppressionDelete", "SuppressionDeleteInput", "suppression { id }", map[string]any{"id": id}); codes != "" {
		t.Errorf("deleting: %s", codes)
	}
	if s := read(); s != nil {
		t.Errorf("deleted: %+v", s)
	}
}
