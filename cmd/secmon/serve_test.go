package main

import (
	"net"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/app"
)

func TestHintOfAPasswordCanBeCopied(t *testing.T) {
	cfg := app.Config{Storage: app.Storage{DataDir: defaultDataDir()}}
	if got := newPassword("bin/secmon", cfg); got != "bin/secmon user password admin" {
		t.Error(got)
	}
	cfg.DataDir = "/srv/my data"
	if got := newPassword("secmon", cfg); got != `secmon user password admin --data-dir "/srv/my data"` {
		t.Error(got)
	}
}

func TestAddressThatIsTaken(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // a test
	err = run(t.Context(), []string{"serve", "--listen", taken.Addr().String(), "--data-dir", t.TempDir()})
	if err == nil || strings.Count(err.Error(), "listen ") != 1 || !strings.Contains(err.Error(), taken.Addr().String()) || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("got %v, want the address once, and what to do", err)
	}
}
