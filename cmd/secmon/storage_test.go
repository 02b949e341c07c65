package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mistyped --data-dir must not give an empty database: the token or user that
// somebody then makes is in no server, and what they look for seems lost.
func TestOnlyServeMakesADatabase(t *testing.T) {
	dir := t.TempDir()
	rules, file := filepath.Join(dir, "rules"), filepath.Join(dir, "file")
	if err := os.Mkdir(rules, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pass"), []byte("a passphrase of some length\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pass := filepath.Join(dir, "pass")
	for _, args := range [][]string{
		{"token", "create", "--name", "x", "--scope", "read"},
		{"token", "list"},
		{"token", "revoke", "01890000-0000-7000-8000-000000000000"},
		{"user", "create", "ana"},
		{"user", "password", "ana"},
		{"user", "update", "ana", "--disable"},
		{"rules", "import", rules},
		{"journal", "verify"},
		{"journal", "export"},
		{"migrate"},
		{"backup", "--to", filepath.Join(dir, "x.backup"), "--passphrase-file", pass},
		{"restore", "--passphrase-file", pass, file},
		{"keys", "reseal", "--sealing-keys-file", file},
		{"epoch", "new"},
	} {
		t.Run(strings.Join(args[:min(2, len(args))], " "), func(t *testing.T) {
			typo := filepath.Join(t.TempDir(), "secmno")
			inputOf(t, "long enough a password\n")
			err := run(t.Context(), append(args, "--data-dir", typo))
			if err == nil || !strings.Contains(err.Error(), typo) || !strings.Contains(err.Error(), "--data-dir") || !strings.Contains(err.Error(), "secmon serve") {
				t.Errorf("got %v, want an error that names %s and says what to do", err, typo)
			}
			if _, err := os.Stat(typo); !os.IsNotExist(err) {
				t.Errorf("%s was made (%v)", typo, err)
			}
		})
	}
}

// A directory that is there and holds something else is no data directory either.
func TestDirectoryOfOtherThingsIsNoDatabase(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notes"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(context.Background(), []string{"token", "list", "--data-dir", dir}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("in it there is %v (%v)", left, err)
	}
}

// inputOf makes text the standard input of the test.
func inputOf(t *testing.T, text string) {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stdin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file, text); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	os.Stdin = file
	t.Cleanup(func() { os.Stdin = before; _ = file.Close() })
}
