package resolvers

import (
	"context"
	"slices"
	"time"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// EntityFeed gives everything that names an entity.
func (r subscriptionResolver) EntityFeed(ctx context.Context, kind monitor.EntityKind, value string, _ *string) (<-chan *model.EntityFeedBatch, error) {
	watch, err := monitor.NewWatch(kind, value)
	if err != nil {
		return nil, err
	}
	return follow(ctx, r.Feed, func(page monitor.JournalPage) (messages[model.EntityFeedBatch], error) {
		entries := []*model.EntityFeedEntry{}
		for _, e := range page.Entries {
			found, err := r.sightings(ctx, &watch, e)
			if err != nil {
				return messages[model.EntityFeedBatch]{}, err
			}
			entries = append(entries, found...)
		}
		return cut(page, entries, batchEvents, func(cursor string, part []*model.EntityFeedEntry) *model.EntityFeedBatch {
			return &model.EntityFeedBatch{Cursor: cursor, Entries: part}
		}), nil
	})
}

// sightings gives the events that came with an entry and name the entity, then
// the alerts that it changed and that do.
func (r *Resolver) sightings(ctx context.Context, watch *monitor.Watch, e monitor.Entry) ([]*model.EntityFeedEntry, error) {
	var out []*model.EntityFeedEntry
	cursor := r.Feed.PositionOf(e).Cursor()
	events, err := r.eventsOf(ctx, &watch.Events, e)
	if err != nil {
		return nil, err
	}
	for _, event := range events {
		out = append(out, &model.EntityFeedEntry{Cursor: cursor, At: e.Body.At, Event: event})
	}
	alerts, err := r.alertChanges(&watch.Alerts, e)
	if err != nil {
		return nil, err
	}
	for _, alert := range alerts {
		out = append(out, &model.EntityFeedEntry{Cursor: cursor, At: e.Body.At, Alert: alert})
	}
	return out, nil
}

// eventsOf gives the events that an entry stored and that match.
func (r *Resolver) eventsOf(ctx context.Context, matching *monitor.Predicate, e monitor.Entry) ([]*monitor.Event, error) {
	if e.Body.Batch.IsZero() {
		return nil, nil
	}
	stored, err := r.batches.load(ctx, r.Events, e.Body.Batch)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var events []*monitor.Event
	for _, event := range stored {
		if matching.Matches(event, now) {
			events = append(events, event)
		}
	}
	return events, nil
}

// cut makes messages of at most n things each. Only the last moves the cursor: a
// client that resumes in between gets some again, and none never.
func cut[T, B any](page monitor.JournalPage, all []*T, n int, batch func(cursor string, part []*T) *B) messages[B] {
	if len(all) == 0 {
		return one(batch(page.At.Cursor(), []*T{}), 0)
	}
	var out messages[B]
	for part := range slices.Chunk(all, n) {
		cursor := page.From.Cursor()
		if len(out.batches)*n+len(part) == len(all) {
			cursor = page.At.Cursor()
		}
		out.batches = append(out.batches, batch(cursor, part))
	}
	return out
}
