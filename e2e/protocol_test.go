package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// rawDial connects without a word.
func rawDial(t *testing.T, base string, subprotocols ...string) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: subprotocols, HandshakeTimeout: 5 * time.Second}
	conn, response, err := dialer.DialContext(t.Context(), strings.Replace(base, "http", "ws", 1)+"/api/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// closeOf reads until the server closes, and gives code and reason.
func closeOf(t *testing.T, conn *websocket.Conn) (int, string) {
	t.Helper()
	for {
		_, _, err := conn.ReadMessage()
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed):
			return closed.Code, closed.Text
		case err != nil:
			t.Fatalf("the connection ended without a close code: %v", err)
		}
	}
}

func initMessage(bearer string) string {
	return `{"type":"connection_init","payload":{"authorization":"Bearer ` + bearer + `"}}`
}

const protocol = "graphql-transport-ws"

// Every close code of the protocol, and those of RFC 6455 that a client can cause.
func TestSocketClosesWithTheCodeOfTheProtocol(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	bearer := login(t, r.URL(), "admin", testPassword)
	subscribe := func(id string) string {
		return `{"id":"` + id + `","type":"subscribe","payload":{"query":"subscription { alertFeed { cursor } }"}}`
	}
	for _, c := range []struct {
		name string
		send []string
		code int
	}{
		{"not JSON", []string{"hello"}, 4400},
		{"an array", []string{"[]"}, 4400},
		{"unknown type", []string{initMessage(bearer), `{"type":"start"}`}, 4400},
		{"no type", []string{initMessage(bearer), `{"id":"1"}`}, 4400},
		{"subscribe without id", []string{initMessage(bearer), `{"type":"subscribe","payload":{"query":"{ viewer { role } }"}}`}, 4400},
		{"subscribe without payload", []string{initMessage(bearer), `{"id":"1","type":"subscribe"}`}, 4400},
		{"subscribe with an id of 300 bytes", []string{initMessage(bearer), subscribe(strings.Repeat("x", 300))}, 4400},
		{"complete without id", []string{initMessage(bearer), `{"type":"complete"}`}, 4400},
		{"subscribe before init", []string{subscribe("1")}, 4401},
		{"init without credential", []string{`{"type":"connection_init"}`}, 4403},
		{"init with a wrong credential", []string{initMessage("nonsense")}, 4403},
		{"init with a wrong API token", []string{initMessage("smt_nonsense")}, 4403},
		{"no init", nil, 4408},
		{"two operations of one id", []string{initMessage(bearer), subscribe("1"), subscribe("1")}, 4409},
		{"two inits", []string{initMessage(bearer), initMessage(bearer)}, 4429},
		{"too big", []string{initMessage(bearer), strings.Repeat(" ", 2<<20)}, 1009},
		{"not UTF-8", []string{"\"\xff\xfe\""}, 1007},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := rawDial(t, r.URL(), protocol)
			for _, text := range c.send {
				if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			if code, reason := closeOf(t, conn); code != c.code {
				t.Errorf("closed with %d %q, want %d", code, reason, c.code)
			}
		})
	}
	t.Run("binary", func(t *testing.T) {
		t.Parallel()
		conn := rawDial(t, r.URL(), protocol)
		_ = conn.WriteMessage(websocket.BinaryMessage, []byte("{}"))
		if code, _ := closeOf(t, conn); code != 4400 {
			t.Errorf("closed with %d, want 4400", code)
		}
	})
	for _, names := range [][]string{nil, {"graphql-ws"}, {"soap"}} {
		t.Run(fmt.Sprintf("subprotocols %v", names), func(t *testing.T) {
			t.Parallel()
			if code, _ := closeOf(t, rawDial(t, r.URL(), names...)); code != 4406 {
				t.Errorf("closed with %d, want 4406", code)
			}
		})
	}
	t.Run("an unmasked frame", func(t *testing.T) {
		t.Parallel()
		conn := rawDial(t, r.URL(), protocol)
		_, _ = conn.NetConn().Write([]byte{0x81, 2, '{', '}'})
		if code, _ := closeOf(t, conn); code != 1002 {
			t.Errorf("closed with %d, want 1002", code)
		}
	})
	t.Run("a client that leaves", func(t *testing.T) {
		t.Parallel()
		conn := rawDial(t, r.URL(), protocol)
		_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""))
		if code, _ := closeOf(t, conn); code != 1000 {
			t.Errorf("closed with %d, want 1000", code)
		}
	})
}

// What an operation has wrong ends the operation with an error, not the connection.
func TestSocketSaysWhatIsWrongWithAnOperation(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	user(t, r, "vera", monitor.RoleViewer)
	s, err := dial(t.Context(), r.URL(), login(t, r.URL(), "vera", testPassword))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, c := range []struct{ query, variables, code string }{
		{`subscription { nothing }`, `{}`, "BAD_INPUT"},
		{`subscription {`, `{}`, "BAD_INPUT"},
		{`subscription($f: AlertFilter) { alertFeed(filter: $f) { cursor } }`, `{"f": {"nothing": 1}}`, "BAD_INPUT"},
		{`subscription { alertFeed(filter: {sourceIp: {cidr: "300.0.0.0/8"}}) { cursor } }`, `{}`, "BAD_INPUT"},
		{`subscription { alertFeed(after: "nonsense") { cursor } }`, `{}`, "BAD_INPUT"},
		{`subscription { alertFeed { cursor } eventFeed { cursor } }`, `{}`, "BAD_INPUT"},
		{`mutation { ruleEnable(input: {id: "x"}) { errors { code } } }`, `{}`, "FORBIDDEN"},
	} {
		payload := `{"query":` + quote(c.query) + `,"variables":` + c.variables + `}`
		if err := s.conn.WriteJSON(socketMessage{ID: "1", Type: "subscribe", Payload: json.RawMessage(payload)}); err != nil {
			t.Fatal(err)
		}
		m, err := s.next()
		if err != nil {
			t.Fatalf("%s: %v", c.query, err)
		}
		if !strings.Contains(string(m.Payload), `"code":"`+c.code+`"`) || !strings.Contains(string(m.Payload), `"requestId"`) && c.code == "FORBIDDEN" {
			t.Errorf("%s: %s %s, want %s", c.query, m.Type, m.Payload, c.code)
		}
		if m.Type == "next" { // executed, as every query and mutation whose fields fail
			if m, err = s.next(); err != nil || m.Type != "complete" {
				t.Errorf("%s: then %+v %v, want complete", c.query, m, err)
			}
		}
	}
	// And the connection works on: a query, and a message in three frames with a ping between.
	if err := s.subscribe(`{ viewer { role } }`, nil); err != nil {
		t.Fatal(err)
	}
	m, err := s.next()
	if err != nil || m.Type != "next" || string(m.Payload) != `{"data":{"viewer":{"role":"VIEWER"}}}` {
		t.Errorf("query over the socket: %+v %s %v", m.Type, m.Payload, err)
	}
	if m, err = s.next(); err != nil || m.Type != "complete" {
		t.Errorf("then %+v %v, want complete", m, err)
	}
}

func quote(s string) string {
	text, _ := json.Marshal(s) // a string always can
	return string(text)
}

// user makes a user with the test password.
func user(t *testing.T, r *replica, name string, role monitor.Role) *monitor.User {
	t.Helper()
	u, err := r.Auth.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: name, Role: role}, testPassword)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// apiToken makes an API token that may read.
func apiToken(t *testing.T, r *replica, expires time.Time, scopes ...monitor.Scope) (string, *monitor.APIToken) {
	t.Helper()
	secret, token, err := r.Auth.CreateToken(t.Context(), monitor.SystemActor, monitor.APIToken{Name: "reader", Scopes: scopes, ExpiresAt: expires})
	if err != nil {
		t.Fatal(err)
	}
	return secret, token
}

// A right that ends closes what was opened with it, on every replica, before
// anything that came later is delivered.
func TestRightsThatEndCloseLiveConnections(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	a, b := startReplica(t, cfg), startReplica(t, cfg)
	for _, c := range []struct {
		name string
		end  func(t *testing.T, u *monitor.User, token *monitor.APIToken)
		with string // which credential
	}{
		{"user disabled", func(t *testing.T, u *monitor.User, _ *monitor.APIToken) {
			t.Helper()
			updateUser(t, a, u, func(u *monitor.User) { u.Disabled = true })
		}, "session"},
		{"role taken", func(t *testing.T, u *monitor.User, _ *monitor.APIToken) {
			t.Helper()
			updateUser(t, a, u, func(u *monitor.User) { u.Role = monitor.RoleViewer })
		}, "session"},
		{"password changed", func(t *testing.T, u *monitor.User, _ *monitor.APIToken) {
			t.Helper()
			if err := a.Auth.SetPassword(t.Context(), monitor.SystemActor, u.ID, testPassword+"2", monitor.ID{}); err != nil {
				t.Fatal(err)
			}
		}, "session"},
		{"token revoked", func(t *testing.T, _ *monitor.User, token *monitor.APIToken) {
			t.Helper()
			if err := a.Store.RevokeToken(t.Context(), monitor.SystemActor, token.ID); err != nil {
				t.Fatal(err)
			}
		}, "token"},
		{"token over", func(*testing.T, *monitor.User, *monitor.APIToken) {}, "short token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := strings.ReplaceAll(c.name, " ", ".")
			u := user(t, a, name, monitor.RoleAnalyst)
			var bearer string
			var token *monitor.APIToken
			switch c.with {
			case "session":
				bearer = login(t, a.URL(), name, testPassword)
			case "token":
				bearer, token = apiToken(t, a, time.Time{}, monitor.ScopeRead)
			case "short token":
				bearer, token = apiToken(t, a, time.Now().Add(2*time.Second).UTC().Truncate(time.Microsecond), monitor.ScopeRead)
			}
			var sockets []*socket
			for _, r := range []*replica{a, b} {
				s, err := dial(t.Context(), r.URL(), bearer)
				if err != nil {
					t.Fatal(err)
				}
				defer s.close()
				if err := s.subscribe(alertFeedQuery, nil); err != nil {
					t.Fatal(err)
				}
				if _, err := s.nextBatch(); err != nil {
					t.Fatal(err)
				}
				sockets = append(sockets, s)
			}
			stream := openStream(t, b.URL(), bearer, "", `subscription { alertFeed { cursor entries { alert { host } } } }`)
			stream.next(t)
			c.end(t, u, token)
			if c.with != "short token" {
				// At once after it: nobody who lost the right may see this one.
				batch := &monitor.Batch{Events: []*monitor.Event{testEvent("secret")}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(9)}}}
				if _, err := b.Store.StoreBatch(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
			}
			for i, s := range sockets {
				_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
				m, err := s.next()
				var closed *websocket.CloseError
				if !errors.As(err, &closed) || closed.Code != 4403 {
					t.Errorf("socket %d: got %s %s, %v, want 4403", i, m.Type, m.Payload, err)
				}
			}
			if rest := stream.rest(t); strings.Contains(rest, "secret") {
				t.Errorf("the stream told:\n%s", rest)
			}
		})
	}
}

func updateUser(t *testing.T, r *replica, u *monitor.User, change func(*monitor.User)) {
	t.Helper()
	if _, err := r.Store.UpdateUser(t.Context(), monitor.SystemActor, u.ID, nil, change); err != nil {
		t.Fatal(err)
	}
}

// A server that stops says so with 1012.
func TestStoppingServerSaysSo(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	bearer := login(t, r.URL(), "admin", testPassword)
	s, err := dial(t.Context(), r.URL(), bearer)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	stream := openStream(t, r.URL(), bearer, "", `subscription { alertFeed { cursor } }`)
	stream.next(t)
	go r.Stop()
	if code, _ := closeOf(t, s.conn); code != 1012 {
		t.Errorf("closed with %d, want 1012", code)
	}
	if rest := stream.rest(t); strings.Contains(rest, "event: complete") {
		t.Errorf("the stream says that it is complete, it has to be resumed:\n%s", rest)
	}
}

// Too much is refused with a code that says what is too much.
func TestTooMuchIsRefused(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.MaxConnections, cfg.MaxSubscriptions = 3, 2
	r := startReplica(t, cfg)
	bearer := login(t, r.URL(), "admin", testPassword)
	var sockets []*socket
	for range 3 {
		s, err := dial(t.Context(), r.URL(), bearer)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		sockets = append(sockets, s)
	}
	fourth := rawDial(t, r.URL(), protocol)
	_ = fourth.WriteMessage(websocket.TextMessage, []byte(initMessage(bearer)))
	if code, reason := closeOf(t, fourth); code != 1013 || !strings.Contains(reason, "connections") {
		t.Errorf("the fourth connection: %d %q, want 1013", code, reason)
	}
	for i, s := range sockets {
		if err := s.subscribe(alertFeedQuery, nil); err != nil {
			t.Fatal(err)
		}
		m, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		refused := m.Type == "error" && strings.Contains(string(m.Payload), `"code":"RATE_LIMITED"`) && strings.Contains(string(m.Payload), `"limit":"subscriptions"`)
		if refused != (i == 2) {
			t.Errorf("subscription %d: %s %s", i, m.Type, m.Payload)
		}
	}
}

// stream is a client of server-sent events that looks at the bytes.
type stream struct {
	response *http.Response
	lines    *bufio.Reader
}

type event struct{ name, id, data string }

func openStream(t *testing.T, base, bearer, last, query string) *stream {
	t.Helper()
	body := strings.NewReader(`{"query":` + quote(query) + `}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/graphql", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	return doStream(t, request, bearer, last)
}

func doStream(t *testing.T, request *http.Request, bearer, last string) *stream {
	t.Helper()
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Authorization", "Bearer "+bearer)
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("%s, %s: %s", response.Status, kind, text)
	}
	return &stream{response, bufio.NewReader(response.Body)}
}

// next gives the next block that is more than a comment.
func (s *stream) next(t *testing.T) event {
	t.Helper()
	var e event
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			t.Fatalf("stream: %v", err)
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data += value
		case "":
			if line == "" && e != (event{}) {
				return e
			}
		}
	}
}

func (s *stream) rest(t *testing.T) string {
	t.Helper()
	timer := time.AfterFunc(10*time.Second, func() { _ = s.response.Body.Close() })
	defer timer.Stop()
	text, err := io.ReadAll(s.lines)
	if err != nil {
		t.Errorf("the stream does not end: %v", err)
	}
	return string(text)
}

func raise(t *testing.T, r *replica, hosts ...string) {
	t.Helper()
	for i, host := range hosts {
		batch := &monitor.Batch{Events: []*monitor.Event{testEvent(host)}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(byte(i + 1))}}} //nolint:gosec // few
		if _, err := r.Store.StoreBatch(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
}

// A stream resumes by Last-Event-ID, by POST and by GET, without a gap.
func TestStreamResumesByLastEventID(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	bearer := login(t, r.URL(), "admin", testPassword)
	const query = `subscription { alertFeed { cursor entries { alert { host } } } }`
	s := openStream(t, r.URL(), bearer, "", query)
	first := s.next(t)
	if first.name != "next" || first.id == "" || !strings.Contains(first.data, `"entries":[]`) || !strings.Contains(first.data, `"extensions":{"cursor":"`+first.id+`"}`) {
		t.Fatalf("first event %+v", first)
	}
	raise(t, r, "one")
	one := s.next(t)
	if !strings.Contains(one.data, `"host":"one"`) {
		t.Fatalf("got %+v", one)
	}
	_ = s.response.Body.Close()
	raise(t, r, "two", "three")
	get := r.URL() + "/api/graphql?query=" + url.QueryEscape(query)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, get, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, again := range map[string]*stream{"POST": openStream(t, r.URL(), bearer, one.id, query), "GET": doStream(t, request, bearer, one.id)} {
		seen := ""
		for !strings.Contains(seen, "three") {
			seen += again.next(t).data
		}
		if strings.Contains(seen, `"one"`) || strings.Index(seen, `"two"`) > strings.Index(seen, `"three"`) || !strings.Contains(seen, `"two"`) {
			t.Errorf("%s: got %s", name, seen)
		}
	}
	// A query is answered and complete; what is wrong is said in the stream.
	s = openStream(t, r.URL(), bearer, "", `{ viewer { role } }`)
	if e := s.next(t); e.data != `{"data":{"viewer":{"role":"ADMIN"}}}` {
		t.Errorf("query: %+v", e)
	}
	if e := s.next(t); e.name != "complete" {
		t.Errorf("query: then %+v", e)
	}
	s = openStream(t, r.URL(), bearer, "", `subscription { nothing }`)
	if e := s.next(t); e.name != "next" || !strings.Contains(e.data, "BAD_INPUT") {
		t.Errorf("invalid: %+v", e)
	}
	if rest := s.rest(t); !strings.Contains(rest, "event: complete") {
		t.Errorf("invalid: then %q", rest)
	}
	if a := post(t, r.URL(), bearer, `subscription { alertFeed { cursor } }`, nil, nil); a.code() != "BAD_INPUT" {
		t.Errorf("a subscription by plain POST: %+v", a)
	}
}

// One stream carries many operations, of its owner only.
func TestOneStreamForManyOperations(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	user(t, r, "eve", monitor.RoleAdmin)
	bearer, other := login(t, r.URL(), "admin", testPassword), login(t, r.URL(), "eve", testPassword)
	do := func(method, address, bearer, token, body string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+bearer)
		request.Header.Set("Content-Type", "application/json")
		if token != "" {
			request.Header.Set("X-GraphQL-Event-Stream-Token", token)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close() //nolint:errcheck // a test
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	address := r.URL() + "/api/graphql"
	if status, text := do(http.MethodPut, address, "nonsense", "", ""); status != http.StatusUnauthorized {
		t.Errorf("PUT as nobody: %d %s", status, text)
	}
	status, token := do(http.MethodPut, address, bearer, "", "")
	if status != http.StatusCreated || len(token) < 20 {
		t.Fatalf("PUT: %d %s", status, token)
	}
	begin := func(id string) string {
		return `{"query":"subscription { alertFeed { entries { alert { host } } } }","extensions":{"operationId":"` + id + `"}}`
	}
	if status, text := do(http.MethodPost, address, bearer, token, begin("a")); status != http.StatusNotFound {
		t.Errorf("POST before the stream is open: %d %s", status, text)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"?token="+token, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := doStream(t, request, bearer, "")
	for _, c := range []struct {
		name, method, address, bearer, body string
		status                              int
	}{
		{"second stream of the token", http.MethodGet, address, bearer, "", http.StatusConflict},
		{"somebody else's token", http.MethodPost, address, other, begin("x"), http.StatusNotFound},
		{"no operation id", http.MethodPost, address, bearer, `{"query":"{ viewer { role } }"}`, http.StatusBadRequest},
		{"first operation", http.MethodPost, address, bearer, begin("a"), http.StatusAccepted},
		{"second operation", http.MethodPost, address, bearer, begin("b"), http.StatusAccepted},
		{"id in use", http.MethodPost, address, bearer, begin("b"), http.StatusConflict},
		{"somebody else ends one", http.MethodDelete, address + "?operationId=a", other, "", http.StatusNotFound},
		{"the owner ends one", http.MethodDelete, address + "?operationId=a", bearer, "", http.StatusOK},
	} {
		if status, text := do(c.method, c.address, c.bearer, token, c.body); status != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, status, text, c.status)
		}
	}
	raise(t, r, "one")
	seen := map[string]string{}
	for !strings.Contains(seen["b"], "one") {
		e := s.next(t)
		var m struct {
			ID      string
			Payload json.RawMessage
		}
		if err := json.Unmarshal([]byte(e.data), &m); err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		seen[m.ID] += string(m.Payload)
	}
	if strings.Contains(seen["a"], "one") || seen["x"] != "" {
		t.Errorf("got %v", seen)
	}
	if status, _ := do(http.MethodPost, address, bearer, token, `{"query":"{ viewer { role } }","extensions":{"operationId":"q"}}`); status != http.StatusAccepted {
		t.Errorf("query: %d", status)
	}
	if e := s.next(t); e.data != `{"id":"q","payload":{"data":{"viewer":{"role":"ADMIN"}}}}` {
		t.Errorf("query: %+v", e)
	}
	if e := s.next(t); e.name != "complete" || e.data != `{"id":"q"}` {
		t.Errorf("query: then %+v", e)
	}
}

// dialSlow connects with little room for what is not read.
func dialSlow(t *testing.T, base, bearer string) *socket {
	t.Helper()
	dialer := websocket.Dialer{
		Subprotocols: []string{protocol}, ReadBufferSize: 1 << 10,
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetReadBuffer(64 << 10)
			}
			return conn, err
		},
	}
	conn, response, err := dialer.DialContext(t.Context(), strings.Replace(base, "http", "ws", 1)+"/api/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	slow := &socket{conn}
	t.Cleanup(slow.close)
	_ = conn.WriteMessage(websocket.TextMessage, []byte(initMessage(bearer)))
	if m, err := slow.next(); err != nil || m.Type != "connection_ack" {
		t.Fatalf("%+v %v", m, err)
	}
	return slow
}

// fill stores batches of events of some 900 bytes.
func fill(t *testing.T, r *replica, batches, size int) {
	t.Helper()
	for i := range batches {
		batch := &monitor.Batch{}
		for k := range size {
			e := testEvent(fmt.Sprintf("host-%d-%d", i, k))
			e.Message = strings.Repeat("m", 900)
			batch.Events = append(batch.Events, e)
		}
		if _, err := r.Store.StoreBatch(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
}

// A client that stops reading falls behind, costs the others nothing, and has
// missed nothing when it reads again.
func TestSlowClientCatchesUpFromTheJournal(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	bearer := login(t, r.URL(), "admin", testPassword)
	slow := dialSlow(t, r.URL(), bearer)
	fast, err := dial(t.Context(), r.URL(), bearer)
	if err != nil {
		t.Fatal(err)
	}
	defer fast.close()
	const query = `subscription { eventFeed { cursor events { host message } } }`
	for _, s := range []*socket{slow, fast} {
		if err := s.subscribe(query, nil); err != nil {
			t.Fatal(err)
		}
		if m, err := s.next(); err != nil || m.Type != "next" {
			t.Fatalf("%+v %v", m, err)
		}
	}
	const batches, size = 60, 50
	fill(t, r, batches, size)
	read := func(s *socket) {
		t.Helper()
		n := 0
		for n < batches*size {
			_ = s.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			m, err := s.next()
			if err != nil {
				t.Fatalf("after %d events: %v", n, err)
			}
			var p struct {
				Data struct {
					EventFeed struct{ Events []struct{ Host string } }
				}
			}
			if err := json.Unmarshal(m.Payload, &p); err != nil {
				t.Fatal(err)
			}
			for _, e := range p.Data.EventFeed.Events {
				if want := fmt.Sprintf("host-%d-%d", n/size, n%size); e.Host != want {
					t.Fatalf("event %d is of %s, want %s", n, e.Host, want)
				}
				n++
			}
		}
	}
	read(fast)
	if lagged := r.LiveStats().Lagged; lagged == 0 {
		t.Error("the slow client never fell behind: the test shows nothing")
	}
	read(slow)
}

// Subscribers that want the same share one execution, those who may not do not.
func TestSharingIsSafe(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	roles := map[string]monitor.Role{"v1": monitor.RoleViewer, "v2": monitor.RoleViewer, "n1": monitor.RoleAnalyst, "n2": monitor.RoleAnalyst, "d1": monitor.RoleAdmin, "d2": monitor.RoleAdmin}
	filters := map[string]string{
		"all": `{}`, "a": `{"host":{"eq":"a"}}`, "b": `{"host":{"eq":"b"}}`, "none": `{"host":{"eq":"c"}}`,
	}
	type client struct {
		*socket
		name, filter string
	}
	var clients []client
	for name, role := range roles {
		user(t, r, name, role)
		bearer := login(t, r.URL(), name, testPassword)
		for filter, text := range filters {
			s, err := dial(t.Context(), r.URL(), bearer)
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			// Layout and cursor differ, the meaning does not.
			query := "subscription Watch($f: AlertFilter, $after: Cursor) {" + strings.Repeat(" ", len(clients)) + "alertFeed(filter: $f, after: $after) { entries { alert { host } } } } # " + name
			payload := `{"query":` + quote(query) + `,"variables":{"f":` + text + `}}`
			if err := s.conn.WriteJSON(socketMessage{ID: name + filter, Type: "subscribe", Payload: json.RawMessage(payload)}); err != nil {
				t.Fatal(err)
			}
			if m, err := s.next(); err != nil || m.ID != name+filter || m.Type != "next" {
				t.Fatalf("%s: %+v %v", name, m, err)
			}
			clients = append(clients, client{s, name, filter})
		}
	}
	if n := r.LiveStats().Groups; n != 3*int64(len(filters)) {
		t.Errorf("%d groups run for %d subscriptions, want one a role and filter: %d", n, len(clients), 3*len(filters))
	}
	// A delivery is counted after it is made.
	eventually(t, "the first messages to be counted", func() bool { return r.LiveStats().Deliveries == int64(len(clients)) })
	before := r.LiveStats()
	raise(t, r, "a")
	for _, c := range clients {
		if c.filter == "all" || c.filter == "a" {
			m, err := c.next()
			if err != nil || m.ID != c.name+c.filter || !strings.Contains(string(m.Payload), `"host":"a"`) {
				t.Errorf("%s %s: %+v %s %v", c.name, c.filter, m, m.Payload, err)
			}
		}
	}
	eventually(t, "all messages to be counted", func() bool { return r.LiveStats().Deliveries >= before.Deliveries+12 })
	after := r.LiveStats()
	if n := after.Executions - before.Executions; n != 6 {
		t.Errorf("the batch was executed %d times, want once for each of the 6 groups that it concerns", n)
	}
	if n := after.Deliveries - before.Deliveries; n != 12 {
		t.Errorf("%d deliveries, want 12", n)
	}
	raise(t, r, "x", "b") // the rest see this one as their first: nobody got another's
	for _, c := range clients {
		if c.filter == "b" {
			m, err := c.next()
			if err != nil || m.ID != c.name+c.filter || strings.Contains(string(m.Payload), `"a"`) || !strings.Contains(string(m.Payload), `"host":"b"`) {
				t.Errorf("%s %s: %+v %s %v", c.name, c.filter, m, m.Payload, err)
			}
		}
		if c.filter == "none" {
			_ = c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			if m, err := c.next(); err == nil {
				t.Errorf("%s %s: got %s", c.name, c.filter, m.Payload)
			}
		}
	}
}
