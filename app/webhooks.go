package app

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
	"github.com/security-monitor/secmon/resolvers"
	live "github.com/security-monitor/secmon/transport"
)

// openWebhooks prepares webhooks, whose operations are executed as everybody's are, by
// an executor of their own.
func (a *App) openWebhooks(out outbound, root *resolvers.Resolver, schema graphql.ExecutableSchema, gate *gate, presenter graphql.ErrorPresenterFunc, guard *resolvers.Guard) *webhookWork {
	exec := executor.New(schema)
	a.equip(exec, root, gate, presenter, guard)
	work := &webhookWork{app: a, exec: exec, gate: gate}
	work.hooks = &notify.Webhooks{
		Store: a.Store, Unseal: a.Auth.Unseal, Poster: out.poster, Recent: work.recent,
		Select: func(ctx context.Context, w *monitor.Webhook) (feed.Renderer, error) {
			return work.selection(w).Start(ctx)
		},
	}
	return work
}

// webhookWork is what the resolvers ask of webhooks beside their keeping.
type webhookWork struct {
	app   *App
	exec  graphql.GraphExecutor
	gate  *gate
	hooks *notify.Webhooks
}

func (w *webhookWork) selection(hook *monitor.Webhook) live.Selection {
	return live.Selection{Exec: w.exec, Document: hook.Document, Variables: hook.Variables, Role: hook.Role, ID: hook.ID, Log: w.app.lg}
}

// CheckWebhook holds a webhook's operation to the bounds that a subscriber's is held to,
// and its address, which a preview has none of, to what the configuration allows.
func (w *webhookWork) CheckWebhook(ctx context.Context, hook *monitor.Webhook) error {
	if hook.URL != "" {
		if err := w.hooks.Poster.Check(hook.URL); err != nil {
			return monitor.InputErrorf("url", "%v", err)
		}
	}
	apart, cancel := alone(ctx)
	defer cancel()
	op, err := w.selection(hook).Check(apart)
	if err != nil {
		return err
	}
	if err := w.gate.shapes.Limits.CheckCost(w.gate.model.Cost(op.Doc, op.Operation, op.Variables)); err != nil {
		return monitor.InputErrorf("document", "%v", err)
	}
	return nil
}

// PreviewWebhook gives what a webhook would send of the newest changes.
func (w *webhookWork) PreviewWebhook(ctx context.Context, hook *monitor.Webhook) ([]byte, error) {
	apart, cancel := alone(ctx)
	defer cancel()
	return w.hooks.Preview(apart, hook)
}

// TestWebhook sends once and keeps what became of it.
func (w *webhookWork) TestWebhook(ctx context.Context, actor monitor.Actor, hook *monitor.Webhook) (*monitor.Delivery, error) {
	apart, cancel := alone(ctx)
	defer cancel()
	d, err := w.hooks.Test(apart, hook)
	if err != nil {
		return nil, err
	}
	return d, w.app.Store.KeepTest(ctx, actor, hook.ID, d)
}

// NewWebhookSecret makes a secret and what seals it.
func (w *webhookWork) NewWebhookSecret() (string, func(monitor.ID) ([]byte, error)) {
	secret := notify.NewSecret()
	return secret, func(id monitor.ID) ([]byte, error) { return w.app.Auth.Seal(id, secret) }
}

// ReplayFrom gives the position behind a cursor, or before what came at a time or later.
func (w *webhookWork) ReplayFrom(ctx context.Context, after *string, since *time.Time) (at monitor.Position, err error) {
	switch {
	case (after == nil) == (since == nil):
		return at, monitor.InputErrorf("after", "either after or since")
	case since != nil:
		return w.before(ctx, *since)
	}
	if at, err = monitor.ParseCursor(*after); err == nil {
		_, _, err = w.app.hub.Subscribe(ctx, &at)
	}
	if code := monitor.CodeOf(err); err != nil && (code == monitor.CodeCursorExpired || code == monitor.CodeBadInput) {
		err = monitor.InputErrorf("after", "%v", err)
	}
	return at, err
}

// before gives the position before what was written at a time or later.
func (w *webhookWork) before(ctx context.Context, since time.Time) (monitor.Position, error) {
	entry, found, err := w.app.Store.EntryAt(ctx, since)
	if err != nil || !found {
		return w.app.hub.Head(), err
	}
	if entry.Body.At.Before(since) {
		return w.app.tail.PositionOf(entry), nil
	}
	earliest, err := w.app.Store.Earliest(ctx) // nothing older is kept
	if err == nil && earliest.Seq > 0 {
		err = monitor.InputErrorf("since", "the journal begins at %s", entry.Body.At.Format(time.RFC3339))
	}
	return earliest, err
}

// recent gives the newest page of the journal.
func (w *webhookWork) recent(ctx context.Context) (monitor.JournalPage, error) {
	head := w.app.hub.Head()
	most := uint64(notify.DefaultLimits.Page) //nolint:gosec // a small constant
	entries, err := w.app.Store.Entries(ctx, head.Seq-min(head.Seq, most), int(most))
	if err != nil || len(entries) == 0 {
		return monitor.JournalPage{From: head, At: head}, err
	}
	from := monitor.Position{Epoch: head.Epoch, Seq: entries[0].Seq - 1}
	return monitor.JournalPage{Entries: entries, From: from, At: w.app.tail.PositionOf(entries[len(entries)-1])}, nil
}
