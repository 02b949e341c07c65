package resolvers

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"golang.org/x/sync/singleflight"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// How a feed is cut into messages: at once when it is quiet, at most one in
// batchPause when it is busy; and how often a message tells progress when the
// filter lets nothing through.
const (
	batchPause     = 100 * time.Millisecond
	batchEntries   = 256
	batchEvents    = 500
	progressPeriod = 5 * time.Second
)

// AlertFeed gives every change of the alerts that match.
func (r subscriptionResolver) AlertFeed(ctx context.Context, filter *monitor.AlertFilter, after *string) (<-chan *model.AlertFeedBatch, error) {
	matching, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	return follow(ctx, r.Feed, r.Present, after, func(cursor string, entries []monitor.Entry) ([]*model.AlertFeedBatch, error) {
		batch := &model.AlertFeedBatch{Cursor: cursor, Entries: []*model.AlertFeedEntry{}}
		for _, e := range entries {
			changed, err := r.alertChanges(&matching, e)
			if err != nil {
				return nil, err
			}
			batch.Entries = append(batch.Entries, changed...)
		}
		return []*model.AlertFeedBatch{batch}, nil
	}, func(b *model.AlertFeedBatch) bool { return len(b.Entries) == 0 })
}

// alertChanges gives what an entry means for the list of matching alerts.
func (r *Resolver) alertChanges(matching *monitor.Predicate, e monitor.Entry) ([]*model.AlertFeedEntry, error) {
	var out []*model.AlertFeedEntry
	for _, c := range e.Body.Changes {
		if c.Kind != monitor.KindAlert {
			continue
		}
		after, before, err := monitor.States[monitor.Alert](c)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		was, is := before != nil && matching.Matches(before, now), matching.Matches(after, now)
		if !was && !is {
			continue
		}
		entry := &model.AlertFeedEntry{Change: model.FeedChangeUpdated, Cursor: r.Feed.PositionOf(e).Cursor(), Action: c.Action, Actor: e.Body.Actor, At: e.Body.At, Alert: *after}
		switch {
		case !was:
			entry.Change = model.FeedChangeEntered
		case !is:
			entry.Change = model.FeedChangeLeft
		}
		out = append(out, entry)
	}
	return out, nil
}

// EventFeed gives every event that matches.
func (r subscriptionResolver) EventFeed(ctx context.Context, filter *monitor.EventFilter, after *string) (<-chan *model.EventFeedBatch, error) {
	matching, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	last := ""
	return follow(ctx, r.Feed, r.Present, after, func(cursor string, entries []monitor.Entry) ([]*model.EventFeedBatch, error) {
		events := []*monitor.Event{}
		for _, e := range entries {
			if e.Body.Batch.IsZero() {
				continue
			}
			stored, err := r.batches.load(ctx, r.Events, e.Body.Batch)
			if err != nil {
				return nil, err
			}
			for _, event := range stored {
				if matching.Matches(event, time.Now()) {
					events = append(events, event)
				}
			}
		}
		// Only the last message moves the cursor: a client that resumes in between
		// gets some events again, and none never.
		var out []*model.EventFeedBatch
		for chunk := range slices.Chunk(events, batchEvents) {
			out = append(out, &model.EventFeedBatch{Cursor: last, Events: chunk})
		}
		if len(out) == 0 {
			out = append(out, &model.EventFeedBatch{Events: events})
		}
		out[len(out)-1].Cursor, last = cursor, cursor
		return out, nil
	}, func(b *model.EventFeedBatch) bool { return len(b.Events) == 0 })
}

// follow runs a feed: it begins behind after or now, turns journal entries into
// messages by make, and sends them. Messages that are empty are sent as progress
// only now and then. The channel closes when ctx ends or the feed fails; the
// failure is told to the subscriber.
func follow[B any](ctx context.Context, feed Feed, present graphql.ErrorPresenterFunc, after *string, render func(cursor string, entries []monitor.Entry) ([]*B, error), empty func(*B) bool) (<-chan *B, error) {
	var from *monitor.Position
	if after != nil {
		position, err := monitor.ParseCursor(*after)
		if err != nil {
			return nil, err
		}
		from = &position
	}
	stream, position, err := feed.Subscribe(ctx, from)
	if err != nil {
		return nil, err
	}
	out := make(chan *B, 1)
	go func() {
		defer close(out)
		if err := pump(ctx, feed, stream, position, render, empty, out); ctx.Err() == nil {
			transport.AddSubscriptionError(ctx, present(ctx, err))
		}
	}()
	return out, nil
}

// pump is the loop of a feed; it ends only with an error. The subscriber's pace is its pace: it holds no
// queue, and what the subscriber does not take waits in the journal.
func pump[B any](ctx context.Context, feed Feed, stream Stream, position monitor.Position, render func(string, []monitor.Entry) ([]*B, error), empty func(*B) bool, out chan<- *B) error {
	first, err := render(position.Cursor(), nil)
	if err != nil {
		return err
	}
	sent, err := send(ctx, out, first)
	for err == nil {
		if err = wait(ctx, batchPause-time.Since(sent)); err != nil {
			return err
		}
		var entries []monitor.Entry
		if entries, err = stream.Next(ctx, batchEntries); err != nil {
			return err
		}
		var batches []*B
		if batches, err = render(feed.PositionOf(entries[len(entries)-1]).Cursor(), entries); err != nil {
			return err
		}
		if len(batches) == 1 && empty(batches[0]) && time.Since(sent) < progressPeriod {
			continue
		}
		sent, err = send(ctx, out, batches)
	}
	return err
}

func send[B any](ctx context.Context, out chan<- *B, batches []*B) (time.Time, error) {
	for _, b := range batches {
		select {
		case out <- b:
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
	return time.Now(), nil
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// batchCache keeps the events of the newest batches, so that many feeds read a
// batch from the database once.
type batchCache struct {
	flight singleflight.Group
	mu     sync.Mutex
	kept   map[monitor.ID][]*monitor.Event
	order  []monitor.ID
	events int
}

const maxCachedEvents = 5_000

func (c *batchCache) load(ctx context.Context, store Events, batch monitor.ID) ([]*monitor.Event, error) {
	c.mu.Lock()
	events, ok := c.kept[batch]
	c.mu.Unlock()
	if ok {
		return events, nil
	}
	loaded, err, _ := c.flight.Do(batch.String(), func() (any, error) {
		// Not the first asker's context: its leaving must not fail the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		events, err := store.EventsOfBatch(ctx, batch)
		if err == nil {
			c.keep(batch, events)
		}
		return events, err
	})
	if err != nil {
		return nil, err
	}
	events, _ = loaded.([]*monitor.Event)
	return events, nil
}

func (c *batchCache) keep(batch monitor.ID, events []*monitor.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[monitor.ID][]*monitor.Event{}
	}
	if _, ok := c.kept[batch]; ok {
		return
	}
	c.kept[batch] = events
	c.order = append(c.order, batch)
	c.events += len(events)
	for c.events > maxCachedEvents && len(c.order) > 1 {
		c.events -= len(c.kept[c.order[0]])
		delete(c.kept, c.order[0])
		c.order = c.order[1:]
	}
}
