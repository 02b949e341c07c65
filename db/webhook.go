package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var webhookColumns = []string{
	"id", "version", "name", "url", "owner_id", "role", "document", "variables", "concurrency", "enabled", "secret_at", "previous_until", "created_at",
	"updated_at",
}

// Webhooks gives one page of webhooks, latest first: those of an owner, or all where
// it is zero.
func (s *Store) Webhooks(ctx context.Context, owner monitor.ID, args page.Args) (*monitor.WebhookConnection, error) {
	st := queuedTable("webhooks", webhookColumns)
	if !owner.IsZero() {
		st = st.Where(goqu.C("owner_id").Eq(owner[:]))
	}
	st, err := newestFirst(st, args)
	if err != nil {
		return nil, err
	}
	found, err := s.webhooks(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	return page.Build(found, args, func(w *monitor.Webhook) string { return page.EncodeCursor(w.CreatedAt, w.ID) }), nil
}

// WebhooksByID gives the webhooks with those ids, in no order; missing ones are left out.
func (s *Store) WebhooksByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Webhook, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := s.webhooks(ctx, queuedTable("webhooks", webhookColumns).Where(goqu.C("id").In(idList(ids))))
	if err != nil {
		return nil, fmt.Errorf("load %d webhooks: %w", len(ids), err)
	}
	return found, nil
}

func (s *Store) webhooks(ctx context.Context, st *goqu.SelectDataset) ([]*monitor.Webhook, error) {
	found, err := query(ctx, s.db, st, scanWebhook)
	if err != nil {
		return nil, err
	}
	queues := make([]*monitor.DeliveryQueue, len(found))
	for i, w := range found {
		queues[i] = &w.Queue
	}
	return found, s.countWaiting(ctx, queues)
}

// WebhookSecrets gives the sealed secrets that sign now, the newest first.
func (s *Store) WebhookSecrets(ctx context.Context, id monitor.ID) ([][]byte, error) {
	st := dialect.From("webhooks").Select("secret", "previous_secret", "previous_until").Where(goqu.C("id").Eq(id[:]))
	secrets, _, err := one(ctx, s.db, st, func(r scanner) ([][]byte, error) {
		var secret, previous []byte
		var until time.Time
		if err := r.Scan(&secret, &previous, timeColumn{&until}); err != nil {
			return nil, err
		}
		if len(previous) == 0 || !s.now().Before(until) {
			return [][]byte{secret}, nil
		}
		return [][]byte{secret, previous}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("load secrets of webhook %s: %w", id, err)
	}
	return secrets, nil
}

// CreateWebhook stores a webhook whose first delivery tells of what comes behind
// from. seal is given the new id, which the secret is bound to.
func (s *Store) CreateWebhook(ctx context.Context, actor monitor.Actor, made monitor.Webhook, from monitor.Position, seal func(monitor.ID) ([]byte, error)) (*monitor.Webhook, error) {
	if err := made.Check(); err != nil {
		return nil, err
	}
	err := s.change(ctx, actor, monitor.ActionWebhookCreate, func(t *tx) error {
		// Two at once may both be the last: a bound against floods need not be exact.
		there, _, err := one(ctx, t, dialect.From("webhooks").Select(goqu.COUNT(goqu.Star())), scanInt)
		if err != nil {
			return err
		}
		if there >= monitor.MaxWebhooks {
			return monitor.Errorf(monitor.CodeConflict, "there are %d webhooks already", monitor.MaxWebhooks)
		}
		made.ID, made.Version, made.CreatedAt, made.UpdatedAt, made.SecretAt = monitor.NewID(t.now), 1, t.now, t.now, t.now
		made.Queue = monitor.DeliveryQueue{ID: made.ID, Kind: monitor.KindWebhook, Active: made.Enabled, Reached: from.Cursor()}
		sealed, err := seal(made.ID)
		if err != nil {
			return err
		}
		row := webhookRow(&made)
		row["secret"], row["secret_at"] = sealed, made.SecretAt
		if err := exec(ctx, t, dialect.Insert("webhooks").Rows(row)); err != nil {
			return err
		}
		if err := t.insertQueue(ctx, &made.Queue); err != nil {
			return err
		}
		return t.noteWebhook(t.action, made.ID, nil, &made)
	})
	if err != nil {
		return nil, fmt.Errorf("create webhook: %w", err)
	}
	return &made, nil
}

// UpdateWebhook changes a webhook as UpdateAlert does an alert. One that is switched
// on, or was paused and is changed by ActionWebhookResume, goes on where it stopped.
func (s *Store) UpdateWebhook(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, change func(*monitor.Webhook) error) (*monitor.Webhook, error) {
	return queuedWebhook.change(ctx, s, actor, action, id, expected, func(t *tx, next *monitor.Webhook) error {
		if err := change(next); err != nil {
			return err
		}
		if err := next.Check(); err != nil {
			return err
		}
		next.Version, next.UpdatedAt = next.Version+1, t.now
		row := webhookRow(next)
		delete(row, "id")
		if err := exec(ctx, t, dialect.Update("webhooks").Set(row).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		if action == monitor.ActionWebhookResume {
			next.Pause, next.PauseText = "", ""
			if err := t.resumeQueue(ctx, id); err != nil {
				return err
			}
		}
		return exec(ctx, t, dialect.Update("delivery_queues").Set(goqu.Record{"active": next.Enabled}).Where(goqu.C("id").Eq(id[:])))
	})
}

// RotateWebhookSecret replaces the secret; the one before signs too until then.
func (s *Store) RotateWebhookSecret(ctx context.Context, actor monitor.Actor, id monitor.ID, may func(*monitor.Webhook) error, sealed []byte, overlap time.Duration) (*monitor.Webhook, error) {
	return queuedWebhook.change(ctx, s, actor, monitor.ActionWebhookRotate, id, nil, func(t *tx, next *monitor.Webhook) error {
		if err := may(next); err != nil {
			return err
		}
		next.Version, next.UpdatedAt = next.Version+1, t.now
		next.SecretAt, next.PreviousUntil = t.now, t.now.Add(overlap)
		st := dialect.Update("webhooks").Where(goqu.C("id").Eq(id[:]))
		// Two statements: MySQL reads columns that it has set already.
		if err := exec(ctx, t, st.Set(goqu.Record{"previous_secret": goqu.C("secret"), "previous_until": next.PreviousUntil})); err != nil {
			return err
		}
		return exec(ctx, t, st.Set(goqu.Record{"secret": sealed, "secret_at": t.now, "version": next.Version, "updated_at": t.now}))
	})
}

// ReplayWebhook sends a webhook back (or on) to a position. What it had not sent yet
// of what comes behind that is made anew. One that stopped because its journal was
// gone goes on.
func (s *Store) ReplayWebhook(ctx context.Context, actor monitor.Actor, id monitor.ID, may func(*monitor.Webhook) error, to monitor.Position) (*monitor.Webhook, error) {
	return queuedWebhook.change(ctx, s, actor, monitor.ActionWebhookReplay, id, nil, func(t *tx, next *monitor.Webhook) error {
		if err := may(next); err != nil {
			return err
		}
		if err := exec(ctx, t, dialect.Update("delivery_queues").Set(goqu.Record{"reached": to.Cursor()}).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		if err := exec(ctx, t, dialect.Update("deliveries").Set(goqu.Record{"state": string(monitor.DeliveryCancelled), "done_at": t.now}).
			Where(goqu.C("queue_id").Eq(id[:]), goqu.C("state").Eq(string(monitor.DeliveryPending)), goqu.C("seq").Gt(to.Seq))); err != nil {
			return err
		}
		next.Version, next.UpdatedAt = next.Version+1, t.now
		next.Queue.Reached = to.Cursor()
		if next.Pause == monitor.PauseExpired {
			next.Pause, next.PauseText = "", ""
			if err := t.resumeQueue(ctx, id); err != nil {
				return err
			}
		}
		return exec(ctx, t, dialect.Update("webhooks").Set(goqu.Record{"version": next.Version, "updated_at": t.now}).Where(goqu.C("id").Eq(id[:])))
	})
}

// DeleteWebhook takes a webhook away, with its deliveries.
func (s *Store) DeleteWebhook(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, may func(*monitor.Webhook) error) error {
	return queuedWebhook.delete(ctx, s, actor, id, expected, may)
}

// Redeliver lets a delivery that is over be sent again, or one that waits be tried
// now, under the same idempotency key.
func (s *Store) Redeliver(ctx context.Context, actor monitor.Actor, id monitor.ID, may func(*monitor.Webhook) error) (*monitor.Delivery, error) {
	return queuedWebhook.again(ctx, s, actor, id, may)
}

// KeepTest keeps a test of a webhook, which was sent already, in its log.
func (s *Store) KeepTest(ctx context.Context, actor monitor.Actor, id monitor.ID, test *monitor.Delivery) error {
	return queuedWebhook.keepTest(ctx, s, actor, id, test)
}

var queuedWebhook = &queued[monitor.Webhook]{
	name: "webhook", table: "webhooks", load: (*tx).webhook, note: (*tx).noteWebhook, version: func(w *monitor.Webhook) int { return w.Version },
	remove: monitor.ActionWebhookDelete, redeliver: monitor.ActionWebhookRedeliver, test: monitor.ActionWebhookTest,
}

// webhook gives a webhook, locked with its queue.
func (t *tx) webhook(ctx context.Context, id monitor.ID) (*monitor.Webhook, error) {
	if err := t.lockQueue(ctx, id); err != nil {
		return nil, err
	}
	w, found, err := one(ctx, t, queuedTable("webhooks", webhookColumns).Where(goqu.C("id").Eq(id[:])), scanWebhook)
	if err == nil && !found {
		err = monitor.Errorf(monitor.CodeNotFound, "there is no such webhook")
	}
	return w, err
}

func (t *tx) noteWebhook(action string, id monitor.ID, was, next *monitor.Webhook) error {
	change, err := monitor.NewChange(monitor.KindWebhook, id, action, was, next)
	t.changes = append(t.changes, change)
	return err
}

func webhookRow(w *monitor.Webhook) goqu.Record {
	return goqu.Record{
		"id": append([]byte(nil), w.ID[:]...), "version": w.Version, "name": w.Name, "url": w.URL, "owner_id": append([]byte(nil), w.OwnerID[:]...),
		"role": string(w.Role), "document": w.Document, "variables": string(w.Variables), "concurrency": w.Concurrency, "enabled": w.Enabled,
		"created_at": w.CreatedAt, "updated_at": w.UpdatedAt,
	}
}

func scanWebhook(r scanner) (*monitor.Webhook, error) {
	w := &monitor.Webhook{}
	var variables []byte
	err := r.Scan(append([]any{
		idColumn{&w.ID},
		&w.Version, &w.Name, &w.URL,
		idColumn{&w.OwnerID},
		&w.Role, &w.Document, &variables, &w.Concurrency, &w.Enabled,
		timeColumn{&w.SecretAt},
		timeColumn{&w.PreviousUntil},
		timeColumn{&w.CreatedAt},
		timeColumn{&w.UpdatedAt},
	}, queueFields(&w.Queue)...)...)
	w.Variables, w.Pause, w.PauseText = variables, w.Queue.Pause, w.Queue.PauseText
	return w, err
}
