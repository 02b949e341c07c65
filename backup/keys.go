package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
)

// Recipients are whom a file is encrypted for.
type Recipients []age.Recipient

// Identities are what opens a file.
type Identities []age.Identity

// Errors that are nobody's damage.
var (
	ErrNoKey  = errors.New("none of the keys opens this backup")
	ErrFormat = errors.New("the backup has a format that this program does not read")
)

// minPassphrase is how long a passphrase is at least, in bytes: whoever has the
// file may try without end.
const minPassphrase = 16

// ParseRecipients reads public keys (age1..., and age's post-quantum ones), each by
// itself, and files with one in a line; or a file with a passphrase, alone.
func ParseRecipients(keys, files []string, passphraseFile string) (Recipients, error) {
	if passphraseFile != "" {
		if len(keys)+len(files) > 0 {
			return nil, errors.New("a backup is for public keys or for a passphrase, not for both")
		}
		passphrase, err := readPassphrase(passphraseFile)
		if err != nil {
			return nil, err
		}
		recipient, err := age.NewScryptRecipient(passphrase)
		if err != nil {
			return nil, err
		}
		return Recipients{recipient}, nil
	}
	var all Recipients
	texts := []io.Reader{strings.NewReader(strings.Join(keys, "\n"))}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("recipients: %w", err)
		}
		texts = append(texts, bytes.NewReader(text))
	}
	for _, text := range texts {
		some, err := age.ParseRecipients(text)
		if err != nil && !strings.Contains(err.Error(), "no recipients found") {
			return nil, fmt.Errorf("recipients: %w", err) // a public key is no secret
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil, errors.New("a backup is encrypted: name a public key with --recipient, or a --passphrase-file")
	}
	return all, nil
}

// ParseIdentities reads files with private keys (AGE-SECRET-KEY-1...), or one with
// the passphrase. Nothing of them stands in an error.
func ParseIdentities(files []string, passphraseFile string) (Identities, error) {
	var all Identities
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("private keys: %w", err)
		}
		some, err := age.ParseIdentities(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("private keys: %s holds something that is no private key of age", name)
		}
		all = append(all, some...)
	}
	if passphraseFile != "" {
		passphrase, err := readPassphrase(passphraseFile)
		if err != nil {
			return nil, err
		}
		identity, err := age.NewScryptIdentity(passphrase)
		if err != nil {
			return nil, err
		}
		all = append(all, identity)
	}
	if len(all) == 0 {
		return nil, errors.New("a backup is encrypted: name a private key with --identity-file, or a --passphrase-file")
	}
	return all, nil
}

func readPassphrase(name string) (string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("passphrase: %w", err)
	}
	passphrase := strings.TrimRight(string(text), "\r\n")
	if len(passphrase) < minPassphrase {
		return "", fmt.Errorf("passphrase: %s holds fewer than %d bytes", name, minPassphrase)
	}
	return passphrase, nil
}

// NewIdentity makes a pair of keys. The private one goes to a new file that only
// its owner reads; the public one is given back.
func NewIdentity(file string) (public string, err error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return "", err
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("new key: %w", err)
	}
	_, err = fmt.Fprintf(out, "# public key: %s\n%s\n", identity.Recipient(), identity)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return "", fmt.Errorf("new key: %w", err)
	}
	return identity.Recipient().String(), nil
}
