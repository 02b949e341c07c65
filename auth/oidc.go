package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/security-monitor/secmon/monitor"
)

// OIDCConfig says which OpenID Connect provider people may come by, and what its
// claims mean here.
type OIDCConfig struct {
	Issuer, ClientID, ClientSecret string
	Name                           string   // on the button
	Scopes                         []string // beside openid
	PublicURL                      string   // of this server, as browsers know it
	RoleClaim                      string   // a text or a list of texts
	Roles                          map[monitor.Role][]string
	DefaultRole                    monitor.Role // of those whose claim names no role; "" keeps them out
	// Lasts is after how long the provider is asked again, however busy somebody is:
	// who is gone there, or has another role, must not stay here.
	Lasts time.Duration
}

// Identities keeps who somebody is at a provider.
type Identities interface {
	UserByIdentity(ctx context.Context, issuer, subject string) (*monitor.User, bool, error)
	CreateIdentity(ctx context.Context, u monitor.User, issuer, subject string) (*monitor.User, error)
	UpdateUser(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.User)) (*monitor.User, error)
}

// Bounds of what a provider may take.
const (
	oidcTimeout = 10 * time.Second // of one request to it
	oidcAnswer  = 1 << 20          // bytes of one answer
	oidcAtOnce  = 16               // logins that ask it at the same time
	oidcLasts   = 12 * time.Hour   // of a login, where nothing is said
	oidcPause   = 5 * time.Second  // after it was away, until it is asked again
)

// OIDC lets people in whom an OpenID Connect provider knows: the authorisation code
// flow with PKCE (RFC 7636, OpenID Connect Core 1.0, RFC 9700). Make it with NewOIDC.
type OIDC struct {
	config OIDCConfig
	auth   *Auth
	store  Identities
	lg     *slog.Logger
	client *http.Client
	busy   chan struct{}

	asking   chan struct{} // guards what follows
	provider *oidc.Provider
	failed   error     // why the provider did not tell its endpoints
	failedAt time.Time // when
}

// NewOIDC checks the configuration. The provider is asked when somebody comes: it
// may be away now.
func NewOIDC(config OIDCConfig, auth *Auth, store Identities, lg *slog.Logger) (*OIDC, error) {
	if config.ClientID == "" {
		return nil, errors.New("oidc-client-id is missing")
	}
	for name, text := range map[string]string{"oidc-issuer": config.Issuer, "public-url": config.PublicURL} {
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("%s is %q, no address of http or https", name, text)
		}
	}
	if len(config.Roles) == 0 && config.DefaultRole == "" {
		return nil, errors.New("nobody could come in by the provider: set oidc-roles or oidc-default-role")
	}
	for role := range config.Roles {
		if role.Rank() == 0 {
			return nil, fmt.Errorf("oidc-roles: %q is no role", role)
		}
	}
	if config.DefaultRole != "" && config.DefaultRole.Rank() == 0 {
		return nil, fmt.Errorf("oidc-default-role: %q is no role", config.DefaultRole)
	}
	if config.Lasts <= 0 {
		config.Lasts = oidcLasts
	}
	return &OIDC{
		config: config, auth: auth, store: store, lg: lg, busy: make(chan struct{}, oidcAtOnce), asking: make(chan struct{}, 1),
		client: &http.Client{Timeout: oidcTimeout, Transport: bounded{http.DefaultTransport}},
	}, nil
}

// Name is what the provider is called on the login page.
func (o *OIDC) Name() string { return o.config.Name }

// bounded cuts answers that are too long.
type bounded struct{ http.RoundTripper }

// RoundTrip asks, and reads no more than oidcAnswer.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, oidcAnswer), response.Body}
	}
	return response, err
}

// discover asks the provider for its endpoints, until it has told them once.
func (o *OIDC) discover(ctx context.Context) (*oidc.Provider, error) {
	select {
	case o.asking <- struct{}{}:
		defer func() { <-o.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if o.provider != nil {
		return o.provider, nil
	}
	if o.failed != nil && o.auth.now().Sub(o.failedAt) < oidcPause {
		return nil, o.failed
	}
	// The provider's keys are fetched with this context later, too: it must not end.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), o.client), o.config.Issuer)
	if err != nil {
		o.failed, o.failedAt = fmt.Errorf("discover %s: %w", o.config.Issuer, err), o.auth.now()
		return nil, o.failed
	}
	o.provider = provider
	return provider, nil
}

func (o *OIDC) oauth(provider *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: o.config.ClientID, ClientSecret: o.config.ClientSecret, Endpoint: provider.Endpoint(),
		RedirectURL: strings.TrimRight(o.config.PublicURL, "/") + OIDCPath + "callback", Scopes: append([]string{oidc.ScopeOpenID}, o.config.Scopes...),
	}
}

// identity is what a provider says of somebody.
type identity struct {
	issuer, subject string
	name, display   string
	roles           []string // of the role claim
	hasRoles        bool
}

// exchange takes the code of a callback to the provider and gives who came.
func (o *OIDC) exchange(ctx context.Context, code string, f *flow) (*identity, error) {
	provider, err := o.discover(ctx)
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, o.client)
	token, err := o.oauth(provider).Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) { // its own text holds the answer's body
			return nil, fmt.Errorf("exchange the code: the provider answered %s %q", refused.Response.Status, refused.ErrorCode)
		}
		return nil, fmt.Errorf("exchange the code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("the provider gave no ID token")
	}
	verifier := provider.Verifier(&oidc.Config{ // with the keys that it has fetched, and newer ones where it has to
		ClientID: o.config.ClientID, Now: o.auth.now,
		SupportedSigningAlgs: []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA},
	})
	signed, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("verify the ID token: %w", err)
	}
	if !equal(signed.Nonce, f.Nonce) {
		return nil, errors.New("verify the ID token: its nonce is another's")
	}
	who, err := o.read(signed.Claims)
	if err != nil {
		return nil, err
	}
	who.issuer, who.subject = signed.Issuer, signed.Subject
	if !who.hasRoles && provider.UserInfoEndpoint() != "" {
		if err := o.ask(ctx, provider, token, who); err != nil {
			return nil, err
		}
	}
	return who, nil
}

// ask gets the role claim from the provider's userinfo, where the ID token has none.
func (o *OIDC) ask(ctx context.Context, provider *oidc.Provider, token *oauth2.Token, who *identity) error {
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("ask for userinfo: %w", err)
	}
	if info.Subject != who.subject {
		return errors.New("ask for userinfo: it is about somebody else") // OpenID Connect Core, 5.3.2
	}
	told, err := o.read(info.Claims)
	if err != nil {
		return err
	}
	who.roles = told.roles
	return nil
}

func (o *OIDC) read(into func(any) error) (*identity, error) {
	var all map[string]any
	if err := into(&all); err != nil {
		return nil, fmt.Errorf("read the claims: %w", err)
	}
	text := func(name string) string { s, _ := all[name].(string); return s }
	who := &identity{display: text("name")}
	for _, name := range []string{text("preferred_username"), text("email"), text("sub")} {
		if who.name = monitor.Fold(strings.TrimSpace(name)); userName.MatchString(who.name) {
			break
		}
	}
	var claim any
	if claim, who.hasRoles = all[o.config.RoleClaim]; who.hasRoles {
		switch claim := claim.(type) {
		case string:
			who.roles = []string{claim}
		case []any:
			for _, each := range claim {
				if s, ok := each.(string); ok {
					who.roles = append(who.roles, s)
				}
			}
		}
	}
	return who, nil
}

// roleOf gives the highest role that the claim names, the default one, or "".
func (o *OIDC) roleOf(who *identity) monitor.Role {
	best := o.config.DefaultRole
	for role, names := range o.config.Roles {
		if role.Rank() > best.Rank() && slices.ContainsFunc(names, func(name string) bool { return slices.Contains(who.roles, name) }) {
			best = role
		}
	}
	return best
}

// admit gives the user who came, made at the first time, with the role that the
// provider says.
func (o *OIDC) admit(ctx context.Context, who *identity) (*monitor.User, error) {
	role := o.roleOf(who)
	user, found, err := o.store.UserByIdentity(ctx, who.issuer, who.subject)
	switch {
	case err != nil:
		return nil, err
	case found && user.Disabled:
		return nil, errOIDCDisabled
	case role == "":
		return nil, errOIDCRole
	case !found:
		return o.welcome(ctx, who, role)
	case user.Role == role:
		return user, nil
	}
	changed, err := o.store.UpdateUser(ctx, monitor.SystemActor, user.ID, nil, func(u *monitor.User) { u.Role = role })
	if monitor.CodeOf(err) == monitor.CodeConflict { // the last administrator stays one
		o.lg.Warn("oidc: the provider takes the role from the last administrator; it stays", "user", user.Name)
		return user, nil
	}
	return changed, err
}

func (o *OIDC) welcome(ctx context.Context, who *identity, role monitor.Role) (*monitor.User, error) {
	if !userName.MatchString(who.name) {
		return nil, errOIDCName
	}
	u := monitor.User{Name: who.name, DisplayName: who.display, Role: role}
	if u.DisplayName == "" {
		u.DisplayName = u.Name
	}
	if err := u.Check(); err != nil {
		u.DisplayName = u.Name
	}
	user, err := o.store.CreateIdentity(ctx, u, who.issuer, who.subject)
	if monitor.CodeOf(err) != monitor.CodeConflict {
		return user, err
	}
	// Two first logins at once, or somebody else's name: the former is there by now.
	user, found, again := o.store.UserByIdentity(ctx, who.issuer, who.subject)
	if again != nil || found {
		return user, again
	}
	return nil, errOIDCName
}
