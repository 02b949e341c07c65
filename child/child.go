// Package child runs a server program as a private child process: it dies with
// us, its output goes to a file, and it is stopped kindly before it is killed.
// It knows nothing of what it runs, and does not start it again.
package child

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Grace is how long Stop waits between SIGTERM and SIGKILL, unless its context
// ends before. A database flushes its pages in that time.
const Grace = 30 * time.Second

// Process is a running child.
type Process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when the child has ended

	stop sync.Once
	err  error // of the end; read after done
}

// Start runs a program with its output appended to the file log.
//
// On Linux the child gets SIGTERM when we die, however we die. That signal is
// tied to the thread that started the child, so this thread stays with it.
func Start(log, program string, args ...string) (*Process, error) {
	return StartHolding(nil, log, program, args...)
}

// StartHolding is Start of a child that inherits files: a lock on one of them
// (flock) then lasts until the child ends too, whatever becomes of us. The caller
// closes its own copies.
func StartHolding(files []*os.File, log, program string, args ...string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the caller's own path
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args...) //nolint:gosec,noctx // the caller's own program; no context: Stop ends it
	cmd.Stdout, cmd.Stderr = out, out
	cmd.ExtraFiles = files
	cmd.SysProcAttr = attributes()
	p := &Process{cmd: cmd, log: log, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		defer out.Close() //nolint:errcheck // the child wrote it, not we
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("start %s: %w", program, err)
			return
		}
		started <- nil
		p.err = cmd.Wait()
	}()
	if err := <-started; err != nil {
		<-p.done
		return nil, err
	}
	return p, nil
}

// Done is closed when the child has ended, for whatever reason.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the child ended: nil for exit status 0. It waits for the end.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop ends the child: SIGTERM, and SIGKILL to it and all it started when it is
// still there after Grace or at the end of ctx. It returns when the child has
// ended; calling it again waits for the same end.
func (p *Process) Stop(ctx context.Context) {
	p.stop.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
		grace := time.NewTimer(Grace)
		defer grace.Stop()
		select {
		case <-p.done:
			return
		case <-ctx.Done():
		case <-grace.C:
		}
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // its process group, see attributes
	})
	<-p.done
}

// LastLines gives the end of the child's output, for an error message: at most n
// lines, or why the log cannot be read.
func (p *Process) LastLines(n int) string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
