package auth

import (
	"golang.org/x/crypto/argon2"

	"github.com/security-monitor/secmon/monitor"
)

// CountHashes calls f with the parameters of each password hash that is computed.
func (a *Auth) CountHashes(f func(time, memory uint32)) {
	a.idKey = func(password, salt []byte, time, memory uint32, threads uint8, length uint32) []byte {
		f(time, memory)
		return argon2.IDKey(password, salt, time, memory, threads, length)
	}
}

// Seal and Open are seal and open.
func (k *Keys) Seal(user monitor.ID, secret string) ([]byte, error) { return k.seal(user, secret) }

// Open opens what Seal made.
func (k *Keys) Open(user monitor.ID, sealed []byte) (string, error) { return k.open(user, sealed) }
