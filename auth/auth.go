// Package auth finds out who acts: it checks passwords (argon2id), access
// tokens (JWT), refresh tokens and API tokens, and puts the viewer into the
// request's context. What a viewer may do is decided where it is done.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/security-monitor/secmon/monitor"
)

// Lifetimes: of an access token, and of a session that is not refreshed, unless
// SetLifetime says otherwise.
const (
	AccessLifetime  = 15 * time.Minute
	SessionLifetime = 7 * 24 * time.Hour
)

// Store keeps users, sessions and API tokens. Secrets reach it as hashes only.
type Store interface {
	Login(ctx context.Context, name string) (u *monitor.User, passwordHash string, found bool, err error)
	CreateSession(ctx context.Context, user *monitor.User, secretHash [32]byte, lifetime time.Duration, wanted monitor.Session) (*monitor.Session, error)
	// RotateSession refuses with UNAUTHENTICATED, and revokes a session whose old token comes again.
	RotateSession(ctx context.Context, id monitor.ID, presented, next [32]byte, lifetime time.Duration) (*monitor.Session, *monitor.User, error)
	RevokeSession(ctx context.Context, actor monitor.Actor, id monitor.ID) error
	// LiveSession finds a session only while neither it nor its user is shut out.
	LiveSession(ctx context.Context, id monitor.ID) (*monitor.Session, *monitor.User, bool, error)
	// LiveToken finds a token only while it is neither revoked nor over.
	LiveToken(ctx context.Context, id monitor.ID) (*monitor.APIToken, bool, error)
	TokenByHash(ctx context.Context, secretHash [32]byte) (*monitor.APIToken, bool, error)
	CreateUser(ctx context.Context, actor monitor.Actor, u monitor.User, passwordHash string) (*monitor.User, error)
	SetPassword(ctx context.Context, actor monitor.Actor, id monitor.ID, passwordHash string, keep monitor.ID) error
	CreateToken(ctx context.Context, actor monitor.Actor, token monitor.APIToken, secretHash [32]byte) (*monitor.APIToken, error)
	SecondFactors
}

// Auth is safe for concurrent use.
type Auth struct {
	store    Store
	keys     *Keys
	sealing  *Keys // for secrets that are kept; the same unless SealWith was called
	throttle *throttle
	hashing  chan struct{} // bounds the memory that argon2id takes at once
	lifetime atomic.Int64  // of a session that is not refreshed, in nanoseconds
	now      func() time.Time
	stats    LoginStats
	idKey    func(password, salt []byte, time, memory uint32, threads uint8, length uint32) []byte // argon2id; tests count it

	// TrustProxy takes a client's address from X-Forwarded-For, which anybody can
	// write: set it only behind an ingress. Set it before the first request.
	TrustProxy bool
	// NoPasswords leaves the OpenID Connect provider as the only way in. Set it before
	// the first request.
	NoPasswords bool
}

// New makes an Auth that signs with keys. now may be nil.
func New(store Store, keys *Keys, now func() time.Time) *Auth {
	if now == nil {
		now = time.Now
	}
	a := &Auth{store: store, keys: keys, sealing: keys, throttle: newThrottle(now), hashing: make(chan struct{}, 2), now: now, idKey: argon2.IDKey}
	a.SetLifetime(SessionLifetime)
	return a
}

// SetLifetime says how long a session lasts that is not refreshed, from the next
// login or refresh on.
func (a *Auth) SetLifetime(d time.Duration) { a.lifetime.Store(int64(d)) }

// Lifetime is what SetLifetime said, SessionLifetime without.
func (a *Auth) Lifetime() time.Duration { return time.Duration(a.lifetime.Load()) }

// SealWith takes other keys for the secrets that are kept encrypted than for
// access tokens, which are rotated at will. Call it before the first request.
func (a *Auth) SealWith(keys *Keys) { a.sealing = keys }

// Session is what a login or a refresh gives to the client.
type Session struct {
	AccessToken string
	ExpiresAt   time.Time // of the access token
	Refresh     string    // for the cookie; never in a body
	User        *monitor.User
}

// LoginStats count logins and what failed of them, from the start on.
type LoginStats struct {
	Succeeded   atomic.Int64
	BadPassword atomic.Int64 // or an unknown name, or somebody who is shut out
	BadCode     atomic.Int64 // of the second factor
	Throttled   atomic.Int64 // not even looked at, after too many failures
	Provider    atomic.Int64 // not let in after the OpenID Connect provider
}

// Logins gives the counts.
func (a *Auth) Logins() *LoginStats { return &a.stats }

var errBadLogin = monitor.Errorf(monitor.CodeUnauthenticated, "the name or the password is wrong")

// Login is what somebody logs in with.
type Login struct {
	Name, Password string
	Code           string // one-time password or recovery code, where the user has a second factor
	Address, Agent string // of the client
}

// Login checks a name and password. Unknown names take as long as wrong
// passwords. Too many failures for the name or from the address give
// RATE_LIMITED with retryAfter in seconds. ErrCodeNeeded asks for the code that
// the user's second factor makes.
func (a *Auth) Login(ctx context.Context, l Login) (*Session, error) {
	if a.NoPasswords {
		return nil, monitor.Errorf(monitor.CodeForbidden, "passwords are switched off here; log in by the provider")
	}
	name := monitor.Fold(strings.TrimSpace(l.Name))
	user, err := a.authenticate(ctx, name, l.Password, l.Address)
	if err != nil {
		return nil, err
	}
	if user.SecondFactor {
		if l.Code == "" {
			return nil, ErrCodeNeeded
		}
		right, err := a.checkCode(ctx, user, l.Code)
		if err != nil {
			return nil, err
		}
		if !right {
			a.stats.BadCode.Add(1)
			a.throttle.failed(name, l.Address)
			return nil, errBadCode
		}
	}
	a.throttle.succeeded(name)
	return a.begin(ctx, user, monitor.Session{Address: l.Address, Agent: l.Agent})
}

// begin gives a user a new session: from where, and until when.
func (a *Auth) begin(ctx context.Context, user *monitor.User, wanted monitor.Session) (*Session, error) {
	secret, secretHash := newSecret()
	session, err := a.store.CreateSession(ctx, user, secretHash, a.Lifetime(), wanted)
	if err != nil {
		return nil, err
	}
	a.stats.Succeeded.Add(1)
	return a.issue(session, user, secret)
}

// Refresh takes a refresh token and gives a new access token and the next
// refresh token.
func (a *Auth) Refresh(ctx context.Context, refresh string) (*Session, error) {
	id, secretHash, err := parseRefresh(refresh)
	if err != nil {
		return nil, err
	}
	next, nextHash := newSecret()
	session, user, err := a.store.RotateSession(ctx, id, secretHash, nextHash, a.Lifetime())
	if err != nil {
		return nil, err
	}
	return a.issue(session, user, next)
}

// Logout ends the session of a refresh token; a token that is no good is no error.
func (a *Auth) Logout(ctx context.Context, refresh string) error {
	id, secretHash, err := parseRefresh(refresh)
	if err != nil {
		return nil //nolint:nilerr // there is nothing to end
	}
	_, next := newSecret()
	session, user, err := a.store.RotateSession(ctx, id, secretHash, next, time.Minute)
	if monitor.CodeOf(err) == monitor.CodeUnauthenticated {
		return nil
	}
	if err != nil {
		return err
	}
	return a.store.RevokeSession(ctx, monitor.Actor{Kind: monitor.ActorUser, ID: user.ID, Name: user.Name}, session.ID)
}

func (a *Auth) issue(session *monitor.Session, user *monitor.User, secret string) (*Session, error) {
	now := a.now()
	expires := now.Add(AccessLifetime).Truncate(time.Second)
	token, err := a.keys.sign(session.ID, user.ID, now, expires)
	if err != nil {
		return nil, err
	}
	return &Session{AccessToken: token, ExpiresAt: expires.UTC(), Refresh: session.ID.String() + "." + secret, User: user}, nil
}

// Viewer gives who a bearer credential stands for: an API token or an access
// token. Anything that is no good gives UNAUTHENTICATED. The session is looked
// up every time, so that a revoked one ends at once.
func (a *Auth) Viewer(ctx context.Context, bearer string) (*monitor.Viewer, error) {
	if strings.HasPrefix(bearer, tokenPrefix) {
		token, found, err := a.store.TokenByHash(ctx, sha256.Sum256([]byte(bearer)))
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, monitor.Errorf(monitor.CodeUnauthenticated, "the API token is unknown, revoked or expired")
		}
		return &monitor.Viewer{Token: token, ExpiresAt: token.ExpiresAt}, nil
	}
	sessionID, expires, err := a.keys.verify(bearer, a.now())
	if err != nil {
		return nil, err
	}
	_, user, found, err := a.store.LiveSession(ctx, sessionID)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, monitor.Errorf(monitor.CodeUnauthenticated, "the session is over; log in again")
	}
	return &monitor.Viewer{User: user, SessionID: sessionID, ExpiresAt: expires}, nil
}

// Recheck fails with UNAUTHENTICATED when a viewer's rights are not any more
// what they were when it came in: what is open has to be closed.
func (a *Auth) Recheck(ctx context.Context, v *monitor.Viewer) error {
	changed := monitor.Errorf(monitor.CodeUnauthenticated, "the rights of this credential have changed; come in again")
	if v.Token != nil {
		token, found, err := a.store.LiveToken(ctx, v.Token.ID)
		if err == nil && (!found || !slices.Equal(token.Scopes, v.Token.Scopes)) {
			return changed
		}
		return err
	}
	_, user, found, err := a.store.LiveSession(ctx, v.SessionID)
	if err == nil && (!found || user.Role != v.User.Role) {
		return changed
	}
	return err
}

var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,63}$`)

// CreateUser makes a user who logs in with password.
func (a *Auth) CreateUser(ctx context.Context, actor monitor.Actor, u monitor.User, password string) (*monitor.User, error) {
	u.Name = monitor.Fold(strings.TrimSpace(u.Name))
	if !userName.MatchString(u.Name) {
		return nil, monitor.InputErrorf("name", "a user's name has 1 to 64 letters, digits and . _ @ -, not %q", u.Name)
	}
	if u.Role.Rank() == 0 {
		return nil, monitor.InputErrorf("role", "%q is no role", u.Role)
	}
	if u.DisplayName == "" {
		u.DisplayName = u.Name
	}
	if err := checkPassword(password); err != nil {
		return nil, err
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	return a.store.CreateUser(ctx, actor, u, hash)
}

// SetPassword gives a user another password and ends all their sessions but keep,
// which may be zero.
func (a *Auth) SetPassword(ctx context.Context, actor monitor.Actor, id monitor.ID, password string, keep monitor.ID) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	hash, err := a.hash(ctx, password)
	if err != nil {
		return err
	}
	return a.store.SetPassword(ctx, actor, id, hash, keep)
}

// CheckPassword is nil when the password is the user's; wrong ones count as
// failed logins do.
func (a *Auth) CheckPassword(ctx context.Context, user *monitor.User, field, password, address string) error {
	_, err := a.authenticate(ctx, user.Name, password, address)
	if errors.Is(err, errBadLogin) {
		return monitor.InputErrorf(field, "the password is wrong")
	}
	return err
}

// authenticate finds the user of a name whose password this is. Anything wrong is
// errBadLogin after the same time, and slows down further tries.
func (a *Auth) authenticate(ctx context.Context, name, password, address string) (*monitor.User, error) {
	if err := a.throttle.check(name, address); err != nil {
		a.stats.Throttled.Add(1)
		return nil, err
	}
	user, hash, found, err := a.store.Login(ctx, name)
	if err != nil {
		return nil, err
	}
	if !found || hash == "" { // who comes by another provider has no password
		hash = decoyHash()
	}
	right, err := a.verify(ctx, hash, password)
	if err != nil {
		return nil, err
	}
	if !right || !found || user.Disabled {
		a.stats.BadPassword.Add(1)
		a.throttle.failed(name, address)
		return nil, errBadLogin
	}
	return user, nil
}

// checkPassword wants length, as NIST SP 800-63B does, and nothing else.
func checkPassword(password string) error {
	if n := utf8.RuneCountInString(password); n < 12 || len(password) > maxPassword {
		return monitor.InputErrorf("password", "a password has 12 characters or more, and at most %d bytes", maxPassword)
	}
	return nil
}

const tokenPrefix = "smt_"

// CreateToken makes an API token and gives its secret, which is shown once.
func (a *Auth) CreateToken(ctx context.Context, actor monitor.Actor, token monitor.APIToken) (secret string, created *monitor.APIToken, err error) {
	if len(token.Scopes) == 0 {
		return "", nil, monitor.InputErrorf("scopes", "a token needs at least one scope")
	}
	for _, scope := range token.Scopes {
		if !slices.Contains(monitor.Scopes, scope) {
			return "", nil, monitor.InputErrorf("scopes", "%q is no scope", scope)
		}
	}
	if n := utf8.RuneCountInString(token.Name); n < 1 || n > 128 {
		return "", nil, monitor.InputErrorf("name", "a token's name has 1 to 128 characters")
	}
	secret, _ = newSecret()
	secret = tokenPrefix + secret
	created, err = a.store.CreateToken(ctx, actor, token, sha256.Sum256([]byte(secret)))
	if err != nil {
		return "", nil, err
	}
	return secret, created, nil
}

// CreateTokenOf makes a token for the person who asks: it may do nothing that they
// may not, and it ends.
func (a *Auth) CreateTokenOf(ctx context.Context, v *monitor.Viewer, name string, scopes []monitor.Scope, expires time.Time) (secret string, created *monitor.APIToken, err error) {
	for _, scope := range scopes {
		if scope.Role().Rank() > v.User.Role.Rank() {
			return "", nil, monitor.InputErrorf("scopes", "the scope %s is for people of the role %s", strings.ToUpper(string(scope)), scope.Role())
		}
	}
	if left := expires.Sub(a.now()); left <= 0 || left > monitor.MaxTokenLife {
		return "", nil, monitor.InputErrorf("expiresAt", "a token ends in the future, within %d days", monitor.MaxTokenLife/(24*time.Hour))
	}
	slices.Sort(scopes)
	return a.CreateToken(ctx, v.Actor(), monitor.APIToken{Name: name, Scopes: slices.Compact(scopes), OwnerID: v.User.ID, ExpiresAt: expires.UTC().Truncate(time.Microsecond)})
}

// NewPassword makes a random password of 120 bits.
func NewPassword() string {
	b := make([]byte, 15)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}

// newSecret makes 256 random bits. Being random, they need no slow hash.
func newSecret() (secret string, hash [32]byte) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails since Go 1.24
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, sha256.Sum256([]byte(secret))
}

func parseRefresh(refresh string) (monitor.ID, [32]byte, error) {
	text, secret, ok := strings.Cut(refresh, ".")
	id, err := monitor.ParseID(text)
	if !ok || err != nil {
		return monitor.ID{}, [32]byte{}, fmt.Errorf("refresh token: %w", monitor.Errorf(monitor.CodeUnauthenticated, "there is no session; log in"))
	}
	return id, sha256.Sum256([]byte(secret)), nil
}
