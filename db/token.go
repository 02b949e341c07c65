package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
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
	token, found, err := one(ctx, s.db, s.liveTokens().Where(goqu.C("secret_hash").Eq(secretHash[:])), scanToken)
	if err != nil {
		return nil, false, fmt.Errorf("load token: %w", err)
	}
	if !found {
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
	token, found, err := one(ctx, s.db, s.liveTokens().Where(goqu.C("id").Eq(id[:])), scanToken)
	if err != nil {
		return nil, false, fmt.Errorf("load token %s: %w", id, err)
	}
	return token, found, nil
}

// RevokeToken ends a token at once. NOT_FOUND where there is none, or none that lives.
func (s *Store) RevokeToken(ctx context.Context, actor monitor.Actor, id monitor.ID) error {
	return s.change(ctx, actor, monitor.ActionTokenRevoke, func(t *tx) error {
		token, found, err := one(ctx, t, s.liveTokens().Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait), scanToken)
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
	return t, r.Scan(idColumn{&t.ID}, &t.Name, jsonColumn{&t.Scopes}, idColumn{&t.OwnerID}, timeColumn{&t.CreatedAt}, timeColumn{&t.ExpiresAt}, timeColumn{&t.LastUsedAt})
}
