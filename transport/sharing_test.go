package transport_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/gorilla/websocket"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/resolvers"
	"github.com/security-monitor/secmon/transport"
)

// journal is a journal in memory.
type journal struct {
	mu      sync.Mutex
	entries []monitor.Entry
}

func (j *journal) raise(t *testing.T) []monitor.Entry {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	a := &monitor.Alert{ID: monitor.NewID(time.Now()), Version: 1, Title: "one", Severity: monitor.SeverityHigh, Status: monitor.AlertNew, AssigneeID: monitor.ID{1}}
	change, err := monitor.NewChange(monitor.KindAlert, a.ID, monitor.ActionAlertRaise, nil, a)
	if err != nil {
		t.Fatal(err)
	}
	e := monitor.Entry{Seq: uint64(len(j.entries) + 1), Body: monitor.EntryBody{Changes: []monitor.Change{change}}}
	j.entries = append(j.entries, e)
	return []monitor.Entry{e}
}

func (j *journal) Head(context.Context) (monitor.Position, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return monitor.Position{Seq: uint64(len(j.entries))}, nil
}

func (j *journal) Entries(_ context.Context, seq uint64, limit int) ([]monitor.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[seq:min(seq+uint64(limit), uint64(len(j.entries)))], nil //nolint:gosec // small
}

func (j *journal) Entry(_ context.Context, seq uint64) (monitor.Entry, bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[seq-1], true, nil
}

func (*journal) Earliest(context.Context) (monitor.Position, error) { return monitor.Position{}, nil }

// nosy is a store that asks who is asking, which no shared execution may tell.
type (
	userStore = resolvers.Users
	nosy      struct{ userStore }
)

func (nosy) UsersByID(ctx context.Context, ids []monitor.ID) ([]*monitor.User, error) {
	return []*monitor.User{{ID: ids[0], Name: "assignee of " + monitor.ViewerFrom(ctx).Actor().Name}}, nil
}

type lockstep struct{ *feed.Tail }

func (f lockstep) Subscribe(ctx context.Context, after *monitor.Position) (resolvers.Stream, monitor.Position, error) {
	return f.Tail.Subscribe(ctx, after)
}

func (lockstep) Pages(ctx context.Context) (resolvers.Pages, error) { return transport.PagesFrom(ctx) }

// rig is a server of the real schema over a journal in memory.
type rig struct {
	t    *testing.T
	log  *journal
	tail *feed.Tail
	url  string
	hang chan struct{} // takes the logins of "hang", which last as long as the test
}

func (r *rig) authenticate(_ context.Context, name string) (*monitor.Viewer, error) {
	if name == "hang" {
		r.hang <- struct{}{}
		<-r.t.Context().Done()
		return nil, context.Canceled
	}
	return viewerOf(name), nil
}

func newRig(t *testing.T, limits transport.Limits, users resolvers.Users) *rig {
	t.Helper()
	r := &rig{t: t, log: &journal{}, hang: make(chan struct{})}
	lg := slog.New(slog.DiscardHandler)
	r.tail = feed.NewTail(r.log, nil, lg)
	if err := r.tail.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	hub := feed.NewHub(r.tail, feed.DefaultLimits, nil, lg)
	server := transport.NewServer(transport.Options{
		Hub: hub, Limits: limits, Present: resolvers.Presenter(lg), Log: lg, Replica: "test",
		Authenticate: r.authenticate,
		Recheck:      func(context.Context, *monitor.Viewer) error { return nil },
		Failure:      func(context.Context) error { return nil },
	})
	root := &resolvers.Resolver{Feed: lockstep{r.tail}, Users: users}
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: root})
	guard, err := resolvers.NewGuard(schema.Schema())
	if err != nil {
		t.Fatal(err)
	}
	executor := handler.New(schema)
	executor.SetErrorPresenter(resolvers.Presenter(lg))
	executor.SetRecoverFunc(resolvers.Recover(lg))
	executor.AroundResponses(root.Loaders)
	executor.AroundFields(guard.Field)
	executor.AddTransport(transport.WebSocket{Server: server})
	executor.AddTransport(transport.Stream{Server: server})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		executor.ServeHTTP(w, q.WithContext(monitor.WithViewer(q.Context(), viewerOf("header"))))
	}))
	r.url = web.URL
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { hub.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		server.Close()
		hub.Close()
		web.Close()
	})
	return r
}

func viewerOf(name string) *monitor.Viewer {
	return &monitor.Viewer{User: &monitor.User{ID: monitor.ID{9}, Name: name, Role: monitor.RoleViewer}}
}

// dial opens a socket, or gives the status with which it was refused.
func (r *rig) dial() (*websocket.Conn, int) {
	r.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, response, err := dialer.DialContext(r.t.Context(), strings.Replace(r.url, "http", "ws", 1), nil)
	if response == nil {
		r.t.Fatal(err)
	}
	_ = response.Body.Close()
	if err != nil {
		return nil, response.StatusCode
	}
	r.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	return conn, response.StatusCode
}

func (r *rig) say(conn *websocket.Conn, text string) {
	r.t.Helper()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		r.t.Fatal(err)
	}
}

const initialise = `{"type":"connection_init","payload":{"authorization":"ana"}}`

// subscribe opens a socket with one subscription, and gives it behind the greeting.
func (r *rig) subscribe(query string) *websocket.Conn {
	r.t.Helper()
	conn, _ := r.dial()
	r.say(conn, initialise)
	r.say(conn, `{"id":"1","type":"subscribe","payload":{"query":"`+query+`"}}`)
	r.next(conn) // acknowledged
	r.next(conn) // the greeting
	return conn
}

func (r *rig) next(conn *websocket.Conn) string {
	r.t.Helper()
	var m struct {
		Type    string
		Payload json.RawMessage
	}
	if err := conn.ReadJSON(&m); err != nil {
		r.t.Fatal(err)
	}
	return m.Type + " " + string(m.Payload)
}

// A field that depends on who asks fails in an execution for many, instead of
// showing one subscriber's answer to another.
func TestFieldThatReadsTheViewerFailsInASharedExecution(t *testing.T) {
	r := newRig(t, transport.DefaultLimits, nosy{})
	conn := r.subscribe("subscription { alertFeed { cursor entries { alert { title assignee { name } } } } }")
	r.tail.Committed(t.Context(), r.log.raise(t))
	if got := r.next(conn); !strings.Contains(got, `"assignee":null`) || !strings.Contains(got, `"code":"FORBIDDEN"`) || strings.Contains(got, "ana") {
		t.Errorf("got %s", got)
	}
}

// While a filter lets nothing through, pings tell how far the feed has come; who
// answers none is taken for gone.
func TestPingsTellThePosition(t *testing.T) {
	limits := transport.DefaultLimits
	limits.KeepAlive = time.Second
	r := newRig(t, limits, nosy{})
	const query = `subscription { alertFeed(filter: {host: {eq: \"none\"}}) { cursor } }`
	conn := r.subscribe(query)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, strings.NewReader(`{"query":"`+query+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // a test
	lines := bufio.NewReader(response.Body)
	for line := ""; !strings.HasPrefix(line, "data: "); { // the greeting
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	entry := r.log.raise(t)[0]
	r.tail.Committed(t.Context(), []monitor.Entry{entry})
	cursor := r.tail.PositionOf(entry).Cursor()
	for want := `ping {"cursors":{"1":"` + cursor + `"}}`; ; {
		if got := r.next(conn); got == want {
			break
		} else if !strings.HasPrefix(got, "ping") {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("no block with the id %s: %v", cursor, err)
		}
		if line == "id: "+cursor+"\n" {
			if line, _ = lines.ReadString('\n'); line != "\n" {
				t.Errorf("the block with the id goes on with %q", line)
			}
			break
		}
	}
	for { // no pong is sent
		_, _, err := conn.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			if closed.Code != 1013 {
				t.Errorf("closed with %d", closed.Code)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
