package resolvers

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// A slow draft looks at what there is time for, and says how much it left out.
func TestSlowDraftSkipsWhatItHasNoTimeFor(t *testing.T) {
	t.Parallel()
	events := make([]*monitor.Event, 300)
	for i := range events {
		events[i] = &monitor.Event{}
	}
	looked := 0
	look := func([]byte) *monitor.RuleTestResult { looked++; return &monitor.RuleTestResult{Matches: true} }
	batch := &model.RuleMatchBatch{}
	lookAt(batch, events, look, func() bool { return looked >= 7 })
	if batch.Tried != 7 || batch.Skipped != 293 || batch.Matched != 7 || len(batch.Matches) != 7 {
		t.Errorf("%d tried, %d skipped, %d matched", batch.Tried, batch.Skipped, batch.Matched)
	}
	batch = &model.RuleMatchBatch{}
	for range 5 {
		lookAt(batch, events, look, func() bool { return false })
	}
	if batch.Tried != monitor.MaxWatchedEvents || batch.Tried+batch.Skipped != 1_500 || len(batch.Matches) != monitor.MaxWatchedShown {
		t.Errorf("%d tried, %d skipped, %d shown", batch.Tried, batch.Skipped, len(batch.Matches))
	}
}

// However many drafts there are, one at a time looks; who gets no turn is told so.
func TestDraftsTakeTurns(t *testing.T) {
	t.Parallel()
	var turns liveTurns
	var at, most, had atomic.Int32
	var all sync.WaitGroup
	for range monitor.MaxWatchedRules {
		all.Go(func() {
			done := turns.take(t.Context(), 30*time.Second)
			if done == nil {
				t.Error("no turn")
				return
			}
			if n := at.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Millisecond)
			had.Add(1)
			at.Add(-1)
			done()
		})
	}
	all.Wait()
	if most.Load() != 1 || had.Load() != monitor.MaxWatchedRules {
		t.Errorf("%d at once, %d had a turn", most.Load(), had.Load())
	}
	begun := time.Now()
	done := turns.take(t.Context(), 30*time.Second)
	if turns.take(t.Context(), 10*time.Millisecond) != nil {
		t.Error("two have a turn")
	}
	took := time.Since(begun)
	done()
	if turns.take(t.Context(), 30*time.Second) == nil || time.Since(begun) < took {
		t.Error("no turn behind the rest")
	}
}

// The bound is of texts: one that is executed for several roles, or again for who has
// fallen behind, counts once.
func TestWatchedTextsAreBounded(t *testing.T) {
	t.Parallel()
	var w watchedTexts
	for n := range monitor.MaxWatchedRules {
		for range 3 {
			if !w.add(fmt.Sprint(n)) {
				t.Fatalf("no room for text %d", n)
			}
		}
	}
	if w.add("one more") {
		t.Error("there is room beyond the bound")
	}
	for left := 2; left >= 0; left-- {
		w.leave("7")
		if room := w.add("one more"); room != (left == 0) {
			t.Errorf("%d executions are left, room: %t", left, room)
		}
	}
}
