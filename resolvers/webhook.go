package resolvers

import (
	"context"
	"encoding/json"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Webhooks keeps webhooks. Changes are refused as those of Alerts are.
type Webhooks interface {
	// Webhooks gives those of an owner, all where it is zero.
	Webhooks(ctx context.Context, owner monitor.ID, args page.Args) (*monitor.WebhookConnection, error)
	WebhooksByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Webhook, error)
	CreateWebhook(ctx context.Context, actor monitor.Actor, made monitor.Webhook, from monitor.Position, seal func(monitor.ID) ([]byte, error)) (*monitor.Webhook, error)
	UpdateWebhook(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, change func(*monitor.Webhook) error) (*monitor.Webhook, error)
	DeleteWebhook(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, may func(*monitor.Webhook) error) error
}

// Deliveries keeps what webhooks send. What may refuses stays as it is.
type Deliveries interface {
	Deliveries(ctx context.Context, of monitor.ID, state *monitor.DeliveryState, args page.Args) (*monitor.DeliveryConnection, error)
	Delivery(ctx context.Context, id monitor.ID) (*monitor.Delivery, error)
	Redeliver(ctx context.Context, actor monitor.Actor, id monitor.ID, may func(*monitor.Webhook) error) (*monitor.Delivery, error)
	RotateWebhookSecret(ctx context.Context, actor monitor.Actor, id monitor.ID, may func(*monitor.Webhook) error, sealed []byte, overlap time.Duration) (*monitor.Webhook, error)
	ReplayWebhook(ctx context.Context, actor monitor.Actor, id monitor.ID, may func(*monitor.Webhook) error, to monitor.Position) (*monitor.Webhook, error)
}

// WebhookWork knows what webhooks send, and sends it.
type WebhookWork interface {
	// CheckWebhook gives BAD_INPUT for an operation that the webhook's role may not
	// subscribe to, or that is none, and for an address that is never sent to.
	CheckWebhook(ctx context.Context, w *monitor.Webhook) error
	PreviewWebhook(ctx context.Context, w *monitor.Webhook) ([]byte, error)
	// TestWebhook sends once and keeps what became of it.
	TestWebhook(ctx context.Context, actor monitor.Actor, w *monitor.Webhook) (*monitor.Delivery, error)
	// NewWebhookSecret makes a secret and what seals it for a webhook.
	NewWebhookSecret() (secret string, seal func(monitor.ID) ([]byte, error))
	// ReplayFrom gives the position behind a cursor, or before what came at a time or
	// later. BAD_INPUT where the journal cannot be read on from there without a gap.
	ReplayFrom(ctx context.Context, after *string, since *time.Time) (monitor.Position, error)
}

// Webhook gives one webhook of the viewer's.
func (r queryResolver) Webhook(ctx context.Context, id string) (*monitor.Webhook, error) {
	w, err := byGlobalID(ctx, monitor.KindWebhook, id, r.Resolver.Webhooks.WebhooksByID)
	if err != nil || w == nil || mayManage(ctx, w) != nil {
		return nil, err // not told apart
	}
	return w, nil
}

// Webhooks lists one's own, or for administrators all.
func (r queryResolver) Webhooks(ctx context.Context, first int, after *string) (*monitor.WebhookConnection, error) {
	args, owner, err := ownPage(ctx, "webhook", first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.Webhooks.Webhooks(ctx, owner, args)
}

// WebhookPreview tells what a webhook would send.
func (r queryResolver) WebhookPreview(ctx context.Context, input model.WebhookPreviewInput) (*model.WebhookPreview, error) {
	w := &monitor.Webhook{Role: monitor.RoleFrom(ctx), Document: input.Document, Variables: json.RawMessage(input.Variables)}
	err := w.CheckOperation()
	if err == nil {
		err = r.WebhookWork.CheckWebhook(ctx, w)
	}
	var body []byte
	if err == nil {
		body, err = r.WebhookWork.PreviewWebhook(ctx, w)
	}
	mendable, err := userErrors(err)
	if err != nil || len(mendable) > 0 {
		return &model.WebhookPreview{Errors: mendable}, err
	}
	text := string(body)
	return &model.WebhookPreview{Body: &text, Errors: mendable}, nil
}

// WebhookCreate makes a webhook.
func (r mutationResolver) WebhookCreate(ctx context.Context, input model.WebhookCreateInput) (*model.WebhookPayload, error) {
	owner, err := queueOwner(ctx, "webhook")
	if err != nil {
		return webhookPayload(nil, "", err)
	}
	w := monitor.Webhook{
		Name: input.Name, URL: input.URL, OwnerID: owner, Role: monitor.RoleFrom(ctx), Document: input.Document, Variables: json.RawMessage(input.Variables),
		Concurrency: input.Concurrency, Enabled: input.Enabled,
	}
	if err := r.checkWebhook(ctx, &w); err != nil {
		return webhookPayload(nil, "", err)
	}
	secret, seal := r.WebhookWork.NewWebhookSecret()
	made, err := r.Resolver.Webhooks.CreateWebhook(ctx, monitor.ViewerFrom(ctx).Actor(), w, r.Feed.Position(), seal)
	return webhookPayload(made, secret, err)
}

// WebhookUpdate changes a webhook.
func (r mutationResolver) WebhookUpdate(ctx context.Context, input model.WebhookUpdateInput) (*model.WebhookPayload, error) {
	return r.changeWebhook(ctx, monitor.ActionWebhookUpdate, input.ID, input.ExpectedVersion, func(w *monitor.Webhook) error {
		set(&w.Name, input.Name)
		set(&w.URL, input.URL)
		set(&w.Document, input.Document)
		set(&w.Concurrency, input.Concurrency)
		if input.Variables != nil {
			w.Variables = json.RawMessage(*input.Variables)
		}
		return r.checkWebhook(ctx, w)
	})
}

// WebhookEnable lets a webhook go on.
func (r mutationResolver) WebhookEnable(ctx context.Context, input model.WebhookEnableInput) (*model.WebhookPayload, error) {
	return r.changeWebhook(ctx, monitor.ActionWebhookResume, input.ID, input.ExpectedVersion, func(w *monitor.Webhook) error {
		w.Enabled = true
		return nil
	})
}

// WebhookDisable stops a webhook.
func (r mutationResolver) WebhookDisable(ctx context.Context, input model.WebhookDisableInput) (*model.WebhookPayload, error) {
	return r.changeWebhook(ctx, monitor.ActionWebhookUpdate, input.ID, input.ExpectedVersion, func(w *monitor.Webhook) error {
		w.Enabled = false
		return nil
	})
}

func (r mutationResolver) changeWebhook(ctx context.Context, action, global string, expected *int, change func(*monitor.Webhook) error) (*model.WebhookPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindWebhook, global)
	if err != nil {
		return webhookPayload(nil, "", err)
	}
	w, err := r.Resolver.Webhooks.UpdateWebhook(ctx, monitor.ViewerFrom(ctx).Actor(), action, id, expected, func(w *monitor.Webhook) error {
		if err := mayManage(ctx, w); err != nil {
			return err
		}
		return change(w)
	})
	return webhookPayload(seen(ctx, w), "", err)
}

// WebhookDelete takes a webhook away.
func (r mutationResolver) WebhookDelete(ctx context.Context, input model.WebhookDeleteInput) (*model.WebhookPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindWebhook, input.ID)
	if err == nil {
		err = r.Resolver.Webhooks.DeleteWebhook(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, managing(ctx))
	}
	return webhookPayload(nil, "", err)
}

// WebhookRotateSecret makes a new secret.
func (r mutationResolver) WebhookRotateSecret(ctx context.Context, input model.WebhookRotateSecretInput) (*model.WebhookPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindWebhook, input.ID)
	if most := int(monitor.MaxSecretOverlap / time.Hour); err == nil && (input.OverlapHours < 0 || input.OverlapHours > most) {
		err = monitor.InputErrorf("overlapHours", "0 to %d, not %d", most, input.OverlapHours)
	}
	if err != nil {
		return webhookPayload(nil, "", err)
	}
	secret, seal := r.WebhookWork.NewWebhookSecret()
	sealed, err := seal(id)
	if err != nil {
		return nil, err
	}
	w, err := r.Resolver.Deliveries.RotateWebhookSecret(ctx, monitor.ViewerFrom(ctx).Actor(), id, managing(ctx), sealed, time.Duration(input.OverlapHours)*time.Hour)
	return webhookPayload(seen(ctx, w), secret, err)
}

// WebhookReplay sends a webhook to a place of the journal.
func (r mutationResolver) WebhookReplay(ctx context.Context, input model.WebhookReplayInput) (*model.WebhookPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindWebhook, input.ID)
	if err != nil {
		return webhookPayload(nil, "", err)
	}
	to, err := r.WebhookWork.ReplayFrom(ctx, input.After, input.Since)
	if err != nil {
		return webhookPayload(nil, "", err)
	}
	w, err := r.Resolver.Deliveries.ReplayWebhook(ctx, monitor.ViewerFrom(ctx).Actor(), id, managing(ctx), to)
	return webhookPayload(seen(ctx, w), "", err)
}

// WebhookTest sends the newest message once.
func (r mutationResolver) WebhookTest(ctx context.Context, input model.WebhookTestInput) (*model.DeliveryPayload, error) {
	w, err := queryResolver(r).Webhook(ctx, input.ID)
	if err == nil && w == nil {
		err = errNoWebhook
	}
	if err != nil {
		return deliveryPayload(nil, err)
	}
	return deliveryPayload(r.WebhookWork.TestWebhook(ctx, monitor.ViewerFrom(ctx).Actor(), w))
}

// WebhookRedeliver sends a delivery again.
func (r mutationResolver) WebhookRedeliver(ctx context.Context, input model.WebhookRedeliverInput) (*model.DeliveryPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindDelivery, input.ID)
	if err != nil {
		return deliveryPayload(nil, err)
	}
	return deliveryPayload(r.Resolver.Deliveries.Redeliver(ctx, monitor.ViewerFrom(ctx).Actor(), id, managing(ctx)))
}

// checkWebhook is Check, that its operation runs, and that its address may be sent to.
func (r *Resolver) checkWebhook(ctx context.Context, w *monitor.Webhook) error {
	if err := w.Check(); err != nil { // its size, before it is parsed
		return err
	}
	return r.WebhookWork.CheckWebhook(ctx, w)
}

var errNoWebhook = monitor.Errorf(monitor.CodeNotFound, "there is no such webhook, or it is not yours")

// mayManage lets owners and administrators do as they like with a webhook.
func mayManage(ctx context.Context, w *monitor.Webhook) error {
	if !manages(ctx, w.OwnerID) {
		return errNoWebhook
	}
	return nil
}

func managing(ctx context.Context) func(*monitor.Webhook) error {
	return func(w *monitor.Webhook) error { return mayManage(ctx, w) }
}

// seen gives the webhook where the viewer may see it.
func seen(ctx context.Context, w *monitor.Webhook) *monitor.Webhook {
	if w == nil || mayManage(ctx, w) != nil {
		return nil
	}
	return w
}

func webhookPayload(w *monitor.Webhook, secret string, err error) (*model.WebhookPayload, error) {
	mendable, err := userErrors(err)
	payload := &model.WebhookPayload{Webhook: w, Errors: mendable}
	if err == nil && len(mendable) == 0 && secret != "" {
		payload.Secret = &secret
	}
	return payload, err
}

func deliveryPayload(d *monitor.Delivery, err error) (*model.DeliveryPayload, error) {
	mendable, err := userErrors(err)
	return &model.DeliveryPayload{Delivery: d, Errors: mendable}, err
}

type webhookResolver struct{ *Resolver }

// Webhook answers the fields of Webhook that are more than a value.
func (r *Resolver) Webhook() graph.WebhookResolver { return webhookResolver{r} }

func (webhookResolver) Owner(ctx context.Context, w *monitor.Webhook) (*monitor.User, error) {
	return loadUser(ctx, w.OwnerID)
}

func (webhookResolver) Variables(_ context.Context, w *monitor.Webhook) (monitor.RawJSON, error) {
	return monitor.RawJSON(w.Variables), nil
}

func (r webhookResolver) Deliveries(ctx context.Context, w *monitor.Webhook, state *monitor.DeliveryState, first int, after *string) (*monitor.DeliveryConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.Deliveries.Deliveries(ctx, w.ID, state, args)
}

func (r webhookResolver) Journal(ctx context.Context, w *monitor.Webhook, first int, after *string) (*monitor.JournalConnection, error) {
	return r.journalOf(ctx, monitor.KindWebhook, w.ID, first, after)
}
