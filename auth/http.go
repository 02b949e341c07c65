package auth

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

const refreshCookie = "secmon_refresh"

// Middleware puts the viewer of the Authorization header into the context. A
// request without one goes on as nobody; one with a credential that is no good
// is left to fail with the reason, see Failure: an expired token must not look
// like none.
func (a *Auth) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), cookieKey{}, &cookies{w: w, r: r, lifetime: a.Lifetime(), address: a.addressOf(r)})
		if bearer, ok := bearerOf(r.Header.Get("Authorization")); ok {
			viewer, err := a.Viewer(ctx, bearer)
			if err != nil {
				ctx = context.WithValue(ctx, failureKey{}, err)
			} else {
				viewer.Address = a.addressOf(r)
				ctx = monitor.WithViewer(ctx, viewer)
			}
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// bearerOf reads "Bearer <credential>".
func bearerOf(header string) (string, bool) {
	scheme, credential, ok := strings.Cut(strings.TrimSpace(header), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(credential), true
}

// SocketViewer is Viewer for the payload of connection_init.
func (a *Auth) SocketViewer(ctx context.Context, authorization string) (*monitor.Viewer, error) {
	bearer, ok := bearerOf(authorization)
	if !ok {
		return nil, monitor.Errorf(monitor.CodeUnauthenticated, "connection_init needs a payload {\"authorization\": \"Bearer ...\"}")
	}
	return a.Viewer(ctx, bearer)
}

type (
	cookieKey  struct{}
	failureKey struct{}
	cookies    struct {
		w http.ResponseWriter
		r *http.Request

		lifetime time.Duration // of a session
		address  string        // of the client
	}
)

// Failure gives why the request's credential was refused, nil when it was good
// or absent.
func Failure(ctx context.Context) error {
	err, _ := ctx.Value(failureKey{}).(error)
	return err
}

// RefreshToken gives the refresh token of the request's cookie, or "".
func RefreshToken(ctx context.Context) string {
	c, _ := ctx.Value(cookieKey{}).(*cookies)
	if c == nil {
		return ""
	}
	cookie, err := c.r.Cookie(refreshCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// SetRefreshToken puts the refresh token into a cookie that scripts cannot read
// and other sites cannot send; "" clears it. It is false where there is no
// answer to put a header on, as on a socket.
func SetRefreshToken(ctx context.Context, token string) bool {
	c, _ := ctx.Value(cookieKey{}).(*cookies)
	if c == nil {
		return false
	}
	cookie := &http.Cookie{ //nolint:gosec // Secure wherever the browser speaks TLS; over plain HTTP on localhost it would never come back
		Name: refreshCookie, Value: token, Path: "/api", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: isHTTPS(c.r), MaxAge: int(c.lifetime / time.Second),
	}
	if token == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(c.w, cookie)
	return true
}

// isHTTPS tells whether the browser speaks TLS: to us or to the ingress.
func isHTTPS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// Address gives the client's address of the request in ctx, for throttling.
func Address(ctx context.Context) string {
	c, _ := ctx.Value(cookieKey{}).(*cookies)
	if c == nil {
		return ""
	}
	return c.address
}

// Agent gives the browser's own words of the request in ctx.
func Agent(ctx context.Context) string {
	c, _ := ctx.Value(cookieKey{}).(*cookies)
	if c == nil {
		return ""
	}
	return c.r.UserAgent()
}

// addressOf gives the client's address: behind an ingress the last entry of
// X-Forwarded-For, which is the ingress's own word; the ones before are anybody's.
func (a *Auth) addressOf(r *http.Request) string {
	if forwarded := r.Header.Get("X-Forwarded-For"); forwarded != "" && a.TrustProxy {
		parts := strings.Split(forwarded, ",")
		return strings.TrimSpace(parts[len(parts)-1])
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
