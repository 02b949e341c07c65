package backup

import (
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// A part is a backup in a directory that is not whole yet. Whoever writes it holds a
// lock on it, which ends with the process, however that ends.
const partPattern = ".secmon-part-*"

var partName = regexp.MustCompile(`^\.secmon-part-\d+$`)

// staleAfter is how long nobody has written to a part that is given up. The lock
// alone does not say it where other machines write to the same share and its
// file system keeps locks to itself.
const staleAfter = 15 * time.Minute

// newPart makes a part of ours, with mode 0600.
func (d directory) newPart() (*os.File, error) {
	part, err := os.CreateTemp(string(d), partPattern)
	if err != nil {
		return nil, err
	}
	_ = lock(part) // where the file system has no locks nobody gets one to remove it
	return part, nil
}

func lock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// removeStale removes the parts of backups that were killed. What cannot be removed
// now is no reason to make no backup: the next one tries again.
func (d directory) removeStale(now time.Time) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && partName.MatchString(e.Name()) && info.Mode().IsRegular() && now.Sub(info.ModTime()) > staleAfter {
			removeUnlocked(filepath.Join(string(d), e.Name()))
		}
	}
}

func removeUnlocked(path string) {
	part, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // a part by its name and kind
	if err != nil {
		return
	}
	if lock(part) == nil {
		_ = os.Remove(path)
	}
	_ = part.Close()
}
