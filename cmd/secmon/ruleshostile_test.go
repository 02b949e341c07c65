package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whoever proposes rules to a repository decides what is in its folder: its check
// reads nothing else, and ends.
func TestRulesCheckStaysInTheFolder(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.yml")
	if err := os.WriteFile(secret, []byte("password: hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := ruleFolder(t, "good.yml", "sub/good.yml")
	for name, target := range map[string]string{"out.yml": secret, "device.yml": "/dev/zero", "loop.yml": "loop.yml", "inside.yaml": "sub/good.yml", "gone.yml": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yml"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, ".github", "workflows"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".github", "workflows", "ci.yml"), []byte("on: push"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := runs(t, "rules", "check", dir)
	if !errors.Is(err, errRefused) || strings.Contains(out, "hunter2") || strings.Contains(out, ".github") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, line := range []string{"/out.yml: refused:", "/device.yml: refused:", "/loop.yml: refused:", "/gone.yml: refused:", "/pipe.yml: refused: is no regular file", "/sub/good.yml:1:1: refused: has the same id", "8 files: 2 rules"} {
		if !strings.Contains(out, line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
}

// A single file is read by itself: what lies beside it does not matter.
func TestRulesCheckReadsOneFile(t *testing.T) {
	dir := ruleFolder(t, "good.yml", "wrong.yml")
	locked := filepath.Join(dir, "locked")
	if err := os.Mkdir(locked, 0o000); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.yml")
	if err := os.Symlink(filepath.Join(dir, "good.yml"), link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "good.yml"), link} {
		if out, err := runs(t, "rules", "check", path); err != nil || !strings.Contains(out, "1 file: 1 rule ") {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
	}
}

func zipOf(t *testing.T, write func(*zip.Writer)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.zip")
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	write(archive)
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRulesCheckBoundsArchives(t *testing.T) {
	add := func(archive *zip.Writer, name string, from io.Reader) {
		w, err := archive.Create(name)
		if err == nil {
			_, err = io.Copy(w, from)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	large := zipOf(t, func(archive *zip.Writer) {
		add(archive, "good.yml", strings.NewReader(goodRule))
		add(archive, "../../escape.yml", strings.NewReader("x"))
		add(archive, "large.yml", io.LimitReader(zeros{}, 40<<20))
	})
	out, err := runs(t, "rules", "check", large)
	if !errors.Is(err, errRefused) || !strings.Contains(out, "large.yml: refused: has more than 33554432 bytes") {
		t.Errorf("%v\n%s", err, out)
	}
	bomb := zipOf(t, func(archive *zip.Writer) {
		for _, name := range strings.Split("abcdefghi", "") {
			add(archive, name+".yml", io.LimitReader(zeros{}, 32<<20))
		}
	})
	if _, err := runs(t, "rules", "check", bomb); err == nil || !strings.Contains(err.Error(), "the tree has more than 256 MiB") {
		t.Errorf("a bomb: %v", err)
	}
	wordy := zipOf(t, func(archive *zip.Writer) {
		for _, name := range strings.Split("abcdefg", "") {
			add(archive, name+".yml", strings.NewReader(strings.Repeat("a: b\n---\n", 19_000)))
		}
	})
	if _, err := runs(t, "rules", "check", wordy); err == nil || !strings.Contains(err.Error(), "findings") {
		t.Errorf("a million mistakes: %v", err)
	}
	for name, content := range map[string]string{"rules.zip": "PK\x03\x04 is no archive", "empty.zip": "", "rules.tar": "x"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := runs(t, "rules", "check", path); err == nil || !strings.Contains(err.Error(), "neither a directory nor a ZIP archive") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestRulesTestTakesEventsAsShippersSendThem(t *testing.T) {
	dir := ruleFolder(t, "good.yml")
	var one []string
	for line := range strings.Lines(events) {
		if line != "no json\n" {
			one = append(one, strings.TrimSpace(line))
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(strings.Join(one, "\n"))); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	const id = "0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31"
	for name, body := range map[string]string{"events.ndjson": strings.Join(one, "\n"), "events.json": "[" + strings.Join(one, ",\n") + "]", "events.ndjson.gz": packed.String(), "events": packed.String()} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := runs(t, "rules", "test", "--rules", dir, "--events", path, "--expect", id+"=2", "--strict"); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	cut, empty, bad := filepath.Join(t.TempDir(), "cut.gz"), filepath.Join(t.TempDir(), "empty"), filepath.Join(t.TempDir(), "bad")
	for path, body := range map[string]string{cut: packed.String()[:packed.Len()/2], empty: "\n", bad: events} {
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := runs(t, "rules", "test", "--rules", dir, "--events", cut, "--expect", "*=0"); err == nil || errors.Is(err, errUnexpected) {
		t.Errorf("a cut file: %v", err)
	}
	if _, err := runs(t, "rules", "test", "--rules", dir, "--events", empty, "--expect", id+"=0"); err == nil || !strings.Contains(err.Error(), "no events") {
		t.Errorf("a test that looks at nothing passes: %v", err)
	}
	if _, err := runs(t, "rules", "test", "--rules", dir, "--events", bad, "--strict"); !errors.Is(err, errUnread) {
		t.Errorf("strictly: %v", err)
	}
	// What is never tried must not pass as what does not fire.
	both := ruleFolder(t, "old.yml", "waits.yaml")
	for id, says := range map[string]string{"3b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31": "is not tried by itself", "2b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31": "does not run: the placeholder"} {
		if out, err := runs(t, "rules", "test", "--rules", both, "--events", bad, "--expect", id+"=0"); !errors.Is(err, errUnexpected) || !strings.Contains(out, says) {
			t.Errorf("%s: %v\n%s", id, err, out)
		}
	}
}

func TestRulesReportsForContinuousIntegration(t *testing.T) {
	dir, file := ruleFolder(t, "wrong.yml", "waits.yaml", "good.yml"), filepath.Join(t.TempDir(), "events")
	if err := os.WriteFile(file, []byte(events), 0o600); err != nil {
		t.Fatal(err)
	}
	const unmet = "0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31=7"
	for _, args := range [][]string{{"check", dir}, {"test", "--rules", dir, "--events", file, "--expect", unmet}} {
		out, err := runs(t, append(append([]string{"rules"}, args...), "--format", "junit")...)
		var suites junitSuites
		if xmlErr := xml.Unmarshal([]byte(out), &suites); xmlErr != nil || !errors.Is(err, errRefused) || len(suites.Suites) != 1 {
			t.Fatalf("%v %v\n%s", xmlErr, err, out)
		}
		if s := suites.Suites[0]; s.Tests != len(s.Cases) || s.Skipped != 1 || s.Failures != map[string]int{"check": 1, "test": 2}[args[0]] {
			t.Errorf("%s\n%s", args[0], out)
		}
	}
	out, _ := runs(t, "rules", "test", "--rules", dir, "--events", file, "--expect", unmet, "--format", "github")
	if !strings.Contains(out, "::error title=Sigma rule not as expected::0b39ec2d") || !strings.Contains(out, "::error file=") {
		t.Errorf("%s", out)
	}
}

// A title is an attacker's word too: no report lets it speak to the terminal.
func TestRulesReportsDoNotCommandTheTerminal(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "events")
	rule := strings.Replace(goodRule, "title: Whoami", `title: "\e]0;owned\a\u202e\n::error::no"`, 1)
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "r.yml"), []byte(rule), 0o600), os.WriteFile(file, []byte(events), 0o600)); err != nil {
		t.Fatal(err)
	}
	out, err := runs(t, "rules", "test", "--rules", dir, "--events", file)
	if err != nil || strings.ContainsAny(out, "\x1b\a\u202e") || strings.Contains(out, "\n::error") {
		t.Errorf("%v %q", err, out)
	}
}
