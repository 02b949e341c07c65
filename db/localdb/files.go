package localdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/security-monitor/secmon/child"
)

const (
	maxSocketPath = 107 // bytes, of sockaddr_un
	initTime      = 5 * time.Minute
	orphanTime    = 5 * time.Second // to end by itself; killing it is safe too
	lockFile      = "lock"
)

// makePrivate makes a directory that only we may enter: the database's root user
// has no password, so whoever reaches the socket may do everything. A directory
// of somebody else's files is left as it is.
func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
			return fmt.Errorf("%s holds other files: the private database needs a directory of its own", dir)
		}
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // a directory needs its x bit
}

// chooseSocket puts the socket into dir, or, where that path would be too long or
// could not stand in a DSN, into a short directory that is the same for every
// process of this user.
func (s *Server) chooseSocket() error {
	s.socket = filepath.Join(s.dir, "s")
	if len(s.socket) <= maxSocketPath && !strings.Contains(s.socket, "@") {
		return nil
	}
	short, err := shortDir(s.dir)
	if err != nil {
		return fmt.Errorf("%s is too long a path for a socket (%d bytes), or has an @, and there is no other place for it; choose another data directory: %w", s.dir, maxSocketPath, err)
	}
	s.scratch, s.socket = short, filepath.Join(short, "s")
	return nil
}

// shortDir makes the directory /tmp/secmon-USER-DEVICE-INODE. In /tmp others may
// have made it before us, to put their own socket there: then it is refused.
func shortDir(dir string) (string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	id, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", errors.New("this file system gives no inode numbers")
	}
	short := fmt.Sprintf("/tmp/secmon-%d-%x-%x", os.Getuid(), id.Dev, id.Ino)
	if err := os.Mkdir(short, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	if info, err = os.Lstat(short); err != nil {
		return "", err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || info.Mode().Perm() != 0o700 || int(owner.Uid) != os.Getuid() {
		return "", fmt.Errorf("%s is not a directory of mode 0700 of ours", short)
	}
	return short, nil
}

// tryLock takes the directory for this process. The lock ends with us; the child
// does not inherit it.
func (s *Server) tryLock() (bool, error) {
	file, err := flock(filepath.Join(s.dir, lockFile))
	s.lock = file
	return file != nil, err
}

// flock gives an open file that nobody else has locked, nil when somebody has.
// The lock lasts until every copy of the file is closed, also a child's.
func flock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // inside our own directory
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, err
}

// endOrphan waits until no server of this directory runs any more, and gives the
// lock that the next one is to hold as long as it lives. One whose parent was
// killed is on its way down (Linux), or has to be told (elsewhere). One that was
// told in the first tenths of a second of its life never ends (seen with MariaDB
// 10.11: its signal thread leaves, the others wait), so after a while it is killed.
func (s *Server) endOrphan(ctx context.Context) (alone *os.File, err error) {
	told, begun := 0, time.Now()
	err = s.await(ctx, "the database server of a killed process to end", orphanTime+stopTime, nil, func() (bool, error) {
		var err error
		if alone, err = flock(filepath.Join(s.dir, "server.lock")); alone != nil || err != nil {
			return true, err
		}
		// We have the directory's lock, so this server belongs to nobody.
		switch pid := s.dataHolder(); {
		case pid <= 0: // it has not come to opening its files, or has closed them
		case time.Since(begun) > orphanTime:
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended just now
		case pid != told:
			told = pid
			_ = syscall.Kill(pid, syscall.SIGTERM) // a second one does no harm
		}
		return false, nil
	})
	return alone, err
}

// dataHolder gives the process that has the data files locked, 0 for none. InnoDB
// and Aria lock theirs with fcntl, which tells who has the lock.
func (s *Server) dataHolder() int {
	for _, name := range []string{"ibdata1", "aria_log_control"} {
		file, err := os.Open(filepath.Join(s.data(), name)) //nolint:gosec // inside our own directory
		if err != nil {
			continue // not there yet
		}
		lock := syscall.Flock_t{Type: syscall.F_WRLCK}
		err = syscall.FcntlFlock(file.Fd(), syscall.F_GETLK, &lock)
		_ = file.Close()
		if err == nil && lock.Type != syscall.F_UNLCK {
			return int(lock.Pid)
		}
	}
	return 0
}

// initialise makes the data directory beside its place and moves it there when
// it is whole, so that a crash leaves nothing half made. Each try has a name of
// its own: one that outlives its parent cannot write into the next.
func (s *Server) initialise(ctx context.Context) error {
	program, err := find("mariadb-install-db", "mysql_install_db")
	if err != nil {
		return err
	}
	old, _ := filepath.Glob(s.data() + ".init*") // fails on a bad pattern only
	for _, dir := range old {
		_ = os.RemoveAll(dir) // what cannot go now goes the next time
	}
	fresh, err := os.MkdirTemp(s.dir, "data.init-")
	if err != nil {
		return err
	}
	named, forget, err := withoutSpaces(fresh)
	if err != nil {
		return err
	}
	defer forget()
	args := append([]string{"--no-defaults", "--datadir=" + named, "--tmpdir=" + named, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"}, asRoot()...)
	script, err := child.Start(filepath.Join(s.dir, "log"), program, args...)
	if err != nil {
		return err
	}
	err = s.await(ctx, "the private database to be made", initTime, nil, func() (bool, error) {
		select {
		case <-script.Done():
			return true, nil
		default:
			return false, nil
		}
	})
	if err != nil {
		kill(script) // nothing in there is worth a grace
		return err
	}
	if err := script.Err(); err != nil {
		return fmt.Errorf("make the private database: %w: %s", err, script.LastLines(5))
	}
	if err := os.Rename(fresh, s.data()); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// withoutSpaces gives a path that leads to dir and has no space in it, which the
// script cannot take when it runs as root. Call forget when it has run.
func withoutSpaces(dir string) (path string, forget func(), err error) {
	if !strings.ContainsAny(dir, " \t\n*?[") {
		return dir, func() {}, nil
	}
	links, err := os.MkdirTemp("/tmp", "secmon-init-")
	if err != nil {
		return "", nil, err
	}
	if err := os.Symlink(filepath.Dir(dir), filepath.Join(links, "d")); err != nil {
		return "", nil, errors.Join(err, os.Remove(links))
	}
	return filepath.Join(links, "d", filepath.Base(dir)), func() { _ = os.RemoveAll(links) }, nil
}

// kill ends a child at once.
func kill(process *child.Process) {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	process.Stop(now)
}

// syncDir makes a rename last over a power cut.
func syncDir(path string) error {
	dir, err := os.Open(path) //nolint:gosec // our own directory
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// asRoot tells MariaDB that running as root is meant, as in a container.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// find looks for a program on PATH and where servers are installed, which is not
// on the PATH of every user.
func find(names ...string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
		for _, dir := range []string{"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/libexec", "/opt/homebrew/bin"} {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path, nil
			}
		}
	}
	return "", ErrNotInstalled
}

// answers tells whether a MySQL server greets on the socket.
func answers(socket string) bool {
	conn, err := net.DialTimeout("unix", socket, time.Second) //nolint:noctx // bounded by the second
	if err != nil {
		return false
	}
	defer conn.Close() //nolint:errcheck // only probed
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	n, err := conn.Read(make([]byte, 5)) // the head of its greeting
	return err == nil && n > 4
}

// Installed gives ErrNotInstalled where Start would.
func Installed() error {
	if _, err := find("mariadbd", "mysqld"); err != nil {
		return ErrNotInstalled
	}
	return nil
}
