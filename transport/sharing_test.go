package transport_test

import (
	"context"
	"encoding/json"
	"log/slog"
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

	ruleStore  = resolvers.Rules
	noRules    struct{ ruleStore }
	eventStore = resolvers.Events
	noEvents   struct{ eventStore }
)

func (nosy) UsersByID(ctx context.Context, ids []monitor.ID) ([]*monitor.User, error) {
	return []*monitor.User{{ID: ids[0], Name: "assignee of " + monitor.ViewerFrom(ctx).Actor().Name}}, nil
}

type lockstep struct{ *feed.Tail }

func (f lockstep) Subscribe(ctx context.Context, after *monitor.Position) (resolvers.Stream, monitor.Position, error) {
	return f.Tail.Subscribe(ctx, after)
}

func (lockstep) Pages(ctx context.Context) (resolvers.Pages, error) { return transport.PagesFrom(ctx) }

// A field that depends on who asks fails in an execution for many, instead of
// showing one subscriber's answer to another.
func TestFieldThatReadsTheViewerFailsInASharedExecution(t *testing.T) {
	log := &journal{}
	tail := feed.NewTail(log, nil, slog.New(slog.DiscardHandler))
	if err := tail.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	lg := slog.New(slog.DiscardHandler)
	hub := feed.NewHub(tail, feed.DefaultLimits, nil, lg)
	server := transport.NewServer(transport.Options{
		Hub: hub, Limits: transport.DefaultLimits, Present: resolvers.Presenter(lg), Log: lg, Replica: "test",
		Authenticate: func(_ context.Context, name string) (*monitor.Viewer, error) {
			return &monitor.Viewer{User: &monitor.User{ID: monitor.ID{9}, Name: name, Role: monitor.RoleViewer}}, nil
		},
		Recheck: func(context.Context, *monitor.Viewer) error { return nil },
		Failure: func(context.Context) error { return nil },
	})
	root := &resolvers.Resolver{Feed: lockstep{tail}, Users: nosy{}, Rules: noRules{}, Events: noEvents{}}
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
	web := httptest.NewServer(executor)
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
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, response, err := dialer.DialContext(t.Context(), strings.Replace(web.URL, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	defer conn.Close() //nolint:errcheck // a test
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for _, text := range []string{
		`{"type":"connection_init","payload":{"authorization":"ana"}}`,
		`{"id":"1","type":"subscribe","payload":{"query":"subscription { alertFeed { cursor entries { alert { title assignee { name } } } } }"}}`,
	} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	next := func() string {
		t.Helper()
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := conn.ReadJSON(&m); err != nil {
			t.Fatal(err)
		}
		return m.Type + " " + string(m.Payload)
	}
	next() // acknowledged
	next() // the greeting
	tail.Committed(log.raise(t))
	if got := next(); !strings.Contains(got, `"assignee":null`) || !strings.Contains(got, `"code":"FORBIDDEN"`) || strings.Contains(got, "ana") {
		t.Errorf("got %s", got)
	}
}
