package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/security-monitor/secmon/monitor"
)

// Keys sign and check access tokens (HMAC SHA-256). The first signs, all of them
// check. A key is rotated in three steps, each on all replicas: the new one behind
// the old, then in front of it, then, after AccessLifetime, alone: a replica must
// know a key before another one signs with it.
type Keys struct {
	current string
	byID    map[string][]byte
}

const minKey = 32 // bytes

// ParseKeys reads keys in base64 (raw or padded, standard or URL), separated by
// white space or commas, each of 32 bytes or more.
func ParseKeys(text string) (*Keys, error) {
	k := &Keys{byID: map[string][]byte{}}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == ' ' || r == '\r' || r == '\t' }) {
		word = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(word), "=")
		key, err := base64.RawURLEncoding.DecodeString(word)
		if err != nil || len(key) < minKey {
			return nil, fmt.Errorf("a JWT key must be base64 of %d bytes or more", minKey) // the key itself is not shown
		}
		sum := sha256.Sum256(key)
		id := base64.RawURLEncoding.EncodeToString(sum[:6])
		if k.current == "" {
			k.current = id
		}
		k.byID[id] = key
	}
	if k.current == "" {
		return nil, errors.New("there is no JWT key")
	}
	return k, nil
}

// KeysFromFile reads keys from a file and makes the file with a new key when it
// is missing.
func KeysFromFile(path string) (*Keys, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator's own path
	if errors.Is(err, os.ErrNotExist) {
		text, err = createKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("JWT key file: %w", err)
	}
	return ParseKeys(string(text))
}

// createKey writes a new key; where another process was faster it gives that one's.
func createKey(path string) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	text := []byte(NewKey() + "\n")
	temp, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // the link below keeps it
	if _, err := temp.Write(text); err != nil {
		return nil, err
	}
	if err := temp.Close(); err != nil {
		return nil, err
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // the operator's own path
}

// Derive gives keys for another purpose, the same on all replicas, that of the key
// that signs first.
func (a *Auth) Derive(purpose string) [][]byte {
	k := a.keys
	derive := func(key []byte) []byte {
		m := hmac.New(sha256.New, key)
		_, _ = m.Write([]byte(purpose)) // a hash takes everything
		return m.Sum(nil)
	}
	out := [][]byte{derive(k.byID[k.current])}
	for id, key := range k.byID {
		if id != k.current {
			out = append(out, derive(key))
		}
	}
	return out
}

type claims struct {
	Session string `json:"sid"`
	jwt.RegisteredClaims
}

const issuer = "secmon"

func (k *Keys) sign(session, user monitor.ID, now, expires time.Time) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{Session: session.String(), RegisteredClaims: jwt.RegisteredClaims{
		Issuer: issuer, Subject: user.String(), IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
	}})
	token.Header["kid"] = k.current
	signed, err := token.SignedString(k.byID[k.current])
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return signed, nil
}

// verify gives the session of an access token and when the token ends.
func (k *Keys) verify(token string, now time.Time) (monitor.ID, time.Time, error) {
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		key, ok := k.byID[kid]
		if !ok {
			return nil, errors.New("unknown key")
		}
		return key, nil
	}, jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return now }))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return monitor.ID{}, time.Time{}, monitor.Errorf(monitor.CodeUnauthenticated, "the access token has expired")
	case err != nil:
		return monitor.ID{}, time.Time{}, monitor.Errorf(monitor.CodeUnauthenticated, "the access token is not valid")
	}
	id, err := monitor.ParseID(c.Session)
	if err != nil {
		return monitor.ID{}, time.Time{}, monitor.Errorf(monitor.CodeUnauthenticated, "the access token is not valid")
	}
	return id, c.ExpiresAt.Time, nil
}
