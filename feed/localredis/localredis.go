// Package localredis runs a private Redis for the zero-configuration default and
// for tests: redis-server as a child process where it is installed, miniredis in
// this process otherwise. Nothing in it survives, and nothing has to.
package localredis

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/security-monitor/secmon/child"
)

// Options of a private Redis.
type Options struct {
	Dir string // for its socket and log; made when missing
	Log *slog.Logger
}

// Server is a running private Redis.
type Server struct {
	url     string
	process *child.Process
	scratch string

	mini *miniredis.Miniredis
	stop chan struct{}
	done sync.WaitGroup
}

const (
	startTime = 20 * time.Second
	stopTime  = 5 * time.Second
)

// Start runs a Redis of this process's own.
func Start(ctx context.Context, o Options) (*Server, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		o.Log.Info("redis-server is not installed: using one in process")
		return startMini()
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	// Each process has its own socket, in a directory whose path is always short.
	scratch, err := os.MkdirTemp("", "secmon-redis-")
	if err != nil {
		return nil, err
	}
	s := &Server{scratch: scratch}
	socket := filepath.Join(scratch, "s")
	s.url = "unix://" + socket
	s.process, err = child.Start(filepath.Join(o.Dir, "log"), program, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700",
		"--save", "", "--appendonly", "no", "--dir", scratch, "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	if err := s.await(ctx, socket); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) await(ctx context.Context, socket string) error {
	for begun := time.Now(); ; {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.process.Done():
			return fmt.Errorf("the private redis did not start: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Since(begun) > startTime {
			return fmt.Errorf("the private redis does not answer: %w", err)
		}
	}
}

func startMini() (*Server, error) {
	mini, err := miniredis.Run()
	if err != nil {
		return nil, fmt.Errorf("redis in process: %w", err)
	}
	s := &Server{mini: mini, url: "redis://" + mini.Addr(), stop: make(chan struct{})}
	s.done.Go(func() { // miniredis does not age its keys by itself
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				mini.FastForward(time.Second)
			case <-s.stop:
				return
			}
		}
	})
	return s, nil
}

// URL is what a Redis client connects to.
func (s *Server) URL() string { return s.url }

// PID is the process id of redis-server, 0 where it runs in process.
func (s *Server) PID() int {
	if s.process == nil {
		return 0
	}
	return s.process.PID()
}

// Close stops it.
func (s *Server) Close() error {
	if s.mini != nil {
		close(s.stop)
		s.done.Wait()
		s.mini.Close()
		return nil
	}
	if s.process != nil {
		s.process.Stop(stopTime)
	}
	return os.RemoveAll(s.scratch)
}
