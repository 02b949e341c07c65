package auth

import "golang.org/x/crypto/argon2"

// CountHashes calls f with the parameters of each password hash that is computed.
func (a *Auth) CountHashes(f func(time, memory uint32)) {
	a.idKey = func(password, salt []byte, time, memory uint32, threads uint8, length uint32) []byte {
		f(time, memory)
		return argon2.IDKey(password, salt, time, memory, threads, length)
	}
}
