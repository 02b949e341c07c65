package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// RuleMatches gives the events that come in and make a rule fire that is being written.
func (r subscriptionResolver) RuleMatches(ctx context.Context, source string, _ *string) (<-chan *model.RuleMatchBatch, error) {
	look, problem := r.Bench.Watch(source)
	if problem != nil {
		return nil, monitor.InputErrorf("source", "%s", problem.Message)
	}
	if r.watched.Add(1) > monitor.MaxWatchedRules {
		r.watched.Add(-1)
		return nil, monitor.Errorf(monitor.CodeRateLimited, "%d rules are watched on this replica already", monitor.MaxWatchedRules)
	}
	context.AfterFunc(ctx, func() { r.watched.Add(-1) }) // when the last subscriber has left
	return follow(ctx, r.Feed, func(page monitor.JournalPage) (messages[model.RuleMatchBatch], error) {
		batch := &model.RuleMatchBatch{Cursor: page.At.Cursor(), Matches: []*monitor.RuleTestResult{}}
		for _, e := range page.Entries {
			events, err := r.eventsOf(ctx, &monitor.Predicate{}, e)
			if err != nil {
				return messages[model.RuleMatchBatch]{}, err
			}
			lookAt(batch, events, look)
		}
		return one(batch, batch.Tried+batch.Skipped), nil
	})
}

// lookAt lets the rule look at events, as far as the bound of the message allows.
func lookAt(batch *model.RuleMatchBatch, events []*monitor.Event, look func(raw []byte) *monitor.RuleTestResult) {
	for i, event := range events {
		if batch.Tried >= monitor.MaxWatchedEvents {
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
