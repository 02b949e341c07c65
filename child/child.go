// Package child runs a server program as a private child process: it dies with
// us, its output goes to a file, and it is stopped kindly before it is killed.
package child

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Process is a running child.
type Process struct {
	cmd  *exec.Cmd
	out  *os.File
	done chan struct{} // closed when the child has ended

	stop sync.Once
	err  error // of the end; read after done
}

// Start runs a program with its output appended to the file log.
//
// On Linux the child gets SIGTERM when we die, however we die. That signal is
// tied to the thread that started the child, so this thread stays with it.
func Start(log, program string, args ...string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the caller's own path
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args...) //nolint:gosec // the caller's own program; no context: Stop ends it
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = attributes()
	p := &Process{cmd: cmd, out: out, done: make(chan struct{})}
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

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop ends the child: SIGTERM, and SIGKILL when it is still there after grace.
// It returns when the child has ended; calling it again does nothing.
func (p *Process) Stop(grace time.Duration) {
	p.stop.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
		select {
		case <-p.done:
		case <-time.After(grace):
			_ = p.cmd.Process.Kill()
		}
	})
	<-p.done
}
