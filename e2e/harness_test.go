// Package e2e tells stories about the whole program: they start it as users do,
// through package app or as a process, on a real database and a real Redis.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/child"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "secmon-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temp directory
	binaryDir = dir
	return dbtest.Run(m)
}

const (
	testPassword = "correct horse battery staple"
	testKey      = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" // a key for tests, known to everybody
)

// redisServer is a Redis that a test may kill and start again on the same socket.
type redisServer struct {
	t      *testing.T
	dir    string
	mu     sync.Mutex
	server *child.Process
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed")
		}
		t.Skip("redis-server is not installed: run scripts/install-deps.sh servers")
	}
	dir, err := os.MkdirTemp("", "r")
	if err != nil {
		t.Fatal(err)
	}
	r := &redisServer{t: t, dir: dir}
	r.start()
	t.Cleanup(func() { r.kill(); _ = os.RemoveAll(dir) })
	return r
}

func (r *redisServer) URL() string { return "unix://" + filepath.Join(r.dir, "s") }

func (r *redisServer) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = os.Remove(filepath.Join(r.dir, "s"))
	server, err := child.Start(filepath.Join(r.dir, "log"), "redis-server", "--port", "0", "--unixsocket", filepath.Join(r.dir, "s"), "--save", "", "--dir", r.dir)
	if err != nil {
		r.t.Error(err)
		return
	}
	r.server = server
}

func (r *redisServer) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server == nil {
		return
	}
	_ = syscall.Kill(r.server.PID(), syscall.SIGKILL)
	<-r.server.Done()
	r.server = nil
}

// replica is one running App.
type replica struct {
	*app.App
	stop context.CancelFunc
	done chan struct{}
}

// config is what every replica of a test shares.
func config(t *testing.T, dsn, redisURL string) app.Config {
	t.Helper()
	return app.Config{
		Storage: app.Storage{DatabaseDSN: dsn, DataDir: t.TempDir(), MaxConns: 16},
		Listen:  "127.0.0.1:0", RedisURL: redisURL, RedisChannel: fmt.Sprintf("test.%d", time.Now().UnixNano()), JWTKeys: testKey, AdminPassword: testPassword,
		MaxBodyMB: 64, MaxRecordKB: 1024, MaxInFlightMB: 64, QueryTimeout: 20 * time.Second, MaxComplexity: 60_000, Grace: time.Second,
	}
}

func startReplica(t *testing.T, cfg app.Config) *replica {
	t.Helper()
	return startReplicaLogging(t, cfg, io.Discard)
}

func startReplicaLogging(t *testing.T, cfg app.Config, log io.Writer) *replica {
	t.Helper()
	return startReplicaOn(t, cfg, slog.New(slog.NewTextHandler(log, nil)))
}

func startReplicaOn(t *testing.T, cfg app.Config, lg *slog.Logger) *replica {
	t.Helper()
	a, err := app.New(context.Background(), cfg, lg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &replica{App: a, stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		_ = a.Run(ctx)
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	t.Cleanup(r.Stop)
	return r
}

// Stop ends the replica as SIGTERM would.
func (r *replica) Stop() {
	r.stop()
	<-r.done
}

// answer is a GraphQL answer.
type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

// code gives the code of the first error, "" without one.
func (a answer) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

// post asks a server; into, where not nil, takes the data.
func post(t *testing.T, base, bearer, query string, variables map[string]any, into any) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // a test
	var a answer
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		t.Fatalf("%s: %v", response.Status, err)
	}
	if into != nil {
		if len(a.Errors) > 0 {
			t.Fatalf("%s\n%+v", query, a.Errors)
		}
		if err := json.Unmarshal(a.Data, into); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// login gives an access token.
func login(t *testing.T, base, name, password string) string {
	t.Helper()
	var data struct {
		SessionLogin struct {
			AccessToken string
			Errors      []struct{ Message string }
		}
	}
	post(t, base, "", `mutation($n: String!, $p: String!) { sessionLogin(input: {name: $n, password: $p}) { accessToken errors { message } } }`,
		map[string]any{"n": name, "p": password}, &data)
	if data.SessionLogin.AccessToken == "" {
		t.Fatalf("login: %+v", data.SessionLogin.Errors)
	}
	return data.SessionLogin.AccessToken
}

// sendEvents posts a body to the ingest endpoint and gives status and answer.
func sendEvents(t *testing.T, base, token string, body []byte, headers ...string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/ingest", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // a test
	var a map[string]any
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		t.Fatalf("%s: %v", response.Status, err)
	}
	return response.StatusCode, a
}

func ingestToken(t *testing.T, r *replica) string {
	t.Helper()
	token, err := r.IngestToken(t.Context(), "test", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// socket is a graphql-transport-ws client.
type socket struct {
	conn *websocket.Conn
}

type socketMessage struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// dial connects and waits for the acknowledgement.
func dial(ctx context.Context, base, bearer string) (*socket, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: 5 * time.Second}
	conn, response, err := dialer.DialContext(ctx, strings.Replace(base, "http", "ws", 1)+"/api/graphql", nil)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close()
	s := &socket{conn}
	init, err := json.Marshal(map[string]string{"authorization": "Bearer " + bearer})
	if err != nil {
		return nil, err
	}
	if err := conn.WriteJSON(socketMessage{Type: "connection_init", Payload: init}); err != nil {
		return nil, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	m, err := s.next()
	if err != nil {
		return nil, err
	}
	if m.Type != "connection_ack" {
		return nil, fmt.Errorf("got %s, want connection_ack", m.Type)
	}
	return s, nil
}

// next gives the next message that is no ping.
func (s *socket) next() (socketMessage, error) {
	for {
		var m socketMessage
		if err := s.conn.ReadJSON(&m); err != nil {
			return m, err
		}
		switch m.Type {
		case "ping":
			if err := s.conn.WriteJSON(socketMessage{Type: "pong"}); err != nil {
				return m, err
			}
		case "pong":
		default:
			return m, nil
		}
	}
}

func (s *socket) subscribe(query string, variables map[string]any) error {
	payload, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	return s.conn.WriteJSON(socketMessage{ID: "1", Type: "subscribe", Payload: payload})
}

func (s *socket) close() { _ = s.conn.Close() }

// corpora gives the folder of real rules and logs, or skips the test.
func corpora(t *testing.T, path string) string {
	t.Helper()
	root := os.Getenv("SECMON_CORPORA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "corpora")
	}
	full := filepath.Join(root, path)
	if _, err := os.Stat(full); err != nil {
		t.Skipf("the corpora are not here (%s): set SECMON_CORPORA", path)
	}
	return full
}

// testRule is a rule that fires on every event it is named for; no event needs
// to go through the engine.
func testRule(n byte) *monitor.Rule {
	return &monitor.Rule{ID: monitor.ID{n, 0xfe}, Version: 1, Title: fmt.Sprintf("Rule %d", n), Level: monitor.SeverityHigh}
}

func testEvent(host string) *monitor.Event {
	return &monitor.Event{
		OccurredAt: time.Now().UTC().Truncate(time.Microsecond), Class: monitor.ClassBase, Outcome: monitor.OutcomeUnknown,
		Severity: monitor.SeverityLow, Format: "test", Host: host, Raw: monitor.RawJSON(`{}`),
	}
}

// eventually polls what nobody tells of.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
