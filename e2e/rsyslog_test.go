package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/child"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/ingest"
)

// configurationOf gives the block of docs/ingest.md under a heading, so that what is
// tested is what people copy.
func configurationOf(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/ingest.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)\n### " + regexp.QuoteMeta(heading) + "\n.*?```[a-z]*\n(.*?)```").FindSubmatch(text)
	if found == nil {
		t.Fatalf("docs/ingest.md has no configuration under %q", heading)
	}
	return string(found[1])
}

// installed gives the path of a shipper's program, or skips the test.
func installed(t *testing.T, program string, files ...string) string {
	t.Helper()
	path := program
	for _, dir := range []string{"/usr/sbin", "/usr/bin"} {
		if _, err := os.Stat(filepath.Join(dir, program)); err == nil {
			path = filepath.Join(dir, program)
		}
	}
	_, err := exec.LookPath(path)
	for _, file := range files {
		if found, _ := filepath.Glob(file); len(found) == 0 {
			err = os.ErrNotExist
		}
	}
	if err != nil {
		t.Skipf("%s is not installed: run scripts/install-deps.sh shippers", program)
	}
	return path
}

// refusing answers in a server's place that it is saturated. What it gives waits until
// so many requests with documents were refused, and ends it.
func refusing(t *testing.T, address string) func(requests int) {
	t.Helper()
	var refused atomic.Int64
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	full := &ingest.Elastic{Intake: &ingest.Intake{
		Normaliser: ingest.NewNormaliser(), Limits: ingest.DefaultLimits, MaxInFlight: 0,
		Authorise: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler),
	}}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		full.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "_bulk") {
			refused.Add(1)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return func(requests int) {
		t.Helper()
		eventually(t, "requests that were refused", func() bool { return refused.Load() >= int64(requests) })
		_ = server.Close()
	}
}

// The real rsyslog, as docs/ingest.md sets it up: the server goes away in the middle
// and comes back, and each line is there once.
func TestRsyslogSendsThroughAnOutage(t *testing.T) {
	program := installed(t, "rsyslogd", "/usr/lib/*/rsyslog/omelasticsearch.so")
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r := startReplica(t, cfg)
	token := ingestToken(t, r)
	address := strings.TrimPrefix(r.URL(), "http://")
	dir := t.TempDir()
	log := filepath.Join(dir, "in.log")
	// What people copy, but for this machine's address and token and where it reads.
	text := strings.NewReplacer("secmon.example", address, `usehttps="on"`, `usehttps="off"`, "TOKEN", token).Replace(configurationOf(t, "rsyslog (omelasticsearch)"))
	text = fmt.Sprintf("global(workDirectory=%q)\nmodule(load=\"imfile\" mode=\"polling\" pollingInterval=\"1\")\ninput(type=\"imfile\" file=%q tag=\"app:\")\n", dir, log) + text
	conf := filepath.Join(dir, "rsyslog.conf")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), program, "-N1", "-f", conf).CombinedOutput(); err != nil { //nolint:gosec // a test
		t.Fatalf("the configuration is refused: %v\n%s", err, out)
	}
	server, err := child.Start(filepath.Join(dir, "rsyslogd.log"), program, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(server.PID(), syscall.SIGKILL); <-server.Done() }()
	const lines = 300
	write := func(from, to int) {
		t.Helper()
		file, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // a test's own
		if err != nil {
			t.Fatal(err)
		}
		for i := from; i < to; i++ {
			fmt.Fprintf(file, "line %d \"quoted\" \\ end\n", i)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	stored := func(r *replica) map[string]int {
		out := map[string]int{}
		for _, e := range storedEvents(t, r) {
			out[strings.TrimSpace(e.Message)]++
		}
		return out
	}
	write(0, lines/3)
	eventually(t, "the first lines", func() bool { return len(stored(r)) == lines/3 })
	r.Stop()
	refused := refusing(t, address)
	write(lines/3, 2*lines/3)
	refused(2)
	cfg.Listen = address
	r = startReplica(t, cfg)
	write(2*lines/3, lines)
	defer func() {
		if t.Failed() {
			said, _ := os.ReadFile(filepath.Join(dir, "rsyslogd.log"))
			t.Logf("rsyslogd: %s", said)
		}
	}()
	eventually(t, "all lines", func() bool { return len(stored(r)) == lines })
	for line, n := range stored(r) {
		if n != 1 || !strings.Contains(line, `"quoted" \ end`) {
			t.Errorf("%q is there %d times", line, n)
		}
	}
	if e := storedEvents(t, r)[0]; e.Host == "" || e.LogSource.Service != "app" {
		t.Errorf("%+v: want its host and program", e)
	}
}
