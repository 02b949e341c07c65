package db

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var sessionColumns = []string{"id", "user_id", "created_at", "expires_at", "revoked_at", "address", "agent", "ends_at", "rotated_at"}

// rotationGrace is how long the refresh token before the present one is still
// taken: an answer may get lost on its way, and two tabs may ask at once.
const rotationGrace = 10 * time.Second

// CreateSession begins a session of a user with the hash of its first refresh
// token; of wanted the address, the browser and its end, if it has one, are taken.
func (s *Store) CreateSession(ctx context.Context, user *monitor.User, secretHash [32]byte, lifetime time.Duration, wanted monitor.Session) (*monitor.Session, error) {
	session := &monitor.Session{UserID: user.ID, Address: clip(wanted.Address, 64), Agent: clip(wanted.Agent, 256), EndsAt: wanted.EndsAt}
	actor := monitor.Actor{Kind: monitor.ActorUser, ID: user.ID, Name: user.Name}
	err := s.change(ctx, actor, monitor.ActionSessionLogin, func(t *tx) error {
		session.ID, session.CreatedAt, session.ExpiresAt = monitor.NewID(t.now), t.now, session.Until(t.now.Add(lifetime))
		row := goqu.Record{
			"id": session.ID[:], "user_id": user.ID[:], "secret_hash": secretHash[:], "previous_hash": make([]byte, 32),
			"created_at": t.now, "rotated_at": t.now, "expires_at": session.ExpiresAt, "address": session.Address, "agent": session.Agent,
			"ends_at": nullTime(session.EndsAt),
		}
		if err := exec(ctx, t, dialect.Insert("sessions").Rows(row)); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindSession, session.ID, monitor.ActionSessionLogin, nil, session)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create session: %w", err)
	}
	return session, nil
}

// RotateSession replaces a session's refresh token: presented is the hash of the
// one the client has, next the hash of the one it gets. A token that was rotated
// away before is a sign of theft: the session is revoked, and the error has code
// UNAUTHENTICATED like that of every other refusal.
//
// Rotation leaves no journal entry: it changes nothing that anybody sees.
func (s *Store) RotateSession(ctx context.Context, id monitor.ID, presented, next [32]byte, lifetime time.Duration) (*monitor.Session, *monitor.User, error) {
	var session *monitor.Session
	var user *monitor.User
	var refused error
	err := s.change(ctx, monitor.SystemActor, monitor.ActionSessionRevoke, func(t *tx) (err error) {
		refused = nil
		var hash, previous []byte
		st := dialect.From("sessions").Select(append(columnList(sessionColumns), "secret_hash", "previous_hash")...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait)
		var found bool
		if session, found, err = one(ctx, t, st, func(r scanner) (*monitor.Session, error) {
			session := &monitor.Session{}
			return session, r.Scan(append(sessionFields(session), &hash, &previous)...)
		}); err != nil {
			return err
		}
		if !found || !session.RevokedAt.IsZero() || !t.now.Before(session.ExpiresAt) {
			refused = errSessionOver
			return nil
		}
		current := bytes.Equal(hash, presented[:])
		late := bytes.Equal(previous, presented[:]) && t.now.Sub(session.RefreshedAt) <= rotationGrace
		if !current && !late {
			refused = errSessionOver
			return t.revokeSession(ctx, session)
		}
		if user, err = t.userOf(ctx, session); err != nil {
			return err
		}
		session.ExpiresAt = session.Until(t.now.Add(lifetime))
		return t.rotate(ctx, session, hash, next)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return nil, nil, fmt.Errorf("rotate session %s: %w", id, err)
	}
	return session, user, nil
}

var errSessionOver = monitor.Errorf(monitor.CodeUnauthenticated, "the session is over; log in again")

// rotate makes next the present token and keeps the one before for the grace.
func (t *tx) rotate(ctx context.Context, session *monitor.Session, current []byte, next [32]byte) error {
	set := goqu.Record{"secret_hash": next[:], "previous_hash": current, "rotated_at": t.now, "expires_at": session.ExpiresAt}
	err := exec(ctx, t, dialect.Update("sessions").Set(set).Where(goqu.C("id").Eq(session.ID[:])))
	return err
}

func (t *tx) userOf(ctx context.Context, session *monitor.Session) (*monitor.User, error) {
	user, found, err := one(ctx, t, dialect.From("users").Select(columnList(userColumns)...).Where(goqu.C("id").Eq(session.UserID[:])), scanUser)
	if err != nil {
		return nil, err
	}
	if !found || user.Disabled {
		return nil, errSessionOver
	}
	return user, nil
}

// RevokeSession ends a session at once. One that is over already is no error.
func (s *Store) RevokeSession(ctx context.Context, actor monitor.Actor, id monitor.ID) error {
	return s.change(ctx, actor, monitor.ActionSessionRevoke, func(t *tx) error {
		session, found, err := one(ctx, t, dialect.From("sessions").Select(columnList(sessionColumns)...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait), scanSession)
		if err != nil || !found || !session.RevokedAt.IsZero() {
			return err
		}
		return t.revokeSession(ctx, session)
	})
}

func (t *tx) revokeSession(ctx context.Context, session *monitor.Session) error {
	was := *session
	session.RevokedAt = t.now
	if err := exec(ctx, t, dialect.Update("sessions").Set(goqu.Record{"revoked_at": t.now}).Where(goqu.C("id").Eq(session.ID[:]))); err != nil {
		return err
	}
	change, err := monitor.NewChange(monitor.KindSession, session.ID, monitor.ActionSessionRevoke, &was, session)
	t.changes = append(t.changes, change)
	return err
}

// LiveSession gives a session that is neither over nor revoked, with its user,
// who is not disabled; found is false otherwise.
func (s *Store) LiveSession(ctx context.Context, id monitor.ID) (*monitor.Session, *monitor.User, bool, error) {
	names := append(prefixed("s", sessionColumns), prefixed("u", userColumns)...)
	st := dialect.From(goqu.T("sessions").As("s")).Join(goqu.T("users").As("u"), goqu.On(goqu.I("u.id").Eq(goqu.I("s.user_id")))).Select(names...).
		Where(goqu.I("s.id").Eq(id[:]), goqu.I("s.revoked_at").IsNull(), goqu.I("s.expires_at").Gt(s.now()), goqu.I("u.disabled").Eq(0))
	user := &monitor.User{}
	session, found, err := one(ctx, s.db, st, func(r scanner) (*monitor.Session, error) {
		session := &monitor.Session{}
		return session, r.Scan(append(sessionFields(session), userFields(user)...)...)
	})
	if err != nil {
		return nil, nil, false, fmt.Errorf("load session %s: %w", id, err)
	}
	return session, user, found, nil
}

func scanSession(r scanner) (*monitor.Session, error) {
	s := &monitor.Session{}
	return s, r.Scan(sessionFields(s)...)
}

// sessionFields are where sessionColumns go.
func sessionFields(s *monitor.Session) []any {
	return []any{
		idColumn{&s.ID},
		idColumn{&s.UserID},
		timeColumn{&s.CreatedAt},
		timeColumn{&s.ExpiresAt},
		timeColumn{&s.RevokedAt},
		&s.Address, &s.Agent,
		timeColumn{&s.EndsAt},
		timeColumn{&s.RefreshedAt},
	}
}

// prefixed names columns of a table in a join.
func prefixed(table string, columns []string) []any {
	out := make([]any, len(columns))
	for i, c := range columns {
		out[i] = goqu.T(table).Col(c)
	}
	return out
}

// clip cuts a text to so many characters; what is not UTF-8 is replaced.
func clip(text string, most int) string {
	runes := []rune(strings.ToValidUTF8(text, "\uFFFD"))
	return string(runes[:min(len(runes), most)])
}

// Sessions gives one page of the sessions that are neither over nor revoked, the
// newest first: of one user, or of all where user is nil.
func (s *Store) Sessions(ctx context.Context, user *monitor.ID, args page.Args) (*monitor.SessionConnection, error) {
	st := dialect.From("sessions").Select(columnList(sessionColumns)...).Where(goqu.C("revoked_at").IsNull(), goqu.C("expires_at").Gt(s.now()))
	if user != nil {
		st = st.Where(goqu.C("user_id").Eq(user[:]))
	}
	st, err := newestFirst(st, args)
	if err != nil {
		return nil, err
	}
	sessions, err := query(ctx, s.db, st, scanSession)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return page.Build(sessions, args, func(s *monitor.Session) string { return page.EncodeCursor(s.CreatedAt, s.ID) }), nil
}

// RevokeSessions ends all sessions of a user but keep, which may be zero.
func (s *Store) RevokeSessions(ctx context.Context, actor monitor.Actor, user, keep monitor.ID) error {
	return s.change(ctx, actor, monitor.ActionSessionRevoke, func(t *tx) error { return t.revokeSessions(ctx, user, keep) })
}

func (t *tx) revokeSessions(ctx context.Context, user, keep monitor.ID) error {
	alive, err := query(ctx, t, dialect.From("sessions").Select(columnList(sessionColumns)...).
		Where(goqu.C("user_id").Eq(user[:]), goqu.C("revoked_at").IsNull(), goqu.C("expires_at").Gt(t.now)).Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait), scanSession)
	if err != nil {
		return err
	}
	for _, session := range alive {
		if session.ID == keep {
			continue
		}
		if err := t.revokeSession(ctx, session); err != nil {
			return err
		}
	}
	return nil
}

// SessionByID gives a session whether it lives or not.
func (s *Store) SessionByID(ctx context.Context, id monitor.ID) (*monitor.Session, bool, error) {
	return one(ctx, s.db, dialect.From("sessions").Select(columnList(sessionColumns)...).Where(goqu.C("id").Eq(id[:])), scanSession)
}
