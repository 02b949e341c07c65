package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// quick are limits under which a test need not wait for days.
var quick = Limits{
	Queues: 16, Sends: 8, Renders: 2, Page: 16, Waiting: 20, WaitingBytes: 1 << 20,
	Lease: 1200 * time.Millisecond, SendTime: 500 * time.Millisecond, GiveUp: time.Hour, FirstRetry: 10 * time.Millisecond, LastRetry: 50 * time.Millisecond,
}

// site is a database with a journal, and the users of a test.
type site struct {
	t     *testing.T
	store *db.Store
	hub   *feed.Hub
	tail  *feed.Tail
	owner *monitor.User
	made  int
	heard heardNotices
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, store: dbtest.New(t)}
	s.tail = feed.NewTail(s.store, nil, slog.New(slog.DiscardHandler))
	s.store.OnCommit(s.tail.Committed)
	if err := s.tail.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.hub = feed.NewHub(s.tail, feed.DefaultLimits, nil, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.tail.Run(ctx) })
	running.Go(func() { s.hub.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		s.hub.Close()
	})
	owner, err := s.store.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: "ana", DisplayName: "Ana", Role: monitor.RoleAnalyst}, "x")
	if err != nil {
		t.Fatal(err)
	}
	s.owner = owner
	return s
}

// Subscribe and PositionOf make it the Journal.
func (s *site) Subscribe(ctx context.Context, after *monitor.Position) (*feed.Subscription, monitor.Position, error) {
	return s.hub.Subscribe(ctx, after)
}

func (s *site) PositionOf(e monitor.Entry) monitor.Position { return s.tail.PositionOf(e) }

// change makes n entries of the journal that a webhook of the tests tells of.
func (s *site) change(n int) {
	s.t.Helper()
	for range n {
		s.made++
		o := monitor.SavedOperation{Saved: monitor.Saved{Name: fmt.Sprint(s.made), OwnerID: monitor.NewID(time.Now()), Shared: true}, Kind: monitor.SavedSnippet, Document: "{x}", Variables: json.RawMessage("{}")}
		if _, err := s.store.CreateSavedOperation(s.t.Context(), monitor.SystemActor, o); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *site) webhook(url string, change ...func(*monitor.Webhook)) *monitor.Webhook {
	s.t.Helper()
	head, err := s.store.Head(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	w := monitor.Webhook{
		Name: "Test", URL: url, OwnerID: s.owner.ID, Role: monitor.RoleAnalyst, Document: "subscription { x }", Variables: json.RawMessage("{}"),
		Concurrency: 1, Enabled: true,
	}
	for _, f := range change {
		f(&w)
	}
	made, err := s.store.CreateWebhook(s.t.Context(), monitor.SystemActor, w, head, func(monitor.ID) ([]byte, error) { return []byte(testSecret), nil })
	if err != nil {
		s.t.Fatal(err)
	}
	return made
}

func (s *site) find(id monitor.ID) *monitor.Webhook {
	s.t.Helper()
	found, err := s.store.WebhooksByID(s.t.Context(), []monitor.ID{id})
	if err != nil || len(found) != 1 {
		s.t.Fatalf("%d webhooks, %v", len(found), err)
	}
	return found[0]
}

// seqs renders the numbers of the entries of saved operations: a message a page that
// has one.
type seqs struct{ most *atomic.Int64 }

func (r seqs) Render(_ context.Context, page monitor.JournalPage) ([]feed.Payload, error) {
	var names []string
	for _, e := range page.Entries {
		for _, c := range e.Body.Changes {
			if c.Kind == monitor.KindSavedOperation {
				var o monitor.SavedOperation
				if err := json.Unmarshal(c.After, &o); err != nil {
					return nil, err
				}
				names = append(names, o.Name)
			}
		}
	}
	if r.most != nil {
		r.most.Store(max(r.most.Load(), int64(len(page.Entries))))
	}
	if len(names) == 0 && !page.Greet {
		return nil, nil
	}
	body, err := json.Marshal(map[string]any{"data": names})
	return []feed.Payload{{Body: append(body, '}')}}, err
}

func (seqs) Close() {}

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// death is what a replica that was killed writes: nothing.
type death struct {
	*db.Store
	dead atomic.Bool
}

var errDead = errors.New("killed")

func (d *death) SettleDelivery(ctx context.Context, l monitor.Lease, x *monitor.Delivery, a monitor.DeliveryAttempt, state monitor.DeliveryState, next time.Time) error {
	if d.dead.Load() {
		return errDead
	}
	return d.Store.SettleDelivery(ctx, l, x, a, state, next)
}

func (d *death) ReleaseQueues(ctx context.Context, owner string) error {
	if d.dead.Load() {
		return errDead
	}
	return d.Store.ReleaseQueues(ctx, owner)
}

// replica is a running dispatcher.
type replica struct {
	*death
	hooks *Webhooks
	words *Channels
	most  atomic.Int64
	meter countingMeter
	stop  func()
}

var replicas atomic.Int64

func (s *site) replica(limits Limits) *replica {
	s.t.Helper()
	allowed, err := ParseAllowed([]string{"127.0.0.0/8", "::1"})
	if err != nil {
		s.t.Fatal(err)
	}
	r := &replica{death: &death{Store: s.store}}
	r.hooks = &Webhooks{
		Store: s.store, Poster: NewPoster(allowed, nil, "test"),
		Select: func(context.Context, *monitor.Webhook) (feed.Renderer, error) { return seqs{&r.most}, nil },
		Unseal: func(_ monitor.ID, sealed []byte) (string, error) { return string(sealed), nil },
		Recent: func(context.Context) (monitor.JournalPage, error) { return monitor.JournalPage{}, nil },
	}
	r.words = s.channels()
	d := NewDispatcher(Options{
		Owner: fmt.Sprintf("replica-%d", replicas.Add(1)), Leases: r.death, Deliveries: r.death, Journal: s,
		Destinations: map[monitor.Kind]Destination{monitor.KindWebhook: r.hooks, monitor.KindChannel: r.words}, Limits: limits, Meter: &r.meter, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Run(ctx)
	}()
	r.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		r.hooks.Poster.Close()
	})
	s.t.Cleanup(r.stop)
	return r
}

type countingMeter struct {
	mu   sync.Mutex
	sent map[string]int
}

func (m *countingMeter) Sent(_ monitor.Kind, outcome string, _ time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sent == nil {
		m.sent = map[string]int{}
	}
	m.sent[outcome]++
}
func (*countingMeter) Paused(monitor.Kind, monitor.PauseReason) {}
func (*countingMeter) Holding(int)                              {}

// receiver notes what it is sent, and answers as it is told.
type receiver struct {
	*httptest.Server
	t      *testing.T
	answer func(n int, w http.ResponseWriter, r *http.Request) // n counts from 1

	mu    sync.Mutex
	n     int
	ids   []string // of the messages it has taken (2xx), in order
	said  []string // what they say
	sizes []int    // how much of it each
}

func newReceiver(t *testing.T, answer func(int, http.ResponseWriter, *http.Request)) *receiver {
	t.Helper()
	r := &receiver{t: t, answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(func() {
		r.CloseClientConnections()
		r.Close()
	})
	return r
}

type noting struct {
	http.ResponseWriter
	status int
}

func (w *noting) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.verify(request, body)
	r.mu.Lock()
	r.n++
	n := r.n
	r.mu.Unlock()
	request.Body = io.NopCloser(bytes.NewReader(body))
	out := &noting{w, http.StatusOK}
	if r.answer != nil {
		r.answer(n, out, request)
	}
	if out.status/100 != 2 {
		return
	}
	var message struct{ Data []string }
	if err := json.Unmarshal(body, &message); err != nil {
		r.t.Errorf("body %q: %v", body, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = append(r.ids, request.Header.Get("webhook-id"))
	r.said, r.sizes = append(r.said, message.Data...), append(r.sizes, len(message.Data))
}

// verify checks a signature as a receiver does.
func (r *receiver) verify(request *http.Request, body []byte) {
	var seconds int64
	if _, err := fmt.Sscan(request.Header.Get("webhook-timestamp"), &seconds); err != nil || time.Since(time.Unix(seconds, 0)) > time.Minute {
		r.t.Errorf("webhook-timestamp %q", request.Header.Get("webhook-timestamp"))
	}
	want, _ := Sign([]string{testSecret}, request.Header.Get("webhook-id"), time.Unix(seconds, 0), body)
	if got := request.Header.Get("webhook-signature"); got != want {
		r.t.Errorf("signature %q, want %q", got, want)
	}
}

func (r *receiver) requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

func (r *receiver) heard() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.said...)
}

// messages counts those that were taken, and their ids.
func (r *receiver) messages() (all, distinct int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]bool{}
	for _, id := range r.ids {
		seen[id] = true
	}
	return len(r.ids), len(seen)
}

// until waits for a condition, which the test fails without.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func inOrder(t *testing.T, said []string, from, to int) {
	t.Helper()
	if len(said) != to-from+1 {
		t.Fatalf("%d changes arrived, want %d", len(said), to-from+1)
	}
	for i, name := range said {
		if name != fmt.Sprint(from+i) {
			t.Fatalf("change %d arrived as %d", from+i, i)
		}
	}
}
