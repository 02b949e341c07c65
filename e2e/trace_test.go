package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/trace/tracetest"
)

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// startLoggingJSON starts a replica whose log is JSON, as in a cluster.
func startLoggingJSON(t *testing.T, cfg app.Config) (*replica, *syncBuffer) {
	t.Helper()
	log := &syncBuffer{}
	r := startReplicaOn(t, cfg, slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	return r, log
}

// One trace leads from the caller over the request, the operation and its
// transaction with each statement to the message on Redis; the line of the log has
// its id.
func TestTraceLeadsFromTheRequestToTheFeed(t *testing.T) {
	to := tracetest.New(t)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.OTelEndpoint, cfg.LogRequests = to.URL, true
	r, log := startLoggingJSON(t, cfg)
	bearer, token := login(t, r.URL(), "admin", testPassword), ingestToken(t, r)

	const mutation, ingest = "11111111111111111111111111111111", "22222222222222222222222222222222"
	traced(t, r.URL()+"/api/graphql", bearer, mutation, []byte(`{"query":"mutation Settle { settingsUpdate(input: {sessionLifetime: \"PT24H\"}) { errors { message } } }"}`))
	traced(t, r.URL()+"/api/ingest", token, ingest, []byte(`{"message":"hello"}`))

	want := map[string][]string{
		mutation: {"HTTP graphql", "graphql mutation Settle", "transaction settings.update", "INSERT journal", "feed publish"},
		ingest:   {"HTTP ingest", "ingest read", "ingest submit", "ingest commit", "transaction event.ingest", "INSERT events", "feed publish"},
	}
	parents := map[string]string{
		"graphql mutation Settle": "HTTP graphql", "transaction settings.update": "graphql mutation Settle", "INSERT journal": "transaction settings.update",
		"ingest read": "HTTP ingest", "ingest submit": "HTTP ingest", "ingest commit": "ingest submit", "transaction event.ingest": "ingest commit", "INSERT events": "transaction event.ingest",
	}
	eventually(t, "all spans to arrive", func() bool {
		for id, names := range want {
			for _, name := range names {
				if _, found := spanOf(to, id, name); !found {
					return false
				}
			}
		}
		return true
	})
	for id, names := range want {
		for _, name := range names {
			span, _ := spanOf(to, id, name)
			if parents[name] == "" || name == "INSERT journal" && id == ingest {
				continue
			}
			if parent, found := spanOf(to, id, parents[name]); !found || span.Parent != parent.ID {
				t.Errorf("%s is not inside %s", name, parents[name])
			}
		}
	}
	if s, _ := spanOf(to, ingest, "INSERT events"); !strings.HasPrefix(s.Attributes["db.query.text"], "INSERT INTO `events`") || strings.Contains(s.Attributes["db.query.text"], "hello") {
		t.Errorf("the statement is traced as %q", s.Attributes["db.query.text"])
	}
	line := requestLine(t, log, "operation", "Settle")
	request, _ := spanOf(to, mutation, "HTTP graphql")
	if line["trace_id"] != mutation || line["request"] != request.Attributes["secmon.request"] {
		t.Errorf("the line has the trace %v and the request %v", line["trace_id"], line["request"])
	}
	for _, s := range to.Spans() {
		for key, value := range s.Attributes {
			if strings.Contains(value, bearer) || strings.Contains(value, token) || strings.Contains(value, testPassword) {
				t.Errorf("%s: a secret in %s", s.Name, key)
			}
		}
	}
}

func traced(t *testing.T, url, bearer, id string, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Traceparent", "00-"+id+"-b7ad6b7169203331-01")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // a test
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, response.Status)
	}
}

func spanOf(r *tracetest.Receiver, id, name string) (tracetest.Span, bool) {
	for _, s := range r.Spans() {
		if s.Trace == id && s.Name == name {
			return s, true
		}
	}
	return tracetest.Span{}, false
}

// requestLine waits for a line about a request with these fields, which are pairs
// of key and text.
func requestLine(t *testing.T, log *syncBuffer, fields ...string) map[string]any {
	t.Helper()
	var found map[string]any
	eventually(t, fmt.Sprintf("a line with %q", fields), func() bool {
		for _, text := range strings.Split(log.String(), "\n") {
			var line map[string]any
			if json.Unmarshal([]byte(text), &line) != nil || line["msg"] != "request" {
				continue
			}
			all := true
			for i := 0; i+1 < len(fields); i += 2 {
				all = all && line[fields[i]] == fields[i+1]
			}
			if all {
				found = line
				return true
			}
		}
		return false
	})
	return found
}
