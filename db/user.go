package db

import (
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var userColumns = []string{"id", "name", "display_name", "role", "disabled", "created_at"}

// CreateUser stores a new user with the hash of a password. A name that is taken
// is a CONFLICT.
func (s *Store) CreateUser(ctx context.Context, actor monitor.Actor, u monitor.User, passwordHash string) (*monitor.User, error) {
	err := s.change(ctx, actor, monitor.ActionUserCreate, func(t *tx) error {
		u.ID, u.CreatedAt = monitor.NewID(t.now), t.now
		row := goqu.Record{
			"id": u.ID[:], "name": u.Name, "display_name": u.DisplayName, "role": string(u.Role),
			"password_hash": passwordHash, "disabled": u.Disabled, "created_at": u.CreatedAt,
		}
		err := exec(ctx, t, dialect.Insert("users").Rows(row))
		if isDuplicate(err) {
			return monitor.Errorf(monitor.CodeConflict, "there is a user %q already", u.Name)
		}
		if err != nil {
			return err
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

// SetPassword replaces the hash of a user's password and ends all sessions of theirs.
func (s *Store) SetPassword(ctx context.Context, actor monitor.Actor, id monitor.ID, passwordHash string) error {
	err := s.change(ctx, actor, monitor.ActionUserPassword, func(t *tx) error {
		user, found, err := one(ctx, t, dialect.From("users").Select(columnList(userColumns)...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait), scanUser)
		if err != nil {
			return err
		}
		if !found {
			return monitor.Errorf(monitor.CodeNotFound, "there is no such user")
		}
		if err := exec(ctx, t, dialect.Update("users").Set(goqu.Record{"password_hash": passwordHash}).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		revoke := dialect.Update("sessions").Set(goqu.Record{"revoked_at": t.now}).Where(goqu.C("user_id").Eq(id[:]), goqu.C("revoked_at").IsNull())
		if err := exec(ctx, t, revoke); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindUser, id, monitor.ActionUserPassword, user, user)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return fmt.Errorf("set password of user %s: %w", id, err)
	}
	return nil
}

// UpdateUser changes a user's role or shuts them out or in again; their live
// connections end with it.
func (s *Store) UpdateUser(ctx context.Context, actor monitor.Actor, id monitor.ID, change func(*monitor.User)) (*monitor.User, error) {
	var user *monitor.User
	err := s.change(ctx, actor, monitor.ActionUserUpdate, func(t *tx) error {
		was, found, err := one(ctx, t, dialect.From("users").Select(columnList(userColumns)...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait), scanUser)
		if err != nil {
			return err
		}
		if !found {
			return monitor.Errorf(monitor.CodeNotFound, "there is no such user")
		}
		is := *was
		change(&is)
		user = &is
		set := goqu.Record{"display_name": is.DisplayName, "role": string(is.Role), "disabled": is.Disabled}
		if err := exec(ctx, t, dialect.Update("users").Set(set).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		noted, err := monitor.NewChange(monitor.KindUser, id, monitor.ActionUserUpdate, was, user)
		t.changes = append(t.changes, noted)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("update user %s: %w", id, err)
	}
	return user, nil
}

// Login gives the user of a name and the hash of the password; found is false
// when there is none. Names are compared in lower case.
func (s *Store) Login(ctx context.Context, name string) (u *monitor.User, passwordHash string, found bool, err error) {
	st := dialect.From("users").Select(append(columnList(userColumns), "password_hash")...).Where(goqu.C("name").Eq(monitor.Fold(name)))
	u, found, err = one(ctx, s.db, st, func(r scanner) (*monitor.User, error) {
		u := &monitor.User{}
		return u, r.Scan(idColumn{&u.ID}, &u.Name, &u.DisplayName, &u.Role, &u.Disabled, timeColumn{&u.CreatedAt}, &passwordHash)
	})
	if err != nil {
		return nil, "", false, fmt.Errorf("load user by name: %w", err)
	}
	return u, passwordHash, found, nil
}

// UsersByID gives the users with those ids, in no order; missing ones are left out.
func (s *Store) UsersByID(ctx context.Context, ids []monitor.ID) ([]*monitor.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	users, err := query(ctx, s.db, dialect.From("users").Select(columnList(userColumns)...).Where(goqu.C("id").In(idList(ids))), scanUser)
	if err != nil {
		return nil, fmt.Errorf("load %d users: %w", len(ids), err)
	}
	return users, nil
}

// Users gives one page of the users that are not disabled by name.
func (s *Store) Users(ctx context.Context, args page.Args) (*monitor.UserConnection, error) {
	st := dialect.From("users").Select(columnList(userColumns)...).Where(goqu.C("disabled").Eq(0)).
		Order(goqu.C("name").Asc()).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
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
	return u, r.Scan(idColumn{&u.ID}, &u.Name, &u.DisplayName, &u.Role, &u.Disabled, timeColumn{&u.CreatedAt})
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
