package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Tokens keeps API tokens.
type Tokens interface {
	Tokens(ctx context.Context, owner *monitor.ID, args page.Args) (*monitor.APITokenConnection, error)
	TokenByID(ctx context.Context, id monitor.ID) (*monitor.APIToken, bool, error)
	RevokeToken(ctx context.Context, actor monitor.Actor, id monitor.ID) error
}

type tokenResolver struct{ *Resolver }

// APIToken answers the fields of APIToken that are more than a value.
func (r *Resolver) APIToken() graph.APITokenResolver { return tokenResolver{r} }

func (tokenResolver) Owner(ctx context.Context, t *monitor.APIToken) (*monitor.User, error) {
	return loadUser(ctx, t.OwnerID)
}

func (tokenResolver) ExpiresAt(_ context.Context, t *monitor.APIToken) (*time.Time, error) {
	return optionalTime(t.ExpiresAt), nil
}

func (tokenResolver) LastUsedAt(_ context.Context, t *monitor.APIToken) (*time.Time, error) {
	return optionalTime(t.LastUsedAt), nil
}

// Tokens lists one's own, or for administrators all.
func (r queryResolver) Tokens(ctx context.Context, first int, after *string) (*monitor.APITokenConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	owner, err := ownOrAll(ctx)
	if err != nil {
		return nil, err
	}
	return r.Resolver.Tokens.Tokens(ctx, owner, args)
}

// ownOrAll gives nil, all, for administrators.
func ownOrAll(ctx context.Context) (*monitor.ID, error) {
	if monitor.RoleFrom(ctx) == monitor.RoleAdmin {
		return nil, nil //nolint:nilnil // all
	}
	v, err := person(ctx)
	if err != nil {
		return nil, err
	}
	return &v.User.ID, nil
}

// TokenCreate makes a token that may do what its maker may.
func (r mutationResolver) TokenCreate(ctx context.Context, input model.TokenCreateInput) (*model.TokenCreatePayload, error) {
	v, err := person(ctx)
	if err != nil {
		return nil, err
	}
	secret, token, err := r.Auth.CreateTokenOf(ctx, v, input.Name, input.Scopes, input.ExpiresAt)
	mendable, err := userErrors(err)
	if err != nil || len(mendable) > 0 {
		return &model.TokenCreatePayload{Errors: mendable}, err
	}
	return &model.TokenCreatePayload{Token: token, Secret: &secret, Errors: mendable}, nil
}

// TokenRevoke ends a token.
func (r mutationResolver) TokenRevoke(ctx context.Context, input model.TokenRevokeInput) (*model.TokenRevokePayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindAPIToken, input.ID)
	if err == nil {
		err = r.revokeToken(ctx, id)
	}
	mendable, err := userErrors(err)
	return &model.TokenRevokePayload{Errors: mendable}, err
}

func (r mutationResolver) revokeToken(ctx context.Context, id monitor.ID) error {
	owner, err := ownOrAll(ctx)
	if err != nil {
		return err
	}
	token, found, err := r.Resolver.Tokens.TokenByID(ctx, id)
	if err != nil {
		return err
	}
	if !found || owner != nil && token.OwnerID != *owner {
		return monitor.Errorf(monitor.CodeNotFound, "there is no such token, or it is not yours") // not told apart
	}
	return r.Resolver.Tokens.RevokeToken(ctx, monitor.ViewerFrom(ctx).Actor(), id)
}
