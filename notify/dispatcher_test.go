package notify

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

func TestChangesArriveInOrder(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t, nil)
	s.change(3) // before the webhook: none of its business
	s.webhook(r.URL)
	s.replica(quick)
	s.change(40)
	until(t, "40 changes arrive", func() bool { return len(r.heard()) >= 40 })
	inOrder(t, r.heard(), 4, 43)
}

func TestFailingReceiverGetsEverythingInOrder(t *testing.T) {
	s := newSite(t)
	var asked atomic.Int64
	r := newReceiver(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		switch { // flapping: every second one fails, each in another way
		case n%6 == 1:
			w.WriteHeader(http.StatusInternalServerError)
		case n%6 == 3:
			panic(http.ErrAbortHandler) // the connection breaks
		case n%6 == 5:
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	w := s.webhook(r.URL)
	rep := s.replica(quick)
	for range 30 {
		s.change(1)
		time.Sleep(2 * time.Millisecond)
	}
	until(t, "30 changes arrive", func() bool { return len(r.heard()) >= 30 })
	inOrder(t, r.heard(), 1, 30)
	if all, distinct := r.messages(); all != distinct {
		t.Errorf("%d messages for %d ids: none was taken twice", all, distinct)
	}
	until(t, "the queue is empty", func() bool { return s.find(w.ID).Queue.Waiting == 0 })
	if rep.meter.sent["failed"] == 0 {
		t.Error("no try was counted as failed")
	}
	if state := s.find(w.ID).State(); state != monitor.WebhookActive {
		t.Errorf("state %s behind the last success", state)
	}
}

func TestSlowReceiverIsCutOffAndHoldsUpNobodyElse(t *testing.T) {
	s := newSite(t)
	var slow atomic.Bool
	slow.Store(true)
	bad := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if slow.Load() {
			w.WriteHeader(http.StatusOK) // says that it took it, and never ends
			w.(*noting).ResponseWriter.(http.Flusher).Flush()
			<-r.Context().Done()
			w.(*noting).status = 0
		}
	})
	good := newReceiver(t, nil)
	w := s.webhook(bad.URL)
	s.webhook(good.URL)
	s.replica(quick)
	s.change(5)
	until(t, "the other gets all", func() bool { return len(good.heard()) >= 5 })
	until(t, "a try failed", func() bool { return s.find(w.ID).State() == monitor.WebhookFailing })
	if text := s.find(w.ID).Queue.LastError; !strings.Contains(text, "did not end") {
		t.Errorf("last error %q", text)
	}
	slow.Store(false)
	until(t, "the slow one gets all too", func() bool { return len(bad.heard()) >= 5 })
	inOrder(t, bad.heard(), 1, 5)
}

func TestLyingReceiver(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		want   string
	}{
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, "redirects are not followed"},
		{"endless headers", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 64<<10))
		}, "exceeded"},
		{"other protocol", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(*noting).ResponseWriter.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte("220 smtp.example.com ESMTP\r\n"))
				_ = conn.Close()
			}
			w.(*noting).status = 0
		}, "malformed"},
		{"promises more than it sends", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("ok"))
			w.(*noting).status = 0
		}, "did not end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			r := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) { c.answer(w, r) })
			w := s.webhook(r.URL)
			s.replica(quick)
			s.change(1)
			until(t, "it counts as failed", func() bool { return s.find(w.ID).Queue.LastError != "" })
			if text := s.find(w.ID).Queue.LastError; !strings.Contains(text, c.want) {
				t.Errorf("last error %q, want %q", text, c.want)
			}
			log, err := s.store.Deliveries(t.Context(), w.ID, nil, page.Args{First: 10})
			if err != nil || len(log.Nodes()) != 1 || log.Nodes()[0].State != monitor.DeliveryPending {
				t.Errorf("deliveries %v, %v", log, err)
			}
		})
	}
}

func TestHugeAnswerIsReadToABoundAlone(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		for range 1_000 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	w := s.webhook(r.URL)
	s.replica(quick)
	s.change(1)
	until(t, "it arrived", func() bool { return !s.find(w.ID).Queue.LastSuccess.IsZero() })
}

func TestGoneStopsTheWebhook(t *testing.T) {
	s := newSite(t)
	var gone atomic.Bool
	gone.Store(true)
	r := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		if gone.Load() {
			w.WriteHeader(http.StatusGone)
		}
	})
	w := s.webhook(r.URL)
	s.replica(quick)
	s.change(2)
	until(t, "it is paused", func() bool { return s.find(w.ID).Pause == monitor.PauseGone })
	s.change(3)
	if n := r.requests(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	gone.Store(false)
	if _, err := s.store.UpdateWebhook(t.Context(), monitor.SystemActor, monitor.ActionWebhookResume, w.ID, nil, func(*monitor.Webhook) error { return nil }); err != nil {
		t.Fatal(err)
	}
	until(t, "all arrive behind the pause", func() bool { return len(r.heard()) >= 5 })
	inOrder(t, r.heard(), 1, 5)
}

func TestLongFailurePauses(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	w := s.webhook(r.URL)
	limits := quick
	limits.GiveUp = 300 * time.Millisecond
	s.replica(limits)
	s.change(1)
	until(t, "it is paused", func() bool { return s.find(w.ID).Pause == monitor.PauseFailing })
	now := s.find(w.ID)
	if !strings.Contains(now.PauseText, "HTTP 502") || now.Queue.Waiting != 1 {
		t.Errorf("paused with %q, %d wait", now.PauseText, now.Queue.Waiting)
	}
	history, err := s.store.JournalOf(t.Context(), monitor.KindWebhook, w.ID, page.Args{First: 10})
	if err != nil || len(history.Nodes()) != 2 || history.Nodes()[0].Body.Action != monitor.ActionWebhookPause {
		t.Errorf("journal %v, %v", history, err)
	}
}

func TestOneThatIsNeverTakenIsGivenUpWhileOthersArrive(t *testing.T) {
	s := newSite(t)
	var poison atomic.Value
	r := newReceiver(t, func(n int, w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("webhook-id")
		if n == 1 {
			poison.Store(id)
		}
		if poison.Load() == id {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	})
	w := s.webhook(r.URL, func(w *monitor.Webhook) { w.Concurrency = 4 })
	limits := quick
	limits.GiveUp = 2 * time.Second
	s.replica(limits)
	failed := monitor.DeliveryFailed
	var given *monitor.Delivery
	until(t, "it is given up", func() bool {
		s.change(1)
		time.Sleep(20 * time.Millisecond)
		log, err := s.store.Deliveries(t.Context(), w.ID, &failed, page.Args{First: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(log.Nodes()) > 0 {
			given = log.Nodes()[0]
		}
		return given != nil
	})
	if pause := s.find(w.ID).Pause; pause != "" {
		t.Errorf("paused: %s", pause)
	}
	poison.Store("")
	if _, err := s.store.Redeliver(t.Context(), monitor.SystemActor, given.ID, func(*monitor.Webhook) error { return nil }); err != nil {
		t.Fatal(err)
	}
	until(t, "it arrives when it is sent again", func() bool {
		d, err := s.store.Delivery(t.Context(), given.ID)
		return err == nil && d.State == monitor.DeliveryDelivered
	})
	if r.mu.Lock(); !slices.Contains(r.ids, given.MessageID()) {
		t.Error("it was sent under another id")
	}
	r.mu.Unlock()
}

func TestCrashLosesNothingAndDoublesUnderTheSameIDOnly(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t, nil)
	w := s.webhook(r.URL)
	for round := range 4 {
		rep := s.replica(quick)
		start := len(r.heard())
		until(t, "it works", func() bool {
			s.change(1)
			return len(r.heard()) > start
		})
		until(t, "the queue is empty", func() bool { return s.find(w.ID).Queue.Waiting == 0 })
		rep.dead.Store(true) // between sending and settling, as soon as one is sent
		before, _ := r.messages()
		s.change(5)
		until(t, "one more was sent", func() bool { all, _ := r.messages(); return all > before })
		rep.stop()
		t.Logf("round %d: %d changes made", round, s.made)
	}
	s.replica(quick)
	until(t, "the queue is empty", func() bool {
		q := s.find(w.ID).Queue
		return q.Waiting == 0 && contains(r.heard(), s.made)
	})
	all, distinct := r.messages()
	if all == distinct {
		t.Error("nothing was sent twice: the crash was not where it should be")
	}
	// By its id a receiver drops what it has: then everything is there once, in order.
	inOrder(t, r.once(), 1, s.made)
}

func contains(said []string, n int) bool { return slices.Contains(said, fmt.Sprint(n)) }

// once gives what a receiver has that drops ids that it knows.
func (r *receiver) once() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var said []string
	at := 0
	seen := map[string]bool{}
	for i, id := range r.ids {
		n := r.sizes[i]
		if !seen[id] {
			said = append(said, r.said[at:at+n]...)
		}
		seen[id], at = true, at+n
	}
	return said
}

func TestTwoReplicasShareTheWork(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t, nil)
	s.webhook(r.URL)
	first := s.replica(quick)
	s.replica(quick)
	s.change(20)
	until(t, "20 changes arrive", func() bool { return len(r.heard()) >= 20 })
	first.stop() // gives its leases back
	s.change(20)
	until(t, "40 changes arrive", func() bool { return len(r.once()) >= 40 })
	inOrder(t, r.once(), 1, 40)
}

func TestLeaseIsOneReplicasAlone(t *testing.T) {
	s := newSite(t)
	w := s.webhook("https://example.com/hook")
	kinds := []monitor.Kind{monitor.KindWebhook}
	a, err := s.store.LeaseQueues(t.Context(), "a", kinds, time.Hour, 10)
	if err != nil || len(a) != 1 || a[0].Queue != w.ID {
		t.Fatalf("a has %v, %v", a, err)
	}
	if b, err := s.store.LeaseQueues(t.Context(), "b", kinds, time.Hour, 10); err != nil || len(b) != 0 {
		t.Fatalf("b has %v too, %v", b, err)
	}
	if _, err := s.store.LeaseQueues(t.Context(), "a", kinds, -time.Second, 10); err != nil { // it slept
		t.Fatal(err)
	}
	b, err := s.store.LeaseQueues(t.Context(), "b", kinds, time.Hour, 10)
	if err != nil || len(b) != 1 || b[0].Token <= a[0].Token {
		t.Fatalf("b has %v, %v", b, err)
	}
	at, err := monitor.ParseCursor(w.Queue.Reached)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Enqueue(t.Context(), a[0], at, at, [][]byte{[]byte("{}")}); !errors.Is(err, monitor.ErrLeaseLost) {
		t.Errorf("who has lost the lease still writes: %v", err)
	}
}

func TestReplayGoesBack(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t, nil)
	w := s.webhook(r.URL)
	s.replica(quick)
	s.change(10)
	until(t, "10 changes arrive", func() bool { return len(r.heard()) >= 10 })
	from, err := monitor.ParseCursor(w.Queue.Reached)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.ReplayWebhook(t.Context(), monitor.SystemActor, w.ID, func(*monitor.Webhook) error { return nil }, from); err != nil {
		t.Fatal(err)
	}
	until(t, "they arrive again", func() bool { return len(r.heard()) >= 20 })
	inOrder(t, r.heard()[10:], 1, 10)
}

func TestExpiredPositionPausesAndReplayMends(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t, nil)
	w := s.webhook(r.URL)
	s.change(3)
	gone := monitor.Position{Epoch: 77, Seq: 1, Tag: 5} // of another journal
	may := func(*monitor.Webhook) error { return nil }
	if _, err := s.store.ReplayWebhook(t.Context(), monitor.SystemActor, w.ID, may, gone); err != nil {
		t.Fatal(err)
	}
	s.replica(quick)
	until(t, "it says so", func() bool { return s.find(w.ID).Pause == monitor.PauseExpired })
	from, err := monitor.ParseCursor(w.Queue.Reached)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.ReplayWebhook(t.Context(), monitor.SystemActor, w.ID, may, from); err != nil {
		t.Fatal(err)
	}
	until(t, "all arrive", func() bool { return len(r.heard()) >= 3 })
	inOrder(t, r.heard(), 1, 3)
}

func TestOwnerWithoutTheRightEndsIt(t *testing.T) {
	for name, change := range map[string]func(*monitor.User){
		"disabled":  func(u *monitor.User) { u.Disabled = true },
		"less role": func(u *monitor.User) { u.Role = monitor.RoleViewer },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			r := newReceiver(t, nil)
			w := s.webhook(r.URL)
			s.replica(quick)
			s.change(2)
			until(t, "it works", func() bool { return len(r.heard()) >= 2 })
			if _, err := s.store.UpdateUser(t.Context(), monitor.SystemActor, s.owner.ID, nil, change); err != nil {
				t.Fatal(err)
			}
			s.change(5)
			until(t, "it stops and says so", func() bool { return s.find(w.ID).Pause == monitor.PauseOwner })
			if n := len(r.heard()); n != 2 {
				t.Errorf("%d changes arrived, 2 were made while the owner might see them", n)
			}
			if text := s.find(w.ID).PauseText; !strings.Contains(text, "ana") {
				t.Errorf("it says %q", text)
			}
		})
	}
}

func TestStormIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	const changes = 10_000
	s := newSite(t)
	var open atomic.Bool
	r := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		if !open.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	w := s.webhook(r.URL)
	rep := s.replica(quick)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s.change(changes)
	until(t, "the queue is full", func() bool { return s.find(w.ID).Queue.Waiting >= quick.Waiting })
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n := s.find(w.ID).Queue.Waiting; n > quick.Waiting {
		t.Errorf("%d deliveries wait, the bound is %d", n, quick.Waiting)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 { // the ring of the feed holds 32 MiB
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
	open.Store(true)
	until(t, "all arrive", func() bool { return len(r.heard()) >= changes })
	inOrder(t, r.heard(), 1, changes)
	if most := rep.most.Load(); most > int64(quick.Page) {
		t.Errorf("a message was made of %d entries", most)
	}
}

func TestSwitchedOffWaitsAndGoesOn(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t, nil)
	w := s.webhook(r.URL, func(w *monitor.Webhook) { w.Enabled = false })
	s.replica(quick)
	s.change(3)
	if n := r.requests(); n != 0 {
		t.Errorf("%d requests of one that is off", n)
	}
	on := func(w *monitor.Webhook) error { w.Enabled = true; return nil }
	if _, err := s.store.UpdateWebhook(t.Context(), monitor.SystemActor, monitor.ActionWebhookResume, w.ID, nil, on); err != nil {
		t.Fatal(err)
	}
	until(t, "all arrive", func() bool { return len(r.heard()) >= 3 })
	inOrder(t, r.heard(), 1, 3)
}
