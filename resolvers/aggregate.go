package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// Aggregates counts rows by value and by time.
type Aggregates interface {
	EventCount(ctx context.Context, filter *monitor.EventFilter) (n int, isEstimate bool, err error)
	EventTop(ctx context.Context, filter *monitor.EventFilter, field monitor.AggregateField, first int) (*monitor.TopValues, error)
	EventTimeSeries(ctx context.Context, filter *monitor.EventFilter, bounds monitor.SeriesBounds, field *monitor.AggregateField) (*monitor.TimeSeries, error)
	EventGroups(ctx context.Context, filter *monitor.EventFilter, by []monitor.AggregateField, first int) (*monitor.EventGroups, error)
	EventSpan(ctx context.Context, filter *monitor.EventFilter) (*monitor.EventSpan, error)
	AlertTop(ctx context.Context, filter *monitor.AlertFilter, field monitor.AggregateField, first int) (*monitor.TopValues, error)
	AlertTimes(ctx context.Context, filter *monitor.AlertFilter) (*monitor.AlertTimes, error)
	AlertTimeSeries(ctx context.Context, filter *monitor.AlertFilter, bounds monitor.SeriesBounds, field *monitor.AggregateField) (*monitor.TimeSeries, error)
}

type seriesResolver struct{ *Resolver }

// TimeSeries answers the fields of TimeSeries that are more than a value.
func (r *Resolver) TimeSeries() graph.TimeSeriesResolver { return seriesResolver{r} }

func (seriesResolver) Interval(_ context.Context, s *monitor.TimeSeries) (monitor.Duration, error) {
	return monitor.Duration(s.SeriesBounds.Interval), nil
}

// EventCount counts events.
func (r queryResolver) EventCount(ctx context.Context, filter *monitor.EventFilter) (*model.BoundedCount, error) {
	n, isEstimate, err := r.Aggregates.EventCount(ctx, filter)
	return &model.BoundedCount{Count: n, IsEstimate: isEstimate}, err
}

// EventTop counts events by value.
func (r queryResolver) EventTop(ctx context.Context, filter *monitor.EventFilter, field monitor.AggregateField, first int) (*monitor.TopValues, error) {
	return r.Aggregates.EventTop(ctx, filter, field, first)
}

// EventTimeSeries counts events by time.
func (r queryResolver) EventTimeSeries(ctx context.Context, filter *monitor.EventFilter, from, to time.Time, interval monitor.Duration, groupBy *monitor.AggregateField) (*monitor.TimeSeries, error) {
	return r.Aggregates.EventTimeSeries(ctx, filter, monitor.SeriesBounds{From: from, To: to, Interval: time.Duration(interval)}, groupBy)
}

// EventGroups counts events by several values together.
func (r queryResolver) EventGroups(ctx context.Context, filter *monitor.EventFilter, by []monitor.AggregateField, first int) (*monitor.EventGroups, error) {
	return r.Aggregates.EventGroups(ctx, filter, by, first)
}

// AlertTop counts alerts by value.
func (r queryResolver) AlertTop(ctx context.Context, filter *monitor.AlertFilter, field monitor.AggregateField, first int) (*monitor.TopValues, error) {
	return r.Aggregates.AlertTop(ctx, filter, field, first)
}

// AlertTimeSeries counts alerts by time.
func (r queryResolver) AlertTimeSeries(ctx context.Context, filter *monitor.AlertFilter, from, to time.Time, interval monitor.Duration, groupBy *monitor.AggregateField) (*monitor.TimeSeries, error) {
	return r.Aggregates.AlertTimeSeries(ctx, filter, monitor.SeriesBounds{From: from, To: to, Interval: time.Duration(interval)}, groupBy)
}

// AlertTimes tells how long alerts waited for people.
func (r queryResolver) AlertTimes(ctx context.Context, filter *monitor.AlertFilter) (*monitor.AlertTimes, error) {
	return r.Aggregates.AlertTimes(ctx, filter)
}
