package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/auth/oidctest"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

var ana = map[string]any{"sub": "7", "preferred_username": "Ana", "name": "Ana Ruiz", "groups": []string{"staff", "soc"}}

// withOIDC is a configuration with a provider; the server listens where it says.
func withOIDC(t *testing.T, p *oidctest.Provider) app.Config {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its port was wanted
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.Listen, cfg.PublicURL = l.Addr().String(), "http://"+l.Addr().String()
	cfg.OIDC = app.OIDC{
		Issuer: p.URL, ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret, Name: "Example", Scopes: []string{"profile"},
		RoleClaim: "groups", Roles: map[string][]string{"admin": {"sec-admins"}, "ANALYST": {"soc", "night"}},
	}
	return cfg
}

// browser follows addresses and keeps cookies, up to the pages of the dashboard.
type browser struct {
	*http.Client
	t    *testing.T
	base string
}

func newBrowser(t *testing.T, r *replica) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, base: r.URL()}
	b.Client = &http.Client{Jar: jar, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		if next.URL.Path == "/login" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return b
}

// open gives where on the login page an address ends.
func (b *browser) open(address string) url.Values {
	b.t.Helper()
	response := b.get(address)
	to, err := response.Location()
	if err != nil || to.Path != "/login" || !strings.HasPrefix(to.String(), b.base) {
		b.t.Fatalf("%s ends at %s %v", address, response.Status, err)
	}
	return to.Query()
}

func (b *browser) get(address string) *http.Response {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	response, err := b.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response
}

// token is what the login page gets when it asks for the session that began.
func (b *browser) token() string {
	b.t.Helper()
	body := strings.NewReader(`{"query":"mutation { sessionRefresh { accessToken errors { code } } }"}`)
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+"/api/graphql", body)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := b.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	var answer struct {
		Data struct{ SessionRefresh struct{ AccessToken *string } }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		b.t.Fatal(err)
	}
	if answer.Data.SessionRefresh.AccessToken == nil {
		return ""
	}
	return *answer.Data.SessionRefresh.AccessToken
}

func (b *browser) start(to string) string {
	return b.base + "/api/auth/oidc/start?" + url.Values{"to": {to}}.Encode()
}

// stopAt gives the address that the provider sends the browser back to, unvisited.
func (b *browser) callback() *url.URL {
	b.t.Helper()
	follow := b.CheckRedirect
	defer func() { b.CheckRedirect = follow }()
	b.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
		if next.URL.Path == "/api/auth/oidc/callback" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	to, err := b.get(b.start("/")).Location()
	if err != nil {
		b.t.Fatal(err)
	}
	return to
}

type person struct{ Name, DisplayName, Role string }

func who(t *testing.T, r *replica, bearer string) person {
	t.Helper()
	var data struct{ Viewer struct{ User person } }
	post(t, r.URL(), bearer, `{ viewer { user { name displayName role } } }`, nil, &data)
	return data.Viewer.User
}

// Somebody whom the provider knows comes in for the first time, later with another
// role, and not any more once they are shut out here.
func TestPeopleComeByTheirProvider(t *testing.T) {
	p := oidctest.Start(t, ana)
	r := startReplica(t, withOIDC(t, p))
	admin := login(t, r.URL(), "admin", testPassword)

	b := newBrowser(t, r)
	if got := b.open(b.start("/alerts?severity=high")); got.Get("sso") != "1" || got.Get("to") != "/alerts?severity=high" {
		t.Fatalf("%v", got)
	}
	bearer := b.token()
	if got := who(t, r, bearer); got != (person{"ana", "Ana Ruiz", "ANALYST"}) {
		t.Fatalf("%+v", got)
	}
	var entries struct {
		Journal struct {
			Nodes []struct {
				Action string
				Actor  struct{ Name string }
			}
		}
	}
	post(t, r.URL(), admin, `{ journal(first: 2) { nodes { action actor { name } } } }`, nil, &entries)
	if n := entries.Journal.Nodes; n[0].Action != "session.login" || n[0].Actor.Name != "ana" || n[1].Action != "user.create" {
		t.Errorf("%+v", n)
	}
	if got := post(t, r.URL(), "", `mutation { sessionLogin(input: {name: "ana", password: ""}) { accessToken errors { code } } }`, nil, nil); !strings.Contains(string(got.Data), "UNAUTHENTICATED") {
		t.Errorf("by an empty password: %s", got.Data)
	}

	p.Person(with(ana, "groups", "sec-admins", "name", "Somebody Else"))
	b = newBrowser(t, r)
	b.open(b.start("/"))
	if got := who(t, r, b.token()); got != (person{"ana", "Ana Ruiz", "ADMIN"}) {
		t.Errorf("with another group: %+v", got)
	}
	p.Person(with(ana, "groups", []string{"sales"}))
	if got := b.open(b.start("/")); got.Get("error") != "OIDC_ROLE" {
		t.Errorf("without a role: %v", got)
	}
	p.Person(with(ana, "sub", "8", "preferred_username", "admin"))
	if got := newBrowser(t, r).open(b.start("/")); got.Get("error") != "OIDC_NAME" {
		t.Errorf("as somebody who is there: %v", got)
	}
	p.Person(with(ana, "sub", "9", "preferred_username", "not a name", "email", "ben@example.com"))
	b = newBrowser(t, r)
	b.open(b.start("/"))
	if got := who(t, r, b.token()); got.Name != "ben@example.com" {
		t.Errorf("by mail: %+v", got)
	}

	p.Person(ana)
	var people struct {
		Users struct{ Nodes []struct{ ID, Name string } }
	}
	post(t, r.URL(), admin, `{ users(first: 10) { nodes { id name } } }`, nil, &people)
	for _, u := range people.Users.Nodes {
		if u.Name == "ana" {
			post(t, r.URL(), admin, `mutation($id: ID!) { userUpdate(input: {id: $id, disabled: true}) { errors { code } } }`, map[string]any{"id": u.ID}, nil)
		}
	}
	if got := b.open(b.start("/")); got.Get("error") != "OIDC_DISABLED" {
		t.Errorf("shut out: %v", got)
	}
	if response := b.get(r.URL() + "/api/auth/methods"); response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", response)
	}
}

// Groups that stand in userinfo only count as well; those of somebody else do not.
func TestProviderTellsGroupsByUserinfo(t *testing.T) {
	p := oidctest.Start(t, map[string]any{"sub": "7", "preferred_username": "ana"})
	p.Userinfo(map[string]any{"sub": "7", "groups": []string{"night"}})
	r := startReplica(t, withOIDC(t, p))
	b := newBrowser(t, r)
	b.open(b.start("/"))
	if got := who(t, r, b.token()); got.Role != "ANALYST" {
		t.Errorf("%+v", got)
	}
	p.Userinfo(map[string]any{"sub": "8", "groups": []string{"sec-admins"}})
	if got := b.open(b.start("/")); got.Get("error") != "OIDC_FAILED" {
		t.Errorf("%v", got)
	}
}

// A login that somebody else began, that comes again, or whose token is not for us
// lets nobody in, and nothing of it reaches the log.
func TestForgedLoginsAreRefused(t *testing.T) {
	p := oidctest.Start(t, ana)
	cfg := withOIDC(t, p)
	logged := &safeBuffer{}
	r := startReplicaLogging(t, cfg, logged)
	var secrets []string

	other := oidctest.Start(t, ana)
	for name, c := range map[string]struct {
		alter func(jwt.MapClaims)
		sign  func(jwt.MapClaims) string
	}{
		"another nonce":    {alter: func(c jwt.MapClaims) { c["nonce"] = "x" }},
		"no nonce":         {alter: func(c jwt.MapClaims) { delete(c, "nonce") }},
		"another audience": {alter: func(c jwt.MapClaims) { c["aud"] = "somebody" }},
		"another issuer":   {alter: func(c jwt.MapClaims) { c["iss"] = other.URL }},
		"an old token":     {alter: func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }},
		"no signature": {sign: func(c jwt.MapClaims) string {
			text, err := jwt.NewWithClaims(jwt.SigningMethodNone, c).SignedString(jwt.UnsafeAllowNoneSignatureType)
			if err != nil {
				t.Error(err)
			}
			return text
		}},
		"signed with the client's secret": {sign: func(c jwt.MapClaims) string {
			text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(oidctest.ClientSecret))
			if err != nil {
				t.Error(err)
			}
			return text
		}},
		"no token": {sign: func(jwt.MapClaims) string { return "x.y.z" }},
	} {
		p.Alter(c.alter)
		p.Sign(c.sign)
		b := newBrowser(t, r)
		if got := b.open(b.start("/")); got.Get("error") != "OIDC_FAILED" || got.Get("request") == "" || b.token() != "" {
			t.Errorf("%s: %v", name, got)
		}
	}
	p.Alter(nil)
	p.Sign(nil)

	victim, attacker := newBrowser(t, r), newBrowser(t, r)
	theirs := attacker.callback()
	secrets = append(secrets, theirs.Query().Get("code"), theirs.Query().Get("state"))
	before := p.Tokens()
	if got := victim.open(theirs.String()); got.Get("error") != "OIDC_STATE" || victim.token() != "" {
		t.Errorf("a login that somebody else began: %v", got)
	}
	victim.callback() // it has begun one itself
	if got := victim.open(theirs.String()); got.Get("error") != "OIDC_STATE" || victim.token() != "" {
		t.Errorf("a login that somebody else began, while an own one is under way: %v", got)
	}
	if p.Tokens() != before {
		t.Error("the provider was asked about a login that somebody else began")
	}
	if got := attacker.open(theirs.String()); got.Get("sso") != "1" {
		t.Fatalf("%v", got)
	}
	if got := attacker.open(theirs.String()); got.Get("error") != "OIDC_STATE" {
		t.Errorf("the same answer again: %v", got)
	}
	own := victim.callback()
	own.RawQuery = url.Values{"state": {own.Query().Get("state")}, "code": {"made-up"}}.Encode()
	if got := victim.open(own.String()); got.Get("error") != "OIDC_FAILED" {
		t.Errorf("a code that the provider did not give: %v", got)
	}
	// The attacker's code with the victim's own state: PKCE binds it to the attacker's browser.
	stolen, mine := attacker.callback(), victim.callback()
	mine.RawQuery = url.Values{"state": {mine.Query().Get("state")}, "code": {stolen.Query().Get("code")}}.Encode()
	if got := victim.open(mine.String()); got.Get("error") != "OIDC_FAILED" || victim.token() != "" {
		t.Errorf("another's code: %v", got)
	}
	denied := victim.callback()
	denied.RawQuery = url.Values{"state": {denied.Query().Get("state")}, "error": {"access_denied"}}.Encode()
	if got := victim.open(denied.String()); got.Get("error") != "OIDC_DENIED" {
		t.Errorf("%v", got)
	}

	for _, to := range []string{"//evil.example", `/\evil.example`, "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "evil", ""} {
		b := newBrowser(t, r)
		if got := b.open(b.start(to)).Get("to"); got != "/" {
			t.Errorf("back to %q leads to %q", to, got)
		}
	}
	for _, secret := range append(secrets, oidctest.ClientSecret) {
		if strings.Contains(logged.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if !strings.Contains(logged.String(), "OIDC_STATE") {
		t.Error("the log says nothing of who was not let in")
	}
}

// The provider may be away while the server starts, and may change its keys.
func TestProviderComesAndGoes(t *testing.T) {
	p := oidctest.Start(t, ana)
	p.Down(true)
	r := startReplica(t, withOIDC(t, p))
	b := newBrowser(t, r)
	for range 3 {
		if got := b.open(b.start("/")); got.Get("error") != "OIDC_UNAVAILABLE" {
			t.Fatalf("%v", got)
		}
	}
	p.Down(false)
	eventually(t, "the provider to be asked again", func() bool { return b.open(b.start("/")).Get("sso") == "1" })
	p.NewKey()
	if got := b.open(b.start("/")); got.Get("sso") != "1" {
		t.Errorf("with a new key: %v", got)
	}
}

// A login by the provider ends, however often it is refreshed.
func TestProviderIsAskedAgain(t *testing.T) {
	p := oidctest.Start(t, ana)
	cfg := withOIDC(t, p)
	cfg.OIDC.Lasts = 2 * time.Second
	r := startReplica(t, cfg)
	b := newBrowser(t, r)
	b.open(b.start("/"))
	bearer := b.token()
	if bearer == "" || b.token() == "" {
		t.Fatal("it cannot be refreshed")
	}
	eventually(t, "the login to end", func() bool { return b.token() == "" })
	if got := post(t, r.URL(), bearer, `{ viewer { role } }`, nil, nil); got.code() != "UNAUTHENTICATED" {
		t.Errorf("%+v", got)
	}
	if b.open(b.start("/")); b.token() == "" {
		t.Error("the provider lets nobody in again")
	}
}

// With passwords switched off the provider is the only way in for people; tokens
// work on.
func TestPasswordsAreSwitchedOff(t *testing.T) {
	p := oidctest.Start(t, ana)
	cfg := withOIDC(t, p)
	cfg.NoPasswordLogin = true
	r := startReplica(t, cfg)
	if got := post(t, r.URL(), "", `mutation { sessionLogin(input: {name: "admin", password: "`+testPassword+`"}) { accessToken } }`, nil, nil); got.code() != "FORBIDDEN" {
		t.Errorf("%+v", got)
	}
	token, _ := apiToken(t, r, time.Time{}, monitor.ScopeRead)
	if got := post(t, r.URL(), token, `{ alerts(first: 1) { nodes { id } } }`, nil, nil); got.code() != "" {
		t.Errorf("%+v", got)
	}
	b := newBrowser(t, r)
	b.open(b.start("/"))
	if b.token() == "" {
		t.Error("nobody comes in by the provider")
	}

	cfg.OIDC = app.OIDC{}
	if _, err := app.New(context.Background(), cfg, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a server starts that nobody can log in to")
	}
}

func with(claims map[string]any, more ...any) map[string]any {
	claims = maps.Clone(claims)
	for i := 0; i < len(more); i += 2 {
		claims[more[i].(string)] = more[i+1]
	}
	return claims
}

type safeBuffer struct {
	mu  sync.Mutex
	out bytes.Buffer
}

// Write takes what is logged.
func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

// String is all of it.
func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}
