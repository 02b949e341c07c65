package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var tokenColumns = []string{"id", "name", "scopes", "owner_id", "created_at", "expires_at", "last_used_at"}

// lastUsedStep is how exact the last-used time of a token is: a busy token
// writes no more often than that.
const lastUsedStep = time.Minute

// CreateToken stores a new API token by the hash of its secret.
func (s *Store) CreateToken(ctx context.Context, actor monitor.Actor, token monitor.APIToken, secretHash [32]byte) (*monitor.APIToken, error) {
	err := s.change(ctx, actor, monitor.ActionTokenCreate, func(t *tx) error {
		token.ID, token.CreatedAt = monitor.NewID(t.now), t.now
		row := goqu.Record{
			"id": token.ID[:], "name": token.Name, "secret_hash": secretHash[:], "scopes": jsonColumn{token.Scopes},
			"owner_id": nullID(token.OwnerID), "created_at": token.CreatedAt, "expires_at": nullTime(token.ExpiresAt),
		}
		if err := exec(ctx, t, dialect.Insert("api_tokens").Rows(row)); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindAPIToken, token.ID, monitor.ActionTokenCreate, nil, &token)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create token: %w", err)
	}
	return &token, nil
}

// TokenByHash gives the token of a secret's hash, unless it is revoked or over,
// and notes that it was used.
func (s *Store) TokenByHash(ctx context.Context, secretHash [32]byte) (*monitor.APIToken, bool, error) {
	token, found, err := one(ctx, s.db, s.usableTokens().Where(goqu.I("t.secret_hash").Eq(secretHash[:])), scanUsable)
	if err != nil {
		return nil, false, fmt.Errorf("load token: %w", err)
	}
	if !found || len(token.Scopes) == 0 {
		return nil, false, nil
	}
	if now := s.now(); now.Sub(token.LastUsedAt) > lastUsedStep {
		// No journal entry: a time of use is no change of what the token may do.
		if err := exec(ctx, s.db, dialect.Update("api_tokens").Set(goqu.Record{"last_used_at": now}).Where(goqu.C("id").Eq(token.ID[:]))); err != nil {
			return nil, false, fmt.Errorf("note use of token %s: %w", token.ID, err)
		}
		token.LastUsedAt = now
	}
	return token, true, nil
}

// LiveToken gives a token by its id, unless it is revoked or over.
func (s *Store) LiveToken(ctx context.Context, id monitor.ID) (*monitor.APIToken, bool, error) {
	token, found, err := one(ctx, s.db, s.usableTokens().Where(goqu.I("t.id").Eq(id[:])), scanUsable)
	if err != nil {
		return nil, false, fmt.Errorf("load token %s: %w", id, err)
	}
	return token, found && len(token.Scopes) > 0, nil
}

// usableTokens are those that are alive and whose owner, if they have one, may
// come in: scanUsable leaves what the owner may do.
func (s *Store) usableTokens() *goqu.SelectDataset {
	return dialect.From(goqu.T("api_tokens").As("t")).LeftJoin(goqu.T("users").As("u"), goqu.On(goqu.I("u.id").Eq(goqu.I("t.owner_id")))).
		Select(append(prefixed("t", tokenColumns), goqu.I("u.role"))...).
		Where(goqu.I("t.revoked_at").IsNull(), goqu.Or(goqu.I("t.expires_at").IsNull(), goqu.I("t.expires_at").Gt(s.now())),
			goqu.Or(goqu.I("t.owner_id").IsNull(), goqu.I("u.disabled").Eq(0)))
}

func scanUsable(r scanner) (*monitor.APIToken, error) {
	t := &monitor.APIToken{}
	var role *string
	if err := r.Scan(append(tokenFields(t), &role)...); err != nil {
		return nil, err
	}
	if role != nil {
		t.Scopes = slices.DeleteFunc(t.Scopes, func(s monitor.Scope) bool { return s.Role().Rank() > monitor.Role(*role).Rank() })
	}
	return t, nil
}

// Tokens gives one page of the tokens that are neither revoked nor over, the
// newest first: of one owner, or of all where owner is nil.
func (s *Store) Tokens(ctx context.Context, owner *monitor.ID, args page.Args) (*monitor.APITokenConnection, error) {
	st := s.liveTokens()
	if owner != nil {
		st = st.Where(goqu.C("owner_id").Eq(owner[:]))
	}
	st, err := newestFirst(st, args)
	if err != nil {
		return nil, err
	}
	tokens, err := query(ctx, s.db, st, scanToken)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return page.Build(tokens, args, func(t *monitor.APIToken) string { return page.EncodeCursor(t.CreatedAt, t.ID) }), nil
}

// TokenByID gives a token whether it lives or not.
func (s *Store) TokenByID(ctx context.Context, id monitor.ID) (*monitor.APIToken, bool, error) {
	return one(ctx, s.db, dialect.From("api_tokens").Select(columnList(tokenColumns)...).Where(goqu.C("id").Eq(id[:])), scanToken)
}

// RevokeToken ends a token at once. NOT_FOUND where there is none, or none that lives.
func (s *Store) RevokeToken(ctx context.Context, actor monitor.Actor, id monitor.ID) error {
	return s.change(ctx, actor, monitor.ActionTokenRevoke, func(t *tx) error {
		token, found, err := one(ctx, t, dialect.From("api_tokens").Select(columnList(tokenColumns)...).
			Where(goqu.C("id").Eq(id[:]), goqu.C("revoked_at").IsNull()).ForUpdate(goqu.Wait), scanToken)
		if err != nil {
			return err
		}
		if !found {
			return monitor.Errorf(monitor.CodeNotFound, "there is no living token %s", id)
		}
		was := *token
		token.RevokedAt = t.now
		if err := exec(ctx, t, dialect.Update("api_tokens").Set(goqu.Record{"revoked_at": t.now}).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindAPIToken, id, monitor.ActionTokenRevoke, &was, token)
		t.changes = append(t.changes, change)
		return err
	})
}

// LiveTokens gives all tokens that are neither revoked nor over.
func (s *Store) LiveTokens(ctx context.Context) ([]*monitor.APIToken, error) {
	tokens, err := query(ctx, s.db, s.liveTokens().Order(goqu.C("created_at").Asc()).Limit(maxTokens), scanToken)
	if err != nil {
		return nil, fmt.Errorf("load tokens: %w", err)
	}
	return tokens, nil
}

const maxTokens = 10_000

func (s *Store) liveTokens() *goqu.SelectDataset {
	return dialect.From("api_tokens").Select(columnList(tokenColumns)...).Where(goqu.C("revoked_at").IsNull(),
		goqu.Or(goqu.C("expires_at").IsNull(), goqu.C("expires_at").Gt(s.now())))
}

func scanToken(r scanner) (*monitor.APIToken, error) {
	t := &monitor.APIToken{}
	return t, r.Scan(tokenFields(t)...)
}

// tokenFields are where tokenColumns go.
func tokenFields(t *monitor.APIToken) []any {
	return []any{idColumn{&t.ID}, &t.Name, jsonColumn{&t.Scopes}, idColumn{&t.OwnerID}, timeColumn{&t.CreatedAt}, timeColumn{&t.ExpiresAt}, timeColumn{&t.LastUsedAt}}
}
