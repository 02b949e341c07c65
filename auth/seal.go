package auth

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/security-monitor/secmon/monitor"
)

var errNotSealed = errors.New("a sealed secret cannot be opened: its key is gone, or it was changed")

// keyIDLen is the length of a key's id in Keys, in bytes.
const keyIDLen = 8

// seal encrypts a secret of a user with the current key: AES-256-GCM, with the
// user's id bound to it, so that one user's secret is none of another's.
func (k *Keys) seal(user monitor.ID, secret string) ([]byte, error) {
	aead, err := k.sealing(k.current)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	return aead.Seal(append([]byte(k.current), nonce...), nonce, []byte(secret), user[:]), nil
}

// open decrypts what seal made, with whichever key made it.
func (k *Keys) open(user monitor.ID, sealed []byte) (string, error) {
	if len(sealed) < keyIDLen {
		return "", errNotSealed
	}
	aead, err := k.sealing(string(sealed[:keyIDLen]))
	if err != nil {
		return "", err
	}
	sealed = sealed[keyIDLen:]
	if len(sealed) < aead.NonceSize() {
		return "", errNotSealed
	}
	secret, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], user[:])
	if err != nil {
		return "", errNotSealed
	}
	return string(secret), nil
}

func (k *Keys) sealing(id string) (cipher.AEAD, error) {
	key, ok := k.byID[id]
	if !ok {
		return nil, errNotSealed
	}
	derived, err := hkdf.Key(sha256.New, key, nil, "secmon sealed secret", 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return cipher.NewGCM(block)
}

// SealedSecrets keeps them.
type SealedSecrets interface {
	// SealedSecrets gives up to limit of them, of users behind after, in order.
	SealedSecrets(ctx context.Context, after monitor.ID, limit int) ([]monitor.SealedSecret, error)
	// ReplaceSealed changes one that is still the old one, and otherwise nothing.
	ReplaceSealed(ctx context.Context, user monitor.ID, old, sealed []byte) error
}

// Reseal seals every secret anew that another key than the current one sealed, so
// that old keys may go. It gives how many; one that no key opens is counted in lost
// and left: its owner's recovery codes work, and an administrator can take the
// second factor away. It may run beside servers, and again.
func Reseal(ctx context.Context, store SealedSecrets, keys *Keys) (resealed, lost int, err error) {
	for after := (monitor.ID{}); ; {
		some, err := store.SealedSecrets(ctx, after, 100)
		if err != nil || len(some) == 0 {
			return resealed, lost, err
		}
		for _, s := range some {
			after = s.User
			if len(s.Sealed) >= keyIDLen && string(s.Sealed[:keyIDLen]) == keys.current {
				continue
			}
			secret, err := keys.open(s.User, s.Sealed)
			if errors.Is(err, errNotSealed) {
				lost++
				continue
			}
			if err != nil {
				return resealed, lost, err
			}
			sealed, err := keys.seal(s.User, secret)
			if err != nil {
				return resealed, lost, err
			}
			if err := store.ReplaceSealed(ctx, s.User, s.Sealed, sealed); err != nil {
				return resealed, lost, err
			}
			resealed++
		}
	}
}

// NewKey makes a key for access tokens or for sealing, in base64.
func NewKey() string {
	key := make([]byte, minKey)
	_, _ = rand.Read(key) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(key)
}

// Seal encrypts a secret of an entity, bound to its id.
func (a *Auth) Seal(of monitor.ID, secret string) ([]byte, error) { return a.sealing.seal(of, secret) }

// Open decrypts what Seal made.
func (a *Auth) Open(of monitor.ID, sealed []byte) (string, error) { return a.sealing.open(of, sealed) }
