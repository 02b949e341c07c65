package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

const (
	viewFields      = `view { id version name description noun query orderBy columns shared owner { name } }`
	operationFields = `operation { id version name kind document variables shared owner { name } }`
)

// What somebody keeps is theirs until they share it; then everybody sees it, and
// they and administrators change it.
func TestViewsArePrivateUntilShared(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	ana, ben, vic := userToken(t, r, "ana", monitor.RoleAnalyst), userToken(t, r, "ben", monitor.RoleAnalyst), userToken(t, r, "vic", monitor.RoleViewer)
	create := func(bearer string, input map[string]any) (map[string]any, string) {
		t.Helper()
		return mutate(t, r, bearer, "savedViewCreate", "SavedViewCreateInput", viewFields, input)
	}
	update := func(bearer string, input map[string]any) (map[string]any, string) {
		t.Helper()
		return mutate(t, r, bearer, "savedViewUpdate", "SavedViewUpdateInput", viewFields, input)
	}
	view := map[string]any{"name": "Web servers", "noun": "ALERTS", "query": "host:web-* severity:>=high", "orderBy": "SEVERITY_DESC", "columns": []string{"severity", "title", "host"}}
	made, codes := create(ana, view)
	id := pick(t, made, "view", "id")
	if codes != "" || pick(t, made, "view", "owner", "name") != "ana" || pick(t, made, "view", "columns", 2) != "host" {
		t.Fatalf("%v %s", made, codes)
	}
	names := func(bearer string) (out []string) {
		t.Helper()
		var got struct {
			SavedViews struct{ Nodes []struct{ Name string } }
		}
		post(t, r.URL(), bearer, `{ savedViews(noun: ALERTS, first: 100) { nodes { name } } }`, nil, &got)
		for _, n := range got.SavedViews.Nodes {
			out = append(out, n.Name)
		}
		return out
	}
	if got := names(ana); fmt.Sprint(got) != "[Web servers]" {
		t.Errorf("ana sees %v", got)
	}
	if got := append(names(ben), names(admin)...); len(got) != 0 {
		t.Errorf("others see %v", got)
	}
	if _, codes := update(admin, map[string]any{"id": id, "name": "x"}); codes != "NOT_FOUND" {
		t.Errorf("an administrator changes what is private: %s", codes)
	}
	var node struct{ Node *struct{ Name string } }
	post(t, r.URL(), ben, `query($id: ID!) { node(id: $id) { ... on SavedView { name } } }`, map[string]any{"id": id}, &node)
	if node.Node != nil {
		t.Errorf("by its id others see %v", node.Node)
	}

	shared, codes := update(ana, map[string]any{"id": id, "shared": true, "orderBy": nil, "expectedVersion": 1})
	if codes != "" || pick(t, shared, "view", "orderBy") != nil || pick(t, shared, "view", "version") != 2.0 || pick(t, shared, "view", "query") != view["query"] {
		t.Fatalf("%v %s", shared, codes)
	}
	if got := names(vic); len(got) != 1 {
		t.Errorf("a viewer sees %v of what is shared", got)
	}
	if a := post(t, r.URL(), ben, `mutation($i: SavedViewUpdateInput!) { savedViewUpdate(input: $i) { errors { code } } }`, map[string]any{"i": map[string]any{"id": id, "name": "x"}}, nil); a.code() != "FORBIDDEN" {
		t.Errorf("another analyst changes it: %+v", a)
	}
	if a := post(t, r.URL(), ben, `mutation($i: SavedViewDeleteInput!) { savedViewDelete(input: $i) { errors { code } } }`, map[string]any{"i": map[string]any{"id": id}}, nil); a.code() != "FORBIDDEN" {
		t.Errorf("another analyst takes it away: %+v", a)
	}
	if _, codes := update(admin, map[string]any{"id": id, "description": "for the night shift"}); codes != "" {
		t.Errorf("an administrator changes what is shared: %s", codes)
	}
	if _, codes := update(ana, map[string]any{"id": id, "name": "y", "expectedVersion": 2}); codes != "CONFLICT" {
		t.Errorf("an old version: %s", codes)
	}
	if _, codes := create(vic, map[string]any{"name": "mine", "noun": "EVENTS"}); codes != "" {
		t.Errorf("a viewer keeps a view: %s", codes)
	}
	if a := post(t, r.URL(), vic, `mutation { savedViewCreate(input: {name: "x", noun: EVENTS, shared: true}) { errors { code } } }`, nil, nil); a.code() != "FORBIDDEN" {
		t.Errorf("a viewer shares: %+v", a)
	}
	for field, bad := range map[string]map[string]any{
		"name":    {"name": " ", "noun": "ALERTS"},
		"query":   {"name": "x", "noun": "ALERTS", "query": "hots:web"},
		"orderBy": {"name": "x", "noun": "INCIDENTS", "orderBy": "SEVERITY_DESC"},
		"columns": {"name": "x", "noun": "ALERTS", "columns": []string{"a", "<script>"}},
	} {
		if p, codes := create(ana, bad); codes != "BAD_INPUT" || pick(t, p, "view") != nil {
			t.Errorf("%s: %s %v", field, codes, p)
		}
	}
	if _, codes := mutate(t, r, ana, "savedViewDelete", "SavedViewDeleteInput", viewFields, map[string]any{"id": id, "expectedVersion": 3}); codes != "" {
		t.Errorf("its owner takes it away: %s", codes)
	}
	if got := names(admin); len(got) != 0 {
		t.Errorf("it is still there: %v", got)
	}
}

// An operation of the playground is kept as a tile or a feed, and only where it
// would run.
func TestSavedOperationsFitTheSchema(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	ana := userToken(t, r, "ana", monitor.RoleAnalyst)
	create := func(bearer string, input map[string]any) (map[string]any, string) {
		t.Helper()
		return mutate(t, r, bearer, "savedOperationCreate", "SavedOperationCreateInput", operationFields, input)
	}
	const query, feed = `query Open($n: Int!) { alerts(first: $n) { nodes { title } } }`, `subscription { alertFeed { cursor } }`
	made, codes := create(ana, map[string]any{"name": "Open alerts", "kind": "TILE", "document": query, "variables": `{ "n": 5 }`})
	if codes != "" || pick(t, made, "operation", "variables", "n") != 5.0 || pick(t, made, "operation", "document") != query {
		t.Fatalf("%v %s", made, codes)
	}
	if _, codes := create(ana, map[string]any{"name": "All alerts", "kind": "FEED", "document": feed, "shared": true}); codes != "" {
		t.Errorf("a feed: %s", codes)
	}
	for name, c := range map[string]struct {
		input map[string]any
		says  string
	}{
		"a field that is not there":     {map[string]any{"kind": "TILE", "document": `{ secrets }`}, "secrets"},
		"no GraphQL":                    {map[string]any{"kind": "SNIPPET", "document": `hello`}, "does not fit"},
		"two operations":                {map[string]any{"kind": "SNIPPET", "document": `query A { viewer { role } } query B { viewer { role } }`}, "2 operations"},
		"a query as a feed":             {map[string]any{"kind": "FEED", "document": `{ viewer { role } }`}, "subscription"},
		"a mutation as a tile":          {map[string]any{"kind": "TILE", "document": `mutation { sessionLogout { errors { code } } }`}, "query"},
		"a variable that is missing":    {map[string]any{"kind": "TILE", "document": query}, "variables"},
		"a variable of another type":    {map[string]any{"kind": "TILE", "document": query, "variables": `{"n": "five"}`}, "variables"},
		"variables that are no object":  {map[string]any{"kind": "TILE", "document": query, "variables": `[5]`}, "object"},
		"variables that are null":       {map[string]any{"kind": "TILE", "document": query, "variables": `null`}, "object"},
		"a document that is too long":   {map[string]any{"kind": "SNIPPET", "document": `{ viewer { role } } #` + strings.Repeat("x", 33<<10)}, "at most"},
		"a name that is only for looks": {map[string]any{"name": "\u0000", "kind": "FEED", "document": feed}, "text"},
	} {
		if c.input["name"] == nil {
			c.input["name"] = name
		}
		p, codes := create(ana, c.input)
		if codes != "BAD_INPUT" || !strings.Contains(fmt.Sprint(pick(t, p, "errors", 0, "message")), c.says) {
			t.Errorf("%s: %s %v", name, codes, p)
		}
	}
	// A document whose fragments double at each step is refused before it is validated.
	bomb := `query { ...F0 } fragment F40 on Query { viewer { role } }`
	for i := range 40 {
		bomb += fmt.Sprintf(` fragment F%d on Query { ...F%d ...F%d }`, i, i+1, i+1)
	}
	if a := post(t, r.URL(), ana, `mutation($d: String!) { savedOperationCreate(input: {name: "x", kind: TILE, document: $d}) { errors { code } } }`, map[string]any{"d": bomb}, nil); a.code() != "COST_LIMIT" {
		t.Errorf("%+v", a)
	}
	if _, codes := mutate(t, r, ana, "savedOperationUpdate", "SavedOperationUpdateInput", operationFields, map[string]any{"id": pick(t, made, "operation", "id"), "kind": "FEED"}); codes != "BAD_INPUT" {
		t.Errorf("a query becomes a feed: %s", codes)
	}

	// A token of nobody has nothing of its own; a person's token has the person's.
	var me struct {
		Viewer struct{ User struct{ ID string } }
	}
	post(t, r.URL(), ana, `{ viewer { user { id } } }`, nil, &me)
	id, err := monitor.ParseIDOf(monitor.KindUser, me.Viewer.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	kept := func(owner monitor.ID) (n int, codes string) {
		t.Helper()
		token, _, err := r.Auth.CreateToken(t.Context(), monitor.SystemActor, monitor.APIToken{Name: "x", Scopes: []monitor.Scope{monitor.ScopeRead}, OwnerID: owner, ExpiresAt: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			SavedOperations struct{ Nodes []struct{ Name string } }
		}
		post(t, r.URL(), token, `{ savedOperations(first: 10) { nodes { name } } }`, nil, &got)
		_, codes = create(token, map[string]any{"name": "t", "kind": "FEED", "document": feed})
		return len(got.SavedOperations.Nodes), codes
	}
	if n, codes := kept(monitor.ID{}); n != 1 || codes != "BAD_INPUT" {
		t.Errorf("a token of nobody sees %d, keeps %q", n, codes)
	}
	if n, codes := kept(id); n != 2 || codes != "" {
		t.Errorf("a person's token sees %d, keeps %q", n, codes)
	}
}
