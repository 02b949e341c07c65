package db

import (
	"bytes"
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// SealedMappings are the sealed secrets of mappings' webhooks, to be sealed anew.
type SealedMappings struct{ store *Store }

// SealedMappings gives them.
func (s *Store) SealedMappings() SealedMappings { return SealedMappings{s} }

// SealedSecrets gives the secrets of up to limit mappings behind after, in order, with
// the mapping's id in the place of a user's.
func (m SealedMappings) SealedSecrets(ctx context.Context, after monitor.ID, limit int) ([]monitor.SealedSecret, error) {
	st := dialect.From("mappings").Select("id", "secret").Where(goqu.C("id").Gt(after[:]), goqu.C("secret").IsNotNull()).
		Order(goqu.C("id").Asc()).Limit(uint(limit)) //nolint:gosec // a small constant of the caller's
	all, err := query(ctx, m.store.db, st, func(r scanner) (s monitor.SealedSecret, err error) {
		err = r.Scan(idColumn{&s.User}, &s.Sealed)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("read sealed secrets of mappings: %w", err)
	}
	return all, nil
}

// ReplaceSealed puts a secret that was sealed anew in the place of the old one; one
// that was replaced meanwhile stays. What is signed does not change by it: the journal
// has nothing to say.
func (m SealedMappings) ReplaceSealed(ctx context.Context, id monitor.ID, old, sealed []byte) error {
	return m.store.change(ctx, monitor.SystemActor, monitor.ActionMappingUpdate, func(t *tx) error {
		return exec(ctx, t, dialect.Update("mappings").Set(goqu.Record{"secret": bytes.Clone(sealed)}).Where(goqu.C("id").Eq(id[:]), goqu.C("secret").Eq(old)))
	})
}
