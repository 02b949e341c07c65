package agent

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// newAgent gives an agent whose spool is in dir.
func newAgent(t *testing.T, dir string, cfg Config) *Agent {
	t.Helper()
	cfg.Dir, cfg.Host = dir, "web-1"
	a, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// spooled takes everything out of a spool, as stored.
func spooled(t *testing.T, s *Spool) []map[string]any {
	t.Helper()
	var all []map[string]any
	for {
		c, ok, err := s.oldest()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		all = append(all, recordsOf(t, c.packed)...)
		if err := s.done(&c, outcome{stored: c.records}); err != nil {
			t.Fatal(err)
		}
	}
}

func recordsOf(t *testing.T, packed []byte) []map[string]any {
	t.Helper()
	body, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for d := json.NewDecoder(body); d.More(); {
		var r map[string]any
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// texts gives one field of all records.
func texts(records []map[string]any, field string) []string {
	var all []string
	for _, r := range records {
		text, _ := r[field].(string)
		all = append(all, text)
	}
	return all
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// running runs a source until the test ends, or until stop.
func running(t *testing.T, s source) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func TestASourceThatFailsIsTold(t *testing.T) {
	a := newAgent(t, t.TempDir(), Config{})
	if err := (&heartbeat{Agent: a}).once(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.fault("journal", os.ErrPermission)
	if err := a.spool.Put("x", nil, [][]byte{[]byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	c, _, _ := a.spool.oldest() // the heartbeat
	if err := a.spool.done(&c, outcome{refused: 1}); err != nil {
		t.Fatal(err)
	}
	beat := &heartbeat{Agent: a}
	for range 2 {
		if err := beat.once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	records := spooled(t, a.spool)
	if len(records) != 3 || records[1]["lost"] != 1.0 || records[1]["refused"] != 1.0 || records[2]["lost"] != 0.0 || records[2]["refused"] != 1.0 {
		t.Fatalf("what was lost is told once, and counted for good: %v", records)
	}
	if faults, _ := records[1]["faults"].([]any); len(faults) != 1 || faults[0] != "journal: permission denied" {
		t.Errorf("faults %v", records[1]["faults"])
	}
	if records[1]["agent_memory_bytes"] == 0.0 || records[1]["kernel"] == "" {
		t.Errorf("facts of the machine are missing: %v", records[1])
	}
}

func TestSecretsOfCommandLinesAreLeftOut(t *testing.T) {
	for _, c := range []struct{ reason, command, want string }{
		{"an option with =", "serve --admin-password=hunter2 --x 1", "serve --admin-password=*** --x 1"},
		{"an option with a space", "mysql --password hunter2 db", "mysql --password *** db"},
		{"a variable", "env SECMON_TOKEN=smt_abc sh", "env SECMON_TOKEN=*** sh"},
		{"an address", "git clone https://ana:hunter2@git.example/x", "git clone https://ana:***@git.example/x"},
		{"quotes", `x --api-key="a b" y`, `x --api-key=*** y`},
		{"an option that takes nothing", "sudo --no-password --verbose", "sudo --no-password --verbose"},
		{"a word is none", "cat secret notes", "cat secret notes"},
		{"nothing to hide", "curl http://203.0.113.7/x.sh", "curl http://203.0.113.7/x.sh"},
	} {
		if got := withoutSecrets(c.command); got != c.want {
			t.Errorf("%s: %q, want %q", c.reason, got, c.want)
		}
	}
}

func TestOneAgentHasASpool(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	newAgent(t, dir, Config{})
	if _, err := New(Config{Dir: dir}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a second agent opened the spool")
	}
}

// canceled gives a context that is over.
func canceled() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx, cancel
}
