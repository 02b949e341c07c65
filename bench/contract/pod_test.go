package contract

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPodRunsSmall brings everything at once to the real program, and raises each
// once. It makes no cgroup: not everybody may.
func TestPodRunsSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	if _, err := exec.LookPath("mariadbd"); err != nil {
		t.Skip("needs a database server:", err)
	}
	dir := t.TempDir()
	p := &Pod{
		Data: filepath.Join(dir, "data"), Seed: 1, Target: 30 * time.Second, Delay: 30 * time.Second, // this looks at whether, not at how fast
		Program: buildProgram(t, dir), Documents: filepath.Join("..", "..", "web", "src"), Unlimited: true, Short: true,
	}
	if err := p.settle(); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestPodIsJudged(t *testing.T) {
	p := &Pod{Target: 200 * time.Millisecond, Delay: time.Second}
	good := podStep{answers: figures{requests: 10, p99: 200 * time.Millisecond}, delay: figures{requests: 10, p99: time.Second}}
	if got := p.judge(good); got != "" {
		t.Errorf("at the bounds nothing is broken: %s", got)
	}
	for want, spoil := range map[string]func(*podStep){
		"no memory":        func(s *podStep) { s.dead = true },
		"requests failed":  func(s *podStep) { s.answers.errors, s.answers.firstError = 1, io.EOF },
		"events failed":    func(s *podStep) { s.ingest.errors, s.ingest.firstError = 1, io.EOF },
		"lost":             func(s *podStep) { s.lost, s.lostBy = 1, errors.New("gone") },
		"of answers over":  func(s *podStep) { s.answers.p99++ },
		"of deliveries":    func(s *podStep) { s.delay.p99++ },
		"nothing was deli": func(s *podStep) { s.delay = figures{} },
	} {
		s := good
		spoil(&s)
		if got := p.judge(s); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestRecordsOfThePod(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a load
	fire, size := 0, 0
	for range 2_000 {
		text := podRecord(r)
		if !json.Valid([]byte(text)) {
			t.Fatal(text)
		}
		if strings.Contains(text, "net localgroup") {
			fire++
		}
		size += len(text)
	}
	if size /= 2_000; fire < 10 || fire > 40 || size < 500 || size > 800 {
		t.Errorf("%d of 2,000 fire, %d bytes each", fire, size)
	}
}

func TestDelayIsOfTheOldestEntry(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 1, 0, time.UTC)
	for _, tt := range []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{`{"entries":[{"at":"2026-05-04T12:00:00.750Z"},{"at":"2026-05-04T12:00:00.900Z"}]}`, 250 * time.Millisecond, true},
		{`{"events":[{"receivedAt":"2026-05-04T12:00:00Z"}]}`, time.Second, true},
		{`{"type":"ping"}`, 0, false},
		{`{"entries":[]}`, 0, false},
	} {
		if got, ok := delayOf([]byte(tt.text), now); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s: got %s, %v", tt.text, got, ok)
		}
	}
}
