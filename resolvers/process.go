package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

type processResolver struct{ *Resolver }

// Process answers the fields of Process that are more than a value.
func (r *Resolver) Process() graph.ProcessResolver { return processResolver{r} }

func (processResolver) Parent(_ context.Context, p *monitor.Process) (*string, error) {
	return optional(p.ParentKey), nil
}

func (processResolver) Pid(_ context.Context, p *monitor.Process) (*int, error) {
	return optional(p.PID), nil
}

func (processResolver) StartedAt(_ context.Context, p *monitor.Process) (*time.Time, error) {
	return optionalTime(p.StartedAt), nil
}

// ProcessTree gives what started what around an event.
func (r queryResolver) ProcessTree(ctx context.Context, event string) (*monitor.ProcessTree, error) {
	focus, err := r.Event(ctx, event)
	if err != nil || focus == nil || focus.Host == "" || monitor.NewProcess(focus) == nil {
		return nil, err
	}
	from, to, class := monitor.FixedTime(focus.OccurredAt.Add(-monitor.TreeBefore)), monitor.FixedTime(focus.OccurredAt.Add(monitor.TreeAfter)), monitor.ClassProcessActivity
	filter := &monitor.EventFilter{
		Host: &monitor.StringFilter{Eq: &focus.Host}, Class: &monitor.EventClassFilter{Eq: &class}, OccurredAt: &monitor.TimeFilter{Gte: &from, Lte: &to},
	}
	found, err := r.Resolver.Events.Events(ctx, filter, monitor.EventsByOccurred, page.Args{First: monitor.MaxTreeEvents})
	if err != nil {
		return nil, err
	}
	tree := monitor.NewProcessTree(focus, found.Nodes())
	tree.Truncated = tree.Truncated || found.PageInfo.HasNextPage
	return tree, nil
}
