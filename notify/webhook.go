package notify

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// WebhookStore keeps webhooks and those whom they belong to.
type WebhookStore interface {
	Owners
	WebhooksByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Webhook, error)
	// WebhookSecrets gives the sealed secrets that sign now, the newest first.
	WebhookSecrets(ctx context.Context, id monitor.ID) ([][]byte, error)
}

// Selection begins to execute a webhook's operation, with a role and as nobody.
type Selection func(ctx context.Context, w *monitor.Webhook) (feed.Renderer, error)

// Webhooks is the destination of webhooks.
type Webhooks struct {
	Store  WebhookStore
	Select Selection
	// Unseal opens a secret that is bound to a webhook's id.
	Unseal func(id monitor.ID, sealed []byte) (string, error)
	Poster *Poster
	// Recent gives the newest page of the journal, for previews.
	Recent func(ctx context.Context) (monitor.JournalPage, error)
}

// Open says how a webhook's messages are made and sent now.
func (h *Webhooks) Open(ctx context.Context, id monitor.ID) (Route, error) {
	found, err := h.Store.WebhooksByID(ctx, []monitor.ID{id})
	if err != nil {
		return Route{}, err
	}
	if len(found) == 0 {
		return Route{}, monitor.ErrLeaseLost // it was taken away just now
	}
	w := found[0]
	if err := mayRead(ctx, h.Store, w.OwnerID, w.Role); err != nil {
		return Route{}, err
	}
	return Route{
		Version: strconv.Itoa(w.Version), Concurrency: w.Concurrency, Sender: webhookSender{h, w},
		Start: func(ctx context.Context) (feed.Renderer, error) { return h.Select(ctx, w) },
	}, nil
}

// Test sends what a webhook would send, once, and gives what became of it.
func (h *Webhooks) Test(ctx context.Context, w *monitor.Webhook) (*monitor.Delivery, error) {
	if err := mayRead(ctx, h.Store, w.OwnerID, w.Role); err != nil {
		return nil, refused(err)
	}
	body, err := h.Preview(ctx, w)
	if err != nil {
		return nil, err
	}
	return sendTest(ctx, w.ID, body, webhookSender{h, w}), nil
}

// Preview gives a body that the webhook would have sent of the newest changes, or
// where none of them concerns it, the message that tells a position alone.
func (h *Webhooks) Preview(ctx context.Context, w *monitor.Webhook) ([]byte, error) {
	page, err := h.Recent(ctx)
	if err != nil {
		return nil, err
	}
	page.Greet = true
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	renderer, err := h.Select(ctx, w)
	if err != nil {
		return nil, err
	}
	defer renderer.Close()
	payloads, err := renderer.Render(ctx, page)
	if err != nil {
		return nil, err
	}
	if len(payloads) == 0 {
		return nil, monitor.Errorf(monitor.CodeInternal, "the selection gave nothing")
	}
	return Body(payloads[len(payloads)-1]), nil
}

// webhookSender signs and posts.
type webhookSender struct {
	h *Webhooks
	w *monitor.Webhook
}

// Send posts a delivery. The time in the signature is that of the try.
func (s webhookSender) Send(ctx context.Context, d *monitor.Delivery) Result {
	now := time.Now()
	sealed, err := s.h.Store.WebhookSecrets(ctx, s.w.ID)
	if err != nil || len(sealed) == 0 {
		return failed("the secret could not be read")
	}
	secrets := make([]string, len(sealed))
	for i := range sealed {
		if secrets[i], err = s.h.Unseal(s.w.ID, sealed[i]); err != nil {
			return failed("the secret cannot be opened: its sealing key is gone; make a new one")
		}
	}
	signature, err := Sign(secrets, d.MessageID(), now, d.Body)
	if err != nil {
		return failed("the delivery cannot be signed")
	}
	headers := http.Header{}
	headers.Set(headerID, d.MessageID())
	headers.Set(headerTime, strconv.FormatInt(now.Unix(), 10))
	headers.Set(headerSigned, signature)
	if d.Test {
		headers.Set("Secmon-Test", "true")
	}
	return s.h.Poster.Post(ctx, s.w.URL, headers, d.Body)
}
