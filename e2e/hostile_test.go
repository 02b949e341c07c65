package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

func gzipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// Every bad body gets a clear answer, its good neighbours are stored, and the
// server goes on.
func TestBadBodiesAreAnsweredAndNothingIsLost(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	token := ingestToken(t, r)
	good := `{"host":"good","n":1}`
	lines := func(l ...string) []byte { return []byte(strings.Join(l, "\n")) }
	bomb := gzipped(t, bytes.Repeat([]byte(" "), 200<<20))
	for _, c := range []struct {
		name     string
		body     []byte
		headers  []string
		status   int
		accepted int
		code     string // of the request, or of the first rejected record
	}{
		{"malformed JSON between good lines", lines(good, `{"host":`, good), nil, 200, 2, "MALFORMED_JSON"},
		{"all malformed", lines(`{`, `nope`), nil, 422, 0, "MALFORMED_JSON"},
		{"a line of 50 MB between good lines", lines(good, `{"x":"`+strings.Repeat("a", 50<<20)+`"}`, good), nil, 200, 2, "RECORD_TOO_LARGE"},
		{"a gzip bomb", bomb, []string{"Content-Encoding", "gzip"}, 413, 0, "BODY_TOO_LARGE"},
		{"not gzip at all", lines(good), []string{"Content-Encoding", "gzip"}, 400, 0, "BAD_ENCODING"},
		{"an encoding nobody knows", lines(good), []string{"Content-Encoding", "br"}, 400, 0, "BAD_ENCODING"},
		{"invalid UTF-8", lines(good, "{\"host\":\"\xff\xfe\"}", good), nil, 200, 2, "INVALID_UTF8"},
		{"deep nesting", lines(good, strings.Repeat(`{"a":`, 10_000)+"1"+strings.Repeat("}", 10_000), good), nil, 200, 2, "TOO_DEEP"},
		{"deep arrays", lines(good, `{"a":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+"}"), nil, 200, 1, "TOO_DEEP"},
		{"a scalar", lines(good, `42`, `"text"`, `null`), nil, 200, 1, "NOT_AN_OBJECT"},
		{"too many records", bytes.Repeat([]byte("{}\n"), 20_000), nil, 413, 0, "TOO_MANY_RECORDS"},
		{"an array with a bad element", []byte(`[` + good + `,` + good + `,{"x":}]`), nil, 200, 2, "MALFORMED_JSON"},
		{"NUL and lone surrogates", lines(`{"host":"a\u0000b","user":"\ud800","message":"\udc00x"}`), nil, 200, 1, ""},
		{"SQL in every field", lines(`{"host":"'; DROP TABLE events; --","user":"\" OR 1=1 --","message":"%_\\","process":"` + "`" + `"}`), nil, 200, 1, ""},
		{"nothing", nil, nil, 200, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, a := sendEvents(t, r.URL(), token, c.body, c.headers...)
			code, _ := a["code"].(string)
			if rejections, ok := a["errors"].([]any); ok && len(rejections) > 0 {
				code, _ = rejections[0].(map[string]any)["code"].(string)
			}
			if status != c.status || int(a["accepted"].(float64)) != c.accepted || code != c.code {
				text, _ := json.Marshal(a)
				t.Errorf("status %d code %q, want %d %q with %d accepted: %.300s", status, code, c.status, c.code, c.accepted, text)
			}
		})
	}
	if status, a := sendEvents(t, r.URL(), token, []byte(good)); status != http.StatusOK {
		t.Errorf("after all that a good record gets %d %v", status, a)
	}
}

func TestWrongCredentialsAreRefusedWithTheReason(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	expired := func(key []byte, method jwt.SigningMethod, age time.Duration) string {
		token := jwt.NewWithClaims(method, jwt.MapClaims{"iss": "secmon", "sid": monitor.NewID(time.Now()).String(), "exp": time.Now().Add(-age).Unix()})
		var signed string
		var err error
		if method == jwt.SigningMethodNone {
			signed, err = token.SignedString(jwt.UnsafeAllowNoneSignatureType)
		} else {
			signed, err = token.SignedString(key)
		}
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	for _, c := range []struct{ name, bearer, code string }{
		{"none", "", "UNAUTHENTICATED"},
		{"garbage", "garbage", "UNAUTHENTICATED"},
		{"unknown API token", "smt_unknown", "UNAUTHENTICATED"},
		{"unsigned token", expired(nil, jwt.SigningMethodNone, -time.Hour), "UNAUTHENTICATED"},
		{"foreign key", expired([]byte("another key of more than 32 bytes ......"), jwt.SigningMethodHS256, -time.Hour), "UNAUTHENTICATED"},
		{"ingest token reading", ingestToken(t, r), "FORBIDDEN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := post(t, r.URL(), c.bearer, `{ viewer { role } }`, nil, nil); got.code() != c.code {
				t.Errorf("got %+v, want %s", got.Errors, c.code)
			}
		})
	}
	if status, _ := sendEvents(t, r.URL(), login(t, r.URL(), "admin", testPassword), []byte(`{}`)); status != http.StatusForbidden {
		t.Errorf("a session sending events gets %d, want 403", status)
	}
	if status, _ := sendEvents(t, r.URL(), "smt_wrong", []byte(`{}`)); status != http.StatusUnauthorized {
		t.Errorf("an unknown token sending events gets %d, want 401", status)
	}
}

func TestGuessingPasswordsIsThrottled(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	codes := map[string]int{}
	for range 8 {
		var data struct {
			SessionLogin struct{ Errors []struct{ Code string } }
		}
		post(t, r.URL(), "", `mutation { sessionLogin(input: {name: "admin", password: "a wrong password"}) { errors { code } } }`, nil, &data)
		codes[data.SessionLogin.Errors[0].Code]++
	}
	if codes["UNAUTHENTICATED"] < 5 || codes["RATE_LIMITED"] == 0 {
		t.Errorf("answers to 8 wrong passwords: %v", codes)
	}
}

func TestBadQueriesAreRefused(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	bearer := login(t, r.URL(), "admin", testPassword)
	deep := strings.Repeat(`{and: [`, 20) + "{}" + strings.Repeat(`]}`, 20)
	for _, c := range []struct{ name, query, code string }{
		{"unknown filter key", `{ alerts(first: 1, filter: {nope: 1}) { totalCount } }`, "BAD_INPUT"},
		{"unknown field", `{ alerts(first: 1) { nope } }`, "BAD_INPUT"},
		{"syntax", `{ alerts(`, "BAD_INPUT"},
		{"page too large", `{ alerts(first: 501) { totalCount } }`, "BAD_INPUT"},
		{"page cursor of another list", `{ alerts(first: 1, after: "WyJ4Il0") { totalCount } }`, "BAD_INPUT"},
		{"bad network", `{ events(first: 1, filter: {sourceIp: {cidr: "10.0.0.0/99"}}) { nodes { id } } }`, "BAD_INPUT"},
		{"bad time", `{ events(first: 1, filter: {occurredAt: {gt: "yesterday"}}) { nodes { id } } }`, "BAD_INPUT"},
		{"filter nested too deep", `{ events(first: 1, filter: ` + deep + `) { nodes { id } } }`, "BAD_INPUT"},
		{"costs too much", `{ alerts(first: 500) { nodes { evidence(first: 500) { nodes { event { id raw } } } } } }`, "COST_LIMIT"},
		{"too many tokens", `{` + strings.Repeat(" a", 16_000) + `}`, "COST_LIMIT"},
		{"id of another kind", fmt.Sprintf(`{ alert(id: %q) { id } }`, monitor.GlobalID(monitor.KindRule, monitor.ID{}.String())), "BAD_INPUT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := post(t, r.URL(), bearer, c.query, nil, nil)
			if got.code() != c.code || got.Errors[0].Extensions["requestId"] == nil {
				t.Errorf("got %+v, want %s with a request id", got.Errors, c.code)
			}
		})
	}
}

// Roles: a viewer reads and cannot change, an analyst cannot switch rules.
func TestRolesAreEnforcedByTheSchema(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	for _, role := range []monitor.Role{monitor.RoleViewer, monitor.RoleAnalyst} {
		if _, err := r.Auth.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: string(role), Role: role}, testPassword); err != nil {
			t.Fatal(err)
		}
	}
	batch := &monitor.Batch{Events: []*monitor.Event{testEvent("web-1")}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}}}
	if _, err := r.Store.StoreBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	ack := `mutation($id: ID!) { alertAcknowledge(input: {id: $id}) { alert { status assignee { name } } errors { code } } }`
	var alerts struct {
		Alerts struct{ Nodes []struct{ ID string } }
	}
	viewer, analyst := login(t, r.URL(), "viewer", testPassword), login(t, r.URL(), "analyst", testPassword)
	post(t, r.URL(), viewer, `{ alerts(first: 5) { nodes { id } } }`, nil, &alerts)
	id := map[string]any{"id": alerts.Alerts.Nodes[0].ID}
	if got := post(t, r.URL(), viewer, ack, id, nil); got.code() != "FORBIDDEN" {
		t.Errorf("a viewer acknowledging: %+v", got)
	}
	var done struct {
		AlertAcknowledge struct {
			Alert struct {
				Status   string
				Assignee struct{ Name string }
			}
		}
	}
	post(t, r.URL(), analyst, ack, id, &done)
	if done.AlertAcknowledge.Alert.Status != "ACKNOWLEDGED" || done.AlertAcknowledge.Alert.Assignee.Name != "analyst" {
		t.Errorf("after acknowledging: %+v", done)
	}
	if got := post(t, r.URL(), analyst, `mutation { ruleDisable(input: {id: "x"}) { errors { code } } }`, nil, nil); got.code() != "FORBIDDEN" {
		t.Errorf("an analyst disabling a rule: %+v", got)
	}
}

// What a reader of the history gets: names and nulls, never the database's own ids.
func TestHistoryNamesPeople(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	bearer := login(t, r.URL(), "admin", testPassword)
	batch := &monitor.Batch{Events: []*monitor.Event{testEvent("web-1")}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}}}
	if _, err := r.Store.StoreBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	var data struct {
		Alerts struct{ Nodes []struct{ ID string } }
	}
	post(t, r.URL(), bearer, `{ alerts(first: 1) { nodes { id } } }`, nil, &data)
	post(t, r.URL(), bearer, `mutation($id: ID!) { alertAcknowledge(input: {id: $id}) { errors { code } } }`, map[string]any{"id": data.Alerts.Nodes[0].ID}, &struct{}{})
	var alert struct {
		Alert struct {
			Journal struct {
				Nodes []struct {
					Action  string
					Changes []struct {
						Field         string
						Before, After any
					}
				}
			}
		}
	}
	post(t, r.URL(), bearer, `query($id: ID!) { alert(id: $id) { journal(first: 10) { nodes { action changes { field before after } } } } }`, map[string]any{"id": data.Alerts.Nodes[0].ID}, &alert)
	got := map[string][2]any{}
	for _, c := range alert.Alert.Journal.Nodes[0].Changes {
		got[c.Field] = [2]any{c.Before, c.After}
	}
	if len(alert.Alert.Journal.Nodes) != 2 || got["assignee"] != [2]any{nil, "admin"} || got["status"] != [2]any{"NEW", "ACKNOWLEDGED"} || got["acknowledgedAt"][0] != nil || len(got) != 3 {
		t.Errorf("history: %+v", alert.Alert.Journal.Nodes)
	}
}

// Text that is code elsewhere is text here: it comes back as it went in.
func TestHostileTextComesBackAsText(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	text := `<script>alert(1)</script>'; DROP TABLE events; -- %_\\ "quoted" ` + "`" + ` 🔒`
	fields := []string{"host", "user", "message", "process", "command_line", "file_path", "domain", "url", "action", "sha256"}
	record := map[string]string{}
	for _, f := range fields {
		record[f] = text
	}
	raw, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	if status, a := sendEvents(t, r.URL(), ingestToken(t, r), raw); status != http.StatusOK {
		t.Fatal(a)
	}
	var data struct {
		Events struct {
			Nodes []struct {
				Host, User, Message, Process, Domain, URL, Action string
				Raw                                               map[string]string
			}
		}
	}
	query := `query($t: String!) { events(first: 5, filter: {message: {eq: $t}, host: {eq: $t}, raw: {contains: "drop table"}}) { nodes { host user message process domain url action raw } } }`
	post(t, r.URL(), login(t, r.URL(), "admin", testPassword), query, map[string]any{"t": text}, &data)
	if len(data.Events.Nodes) != 1 {
		t.Fatalf("%d events match their own text", len(data.Events.Nodes))
	}
	e := data.Events.Nodes[0]
	if e.Message != text || e.Process != text || e.URL != text || e.Action != text || e.Host != strings.ToLower(text) || e.Raw["user"] != text {
		t.Errorf("got %+v", e)
	}
}
