package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Channels keeps channels. Changes are refused as those of Alerts are; seal seals a
// secret for a channel, nil: it stays as it is.
type Channels interface {
	// Channels gives those of an owner, all where it is zero.
	Channels(ctx context.Context, owner monitor.ID, args page.Args) (*monitor.ChannelConnection, error)
	ChannelsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Channel, error)
	CreateChannel(ctx context.Context, actor monitor.Actor, made monitor.Channel, from monitor.Position, seal func(monitor.ID) ([]byte, error)) (*monitor.Channel, error)
	UpdateChannel(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.Channel) error, seal func(monitor.ID) ([]byte, error)) (*monitor.Channel, error)
	// ResumeChannel lets one go on where it stopped, or, where what was behind that is
	// gone, from a position.
	ResumeChannel(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, may func(*monitor.Channel) error, from monitor.Position) (*monitor.Channel, error)
	DeleteChannel(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, may func(*monitor.Channel) error) error
	RedeliverChannel(ctx context.Context, actor monitor.Actor, id monitor.ID, may func(*monitor.Channel) error) (*monitor.Delivery, error)
}

// ChannelWork knows what channels say, and says it.
type ChannelWork interface {
	// CheckChannel gives BAD_INPUT for templates that fail, and for a secret that does
	// not suit; nil: the one that is kept stays.
	CheckChannel(c *monitor.Channel, secret *string) error
	PreviewChannel(ctx context.Context, c *monitor.Channel, grouped bool) (*model.ChannelPreview, error)
	// TestChannel sends once and keeps what became of it.
	TestChannel(ctx context.Context, actor monitor.Actor, c *monitor.Channel) (*monitor.Delivery, error)
	// SealChannelSecret gives what seals a secret for a channel; nothing for an empty one.
	SealChannelSecret(secret string) func(monitor.ID) ([]byte, error)
}

// Channel gives one channel of the viewer's.
func (r queryResolver) Channel(ctx context.Context, id string) (*monitor.Channel, error) {
	c, err := byGlobalID(ctx, monitor.KindChannel, id, r.Resolver.Channels.ChannelsByID)
	if err != nil || c == nil || !manages(ctx, c.OwnerID) {
		return nil, err // not told apart
	}
	return c, nil
}

// Channels lists one's own, or for administrators all.
func (r queryResolver) Channels(ctx context.Context, first int, after *string) (*monitor.ChannelConnection, error) {
	args, owner, err := ownPage(ctx, "channel", first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.Channels.Channels(ctx, owner, args)
}

// ChannelPreview tells what a channel would say.
func (r queryResolver) ChannelPreview(ctx context.Context, input model.ChannelPreviewInput) (*model.ChannelPreview, error) {
	c := &monitor.Channel{
		Name: "Preview", Kind: input.Kind, Query: input.Query, Trigger: input.Trigger, AfterMinutes: input.AfterMinutes, Template: input.Template,
	}
	err := c.CheckNotice()
	var preview *model.ChannelPreview
	if err == nil {
		preview, err = r.ChannelWork.PreviewChannel(ctx, c, input.Grouped)
	}
	mendable, err := userErrors(err)
	if err != nil || len(mendable) > 0 {
		return &model.ChannelPreview{Errors: mendable}, err
	}
	preview.Errors = mendable
	return preview, nil
}

// ChannelCreate makes a channel.
func (r mutationResolver) ChannelCreate(ctx context.Context, input model.ChannelCreateInput) (*model.ChannelPayload, error) {
	owner, err := queueOwner(ctx, "channel")
	if err != nil {
		return channelPayload(nil, err)
	}
	c := monitor.Channel{
		Name: input.Name, Kind: input.Kind, Settings: input.Settings, OwnerID: owner, Role: monitor.RoleFrom(ctx), Query: input.Query, Trigger: input.Trigger,
		AfterMinutes: input.AfterMinutes, GroupMinutes: input.GroupMinutes, Quiet: input.Quiet, Template: input.Template, Enabled: input.Enabled,
	}
	if err := r.checkChannel(&c, &input.Secret); err != nil {
		return channelPayload(nil, err)
	}
	seal := r.ChannelWork.SealChannelSecret(input.Secret)
	return channelPayload(r.Resolver.Channels.CreateChannel(ctx, monitor.ViewerFrom(ctx).Actor(), c, r.Feed.Position(), seal))
}

// ChannelUpdate changes a channel.
func (r mutationResolver) ChannelUpdate(ctx context.Context, input model.ChannelUpdateInput) (*model.ChannelPayload, error) {
	var seal func(monitor.ID) ([]byte, error)
	if input.Secret != nil {
		seal = r.ChannelWork.SealChannelSecret(*input.Secret)
	}
	return r.changeChannel(ctx, input.ID, input.ExpectedVersion, func(c *monitor.Channel) error {
		was := c.Settings
		set(&c.Name, input.Name)
		set(&c.Settings, input.Settings)
		set(&c.Query, input.Query)
		set(&c.Trigger, input.Trigger)
		set(&c.AfterMinutes, input.AfterMinutes)
		set(&c.GroupMinutes, input.GroupMinutes)
		set(&c.Template, input.Template)
		if quiet, given := input.Quiet.ValueOK(); given {
			c.Quiet = quiet
		}
		if err := r.checkChannel(c, input.Secret); err != nil {
			return err
		}
		// Who may change a channel need not know its secret, and may not have it sent to them.
		if input.Secret == nil && !c.SecretAt.IsZero() && !c.Settings.SameReceiver(was) {
			return monitor.InputErrorf("secret", "it leads elsewhere now: give the secret again")
		}
		return nil
	}, seal)
}

// ChannelEnable lets a channel go on.
func (r mutationResolver) ChannelEnable(ctx context.Context, input model.ChannelEnableInput) (*model.ChannelPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindChannel, input.ID)
	if err != nil {
		return channelPayload(nil, err)
	}
	actor := monitor.ViewerFrom(ctx).Actor()
	c, err := r.Resolver.Channels.ResumeChannel(ctx, actor, id, input.ExpectedVersion, mayManageChannel(ctx), r.Feed.Position())
	return channelPayload(seenChannel(ctx, c), err)
}

// ChannelDisable stops a channel.
func (r mutationResolver) ChannelDisable(ctx context.Context, input model.ChannelDisableInput) (*model.ChannelPayload, error) {
	return r.changeChannel(ctx, input.ID, input.ExpectedVersion, func(c *monitor.Channel) error {
		c.Enabled = false
		return nil
	}, nil)
}

func (r mutationResolver) changeChannel(ctx context.Context, global string, expected *int, change func(*monitor.Channel) error, seal func(monitor.ID) ([]byte, error)) (*model.ChannelPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindChannel, global)
	if err != nil {
		return channelPayload(nil, err)
	}
	c, err := r.Resolver.Channels.UpdateChannel(ctx, monitor.ViewerFrom(ctx).Actor(), id, expected, func(c *monitor.Channel) error {
		if err := mayManageChannel(ctx)(c); err != nil {
			return err
		}
		return change(c)
	}, seal)
	return channelPayload(seenChannel(ctx, c), err)
}

// ChannelDelete takes a channel away.
func (r mutationResolver) ChannelDelete(ctx context.Context, input model.ChannelDeleteInput) (*model.ChannelPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindChannel, input.ID)
	if err == nil {
		err = r.Resolver.Channels.DeleteChannel(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, mayManageChannel(ctx))
	}
	return channelPayload(nil, err)
}

// ChannelTest sends a message once.
func (r mutationResolver) ChannelTest(ctx context.Context, input model.ChannelTestInput) (*model.DeliveryPayload, error) {
	c, err := queryResolver(r).Channel(ctx, input.ID)
	if err == nil && c == nil {
		err = errNoChannel
	}
	if err != nil {
		return deliveryPayload(nil, err)
	}
	return deliveryPayload(r.ChannelWork.TestChannel(ctx, monitor.ViewerFrom(ctx).Actor(), c))
}

// ChannelRedeliver sends a message again.
func (r mutationResolver) ChannelRedeliver(ctx context.Context, input model.ChannelRedeliverInput) (*model.DeliveryPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindDelivery, input.ID)
	if err != nil {
		return deliveryPayload(nil, err)
	}
	return deliveryPayload(r.Resolver.Channels.RedeliverChannel(ctx, monitor.ViewerFrom(ctx).Actor(), id, mayManageChannel(ctx)))
}

// checkChannel is Check, and that its words and secret suit.
func (r *Resolver) checkChannel(c *monitor.Channel, secret *string) error {
	if err := c.Check(); err != nil {
		return err
	}
	return r.ChannelWork.CheckChannel(c, secret)
}

var errNoChannel = monitor.Errorf(monitor.CodeNotFound, "there is no such channel, or it is not yours")

func mayManageChannel(ctx context.Context) func(*monitor.Channel) error {
	return func(c *monitor.Channel) error {
		if !manages(ctx, c.OwnerID) {
			return errNoChannel
		}
		return nil
	}
}

// seenChannel gives the channel where the viewer may see it.
func seenChannel(ctx context.Context, c *monitor.Channel) *monitor.Channel {
	if c == nil || !manages(ctx, c.OwnerID) {
		return nil
	}
	return c
}

func channelPayload(c *monitor.Channel, err error) (*model.ChannelPayload, error) {
	mendable, err := userErrors(err)
	return &model.ChannelPayload{Channel: c, Errors: mendable}, err
}

type channelResolver struct{ *Resolver }

// Channel answers the fields of Channel that are more than a value.
func (r *Resolver) Channel() graph.ChannelResolver { return channelResolver{r} }

func (channelResolver) Owner(ctx context.Context, c *monitor.Channel) (*monitor.User, error) {
	return loadUser(ctx, c.OwnerID)
}

func (r channelResolver) Deliveries(ctx context.Context, c *monitor.Channel, state *monitor.DeliveryState, first int, after *string) (*monitor.DeliveryConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.Deliveries.Deliveries(ctx, c.ID, state, args)
}

func (r channelResolver) Journal(ctx context.Context, c *monitor.Channel, first int, after *string) (*monitor.JournalConnection, error) {
	return r.journalOf(ctx, monitor.KindChannel, c.ID, first, after)
}
