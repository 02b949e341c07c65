package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// What a page of another site can make a visitor's browser send: simple requests
// with cookies. None of them may do anything.
func TestOtherSitesCannotUseACookie(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	do := func(method, address, kind, accept, body string) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Origin", "https://evil.example")
		if kind != "" {
			request.Header.Set("Content-Type", kind)
		}
		if accept != "" {
			request.Header.Set("Accept", accept)
		}
		response, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		if allow := response.Header.Get("Access-Control-Allow-Origin"); allow != "" {
			t.Errorf("%s %s allows %s", method, kind, allow)
		}
		return response.StatusCode, string(text)
	}
	base := r.URL() + "/api/graphql"
	in := fmt.Sprintf(`mutation { sessionLogin(input: {name: "admin", password: %q}) { accessToken } }`, testPassword)
	body, _ := json.Marshal(map[string]string{"query": in})
	if status, text := do(http.MethodPost, base, "application/json", "", string(body)); status != http.StatusOK || !strings.Contains(text, "accessToken") {
		t.Fatal(status, text)
	}
	const refresh = `mutation { sessionRefresh { accessToken } }`
	asJSON := `{"query":"` + refresh + `"}`
	form := url.Values{"query": {refresh}}.Encode()
	for _, c := range []struct {
		name, method, address, kind, accept, body string
		status                                    int
	}{
		{"JSON as text", "POST", base, "text/plain", "", asJSON, 415},
		{"a form", "POST", base, "application/x-www-form-urlencoded", "", form, 415},
		{"a form with files", "POST", base, "multipart/form-data; boundary=x", "", "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + asJSON + "\r\n--x--", 415},
		{"no type", "POST", base, "", "", asJSON, 415},
		{"GraphQL as text", "POST", base, "application/graphql", "", refresh, 415},
		{"text that mentions JSON", "POST", base, "text/plain; application/json", "", asJSON, 415},
		{"GET", "GET", base + "?" + form, "", "", "", 405},
		{"GET that asks for the newer type", "GET", base + "?" + form, "", "application/graphql-response+json", "", 405},
		{"GET of events", "GET", base + "?" + form, "", "text/event-stream", "", 401},
		{"POST of events as text", "POST", base, "text/plain", "text/event-stream", asJSON, 401},
		{"a query by GET with the cookie alone", "GET", base + "?query=%7Bviewer%7Brole%7D%7D", "", "", "", 200},
		{"a batch", "POST", base, "application/json", "", "[" + asJSON + "]", 400},
	} {
		status, text := do(c.method, c.address, c.kind, c.accept, c.body)
		if status != c.status || strings.Contains(text, `"accessToken"`) || strings.Contains(text, `"role"`) {
			t.Errorf("%s: %d %.300s, want %d", c.name, status, text, c.status)
		}
	}
	// The session has not been touched: its own page can go on.
	if status, text := do(http.MethodPost, base, "application/json", "", asJSON); status != 200 || !strings.Contains(text, `"accessToken":"`) {
		t.Errorf("the page itself: %d %s", status, text)
	}
}

func TestReplayedCredentialsAreRefused(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	secret, made := apiToken(t, r, time.Time{}, monitor.ScopeRead)
	const who = `{ viewer { role } }`
	if got := post(t, r.URL(), secret, who, nil, nil); got.code() != "" {
		t.Fatal(got)
	}
	if err := r.Store.RevokeToken(t.Context(), monitor.SystemActor, made.ID); err != nil {
		t.Fatal(err)
	}
	if got := post(t, r.URL(), secret, who, nil, nil); got.code() != "UNAUTHENTICATED" {
		t.Errorf("a revoked token: %+v", got)
	}
	if s, err := dial(t.Context(), r.URL(), secret); err == nil {
		s.close()
		t.Error("a revoked token opens a socket")
	}
	cookie := func(value, mutation string) (string, string) {
		text, _ := json.Marshal(map[string]string{"query": mutation})
		headers := []string{"Content-Type", "application/json"}
		if value != "" {
			headers = append(headers, "Cookie", "secmon_refresh="+value)
		}
		response, a := send(t, http.MethodPost, r.URL()+"/api/graphql", "", text, headers...)
		for _, c := range response.Cookies() {
			if c.Name == "secmon_refresh" {
				value = c.Value
				if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
					t.Errorf("the cookie: %+v", c)
				}
			}
		}
		return value, string(a.Data)
	}
	first, _ := cookie("", fmt.Sprintf(`mutation { sessionLogin(input: {name: "admin", password: %q}) { accessToken } }`, testPassword))
	const refresh = `mutation { sessionRefresh { accessToken errors { code } } }`
	second, _ := cookie(first, refresh)
	third, _ := cookie(second, refresh)
	if first == second || second == third {
		t.Fatal("the refresh token does not rotate")
	}
	// The first is two rotations old: no lost answer explains it, it was stolen.
	if _, text := cookie(first, refresh); !strings.Contains(text, "UNAUTHENTICATED") {
		t.Errorf("an old refresh token: %s", text)
	}
	if _, text := cookie(third, refresh); !strings.Contains(text, "UNAUTHENTICATED") {
		t.Errorf("the newest refresh token after the theft showed: %s", text)
	}
}

const script = `<script>alert(1)</script><img src=x onerror=alert(2)>"'` + "`${7*7}{{7*7}}`"

// Every mutation that the schema has, with markup in every text that it takes:
// answers are JSON that no browser takes for a page, and no page holds the markup.
func TestMarkupInEveryTextOfEveryMutationStaysText(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	raise(t, r, "web-1")
	schema := readSchema(t)
	var alerts struct {
		Alerts struct{ Nodes []struct{ ID string } }
	}
	bearer, _ := apiToken(t, r, time.Time{}, monitor.ScopeAdmin)
	post(t, r.URL(), bearer, `{ alerts(first: 1) { nodes { id } } }`, nil, &alerts)
	alert := alerts.Alerts.Nodes[0].ID
	texts := 0
	for _, field := range schema.Mutation.Fields {
		if strings.HasPrefix(field.Name, "__") || len(field.Arguments) == 0 {
			continue
		}
		input := schema.Types[field.Arguments[0].Type.Name()]
		for _, f := range input.Fields {
			if f.Type.Name() == "String" {
				texts++
			}
		}
		query := "mutation { " + field.Name + "(input: " + marked(schema, input, alert, 3) + ") { errors { message } } }"
		text, _ := json.Marshal(map[string]string{"query": query})
		response, got := send(t, http.MethodPost, r.URL()+"/api/graphql", bearer, text, "Content-Type", "application/json")
		if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", field.Name, response.Header)
		}
		if got.code() == "INTERNAL" {
			t.Errorf("%s: %+v", query, got.Errors)
		}
	}
	if texts == 0 {
		t.Fatal("no mutation takes text: this test says nothing")
	}
	var comments struct {
		Alert struct {
			Comments struct{ Nodes []struct{ Body string } }
		}
	}
	post(t, r.URL(), bearer, `query($id: ID!) { alert(id: $id) { comments(first: 10) { nodes { body } } } }`, map[string]any{"id": alert}, &comments)
	if n := comments.Alert.Comments.Nodes; len(n) != 1 || n[0].Body != script {
		t.Errorf("the comment comes back as %+v", n)
	}
	for _, path := range []string{"/", "/alerts", "/alerts/" + url.PathEscape(script), "/playground", "/login?to=" + url.QueryEscape(script), "/api/" + url.PathEscape(script)} {
		response, err := http.Get(r.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if strings.Contains(string(page), "<script>alert(1)") || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v %.200s", path, response.Header, page)
		}
	}
}

// marked writes an input with all its fields, markup in every text.
func marked(schema *ast.Schema, input *ast.Definition, id string, depth int) string {
	fields := []string{}
	for _, f := range input.Fields {
		if f.Name == "expectedVersion" {
			continue
		}
		text := script
		if f.Type.Name() == "ID" {
			text = id
		}
		def := schema.Types[f.Type.Name()]
		switch {
		case def.Kind == ast.InputObject && depth > 0 && f.Type.Elem == nil:
			fields = append(fields, f.Name+": "+marked(schema, def, id, depth-1))
		case f.Type.Elem != nil && f.Type.Name() == "String":
			fields = append(fields, f.Name+": ["+quote(text)+"]")
		case f.Type.NonNull || f.Type.Name() == "String":
			fields = append(fields, f.Name+": "+literal(schema, f.Type, text))
		}
	}
	return "{" + strings.Join(fields, ", ") + "}"
}
