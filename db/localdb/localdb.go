// Package localdb runs a private MariaDB as a child process, for the
// zero-configuration default and for tests (docs/adr/0003). It needs only the
// standard library. Production uses a DSN instead.
package localdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/security-monitor/secmon/child"
)

// ErrNotInstalled says that there is no MariaDB server on this machine.
var ErrNotInstalled = errors.New("MariaDB server is not installed: run scripts/install-deps.sh servers, or set --database-dsn")

// Options of a private server.
type Options struct {
	Dir          string // where its files live; made when missing
	BufferPoolMB int
	Log          *slog.Logger
}

// Server is a running private server, ours or another process's.
type Server struct {
	socket  string
	process *child.Process // nil when attached
	lock    *os.File
	scratch string // a directory made for a short socket path, "" without one
}

const (
	maxSocketPath = 107 // bytes, of sockaddr_un
	startTime     = 60 * time.Second
	stopTime      = 30 * time.Second
)

// Start runs the server of a directory, making its files on the first run. When
// another process runs it already, Start attaches to that one. A crash of either
// process at any time is repaired by the next Start.
func Start(ctx context.Context, o Options) (*Server, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &Server{}
	if err := s.chooseSocket(dir); err != nil {
		return nil, err
	}
	for begun := time.Now(); ; {
		locked, err := s.tryLock(filepath.Join(dir, "lock"))
		if err != nil {
			return nil, err
		}
		if locked {
			break
		}
		if answers(s.socket) {
			return s, nil // another process owns it
		}
		if time.Since(begun) > startTime {
			return nil, fmt.Errorf("another process holds %s, but its database does not answer", dir)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
	if err := s.run(ctx, dir, o); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// chooseSocket puts the socket into dir, or, where that path would be too long,
// into a short directory that is the same for every process of this user.
func (s *Server) chooseSocket(dir string) error {
	s.socket = filepath.Join(dir, "s")
	if len(s.socket) <= maxSocketPath {
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	inode := uint64(0)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = stat.Ino
	}
	short := filepath.Join(os.TempDir(), fmt.Sprintf("secmon-%d-%x", os.Getuid(), inode))
	if err := os.Mkdir(short, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	s.socket = filepath.Join(short, "s")
	s.scratch = short
	if len(s.socket) > maxSocketPath {
		return fmt.Errorf("socket path %s is longer than %d bytes: choose a shorter data directory", s.socket, maxSocketPath)
	}
	return nil
}

// tryLock takes the directory for this process. The lock ends with us.
func (s *Server) tryLock(path string) (bool, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // inside our own directory
	if err != nil {
		return false, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		s.lock = file
		return true, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return false, err
}

// run initialises where needed and starts the server.
func (s *Server) run(ctx context.Context, dir string, o Options) error {
	server, err := find("mariadbd", "mysqld")
	if err != nil {
		return err
	}
	// A server whose parent was killed may still be on its way down.
	for begun := time.Now(); answers(s.socket); {
		if time.Since(begun) > stopTime {
			return fmt.Errorf("a database server that nobody owns is on %s", s.socket)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	data := filepath.Join(dir, "data")
	if _, err := os.Stat(data); errors.Is(err, os.ErrNotExist) {
		o.Log.Info("making the private database, this takes a few seconds", "dir", dir)
		if err := initialise(ctx, data); err != nil {
			return err
		}
	}
	o.Log.Info("starting the private database", "dir", dir)
	log := filepath.Join(dir, "log")
	s.process, err = child.Start(log, server, s.arguments(data, o.BufferPoolMB)...)
	if err != nil {
		return err
	}
	for begun := time.Now(); !answers(s.socket); {
		select {
		case <-s.process.Done():
			return fmt.Errorf("the private database did not start: %s", lastLines(log))
		default:
		}
		if time.Since(begun) > startTime {
			return fmt.Errorf("the private database does not answer after %s, see %s", startTime, log)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) arguments(data string, bufferPoolMB int) []string {
	return append([]string{
		"--no-defaults", "--datadir=" + data, "--socket=" + s.socket, "--pid-file=" + data + ".pid",
		"--skip-networking", "--skip-log-bin", "--performance-schema=OFF", "--innodb-buffer-pool-size=" + strconv.Itoa(max(bufferPoolMB, 16)) + "M",
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci", "--transaction-isolation=READ-COMMITTED",
		"--max-allowed-packet=64M", "--max-connections=300",
	}, asRoot()...)
}

// initialise makes the data directory beside its place and moves it there when
// it is whole, so that a crash leaves nothing half made.
func initialise(ctx context.Context, data string) error {
	program, err := find("mariadb-install-db", "mysql_install_db")
	if err != nil {
		return err
	}
	fresh := data + ".init"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	args := append([]string{"--no-defaults", "--datadir=" + fresh, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"}, asRoot()...)
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput() //nolint:gosec // found on PATH
	if err != nil {
		return fmt.Errorf("make the private database: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return os.Rename(fresh, data)
}

// asRoot tells MariaDB that running as root is meant, as in a container.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// find looks for a program on PATH and where servers are installed.
func find(names ...string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
		for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/opt/homebrew/bin", "/usr/local/bin"} {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path, nil
			}
		}
	}
	return "", ErrNotInstalled
}

// answers tells whether a MySQL server greets on the socket.
func answers(socket string) bool {
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close() //nolint:errcheck // only probed
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	n, err := conn.Read(make([]byte, 5)) // the head of its greeting
	return err == nil && n > 4
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func lastLines(path string) string {
	text, err := os.ReadFile(path) //nolint:gosec // our own log
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

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

// PID is the server's process id, 0 when attached.
func (s *Server) PID() int {
	if s.process == nil {
		return 0
	}
	return s.process.PID()
}

// Close stops the server, unless another process runs it.
func (s *Server) Close() error {
	if s.Attached() {
		return nil
	}
	if s.process != nil {
		s.process.Stop(stopTime)
	}
	if s.scratch != "" {
		_ = os.RemoveAll(s.scratch)
	}
	return s.lock.Close()
}
