package resolvers

import (
	"context"
	"fmt"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
)

type timelineResolver struct{ *Resolver }

// IncidentTimelineEntry answers the fields of a step in an incident's timeline.
func (r *Resolver) IncidentTimelineEntry() graph.IncidentTimelineEntryResolver {
	return timelineResolver{r}
}

func (r timelineResolver) Cursor(_ context.Context, e *monitor.IncidentTimelineEntry) (string, error) {
	return r.Feed.PositionOf(e.Entry).Cursor(), nil
}

func (timelineResolver) At(_ context.Context, e *monitor.IncidentTimelineEntry) (*time.Time, error) {
	return &e.Entry.Body.At, nil
}

func (timelineResolver) Actor(_ context.Context, e *monitor.IncidentTimelineEntry) (*monitor.Actor, error) {
	return &e.Entry.Body.Actor, nil
}

func (timelineResolver) Action(_ context.Context, e *monitor.IncidentTimelineEntry) (string, error) {
	return e.Action(), nil
}

func (timelineResolver) Alert(ctx context.Context, e *monitor.IncidentTimelineEntry) (*monitor.Alert, error) {
	if c := e.Changes(); len(c) > 0 && c[0].Kind != monitor.KindAlert {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return loadersOf(ctx).alerts.Load(ctx, e.Subject)
}

func (timelineResolver) Comment(_ context.Context, e *monitor.IncidentTimelineEntry) (*monitor.Comment, error) {
	return e.Comment()
}

func (timelineResolver) Changes(ctx context.Context, e *monitor.IncidentTimelineEntry) ([]*monitor.FieldChange, error) {
	out := []*monitor.FieldChange{}
	for _, c := range e.Changes() {
		fields, err := fieldChanges(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("journal entry %d: %w", e.Entry.Seq, err)
		}
		out = append(out, fields...)
	}
	return out, nil
}
