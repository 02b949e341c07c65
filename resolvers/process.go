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

func (processResolver) Event(ctx context.Context, p *monitor.Process) (*monitor.Event, error) {
	if p.EventID.Batch.IsZero() {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return loadersOf(ctx).events.Load(ctx, p.EventID)
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
	var reported []*monitor.Process
	args, read := page.Args{First: monitor.TreePage}, 0
	for {
		found, err := r.Resolver.Events.Events(ctx, filter, monitor.EventsByOccurred, args)
		if err != nil {
			return nil, err
		}
		for _, e := range found.Edges {
			if p := monitor.NewProcess(e.Node); p != nil {
				reported = append(reported, p)
			}
		}
		read += len(found.Edges)
		if !found.PageInfo.HasNextPage || read >= monitor.MaxTreeEvents {
			tree := monitor.NewProcessTree(focus, reported)
			tree.Truncated = tree.Truncated || found.PageInfo.HasNextPage
			return tree, nil
		}
		args.After = *found.PageInfo.EndCursor
	}
}
