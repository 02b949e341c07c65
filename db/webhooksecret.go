package db

import (
	"bytes"
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// SealedWebhooks are the sealed secrets of webhooks, to be sealed anew.
type SealedWebhooks struct{ store *Store }

// SealedWebhooks gives them.
func (s *Store) SealedWebhooks() SealedWebhooks { return SealedWebhooks{s} }

// SealedSecrets gives the secrets of up to limit webhooks behind after, in order:
// up to two of each, with the webhook's id in the place of a user's.
func (w SealedWebhooks) SealedSecrets(ctx context.Context, after monitor.ID, limit int) ([]monitor.SealedSecret, error) {
	st := dialect.From("webhooks").Select("id", "secret", "previous_secret").Where(goqu.C("id").Gt(after[:])).
		Order(goqu.C("id").Asc()).Limit(uint(limit)) //nolint:gosec // a small constant of the caller's
	rows, err := query(ctx, w.store.db, st, func(r scanner) ([]monitor.SealedSecret, error) {
		var id monitor.ID
		var secret, previous []byte
		if err := r.Scan(idColumn{&id}, &secret, &previous); err != nil {
			return nil, err
		}
		both := []monitor.SealedSecret{{User: id, Sealed: secret}}
		if len(previous) > 0 {
			both = append(both, monitor.SealedSecret{User: id, Sealed: previous})
		}
		return both, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read sealed secrets of webhooks: %w", err)
	}
	var all []monitor.SealedSecret
	for _, both := range rows {
		all = append(all, both...)
	}
	return all, nil
}

// ReplaceSealed puts a secret that was sealed anew in the place of the old one; one
// that was replaced meanwhile stays. What signs does not change by it: the journal has
// nothing to say.
func (w SealedWebhooks) ReplaceSealed(ctx context.Context, id monitor.ID, old, sealed []byte) error {
	return w.store.change(ctx, monitor.SystemActor, monitor.ActionWebhookRotate, func(t *tx) error {
		for _, column := range []string{"secret", "previous_secret"} {
			st := dialect.Update("webhooks").Set(goqu.Record{column: bytes.Clone(sealed)}).Where(goqu.C("id").Eq(id[:]), goqu.C(column).Eq(old))
			if err := exec(ctx, t, st); err != nil {
				return err
			}
		}
		return nil
	})
}
