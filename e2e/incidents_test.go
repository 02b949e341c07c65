package e2e

import (
	"database/sql" //nolint:depguard // to ask the server how much it was asked
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"           //nolint:depguard // a running app asks the database by itself, too
	"github.com/99designs/gqlgen/graphql/handler/transport" //nolint:depguard // as above

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
	"github.com/security-monitor/secmon/resolvers"
)

// mutate runs a mutation of one field and gives its payload; the codes of its
// errors stand in the second value.
func mutate(t *testing.T, r *replica, bearer, field, inputType, selection string, input map[string]any) (payload map[string]any, codes string) {
	t.Helper()
	var data map[string]map[string]any
	post(t, r.URL(), bearer, fmt.Sprintf("mutation($i: %s!) { %s(input: $i) { %s errors { code message path } } }", inputType, field, selection), map[string]any{"i": input}, &data)
	payload = data[field]
	errs, _ := payload["errors"].([]any)
	for _, e := range errs {
		codes += fmt.Sprint(e.(map[string]any)["code"])
	}
	return payload, codes
}

// pick follows keys and indexes into an answer.
func pick(t *testing.T, in any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch at := step.(type) {
		case string:
			object, ok := in.(map[string]any)
			if !ok {
				t.Fatalf("%v: no object at %v", in, step)
			}
			in = object[at]
		case int:
			list, ok := in.([]any)
			if !ok || at >= len(list) {
				t.Fatalf("%v: no item %d", in, at)
			}
			in = list[at]
		}
	}
	return in
}

// An incident from its opening by a grouping on another replica to its report.
func TestAnalystWorksAnIncident(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r, other := startReplica(t, cfg), startReplica(t, cfg)
	ana, bob := user(t, r, "ana", monitor.RoleAnalyst), user(t, r, "bob", monitor.RoleAnalyst)
	admin, token := login(t, r.URL(), "admin", testPassword), login(t, r.URL(), "ana", testPassword)
	grouping := map[string]any{"name": "Three of a rule", "fields": []string{"RULE"}, "window": "PT1H", "minimumCount": 3, "filter": map[string]any{"host": map[string]any{"startsWith": "web"}}}
	const groupingFields = "grouping { id version name enabled filter fields window minimumCount }"
	if a := post(t, r.URL(), token, `mutation($i: IncidentGroupingCreateInput!) { incidentGroupingCreate(input: $i) { errors { code } } }`, map[string]any{"i": grouping}, nil); a.code() != "FORBIDDEN" {
		t.Errorf("an analyst makes a grouping: %+v", a)
	}
	made, codes := mutate(t, r, admin, "incidentGroupingCreate", "IncidentGroupingCreateInput", groupingFields, grouping)
	if codes != "" || fmt.Sprint(pick(t, made, "grouping", "filter")) != "map[host:map[startsWith:web]]" || pick(t, made, "grouping", "window") != "PT1H" {
		t.Fatalf("%+v", made)
	}
	for name, spoilt := range map[string]map[string]any{"window": {"window": "PT0S"}, "fields": {"fields": []string{}}, "minimumCount": {"minimumCount": 0}} {
		bad := map[string]any{}
		for k, v := range grouping {
			bad[k] = v
		}
		for k, v := range spoilt {
			bad[k] = v
		}
		if p, codes := mutate(t, r, admin, "incidentGroupingCreate", "IncidentGroupingCreateInput", groupingFields, bad); codes != "BAD_INPUT" || pick(t, p, "errors", 0, "path", 1) != name {
			t.Errorf("a bad %s: %+v", name, p)
		}
	}
	incidentsFeed := subscribed(t, r, token, `subscription { incidentFeed { cursor entries { change action incident { id version } } } }`, nil)
	// The other replica hears of the grouping through the journal.
	deadline := time.Now().Add(20 * time.Second)
	var id string
	for host := 0; id == ""; host++ {
		raise(t, other, fmt.Sprintf("web-%d", host))
		var list struct {
			Incidents struct{ Nodes []struct{ ID string } }
		}
		post(t, r.URL(), token, `{ incidents(filter: {alertCount: {gte: 3}}, first: 5) { nodes { id } } }`, nil, &list)
		if len(list.Incidents.Nodes) > 0 {
			id = list.Incidents.Nodes[0].ID
		}
		if time.Now().After(deadline) {
			t.Fatal("no incident opened")
		}
	}
	alertsFeed := subscribed(t, r, token, `subscription($f: AlertFilter) { alertFeed(filter: $f) { entries { change action alert { host incident { id } } } } }`, map[string]any{"f": map[string]any{"incident": map[string]any{"eq": id}}})
	const got = "incident { id version title status description disposition reason assignee { name } alertCount taskCount tasksDone commentCount mergedInto { id } }"
	updated, codes := mutate(t, r, token, "incidentUpdate", "IncidentUpdateInput", got, map[string]any{"id": id, "title": "Break-in", "status": "IN_PROGRESS", "assignee": ana.GlobalID()})
	if codes != "" || pick(t, updated, "incident", "assignee", "name") != "ana" || pick(t, updated, "incident", "status") != "IN_PROGRESS" {
		t.Errorf("%+v", updated)
	}
	updated, _ = mutate(t, r, token, "incidentUpdate", "IncidentUpdateInput", got, map[string]any{"id": id, "severity": "CRITICAL"})
	if pick(t, updated, "incident", "assignee", "name") != "ana" || pick(t, updated, "incident", "title") != "Break-in" {
		t.Errorf("what was left out did not stay: %+v", updated)
	}
	updated, _ = mutate(t, r, token, "incidentUpdate", "IncidentUpdateInput", got, map[string]any{"id": id, "assignee": nil})
	if pick(t, updated, "incident", "assignee") != nil {
		t.Errorf("null assigns nobody: %+v", updated)
	}
	if _, codes := mutate(t, r, token, "incidentUpdate", "IncidentUpdateInput", got, map[string]any{"id": id, "status": "CLOSED"}); codes != "BAD_INPUT" {
		t.Errorf("closing without a reason gives %q", codes)
	}
	if p, codes := mutate(t, r, token, "incidentAssign", "IncidentAssignInput", got, map[string]any{"id": id, "assignee": bob.GlobalID(), "expectedVersion": 1}); codes != "CONFLICT" || pick(t, p, "incident", "title") != "Break-in" {
		t.Errorf("a stale version: %+v", p)
	}
	mutate(t, r, token, "incidentAssign", "IncidentAssignInput", got, map[string]any{"id": id, "assignee": bob.GlobalID()})
	task, codes := mutate(t, r, token, "incidentTaskAdd", "IncidentTaskAddInput", "task { id version dueAt assignee { name } } "+got, map[string]any{"incident": id, "title": "isolate", "assignee": bob.GlobalID(), "due": "2026-06-01T00:00:00Z"})
	if codes != "" || pick(t, task, "task", "assignee", "name") != "bob" || pick(t, task, "task", "dueAt") != "2026-06-01T00:00:00Z" {
		t.Fatalf("%+v", task)
	}
	done, codes := mutate(t, r, token, "incidentTaskUpdate", "IncidentTaskUpdateInput", "task { done dueAt doneAt assignee { name } } "+got, map[string]any{"id": pick(t, task, "task", "id"), "done": true, "due": nil})
	if codes != "" || pick(t, done, "task", "done") != true || pick(t, done, "task", "dueAt") != nil || pick(t, done, "task", "assignee", "name") != "bob" || fmt.Sprint(pick(t, done, "incident", "tasksDone")) != "1" {
		t.Errorf("%+v", done)
	}
	comment, codes := mutate(t, r, token, "incidentComment", "IncidentCommentInput", "comment { body author { name } mentions { name } }", map[string]any{"id": id, "body": "@Bob, see <script>; not @nobody, not x@ana"})
	if codes != "" || fmt.Sprint(pick(t, comment, "comment", "mentions")) != "[map[name:bob]]" {
		t.Errorf("%+v", comment)
	}
	// More alerts, merge and split.
	var list struct {
		Alerts struct {
			Nodes []struct {
				ID       string
				Incident *struct{ ID string }
			}
		}
	}
	raise(t, r, "db-1", "db-2")
	post(t, r.URL(), token, `{ alerts(filter: {host: {startsWith: "db"}}, first: 5) { nodes { id incident { id } } } }`, nil, &list)
	if len(list.Alerts.Nodes) != 2 || list.Alerts.Nodes[0].Incident != nil {
		t.Fatalf("%+v", list)
	}
	second, _ := mutate(t, r, token, "incidentCreate", "IncidentCreateInput", got, map[string]any{"title": "Second", "severity": "LOW", "alerts": []string{list.Alerts.Nodes[0].ID}})
	merged, codes := mutate(t, r, token, "incidentMerge", "IncidentMergeInput", got, map[string]any{"into": id, "from": []any{pick(t, second, "incident", "id")}})
	if codes != "" || pick(t, merged, "incident", "id") != id {
		t.Errorf("%+v", merged)
	}
	if p, codes := mutate(t, r, token, "incidentAddAlerts", "IncidentAddAlertsInput", got, map[string]any{"id": id, "filter": map[string]any{"host": map[string]any{"eq": "db-2"}}, "alerts": []string{list.Alerts.Nodes[1].ID}}); codes != "BAD_INPUT" {
		t.Errorf("alerts and filter: %+v", p)
	}
	mutate(t, r, token, "incidentAddAlerts", "IncidentAddAlertsInput", got, map[string]any{"id": id, "filter": map[string]any{"host": map[string]any{"startsWith": "db"}}})
	split, codes := mutate(t, r, token, "incidentSplit", "IncidentSplitInput", got+" created { id title severity alertCount }", map[string]any{"id": id, "alerts": []string{list.Alerts.Nodes[0].ID}, "title": "Third"})
	if codes != "" || pick(t, split, "created", "severity") != "CRITICAL" || fmt.Sprint(pick(t, split, "created", "alertCount")) != "1" {
		t.Errorf("%+v", split)
	}
	var changes []string
	for len(changes) < 3 {
		for _, e := range read[struct {
			Entries []struct {
				Change, Action string
				Alert          struct{ Host string }
			}
		}](t, alertsFeed, "alertFeed").Entries {
			changes = append(changes, e.Change+" "+e.Action)
		}
	}
	if fmt.Sprint(changes) != "[ENTERED alert.incident ENTERED alert.incident LEFT alert.incident]" {
		t.Errorf("the feed of the incident's alerts told %v", changes)
	}
	closed, codes := mutate(t, r, token, "incidentClose", "IncidentCloseInput", got, map[string]any{"id": id, "disposition": "TRUE_POSITIVE", "reason": "contained"})
	if codes != "" || pick(t, closed, "incident", "disposition") != "TRUE_POSITIVE" {
		t.Errorf("%+v", closed)
	}
	mutate(t, r, token, "incidentReopen", "IncidentReopenInput", got, map[string]any{"id": id, "reason": "again"})
	var told string
	for !strings.Contains(told, "incident.reopen") {
		for _, e := range read[struct{ Entries []struct{ Action string } }](t, incidentsFeed, "incidentFeed").Entries {
			told += e.Action + " "
		}
	}
	for _, action := range []string{"group", "update", "assign", "taskAdd", "taskUpdate", "comment", "create", "merge", "addAlerts", "split", "close"} {
		if !strings.Contains(told, "incident."+action+" ") {
			t.Errorf("the feed of incidents left out %s: %s", action, told)
		}
	}
	var whole struct{ Incident map[string]any }
	post(t, r.URL(), token, `query($id: ID!) { incident(id: $id) { status firstSeen lastSeen grouping { name } alertCounts { total } tasks { title } comments(first: 5) { nodes { body } }
		entities { hosts { value count } isEstimate } techniques { value } alerts(filter: {host: {startsWith: "db"}}, first: 5) { totalCount nodes { host } }
		timeline(first: 100) { nodes { cursor at action actor { name } alert { host } comment { body } changes { field before after } } } } }`, map[string]any{"id": id}, &whole)
	if i := whole.Incident; pick(t, i, "status") != "IN_PROGRESS" || pick(t, i, "firstSeen") == nil || pick(t, i, "grouping", "name") != "Three of a rule" ||
		fmt.Sprint(pick(t, i, "alerts", "totalCount")) != "1" || pick(t, i, "timeline", "nodes", 0, "action") != "incident.reopen" {
		t.Errorf("%+v", whole)
	}
	for format, want := range map[string]string{"MARKDOWN": "# Break-in", "JSON": `"title": "Break-in"`, "HTML": "<h1>Break-in</h1>"} {
		var report struct {
			IncidentReport struct{ Content, FileName, ContentType string }
		}
		post(t, r.URL(), token, `query($id: ID!, $f: ReportFormat!) { incidentReport(id: $id, format: $f) { content fileName contentType } }`, map[string]any{"id": id, "f": format}, &report)
		if c := report.IncidentReport.Content; !strings.Contains(c, want) || strings.Contains(c, "<script>") || !strings.Contains(c, "isolate") {
			t.Errorf("%s: %s", format, c)
		}
	}
	if _, codes := mutate(t, r, admin, "incidentGroupingDelete", "IncidentGroupingDeleteInput", groupingFields, map[string]any{"id": pick(t, made, "grouping", "id")}); codes != "" {
		t.Errorf("deleting the grouping: %s", codes)
	}
}

// stillFeed is the feed of a server on which nothing happens.
type stillFeed struct{ resolvers.Feed }

func (stillFeed) Position() monitor.Position                { return monitor.Position{} }
func (stillFeed) PositionOf(monitor.Entry) monitor.Position { return monitor.Position{} }

func TestListsOfIncidentsTakeAFixedNumberOfQueries(t *testing.T) {
	dsn := dbtest.DSN(t)
	store, err := db.Open(t.Context(), db.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = handle.Close() })
	root := &resolvers.Resolver{
		Alerts: store, Discussion: store, Events: store, Rules: store, Users: store, Incidents: store, IncidentMoves: store, IncidentReading: store,
		IncidentTasks: store, IncidentComments: store, Groupings: store, Assets: store, Kin: store, Journal: store, Feed: stillFeed{},
		LoaderWait: 50 * time.Millisecond, // so that a busy machine does not make two queries of one
	}
	server := handler.New(graph.NewExecutableSchema(graph.Config{Resolvers: root}))
	server.AddTransport(transport.POST{})
	server.AroundResponses(root.Loaders)
	mux := http.NewServeMux()
	mux.Handle("/api/graphql", server)
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)

	grouping, err := store.CreateIncidentGrouping(t.Context(), monitor.SystemActor, monitor.IncidentGrouping{
		Name: "each", Enabled: true, Filter: json.RawMessage("{}"), Fields: []monitor.GroupingField{monitor.GroupByHost}, Window: time.Hour, MinimumCount: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	grow := func(from, to int) {
		t.Helper()
		b := &monitor.Batch{}
		for i := from; i < to; i++ {
			b.Events = append(b.Events, testEvent(fmt.Sprintf("host-%d", i)))
			b.Findings = append(b.Findings, monitor.Finding{Event: i - from, Rule: testRule(1)})
		}
		if _, err := store.StoreBatch(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("user%d", from)
		who, err := store.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: name, Role: monitor.RoleAnalyst}, "x")
		if err != nil {
			t.Fatal(err)
		}
		id := grouping.GlobalID()
		list, err := store.Incidents(t.Context(), &monitor.IncidentFilter{Grouping: &monitor.IDFilter{Eq: &id}}, page.Args{First: 500})
		if err != nil || len(list.Edges) != to {
			t.Fatalf("%d incidents, %v, want %d", len(list.Edges), err, to)
		}
		for _, i := range list.Nodes() {
			if _, err := store.UpdateIncident(t.Context(), monitor.SystemActor, monitor.ActionIncidentAssign, i.ID, nil, func(i *monitor.Incident, _ time.Time) error { i.AssigneeID = who.ID; return nil }); err != nil {
				t.Fatal(err)
			}
			if _, _, err := store.AddIncidentTask(t.Context(), monitor.SystemActor, monitor.IncidentTask{IncidentID: i.ID, Title: "look", AssigneeID: who.ID}); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := store.AddIncidentComment(t.Context(), monitor.SystemActor, monitor.Comment{IncidentID: list.Edges[0].Node.ID, Body: "@user0 and @user2 and @user" + fmt.Sprint(from)}); err != nil {
			t.Fatal(err)
		}
	}
	queries := map[string]string{
		"incidents": `{ incidents(first: 100) { nodes { title assignee { name } grouping { name } mergedInto { id } alertCounts { total byStatus { count } } firstSeen lastSeen tasks { title assignee { name } } } } }`,
		"alerts":    `{ alerts(first: 100) { nodes { title incident { title assignee { name } } } } }`,
		"timeline":  `{ incidents(filter: {title: {contains: "host-0"}}, first: 1) { nodes { timeline(first: 100) { nodes { action alert { title } comment { mentions { name } } } } } } }`,
		"groupings": `{ incidentGroupings { name } }`,
	}
	count := func(query string) int {
		t.Helper()
		before := comSelects(t, handle)
		post(t, web.URL, "", query, nil, &map[string]any{})
		return comSelects(t, handle) - before
	}
	grow(0, 2)
	grow(2, 4) // now tasks have people who have no incident: one query more
	few := map[string]int{}
	for name, query := range queries {
		few[name] = count(query)
	}
	grow(4, 40)
	for name, query := range queries {
		if many := count(query); many > few[name] || few[name] > 12 || many == 0 {
			t.Errorf("%s: %d queries with 4 incidents, %d with 40", name, few[name], many)
		}
	}
}

// comSelects tells how many SELECTs the server has run.
func comSelects(t *testing.T, handle *sql.DB) int {
	t.Helper()
	var name string
	var n int
	if err := handle.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Com_select'").Scan(&name, &n); err != nil {
		t.Fatal(err)
	}
	return n
}
