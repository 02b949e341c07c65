package e2e

import (
	"context"
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

// bareJobs are jobs that nobody runs.
type bareJobs struct{ *db.Store }

func (bareJobs) VerifyJournal(context.Context, monitor.Actor) (*monitor.Job, error) { return nil, nil }

func (bareJobs) AlertBulk(context.Context, monitor.Actor, monitor.Bulk, *monitor.AlertFilter, []monitor.ID) (*monitor.Job, error) {
	return nil, nil
}

func (bareJobs) UndoBulk(context.Context, monitor.Actor, monitor.ID) (*monitor.Job, error) {
	return nil, nil
}

func (bareJobs) RuleBacktest(context.Context, monitor.Actor, monitor.BacktestSpec) (*monitor.Job, error) {
	return nil, nil
}

// bareBench knows no rules but what versions said.
type bareBench struct {
	resolvers.RuleBench
	store *db.Store
}

func (b bareBench) FiredRules(ctx context.Context, of []monitor.RuleAt) (map[monitor.RuleAt]*monitor.FiredRule, error) {
	texts, err := b.store.RuleTexts(ctx, of)
	out := map[monitor.RuleAt]*monitor.FiredRule{}
	for _, text := range texts {
		out[text.RuleAt] = monitor.NewFiredRule(text, &monitor.Rule{})
	}
	return out, err
}

// Ten times as many rows take no more queries, whatever is asked of each row.
func TestListsTakeAFixedNumberOfQueries(t *testing.T) {
	store, recorder := dbtest.Recorded(t, dbtest.DSN(t))
	root := &resolvers.Resolver{
		Alerts: store, Discussion: store, Events: store, Rules: store, Users: store, Incidents: store, IncidentReading: store, IncidentTasks: store,
		IncidentComments: store, Groupings: store, Suppressions: store, Assets: store, Kin: store, Journal: store, Audit: store, Sessions: store, Tokens: store,
		SavedViews: store, Jobs: bareJobs{Store: store}, Feed: stillFeed{}, Bench: bareBench{store: store},
		LoaderWait: 50 * time.Millisecond, // so that a busy machine does not make two queries of one
	}
	server := handler.New(graph.NewExecutableSchema(graph.Config{Resolvers: root}))
	server.AddTransport(transport.POST{})
	server.AroundResponses(root.Loaders)
	mux := http.NewServeMux()
	mux.HandleFunc("/api/graphql", func(w http.ResponseWriter, r *http.Request) {
		admin := &monitor.Viewer{User: &monitor.User{ID: monitor.ID{1}, Role: monitor.RoleAdmin}}
		server.ServeHTTP(w, r.WithContext(monitor.WithViewer(r.Context(), admin)))
	})
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)

	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var ids []monitor.ID // of all alerts
	grow := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			who, err := store.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: fmt.Sprintf("user%d", i), DisplayName: "x", Role: monitor.RoleAnalyst}, "x")
			must(err)
			_, err = store.CreateSession(t.Context(), who, [32]byte{byte(i)}, time.Hour, monitor.Session{Address: "192.0.2.1", Agent: "x"})
			must(err)
			_, err = store.CreateToken(t.Context(), monitor.SystemActor, monitor.APIToken{Name: "x", Scopes: []monitor.Scope{monitor.ScopeRead}, OwnerID: who.ID}, [32]byte{byte(i)})
			must(err)
			_, err = store.CreateSavedView(t.Context(), monitor.SystemActor, monitor.SavedView{Saved: monitor.Saved{Name: who.Name, Shared: true, OwnerID: who.ID}, Noun: monitor.LineAlerts})
			must(err)
			host := fmt.Sprintf("host-%d", i)
			_, err = store.CreateSuppression(t.Context(), monitor.Actor{Kind: monitor.ActorUser, ID: who.ID, Name: who.Name}, monitor.Suppression{
				Name: who.Name, Reason: "x", Enabled: true, AlertFilter: json.RawMessage(`{"host":{"eq":"elsewhere"}}`), EventFilter: json.RawMessage("{}"),
			}, time.Time{})
			must(err)
			event := testEvent(host)
			event.User, event.Outcome = who.Name, monitor.OutcomeSuccess
			_, err = store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{event}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}}})
			must(err)
			found, err := store.Alerts(t.Context(), &monitor.AlertFilter{Host: &monitor.StringFilter{Eq: &host}}, monitor.AlertsByCreated, page.Args{First: 1})
			must(err)
			id := found.Edges[0].Node.ID
			ids = append(ids, id)
			_, err = store.UpdateAlert(t.Context(), monitor.Actor{Kind: monitor.ActorUser, ID: who.ID, Name: who.Name}, monitor.ActionAlertAssign, id, nil, func(a *monitor.Alert, _ time.Time) error { a.AssigneeID = who.ID; return nil })
			must(err)
			_, _, err = store.AddComment(t.Context(), monitor.SystemActor, monitor.Comment{AlertID: ids[0], AuthorID: who.ID, Body: "@" + who.Name})
			must(err)
		}
		job, err := store.CreateBulk(t.Context(), monitor.SystemActor, monitor.Bulk{Action: monitor.BulkStart}, nil, ids)
		must(err)
		for !job.Finished() {
			job, err = store.BulkStep(t.Context(), job.ID)
			must(err)
		}
	}
	queries := map[string]string{
		"alerts":       `{ alerts(first: 100) { nodes { title assignee { name } rule { title } firedRule { references falsePositives fields } incident { title } mergedInto { title } hostAsset { name } userAsset { name } suppressions { name } claim { user { name } } prevalence { alerts } similar(first: 3) { alert { title } } } } }`,
		"assets":       `{ assets(first: 100) { nodes { name risk { score factors { alert { title } } } } } }`,
		"suppressions": `{ suppressions(first: 100) { nodes { name rules { title } createdBy { name user { name } } } } }`,
		"views":        `{ savedViews(first: 100) { nodes { name owner { name } } } }`,
		"users":        `{ users(first: 100) { nodes { name } } }`,
		"sessions":     `{ sessions(first: 100) { nodes { address user { name } } } }`,
		"tokens":       `{ tokens(first: 100) { nodes { name owner { name } } } }`,
		"events":       `{ events(first: 100) { nodes { host raw } } }`,
		"rules":        `{ rules(first: 100) { nodes { title } } }`,
		"journal":      `{ journal(first: 100) { nodes { action actor { name user { name } } changes { kind fields { field before after } } } } }`,
		"jobs":         `{ jobs(first: 1) { nodes { kind createdBy { name } items(first: 100) { nodes { state alert { title assignee { name } } } } } } }`,
		"comments":     `{ alerts(first: 1, orderBy: CREATED_AT_DESC, filter: {host: {eq: "host-0"}}) { nodes { comments(first: 100) { nodes { body author { name } mentions { name } } } journal(first: 100) { nodes { action changes { field before after } } } } } }`,
	}
	count := func(query string) (n int) {
		t.Helper()
		recorder.Take()
		post(t, web.URL, "", query, nil, &map[string]any{})
		for _, statement := range recorder.Take() {
			if strings.HasPrefix(statement, "SELECT") {
				n++
			}
		}
		return n
	}
	// Entities by their ids: those there are, and one that is not.
	byIDs := func() string {
		global := []string{monitor.GlobalID(monitor.KindAlert, monitor.ID{15: 99}.String())}
		for _, id := range ids {
			global = append(global, monitor.GlobalID(monitor.KindAlert, id.String()))
		}
		return fmt.Sprintf(`{ nodes(ids: ["%s"]) { ... on Alert { title assignee { name } rule { title } } } }`, strings.Join(global, `","`))
	}
	grow(0, 3)
	few := map[string]int{"nodes": count(byIDs())}
	for name, query := range queries {
		few[name] = count(query)
	}
	grow(3, 40)
	queries["nodes"] = byIDs()
	for name, query := range queries {
		many := count(query)
		t.Logf("%s: %d queries for 3 rows, %d for 40", name, few[name], many)
		if many == 0 || few[name] > 25 || many > few[name]+5 {
			t.Errorf("%s: %d queries for 3 rows, %d for 40", name, few[name], many)
		}
	}
}
