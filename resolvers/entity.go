package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
)

type entityResolver struct{ *Resolver }

// Entity answers the fields of Entity that are more than a value.
func (r *Resolver) Entity() graph.EntityResolver { return entityResolver{r} }

// Entity gives all about an entity.
func (queryResolver) Entity(_ context.Context, kind monitor.EntityKind, value string) (*monitor.Entity, error) {
	return monitor.NewEntity(kind, value)
}

func (entityResolver) Asset(ctx context.Context, e *monitor.Entity) (*monitor.Asset, error) {
	switch e.Kind {
	case monitor.EntityHost:
		return loadAsset(ctx, monitor.AssetHost, e.Value)
	case monitor.EntityUser:
		return loadAsset(ctx, monitor.AssetUser, e.Value)
	default:
		return nil, nil //nolint:nilnil // null is the answer
	}
}

func (r entityResolver) Events(ctx context.Context, e *monitor.Entity, filter *monitor.EventFilter, first int, after *string) (*monitor.EventConnection, error) {
	both := &monitor.EventFilter{And: []*monitor.EventFilter{e.Events}}
	if filter != nil {
		both.And = append(both.And, filter)
	}
	return r.Query().Events(ctx, both, nil, first, after)
}

func (r entityResolver) Alerts(ctx context.Context, e *monitor.Entity, filter *monitor.AlertFilter, first int, after *string) (*monitor.AlertConnection, error) {
	both := &monitor.AlertFilter{And: []*monitor.AlertFilter{e.Alerts}}
	if filter != nil {
		both.And = append(both.And, filter)
	}
	return r.Query().Alerts(ctx, both, nil, first, after, nil)
}

func (r entityResolver) Seen(ctx context.Context, e *monitor.Entity) (*monitor.EventSpan, error) {
	return r.Aggregates.EventSpan(ctx, e.Events)
}

func (r entityResolver) Related(ctx context.Context, e *monitor.Entity, field monitor.AggregateField, first int) (*monitor.TopValues, error) {
	return r.Aggregates.EventTop(ctx, e.Events, field, first)
}
