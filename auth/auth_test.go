package auth_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const (
	password = "correct horse battery staple"
	keys     = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" // for tests, known to everybody
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newAuth(t *testing.T) (*auth.Auth, *db.Store, *clock) {
	t.Helper()
	c := &clock{at: time.Now().UTC()}
	store, err := db.Open(t.Context(), db.Options{DSN: dbtest.DSN(t), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	k, err := auth.ParseKeys(keys)
	if err != nil {
		t.Fatal(err)
	}
	a := auth.New(store, k, c.now)
	if _, err := a.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: "Ana", Role: monitor.RoleAnalyst}, password); err != nil {
		t.Fatal(err)
	}
	return a, store, c
}

func login(t *testing.T, a *auth.Auth) *auth.Session {
	t.Helper()
	s, err := a.Login(t.Context(), auth.Login{Name: "ana", Password: password, Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantUnauthenticated(t *testing.T, what string, err error) {
	t.Helper()
	if monitor.CodeOf(err) != monitor.CodeUnauthenticated {
		t.Errorf("%s: %v, want UNAUTHENTICATED", what, err)
	}
}

// A rotation once ran in a transaction that wrote nothing into the journal and
// was therefore rolled back: everybody was thrown out at the second refresh.
func TestSessionLivesThroughManyRefreshes(t *testing.T) {
	a, _, c := newAuth(t)
	s := login(t, a)
	for i := range 20 {
		c.pass(14 * time.Minute)
		next, err := a.Refresh(t.Context(), s.Refresh)
		if err != nil {
			t.Fatalf("refresh %d: %v", i+1, err)
		}
		if next.Refresh == s.Refresh {
			t.Fatal("the refresh token was not rotated")
		}
		if _, err := a.Viewer(t.Context(), next.AccessToken); err != nil {
			t.Fatalf("access token of refresh %d: %v", i+1, err)
		}
		s = next
	}
	c.pass(auth.SessionLifetime + time.Second)
	_, err := a.Refresh(t.Context(), s.Refresh)
	wantUnauthenticated(t, "a session that nobody refreshed for its lifetime", err)
}

func TestReusedRefreshTokenEndsTheSession(t *testing.T) {
	a, _, c := newAuth(t)
	stolen := login(t, a)
	owner, err := a.Refresh(t.Context(), stolen.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	c.pass(time.Minute)
	_, err = a.Refresh(t.Context(), stolen.Refresh)
	wantUnauthenticated(t, "the rotated token", err)
	_, err = a.Refresh(t.Context(), owner.Refresh)
	wantUnauthenticated(t, "the owner's token after the theft showed", err)
	_, err = a.Viewer(t.Context(), owner.AccessToken)
	wantUnauthenticated(t, "the owner's access token after the theft showed", err)
}

func TestLostAnswerDoesNotEndTheSession(t *testing.T) {
	a, _, c := newAuth(t)
	s := login(t, a)
	if _, err := a.Refresh(t.Context(), s.Refresh); err != nil { // the client never sees this answer
		t.Fatal(err)
	}
	c.pass(3 * time.Second)
	again, err := a.Refresh(t.Context(), s.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	c.pass(time.Minute)
	if _, err := a.Refresh(t.Context(), again.Refresh); err != nil {
		t.Error(err)
	}
}

func TestLogoutAndNewPasswordEndSessionsAtOnce(t *testing.T) {
	a, store, _ := newAuth(t)
	s := login(t, a)
	if err := a.Logout(t.Context(), s.Refresh); err != nil {
		t.Fatal(err)
	}
	_, err := a.Viewer(t.Context(), s.AccessToken)
	wantUnauthenticated(t, "after logout", err)

	s = login(t, a)
	user, _, _, err := store.Login(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SetPassword(t.Context(), monitor.SystemActor, user.ID, password+"!", monitor.ID{}); err != nil {
		t.Fatal(err)
	}
	_, err = a.Viewer(t.Context(), s.AccessToken)
	wantUnauthenticated(t, "after a new password", err)
	_, err = a.Login(t.Context(), auth.Login{Name: "ana", Password: password, Address: "192.0.2.1"})
	wantUnauthenticated(t, "the old password", err)
}

func TestAccessTokenEnds(t *testing.T) {
	a, _, c := newAuth(t)
	s := login(t, a)
	c.pass(auth.AccessLifetime + time.Second)
	_, err := a.Viewer(t.Context(), s.AccessToken)
	wantUnauthenticated(t, "an old access token", err)
	if !strings.Contains(err.Error(), "expired") {
		t.Errorf("%v does not say that the token has expired", err)
	}
}

func TestAPITokens(t *testing.T) {
	a, _, c := newAuth(t)
	token := monitor.APIToken{Name: "shipper", Scopes: []monitor.Scope{monitor.ScopeIngest}, ExpiresAt: c.now().Add(time.Hour).Truncate(time.Microsecond)}
	secret, _, err := a.CreateToken(t.Context(), monitor.SystemActor, token)
	if err != nil {
		t.Fatal(err)
	}
	viewer, err := a.Viewer(t.Context(), secret)
	if err != nil || !viewer.HasScope(monitor.ScopeIngest) || viewer.Role() != "" {
		t.Errorf("%+v, %v", viewer, err)
	}
	c.pass(2 * time.Hour)
	_, err = a.Viewer(t.Context(), secret)
	wantUnauthenticated(t, "an expired API token", err)
	for name, bad := range map[string]monitor.APIToken{"no scope": {Name: "x"}, "unknown scope": {Name: "x", Scopes: []monitor.Scope{"root"}}, "no name": {Scopes: []monitor.Scope{"read"}}} {
		if _, _, err := a.CreateToken(t.Context(), monitor.SystemActor, bad); monitor.CodeOf(err) != monitor.CodeBadInput {
			t.Errorf("%s: %v, want BAD_INPUT", name, err)
		}
	}
}

func TestThrottleWaitsAndForgets(t *testing.T) {
	a, _, c := newAuth(t)
	for range 6 {
		_, err := a.Login(t.Context(), auth.Login{Name: "ana", Password: "a wrong password", Address: "192.0.2.9"})
		if monitor.CodeOf(err) == monitor.CodeRateLimited {
			break
		}
	}
	if _, err := a.Login(t.Context(), auth.Login{Name: "ana", Password: password, Address: "192.0.2.10"}); monitor.CodeOf(err) != monitor.CodeRateLimited {
		t.Errorf("the right password from elsewhere right after guessing: %v, want RATE_LIMITED", err)
	}
	c.pass(time.Minute)
	if _, err := a.Login(t.Context(), auth.Login{Name: "ana", Password: password, Address: "192.0.2.10"}); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

func TestKeysRotate(t *testing.T) {
	const fresh = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
	a, store, c := newAuth(t)
	s := login(t, a)
	both, err := auth.ParseKeys(fresh + "," + keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := auth.New(store, both, c.now).Viewer(t.Context(), s.AccessToken); err != nil {
		t.Errorf("a token of the key that stands second: %v", err)
	}
	only, err := auth.ParseKeys(fresh)
	if err != nil {
		t.Fatal(err)
	}
	_, err = auth.New(store, only, c.now).Viewer(t.Context(), s.AccessToken)
	wantUnauthenticated(t, "a token of a key that is gone", err)
}
