package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

const alertFeedQuery = `subscription($after: Cursor) { alertFeed(after: $after) { cursor entries { change cursor action alert { id version host } } } }`

type feedEntry struct {
	Change string
	Cursor string
	Action string
	Alert  struct {
		ID      string
		Version int
		Host    string
	}
}

type feedBatch struct {
	Cursor  string
	Entries []feedEntry
}

func (s *socket) nextBatch() (feedBatch, error) {
	m, err := s.next()
	if err != nil {
		return feedBatch{}, err
	}
	if m.Type != "next" {
		return feedBatch{}, fmt.Errorf("got %s %s", m.Type, m.Payload)
	}
	var p struct {
		Data   struct{ AlertFeed feedBatch }
		Errors json.RawMessage
	}
	if err := json.Unmarshal(m.Payload, &p); err != nil {
		return feedBatch{}, err
	}
	if p.Errors != nil {
		return feedBatch{}, fmt.Errorf("feed: %s", p.Errors)
	}
	return p.Data.AlertFeed, nil
}

// subscriber follows the alert feed from replica to replica. What it has is by
// cursor: it drops what comes again.
type subscriber struct {
	mu     sync.Mutex
	cursor string
	got    []string // "alert id/version" in the order of arrival
	seen   map[string]bool
	double int
	resets atomic.Int64
}

// follow reads from one replica until the connection breaks or ctx ends.
func (s *subscriber) follow(ctx context.Context, base, bearer string) error {
	socket, err := dial(ctx, base, bearer)
	if err != nil {
		return err
	}
	defer socket.close()
	stop := context.AfterFunc(ctx, socket.close)
	defer stop()
	s.mu.Lock()
	variables := map[string]any{}
	if s.cursor != "" {
		variables["after"] = s.cursor
	}
	s.mu.Unlock()
	if err := socket.subscribe(alertFeedQuery, variables); err != nil {
		return err
	}
	for {
		_ = socket.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		b, err := socket.nextBatch()
		if err != nil {
			return err
		}
		s.take(b)
	}
}

func (s *subscriber) take(b feedBatch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range b.Entries {
		key := e.Alert.ID + "/" + strconv.Itoa(e.Alert.Version)
		if s.seen[key] {
			s.double++
			continue
		}
		s.seen[key] = true
		s.got = append(s.got, key)
	}
	s.cursor = b.Cursor
}

// want is what the journal says a subscriber from the beginning must have got.
func want(t *testing.T, r *replica) []string {
	t.Helper()
	var keys []string
	for seq := uint64(0); ; {
		entries, err := r.Store.Entries(t.Context(), seq, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return keys
		}
		for _, e := range entries {
			if e.Seq != seq+1 {
				t.Fatalf("the journal jumps from %d to %d", seq, e.Seq)
			}
			seq = e.Seq
			for _, c := range e.Body.Changes {
				if c.Kind == monitor.KindAlert {
					after, _, err := monitor.States[monitor.Alert](c)
					if err != nil {
						t.Fatal(err)
					}
					keys = append(keys, after.GlobalID()+"/"+strconv.Itoa(after.Version))
				}
			}
		}
	}
}

// writer stores batches until ctx ends; about one in eight is rolled back, at a
// place that nobody chooses.
func writer(ctx context.Context, n int, stores func() *replica, stored *atomic.Int64) {
	r := rand.New(rand.NewPCG(uint64(n), 1)) //nolint:gosec // reproducible
	for i := 0; ctx.Err() == nil; i++ {
		b := &monitor.Batch{}
		for k := range 1 + r.IntN(3) {
			b.Events = append(b.Events, testEvent(fmt.Sprintf("host-%d-%d", n, r.IntN(40))))
			b.Findings = append(b.Findings, monitor.Finding{Event: k, Rule: testRule(byte(n))}) //nolint:gosec // small
		}
		txCtx, cancel := ctx, context.CancelFunc(func() {})
		switch r.IntN(16) {
		case 0: // a value that does not fit its column
			b.Events[0].Class = monitor.EventClass(fmt.Sprintf("%0100d", 1))
		case 1: // cut off somewhere between the first statement and the commit
			txCtx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(8_000))*time.Microsecond)
		}
		if _, err := stores().Store.StoreBatch(txCtx, b); err == nil {
			stored.Add(1)
		}
		cancel()
		time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond) // pace of the load, nothing waits for it
	}
}

// Alerts are raised by 16 writers through both replicas, with rollbacks, while
// Redis is killed and started, replica B is stopped and started, and one
// subscriber moves from replica to replica and another sits on A. Both must have
// seen exactly what the journal says, in its order.
func TestSubscribersMissNothingWhileReplicasAndRedisDie(t *testing.T) {
	cycles := 200
	if n, err := strconv.Atoi(os.Getenv("CHAOS_CYCLES")); err == nil {
		cycles = n
	}
	redis := startRedis(t)
	cfg := config(t, dbtest.DSN(t), redis.URL())
	a := startReplica(t, cfg)
	var b atomic.Pointer[replica]
	b.Store(startReplica(t, cfg))
	bearer := login(t, a.URL(), "admin", testPassword)

	begin := a.Store
	head, err := begin.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	subscribers := []*subscriber{{cursor: head.Cursor(), seen: map[string]bool{}}, {cursor: head.Cursor(), seen: map[string]bool{}}}
	before := len(want(t, a))

	var following, writing sync.WaitGroup
	// The first sits on A. The second goes to B until that dies, resumes on A for a
	// moment, and moves back.
	routes := []func(try int) (base string, stay time.Duration){
		func(int) (string, time.Duration) { return a.URL(), time.Hour },
		func(try int) (string, time.Duration) {
			if try%2 == 0 {
				return b.Load().URL(), time.Hour
			}
			return a.URL(), 60 * time.Millisecond
		},
	}
	for i, s := range subscribers {
		following.Go(func() {
			for try := 0; ctx.Err() == nil; try++ {
				base, stay := routes[i](try)
				stayCtx, leave := context.WithTimeout(ctx, stay)
				if err := s.follow(stayCtx, base, bearer); err != nil && ctx.Err() == nil {
					s.resets.Add(1)
					time.Sleep(5 * time.Millisecond) // a client's pause before it connects again
				}
				leave()
			}
		})
	}
	writeCtx, stopWriting := context.WithCancel(ctx)
	var stored atomic.Int64
	for n := range 16 {
		writing.Go(func() {
			writer(writeCtx, n, func() *replica {
				if n%2 == 0 {
					return a
				}
				return b.Load()
			}, &stored)
		})
	}

	r := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // reproducible
	for cycle := range cycles {
		switch cycle % 4 {
		case 0:
			redis.kill()
		case 1:
			redis.start()
		case 2:
			old := b.Load()
			b.Store(startReplica(t, cfg))
			old.Stop()
		}
		time.Sleep(time.Duration(10+r.IntN(60)) * time.Millisecond) // lets the fault meet some traffic
	}
	stopWriting()
	writing.Wait()

	expected := want(t, a)[before:]
	deadline := time.Now().Add(30 * time.Second)
	for _, s := range subscribers {
		for time.Now().Before(deadline) {
			s.mu.Lock()
			n := len(s.got)
			s.mu.Unlock()
			if n >= len(expected) {
				break
			}
			time.Sleep(10 * time.Millisecond) // polls for the end of the stream
		}
	}
	cancel()
	following.Wait()
	for i, s := range subscribers {
		if diff := firstDifference(expected, s.got); diff != "" {
			t.Errorf("subscriber %d got %d changes, the journal has %d: %s", i, len(s.got), len(expected), diff)
		}
		t.Logf("subscriber %d: %d changes in order, %d came again and were dropped by cursor, %d reconnections", i, len(s.got), s.double, s.resets.Load())
	}
	t.Logf("%d cycles, %d transactions committed by 16 writers", cycles, stored.Load())
	if len(expected) < cycles {
		t.Errorf("only %d changes in %d cycles: the test says little", len(expected), cycles)
	}
}

func firstDifference(want, got []string) string {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			return fmt.Sprintf("%s (number %d) is missing", want[i], i)
		case i >= len(want):
			return fmt.Sprintf("%s (number %d) is too much", got[i], i)
		case want[i] != got[i]:
			return fmt.Sprintf("number %d is %s, want %s", i, got[i], want[i])
		}
	}
	return ""
}

// An alert raised through replica A reaches a subscriber on B within moments.
func TestAnalystSeesAlertRaisedOnOtherReplica(t *testing.T) {
	redis := startRedis(t)
	cfg := config(t, dbtest.DSN(t), redis.URL())
	a, b := startReplica(t, cfg), startReplica(t, cfg)
	socket, err := dial(t.Context(), b.URL(), login(t, b.URL(), "admin", testPassword))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.close()
	if err := socket.subscribe(alertFeedQuery, nil); err != nil {
		t.Fatal(err)
	}
	first, err := socket.nextBatch()
	if err != nil || first.Cursor == "" || len(first.Entries) != 0 {
		t.Fatalf("first message %+v, %v, want the position alone", first, err)
	}
	batch := &monitor.Batch{Events: []*monitor.Event{testEvent("web-1")}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}}}
	if _, err := a.Store.StoreBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	got, err := socket.nextBatch()
	if err != nil || len(got.Entries) != 1 || got.Entries[0].Change != "ENTERED" || got.Entries[0].Alert.Host != "web-1" || got.Entries[0].Action != monitor.ActionAlertRaise {
		t.Fatalf("got %+v, %v", got, err)
	}
}

// A cursor that cannot be continued is refused with the reason, never skipped.
func TestCursorsThatCannotBeContinuedAreRefused(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	bearer := login(t, r.URL(), "admin", testPassword)
	head, err := r.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		at     monitor.Position
		reason string
	}{
		{"another epoch", monitor.Position{Epoch: head.Epoch + 1, Seq: head.Seq, Tag: head.Tag}, "epoch"},
		{"ahead of the journal", monitor.Position{Epoch: head.Epoch, Seq: head.Seq + 100, Tag: head.Tag}, "ahead"},
		{"another entry of that number", monitor.Position{Epoch: head.Epoch, Seq: head.Seq, Tag: head.Tag + 1}, "mismatch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			socket, err := dial(t.Context(), r.URL(), bearer)
			if err != nil {
				t.Fatal(err)
			}
			defer socket.close()
			if err := socket.subscribe(alertFeedQuery, map[string]any{"after": c.at.Cursor()}); err != nil {
				t.Fatal(err)
			}
			m, err := socket.next()
			if err != nil {
				t.Fatal(err)
			}
			text := string(m.Payload)
			var errs []struct{ Extensions map[string]any }
			if err := json.Unmarshal(m.Payload, &errs); m.Type != "error" || err != nil || len(errs) != 1 ||
				errs[0].Extensions["code"] != "CURSOR_EXPIRED" || errs[0].Extensions["reason"] != c.reason || errs[0].Extensions["earliest"] == nil {
				t.Errorf("got %s %s", m.Type, text)
			}
		})
	}
}
