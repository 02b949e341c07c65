package db

import (
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var userColumns = []string{"id", "version", "name", "display_name", "role", "disabled", "second_factor", "created_at", "updated_at"}

// CreateUser stores a new user with the hash of a password. A name that is taken
// is a CONFLICT.
func (s *Store) CreateUser(ctx context.Context, actor monitor.Actor, u monitor.User, passwordHash string) (*monitor.User, error) {
	return s.createUser(ctx, actor, u, passwordHash, nil)
}

// createUser stores a user; also, where not nil, does what belongs to it in the same
// transaction.
func (s *Store) createUser(ctx context.Context, actor monitor.Actor, u monitor.User, passwordHash string, also func(*tx, monitor.ID) error) (*monitor.User, error) {
	err := s.change(ctx, actor, monitor.ActionUserCreate, func(t *tx) error {
		u.ID, u.Version, u.CreatedAt, u.UpdatedAt = monitor.NewID(t.now), 1, t.now, t.now
		row := goqu.Record{
			"id": u.ID[:], "name": u.Name, "display_name": u.DisplayName, "role": string(u.Role),
			"password_hash": passwordHash, "disabled": u.Disabled, "created_at": u.CreatedAt, "updated_at": u.UpdatedAt,
		}
		err := exec(ctx, t, dialect.Insert("users").Rows(row))
		if isDuplicate(err) {
			return monitor.Errorf(monitor.CodeConflict, "there is a user %q already", u.Name)
		}
		if err != nil {
			return err
		}
		if also != nil {
			if err := also(t, u.ID); err != nil {
				return err
			}
		}
		change, err := monitor.NewChange(monitor.KindUser, u.ID, monitor.ActionUserCreate, nil, &u)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create user: %w", err)
	}
	return &u, nil
}

// SetPassword replaces the hash of a user's password and ends all sessions of
// theirs but keep, which may be zero.
func (s *Store) SetPassword(ctx context.Context, actor monitor.Actor, id monitor.ID, passwordHash string, keep monitor.ID) error {
	_, err := s.changeUser(ctx, actor, monitor.ActionUserPassword, id, nil, func(t *tx, _ *monitor.User) error {
		if err := exec(ctx, t, dialect.Update("users").Set(goqu.Record{"password_hash": passwordHash}).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		return t.revokeSessions(ctx, id, keep)
	})
	if err != nil {
		return fmt.Errorf("set password of user %s: %w", id, err)
	}
	return nil
}

// UpdateUser changes a user's display name or role, or shuts them out or in again;
// their sessions and tokens lose at once what the user loses. With an expected
// version that is not the present one the error is a CONFLICT, and the user is
// given as it is. The last administrator stays one: CONFLICT.
func (s *Store) UpdateUser(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.User)) (*monitor.User, error) {
	user, err := s.changeUser(ctx, actor, monitor.ActionUserUpdate, id, expected, func(_ *tx, u *monitor.User) error {
		change(u)
		return u.Check()
	})
	if err != nil {
		return user, fmt.Errorf("update user %s: %w", id, err)
	}
	return user, nil
}

func (s *Store) changeUser(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, fn func(*tx, *monitor.User) error) (*monitor.User, error) {
	var now *monitor.User
	err := s.change(ctx, actor, action, func(t *tx) error {
		// All administrators are locked, in one order: two who take the role from one
		// another must not both succeed.
		admins, err := query(ctx, t, dialect.From("users").Select("id").
			Where(goqu.C("role").Eq(string(monitor.RoleAdmin)), goqu.C("disabled").Eq(0)).Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait), scanID)
		if err != nil {
			return err
		}
		was, found, err := one(ctx, t, dialect.From("users").Select(columnList(userColumns)...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait), scanUser)
		if err != nil {
			return err
		}
		if !found {
			return monitor.Errorf(monitor.CodeNotFound, "there is no such user")
		}
		now = was
		if expected != nil && *expected != was.Version {
			return monitor.Errorf(monitor.CodeConflict, "the user has changed since: it is at version %d, not %d", was.Version, *expected)
		}
		is := *was
		if err := fn(t, &is); err != nil {
			return err
		}
		rules := func(u *monitor.User) bool { return u.Role == monitor.RoleAdmin && !u.Disabled }
		if rules(was) && !rules(&is) && len(admins) == 1 {
			return monitor.Errorf(monitor.CodeConflict, "this is the last administrator; make another one first")
		}
		is.Version, is.UpdatedAt = was.Version+1, t.now
		set := goqu.Record{
			"version": is.Version, "display_name": is.DisplayName, "role": string(is.Role), "disabled": is.Disabled,
			"second_factor": is.SecondFactor, "updated_at": is.UpdatedAt,
		}
		if err := exec(ctx, t, dialect.Update("users").Set(set).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		now = &is
		noted, err := monitor.NewChange(monitor.KindUser, id, action, was, now)
		t.changes = append(t.changes, noted)
		return err
	})
	return now, err
}

// Login gives the user of a name and the hash of the password; found is false
// when there is none. Names are compared in lower case.
func (s *Store) Login(ctx context.Context, name string) (u *monitor.User, passwordHash string, found bool, err error) {
	st := dialect.From("users").Select(append(columnList(userColumns), "password_hash")...).Where(goqu.C("name").Eq(monitor.Fold(name)))
	u, found, err = one(ctx, s.db, st, func(r scanner) (*monitor.User, error) {
		u := &monitor.User{}
		return u, r.Scan(append(userFields(u), &passwordHash)...)
	})
	if err != nil {
		return nil, "", false, fmt.Errorf("load user by name: %w", err)
	}
	return u, passwordHash, found, nil
}

// UsersByID gives the users with those ids, in no order; missing ones are left out.
func (s *Store) UsersByID(ctx context.Context, ids []monitor.ID) ([]*monitor.User, error) {
	return byIDs(ctx, s.db, "users", userColumns, ids, scanUser)
}

// Users gives one page of the users by name, of those who are shut out only
// where that is asked for.
func (s *Store) Users(ctx context.Context, disabledToo bool, args page.Args) (*monitor.UserConnection, error) {
	st := dialect.From("users").Select(columnList(userColumns)...).Order(goqu.C("name").Asc()).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if !disabledToo {
		st = st.Where(goqu.C("disabled").Eq(0))
	}
	if args.After != "" {
		var name string
		if err := page.DecodeCursor(args.After, &name); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(goqu.C("name").Gt(name))
	}
	users, err := query(ctx, s.db, st, scanUser)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return page.Build(users, args, func(u *monitor.User) string { return page.EncodeCursor(u.Name) }), nil
}

// CountUsers counts all users: none means that the installation is new.
func (s *Store) CountUsers(ctx context.Context) (int, error) {
	n, _, err := one(ctx, s.db, dialect.From("users").Select(goqu.COUNT(goqu.Star())), scanInt)
	return n, err
}

func scanUser(r scanner) (*monitor.User, error) {
	u := &monitor.User{}
	return u, r.Scan(userFields(u)...)
}

// userFields are where userColumns go.
func userFields(u *monitor.User) []any {
	return []any{idColumn{&u.ID}, &u.Version, &u.Name, &u.DisplayName, &u.Role, &u.Disabled, &u.SecondFactor, timeColumn{&u.CreatedAt}, timeColumn{&u.UpdatedAt}}
}

// UsersByName gives the users with those names, in no order; missing ones are left out.
func (s *Store) UsersByName(ctx context.Context, names []string) ([]*monitor.User, error) {
	if len(names) == 0 {
		return nil, nil
	}
	users, err := query(ctx, s.db, dialect.From("users").Select(columnList(userColumns)...).Where(goqu.C("name").In(names)), scanUser)
	if err != nil {
		return nil, fmt.Errorf("load %d users by name: %w", len(names), err)
	}
	return users, nil
}
