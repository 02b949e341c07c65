package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/monitor"
)

// ask posts a body as a client that knows the newer media type.
func ask(t *testing.T, base, bearer string, body map[string]any) (*http.Response, answer) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, http.MethodPost, base+"/api/graphql", bearer, text, "Content-Type", "application/json", "Accept", "application/graphql-response+json")
}

func send(t *testing.T, method, address, bearer string, body []byte, headers ...string) (*http.Response, answer) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var a answer
	_ = json.NewDecoder(response.Body).Decode(&a) // not every answer is GraphQL's
	return response, a
}

// What GraphiQL asks, with the depth of graphql-js.
var introspection = `query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind } subscriptionType { name kind } types { ...FullType } directives { name description locations args { ...InputValue } } } }
fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason } inputFields { ...InputValue } interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ` + strings.Repeat("ofType { kind name ", 9) + strings.Repeat("}", 10)

// The same operation is refused with the same code, whatever it comes by.
func TestLimitsHoldOnEveryTransport(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	bearer := login(t, r.URL(), "admin", testPassword)
	doubling := "{ alerts(first: 1) { nodes { ...F0 } } }"
	for i := range 40 {
		doubling += fmt.Sprintf(" fragment F%d on Alert { incident%d: evidence(first: 1) { nodes { event { id } } } ...F%d ...F%d }", i, i, i+1, i+1)
	}
	doubling += " fragment F40 on Alert { id }"
	aliases := ""
	for i := range 51 {
		aliases += fmt.Sprintf(" a%d: role", i)
	}
	for _, c := range []struct{ name, query, code, kind string }{
		{"cost", `{ alerts(first: 500) { nodes { evidence(first: 500) { nodes { event { id } } } } } }`, "COST_LIMIT", "cost"},
		{"depth", `{ __schema { types { ` + strings.Repeat("ofType { ", 20) + "name" + strings.Repeat(" }", 23), "COST_LIMIT", "depth"},
		{"aliases", "{ viewer {" + aliases + " } }", "COST_LIMIT", "aliases"},
		{"root fields", "{" + strings.Repeat(" viewer { role }", 21) + "}", "COST_LIMIT", "rootFields"},
		{"directives", "{ viewer " + strings.Repeat("@include(if: true) ", 6) + "{ role } }", "COST_LIMIT", "directives"},
		{"fields", "{ viewer { " + strings.Repeat("role ", 5_001) + "} }", "COST_LIMIT", "fields"},
		{"tokens", "{" + strings.Repeat(" a", 16_000) + "}", "COST_LIMIT", "tokens"},
		{"bytes", "{ viewer { role } } #" + strings.Repeat("x", 200_000), "COST_LIMIT", "documentBytes"},
		{"fragments that double", doubling, "COST_LIMIT", "aliases"},
		{"fragments in a ring", "{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }", "BAD_INPUT", ""},
		{"a subscription's cost", `subscription { alertFeed { entries { alert { a: evidence(first: 500) { nodes { ...E } } b: evidence(first: 500) { nodes { ...E } } c: evidence(first: 500) { nodes { ...E } } d: journal(first: 500) { nodes { actor { user { id } } } } e: journal(first: 500) { nodes { actor { user { id } } } } } } } } fragment E on Evidence { event { source { ip } } }`, "COST_LIMIT", "cost"},
		{"introspection that goes round", `{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }`, "BAD_INPUT", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := func(transport, text string) {
				t.Helper()
				if !strings.Contains(text, `"`+c.code+`"`) || c.kind != "" && !strings.Contains(text, `"kind":"`+c.kind+`"`) {
					t.Errorf("%s: %.300s, want %s %s", transport, text, c.code, c.kind)
				}
			}
			response, a := ask(t, r.URL(), bearer, map[string]any{"query": c.query})
			text, _ := json.Marshal(a)
			want("HTTP", string(text))
			if response.StatusCode != http.StatusBadRequest {
				t.Errorf("HTTP: %s", response.Status)
			}
			s, err := dial(t.Context(), r.URL(), bearer)
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			payload, _ := json.Marshal(map[string]any{"query": c.query})
			if err := s.conn.WriteJSON(socketMessage{ID: "1", Type: "subscribe", Payload: payload}); err != nil {
				t.Fatal(err)
			}
			m, err := s.next()
			if err != nil || m.Type != "error" {
				t.Errorf("WebSocket: %+v %v", m, err)
			}
			want("WebSocket", string(m.Payload))
			want("SSE", openStream(t, r.URL(), bearer, "", c.query).rest(t))
		})
	}
	if _, a := ask(t, r.URL(), bearer, map[string]any{"query": introspection}); len(a.Errors) > 0 || len(a.Data) < 10_000 {
		t.Errorf("GraphiQL's introspection: %+v", a.Errors)
	}
	big := map[string]any{"x": strings.Repeat("x", 600<<10)}
	if _, a := ask(t, r.URL(), bearer, map[string]any{"query": `{ viewer { role } }`, "variables": big}); a.code() != "COST_LIMIT" {
		t.Errorf("huge variables: %+v", a.Errors)
	}
	bigger := map[string]any{"x": strings.Repeat("x", 2<<20)}
	if response, a := ask(t, r.URL(), bearer, map[string]any{"query": `{ viewer { role } }`, "variables": bigger}); a.code() != "COST_LIMIT" || response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge request: %s %+v", response.Status, a.Errors)
	}
}

func TestOperationsThatTakeTooLongTimeOut(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r := startReplica(t, cfg)
	token, _ := apiToken(t, r, time.Time{}, monitor.ScopeRead)
	cfg.QueryTimeout = time.Nanosecond
	slow := startReplica(t, cfg)
	if _, a := ask(t, slow.URL(), token, map[string]any{"query": `{ alerts(first: 1) { totalCount } }`}); a.code() != "TIMEOUT" {
		t.Errorf("%+v, want TIMEOUT", a.Errors)
	}
}

func TestReplicasShareABudgetAndLiveWithoutRedis(t *testing.T) {
	redis := startRedis(t)
	cfg := config(t, dbtest.DSN(t), redis.URL())
	cfg.MaxComplexity, cfg.RateLimit, cfg.RateLimitAddress = 500, 1_000, 100_000
	a, b := startReplica(t, cfg), startReplica(t, cfg)
	token, _ := apiToken(t, a, time.Time{}, monitor.ScopeRead)
	const query = `{ alerts(first: 400) { nodes { id } } rateLimit { cost limit remaining resetAt } }`
	response, got := ask(t, a.URL(), token, map[string]any{"query": query})
	var data struct {
		RateLimit struct {
			Cost, Limit, Remaining int
			ResetAt                time.Time
		}
	}
	if err := json.Unmarshal(got.Data, &data); err != nil {
		t.Fatal(err, got.Errors)
	}
	is := data.RateLimit
	header := func(name string) int {
		n, err := strconv.Atoi(response.Header.Get("X-RateLimit-" + name))
		if err != nil {
			t.Errorf("X-RateLimit-%s: %v", name, err)
		}
		return n
	}
	if is.Cost != 401 || is.Limit != 1_000 || is.Remaining != 599 || header("Cost") != 401 || header("Limit") != 1_000 || header("Remaining") != 599 || int64(header("Reset")) != is.ResetAt.Unix() {
		t.Errorf("%+v, headers %v", is, response.Header)
	}
	if response, _ := ask(t, b.URL(), token, map[string]any{"query": query}); response.StatusCode != http.StatusOK {
		t.Errorf("the second on another replica: %s", response.Status)
	}
	response, got = ask(t, a.URL(), token, map[string]any{"query": query})
	if seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")); response.StatusCode != http.StatusTooManyRequests || got.code() != "RATE_LIMITED" || seconds < 1 || got.Errors[0].Extensions["retryAfter"] != float64(seconds) {
		t.Errorf("the third: %s %+v %v", response.Status, got.Errors, response.Header)
	}
	if got := post(t, a.URL(), token, query, nil, nil); got.code() != "RATE_LIMITED" {
		t.Errorf("as application/json: %+v", got)
	}
	redis.kill()
	if response, got := ask(t, a.URL(), token, map[string]any{"query": query}); response.StatusCode != http.StatusOK {
		t.Errorf("without Redis: %s %+v", response.Status, got.Errors)
	}
	for range 3 {
		response, _ = ask(t, a.URL(), token, map[string]any{"query": query})
	}
	if response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("beyond the local budget: %s", response.Status)
	}
}

func TestStrangersShareTheirAddressesBudget(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.MaxComplexity, cfg.RateLimitAddress = 70, 80
	r := startReplica(t, cfg)
	wrong := `mutation { sessionLogin(input: {name: "nobody", password: "wrong password"}) { errors { code } } }`
	post(t, r.URL(), "", wrong, nil, nil)
	if response, a := ask(t, r.URL(), "", map[string]any{"query": wrong}); response.StatusCode != http.StatusTooManyRequests || a.code() != "RATE_LIMITED" {
		t.Errorf("%s %+v", response.Status, a.Errors)
	}
}

func persisted(document string) map[string]any {
	return map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": limit.Hash(document)}}
}

func TestDocumentStoredOnOneReplicaIsKnownToTheOther(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	a, b := startReplica(t, cfg), startReplica(t, cfg)
	token, _ := apiToken(t, a, time.Time{}, monitor.ScopeRead)
	document := `{ viewer { role } }`
	byHash := map[string]any{"extensions": persisted(document)}
	if _, got := ask(t, a.URL(), token, byHash); got.code() != "PERSISTED_QUERY_NOT_FOUND" || got.Errors[0].Message != "PersistedQueryNotFound" {
		t.Errorf("before: %+v", got)
	}
	if _, got := ask(t, a.URL(), token, map[string]any{"query": document, "extensions": persisted(document)}); got.code() != "" {
		t.Errorf("storing: %+v", got)
	}
	for _, r := range []*replica{a, b} {
		if _, got := ask(t, r.URL(), token, byHash); string(got.Data) != `{"viewer":{"role":"VIEWER"}}` {
			t.Errorf("by its hash: %+v", got)
		}
	}
	if _, got := ask(t, a.URL(), token, map[string]any{"query": `{ settings { playground } }`, "extensions": persisted(document)}); got.code() != "BAD_INPUT" {
		t.Errorf("another's hash: %+v", got)
	}
	bad := `{ nope }`
	ask(t, a.URL(), token, map[string]any{"query": bad, "extensions": persisted(bad)})
	if _, got := ask(t, a.URL(), token, map[string]any{"extensions": persisted(bad)}); got.code() != "PERSISTED_QUERY_NOT_FOUND" {
		t.Errorf("a document that is wrong was stored: %+v", got)
	}
}

func TestTrustedOperationsAndNoOthers(t *testing.T) {
	document := `query Who { viewer { role } }`
	manifest, _ := json.Marshal(map[string]string{limit.Hash(document): document})
	path := filepath.Join(t.TempDir(), "operations.json")
	if err := os.WriteFile(path, manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.TrustedOperations, cfg.UntrustedFor = []string{path}, "ADMIN"
	r := startReplica(t, cfg)
	reader, _ := apiToken(t, r, time.Time{}, monitor.ScopeRead)
	admin, _ := apiToken(t, r, time.Time{}, monitor.ScopeAdmin)
	other := `query Other { viewer { role } }`
	for _, c := range []struct {
		name, bearer string
		body         map[string]any
		code         string
	}{
		{"the document itself", reader, map[string]any{"query": document}, ""},
		{"its hash", reader, map[string]any{"extensions": persisted(document)}, ""},
		{"another document", reader, map[string]any{"query": other}, "FORBIDDEN"},
		{"another document, stored", reader, map[string]any{"query": other, "extensions": persisted(other)}, "FORBIDDEN"},
		{"an unknown hash", reader, map[string]any{"extensions": persisted(other)}, "PERSISTED_QUERY_NOT_FOUND"},
		{"nobody", "", map[string]any{"query": other}, "FORBIDDEN"},
		{"a role that may", admin, map[string]any{"query": other}, ""},
	} {
		if _, got := ask(t, r.URL(), c.bearer, c.body); got.code() != c.code {
			t.Errorf("%s: %+v, want %q", c.name, got, c.code)
		}
	}
	s, err := dial(t.Context(), r.URL(), reader)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.subscribe(`subscription { alertFeed { cursor } }`, nil); err != nil {
		t.Fatal(err)
	}
	if m, err := s.next(); err != nil || m.Type != "error" || !strings.Contains(string(m.Payload), "FORBIDDEN") {
		t.Errorf("a subscription: %+v %s %v", m, m.Payload, err)
	}
}

func TestSchemaAndPlaygroundAreOfferedConsistently(t *testing.T) {
	dsn, redis := dbtest.DSN(t), startRedis(t).URL()
	hidden := []string{
		`{ __schema { queryType { name } } }`, `{ a: __type(name: "Alert") { name } }`, `{ viewer { role } ...F } fragment F on Query { x: __schema { queryType { name } } }`,
		`{ ... on Query { ... { __type(name: "Alert") { name } } } }`,
	}
	roles := []monitor.Scope{"", monitor.ScopeIngest, monitor.ScopeRead, monitor.ScopeWrite, monitor.ScopeAdmin}
	for _, c := range []struct {
		introspection, playground monitor.Audience
		reads, plays              []monitor.Scope
		page                      int
	}{
		{"VIEWER", "VIEWER", []monitor.Scope{"read", "write", "admin"}, []monitor.Scope{"read", "write", "admin"}, 0},
		{"ADMIN", "VIEWER", []monitor.Scope{"admin"}, []monitor.Scope{"admin"}, 0},
		{"VIEWER", "ANALYST", []monitor.Scope{"read", "write", "admin"}, []monitor.Scope{"write", "admin"}, 0},
		{"nobody", "VIEWER", nil, nil, http.StatusNotFound},
		{"VIEWER", "nobody", []monitor.Scope{"read", "write", "admin"}, nil, http.StatusNotFound},
	} {
		t.Run(string(c.introspection+" "+c.playground), func(t *testing.T) {
			cfg := config(t, dsn, redis)
			cfg.IntrospectionFor, cfg.PlaygroundFor = c.introspection, c.playground
			r := startReplica(t, cfg)
			for _, scope := range roles {
				bearer := ""
				if scope != "" {
					bearer, _ = apiToken(t, r, time.Time{}, scope)
				}
				reads, plays := contains(c.reads, scope), contains(c.plays, scope)
				for _, query := range hidden {
					if got := post(t, r.URL(), bearer, query, nil, nil); (got.code() == "") != reads {
						t.Errorf("%q reading the schema by %s: %+v, want %t", scope, query, got, reads)
					}
				}
				guess := post(t, r.URL(), bearer, `{ alertz(first: 1) { id } viewer { rol } }`, nil, nil)
				if strings.Contains(fmt.Sprint(guess.Errors), "Did you mean") != reads {
					t.Errorf("%q mistyping: %+v", scope, guess.Errors)
				}
				if scope == "" || scope == monitor.ScopeIngest {
					continue
				}
				var data struct {
					Settings struct{ Playground, Introspection bool }
				}
				post(t, r.URL(), bearer, `{ settings { playground introspection } }`, nil, &data)
				if data.Settings.Introspection != reads || data.Settings.Playground != plays {
					t.Errorf("%q is told %+v", scope, data.Settings)
				}
				s, err := dial(t.Context(), r.URL(), bearer)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.subscribe(hidden[2], nil); err != nil {
					t.Fatal(err)
				}
				if m, err := s.next(); err != nil || (m.Type == "next") != reads {
					t.Errorf("%q over a socket: %s %s %v", scope, m.Type, m.Payload, err)
				}
				s.close()
			}
			if response, _ := send(t, http.MethodGet, r.URL()+"/playground", "", nil); c.page != 0 && response.StatusCode != c.page || c.page == 0 && response.StatusCode == http.StatusNotFound {
				t.Errorf("/playground: %s", response.Status)
			}
		})
	}
}

func contains(all []monitor.Scope, one monitor.Scope) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}
