package agent

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/security-monitor/secmon/client"
)

// endpoint answers as told, and keeps what it was sent.
type endpoint struct {
	mu     sync.Mutex
	answer func(try int) (status int, body string)
	keys   []string
	stored []string // the field n
	t      *testing.T
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys = append(e.keys, r.Header.Get("Idempotency-Key"))
	status, body := e.answer(len(e.keys))
	packed, err := io.ReadAll(r.Body)
	if err != nil {
		e.t.Error(err)
	}
	if status == http.StatusOK {
		e.stored = append(e.stored, texts(recordsOf(e.t, packed), "n")...)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (e *endpoint) tries() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.keys)
}

func TestSenderKeepsWhatIsNotTheChunksFault(t *testing.T) {
	for _, c := range []struct {
		reason, body string
		status       int
		refused      uint64 // records that are given up
	}{
		{"the server is busy", `{"code":"RATE_LIMITED"}`, http.StatusTooManyRequests, 0},
		{"the token is wrong: somebody will put the right one", `{"code":"UNAUTHENTICATED"}`, http.StatusUnauthorized, 0},
		{"a proxy that does not know us", `<html>`, http.StatusBadRequest, 0},
		{"the address is wrong", `not found`, http.StatusNotFound, 0},
		{"an answer that breaks off", `{"acc`, http.StatusOK, 0},
		{"the server will never take it", `{"code":"BODY_TOO_LARGE"}`, http.StatusRequestEntityTooLarge, 3},
	} {
		t.Run(c.reason, func(t *testing.T) {
			s := open(t, t.TempDir(), 1<<20)
			put(t, s, nil, numbered(0, 3))
			e := &endpoint{t: t, answer: func(int) (int, string) { return c.status, c.body }}
			server := httptest.NewServer(e)
			defer server.Close()
			sender := newSender(t, s, server.URL)
			_, _, err := sender.next(t.Context())
			counters, _ := s.Counters()
			if counters.Refused != c.refused || counters.Waiting != 3-c.refused || (err == nil) != (c.refused > 0) {
				t.Errorf("%+v, %v", counters, err)
			}
			e.answer = func(int) (int, string) { return http.StatusOK, `{"accepted":3}` }
			if _, _, err := sender.next(t.Context()); err != nil {
				t.Fatal(err)
			}
			if keys := e.tries(); c.refused == 0 && (len(keys) != 2 || keys[0] != keys[1] || keys[0] == "") {
				t.Errorf("sent again under other names: %q", keys)
			}
		})
	}
}

func newSender(t *testing.T, s *Spool, url string) *sender {
	t.Helper()
	a := newAgent(t, t.TempDir(), Config{})
	return &sender{spool: s, lg: a.lg, notes: &a.notes, server: &client.Ingest{
		URL: url, HTTP: &http.Client{}, Token: func(context.Context) (string, error) { return "smt_x", nil },
	}}
}

func TestRejectedRecordsAreCounted(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	put(t, s, nil, numbered(0, 3))
	server := httptest.NewServer(&endpoint{t: t, answer: func(int) (int, string) {
		return http.StatusOK, `{"accepted":2,"rejected":1,"errors":[{"line":2,"code":"TOO_DEEP","message":"x"}]}`
	}})
	defer server.Close()
	if _, _, err := newSender(t, s, server.URL).next(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, _ := s.Counters(); c.Stored != 2 || c.Rejected != 1 || c.Waiting != 0 {
		t.Errorf("%+v", c)
	}
}

func TestStoppedAgentSendsWhatItHas(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	for i := range 5 {
		put(t, s, nil, numbered(i, i+1))
	}
	e := &endpoint{t: t, answer: func(int) (int, string) { return http.StatusOK, `{"accepted":1}` }}
	server := httptest.NewServer(e)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newSender(t, s, server.URL).run(ctx); err != nil || len(e.stored) != 5 || e.stored[4] != "4" {
		t.Errorf("stored %q, %v", e.stored, err)
	}
}
