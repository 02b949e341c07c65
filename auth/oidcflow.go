package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/security-monitor/secmon/monitor"
)

// OIDCPath is where the provider's logins begin and end.
const OIDCPath = "/api/auth/oidc/"

const (
	flowCookie   = "secmon_oidc"
	flowLifetime = 10 * time.Minute
)

// flow is what a browser that was sent to the provider has to bring back. It is kept
// in the browser, sealed.
type flow struct {
	State, Nonce, Verifier string
	Return                 string // a path of ours
	Ends                   time.Time
}

// flowOwner binds sealed flows to their use: they are no user's secrets.
var flowOwner = monitor.ID{'o', 'i', 'd', 'c'}

// refusal is why somebody is not let in; the login page knows its code.
type refusal string

// Error is for the log.
func (r refusal) Error() string { return "oidc: " + string(r) }

const (
	errOIDCState    refusal = "OIDC_STATE"       // the browser brings back nothing of ours, or too late
	errOIDCDenied   refusal = "OIDC_DENIED"      // the provider says no
	errOIDCRole     refusal = "OIDC_ROLE"        // no role here
	errOIDCDisabled refusal = "OIDC_DISABLED"    // shut out here
	errOIDCName     refusal = "OIDC_NAME"        // the name is somebody else's, or none
	errOIDCAway     refusal = "OIDC_UNAVAILABLE" // the provider, or the database, does not answer
	errOIDCFailed   refusal = "OIDC_FAILED"      // anything else
)

// Start sends the browser to the provider.
func (o *OIDC) Start(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*oidcTimeout)
	defer cancel()
	provider, err := o.discover(ctx)
	if err != nil {
		o.refuse(w, r, errOIDCAway, err)
		return
	}
	state, _ := newSecret()
	nonce, _ := newSecret()
	f := &flow{State: state, Nonce: nonce, Verifier: oauth2.GenerateVerifier(), Return: safePath(r.URL.Query().Get("to")), Ends: o.auth.now().Add(flowLifetime)}
	sealed, err := o.seal(f)
	if err != nil {
		o.refuse(w, r, errOIDCFailed, err)
		return
	}
	o.setFlow(w, r, sealed, int(flowLifetime/time.Second))
	http.Redirect(w, r, o.oauth(provider).AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), http.StatusSeeOther)
}

// Callback takes the browser back from the provider, and logs in whom it knows.
func (o *OIDC) Callback(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*oidcTimeout)
	defer cancel()
	f, err := o.flowOf(r)
	o.setFlow(w, r, "", -1) // it serves once
	if err != nil {
		o.refuse(w, r, errOIDCState, err)
		return
	}
	session, err := o.login(ctx, r, f)
	if err != nil {
		var known refusal
		switch {
		case errors.As(err, &known):
		case monitor.CodeOf(err) == monitor.CodeUnavailable, errors.Is(err, context.DeadlineExceeded):
			known = errOIDCAway
		default:
			known = errOIDCFailed
		}
		o.refuse(w, r, known, err)
		return
	}
	SetRefreshToken(r.Context(), session.Refresh)
	o.leave(w, r, url.Values{"sso": {"1"}, "to": {f.Return}})
}

func (o *OIDC) login(ctx context.Context, r *http.Request, f *flow) (*Session, error) {
	if r.URL.Query().Get("error") != "" {
		return nil, errOIDCDenied
	}
	select {
	case o.busy <- struct{}{}:
		defer func() { <-o.busy }()
	case <-ctx.Done():
		return nil, errOIDCAway
	}
	who, err := o.exchange(ctx, r.URL.Query().Get("code"), f)
	if err != nil {
		return nil, err
	}
	user, err := o.admit(ctx, who)
	if err != nil {
		return nil, err
	}
	return o.auth.begin(ctx, user, monitor.Session{Address: o.auth.addressOf(r), Agent: r.UserAgent(), EndsAt: o.auth.now().Add(o.config.Lasts).UTC().Truncate(time.Microsecond)})
}

// flowOf gives the flow that this browser began, where the answer is to it: nobody
// is logged in by an address that somebody else made.
func (o *OIDC) flowOf(r *http.Request) (*flow, error) {
	cookie, err := r.Cookie(flowCookie)
	if err != nil {
		return nil, errors.New("the browser began no login")
	}
	f, err := o.open(cookie.Value)
	switch {
	case err != nil:
		return nil, err
	case o.auth.now().After(f.Ends):
		return nil, errors.New("the login took too long")
	case !equal(r.URL.Query().Get("state"), f.State):
		return nil, errors.New("the state is another's")
	}
	return f, nil
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (o *OIDC) seal(f *flow) (string, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	sealed, err := o.auth.sealing.seal(flowOwner, string(raw))
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

func (o *OIDC) open(sealed string) (*flow, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, errNotSealed
	}
	text, err := o.auth.sealing.open(flowOwner, raw)
	if err != nil {
		return nil, err
	}
	f := &flow{}
	return f, json.Unmarshal([]byte(text), f)
}

// setFlow keeps the flow in the browser. Lax: it comes back from another site.
func (o *OIDC) setFlow(w http.ResponseWriter, r *http.Request, value string, age int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever the browser speaks TLS
		Name: flowCookie, Value: value, Path: OIDCPath, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: isHTTPS(r), MaxAge: age,
	})
}

// refuse sends the browser to the login page with a code; the log has the rest.
func (o *OIDC) refuse(w http.ResponseWriter, r *http.Request, known refusal, err error) {
	o.auth.stats.Provider.Add(1)
	id := monitor.RequestID(r.Context())
	o.lg.WarnContext(r.Context(), "oidc: not let in", "code", string(known), "error", err, "request", id, "address", o.auth.addressOf(r))
	o.leave(w, r, url.Values{"error": {string(known)}, "request": {id}})
}

// leave sends the browser to the login page of this server.
func (o *OIDC) leave(w http.ResponseWriter, r *http.Request, query url.Values) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address that it leaves has a code
	http.Redirect(w, r, "/login?"+query.Encode(), http.StatusSeeOther)
}

// safePath gives a path of this site, or / for anything that could lead elsewhere.
func safePath(to string) string {
	if u, err := url.Parse(to); err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") || len(to) > 2_000 {
		return "/"
	}
	return to
}
