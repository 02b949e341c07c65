package resolvers

import (
	"context"
	"fmt"
	"time"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// JournalFeed gives the audit trail.
func (r subscriptionResolver) JournalFeed(ctx context.Context, filter *monitor.JournalFilter, _ *string) (<-chan *model.JournalFeedBatch, error) {
	matching, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	return follow(ctx, r.Feed, func(page monitor.JournalPage) (messages[model.JournalFeedBatch], error) {
		batch := &model.JournalFeedBatch{Cursor: page.At.Cursor(), Entries: []*model.JournalFeedEntry{}}
		now := time.Now()
		for i := range page.Entries {
			if !matching.Matches(&page.Entries[i], now) {
				continue
			}
			// The loaders of a response live with it; a page is rendered before it.
			entry, err := r.trailEntry(r.withLoaders(ctx), &page.Entries[i])
			if err != nil {
				return messages[model.JournalFeedBatch]{}, err
			}
			batch.Entries = append(batch.Entries, entry)
		}
		return one(batch, len(batch.Entries)), nil
	})
}

func (r *Resolver) trailEntry(ctx context.Context, e *monitor.Entry) (*model.JournalFeedEntry, error) {
	entry := &model.JournalFeedEntry{
		Cursor: r.Feed.PositionOf(*e).Cursor(), At: e.Body.At, Actor: e.Body.Actor, Action: e.Body.Action, Events: e.Body.Events,
		Changes: make([]*model.EntityChange, 0, len(e.Body.Changes)), Suppressed: make([]*monitor.SuppressedCount, len(e.Body.Suppressed)),
	}
	for i := range e.Body.Suppressed {
		entry.Suppressed[i] = &e.Body.Suppressed[i]
	}
	for _, c := range e.Body.Changes {
		fields, err := fieldChanges(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("journal entry %d: %w", e.Seq, err)
		}
		change := &model.EntityChange{
			Kind: string(c.Kind), ID: monitor.GlobalID(c.Kind, c.ID.String()), Action: c.Action,
			Created: isNew(c), Fields: append([]*monitor.FieldChange{}, fields...), Snapshot: monitor.RawJSON(c.After),
		}
		if change.Action == "" {
			change.Action = e.Body.Action
		}
		entry.Changes = append(entry.Changes, change)
	}
	return entry, nil
}
