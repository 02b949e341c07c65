package backup

import (
	"io"

	"filippo.io/age"
)

// Seal encrypts what is written for the recipients, as a backup is; without any it
// hands on what it gets. Closing it ends the file and leaves w open.
func Seal(w io.Writer, keys Recipients) (io.WriteCloser, error) {
	if len(keys) == 0 {
		return plainWriter{w}, nil
	}
	return age.Encrypt(w, keys...)
}

// Unseal reads what Seal has encrypted.
func Unseal(r io.Reader, keys Identities) (io.Reader, error) {
	if len(keys) == 0 {
		return nil, ErrNoKey
	}
	return age.Decrypt(r, keys...)
}

type plainWriter struct{ io.Writer }

// Close does nothing.
func (plainWriter) Close() error { return nil }
