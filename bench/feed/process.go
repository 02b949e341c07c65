package feed

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a server or the client, started by the driver from its own binary.
type process struct {
	command *exec.Cmd
	stdin   io.Closer
	at      addresses
}

// start runs the binary with arguments and waits for its addresses. The process
// ends with ctx, with stop, and when the driver dies.
func start(ctx context.Context, arguments ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{command: exec.CommandContext(ctx, self, arguments...)}
	p.command.Stderr = os.Stderr
	p.command.Env = append(os.Environ(), childVariable+"=1")
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %v: %w", arguments, err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p.at)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %v: %w", arguments, err), p.stop())
	}
	return p, nil
}

// childVariable tells a test binary that it is one of the processes.
const childVariable = "SECMON_BENCH_CHILD"

// stop ends the process: kindly first, and after two seconds not.
func (p *process) stop() error {
	err := p.stdin.Close()
	timer := time.AfterFunc(2*time.Second, func() { _ = p.command.Process.Kill() })
	defer timer.Stop()
	_ = p.command.Wait() // killed or not: it is gone
	return err
}

// call asks the process's control endpoint; body and result may be nil.
func (p *process) call(ctx context.Context, method, path string, body, result any) error {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+p.at.Control+path, in)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read whole
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, bytes.TrimSpace(text))
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(text, result)
}

// resident gives VmRSS or VmHWM in bytes.
func (p *process) resident(field string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	return kilobytes(string(text), field+":")
}

func kilobytes(text, field string) (int64, error) {
	_, rest, _ := strings.Cut(text, field)
	words := strings.Fields(rest)
	if len(words) == 0 {
		return 0, fmt.Errorf("no %s", field)
	}
	kb, err := strconv.ParseInt(words[0], 10, 64)
	return kb << 10, err
}

// cpu gives the user and system time that the process has taken so far, in steps
// of 10 ms.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is short")
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// socketMemory gives what the kernel holds for all TCP sockets, of both ends.
func socketMemory() (int64, error) {
	text, err := os.ReadFile("/proc/net/sockstat")
	if err != nil {
		return 0, err
	}
	_, tcp, _ := strings.Cut(string(text), "TCP:")
	_, mem, _ := strings.Cut(tcp, " mem ")
	words := strings.Fields(mem)
	if len(words) == 0 {
		return 0, errors.New("/proc/net/sockstat has no TCP mem")
	}
	pages, err := strconv.ParseInt(words[0], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// mostConnections is what the limit of open files leaves room for.
func mostConnections() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 500
	}
	raised := unix.Rlimit{Cur: max(limit.Max, wantedFiles), Max: max(limit.Max, wantedFiles)}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) != nil { // only root may go beyond Max
		raised = unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &raised)
	}
	return int(min(raised.Cur, 1<<20)) - spareFiles //nolint:gosec // bounded
}

const (
	wantedFiles = 65_536
	spareFiles  = 300
)
