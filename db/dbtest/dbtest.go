// Package dbtest gives tests a real database server: one private server for a
// test package, one fresh migrated database for a test. With TEST_DSN set it
// uses that server instead.
package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/localdb"
)

var (
	server  *localdb.Server
	missing error
	serial  atomic.Int64
)

// Main runs a package's tests beside a database server. Call it from TestMain.
func Main(m *testing.M) {
	os.Exit(Run(m))
}

// Run is Main for a package whose TestMain has more to do: it gives the exit
// code back.
func Run(m *testing.M) int {
	if os.Getenv("TEST_DSN") != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "secmon-db-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temp directory
	server, err = localdb.Start(context.Background(), localdb.Options{Dir: dir, BufferPoolMB: 64, Log: slog.New(slog.DiscardHandler)})
	if errors.Is(err, localdb.ErrNotInstalled) && os.Getenv("CI") != "true" {
		missing = err
		return m.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "start a database for the tests:", err)
		return 1
	}
	defer server.Close() //nolint:errcheck // the temp directory goes with it
	return m.Run()
}

// DSN gives the DSN of a new migrated database that this test has to itself.
// Where no server is installed the test is skipped.
func DSN(tb testing.TB) string {
	tb.Helper()
	if missing != nil {
		tb.Skip("needs a database server:", missing)
	}
	name := fmt.Sprintf("t%d_%d", os.Getpid(), serial.Add(1))
	var dsn string
	if shared := os.Getenv("TEST_DSN"); shared != "" {
		cfg, err := mysql.ParseDSN(shared)
		if err != nil {
			tb.Fatalf("TEST_DSN: %v", err)
		}
		cfg.DBName = name
		dsn = cfg.FormatDSN()
	} else {
		if server == nil {
			tb.Fatal("dbtest.Main was not called from TestMain")
		}
		dsn = server.DSN(name)
	}
	if _, err := db.Migrate(context.Background(), dsn); err != nil {
		tb.Fatalf("migrate %s: %v", strings.TrimSpace(name), err)
	}
	return dsn
}

// Exec runs a statement that no store would: what an intruder in the database does.
func Exec(tb testing.TB, dsn, statement string) {
	tb.Helper()
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer handle.Close() //nolint:errcheck // a test
	if _, err := handle.ExecContext(tb.Context(), statement); err != nil {
		tb.Fatal(err)
	}
}

// Reading holds a table as a transaction does that has read of it, until it is let go.
func Reading(tb testing.TB, dsn, table string) (letGo func()) {
	tb.Helper()
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	reader, err := handle.BeginTx(tb.Context(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	var n int
	if err := reader.QueryRowContext(tb.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil { //nolint:gosec // a name of ours
		tb.Fatal(err)
	}
	return func() {
		_ = reader.Rollback()
		_ = handle.Close()
	}
}

// New gives a store on a new database.
func New(tb testing.TB) *db.Store {
	tb.Helper()
	store, err := db.Open(context.Background(), db.Options{DSN: DSN(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}
