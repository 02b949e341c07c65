package e2e

import (
	"net/http"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
)

// What browsers are told of answers, the API's as well as the pages'; by TLS alone
// where that is how the server is known.
func TestAnswersSayWhatTheyMayBeUsedFor(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	plain := startReplica(t, cfg)
	cfg.PublicURL = "https://secmon.example"
	secure := startReplica(t, cfg)
	get := func(address string) http.Header {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.Header
	}
	const none = "default-src 'none'; frame-ancestors 'none'"
	for _, path := range []string{"/api/healthz", "/api/graphql", "/api/ingest", "/api/auth/methods", "/api/nothing"} {
		h := get(plain.URL() + path)
		if h.Get("Content-Security-Policy") != none || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, h)
		}
		if h.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: a server without TLS asks for it", path)
		}
	}
	for _, path := range []string{"/api/healthz", "/", "/alerts"} {
		if got := get(secure.URL() + path).Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("%s by https: %q", path, got)
		}
	}
	if page := get(plain.URL() + "/alerts").Get("Content-Security-Policy"); page == none {
		t.Error("the dashboard has the API's policy: its scripts would not run")
	}
}
