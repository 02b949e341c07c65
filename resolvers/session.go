package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

var errNoCookies = monitor.Errorf(monitor.CodeBadInput, "sessions begin, go on and end over HTTP, where cookies can be set; not over a socket")

// SessionLogin begins a session.
func (r mutationResolver) SessionLogin(ctx context.Context, input model.SessionLoginInput) (*model.SessionPayload, error) {
	session, err := r.Auth.Login(ctx, input.Name, input.Password, auth.Address(ctx))
	return sessionPayload(ctx, session, err)
}

// SessionRefresh goes on with a session.
func (r mutationResolver) SessionRefresh(ctx context.Context) (*model.SessionPayload, error) {
	session, err := r.Auth.Refresh(ctx, auth.RefreshToken(ctx))
	return sessionPayload(ctx, session, err)
}

func sessionPayload(ctx context.Context, session *auth.Session, err error) (*model.SessionPayload, error) {
	mendable, err := userErrors(err)
	if err != nil || len(mendable) > 0 {
		return &model.SessionPayload{Errors: mendable}, err
	}
	if !auth.SetRefreshToken(ctx, session.Refresh) {
		return nil, errNoCookies
	}
	return &model.SessionPayload{AccessToken: &session.AccessToken, ExpiresAt: &session.ExpiresAt, Errors: mendable}, nil
}

// SessionLogout ends a session.
func (r mutationResolver) SessionLogout(ctx context.Context) (*model.SessionLogoutPayload, error) {
	err := r.Auth.Logout(ctx, auth.RefreshToken(ctx))
	if err == nil && !auth.SetRefreshToken(ctx, "") {
		err = errNoCookies
	}
	return &model.SessionLogoutPayload{Errors: []*model.UserError{}}, err
}
