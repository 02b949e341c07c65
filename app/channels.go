package app

import (
	"context"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
	"github.com/security-monitor/secmon/notify/channel"
	"github.com/security-monitor/secmon/page"
)

// channelWork is what the resolvers ask of channels beside their keeping.
type channelWork struct {
	app      *App
	out      outbound
	channels *notify.Channels
}

func (a *App) openChannels(out outbound) *channelWork {
	mailer := channel.NewMailer(out.allowed, out.roots)
	return &channelWork{a, out, &notify.Channels{
		Store: a.Store, Unseal: a.Auth.Unseal, Base: a.cfg.PublicURL, Log: a.lg, Latest: a.latestAlerts, Example: channel.Example,
		Compose: func(c *monitor.Channel, n *monitor.Notice) (notify.Message, error) {
			m, err := channel.Compose(c, n)
			return notify.Message(m), err
		},
		Sender: func(c *monitor.Channel, secret string) notify.Sender {
			return channel.Sender{Channel: c, Secret: secret, Poster: out.poster, Mailer: mailer}
		},
	}}
}

// latestAlerts gives the newest alerts that a query line matches.
func (a *App) latestAlerts(ctx context.Context, line string, limit int) ([]*monitor.Alert, error) {
	found, err := a.Store.Alerts(ctx, &monitor.AlertFilter{Query: &line}, monitor.AlertsByCreated, page.Args{First: limit})
	if err != nil {
		return nil, err
	}
	alerts := make([]*monitor.Alert, len(found.Edges))
	for i, e := range found.Edges {
		alerts[i] = e.Node
	}
	return alerts, nil
}

// CheckChannel gives BAD_INPUT for words that cannot be put together, an address that
// can never be sent to, and a secret that does not suit.
func (w *channelWork) CheckChannel(c *monitor.Channel, secret *string) error {
	if err := channel.CheckTemplates(c.Template); err != nil {
		return err
	}
	if c.Settings.URL != "" {
		if err := w.out.poster.Check(c.Settings.URL); err != nil {
			return monitor.InputErrorf("settings.url", "%v", err)
		}
	}
	switch {
	case secret != nil:
		return channel.CheckSecret(c.Kind, c.Settings, *secret)
	case c.SecretAt.IsZero():
		return channel.CheckSecret(c.Kind, c.Settings, "")
	default:
		return nil // the one that is kept stays
	}
}

// PreviewChannel gives what a channel would say of the newest alerts.
func (w *channelWork) PreviewChannel(ctx context.Context, c *monitor.Channel, grouped bool) (*model.ChannelPreview, error) {
	apart, cancel := alone(ctx)
	defer cancel()
	if err := channel.CheckTemplates(c.Template); err != nil {
		return nil, err
	}
	m, alerts, err := w.channels.Preview(apart, c, grouped)
	if err != nil {
		return nil, err
	}
	body := string(m.Body)
	return &model.ChannelPreview{Subject: &m.Subject, Text: &m.Text, Body: &body, Alerts: alerts}, nil
}

// TestChannel sends once and keeps what became of it.
func (w *channelWork) TestChannel(ctx context.Context, actor monitor.Actor, c *monitor.Channel) (*monitor.Delivery, error) {
	apart, cancel := alone(ctx)
	defer cancel()
	d, err := w.channels.Test(apart, c)
	if err != nil {
		return nil, err
	}
	return d, w.app.Store.KeepChannelTest(ctx, actor, c.ID, d)
}

// SealChannelSecret gives what seals a secret for a channel; nothing for an empty one.
func (w *channelWork) SealChannelSecret(secret string) func(monitor.ID) ([]byte, error) {
	return func(id monitor.ID) ([]byte, error) {
		if secret == "" {
			return nil, nil
		}
		return w.app.Auth.Seal(id, secret)
	}
}
