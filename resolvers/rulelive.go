package resolvers

import (
	"context"
	"sync"
	"time"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// RuleMatches gives the events that come in and make a rule fire that is being written.
func (r subscriptionResolver) RuleMatches(ctx context.Context, source string, _ *string) (<-chan *model.RuleMatchBatch, error) {
	look, problem := r.Bench.Watch(source)
	if problem != nil {
		return nil, monitor.InputErrorf("source", "%s", problem.Message)
	}
	if !r.watched.add(source) {
		return nil, monitor.Errorf(monitor.CodeRateLimited, "%d rules are watched on this replica already", monitor.MaxWatchedRules)
	}
	context.AfterFunc(ctx, func() { r.watched.leave(source) }) // when the last subscriber has left
	return follow(ctx, r.Feed, func(page monitor.JournalPage) (messages[model.RuleMatchBatch], error) {
		batch := &model.RuleMatchBatch{Cursor: page.At.Cursor(), Matches: []*monitor.RuleTestResult{}}
		left := monitor.MaxWatchedTime // of looking, and of waiting for it
		for _, e := range page.Entries {
			if left <= 0 || batch.Tried >= monitor.MaxWatchedEvents {
				batch.Skipped += e.Body.Events // without reading them
				continue
			}
			events, err := r.eventsOf(ctx, &monitor.Predicate{}, e)
			if err != nil {
				return messages[model.RuleMatchBatch]{}, err
			}
			if len(events) == 0 {
				continue
			}
			begun := time.Now()
			if done := r.looking.take(ctx, left); done == nil {
				batch.Skipped += len(events)
			} else {
				lookAt(batch, events, look, func() bool { return time.Since(begun) >= left })
				done()
			}
			left -= time.Since(begun)
		}
		return one(batch, batch.Tried+batch.Skipped), nil
	})
}

// watchedTexts are the texts that look at what comes in. One may be executed more
// than once: for several roles, and for who has fallen behind.
type watchedTexts struct {
	mu    sync.Mutex
	times map[string]int
}

// add tells whether there is room for the text.
func (w *watchedTexts) add(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.times[text] == 0 && len(w.times) >= monitor.MaxWatchedRules {
		return false
	}
	if w.times == nil {
		w.times = map[string]int{}
	}
	w.times[text]++
	return true
}

func (w *watchedTexts) leave(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.times[text]--; w.times[text] <= 0 {
		delete(w.times, text)
	}
}

// liveTurns lets one rule at a time look at what comes in, and rests behind each turn
// as long as it took: drafts, however slow and however many, take half of a processor
// at most, and the ingest has the others and the rest.
type liveTurns struct {
	once sync.Once
	free chan struct{}
}

// take waits for a turn, for so long at most; nil: there was none. Whoever has one
// ends it by calling done.
func (l *liveTurns) take(ctx context.Context, atMost time.Duration) (done func()) {
	l.once.Do(func() { l.free = make(chan struct{}, 1) })
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case l.free <- struct{}{}:
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return nil
	}
	begun := time.Now()
	return func() { time.AfterFunc(time.Since(begun), func() { <-l.free }) }
}

// lookAt lets the rule look at events until it is enough, or as many as a message may
// be about; the others are skipped.
func lookAt(batch *model.RuleMatchBatch, events []*monitor.Event, look func(raw []byte) *monitor.RuleTestResult, enough func() bool) {
	for i, event := range events {
		if batch.Tried >= monitor.MaxWatchedEvents || enough() {
			batch.Skipped += len(events) - i
			return
		}
		batch.Tried++
		result := look(event.Raw)
		if !result.Matches {
			continue
		}
		if batch.Matched++; len(batch.Matches) < monitor.MaxWatchedShown {
			result.Event = event
			batch.Matches = append(batch.Matches, result)
		}
	}
}
