package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
)

type evidenceResolver struct{ *Resolver }

// Evidence answers the fields of Evidence that are more than a value.
func (r *Resolver) Evidence() graph.EvidenceResolver { return evidenceResolver{r} }

// Events lists events.
func (r queryResolver) Events(ctx context.Context, filter *monitor.EventFilter, orderBy *monitor.EventOrder, first int, after *string) (*monitor.EventConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	order := monitor.EventsByOccurred
	if orderBy != nil {
		order = *orderBy
	}
	position := r.Feed.Position().Cursor() // before the list: what comes in between comes twice, not never
	connection, err := r.Resolver.Events.Events(ctx, filter, order, args)
	if err != nil {
		return nil, err
	}
	connection.Position = position
	return connection, nil
}

// Event gives one event.
func (r queryResolver) Event(ctx context.Context, id string) (*monitor.Event, error) {
	kind, key, err := monitor.ParseGlobalID(id)
	if err != nil {
		return nil, err
	}
	event, err := monitor.ParseEventID(key)
	if err != nil || kind != monitor.KindEvent {
		return nil, monitor.Errorf(monitor.CodeBadInput, "%q is not the id of an event", id)
	}
	return loadersOf(ctx).events.Load(ctx, event)
}

func (evidenceResolver) Event(ctx context.Context, e *monitor.Evidence) (*monitor.Event, error) {
	return loadersOf(ctx).events.Load(ctx, e.Event)
}
