package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Sessions keeps logins.
type Sessions interface {
	Sessions(ctx context.Context, user *monitor.ID, args page.Args) (*monitor.SessionConnection, error)
	SessionByID(ctx context.Context, id monitor.ID) (*monitor.Session, bool, error)
	RevokeSession(ctx context.Context, actor monitor.Actor, id monitor.ID) error
	RevokeSessions(ctx context.Context, actor monitor.Actor, user, keep monitor.ID) error
}

type sessionResolver struct{ *Resolver }

// Session answers the fields of Session that are more than a value.
func (r *Resolver) Session() graph.SessionResolver { return sessionResolver{r} }

func (sessionResolver) User(ctx context.Context, s *monitor.Session) (*monitor.User, error) {
	return loadUser(ctx, s.UserID)
}

func (sessionResolver) Current(ctx context.Context, s *monitor.Session) (bool, error) {
	return monitor.ViewerFrom(ctx).SessionID == s.ID, nil
}

// Sessions lists logins that live.
func (r queryResolver) Sessions(ctx context.Context, user *string, first int, after *string) (*monitor.SessionConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	of, err := ownOrAll(ctx)
	if err == nil && user != nil {
		var id monitor.ID
		id, err = ofSomebody(ctx, user)
		of = &id
	}
	if err != nil {
		return nil, err
	}
	return r.Resolver.Sessions.Sessions(ctx, of, args)
}

// SessionRevoke ends a login.
func (r mutationResolver) SessionRevoke(ctx context.Context, input model.SessionRevokeInput) (*model.SessionRevokePayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindSession, input.ID)
	if err == nil {
		err = r.revokeSession(ctx, id)
	}
	mendable, err := userErrors(err)
	return &model.SessionRevokePayload{Errors: mendable}, err
}

func (r mutationResolver) revokeSession(ctx context.Context, id monitor.ID) error {
	of, err := ownOrAll(ctx)
	if err != nil {
		return err
	}
	session, found, err := r.Resolver.Sessions.SessionByID(ctx, id)
	if err != nil {
		return err
	}
	if !found || of != nil && session.UserID != *of {
		return monitor.Errorf(monitor.CodeNotFound, "there is no such session, or it is not yours") // not told apart
	}
	return r.Resolver.Sessions.RevokeSession(ctx, monitor.ViewerFrom(ctx).Actor(), id)
}

// SessionRevokeAll ends all logins of a person but the one that asks.
func (r mutationResolver) SessionRevokeAll(ctx context.Context, input model.SessionRevokeAllInput) (*model.SessionRevokePayload, error) {
	id, err := ofSomebody(ctx, input.User)
	if err == nil {
		v := monitor.ViewerFrom(ctx)
		err = r.Resolver.Sessions.RevokeSessions(ctx, v.Actor(), id, v.SessionID)
	}
	mendable, err := userErrors(err)
	return &model.SessionRevokePayload{Errors: mendable}, err
}

var errNoCookies = monitor.Errorf(monitor.CodeBadInput, "sessions begin, go on and end over HTTP, where cookies can be set; not over a socket")

// SessionLogin begins a session.
func (r mutationResolver) SessionLogin(ctx context.Context, input model.SessionLoginInput) (*model.SessionPayload, error) {
	login := auth.Login{Name: input.Name, Password: input.Password, Address: auth.Address(ctx), Agent: auth.Agent(ctx)}
	if input.Code != nil {
		login.Code = *input.Code
	}
	session, err := r.Auth.Login(ctx, login)
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
