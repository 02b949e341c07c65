package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
)

// agentProcess is `secmon agent` as users run it.
type agentProcess struct {
	t      *testing.T
	cmd    *exec.Cmd
	log    string // file with its output
	waited chan struct{}
}

// startAgent runs the agent with a spool, a token in its environment, and these arguments.
func startAgent(t *testing.T, base, token, spool string, args ...string) *agentProcess {
	t.Helper()
	p := &agentProcess{t: t, log: filepath.Join(t.TempDir(), "agent.log"), waited: make(chan struct{})}
	all := append([]string{"agent", "--server", base, "--spool-dir", spool, "--host-name", "laptop", "--every", "100ms", "--heartbeat", "200ms"}, args...)
	p.cmd = exec.Command(binary(t), all...) //nolint:gosec,noctx // our own program; end ends it
	p.cmd.Env = append(os.Environ(), "SECMON_TOKEN="+token)
	out, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = out.Close()
	go func() { defer close(p.waited); _ = p.cmd.Wait() }()
	t.Cleanup(func() { p.end(syscall.SIGKILL) })
	return p
}

// said tells whether its output has a text.
func (p *agentProcess) said(text string) bool { return strings.Contains(p.output(), text) }

func (p *agentProcess) output() string {
	p.t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// end sends a signal and waits for the end.
func (p *agentProcess) end(signal syscall.Signal) {
	p.t.Helper()
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.waited:
	case <-time.After(20 * time.Second):
		p.t.Errorf("the agent does not end:\n%s", p.output())
	}
}

// rawEvent is what a test looks for in events.
type rawEvent struct {
	Action string
	Raw    struct {
		Report, Change, Process, Message, Host string
		FilePath                               string `json:"file_path"`
		SHA256                                 string
		Port                                   int
		Dropped, Lost                          int
	}
}

// allEvents pages through the events of a host.
func allEvents(t *testing.T, base, bearer, host string) (all []rawEvent) {
	t.Helper()
	for after := any(nil); ; {
		var data struct {
			Events struct {
				Nodes    []rawEvent
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		post(t, base, bearer, `query($after: String, $host: String!) { events(first: 500, after: $after, filter: {host: {eq: $host}}, orderBy: RECEIVED_AT_DESC) { nodes { action raw } pageInfo { hasNextPage endCursor } } }`,
			map[string]any{"after": after, "host": host}, &data)
		all = append(all, data.Events.Nodes...)
		if !data.Events.PageInfo.HasNextPage {
			return all
		}
		after = data.Events.PageInfo.EndCursor
	}
}

// On a machine without a shipper: a port is opened, a file appears whose hash an
// indicator warns of, somebody fails to log in. The analyst sees all three, and alerts.
func TestAgentShowsANewPortAFileAndALogin(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	folder, log := t.TempDir(), filepath.Join(t.TempDir(), "auth.log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	evil := []byte("#!/bin/sh\nexec sh -i\n")
	sum := sha256.Sum256(evil)
	hash := hex.EncodeToString(sum[:])
	var imported struct {
		IndicatorImport struct {
			Report struct{ Added int }
		}
	}
	post(t, r.URL(), admin, `mutation($i: IndicatorImportInput!) { indicatorImport(input: $i) { report { added } } }`,
		map[string]any{"i": map[string]any{"format": "CSV", "text": "ioc\n" + hash + "\n", "source": "abuse.ch", "severity": "HIGH", "first": 1}}, &imported)
	if imported.IndicatorImport.Report.Added != 1 {
		t.Fatalf("%+v", imported)
	}
	agent := startAgent(t, r.URL(), ingestToken(t, r), t.TempDir(), "--watch", folder, "--logs", log)
	see := func(what string, is func(rawEvent) bool) {
		t.Helper()
		eventually(t, what, func() bool {
			for _, e := range allEvents(t, r.URL(), admin, "laptop") {
				if is(e) {
					return true
				}
			}
			return false
		})
	}
	// Two heartbeats: every first look is over.
	see("a heartbeat", func(e rawEvent) bool { return e.Raw.Report == "heartbeat" })
	see("what is open", func(e rawEvent) bool { return e.Raw.Report == "inventory" })

	if err := os.WriteFile(filepath.Join(folder, "run.sh"), evil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	line := time.Now().UTC().Format(time.RFC3339) + " laptop sshd[812]: Failed password for root from 203.0.113.7 port 40222 ssh2\n"
	file, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString(line)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	see("the new port", func(e rawEvent) bool { return e.Action == "port_opened" && e.Raw.Port == port && e.Raw.Process != "" })
	see("the file", func(e rawEvent) bool { return e.Action == "file_created" && e.Raw.SHA256 == hash })
	see("the login", func(e rawEvent) bool { return e.Action == "ssh_login_failed" })
	_ = l.Close()
	see("that the port was closed", func(e rawEvent) bool { return e.Action == "port_closed" && e.Raw.Port == port })
	var alerts struct {
		Alerts struct {
			Nodes []struct {
				Host      string
				Indicator *struct{ Value string }
			}
		}
	}
	eventually(t, "the alert of the indicator", func() bool {
		post(t, r.URL(), admin, `{ alerts(first: 50) { nodes { host indicator { value } } } }`, nil, &alerts)
		for _, a := range alerts.Alerts.Nodes {
			if a.Host == "laptop" && a.Indicator != nil && a.Indicator.Value == hash {
				return true
			}
		}
		return false
	})
	agent.end(syscall.SIGTERM)
	if code := agent.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("stopped with %d:\n%s", code, agent.output())
	}
	if agent.said("smt_") {
		t.Errorf("the log has the token:\n%s", agent.output())
	}
}

// The server goes away and comes back, the agent is killed with -9 again and again, the log
// is rotated: each line of it is stored once.
func TestKilledAgentLosesAndDoublesNothing(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r := startReplica(t, cfg)
	base, token := r.URL(), ingestToken(t, r)
	cfg.Listen = base[len("http://"):]
	spool, log := t.TempDir(), filepath.Join(t.TempDir(), "app.log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--watch", "none", "--no-sockets", "--no-processes", "--logs", log}
	written := 0
	write := func(lines int) {
		t.Helper()
		file, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		for range lines {
			if err == nil {
				written++
				_, err = fmt.Fprintf(file, "line %d\n", written)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
	}
	agent := startAgent(t, base, token, spool, args...)
	eventually(t, "the end of the log to be known", func() bool { return agent.said("reports") && hasSpool(spool) })
	bearer := login(t, base, "admin", testPassword)
	stored := func() int { return len(linesOf(t, base, bearer)) }
	write(10)
	eventually(t, "the first lines", func() bool { return stored() == 10 })

	for round := range 6 {
		write(700)
		if round == 2 { // the server goes, for two rounds
			r.Stop()
		}
		if round == 3 {
			if err := os.Rename(log, log+".1"); err != nil {
				t.Fatal(err)
			}
			write(50)
		}
		if round == 4 {
			r = startReplica(t, cfg)
			bearer = login(t, base, "admin", testPassword)
		}
		time.Sleep(time.Duration(round*230) * time.Millisecond) // the blow falls at different moments
		agent.end(syscall.SIGKILL)
		write(20)
		agent = startAgent(t, base, token, spool, args...)
	}
	eventually(t, "all lines", func() bool { return stored() >= written })
	for line, n := range linesOf(t, base, bearer) {
		if n != 1 {
			t.Errorf("%q is stored %d times", line, n)
		}
	}
	if n := stored(); n != written {
		t.Errorf("%d lines are stored, %d were written", n, written)
	}
	t.Logf("%d lines, each stored once", written)
}

func hasSpool(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "spool.db"))
	return err == nil && info.Size() > 0
}

func linesOf(t *testing.T, base, bearer string) map[string]int {
	t.Helper()
	lines := map[string]int{}
	for _, e := range allEvents(t, base, bearer, "laptop") {
		if e.Raw.Message != "" && e.Raw.Report == "" {
			lines[e.Raw.Message]++
		}
	}
	return lines
}

// A spool that is too small for a long absence says how much it lost.
func TestAgentTellsWhatItsSpoolHadToDrop(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r := startReplica(t, cfg)
	base, token := r.URL(), ingestToken(t, r)
	cfg.Listen = base[len("http://"):]
	r.Stop()
	log := filepath.Join(t.TempDir(), "app.log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	spool := t.TempDir()
	args := []string{"--watch", "none", "--no-sockets", "--no-processes", "--logs", log, "--spool-mb", "1"}
	agent := startAgent(t, base, token, spool, args...)
	eventually(t, "the agent", func() bool { return agent.said("cannot send") })
	var lines bytes.Buffer
	for i := range 60_000 { // 4 MB of what packs to half
		fmt.Fprintf(&lines, "%x\n", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	if err := os.WriteFile(log, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a loss", func() bool { return agent.said("records were lost") })
	startReplica(t, cfg)
	bearer := login(t, base, "admin", testPassword)
	eventually(t, "the loss in the events", func() bool {
		for _, e := range allEvents(t, base, bearer, "laptop") {
			if e.Action == "agent_lost_records" && e.Raw.Lost > 0 && e.Raw.Dropped > 0 {
				return true
			}
		}
		return false
	})
}

// `make run` shows the user's own machine; nothing else does.
func TestServerReportsItsOwnHostWhenAsked(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	stop, err := r.ReportHost(context.Background(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	admin := login(t, r.URL(), "admin", testPassword)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the machine's own report", func() bool {
		reports := map[string]bool{}
		for _, e := range allEvents(t, r.URL(), admin, host) {
			reports[e.Raw.Report] = true
		}
		return reports["heartbeat"] && reports["inventory"]
	})
	stop()
	var tokens struct {
		Tokens struct{ Nodes []struct{ Name string } }
	}
	post(t, r.URL(), admin, `{ tokens(first: 10) { nodes { name } } }`, nil, &tokens)
	if len(tokens.Tokens.Nodes) != 1 || tokens.Tokens.Nodes[0].Name != "agent on this machine" {
		t.Errorf("its tokens: %+v", tokens)
	}
}
