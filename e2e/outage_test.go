package e2e

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/localdb"
	"github.com/security-monitor/secmon/monitor"
)

// While the database is away, a client with a good credential is told to try
// again, and not that it may not, nor what is wrong inside: a 401 ends sessions,
// and an error message ends a subscription for ever.
func TestClientsAreToldToTryAgainWhileTheDatabaseIsAway(t *testing.T) {
	dir := t.TempDir()
	database, err := localdb.Start(t.Context(), localdb.Options{Dir: dir, BufferPoolMB: 64})
	if errors.Is(err, localdb.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close() //nolint:errcheck // closed below, and its directory goes
	dsn := database.DSN("outage")
	if _, err := db.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	redis := startRedis(t)
	first := startReplica(t, config(t, dsn, redis.URL()))
	old, err := first.Store.Entries(t.Context(), 0, 1)
	if err != nil || len(old) != 1 {
		t.Fatal(old, err)
	}
	head, err := first.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cursor := monitor.Position{Epoch: head.Epoch, Seq: 1, Tag: monitor.TagOf(old[0].Hash)}.Cursor()
	r := startReplica(t, config(t, dsn, redis.URL())) // it has nothing so old in memory
	bearer := login(t, r.URL(), "admin", testPassword)
	socket, err := dial(t.Context(), r.URL(), bearer)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.close()
	if err := database.Close(); err != nil {
		t.Fatal(err)
	}

	t.Run("a resumption on an open WebSocket", func(t *testing.T) {
		if err := socket.subscribe(alertFeedQuery, map[string]any{"after": cursor}); err != nil {
			t.Fatal(err)
		}
		_ = socket.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if m, err := socket.next(); !websocket.IsCloseError(err, 1013) {
			t.Errorf("got %s %s, %v, want close 1013", m.Type, m.Payload, err)
		}
	})
	t.Run("a stream", func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL()+"/api/graphql", strings.NewReader(`{"query":"subscription { alertFeed { cursor } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "text/event-stream")
		request.Header.Set("Authorization", "Bearer "+bearer)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close() //nolint:errcheck // a test
		text, _ := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || strings.Contains(string(text), dir) {
			t.Errorf("got %s %s, want 503 without the inside", response.Status, text)
		}
	})
	t.Run("a login", func(t *testing.T) {
		a := post(t, r.URL(), "", `mutation { sessionLogin(input: {name: "admin", password: "no matter which"}) { accessToken errors { code } } }`, nil, nil)
		if a.code() != "UNAVAILABLE" || strings.Contains(a.Errors[0].Message, dir) {
			t.Errorf("got %+v, want UNAVAILABLE without the inside", a.Errors)
		}
	})
}
