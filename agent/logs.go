package agent

import (
	"context"
	"os"
)

// authLogs are where systems without a journal have logins: Debian's and Red Hat's.
var authLogs = []string{"/var/log/auth.log", "/var/log/secure"}

// FindLogs tells what this machine has: a journal with entries that we may read, or files.
func FindLogs(ctx context.Context) (hasJournal bool, files []string) {
	if entry, err := newestEntry(ctx); err == nil && len(entry) > 0 {
		return true, nil
	}
	for _, path := range authLogs {
		if file, err := os.Open(path); err == nil { //nolint:gosec // of the list above
			_ = file.Close()
			files = append(files, path)
		}
	}
	return false, files
}

// DefaultFolders are where programs are put to run again, or for a while; those of the
// machine that are there.
func DefaultFolders() []string {
	folders := []string{"/etc/cron.d", "/etc/systemd/system", "/etc/profile.d", "/usr/local/bin", "/usr/local/sbin", "/tmp", "/var/tmp", "/dev/shm"}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, home+"/Downloads", home+"/.ssh", home+"/.config/autostart")
	}
	var there []string
	for _, folder := range folders {
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			there = append(there, folder)
		}
	}
	return there
}
