// Package localredis runs a private Redis for the zero-configuration default and
// for tests: redis-server as a child process where it is installed, miniredis in
// this process otherwise. Nothing in it survives, and nothing has to.
package localredis

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
	"sync"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/security-monitor/secmon/child"
)

// Options of a private Redis.
type Options struct {
	Dir string       // for its log and socket; made when missing
	Log *slog.Logger // progress; nil for none
}

// Server is a running private Redis of this process's own. A child that ends by
// itself is started again, empty, on the same socket.
type Server struct {
	url string
	log *slog.Logger

	program string
	dir     string // of the log
	run     string // made by us, holds the socket
	mu      sync.Mutex
	process *child.Process

	mini *miniredis.Miniredis

	end   context.CancelFunc
	ended sync.WaitGroup
}

const (
	maxSocketPath = 107 // bytes, of sockaddr_un
	startTime     = 20 * time.Second
	pollTime      = 10 * time.Millisecond
	retryTime     = 5 * time.Second // longest pause before a dead server is started again
	ageTime       = 100 * time.Millisecond
)

// Start runs a Redis. Processes that share a directory each get their own.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{log: o.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	life, end := context.WithCancel(context.Background())
	s.end = end
	var err error
	if s.program, err = exec.LookPath("redis-server"); err != nil {
		s.log.Info("redis-server is not installed: using one in process")
		err = s.startMini(life)
	} else {
		err = s.startChild(ctx, life, o.Dir)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) startChild(ctx, life context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	s.dir = dir
	if s.run, err = runDir(dir); err != nil {
		return err
	}
	s.url = (&url.URL{Scheme: "unix", Path: s.socket(), RawQuery: "db=0"}).String()
	if err := s.launch(ctx); err != nil {
		return err
	}
	s.ended.Go(func() { s.watch(life) })
	return nil
}

func (s *Server) socket() string { return filepath.Join(s.run, "s") }

// launch starts redis-server and waits until it answers.
func (s *Server) launch(ctx context.Context) error {
	process, err := child.Start(filepath.Join(s.dir, "log"), s.program, "--port", "0", "--unixsocket", s.socket(), "--unixsocketperm", "700",
		"--save", "", "--appendonly", "no", "--dir", s.run, "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.process = process
	s.mu.Unlock()
	for begun := time.Now(); !answers(s.socket()); {
		select {
		case <-process.Done():
			return fmt.Errorf("the private redis did not start: %w: %s", process.Err(), process.LastLines(3))
		default:
		}
		if time.Since(begun) > startTime {
			return fmt.Errorf("the private redis does not answer after %s: %s", startTime, process.LastLines(3))
		}
		if err := wait(ctx, pollTime); err != nil {
			return err
		}
	}
	return nil
}

// watch starts the child again when it ends, until ctx ends.
func (s *Server) watch(ctx context.Context) {
	pause := pollTime
	for {
		begun := time.Now()
		select {
		case <-ctx.Done():
			return
		case <-s.process.Done(): // only launch sets process, and we alone call it now
		}
		if time.Since(begun) > time.Minute {
			pause = pollTime
		}
		s.log.Warn("the private redis ended; starting it again", "how", s.process.Err(), "log", filepath.Join(s.dir, "log"))
		if wait(ctx, pause) != nil {
			return
		}
		pause = min(2*pause, retryTime)
		if err := s.launch(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the private redis did not come back", "error", err)
		}
	}
}

// runDir makes a directory for this process's socket: inside dir, or where that
// path would be too long in /tmp. It names the process, so that what killed ones
// left there can be told apart and removed.
func runDir(dir string) (string, error) {
	if len(dir)+len("/secmon-redis-1234567-1234567890/s") > maxSocketPath {
		dir = "/tmp"
	}
	const mine = "secmon-redis-"
	old, _ := filepath.Glob(filepath.Join(globQuote(dir), mine+"*-*")) // fails on a bad pattern only
	for _, path := range old {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), mine), "-")
		pid, err := strconv.Atoi(name)
		if err == nil && pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(path) // in /tmp it may be another user's
		}
	}
	return os.MkdirTemp(dir, fmt.Sprintf("%s%d-", mine, os.Getpid()))
}

func globQuote(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func answers(socket string) bool {
	conn, err := net.DialTimeout("unix", socket, time.Second) //nolint:noctx // bounded by the second
	if err != nil {
		return false
	}
	_ = conn.Close() // only probed
	return true
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

func (s *Server) startMini(life context.Context) error {
	mini, err := miniredis.Run()
	if err != nil {
		return fmt.Errorf("redis in process: %w", err)
	}
	s.mini, s.url = mini, "redis://"+mini.Addr()
	s.ended.Go(func() { // miniredis does not age its keys by itself
		for last := time.Now(); wait(life, ageTime) == nil; {
			now := time.Now()
			mini.FastForward(now.Sub(last))
			last = now
		}
	})
	return nil
}

// URL is what a Redis client connects to (the form that go-redis parses).
func (s *Server) URL() string { return s.url }

// PID is the process id of redis-server, 0 where it runs in process. It changes
// when the server had to be started again.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.PID()
}

// Close stops it and returns when it has ended; calling it again does nothing.
func (s *Server) Close() error {
	s.end()
	s.ended.Wait()
	if s.mini != nil {
		s.mini.Close()
		return nil
	}
	if s.process != nil {
		s.process.Stop(context.Background())
	}
	if s.run == "" {
		return nil
	}
	return os.RemoveAll(s.run)
}
