package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
)

// The user that asks; the server listens on this machine alone.
const (
	benchUser     = "bench"
	benchPassword = "bench-of-the-contract"
)

// replica is the program that is measured.
type replica struct {
	command *exec.Cmd
	log     bytes.Buffer
	url     string
}

// startReplica runs the program on a database; limits may be nil.
func startReplica(ctx context.Context, program string, data *dataset, redis string, limits *cgroup, flags ...string) (*replica, error) {
	listen, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	arguments := append([]string{
		"serve", "--rate-limit", "0", "--rate-limit-address", "0", "--listen", listen, "--database-dsn", data.dsn(), "--redis-url", redis, "--data-dir", filepath.Join(data.dir, "secmon"),
		"--event-retention", "0", "--journal-retention", "0", "--journal-max-mb", "0", "--log-level", "warn",
	}, flags...)
	r := &replica{command: exec.CommandContext(ctx, program, arguments...), url: "http://" + listen}
	if limits != nil {
		// The shell joins the groups and becomes the program: all of it counts.
		script := `for g in $GROUPS_TO_JOIN; do echo $$ > "$g/cgroup.procs" || exit 1; done; exec "$0" "$@"`
		r.command = exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", script, program}, arguments...)...)
		r.command.Env = append(os.Environ(), "GROUPS_TO_JOIN="+strings.Join(limits.dirs, " "), "GOMEMLIMIT="+strconv.FormatInt(limits.memory*3/4, 10))
	}
	r.command.Stdout, r.command.Stderr = io.Discard, &r.log
	r.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r.command.Cancel = func() error { return r.command.Process.Signal(syscall.SIGTERM) }
	r.command.WaitDelay = 15 * time.Second
	if err := r.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	if err := r.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, r.stop(), errors.New(r.log.String()))
	}
	return r, nil
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (r *replica) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/api/readyz", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the program kindly. It is gone when this returns.
func (r *replica) stop() error {
	_ = r.command.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(15*time.Second, func() { _ = r.command.Process.Kill() })
	defer timer.Stop()
	return r.command.Wait()
}

// cpuOf gives the user and system time that a process has taken so far, in steps
// of 10 ms.
func cpuOf(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
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

// peakMemory is a process's highest resident memory so far, in bytes.
func peakMemory(pid int) int64 { return memoryOf(pid, "VmHWM") }

// memoryOf gives a figure of /proc/PID/status in bytes.
func memoryOf(pid int, name string) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // 0 where it cannot be read
	_, rest, _ := strings.Cut(string(text), name+":")
	kb, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseInt(kb, 10, 64)
	return n << 10
}

// scrape reads a replica's metrics.
func scrape(ctx context.Context, metrics string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+metrics+"/metrics", nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() //nolint:errcheck // read whole
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// ensureUser makes the user that asks, where the database does not have it yet.
func ensureUser(ctx context.Context, dsn string) error {
	store, err := db.Open(ctx, db.Options{DSN: dsn})
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // see there
	u := monitor.User{Name: benchUser, DisplayName: "Benchmark", Role: monitor.RoleAdmin}
	_, err = auth.New(store, nil, nil).CreateUser(ctx, monitor.SystemActor, u, benchPassword)
	if monitor.CodeOf(err) == monitor.CodeConflict {
		return nil
	}
	return err
}

// client asks one replica, logged in.
type client struct {
	url   string
	token string
	http  *http.Client
}

func newClient(ctx context.Context, url string) (*client, error) {
	c := &client{url: url + "/api/graphql", http: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 1_000, MaxIdleConns: 1_000},
	}}
	var data struct {
		SessionLogin struct {
			AccessToken string
			Errors      []struct{ Message string }
		}
	}
	login := `mutation ($input: SessionLoginInput!) { sessionLogin(input: $input) { accessToken errors { message } } }`
	err := c.query(ctx, login, map[string]any{"input": map[string]any{"name": benchUser, "password": benchPassword}}, &data)
	if err == nil && data.SessionLogin.AccessToken == "" {
		err = fmt.Errorf("log in: %v", data.SessionLogin.Errors)
	}
	c.token = data.SessionLogin.AccessToken
	return c, err
}

func (c *client) query(ctx context.Context, document string, variables map[string]any, data any) error {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	text, err := c.post(ctx, body)
	if err != nil {
		return err
	}
	var answer struct{ Data json.RawMessage }
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	return json.Unmarshal(answer.Data, data)
}

// post sends a request. An answer with errors is an error.
func (c *client) post(ctx context.Context, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // read whole
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK || bytes.HasPrefix(text, []byte(`{"errors"`)) {
		return nil, fmt.Errorf("status %d: %.300s", response.StatusCode, text)
	}
	return text, nil
}
