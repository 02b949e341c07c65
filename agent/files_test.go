package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// watched collects the reports of files as they come.
type watched struct {
	t       *testing.T
	a       *Agent
	reports []map[string]any
}

// awaits waits for the report of a path.
func (w *watched) awaits(path, change string) map[string]any {
	w.t.Helper()
	var found map[string]any
	eventually(w.t, change+" "+path, func() bool {
		w.reports = append(w.reports, spooled(w.t, w.a.spool)...)
		for _, r := range w.reports {
			if r["file_path"] == path && r["change"] == change {
				found = r
			}
		}
		return found != nil
	})
	return found
}

func TestNewFilesAreReportedWithTheirHashes(t *testing.T) {
	flat, deep, spool := t.TempDir(), t.TempDir(), t.TempDir()
	below1 := filepath.Join(deep, "a", "b")
	if err := os.MkdirAll(below1, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(flat, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(flat, "old"), "was there")
	cfg := Config{Folders: []string{flat, deep + below, filepath.Join(flat, "missing")}, FileBytes: 100}
	w := &watched{t: t, a: newAgent(t, spool, cfg)}
	s := &files{Agent: w.a}
	stop := running(t, s)
	eventually(t, "the first look", func() bool { known, _ := w.a.spool.Known(s.name()); return len(known) == 4 })

	write(t, filepath.Join(flat, "sub", "unwatched"), "x")
	if err := syscall.Mkfifo(filepath.Join(flat, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(flat, "link")); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(flat, "program")
	write(t, program, "#!/bin/sh\n")
	if err := os.Chmod(program, 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	r := w.awaits(program, "created")
	sum := sha256.Sum256([]byte("#!/bin/sh\n"))
	if r["sha256"] != hex.EncodeToString(sum[:]) || r["md5"] != "3e2b31c72181b87149ff995e7202c0e3" || r["mode"] != "0755" || r["executable"] != true || r["file_size"] != 10.0 || r["host"] != "web-1" {
		t.Errorf("%v", r)
	}
	below2 := filepath.Join(below1, "new")
	write(t, below2, "x")
	w.awaits(below2, "created")
	large := filepath.Join(flat, "large")
	write(t, large, string(make([]byte, 101)))
	if r := w.awaits(large, "created"); r["hash_skipped"] != noHashSize || r["sha256"] != nil {
		t.Errorf("%v", r)
	}
	appendTo(t, program, "id\n")
	w.awaits(program, "changed")

	stop()
	write(t, filepath.Join(flat, "while-away"), "x")
	stop = running(t, &files{Agent: w.a})
	w.awaits(filepath.Join(flat, "while-away"), "created")
	stop()
	var paths []string
	for _, r := range w.reports {
		paths = append(paths, filepath.Base(r["file_path"].(string)))
	}
	slices.Sort(paths)
	if want := []string{"large", "new", "program", "program", "while-away"}; !slices.Equal(paths, want) {
		t.Errorf("reports of %q, want %q", paths, want)
	}
	if _, skipped := w.a.notes.tell(); skipped != 0 {
		t.Errorf("%d left out", skipped)
	}
}

// Of an archive that is unpacked each file is told once, some at each look.
func TestManyFilesComeInParts(t *testing.T) {
	folder := t.TempDir()
	a := newAgent(t, t.TempDir(), Config{Folders: []string{folder}})
	s := &files{Agent: a, known: map[string]mark{}, roots: map[string]bool{}, pending: map[string]unquiet{}}
	if _, err := s.once(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range maxNewFiles + 20 {
		write(t, filepath.Join(folder, string(rune('a'+i%26))+string(rune('a'+i/26))), "x")
	}
	looks, told := 0, map[string]int{}
	eventually(t, "all files", func() bool {
		if _, err := s.once(t.Context()); err != nil {
			t.Fatal(err)
		}
		records := spooled(t, a.spool)
		if len(records) > 0 {
			looks++
		}
		for _, path := range texts(records, "file_path") {
			told[path]++
		}
		return len(told) == maxNewFiles+20
	})
	if looks != 2 {
		t.Errorf("%d looks, want 2", looks)
	}
	for path, n := range told {
		if n != 1 {
			t.Errorf("%s was told %d times", path, n)
		}
	}
}
