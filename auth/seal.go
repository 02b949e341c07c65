package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
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
