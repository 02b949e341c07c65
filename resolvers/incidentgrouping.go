package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// Groupings keeps what says which alerts open incidents. Changes are refused as
// those of Incidents are.
type Groupings interface {
	IncidentGroupings(ctx context.Context) ([]*monitor.IncidentGrouping, error)
	IncidentGroupingsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.IncidentGrouping, error)
	CreateIncidentGrouping(ctx context.Context, actor monitor.Actor, g monitor.IncidentGrouping) (*monitor.IncidentGrouping, error)
	UpdateIncidentGrouping(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.IncidentGrouping, time.Time) error) (*monitor.IncidentGrouping, error)
	DeleteIncidentGrouping(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.IncidentGrouping, error)
}

// IncidentGroupings lists the groupings.
func (r queryResolver) IncidentGroupings(ctx context.Context) ([]*monitor.IncidentGrouping, error) {
	return r.Groupings.IncidentGroupings(ctx)
}

// IncidentGroupingCreate makes a grouping.
func (r mutationResolver) IncidentGroupingCreate(ctx context.Context, input model.IncidentGroupingCreateInput) (*model.IncidentGroupingPayload, error) {
	g := monitor.IncidentGrouping{Name: input.Name, Enabled: input.Enabled, Fields: input.Fields, MinimumCount: input.MinimumCount}
	if err := describe(&g, &input.Window, input.Filter, true); err != nil {
		return groupingPayload(nil, err)
	}
	return groupingPayload(r.Groupings.CreateIncidentGrouping(ctx, monitor.ViewerFrom(ctx).Actor(), g))
}

// IncidentGroupingUpdate changes a grouping.
func (r mutationResolver) IncidentGroupingUpdate(ctx context.Context, input model.IncidentGroupingUpdateInput) (*model.IncidentGroupingPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindIncidentGrouping, input.ID)
	if err != nil {
		return groupingPayload(nil, err)
	}
	return groupingPayload(r.Groupings.UpdateIncidentGrouping(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, func(g *monitor.IncidentGrouping, _ time.Time) error {
		set(&g.Name, input.Name)
		set(&g.Enabled, input.Enabled)
		set(&g.MinimumCount, input.MinimumCount)
		if input.Fields != nil {
			g.Fields = input.Fields
		}
		return describe(g, input.Window, input.Filter.Value(), input.Filter.IsSet())
	}))
}

// IncidentGroupingDelete takes a grouping away.
func (r mutationResolver) IncidentGroupingDelete(ctx context.Context, input model.IncidentGroupingDeleteInput) (*model.IncidentGroupingPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindIncidentGrouping, input.ID)
	if err != nil {
		return groupingPayload(nil, err)
	}
	return groupingPayload(r.Groupings.DeleteIncidentGrouping(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion))
}

// describe sets what a grouping keeps in another form than the input has.
func describe(g *monitor.IncidentGrouping, window *monitor.Duration, filter *monitor.AlertFilter, refilter bool) (err error) {
	if window != nil {
		g.Window = time.Duration(*window)
	}
	if refilter {
		g.Filter, err = monitor.FilterJSON(filter)
	}
	return err
}

func groupingPayload(g *monitor.IncidentGrouping, err error) (*model.IncidentGroupingPayload, error) {
	mendable, err := userErrors(err)
	return &model.IncidentGroupingPayload{Grouping: g, Errors: mendable}, err
}

type groupingResolver struct{ *Resolver }

// IncidentGrouping answers the fields of IncidentGrouping that are more than a value.
func (r *Resolver) IncidentGrouping() graph.IncidentGroupingResolver { return groupingResolver{r} }

func (groupingResolver) Filter(_ context.Context, g *monitor.IncidentGrouping) (monitor.RawJSON, error) {
	return monitor.RawJSON(g.Filter), nil
}

func (groupingResolver) Window(_ context.Context, g *monitor.IncidentGrouping) (monitor.Duration, error) {
	return monitor.Duration(g.Window), nil
}
