package db

import (
	"bytes"
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// SealedColumn is a column of sealed secrets, each bound to its row's id. They are
// sealed anew when the keys change; what they open to does not change by it, so that
// the journal has nothing to say.
type SealedColumn struct {
	store         *Store
	table, column string
	action        string
}

// SealedColumns gives all but those of users, which Store has itself.
func (s *Store) SealedColumns() []SealedColumn {
	return []SealedColumn{
		{s, "webhooks", "secret", monitor.ActionWebhookRotate},
		{s, "webhooks", "previous_secret", monitor.ActionWebhookRotate},
		{s, "mappings", "secret", monitor.ActionMappingUpdate},
		{s, "channels", "secret", monitor.ActionChannelUpdate},
	}
}

// SealedSecrets gives up to limit secrets of the rows behind after, in order, with the
// row's id in the place of a user's.
func (c SealedColumn) SealedSecrets(ctx context.Context, after monitor.ID, limit int) ([]monitor.SealedSecret, error) {
	st := dialect.From(c.table).Select("id", c.column).Where(goqu.C("id").Gt(after[:]), goqu.C(c.column).IsNotNull()).
		Order(goqu.C("id").Asc()).Limit(uint(limit)) //nolint:gosec // a small constant of the caller's
	all, err := query(ctx, c.store.db, st, func(r scanner) (s monitor.SealedSecret, err error) {
		return s, r.Scan(idColumn{&s.User}, &s.Sealed)
	})
	if err != nil {
		return nil, fmt.Errorf("read sealed secrets of %s: %w", c.table, err)
	}
	return all, nil
}

// ReplaceSealed puts a secret that was sealed anew in the place of the old one; one
// that was replaced meanwhile stays.
func (c SealedColumn) ReplaceSealed(ctx context.Context, id monitor.ID, old, sealed []byte) error {
	return c.store.change(ctx, monitor.SystemActor, c.action, func(t *tx) error {
		st := dialect.Update(c.table).Set(goqu.Record{c.column: bytes.Clone(sealed)}).Where(goqu.C("id").Eq(id[:]), goqu.C(c.column).Eq(old))
		return exec(ctx, t, st)
	})
}
