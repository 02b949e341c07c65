package app

import (
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/monitor"
)

// openOIDC prepares the logins by a provider, where one is configured; it asks the
// provider nothing yet.
func (a *App) openOIDC() (*auth.OIDC, error) {
	c := a.cfg.OIDC
	if c.Issuer == "" {
		if a.cfg.NoPasswordLogin {
			return nil, fmt.Errorf("no-password-login: without oidc-issuer nobody could log in")
		}
		return nil, nil //nolint:nilnil // there is none
	}
	if c.ClientSecretFile != "" {
		text, err := os.ReadFile(c.ClientSecretFile)
		if err != nil {
			return nil, fmt.Errorf("oidc-client-secret-file: %w", err)
		}
		c.ClientSecret = strings.TrimSpace(string(text))
	}
	roles := map[monitor.Role][]string{}
	for role, groups := range c.Roles {
		roles[monitor.Role(strings.ToUpper(role))] = groups
	}
	return auth.NewOIDC(auth.OIDCConfig{
		Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.ClientSecret, Name: c.Name, Scopes: c.Scopes, PublicURL: a.cfg.PublicURL,
		Lasts: c.Lasts, RoleClaim: c.RoleClaim, Roles: roles, DefaultRole: monitor.Role(strings.ToUpper(c.DefaultRole)),
	}, a.Auth, a.Store, a.lg)
}

// routeLogins adds the ways to log in that are no GraphQL, and what tells the login
// page which there are.
func (a *App) routeLogins(mux *http.ServeMux) error {
	provider, err := a.openOIDC()
	if err != nil {
		return err
	}
	type named struct {
		Name string `json:"name"`
	}
	methods := struct {
		Password bool   `json:"password"`
		OIDC     *named `json:"oidc"` // null: there is none
	}{Password: !a.cfg.NoPasswordLogin}
	if provider != nil {
		methods.OIDC = &named{provider.Name()}
		mux.Handle("GET "+auth.OIDCPath+"start", a.Auth.Middleware(http.HandlerFunc(provider.Start)))
		mux.Handle("GET "+auth.OIDCPath+"callback", a.Auth.Middleware(http.HandlerFunc(provider.Callback)))
	}
	mux.HandleFunc("GET /api/auth/methods", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, methods)
	})
	return nil
}
