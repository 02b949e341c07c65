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
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/app"
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
	for _, dir := range []string{"/usr/sbin", "/usr/bin", "../bin/shippers"} {
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
	writeFile(t, conf, text)
	writeFile(t, log, "")
	if out, err := exec.CommandContext(t.Context(), program, "-N1", "-f", conf).CombinedOutput(); err != nil { //nolint:gosec // a test
		t.Fatalf("the configuration is refused: %v\n%s", err, out)
	}
	sendsThroughAnOutage(t, r, cfg, log, program, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"))
	if e := storedEvents(t, r)[0]; e.Host == "" || e.LogSource.Service != "app" {
		t.Errorf("%+v: want its host and program", e)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The real syslog-ng, likewise.
func TestSyslogNGSendsThroughAnOutage(t *testing.T) {
	program := installed(t, "syslog-ng")
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r := startReplica(t, cfg)
	dir := t.TempDir()
	log := filepath.Join(dir, "in.log")
	text := strings.NewReplacer("https://secmon.example", r.URL(), "TOKEN", ingestToken(t, r), "reliable(yes)", fmt.Sprintf("reliable(yes) dir(%q)", dir)).
		Replace(configurationOf(t, "syslog-ng (http)"))
	text = fmt.Sprintf("@version: 3.35\nsource s_src { file(%q follow-freq(0.2) flags(no-parse) program-override(\"app\")); };\n", log) + text
	conf := filepath.Join(dir, "syslog-ng.conf")
	writeFile(t, conf, text)
	writeFile(t, log, "")
	sendsThroughAnOutage(t, r, cfg, log, program, "-F", "-e", "-f", conf, "-R", filepath.Join(dir, "persist"), "-p", filepath.Join(dir, "pid"), "-c", filepath.Join(dir, "ctl"), "--no-caps")
}

// sendsThroughAnOutage starts a shipper that follows a log, and takes its server away
// in the middle: each line is there once.
func sendsThroughAnOutage(t *testing.T, r *replica, cfg app.Config, log, program string, args ...string) {
	t.Helper()
	address := strings.TrimPrefix(r.URL(), "http://")
	said := filepath.Join(t.TempDir(), "said")
	server, err := child.Start(said, program, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(server.PID(), syscall.SIGKILL)
		<-server.Done()
		if t.Failed() {
			text, _ := os.ReadFile(said)
			t.Logf("%s: %s", program, text)
		}
	}()
	const lines = 300
	reader := r // of what is stored; its store outlives it
	stored := func() map[string]int {
		out := map[string]int{}
		for _, e := range storedEvents(t, reader) {
			out[strings.TrimSpace(e.Message)]++
		}
		return out
	}
	writeLines(t, log, 0, lines/3)
	eventually(t, "the first lines", func() bool { return len(stored()) == lines/3 })
	r.Stop()
	refused := refusing(t, address)
	writeLines(t, log, lines/3, 2*lines/3)
	refused(2)
	cfg.Listen = address
	reader = startReplica(t, cfg)
	*r = *reader
	writeLines(t, log, 2*lines/3, lines)
	eventually(t, "all lines", func() bool { return len(stored()) == lines })
	for line, n := range stored() {
		if n != 1 || !strings.Contains(line, `"quoted" \ end`) {
			t.Errorf("%q is there %d times", line, n)
		}
	}
}

// The commands of docs/ingest.md do what they say.
func TestCurlSends(t *testing.T) {
	shell := installed(t, "curl") // and a shell with gzip, as every system has
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	text := strings.ReplaceAll(configurationOf(t, "curl"), "https://secmon.example", r.URL())
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", text) //nolint:gosec // our own documentation
	cmd.Env = append(os.Environ(), "TOKEN="+ingestToken(t, r), "PATH="+filepath.Dir(shell)+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var messages []string
	for _, e := range storedEvents(t, r) {
		if e.Host != "web-1" {
			t.Errorf("%s is of %q", e.Message, e.Host)
		}
		messages = append(messages, e.Message)
	}
	slices.Sort(messages)
	if got := strings.Join(messages, " "); got != "five four one three two" {
		t.Errorf("stored: %s", got)
	}
}

// writeLines appends numbered lines to a log that a shipper follows.
func writeLines(t *testing.T, log string, from, to int) {
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
