package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/monitor"
)

// keeper gives for whom the viewer keeps things: a person, or the person that a
// token belongs to; zero for a token of nobody.
func keeper(ctx context.Context) monitor.ID {
	switch v := monitor.ViewerFrom(ctx); {
	case v == nil:
		return monitor.ID{}
	case v.User != nil:
		return v.User.ID
	case v.Token != nil:
		return v.Token.OwnerID
	default:
		return monitor.ID{}
	}
}

// maySave tells whether the viewer may change what is saved: their own, and for
// administrators what is shared.
func maySave(ctx context.Context, s *monitor.Saved) error {
	me := keeper(ctx)
	if !me.IsZero() && s.OwnerID == me || s.Shared && monitor.RoleFrom(ctx) == monitor.RoleAdmin {
		return nil
	}
	return monitor.Errorf(monitor.CodeForbidden, "only its owner and administrators may change what is shared; keep one of your own")
}

// mayShare tells whether the viewer may show to everybody what is saved.
func mayShare(ctx context.Context, was, is bool) error {
	if !is || was || monitor.RoleFrom(ctx).Rank() >= monitor.RoleAnalyst.Rank() {
		return nil
	}
	return monitor.Errorf(monitor.CodeForbidden, "to share takes the role %s", monitor.RoleAnalyst)
}
