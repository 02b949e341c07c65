package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
)

type alertMemberResolver struct{ *Resolver }

// AlertMember answers the fields of AlertMember that are more than a value.
func (r *Resolver) AlertMember() graph.AlertMemberResolver { return alertMemberResolver{r} }

func (alertMemberResolver) Rule(ctx context.Context, m *monitor.AlertMember) (*monitor.Rule, error) {
	return loadersOf(ctx).rules.Load(ctx, m.Rule)
}

func (alertMemberResolver) Event(ctx context.Context, m *monitor.AlertMember) (*monitor.Event, error) {
	return loadersOf(ctx).events.Load(ctx, m.Event)
}
