package e2e

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// For as long as SOAK says (make soak: an hour) a server serves subscribers that
// come, go and resume while alerts come in. Memory and goroutines must not grow.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("set SOAK to a duration, for example SOAK=1h")
	}
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.MaxConnections = 1_000
	r := startReplica(t, cfg)
	token, _ := apiToken(t, r, time.Time{}, monitor.ScopeRead)
	head, err := r.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var running sync.WaitGroup
	var stored, received, resumed atomic.Int64
	for n := range 4 {
		running.Go(func() { writer(ctx, n, func() *replica { return r }, &stored) })
	}
	const subscribers = 100
	for n := range subscribers {
		running.Go(func() {
			s := &subscriber{cursor: head.Cursor(), seen: map[string]bool{}}
			for try := 0; ctx.Err() == nil; try++ {
				stay, leave := context.WithTimeout(ctx, time.Duration(5+n%25)*time.Second)
				_ = s.follow(stay, r.URL(), token)
				leave()
				s.mu.Lock()
				received.Add(int64(len(s.got)))
				s.got, s.seen = nil, map[string]bool{} // the test's own memory must stay flat too
				s.mu.Unlock()
				resumed.Add(1)
			}
		})
	}
	type sample struct {
		heap       uint64
		goroutines int
	}
	var samples []sample
	step := max(length/20, 5*time.Second)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(step):
			debug.FreeOSMemory()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			samples = append(samples, sample{m.HeapAlloc, runtime.NumGoroutine()})
			t.Logf("heap %.1f MiB, %d goroutines, %d transactions, %d changes received, %d connections resumed",
				float64(m.HeapAlloc)/(1<<20), runtime.NumGoroutine(), stored.Load(), received.Load(), resumed.Load())
		}
	}
	running.Wait()
	if len(samples) < 6 {
		t.Fatalf("only %d samples: the test says nothing", len(samples))
	}
	// The ring and the caches fill in the first third; from then on it has to stay.
	most := func(s []sample) (heap uint64, goroutines int) {
		for _, x := range s {
			heap, goroutines = max(heap, x.heap), max(goroutines, x.goroutines)
		}
		return heap, goroutines
	}
	middleHeap, middleGoroutines := most(samples[len(samples)/3 : 2*len(samples)/3])
	lastHeap, lastGoroutines := most(samples[2*len(samples)/3:])
	summary := fmt.Sprintf("heap %d then %d MiB, goroutines %d then %d", middleHeap>>20, lastHeap>>20, middleGoroutines, lastGoroutines)
	t.Log(summary)
	if lastHeap > middleHeap+middleHeap/4+(8<<20) || lastGoroutines > middleGoroutines+middleGoroutines/5 {
		t.Errorf("it grows: %s", summary)
	}
}
