// Package oidctest is a small OpenID Connect provider for tests: it says yes to
// everybody, as the person that the test names, and can be told to misbehave.
package oidctest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5" //nolint:depguard // a provider for tests signs, too
)

// What the client of the provider is called.
const (
	ClientID     = "secmon"
	ClientSecret = "the secret of the client" //nolint:gosec // for tests
)

// Provider is one that runs until the test ends.
type Provider struct {
	URL string

	t  testing.TB
	mu sync.Mutex
	// Set these with Change.
	person   map[string]any
	key      *rsa.PrivateKey
	kid      string
	alter    func(jwt.MapClaims)
	sign     func(jwt.MapClaims) string
	userinfo map[string]any
	down     bool
	codes    map[string]grant
	tokens   int // that were asked for
}

type grant struct{ challenge, nonce, redirect string }

// Start starts a provider that knows a person by these claims.
func Start(t testing.TB, person map[string]any) *Provider {
	t.Helper()
	p := &Provider{t: t, person: person, codes: map[string]grant{}}
	p.NewKey()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /jwks", p.jwks)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, p.userinfo) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	p.URL = server.URL
	t.Cleanup(server.Close)
	return p
}

// Person says who comes from now on.
func (p *Provider) Person(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person = claims
}

// Alter changes what the ID tokens say from now on; nil: nothing.
func (p *Provider) Alter(f func(jwt.MapClaims)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alter = f
}

// Sign makes the ID tokens in another way from now on; nil: as they should be.
func (p *Provider) Sign(f func(jwt.MapClaims) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sign = f
}

// Userinfo says what userinfo tells from now on.
func (p *Provider) Userinfo(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.userinfo = claims
}

// Down lets it answer nothing but errors, or serve again.
func (p *Provider) Down(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Tokens tells how often somebody came with a code.
func (p *Provider) Tokens() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tokens
}

// NewKey signs with another key from now on and forgets the one before.
func (p *Provider) NewKey() {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.t.Fatal(err)
	}
	p.key, p.kid = key, rand.Text()
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	document := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/jwks",
		"id_token_signing_alg_values_supported": []string{"RS256", "none"}, // it would, if the client let it
		"response_types_supported":              []string{"code"}, "subject_types_supported": []string{"public"},
	}
	if p.userinfo != nil {
		document["userinfo_endpoint"] = p.URL + "/userinfo"
	}
	writeJSON(w, document)
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	b64 := base64.RawURLEncoding
	writeJSON(w, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": p.kid, "n": b64.EncodeToString(p.key.N.Bytes()), "e": b64.EncodeToString(big.NewInt(int64(p.key.E)).Bytes()),
	}}})
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("nonce") == "" || q.Get("state") == "" {
		http.Error(w, "the request lacks something: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.codes[code] = grant{q.Get("code_challenge"), q.Get("nonce"), q.Get("redirect_uri")}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound) //nolint:gosec // a provider for tests, on loopback
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.tokens++
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	} else if decoded, err := url.QueryUnescape(secret); err == nil {
		secret = decoded
	}
	granted, ok := p.codes[r.PostForm.Get("code")]
	delete(p.codes, r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	switch {
	case id != ClientID || secret != ClientSecret:
		refuse(w, "invalid_client")
		return
	case !ok, granted.redirect != r.PostForm.Get("redirect_uri"), base64.RawURLEncoding.EncodeToString(sum[:]) != granted.challenge:
		refuse(w, "invalid_grant")
		return
	}
	writeJSON(w, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 60, "id_token": p.idToken(granted.nonce)})
}

func (p *Provider) idToken(nonce string) string {
	now := time.Now()
	claims := jwt.MapClaims{"iss": p.URL, "aud": ClientID, "nonce": nonce, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	for name, value := range p.person {
		claims[name] = value
	}
	if p.alter != nil {
		p.alter(claims)
	}
	if p.sign != nil {
		return p.sign(claims)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = p.kid
	signed, err := token.SignedString(p.key)
	if err != nil {
		p.t.Error(err)
	}
	return signed
}

func refuse(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code}) // the client may have left
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the client may have left
}
