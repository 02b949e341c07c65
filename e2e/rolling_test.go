package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
)

// rollout is a load through the ingress while replicas come and go, and what its
// clients saw of that.
type rollout struct {
	*chaos
	front   *ingress
	store   *db.Store
	from    monitor.Position // where all subscribers began
	sockets []*rollingSocket

	stop              context.CancelFunc
	loading, watching sync.WaitGroup
	stopLoad          context.CancelFunc

	mu   sync.Mutex
	seen sights
}

// sights are counted from one verdict to the next.
type sights struct {
	requests, failed int
	restarts         int            // closes with 1012
	abnormal         map[string]int // every other end of a socket, by what it was
	lastFailure      string
	gap              time.Duration // the longest wait of any subscriber between two deliveries
}

// rollingSocket is a subscriber with the time of its last delivery.
type rollingSocket struct {
	chaosClient
	last time.Time
}

const (
	rollingSockets = 60
	rollingSenders = 3
)

func startRollout(t *testing.T) *rollout {
	t.Helper()
	front := startIngress(t) // first: without NGINX nothing else is started
	r := &rollout{chaos: startChaos(t, "--drain-delay", "2s", "--grace", "10s", "--trust-proxy", "--log-level", "warn"), front: front}
	front.selectOnly(r.replicas...)
	ingest := r.run("token", "create", "--name", "load", "--scope", "ingest")
	reader := r.run("token", "create", "--name", "reader", "--scope", "read")
	var err error
	if r.store, err = db.Open(t.Context(), db.Options{DSN: r.dsn}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.store.Close() })
	if r.from, err = r.store.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.forget()
	ctx, stop := context.WithCancel(t.Context())
	loadCtx, stopLoad := context.WithCancel(ctx)
	r.stop, r.stopLoad = stop, stopLoad
	t.Cleanup(func() { stop(); r.loading.Wait(); r.watching.Wait() })
	const alerts = `subscription($after: Cursor) { alertFeed(after: $after) { cursor entries { change cursor action alert { id version host } } } }`
	const events = `subscription($after: Cursor) { eventFeed(after: $after) { cursor events { id } } }`
	for i := range rollingSockets {
		s := &rollingSocket{chaosClient: chaosClient{name: "alerts", query: alerts, keys: alertKeys}}
		if i%2 == 1 {
			s.name, s.query, s.keys = "events", events, eventKeys
		}
		s.bearer = func() (string, error) { return reader, nil }
		s.cursor, s.seen = r.from.Cursor(), map[string]bool{}
		decode := s.keys
		s.keys = func(data json.RawMessage) ([]string, []uint64) { r.delivered(s); return decode(data) }
		r.sockets = append(r.sockets, s)
		r.watching.Go(func() { r.follow(ctx, s) })
	}
	r.load(loadCtx, ingest, reader)
	eventually(t, "the first deliveries", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return !slices.ContainsFunc(r.sockets, func(s *rollingSocket) bool { return s.last.IsZero() })
	})
	return r
}

func (r *rollout) delivered(s *rollingSocket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if !s.last.IsZero() {
		r.seen.gap = max(r.seen.gap, now.Sub(s.last))
	}
	s.last = now
}

// follow keeps a subscriber connected, and notes how each connection ended.
func (r *rollout) follow(ctx context.Context, s *rollingSocket) {
	for ctx.Err() == nil {
		err := s.chaosClient.follow(ctx, r.front.base)
		if ctx.Err() != nil {
			return
		}
		var closed *websocket.CloseError
		r.mu.Lock()
		switch {
		case errors.As(err, &closed) && closed.Code == websocket.CloseServiceRestart:
			r.seen.restarts++
		case errors.As(err, &closed):
			r.seen.abnormal[fmt.Sprintf("close %d", closed.Code)]++
		default:
			r.seen.abnormal[err.Error()]++
		}
		r.mu.Unlock()
		time.Sleep(20 * time.Millisecond) // a client's pause before it connects again
	}
}

// load runs eight loops of requests and the senders of events. Queries keep their
// connections, as browsers do, and say that they may be sent again where the
// ingress closes a connection in the moment in which it is used (a browser does so
// by itself); the others open one each time.
func (r *rollout) load(ctx context.Context, ingest, reader string) {
	fresh := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	const query = `{"query":"{ viewer { __typename } alerts(first: 5) { edges { node { id version } } } }"}`
	for i := range 8 {
		client := fresh
		if i < 4 {
			client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}
		}
		r.loading.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if i == 7 {
					r.request(ctx, client, http.MethodGet, "/api/healthz", "", "", `"ok"`)
				} else {
					r.request(ctx, client, http.MethodPost, "/api/graphql", reader, query, `"alerts"`)
				}
				time.Sleep(50 * time.Millisecond) // the pace of the load
			}
		})
	}
	for i := range rollingSenders {
		r.loading.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				body := chaosRecord(fmt.Sprintf("h%d-%d", i, n%50), fmt.Sprintf("m%d.%d", i, n)) + "\n"
				r.request(ctx, fresh, http.MethodPost, "/api/ingest", ingest, body, `"accepted":1`)
				time.Sleep(200 * time.Millisecond) // the pace of the load
			}
		})
	}
}

func (r *rollout) request(ctx context.Context, client *http.Client, method, path, token, body, want string) {
	err := func() error {
		request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), method, r.front.base+path, strings.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		if path == "/api/graphql" {
			request.Header["Idempotency-Key"] = nil // sent to nobody, read by net/http
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close() //nolint:errcheck // read whole
		text, err := io.ReadAll(response.Body)
		if err == nil && (response.StatusCode != http.StatusOK || !bytes.Contains(text, []byte(want))) {
			err = fmt.Errorf("%s by %s: %.200s", response.Status, response.Header.Get("X-Upstream"), text)
		}
		return err
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.requests++
	if err != nil {
		r.seen.failed++
		r.seen.lastFailure = path + ": " + err.Error()
	}
}

// forget begins to count anew.
func (r *rollout) forget() sights {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.seen
	r.seen = sights{abnormal: map[string]int{}}
	return before
}

// verdict says what is wrong with what was seen, "" when nothing is.
func (s sights) verdict() string {
	var wrong []string
	if len(s.abnormal) > 0 {
		wrong = append(wrong, fmt.Sprintf("sockets ended otherwise than by 1012: %v", s.abnormal))
	}
	if s.failed > 0 {
		wrong = append(wrong, fmt.Sprintf("%d of %d requests failed, the last: %s", s.failed, s.requests, s.lastFailure))
	}
	return strings.Join(wrong, "; ")
}

// replace ends a replica as a cluster does, waits until it is gone, and starts a
// new one in its place.
func (r *rollout) replace(x *chaosReplica) {
	r.drain(x)
	r.start(x)
	r.await(x)
	eventually(r.t, "the ingress to send to the new replica", func() bool { return r.front.sendsTo(x) })
}

// drain ends a replica and looks at how it ended: whole, and with nothing cut off.
func (r *rollout) drain(x *chaosReplica) {
	x.mu.Lock()
	cmd, out := x.cmd, x.out
	x.mu.Unlock()
	r.chaos.stop(x, syscall.SIGTERM)
	if code := cmd.ProcessState.ExitCode(); code != 0 || bytes.Contains(out.Bytes(), []byte("cut off")) {
		r.t.Errorf("%s ended with %d:\n%s", x.name, code, out)
	}
}

// everything compares what all subscribers got with the journal.
func (r *rollout) everything() {
	r.t.Helper()
	r.stopLoad()
	r.loading.Wait()
	says := r.journal(r.t, r.store, r.from.Seq)
	want := map[string][]string{"alerts": says.alerts, "events": says.events}
	deadline := time.Now().Add(30 * time.Second)
	for _, s := range r.sockets {
		for n := 0; n < len(want[s.name]) && time.Now().Before(deadline); {
			s.mu.Lock()
			n = len(s.got)
			s.mu.Unlock()
			time.Sleep(2 * time.Millisecond) // polls for the end of the feed
		}
	}
	r.stop()
	r.watching.Wait()
	deliveries := 0
	for i, s := range r.sockets {
		deliveries += len(s.got)
		if diff := firstDifference(want[s.name], s.got); diff != "" {
			r.t.Errorf("socket %d (%s) got %d, the journal has %d: %s", i, s.name, len(s.got), len(want[s.name]), diff)
		}
	}
	if len(says.events) < 50 {
		r.t.Errorf("only %d events: the test says little", len(says.events))
	}
	r.t.Logf("%d events and %d changes of alerts, %d deliveries to %d sockets, each once and in order", len(says.events), len(says.alerts), deliveries, len(r.sockets))
}

func (r *rollout) phase(name string, least int, do func()) {
	r.t.Helper()
	r.connected()
	r.forget()
	begun := time.Now()
	do()
	// A replica has gone as soon as it has said 1012; a client counts it when it reads it.
	eventually(r.t, fmt.Sprintf("%d sockets to have read 1012 (%s)", least, name), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.seen.restarts >= least
	})
	s := r.forget()
	r.t.Logf("%s: %s, %d requests with %d failures, %d sockets moved by 1012, %d ended otherwise, longest wait between two deliveries %s",
		name, time.Since(begun).Round(100*time.Millisecond), s.requests, s.failed, s.restarts, len(s.abnormal), s.gap.Round(time.Millisecond))
	if wrong := s.verdict(); wrong != "" {
		r.t.Errorf("%s: %s", name, wrong)
	}
	if s.requests < 20 {
		r.t.Errorf("%s: only %d requests made: the test says little", name, s.requests)
	}
}

// connected waits until every subscriber is served by the replicas of now: one that
// is still on its way could pass over those that the next phase ends.
func (r *rollout) connected() {
	r.t.Helper()
	begun := time.Now()
	eventually(r.t, "every subscriber to be served", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return !slices.ContainsFunc(r.sockets, func(s *rollingSocket) bool { return s.last.Before(begun) })
	})
}

// Real processes behind a real NGINX, under load, are replaced one by one, then all
// at once by a second set and back. Nobody notices but for a 1012. The same load
// notices a replica that is killed, or this test would say nothing.
func TestRollingRestartAndBlueGreen(t *testing.T) {
	rounds := 1
	if n, err := strconv.Atoi(os.Getenv("ROLLING_ROUNDS")); err == nil {
		rounds = n
	}
	r := startRollout(t)
	blue := r.replicas
	for range rounds {
		r.phase("rolling restart", rollingSockets/2, func() {
			for _, x := range blue {
				r.replace(x)
			}
		})
		var green []*chaosReplica
		r.phase("blue to green", rollingSockets, func() {
			for i := range 3 {
				x := r.replica(fmt.Sprintf("green %d", i))
				r.start(x)
				r.await(x)
				green = append(green, x)
			}
			r.front.selectOnly(green...)
			r.drainAll(blue)
		})
		r.phase("green to blue", rollingSockets, func() {
			for _, x := range blue {
				r.start(x)
				r.await(x)
			}
			r.front.selectOnly(blue...)
			r.front.selectOnly(green...) // a verification that failed: at once back
			r.front.selectOnly(blue...)
			r.drainAll(green)
		})
	}
	r.forget()
	r.chaos.stop(blue[0], syscall.SIGKILL)
	eventually(t, "the ingress to leave the dead replica out", func() bool { return !r.front.sendsTo(blue[0]) })
	s := r.forget()
	if s.verdict() == "" {
		t.Error("a replica was killed and nobody noticed")
	}
	t.Logf("kill -9 of one: %s; longest wait between two deliveries %s", s.verdict(), s.gap.Round(time.Millisecond))
	r.everything() // what was accepted reached everybody even so
}

// drainAll ends replicas at once.
func (r *rollout) drainAll(replicas []*chaosReplica) {
	var ending sync.WaitGroup
	for _, x := range replicas {
		ending.Go(func() { r.drain(x) })
	}
	ending.Wait()
}
