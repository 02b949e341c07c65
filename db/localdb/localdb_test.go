package localdb_test

import (
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	_ "github.com/go-sql-driver/mysql"

	"github.com/security-monitor/secmon/db/localdb"
)

func start(t *testing.T, dir string) *localdb.Server {
	t.Helper()
	server, err := localdb.Start(t.Context(), localdb.Options{Dir: dir, BufferPoolMB: 16, Log: slog.New(slog.DiscardHandler)})
	if errors.Is(err, localdb.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func execute(t *testing.T, server *localdb.Server, database string, statements ...string) {
	t.Helper()
	handle, err := sql.Open("mysql", server.DSN(database))
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close() //nolint:errcheck // a test
	for _, statement := range statements {
		if _, err := handle.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDataSurvivesKillAndSecondProcessAttaches(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	execute(t, first, "", "CREATE DATABASE kept", "CREATE TABLE kept.t (n INT) ENGINE=InnoDB", "INSERT INTO kept.t VALUES (42)")

	second := start(t, dir)
	if !second.Attached() || first.Attached() {
		t.Error("the second start did not attach to the first's server")
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	execute(t, first, "kept", "INSERT INTO t VALUES (43)") // the attached one's Close left it running

	if err := syscall.Kill(first.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	third := start(t, dir)
	handle, err := sql.Open("mysql", third.DSN("kept"))
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close() //nolint:errcheck // a test
	var n int
	if err := handle.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM t").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows are there after kill -9, want both that were committed: %v", n, err)
	}
}

func TestLongPathStillHasASocket(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 25))
	execute(t, start(t, dir), "", "SELECT 1")
}

func TestStrictModeIsOn(t *testing.T) {
	server := start(t, t.TempDir())
	execute(t, server, "", "CREATE DATABASE d", "CREATE TABLE d.t (s VARCHAR(2)) ENGINE=InnoDB")
	handle, err := sql.Open("mysql", server.DSN("d"))
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close() //nolint:errcheck // a test
	if _, err := handle.ExecContext(t.Context(), "INSERT INTO t VALUES ('too long')"); err == nil {
		t.Error("a value was cut without an error")
	}
}
