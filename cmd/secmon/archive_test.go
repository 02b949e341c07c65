package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A script that verifies nothing must not take it for a success; a list of nothing is one.
func TestArchiveOfNothing(t *testing.T) {
	empty := t.TempDir()
	if out, err := runs(t, "archive", "list", "--archive", empty); err != nil || out != "" {
		t.Errorf("list: %q, %v", out, err)
	}
	if out, err := runs(t, "archive", "verify", "--archive", empty); err == nil || exitCode(err) != exitNotFound || !strings.Contains(err.Error(), "nothing is archived") || out != "" {
		t.Errorf("verify: %q, %v", out, err)
	}
}

func TestArchivePathSaysWhatItWouldHaveToBe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                       "is a file, and no directory",
		filepath.Join(dir, "typo"): "there is no directory " + filepath.Join(dir, "typo"),
		"s3://bucket/events":       "a prefix ends with a slash",
		dir + "/gone/":             "no such file or directory",
	} {
		for _, command := range []string{"archive", "backup"} {
			args := []string{"archive", "list", "--archive", path}
			if command == "backup" {
				args = []string{"backup", "list", path}
			}
			if _, err := runs(t, args...); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: %v, want %q", args, err, want)
			}
		}
	}
}
