// Package localdb runs a private MariaDB as a child process, for the
// zero-configuration default and for tests (docs/adr/0003). It needs only the
// standard library. Production uses a DSN instead.
package localdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/security-monitor/secmon/child"
)

// ErrNotInstalled says that there is no MariaDB server on this machine.
var ErrNotInstalled = errors.New("MariaDB server is not installed: run scripts/install-deps.sh servers " +
	"(or install the packages mariadb-server-core and mariadb-client-core), or name a database with --database-dsn")

// ErrNone says that a directory has no private database, where one had to be there.
var ErrNone = errors.New("there is no private database")

// Options of a private server.
type Options struct {
	Dir          string       // for its files alone; made when missing, set to mode 0700
	MustExist    bool         // fail with ErrNone, and make nothing, where no database is in Dir
	BufferPoolMB int          // InnoDB's cache; 16 at least
	Log          *slog.Logger // progress; nil for none
}

// Server is a running private server, ours or another process's.
//
// Ours is started again when it ends by itself. Connections break then, and what
// was committed is there: callers see it as they see any database fail over.
type Server struct {
	dir        string
	mustExist  bool
	socket     string
	scratch    string // a directory made for a short socket path, "" without one
	program    string
	bufferPool int
	log        *slog.Logger
	lock       *os.File // nil when attached

	mu      sync.Mutex
	process *child.Process // nil when attached

	end     context.CancelFunc // ends the watch
	watched sync.WaitGroup
}

const (
	startTime = 5 * time.Minute  // of a server: repairing a large log after a crash takes long
	stopTime  = 10 * time.Second // of a server that was killed, until its files are free
	pollTime  = 20 * time.Millisecond
	sayTime   = 3 * time.Second  // after this long a wait says what it waits for
	retryTime = 10 * time.Second // longest pause before a dead server is started again
)

// Start runs the server of a directory, making its files on the first run. When
// another process runs it already, Start attaches to that one. A crash of either
// process at any time is repaired by the next Start.
//
// It fails with ErrNotInstalled where there is no MariaDB, with ErrNone where one
// must be in the directory and is not, with ctx's error when
// that ends first, and otherwise with the reason from the server's own log.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := prepare(o)
	if err != nil {
		return nil, err
	}
	owner := false
	err = s.await(ctx, "the process that has the private database to answer", startTime, nil, func() (done bool, err error) {
		owner, err = s.tryLock()
		return owner || answers(s.socket), err
	})
	if err != nil {
		return nil, err
	}
	if !owner {
		s.log.Info("using the private database of another process", "dir", s.dir)
		return s, nil
	}
	if err := s.run(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func prepare(o Options) (*Server, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.MustExist {
		// The lock file is there as soon as somebody has begun to make the database.
		if _, err := os.Stat(filepath.Join(dir, lockFile)); errors.Is(err, os.ErrNotExist) {
			return nil, ErrNone
		}
	}
	if err := makePrivate(dir); err != nil {
		return nil, err
	}
	s := &Server{dir: dir, mustExist: o.MustExist, bufferPool: max(o.BufferPoolMB, 16), log: o.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.chooseSocket(); err != nil {
		return nil, err
	}
	return s, nil
}

// run initialises where needed, starts the server, and watches it from then on.
func (s *Server) run(ctx context.Context) error {
	var err error
	if s.program, err = find("mariadbd", "mysqld"); err != nil {
		return err
	}
	if _, err := os.Stat(s.data()); errors.Is(err, os.ErrNotExist) {
		if s.mustExist {
			return ErrNone
		}
		s.log.Info("making the private database, this takes a few seconds", "dir", s.dir)
		if err := s.initialise(ctx); err != nil {
			return err
		}
	}
	s.log.Info("starting the private database", "dir", s.dir)
	if err := s.launch(ctx); err != nil {
		return err
	}
	watch, end := context.WithCancel(context.Background())
	s.end = end
	s.watched.Go(func() { s.watch(watch) })
	return nil
}

// launch starts the server and waits until it answers.
func (s *Server) launch(ctx context.Context) error {
	alone, err := s.endOrphan(ctx)
	if err != nil {
		return err
	}
	defer alone.Close() //nolint:errcheck // the child has its own copy
	process, err := child.StartHolding([]*os.File{alone}, filepath.Join(s.dir, "log"), s.program, s.arguments()...)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.process = process
	s.mu.Unlock()
	err = s.await(ctx, "the private database to answer", startTime, process, func() (bool, error) { return answers(s.socket), nil })
	if err != nil {
		kill(process) // SIGTERM may hang a server that is just starting, and nobody has used it yet
	}
	return err
}

func (s *Server) arguments() []string {
	return append([]string{
		"--no-defaults", "--datadir=" + s.data(), "--socket=" + s.socket, "--pid-file=" + s.data() + ".pid",
		"--skip-networking", "--skip-log-bin", "--performance-schema=OFF", "--innodb-buffer-pool-size=" + strconv.Itoa(s.bufferPool) + "M",
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci", "--transaction-isolation=READ-COMMITTED",
		"--max-allowed-packet=64M", "--max-connections=300",
	}, append(s.ownTemp(), asRoot()...)...)
}

// ownTemp keeps the server's temporary tables in its own directory: a server that
// starts deletes all such files in the directory for temporary files, those of
// other servers too.
func (s *Server) ownTemp() []string {
	dir := filepath.Join(s.dir, "tmp")
	if strings.Contains(dir, ":") || os.MkdirAll(dir, 0o700) != nil { // a colon separates directories
		return nil
	}
	return []string{"--tmpdir=" + dir}
}

// watch starts the server again when it ends, until ctx ends.
func (s *Server) watch(ctx context.Context) {
	pause := pollTime
	for {
		s.mu.Lock()
		process := s.process
		s.mu.Unlock()
		begun := time.Now()
		select {
		case <-ctx.Done():
			return
		case <-process.Done():
		}
		if time.Since(begun) > time.Minute {
			pause = pollTime
		}
		s.log.Warn("the private database ended; starting it again", "how", process.Err(), "log", filepath.Join(s.dir, "log"))
		if wait(ctx, pause) != nil {
			return
		}
		pause = min(2*pause, retryTime)
		if err := s.launch(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the private database did not come back", "error", err)
		}
	}
}

// await polls until is says so. It says what it waits for when that takes long,
// and gives up at the end of ctx, after limit, or when process has ended.
func (s *Server) await(ctx context.Context, what string, limit time.Duration, process *child.Process, is func() (bool, error)) error {
	var ended <-chan struct{}
	if process != nil {
		ended = process.Done()
	}
	said := time.Now()
	for begun := said; ; {
		if done, err := is(); done || err != nil {
			return err
		}
		if time.Since(begun) > limit {
			return fmt.Errorf("waited %s in vain for %s in %s", limit, what, s.dir)
		}
		if time.Since(said) > sayTime {
			said = time.Now()
			s.log.Info("waiting for "+what, "dir", s.dir, "since", time.Since(begun).Round(time.Second))
		}
		select {
		case <-ended:
			return fmt.Errorf("the private database in %s did not start: %w: %s", s.dir, process.Err(), process.LastLines(5))
		default:
		}
		if err := wait(ctx, pollTime); err != nil {
			return err
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// DSN gives the go-sql-driver DSN of a database on this server.
func (s *Server) DSN(database string) string {
	parameters := url.Values{
		"parseTime":         {"true"},
		"loc":               {"UTC"},
		"interpolateParams": {"true"},
		"charset":           {"utf8mb4"},
		"collation":         {"utf8mb4_unicode_ci"},
		"time_zone":         {"'+00:00'"},
		"sql_mode":          {"'ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"},
		"maxAllowedPacket":  {strconv.Itoa(64 << 20)},
	}
	return "root@unix(" + s.socket + ")/" + database + "?" + parameters.Encode()
}

// Attached tells whether the server belongs to another process.
func (s *Server) Attached() bool { return s.lock == nil }

// PID is the server's process id, 0 when attached. It changes when the server
// had to be started again.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.PID()
}

// Close stops the server, unless another process runs it. It returns when the
// server's process has ended; calling it again does nothing.
func (s *Server) Close() error {
	if s.Attached() {
		return nil
	}
	if s.end != nil {
		s.end()
		s.watched.Wait()
	}
	if s.process != nil {
		s.process.Stop(context.Background())
	}
	if s.scratch != "" {
		_ = os.RemoveAll(s.scratch) // holds a dead socket at most
	}
	if err := s.lock.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
