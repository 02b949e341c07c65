package client

import (
	"context"
	"net/http"
	"time"
)

// Session is a login. Refresh is used once: a server ends a session whose old
// refresh token comes again later than a few seconds after.
type Session struct {
	AccessToken string
	ExpiresAt   time.Time // of the access token
	Refresh     string
}

const refreshCookie = "secmon_refresh"

type sessionPayload struct {
	AccessToken string
	ExpiresAt   time.Time
	Errors      []UserError
}

// UserError is an error in the payload of a mutation.
type UserError struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Path    []string `json:"path"`
}

// UserErrors gives the errors of a payload as Errors, nil without one.
func UserErrors(list []UserError) error {
	if len(list) == 0 {
		return nil
	}
	errs := make(Errors, len(list))
	for i, e := range list {
		errs[i] = &Error{Message: e.Message, Extensions: map[string]any{"code": e.Code}}
	}
	return errs
}

// Login begins a session. code is the second factor's, where the server asks for
// one: Errors with the code TOTP_REQUIRED.
func (c *Client) Login(ctx context.Context, name, password, code string) (*Session, error) {
	input := map[string]any{"name": name, "password": password}
	if code != "" {
		input["code"] = code
	}
	return c.session(ctx, `mutation($input: SessionLoginInput!) { payload: sessionLogin(input: $input) { accessToken expiresAt errors { code message } } }`,
		map[string]any{"input": input}, "")
}

// Refresh gives the next access token and the next refresh token of a session.
// Errors with the code UNAUTHENTICATED say that it is over.
func (c *Client) Refresh(ctx context.Context, refresh string) (*Session, error) {
	return c.session(ctx, `mutation { payload: sessionRefresh { accessToken expiresAt errors { code message } } }`, nil, refresh)
}

// Logout ends a session; one that is over already is no error.
func (c *Client) Logout(ctx context.Context, refresh string) error {
	var data struct{ Payload sessionPayload }
	_, _, err := c.mutateSession(ctx, `mutation { payload: sessionLogout { errors { code message } } }`, nil, refresh, &data)
	if err != nil {
		return err
	}
	return UserErrors(data.Payload.Errors)
}

func (c *Client) session(ctx context.Context, query string, variables map[string]any, refresh string) (*Session, error) {
	var data struct{ Payload sessionPayload }
	next, found, err := c.mutateSession(ctx, query, variables, refresh, &data)
	if err != nil {
		return nil, err
	}
	if err := UserErrors(data.Payload.Errors); err != nil {
		return nil, err
	}
	if !found || data.Payload.AccessToken == "" {
		return nil, Errors{{Message: "the server gave no session; is a proxy taking its cookies away?", Extensions: map[string]any{"code": "INTERNAL"}}}
	}
	return &Session{data.Payload.AccessToken, data.Payload.ExpiresAt, next}, nil
}

// mutateSession asks without a bearer, and gives the refresh token of the answer.
func (c *Client) mutateSession(ctx context.Context, query string, variables map[string]any, refresh string, into any) (next string, found bool, err error) {
	nobody := Client{Server: c.Server, HTTP: c.HTTP}
	var cookie *http.Cookie
	if refresh != "" {
		cookie = &http.Cookie{Name: refreshCookie, Value: refresh} //nolint:gosec // of a request: it has no attributes
	}
	data, response, err := nobody.do(ctx, query, "", variables, cookie) //nolint:bodyclose // do has read and closed it
	if err != nil {
		return "", false, err
	}
	for _, c := range response.Cookies() {
		if c.Name == refreshCookie {
			next, found = c.Value, true
		}
	}
	return next, found, unmarshal(data, into)
}
