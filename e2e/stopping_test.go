package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/security-monitor/secmon/db/dbtest"
)

// closeCode gives the code that a socket ended with, 1006 when nobody said one.
func closeCode(err error) int {
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		return closed.Code
	}
	return websocket.CloseAbnormalClosure
}

func probe(t *testing.T, url string) (status int, connection string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.Close {
		connection = "close"
	}
	return response.StatusCode, connection
}

// A load balancer asks /api/readyz; a stopping server must say no there while it
// still serves, and only then end what is open: each socket with 1012, and the
// process does not end before they are.
func TestStoppingServerIsTakenOutBeforeItEndsConnections(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.DrainDelay, cfg.Grace = 5*time.Second, 10*time.Second
	r := startReplica(t, cfg)
	base := r.URL()
	token := login(t, base, "admin", testPassword)
	const n = 50
	codes := make([]int, n)
	ended := make([]time.Time, n)
	var reading sync.WaitGroup
	for i := range n {
		s, err := dial(t.Context(), base, token)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		_ = s.conn.SetReadDeadline(time.Now().Add(time.Minute))
		reading.Go(func() {
			_, err := s.next()
			codes[i], ended[i] = closeCode(err), time.Now()
			if i == 0 {
				time.Sleep(500 * time.Millisecond) // a client that takes its time to hang up
				ended[i] = time.Now()
			}
			s.close()
		})
	}
	if status, connection := probe(t, base+"/api/readyz"); status != http.StatusOK || connection == "close" {
		t.Fatalf("before: readyz says %d %s", status, connection)
	}

	healthy := func() error {
		return exec.CommandContext(t.Context(), binary(t), "probe", "--within", "1s", base+"/api/readyz").Run() //nolint:gosec // our own program
	}
	if err := healthy(); err != nil {
		t.Errorf("secmon probe: %v", err)
	}

	begun := time.Now()
	r.stop()
	eventually(t, "readyz to say no", func() bool {
		status, _ := probe(t, base+"/api/readyz")
		return status == http.StatusServiceUnavailable
	})
	if status, connection := probe(t, base+"/api/healthz"); status != http.StatusOK || connection != "close" {
		t.Errorf("a stopping server is alive, answers, and keeps no connection for more: got %d %q", status, connection)
	}
	if healthy() == nil {
		t.Error("secmon probe finds a stopping server ready")
	}
	if open := r.LiveStats().Connections; open != n {
		t.Errorf("%d of %d sockets are open when readiness has failed", open, n)
	}
	late, err := dial(t.Context(), base, token)
	if err != nil {
		t.Fatalf("a socket that comes before the load balancer knows is taken: %v", err)
	}
	defer late.close()
	lateCode := make(chan int, 1)
	go func() { _, err := late.next(); lateCode <- closeCode(err); late.close() }()

	<-r.done
	gone := time.Now()
	reading.Wait()
	if code := <-lateCode; code != websocket.CloseServiceRestart {
		t.Errorf("the late socket ended with %d", code)
	}
	for i, code := range codes {
		if code != websocket.CloseServiceRestart {
			t.Errorf("socket %d ended with %d, want 1012", i, code)
		}
		if after := ended[i].Sub(begun); after < cfg.DrainDelay {
			t.Errorf("socket %d ended %s after the signal, before the load balancer could know", i, after)
		}
	}
	if gone.Before(ended[0]) {
		t.Error("the server was gone before its slowest client had hung up")
	}
	if after := gone.Sub(begun); after > cfg.DrainDelay+cfg.Grace {
		t.Errorf("it took %s", after)
	}
}

// Clients come in the very moment in which the server begins to stop: each is
// refused by HTTP or told 1012, none is left without a word.
func TestSocketsThatComeWhileTheServerStopsAreTold(t *testing.T) {
	redis, dsn := startRedis(t), dbtest.DSN(t)
	cfg := config(t, dsn, redis.URL())
	cfg.Grace = 4 * time.Second
	r := startReplica(t, cfg)
	token := login(t, r.URL(), "admin", testPassword)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	init := json.RawMessage(`{"authorization":"Bearer ` + token + `"}`)
	var coming sync.WaitGroup
	var mu sync.Mutex
	told := map[int]int{}
	for range 8 {
		coming.Go(func() {
			dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: 5 * time.Second}
			for {
				conn, response, err := dialer.DialContext(ctx, strings.Replace(r.URL(), "http", "ws", 1)+"/api/graphql", nil)
				if errors.Is(err, websocket.ErrBadHandshake) && response.StatusCode == http.StatusServiceUnavailable {
					continue
				}
				if err != nil {
					return // nobody listens any more
				}
				s := &socket{conn}
				_ = conn.WriteJSON(socketMessage{Type: "connection_init", Payload: init}) // reading tells what is wrong
				m, err := s.next()
				if err == nil && m.Type == "connection_ack" {
					_, err = s.next()
				}
				s.close()
				mu.Lock()
				told[closeCode(err)]++
				mu.Unlock()
			}
		})
	}
	eventually(t, "sockets", func() bool { return r.LiveStats().Connections == 8 })
	r.Stop()
	coming.Wait()
	if told[websocket.CloseServiceRestart] < 8 || len(told) != 1 {
		t.Errorf("sockets ended with %v, all were to be told 1012", told)
	}
}
