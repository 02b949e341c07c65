package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/security-monitor/secmon/client"
)

// script is a server that answers the n-th connection as its n-th function says,
// and every further one as the last.
type script struct {
	t     *testing.T
	acts  []func(*peer)
	mu    sync.Mutex
	count int
	after []any // the cursor that each connection asked for
}

// peer is the server's side of one connection.
type peer struct {
	s    *script
	conn *websocket.Conn
}

func (s *script) start() string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}})
		if err != nil {
			s.t.Error(err)
			return
		}
		defer conn.CloseNow() //nolint:errcheck // a test
		s.mu.Lock()
		act := s.acts[min(s.count, len(s.acts)-1)]
		s.count++
		s.mu.Unlock()
		act(&peer{s, conn})
	}))
	s.t.Cleanup(server.Close)
	return server.URL
}

func (p *peer) say(text string) {
	_ = p.conn.Write(context.Background(), websocket.MessageText, []byte(text))
}

func (p *peer) hear() map[string]any {
	_, text, err := p.conn.Read(context.Background())
	if err != nil {
		return nil
	}
	var m map[string]any
	_ = json.Unmarshal(text, &m)
	return m
}

// accept goes through the handshake and notes the cursor.
func (p *peer) accept() {
	if m := p.hear(); m["type"] != "connection_init" || m["payload"].(map[string]any)["authorization"] != "Bearer secret" {
		p.s.t.Errorf("first message %v", m)
	}
	p.say(`{"type":"connection_ack"}`)
	m := p.hear()
	payload, _ := m["payload"].(map[string]any)
	variables, _ := payload["variables"].(map[string]any)
	p.s.mu.Lock()
	p.s.after = append(p.s.after, variables["after"])
	p.s.mu.Unlock()
}

func next(cursor, data string) string {
	return `{"id":"feed","type":"next","payload":{"data":"` + data + `","extensions":{"cursor":"` + cursor + `"}}}`
}

func run(t *testing.T, acts ...func(*peer)) (*script, []string, error) {
	t.Helper()
	s := &script{t: t, acts: acts}
	var got []string
	f := &client.Feed{URL: s.start(), Token: func(context.Context) (string, error) { return "secret", nil }, Query: "subscription { x }"}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := f.Run(ctx, func(m client.Message) error {
		got = append(got, m.Cursor+string(m.Data))
		return nil
	})
	return s, got, err
}

func TestLostConnectionsAreResumedBehindWhatWasHandled(t *testing.T) {
	s, got, err := run(t,
		func(p *peer) { p.accept(); p.say(next("c0", "")); p.say(next("c1", "one")) }, // and gone, without a word
		func(p *peer) { p.accept(); p.say(next("c1", "")); _ = p.conn.Close(1012, "restart") },
		func(p *peer) {
			p.accept()
			p.say(`{"type":"ping","payload":{"cursors":{"feed":"c2","other":"c9"}}}`)
			if m := p.hear(); m["type"] != "pong" {
				t.Errorf("answer to a ping: %v", m)
			}
			_ = p.conn.Close(1013, "slow")
		},
		func(p *peer) { p.accept(); _ = p.conn.Close(4403, "Forbidden") },
		func(p *peer) { _ = p.conn.Close(1011, "proxy") },
		func(p *peer) {
			p.accept()
			p.say(`{"id":"feed","type":"error","payload":[{"message":"m","extensions":{"code":"UNAVAILABLE"}}]}`)
			_, _, _ = p.conn.Read(context.Background())
		},
		func(p *peer) {
			p.accept()
			p.say(next("c3", "two"))
			p.say(`{"id":"feed","type":"complete"}`)
			p.hear()
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(got, " "); text != `c0"" c1"one" c3"two"` {
		t.Errorf("handled %s", text)
	}
	want := []any{nil, "c1", "c1", "c2", "c2", "c2"}
	if len(s.after) != len(want) {
		t.Fatalf("asked behind %v, want %v", s.after, want)
	}
	for i := range want {
		if s.after[i] != want[i] {
			t.Errorf("connection %d asked behind %v, want %v", i, s.after[i], want[i])
		}
	}
}

func TestFinalCloseCodesEndTheFeed(t *testing.T) {
	for _, code := range []websocket.StatusCode{4400, 4401, 4406, 4408, 4409, 4429} {
		s, _, err := run(t, func(p *peer) { p.accept(); _ = p.conn.Close(code, "why") })
		var closed *client.Closed
		if !errors.As(err, &closed) || closed.Code != int(code) || closed.Reason != "why" || s.count != 1 {
			t.Errorf("%d: %v after %d connections", code, err, s.count)
		}
	}
	if s, _, err := run(t, func(p *peer) { _ = p.conn.Close(4403, "Forbidden") }); err == nil || s.count != 3 {
		t.Errorf("4403 for ever: %v after %d connections", err, s.count)
	}
}

func TestExpiredCursorIsTheCallersMatter(t *testing.T) {
	_, _, err := run(t, func(p *peer) {
		p.accept()
		p.say(`{"id":"feed","type":"error","payload":[{"message":"m","extensions":{"code":"CURSOR_EXPIRED","earliest":"e1"}}]}`)
		p.hear()
	})
	if earliest, expired := client.Expired(err); !expired || earliest != "e1" {
		t.Errorf("got %v", err)
	}
	if _, expired := client.Expired(errors.New("other")); expired {
		t.Error("any error is an expired cursor")
	}
}

func TestHandlersErrorEndsTheFeedAndKeepsTheCursor(t *testing.T) {
	s := &script{t: t, acts: []func(*peer){func(p *peer) { p.accept(); p.say(next("c1", "one")); p.say(next("c2", "two")); p.hear() }}}
	f := &client.Feed{URL: s.start(), Token: func(context.Context) (string, error) { return "secret", nil }}
	mine := errors.New("disk full")
	err := f.Run(t.Context(), func(m client.Message) error {
		if m.Cursor == "c2" {
			return mine
		}
		return nil
	})
	if !errors.Is(err, mine) || f.After != "c1" {
		t.Errorf("got %v, cursor %q: the message that was not handled has to come again", err, f.After)
	}
}

// A page of more than 500 events comes in parts, of which only the last moves the
// cursor: none of them may be taken for the greeting behind a resumption.
func TestPartsOfALargePageAreHandedOn(t *testing.T) {
	part := func(cursor, host string) string {
		return `{"id":"feed","type":"next","payload":{"data":{"eventFeed":{"events":[{"host":"` + host + `"}]}},"extensions":{"cursor":"` + cursor + `"}}}`
	}
	greeting := `{"id":"feed","type":"next","payload":{"data":{"eventFeed":{"events":[]}},"extensions":{"cursor":"c0"}}}`
	end := `{"id":"feed","type":"complete"}`
	for name, said := range map[string][]string{
		"behind the greeting":     {greeting, part("c0", "1"), part("c0", "2"), part("c1", "3"), end},
		"first on the connection": {part("c0", "1"), part("c0", "2"), part("c1", "3"), end},
	} {
		s := &script{t: t, acts: []func(*peer){func(p *peer) {
			p.accept()
			for _, text := range said {
				p.say(text)
			}
			p.hear()
		}}}
		var got []string
		f := &client.Feed{URL: s.start(), Token: func(context.Context) (string, error) { return "secret", nil }, After: "c0"}
		err := f.Run(t.Context(), func(m client.Message) error {
			got = append(got, string(m.Data))
			return nil
		})
		if err != nil || len(got) != 3 || f.After != "c1" {
			t.Errorf("%s: handed on %v, cursor %s, %v", name, got, f.After, err)
		}
	}
}
