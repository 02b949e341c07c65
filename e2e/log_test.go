package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/db/dbtest"
)

// Every line about a request has the same fields (docs/logging.md).
func TestRequestsHaveOneLineEach(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.LogRequests, cfg.RateLimit, cfg.RateLimitAddress = true, 600_000, 3_000_000
	r, log := startLoggingJSON(t, cfg)
	bearer, token := login(t, r.URL(), "admin", testPassword), ingestToken(t, r)
	post(t, r.URL(), bearer, `query Look { alerts(first: 3) { nodes { id } } }`, nil, nil)
	post(t, r.URL(), "", `query Stranger { alerts(first: 1) { nodes { id } } }`, nil, nil)
	post(t, r.URL(), bearer, `query Wrong { nothing }`, nil, nil)
	sendEvents(t, r.URL(), token, []byte(`{"message":"x"}`))
	live, err := dial(t.Context(), r.URL(), bearer)
	if err != nil {
		t.Fatal(err)
	}
	defer live.close()
	if err := live.subscribe(`subscription Follow { alertFeed { cursor } }`, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		route, operation, kind, code, viewer string
		status                               float64
		cost                                 bool
	}{
		{"graphql", "Look", "query", "OK", "user", 200, true},
		{"graphql", "Stranger", "query", "UNAUTHENTICATED", "nobody", 200, true},
		{"graphql", "", "mutation", "OK", "nobody", 200, true},
		{"ingest", "", "", "", "token", 200, false},
		{"live", "Follow", "subscription", "OK", "user", 0, true},
	} {
		line := requestLine(t, log, "route", c.route, "operation", c.operation)
		for _, key := range []string{"time", "level", "msg", "request", "route", "duration_ms", "viewer_kind", "viewer", "address", "operation", "operation_type", "code", "cost"} {
			if _, ok := line[key]; !ok {
				t.Errorf("%s %s: the line has no %s", c.route, c.operation, key)
			}
		}
		status, _ := line["status"].(float64)
		if line["operation_type"] != c.kind || line["code"] != c.code || line["viewer_kind"] != c.viewer || status != c.status || (line["cost"] != 0.0) != c.cost {
			t.Errorf("%s %s: %v", c.route, c.operation, line)
		}
		if id, _ := line["request"].(string); len(id) != 16 {
			t.Errorf("%s %s: the request's id is %q", c.route, c.operation, id)
		}
	}
	requestLine(t, log, "route", "graphql", "code", "BAD_INPUT") // Wrong, which could not be read
}

// What is secret stands in no line, whatever the level, also of what goes wrong.
func TestLogsHaveNoSecrets(t *testing.T) {
	redis := startRedis(t)
	dir := t.TempDir()
	secrets := map[string]string{
		"JWT key": "UExBTlRFRC1KV1QtS0VZLTAxMjM0NTY3ODlhYmNkZWY", "sealing key": "UExBTlRFRC1TRUFMLUtFWS0wMTIzNDU2Nzg5YWJjZGVm", "first password": "planted first password 17",
		"wrong password": "planted wrong password 18", "cookie": "planted-cookie-19", "unknown token": "smt_planted20", "client secret": "planted-client-secret-21", "Redis password": "planted-redis-22",
	}
	file := filepath.Join(dir, "redis-password")
	if err := os.WriteFile(file, []byte(secrets["Redis password"]), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config(t, dbtest.DSN(t), redis.URL())
	secrets["database DSN"] = cfg.DatabaseDSN
	cfg.LogRequests, cfg.JWTKeys, cfg.SealingKeys, cfg.AdminPassword = true, secrets["JWT key"], secrets["sealing key"], secrets["first password"]
	cfg.RedisPasswordFile = file // the server asks for none: each connection is refused with an error about it
	cfg.OIDC = app.OIDC{Issuer: "http://127.0.0.1:1", DefaultRole: "VIEWER", ClientID: "secmon", ClientSecret: secrets["client secret"], Name: "x"}
	cfg.PublicURL, cfg.OTelEndpoint = "http://127.0.0.1:1", "http://planted-user:planted-otel-23@127.0.0.1:1"
	secrets["receiver's password"] = "planted-otel-23"
	r, log := startLoggingJSON(t, cfg)
	base := r.URL()
	bearer, token := login(t, base, "admin", secrets["first password"]), ingestToken(t, r)
	secrets["access token"], secrets["API token"] = bearer, token
	post(t, base, "", fmt.Sprintf(`mutation { sessionLogin(input: {name: "admin", password: %q}) { accessToken } }`, secrets["wrong password"]), nil, nil)
	post(t, base, "", `mutation($p: String!) { sessionLogin(input: {name: "admin", password: $p, extra: 1}) { accessToken } }`, map[string]any{"p": secrets["wrong password"]}, nil)
	post(t, base, secrets["unknown token"], `{ viewer { user { name } } }`, nil, nil)
	post(t, base, bearer, `query($x: Int!) { alerts(first: $x) { nodes { id } } }`, map[string]any{"x": secrets["wrong password"]}, nil)
	sendEvents(t, base, token, []byte(`{"message":"x"}`))
	sendEvents(t, base, secrets["unknown token"], []byte(`{"message":"x"}`))
	for _, path := range []string{"/api/export/0?key=" + secrets["cookie"], "/api/auth/oidc/callback?code=" + secrets["cookie"] + "&state=x", "/api/nothing?token=" + secrets["cookie"]} {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		request.Header.Set("Cookie", "secmon_refresh="+secrets["cookie"])
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}
	requestLine(t, log, "route", "api")
	redis.kill() // what goes wrong from now on is in the log as well
	post(t, base, bearer, `query AfterRedis { viewer { user { name } } }`, nil, nil)
	requestLine(t, log, "operation", "AfterRedis")
	r.Stop()
	checkSecrets(t, log.String(), secrets)
}

func checkSecrets(t *testing.T, text string, secrets map[string]string) {
	t.Helper()
	lines := 0
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); lines++ {
		for what, secret := range secrets {
			if strings.Contains(s.Text(), secret) {
				t.Errorf("the %s is in the log: %s", what, s.Text())
			}
		}
		if !json.Valid(s.Bytes()) {
			t.Errorf("a line is not JSON: %s", s.Text())
		}
	}
	if lines < 10 {
		t.Errorf("only %d lines: the run was not busy", lines)
	}
}
