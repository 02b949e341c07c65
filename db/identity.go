package db

import (
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// UserByIdentity gives the user who is that subject of an issuer.
func (s *Store) UserByIdentity(ctx context.Context, issuer, subject string) (*monitor.User, bool, error) {
	st := dialect.From(goqu.T("user_identities").As("i")).Join(goqu.T("users").As("u"), goqu.On(goqu.I("u.id").Eq(goqu.I("i.user_id")))).
		Select(prefixed("u", userColumns)...).Where(goqu.I("i.issuer").Eq(issuer), goqu.I("i.subject").Eq(subject))
	user, found, err := one(ctx, s.db, st, scanUser)
	if err != nil {
		return nil, false, fmt.Errorf("load user by identity: %w", err)
	}
	return user, found, nil
}

// CreateIdentity stores a new user without a password who is that subject of an
// issuer. A name that is taken is a CONFLICT: nobody becomes somebody who is there.
func (s *Store) CreateIdentity(ctx context.Context, u monitor.User, issuer, subject string) (*monitor.User, error) {
	return s.createUser(ctx, monitor.SystemActor, u, "", func(t *tx, id monitor.ID) error {
		return exec(ctx, t, dialect.Insert("user_identities").Rows(goqu.Record{"issuer": issuer, "subject": subject, "user_id": id[:], "created_at": t.now}))
	})
}
