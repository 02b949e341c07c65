package resolvers

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// batchEvents is how many events a message has at most.
const batchEvents = 500

// AlertFeed gives every change of the alerts that match.
func (r subscriptionResolver) AlertFeed(ctx context.Context, filter *monitor.AlertFilter, _ *string) (<-chan *model.AlertFeedBatch, error) {
	matching, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	return follow(ctx, r.Feed, func(page monitor.JournalPage) (messages[model.AlertFeedBatch], error) {
		batch := &model.AlertFeedBatch{Cursor: page.At.Cursor(), Entries: []*model.AlertFeedEntry{}}
		for _, e := range page.Entries {
			changed, err := r.alertChanges(&matching, e)
			if err != nil {
				return messages[model.AlertFeedBatch]{}, err
			}
			batch.Entries = append(batch.Entries, changed...)
		}
		return one(batch, len(batch.Entries)), nil
	})
}

// alertChanges gives what an entry means for the list of matching alerts.
func (r *Resolver) alertChanges(matching *monitor.Predicate, e monitor.Entry) ([]*model.AlertFeedEntry, error) {
	changed, err := listChanges(&r.alertStates, monitor.KindAlert, matching, e)
	out := make([]*model.AlertFeedEntry, len(changed))
	for i, c := range changed {
		out[i] = &model.AlertFeedEntry{
			Change: c.change, Cursor: r.Feed.PositionOf(e).Cursor(), Action: c.action, Actor: e.Body.Actor, At: e.Body.At, Alert: *c.after,
		}
	}
	return out, err
}

// listChange is what a change means for a filtered list.
type listChange[T any] struct {
	change model.FeedChange
	action string
	after  *T
}

// listChanges gives the changes of one entry that a list of the matching
// entities of a kind has to show.
func listChanges[T any, P interface {
	*T
	monitor.Subject
}](read *stateCache[T], kind monitor.Kind, matching *monitor.Predicate, e monitor.Entry) ([]listChange[T], error) {
	states, err := read.load(kind, e)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var out []listChange[T]
	for _, s := range states {
		was, is := s.before != nil && matching.Matches(P(s.before), now), matching.Matches(P(s.after), now)
		listed := listChange[T]{change: model.FeedChangeUpdated, action: s.action, after: s.after}
		switch {
		case !was && !is:
			continue
		case !was:
			listed.change = model.FeedChangeEntered
		case !is:
			listed.change = model.FeedChangeLeft
		}
		out = append(out, listed)
	}
	return out, nil
}

// EventFeed gives every event that matches.
func (r subscriptionResolver) EventFeed(ctx context.Context, filter *monitor.EventFilter, _ *string) (<-chan *model.EventFeedBatch, error) {
	matching, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	return follow(ctx, r.Feed, func(page monitor.JournalPage) (messages[model.EventFeedBatch], error) {
		events := []*monitor.Event{}
		for _, e := range page.Entries {
			found, err := r.eventsOf(ctx, &matching, e)
			if err != nil {
				return messages[model.EventFeedBatch]{}, err
			}
			events = append(events, found...)
		}
		return cut(page, events, batchEvents, func(cursor string, part []*monitor.Event) *model.EventFeedBatch {
			return &model.EventFeedBatch{Cursor: cursor, Events: part}
		}), nil
	})
}

// messages are what a page became for the subscribers of a feed.
type messages[B any] struct {
	batches []*B
	// empty: there is only the position to tell, in case that it is wanted.
	empty bool
}

// one is the usual case: one message that holds n things.
func one[B any](batch *B, n int) messages[B] { return messages[B]{batches: []*B{batch}, empty: n == 0} }

// follow runs a feed: render makes messages of each page of the journal that the
// transport hands in, and keeps nothing from page to page. Pace, replay and
// whoever listens are the transport's matter.
func follow[B any](ctx context.Context, feed Feed, render func(monitor.JournalPage) (messages[B], error)) (<-chan *B, error) {
	pages, err := feed.Pages(ctx)
	if err != nil {
		return nil, err
	}
	out := make(chan *B)
	go func() { // ends with ctx, which the transport cancels when the last subscriber has left
		defer close(out)
		for {
			page, err := pages.Next(ctx)
			if err != nil {
				return
			}
			made, err := safely(ctx, page, render)
			if made.empty && !page.Greet {
				made.batches = nil
			}
			pages.Answer(len(made.batches), err)
			for _, batch := range made.batches {
				select {
				case out <- batch:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out, nil
}

// safely renders a page; a panic is the error of this page, for it runs outside
// of gqlgen's own protection.
func safely[B any](ctx context.Context, page monitor.JournalPage, render func(monitor.JournalPage) (messages[B], error)) (made messages[B], err error) {
	defer func() {
		if p := recover(); p != nil {
			made, err = messages[B]{}, graphql.GetOperationContext(ctx).Recover(ctx, p)
		}
	}()
	return render(page)
}
