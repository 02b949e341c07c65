package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binaryDir is where the program is built for the tests of this package; TestMain
// makes and removes it.
var binaryDir string

var buildBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryDir, "secmon")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/secmon").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return path, nil
})

// binary gives the program, built once for all tests.
func binary(t *testing.T) string {
	t.Helper()
	path, err := buildBinary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is the program running as users start it, with its private database.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	dir  string
	base string
	out  *bytes.Buffer
}

func startProcess(t *testing.T, dir string) *process {
	t.Helper()
	if _, err := exec.LookPath("mariadbd"); err != nil && os.Getenv("CI") != "true" {
		if _, err := os.Stat("/usr/sbin/mariadbd"); err != nil {
			t.Skip("needs a MariaDB server: run scripts/install-deps.sh servers")
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	p := &process{t: t, dir: dir, base: "http://" + address, out: &bytes.Buffer{}}
	p.cmd = exec.Command(binary(t), "serve", "--data-dir", dir, "--listen", address, "--admin-password", testPassword) //nolint:gosec // our own program
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.end(syscall.SIGTERM) })
	ended := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(ended) }()
	p.await(ended)
	return p
}

func (p *process) await(ended <-chan struct{}) {
	p.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); {
		select {
		case <-ended:
			p.t.Fatalf("the program ended:\n%s", p.out)
		case <-time.After(20 * time.Millisecond):
		}
		response, err := http.Get(p.base + "/api/readyz") //nolint:noctx // a probe
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
	}
	p.t.Fatalf("the program is not ready after a minute:\n%s", p.out)
}

// end sends a signal and waits until the process is gone.
func (p *process) end(signal syscall.Signal) {
	_ = p.cmd.Process.Signal(signal)
	for p.cmd.Process.Signal(syscall.Signal(0)) == nil {
		time.Sleep(5 * time.Millisecond) // polls for the end of a process that somebody else waits for
	}
}

// run runs a command of the program on the process's data directory.
func (p *process) run(args ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), binary(p.t), append(args, "--data-dir", p.dir)...) //nolint:gosec // our own program
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("secmon %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// Whoever got a 2xx can forget the record: kill -9 of the server in the middle of
// the load loses none of them.
func TestKilledServerKeepsEveryAcknowledgedRecord(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, dir)
	token := p.run("token", "create", "--name", "load", "--scope", "ingest")
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	serial := 0
	const rounds = 3
	for round := range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		var senders sync.WaitGroup
		for range 8 {
			senders.Go(func() {
				for ctx.Err() == nil {
					var body bytes.Buffer
					var markers []string
					mu.Lock()
					for range 25 {
						serial++
						markers = append(markers, fmt.Sprintf("m%d", serial))
						fmt.Fprintf(&body, `{"host":"load","marker":"m%d","pad":"%s"}`+"\n", serial, strings.Repeat("x", 200))
					}
					mu.Unlock()
					if status, ok := trySend(ctx, p.base, token, &body); ok && status == http.StatusOK {
						mu.Lock()
						for _, m := range markers {
							acknowledged[m] = true
						}
						mu.Unlock()
					} else if !ok {
						return
					}
				}
			})
		}
		time.Sleep(1500 * time.Millisecond) // load before the blow
		p.end(syscall.SIGKILL)
		cancel()
		senders.Wait()
		p = startProcess(t, dir)
		stored := markersOf(t, p.base)
		missing := 0
		for m := range acknowledged {
			if stored[m] != 1 {
				missing++
			}
		}
		t.Logf("round %d: %d records acknowledged, %d stored", round, len(acknowledged), len(stored))
		if missing > 0 {
			t.Fatalf("%d acknowledged records are not there exactly once", missing)
		}
	}
	if len(acknowledged) < 1_000 {
		t.Errorf("only %d records acknowledged: the test says little", len(acknowledged))
	}
}

// trySend posts a body; ok is false when no answer came.
func trySend(ctx context.Context, base, token string, body *bytes.Buffer) (status int, ok bool) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/ingest", body)
	if err != nil {
		return 0, false
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, false
	}
	defer response.Body.Close() //nolint:errcheck // a test
	var a map[string]any
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		return 0, false
	}
	return response.StatusCode, true
}

// markersOf pages through all events and counts each marker.
func markersOf(t *testing.T, base string) map[string]int {
	t.Helper()
	bearer := login(t, base, "admin", testPassword)
	markers := map[string]int{}
	for after := any(nil); ; {
		var data struct {
			Events struct {
				Nodes    []struct{ Raw struct{ Marker string } }
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		post(t, base, bearer, `query($after: String) { events(first: 500, after: $after, orderBy: RECEIVED_AT_DESC) { nodes { raw } pageInfo { hasNextPage endCursor } } }`,
			map[string]any{"after": after}, &data)
		for _, n := range data.Events.Nodes {
			if n.Raw.Marker != "" {
				markers[n.Raw.Marker]++
			}
		}
		if !data.Events.PageInfo.HasNextPage {
			return markers
		}
		after = data.Events.PageInfo.EndCursor
	}
}
