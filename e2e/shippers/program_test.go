package shippers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const password = "correct horse battery staple"

// program is the real one, as a process of its own.
type program struct {
	base, token string
	path, data  string
	flags       []string
	process     *exec.Cmd
	said        *bytes.Buffer
}

var dir string // that has the program

func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "shippers"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// build builds the program once for all tests.
var build = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(dir, "secmon")
	build := exec.Command("go", "build", "-o", path, "./cmd/secmon")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// start starts the program, and makes a token to send with.
func start(t *testing.T, flags ...string) *program {
	t.Helper()
	if _, err := exec.LookPath("mariadbd"); err != nil && os.Getenv("CI") != "true" {
		if _, err := os.Stat("/usr/sbin/mariadbd"); err != nil {
			t.Skip("needs a MariaDB server: run scripts/install-deps.sh servers")
		}
	}
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{path: path, data: filepath.Join(t.TempDir(), "data")}
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	p.base = "http://" + address
	p.flags = append([]string{"serve", "--data-dir", p.data, "--listen", address, "--admin-password", password}, flags...)
	t.Cleanup(p.stop)
	p.run(t)
	out, err := exec.CommandContext(t.Context(), p.path, "token", "create", "--name", "shipper", "--scope", "ingest", "--data-dir", p.data).Output()
	if err != nil {
		t.Fatal(err)
	}
	p.token = strings.TrimSpace(string(out))
	return p
}

// run starts the process and waits until it is ready.
func (p *program) run(t *testing.T) {
	t.Helper()
	p.said = &bytes.Buffer{}
	p.process = exec.Command(p.path, p.flags...)
	p.process.Stdout, p.process.Stderr = p.said, p.said
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if response, err := http.Get(p.base + "/api/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			p.stop()
			t.Fatalf("the program is not ready:\n%s", p.said.String())
		}
	}
}

// stop ends the process as an operator does.
func (p *program) stop() {
	if p.process == nil {
		return
	}
	_ = p.process.Process.Signal(os.Interrupt)
	_ = p.process.Wait()
	p.process = nil
}

// ask has a query answered into a value; without a session it is the login's.
func (p *program) ask(t *testing.T, session, query string, variables map[string]any, into any) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"query": query, "variables": variables})
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+"/api/graphql", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	if session != "" {
		request.Header.Set("Authorization", "Bearer "+session)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// login gives a session of the administrator.
func (p *program) login(t *testing.T) string {
	t.Helper()
	var in struct {
		Data struct{ SessionLogin struct{ AccessToken string } }
	}
	p.ask(t, "", `mutation($p: String!) { sessionLogin(input: {name: "admin", password: $p}) { accessToken } }`, map[string]any{"p": password}, &in)
	return in.Data.SessionLogin.AccessToken
}

// stored counts the events by their field n.
func (p *program) stored(t *testing.T) map[string]int {
	t.Helper()
	session, out := p.login(t), map[string]int{}
	for after := any(nil); ; {
		var page struct {
			Data struct {
				Events struct {
					Nodes    []struct{ Raw struct{ N string } }
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		p.ask(t, session, `query($after: String) { events(first: 500, after: $after, orderBy: RECEIVED_AT_DESC) { nodes { raw } pageInfo { hasNextPage endCursor } } }`, map[string]any{"after": after}, &page)
		for _, n := range page.Data.Events.Nodes {
			if n.Raw.N != "" {
				out[n.Raw.N]++
			}
		}
		if !page.Data.Events.PageInfo.HasNextPage {
			return out
		}
		after = page.Data.Events.PageInfo.EndCursor
	}
}
