package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// manages tells whether the viewer may do as they like with a webhook or a channel:
// owners and administrators may.
func manages(ctx context.Context, owner monitor.ID) bool {
	return monitor.RoleFrom(ctx) == monitor.RoleAdmin || owner == keeper(ctx) && !owner.IsZero()
}

// queueOwner is whose a webhook or channel becomes that the viewer makes.
func queueOwner(ctx context.Context, noun string) (monitor.ID, error) {
	owner := keeper(ctx)
	if owner.IsZero() {
		return owner, monitor.Errorf(monitor.CodeBadInput, "this token belongs to nobody: a %s has an owner, by whose rights it reads", noun)
	}
	return owner, nil
}

// ownPage is a page of the viewer's webhooks or channels; of everybody's, with no
// owner, for administrators.
func ownPage(ctx context.Context, noun string, first int, after *string) (args page.Args, owner monitor.ID, err error) {
	if args, err = pageArgs(first, after); err == nil && monitor.RoleFrom(ctx) != monitor.RoleAdmin {
		owner, err = queueOwner(ctx, noun)
	}
	return args, owner, err
}

// Delivery gives one delivery of a webhook or a channel of the viewer's.
func (r queryResolver) Delivery(ctx context.Context, id string) (*monitor.Delivery, error) {
	key, err := monitor.ParseIDOf(monitor.KindDelivery, id)
	if err != nil {
		return nil, err
	}
	d, err := r.Resolver.Deliveries.Delivery(ctx, key)
	if err != nil {
		if monitor.CodeOf(err) == monitor.CodeNotFound {
			err = nil
		}
		return nil, err
	}
	of := []monitor.ID{d.Queue}
	hooks, err := r.Resolver.Webhooks.WebhooksByID(ctx, of)
	if err != nil {
		return nil, err
	}
	if len(hooks) == 1 && manages(ctx, hooks[0].OwnerID) {
		return d, nil
	}
	channels, err := r.Resolver.Channels.ChannelsByID(ctx, of)
	if err != nil || len(channels) == 0 || !manages(ctx, channels[0].OwnerID) {
		return nil, err
	}
	return d, nil
}
