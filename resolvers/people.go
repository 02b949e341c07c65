package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// person gives who asks, where that is a person: what belongs to people (passwords,
// logins, tokens) is no program's to change.
func person(ctx context.Context) (*monitor.Viewer, error) {
	v := monitor.ViewerFrom(ctx)
	if v == nil || v.User == nil {
		return nil, monitor.Errorf(monitor.CodeForbidden, "this is for people who have logged in, not for API tokens")
	}
	return v, nil
}

// ofSomebody gives whose things are meant: one's own where no id is given.
// Those of others are for administrators.
func ofSomebody(ctx context.Context, user *string) (monitor.ID, error) {
	v := monitor.ViewerFrom(ctx)
	if user == nil {
		v, err := person(ctx)
		if err != nil {
			return monitor.ID{}, err
		}
		return v.User.ID, nil
	}
	id, err := monitor.ParseIDOf(monitor.KindUser, *user)
	if err == nil && v.Role() != monitor.RoleAdmin && (v.User == nil || v.User.ID != id) {
		err = errOthers
	}
	return id, err
}

var errOthers = monitor.Errorf(monitor.CodeForbidden, "what belongs to others is for administrators")

type userResolver struct{ *Resolver }

// User answers the fields of User that are more than a value.
func (r *Resolver) User() graph.UserResolver { return userResolver{r} }

// SecondFactor is nobody else's to know: it says whose password alone would do.
func (userResolver) SecondFactor(ctx context.Context, u *monitor.User) (*bool, error) {
	if monitor.RoleFrom(ctx) == monitor.RoleAdmin {
		return &u.SecondFactor, nil
	}
	if monitor.Shared(ctx) {
		return nil, nil //nolint:nilnil // null is the answer
	}
	if v := monitor.ViewerFrom(ctx); v != nil && v.User != nil && v.User.ID == u.ID {
		return &u.SecondFactor, nil
	}
	return nil, nil //nolint:nilnil // as above
}

// User gives one person.
func (r queryResolver) User(ctx context.Context, id string) (*monitor.User, error) {
	return byGlobalID(ctx, monitor.KindUser, id, r.Resolver.Users.UsersByID)
}

// UserCreate makes an account.
func (r mutationResolver) UserCreate(ctx context.Context, input model.UserCreateInput) (*model.UserPayload, error) {
	wanted := monitor.User{Name: input.Name, Role: input.Role}
	if input.DisplayName != nil {
		wanted.DisplayName = *input.DisplayName
	}
	user, err := r.Auth.CreateUser(ctx, monitor.ViewerFrom(ctx).Actor(), wanted, input.Password)
	return userPayload(user, err)
}

// UserUpdate changes a person.
func (r mutationResolver) UserUpdate(ctx context.Context, input model.UserUpdateInput) (*model.UserPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindUser, input.ID)
	if err != nil {
		return userPayload(nil, err)
	}
	user, err := r.Resolver.Users.UpdateUser(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, func(u *monitor.User) {
		if input.DisplayName != nil {
			u.DisplayName = *input.DisplayName
		}
		if input.Role != nil {
			u.Role = *input.Role
		}
		if input.Disabled != nil {
			u.Disabled = *input.Disabled
		}
	})
	return userPayload(user, err)
}

// UserSetPassword gives somebody another password.
func (r mutationResolver) UserSetPassword(ctx context.Context, input model.UserSetPasswordInput) (*model.UserPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindUser, input.ID)
	if err == nil {
		err = r.Auth.SetPassword(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.Password, monitor.ID{})
	}
	return r.changedUser(ctx, id, err)
}

// ViewerSetPassword changes one's own password.
func (r mutationResolver) ViewerSetPassword(ctx context.Context, input model.ViewerSetPasswordInput) (*model.ViewerPayload, error) {
	v, err := person(ctx)
	if err != nil {
		return nil, err
	}
	err = r.Auth.CheckPassword(ctx, v.User, "password", input.Password, v.Address)
	if err == nil {
		err = r.Auth.SetPassword(ctx, v.Actor(), v.User.ID, input.NewPassword, v.SessionID)
	}
	mendable, err := userErrors(err)
	if err != nil {
		return nil, err
	}
	viewer, err := queryResolver(r).Viewer(ctx)
	return &model.ViewerPayload{Viewer: viewer, Errors: mendable}, err
}

// TotpEnrol begins to set up a second factor.
func (r mutationResolver) TotpEnrol(ctx context.Context, input model.TOTPEnrolInput) (*model.TOTPEnrolPayload, error) {
	v, err := person(ctx)
	if err != nil {
		return nil, err
	}
	enrolment := &auth.Enrolment{}
	if err = r.Auth.CheckPassword(ctx, v.User, "password", input.Password, v.Address); err == nil {
		enrolment, err = r.Auth.Enrol(ctx, v.User)
	}
	mendable, err := userErrors(err)
	if err != nil || len(mendable) > 0 {
		return &model.TOTPEnrolPayload{Errors: mendable}, err
	}
	return &model.TOTPEnrolPayload{Secret: &enrolment.Secret, URI: &enrolment.URI, Errors: mendable}, nil
}

// TotpConfirm makes the second factor count.
func (r mutationResolver) TotpConfirm(ctx context.Context, input model.TOTPConfirmInput) (*model.TOTPConfirmPayload, error) {
	v, err := person(ctx)
	if err != nil {
		return nil, err
	}
	codes, err := r.Auth.Confirm(ctx, v.Actor(), v.User, input.Code, v.Address)
	mendable, err := userErrors(err)
	if len(mendable) > 0 {
		codes = nil
	}
	return &model.TOTPConfirmPayload{RecoveryCodes: codes, Errors: mendable}, err
}

// TotpRemove takes a second factor away.
func (r mutationResolver) TotpRemove(ctx context.Context, input model.TOTPRemoveInput) (*model.UserPayload, error) {
	id, err := ofSomebody(ctx, input.User)
	if err != nil {
		return nil, err
	}
	v := monitor.ViewerFrom(ctx)
	if v.User != nil && v.User.ID == id {
		given := ""
		if input.Password != nil {
			given = *input.Password
		}
		err = r.Auth.CheckPassword(ctx, v.User, "password", given, v.Address)
	}
	if err == nil {
		err = r.Resolver.Users.RemoveSecondFactor(ctx, v.Actor(), id)
	}
	return r.changedUser(ctx, id, err)
}

// changedUser shows a user behind a change that does not give them.
func (r mutationResolver) changedUser(ctx context.Context, id monitor.ID, err error) (*model.UserPayload, error) {
	if err != nil {
		return userPayload(nil, err)
	}
	found, err := r.Resolver.Users.UsersByID(ctx, []monitor.ID{id})
	if err != nil || len(found) == 0 {
		return userPayload(nil, err)
	}
	return userPayload(found[0], nil)
}

func userPayload(user *monitor.User, err error) (*model.UserPayload, error) {
	mendable, err := userErrors(err)
	return &model.UserPayload{User: user, Errors: mendable}, err
}
