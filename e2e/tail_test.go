package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// A shell pipe follows a feed while the server is killed and started, is itself
// stopped and started with its cursor file, and has everything once, in order.
func TestTailGoesOnWhereItStopped(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r := startReplica(t, cfg)
	cfg.Listen = strings.TrimPrefix(r.URL(), "http://") // the address stays
	secret, _ := apiToken(t, r, time.Time{}, monitor.ScopeRead)
	cursorFile := filepath.Join(t.TempDir(), "cursor")
	begin := func(args ...string) (*exec.Cmd, *bufio.Scanner) {
		t.Helper()
		args = append([]string{"tail", "events", "--server", r.URL(), "-o", "json", "--fields", "host", "--cursor-file", cursorFile}, args...)
		cmd := exec.CommandContext(t.Context(), binary(t), args...) //nolint:gosec // our own program
		cmd.Env = append(os.Environ(), "SECMON_TOKEN="+secret)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, bufio.NewScanner(out)
	}
	expect := func(lines *bufio.Scanner, from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			if !lines.Scan() {
				t.Fatalf("the output ends before event %d", i)
			}
			var e struct{ Host string }
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Host != fmt.Sprintf("host-%d", i) {
				t.Fatalf("event %d: %s %v", i, lines.Text(), err)
			}
		}
	}
	store := func(from, to int) {
		for i := from; i < to; i++ {
			raise(t, r, fmt.Sprintf("host-%d", i))
		}
	}
	head, err := r.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cmd, lines := begin("--after", head.Cursor())
	store(0, 20)
	expect(lines, 0, 20)
	r.Stop()
	r = startReplica(t, cfg)
	store(20, 40)
	expect(lines, 20, 40)
	_ = cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted: %v", err)
	}
	store(40, 50)
	cmd, lines = begin("--count", "10")
	expect(lines, 40, 50)
	if err := cmd.Wait(); err != nil {
		t.Errorf("--count: %v", err)
	}
	expired := monitor.Position{Epoch: head.Epoch + 1, Seq: 1}
	cmd, _ = begin("--after", expired.Cursor())
	if err := cmd.Wait(); err == nil {
		t.Error("an expired cursor is no error")
	}
}
