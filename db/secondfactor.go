package db

import (
	"bytes"
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// SecondFactor gives what a user's one-time passwords are checked with.
func (s *Store) SecondFactor(ctx context.Context, user monitor.ID) (*monitor.SecondFactor, bool, error) {
	st := dialect.From("second_factors").Select("secret", goqu.L("confirmed_at IS NOT NULL"), "last_step").Where(goqu.C("user_id").Eq(user[:]))
	factor, found, err := one(ctx, s.db, st, func(r scanner) (*monitor.SecondFactor, error) {
		f := &monitor.SecondFactor{}
		return f, r.Scan(&f.Sealed, &f.Confirmed, &f.LastStep)
	})
	if err != nil {
		return nil, false, fmt.Errorf("load second factor of user %s: %w", user, err)
	}
	return factor, found, nil
}

// EnrolSecondFactor keeps a sealed secret that counts when it is confirmed. It
// replaces one that is not; CONFLICT where one is confirmed. There is nothing for
// the journal yet.
func (s *Store) EnrolSecondFactor(ctx context.Context, user monitor.ID, sealed []byte) error {
	return s.change(ctx, monitor.SystemActor, monitor.ActionUserFactor, func(t *tx) error {
		st := dialect.From("second_factors").Select(goqu.L("confirmed_at IS NOT NULL")).Where(goqu.C("user_id").Eq(user[:])).ForUpdate(goqu.Wait)
		confirmed, found, err := one(ctx, t, st, func(r scanner) (yes bool, err error) { return yes, r.Scan(&yes) })
		if err != nil {
			return err
		}
		if confirmed {
			return monitor.Errorf(monitor.CodeConflict, "there is a second factor already; remove it first")
		}
		if found {
			return exec(ctx, t, dialect.Update("second_factors").Set(goqu.Record{"secret": sealed, "last_step": 0}).Where(goqu.C("user_id").Eq(user[:])))
		}
		err = exec(ctx, t, dialect.Insert("second_factors").Rows(goqu.Record{"user_id": user[:], "secret": sealed, "last_step": 0, "recovery": "[]"}))
		if isDuplicate(err) {
			err = monitor.Errorf(monitor.CodeConflict, "somebody enrols just now; try again")
		}
		return err
	})
}

// ConfirmSecondFactor makes it count from now on, with the hashes of recovery codes.
func (s *Store) ConfirmSecondFactor(ctx context.Context, actor monitor.Actor, user monitor.ID, step int64, recovery [][]byte) error {
	_, err := s.changeUser(ctx, actor, monitor.ActionUserFactor, user, nil, func(t *tx, u *monitor.User) error {
		if u.SecondFactor {
			return monitor.Errorf(monitor.CodeConflict, "there is a second factor already")
		}
		u.SecondFactor = true
		set := goqu.Record{"confirmed_at": t.now, "last_step": step, "recovery": jsonColumn{recovery}}
		return exec(ctx, t, dialect.Update("second_factors").Set(set).Where(goqu.C("user_id").Eq(user[:])))
	})
	return err
}

// TakeStep notes that the code of a time step was used. It is false when that
// one's, or a later one's, was used already.
func (s *Store) TakeStep(ctx context.Context, user monitor.ID, step int64) (taken bool, err error) {
	err = s.change(ctx, monitor.SystemActor, monitor.ActionUserFactor, func(t *tx) error {
		last, found, err := one(ctx, t, dialect.From("second_factors").Select("last_step").Where(goqu.C("user_id").Eq(user[:])).ForUpdate(goqu.Wait),
			func(r scanner) (n int64, err error) { return n, r.Scan(&n) })
		if taken = err == nil && found && last < step; !taken {
			return err
		}
		return exec(ctx, t, dialect.Update("second_factors").Set(goqu.Record{"last_step": step}).Where(goqu.C("user_id").Eq(user[:])))
	})
	return taken, err
}

// TakeRecovery uses a recovery code up. It is false when there is none (any more)
// with that hash. That one was used stands in the journal.
func (s *Store) TakeRecovery(ctx context.Context, actor monitor.Actor, user monitor.ID, hash []byte) (taken bool, err error) {
	err = s.change(ctx, actor, monitor.ActionUserRecovery, func(t *tx) error {
		taken = false
		var left, kept [][]byte
		_, found, err := one(ctx, t, dialect.From("second_factors").Select("recovery").Where(goqu.C("user_id").Eq(user[:])).ForUpdate(goqu.Wait),
			func(r scanner) (none struct{}, err error) { return none, r.Scan(jsonColumn{&left}) })
		if err != nil || !found {
			return err
		}
		for _, h := range left {
			if bytes.Equal(h, hash) {
				taken = true
			} else {
				kept = append(kept, h)
			}
		}
		if !taken {
			return nil
		}
		u, _, err := one(ctx, t, dialect.From("users").Select(columnList(userColumns)...).Where(goqu.C("id").Eq(user[:])), scanUser)
		if err != nil {
			return err
		}
		noted, err := monitor.NewChange(monitor.KindUser, user, monitor.ActionUserRecovery, u, u)
		if err != nil {
			return err
		}
		t.changes = append(t.changes, noted)
		return exec(ctx, t, dialect.Update("second_factors").Set(goqu.Record{"recovery": jsonColumn{kept}}).Where(goqu.C("user_id").Eq(user[:])))
	})
	return taken, err
}

// RemoveSecondFactor lets a user log in with the password alone again.
func (s *Store) RemoveSecondFactor(ctx context.Context, actor monitor.Actor, user monitor.ID) error {
	_, err := s.changeUser(ctx, actor, monitor.ActionUserFactor, user, nil, func(t *tx, u *monitor.User) error {
		if !u.SecondFactor {
			return monitor.Errorf(monitor.CodeConflict, "there is no second factor")
		}
		u.SecondFactor = false
		return exec(ctx, t, dialect.Delete("second_factors").Where(goqu.C("user_id").Eq(user[:])))
	})
	return err
}

// SealedSecrets gives up to limit secrets of second factors, sealed, of users behind
// after, in order.
func (s *Store) SealedSecrets(ctx context.Context, after monitor.ID, limit int) ([]monitor.SealedSecret, error) {
	st := dialect.From("second_factors").Select("user_id", "secret").Where(goqu.C("user_id").Gt(after[:])).
		Order(goqu.C("user_id").Asc()).Limit(uint(limit)) //nolint:gosec // a small constant of the caller's
	secrets, err := query(ctx, s.db, st, func(r scanner) (x monitor.SealedSecret, err error) {
		return x, r.Scan(idColumn{&x.User}, &x.Sealed)
	})
	if err != nil {
		return nil, fmt.Errorf("read sealed secrets: %w", err)
	}
	return secrets, nil
}

// ReplaceSealed puts a secret that was sealed anew in the place of the old one; one
// that was replaced meanwhile stays. Nobody's account changes by it: the journal has
// nothing to say.
func (s *Store) ReplaceSealed(ctx context.Context, user monitor.ID, old, sealed []byte) error {
	return s.change(ctx, monitor.SystemActor, monitor.ActionUserFactor, func(t *tx) error {
		return exec(ctx, t, dialect.Update("second_factors").Set(goqu.Record{"secret": sealed}).Where(goqu.C("user_id").Eq(user[:]), goqu.C("secret").Eq(old)))
	})
}
