package localdb

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestMissingServerSaysWhatToRun(t *testing.T) {
	_, err := find("no-such-database-server")
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "scripts/install-deps.sh servers") {
		t.Errorf("error %v", err)
	}
}

// Whoever makes the directory in /tmp first could put his own socket there.
func TestShortDirectoryOfSomebodyElseIsRefused(t *testing.T) {
	dir := t.TempDir()
	short, err := shortDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(short) })
	if again, err := shortDir(dir); err != nil || again != short {
		t.Errorf("the next process gets %s, %v; want %s", again, err, short)
	}
	if err := os.Chmod(short, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := shortDir(dir); err == nil {
		t.Error("a directory that others may enter was taken")
	}
	if err := os.Remove(short); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), short); err != nil {
		t.Fatal(err)
	}
	if _, err := shortDir(dir); err == nil {
		t.Error("a symbolic link was taken")
	}
}
