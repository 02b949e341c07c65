package localdb_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/security-monitor/secmon/db/localdb"
)

// A test that kills a parent needs a parent: this test binary, run again with
// the directory in parentDir. It starts the server, prints the DSN, and waits.
const parentDir = "SECMON_TEST_PARENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentDir); dir != "" {
		server, err := localdb.Start(context.Background(), localdb.Options{Dir: dir})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(server.DSN(""))
		select {}
	}
	_ = mysql.SetLogger(log.New(io.Discard, "", 0)) // killed servers break connections: no news
	os.Exit(m.Run())
}

// startParent runs another process that is about to start the server of dir.
func startParent(t *testing.T, dir string) (parent *exec.Cmd, line func() string) {
	t.Helper()
	parent = exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentDir+"="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(parent) })
	return parent, func() string {
		text, _ := bufio.NewReader(out).ReadString('\n')
		return strings.TrimSpace(text)
	}
}

func kill(parent *exec.Cmd) {
	_ = parent.Process.Kill()
	_ = parent.Wait()
}

func start(t *testing.T, dir string) *localdb.Server {
	t.Helper()
	server, err := localdb.Start(t.Context(), localdb.Options{Dir: dir, BufferPoolMB: 16, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if errors.Is(err, localdb.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = handle.Close() })
	return handle
}

func execute(t *testing.T, handle *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := handle.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

func count(t *testing.T, handle *sql.DB, table string) (n int) {
	t.Helper()
	if err := handle.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSecondStartAttachesAndLeavesTheServerRunning(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	second := start(t, dir)
	if !second.Attached() || first.Attached() {
		t.Fatalf("attached: first %t, second %t", first.Attached(), second.Attached())
	}
	if first.DSN("x") != second.DSN("x") {
		t.Error("the two name different servers")
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	execute(t, open(t, first.DSN("")), "SELECT 1")

	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if start(t, dir).Attached() {
		t.Error("attached to a server that was closed")
	}
}

// Commands that only use a database leave no trace where there is none, also where
// a first start was killed before it had made one.
func TestStartThatMustFindADatabaseMakesNone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mistyped")
	must := localdb.Options{Dir: dir, MustExist: true}
	if _, err := localdb.Start(t.Context(), must); !errors.Is(err, localdb.ErrNone) {
		t.Errorf("got %v where nothing is", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s was made (%v)", dir, err)
	}
	server := start(t, dir) // skips this test where there is no server
	attached, err := localdb.Start(t.Context(), must)
	if err != nil || !attached.Attached() {
		t.Fatalf("beside a server that runs: %v", err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := localdb.Start(t.Context(), must)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	if _, err := localdb.Start(t.Context(), must); !errors.Is(err, localdb.ErrNone) {
		t.Errorf("got %v where a first start was cut short", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a database was made (%v)", err)
	}
}

func TestOfManyStartsAtOnceOneRunsTheServer(t *testing.T) {
	dir := t.TempDir()
	start(t, t.TempDir()) // skips this test where there is no server
	var owners, users int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			server, err := localdb.Start(t.Context(), localdb.Options{Dir: dir})
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { _ = server.Close() })
			mu.Lock()
			defer mu.Unlock()
			if users++; !server.Attached() {
				owners++
			}
		})
	}
	all.Wait()
	if owners != 1 || users != 6 {
		t.Errorf("%d own the server, %d use it; want 1 and 6", owners, users)
	}
}

func TestKilledServerComesBackWithEveryCommittedRow(t *testing.T) {
	server := start(t, t.TempDir())
	handle := open(t, server.DSN(""))
	execute(t, handle, "CREATE DATABASE kept", "CREATE TABLE kept.t (n INT PRIMARY KEY) ENGINE=InnoDB")
	for round := range 3 {
		pid := server.PID()
		execute(t, handle, fmt.Sprintf("INSERT INTO kept.t VALUES (%d)", round))
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the server to come back", func() bool {
			return server.PID() != pid && handle.PingContext(t.Context()) == nil
		})
		if n := count(t, handle, "kept.t"); n != round+1 {
			t.Fatalf("%d rows after kill -9, want %d", n, round+1)
		}
	}
}

// The child is told to end when its parent is killed, and takes a moment for it:
// a start in that moment must wait, not fail on locked files or lose rows.
func TestStartRightAfterAKilledParent(t *testing.T) {
	dir := t.TempDir()
	if err := start(t, dir).Close(); err != nil { // skips this test where there is no server
		t.Fatal(err)
	}
	written := 0
	for round := range 5 {
		parent, line := startParent(t, dir)
		handle := open(t, line())
		if round == 0 {
			execute(t, handle, "CREATE DATABASE kept", "CREATE TABLE kept.t (n INT PRIMARY KEY, pad VARCHAR(500)) ENGINE=InnoDB")
		}
		for range 200 {
			execute(t, handle, fmt.Sprintf("INSERT INTO kept.t VALUES (%d, REPEAT('x', 500))", written))
			written++
		}
		kill(parent)
		server := start(t, dir)
		if server.Attached() {
			t.Fatal("attached to a server that nobody owns")
		}
		if n := count(t, open(t, server.DSN("")), "kept.t"); n != written {
			t.Fatalf("round %d: %d rows, want %d", round, n, written)
		}
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFirstStartKilledAtAnyTimeIsRepaired(t *testing.T) {
	start(t, t.TempDir()) // skips this test where there is no server
	for _, after := range []time.Duration{20, 150, 400, 800, 1200} {
		t.Run(fmt.Sprint(after*time.Millisecond), func(t *testing.T) {
			dir := t.TempDir()
			parent, _ := startParent(t, dir)
			time.Sleep(after * time.Millisecond) // the moment of the kill is what this test varies
			kill(parent)
			handle := open(t, start(t, dir).DSN(""))
			execute(t, handle, "CREATE DATABASE d", "CREATE TABLE d.t (n INT) ENGINE=InnoDB")
			if n := count(t, handle, "mysql.time_zone_name"); n != 0 { // the system tables are whole
				t.Error("unexpected time zones")
			}
		})
	}
}

func TestSessionIsAsTheStoreExpects(t *testing.T) {
	handle := open(t, start(t, t.TempDir()).DSN(""))
	for _, c := range []struct{ variable, want, reason string }{
		{"@@skip_networking", "1", "root has no password: nobody may reach it over TCP"},
		{"@@log_bin", "0", "a private server has no replicas"},
		{"@@tx_isolation", "READ-COMMITTED", "the journal's tail must see what was committed meanwhile"},
		{"@@time_zone", "+00:00", "times are UTC"},
		{"@@character_set_connection", "utf8mb4", "any text"},
		{"@@collation_connection", "utf8mb4_unicode_ci", "the same on MySQL 8, whose default differs"},
		{"@@innodb_flush_log_at_trx_commit", "1", "committed means on disk"},
	} {
		var got string
		if err := handle.QueryRowContext(t.Context(), "SELECT "+c.variable).Scan(&got); err != nil || got != c.want {
			t.Errorf("%s = %q (%v), want %q: %s", c.variable, got, err, c.want, c.reason)
		}
	}
	execute(t, handle, "CREATE DATABASE d", "CREATE TABLE d.t (a VARCHAR(2), b INT) ENGINE=InnoDB")
	for reason, statement := range map[string]string{
		"a value was cut without an error (STRICT_ALL_TABLES)":         "INSERT INTO d.t VALUES ('too long', 1)",
		"a column outside the group was taken (ONLY_FULL_GROUP_BY)":    "SELECT a, b FROM d.t GROUP BY b",
		"a date that does not exist was taken (NO_ZERO_IN_DATE et al)": "INSERT INTO d.t SELECT CAST('2026-00-00' AS DATE), 1",
	} {
		if _, err := handle.ExecContext(t.Context(), statement); err == nil {
			t.Error(reason)
		}
	}
}

func TestOddDirectories(t *testing.T) {
	for _, c := range []struct{ name, path, reason string }{
		{"long", strings.Repeat("deep/", 25), "a socket's path has 107 bytes at most"},
		{"at sign", "me@example", "a DSN is split at the last @"},
		{"others", "a b/(c)/d%e?f#g", "characters that mean something in a DSN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), c.path)
			first, second := start(t, dir), start(t, dir)
			if !second.Attached() {
				t.Error("the second process does not find the first's socket")
			}
			execute(t, open(t, first.DSN("")), "SELECT 1")
			execute(t, open(t, second.DSN("")), "SELECT 1")
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("mode of the directory: %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestDirectoryOfOtherFilesIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := localdb.Start(t.Context(), localdb.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "directory of its own") {
		t.Errorf("error %v", err)
	}
}

func TestServerThatCannotStartSaysWhy(t *testing.T) {
	dir := t.TempDir()
	if err := start(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "ibdata1"), []byte("scrambled"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := localdb.Start(t.Context(), localdb.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "did not start") || !strings.Contains(err.Error(), "[ERROR]") {
		t.Errorf("error %v, want the server's own words", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	start(t, t.TempDir()) // skips this test where there is no server
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // in the middle of the first initialisation
	defer cancel()
	if _, err := localdb.Start(ctx, localdb.Options{Dir: dir}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	execute(t, open(t, start(t, dir).DSN("")), "SELECT 1")
}

// eventually polls what another process does and tells nobody.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
