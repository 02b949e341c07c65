package agent

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What the agent does again and again, on the machine that runs this. docs/benchmarks.md has
// figures.
func BenchmarkLook(b *testing.B) {
	folder := b.TempDir()
	for i := range 2_000 {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i)), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	a, err := New(Config{Dir: b.TempDir(), Host: "web-1", Folders: []string{folder}, Inventory: time.Hour}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close() //nolint:errcheck // a benchmark
	ctx, stop := canceled()
	stop()
	s, p := &sockets{Agent: a, look: lookAtSockets}, &processes{Agent: a}
	beat := &heartbeat{Agent: a}
	f := &files{Agent: a, known: map[string]mark{}, roots: map[string]bool{}, pending: map[string]unquiet{}}
	_, _ = s.run(ctx), p.run(ctx)
	for _, c := range []struct {
		name string
		look func() error
	}{
		{"sockets", func() error { return s.once(b.Context()) }},
		{"processes", func() error { return p.once(b.Context(), false) }},
		{"2000 files", func() error { _, err := f.once(b.Context()); return err }},
		{"heartbeat", func() error { return beat.once(b.Context()) }},
	} {
		if err := c.look(); err != nil { // the first learns everything
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.look(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A chunk of 500 records goes into the spool, durable, and out of it.
func BenchmarkSpool(b *testing.B) {
	s, err := OpenSpool(b.TempDir(), 64<<20)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // a benchmark
	records := numbered(0, 500)
	for b.Loop() {
		if err := s.Put("test", Known{"a": []byte("1")}, records); err != nil {
			b.Fatal(err)
		}
		c, _, err := s.oldest()
		if err == nil {
			err = s.done(&c, outcome{stored: 500})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
