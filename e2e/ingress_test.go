package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/child"
)

// ingress is NGINX in front of replicas, and what a cluster has beside it: it asks
// the replicas that are selected whether they are ready, and sends requests to
// those that are.
type ingress struct {
	t       *testing.T
	base    string
	dir     string
	server  *child.Process
	probing sync.WaitGroup

	mu       sync.Mutex
	selected []string // addresses, as a Service's selector chooses pods
	sending  []string // those that NGINX sends to
	reloads  int
}

const ingressMain = `daemon off;
worker_processes 1;
pid DIR/pid;
error_log DIR/error.log warn;
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s;
  include DIR/ingress.conf;
}
`

func startIngress(t *testing.T) *ingress {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/nginx")
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("nginx is not installed")
		}
		t.Skip("nginx is not installed: run scripts/install-deps.sh nginx")
	}
	template, err := os.ReadFile(filepath.Join("..", "images", "compose", "ingress.conf.template"))
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	g := &ingress{t: t, base: "http://" + address, dir: t.TempDir()}
	conf := strings.NewReplacer("server ${BACKEND};", "include "+g.dir+"/backends.conf;", "server ${FRONTEND};", "server 127.0.0.1:1;", "${LISTEN}", address).Replace(string(template))
	main := strings.ReplaceAll(ingressMain, "DIR", g.dir)
	if os.Getuid() == 0 {
		main = "user root;\n" + main // its workers could not enter the test's directory
	}
	g.write("ingress.conf", conf)
	g.write("nginx.conf", main)
	g.write("backends.conf", "server 127.0.0.1:1;\n")
	if g.server, err = child.Start(filepath.Join(g.dir, "out.log"), program, "-p", g.dir, "-e", filepath.Join(g.dir, "error.log"), "-c", filepath.Join(g.dir, "nginx.conf")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	g.probing.Go(func() { g.control(ctx) })
	t.Cleanup(func() {
		cancel()
		g.probing.Wait()
		g.server.Stop(context.Background()) // the test's own is over
		if t.Failed() {
			text, _ := os.ReadFile(filepath.Join(g.dir, "error.log"))
			t.Logf("nginx:\n%.4000s", text)
		}
	})
	return g
}

// write replaces a file whole: NGINX never reads half of one.
func (g *ingress) write(name, text string) {
	path := filepath.Join(g.dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		g.t.Error(err)
		return
	}
	if err := os.Rename(path+".new", path); err != nil {
		g.t.Error(err)
	}
}

// control does what an ingress controller does.
func (g *ingress) control(ctx context.Context) {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		g.mu.Lock()
		selected := slices.Clone(g.selected)
		g.mu.Unlock()
		var ready []string
		for _, address := range selected {
			response, err := client.Get("http://" + address + "/api/readyz") //nolint:noctx // it has a timeout
			if err != nil {
				continue
			}
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				ready = append(ready, address)
			}
		}
		g.mu.Lock()
		if len(ready) > 0 && slices.Equal(selected, g.selected) && !slices.Equal(ready, g.sending) {
			var text strings.Builder
			for _, address := range ready {
				text.WriteString("server " + address + ";\n")
			}
			g.write("backends.conf", text.String())
			_ = syscall.Kill(g.server.PID(), syscall.SIGHUP) // reload
			g.sending = ready
			g.reloads++
		}
		g.mu.Unlock()
		time.Sleep(50 * time.Millisecond) // the period of the probes
	}
}

// selectOnly chooses replicas, and waits until NGINX has been told of those that
// are ready among them.
func (g *ingress) selectOnly(replicas ...*chaosReplica) {
	g.t.Helper()
	var addresses []string
	for _, r := range replicas {
		addresses = append(addresses, r.address)
	}
	g.mu.Lock()
	g.selected = addresses
	g.mu.Unlock()
	eventually(g.t, "the ingress to send to all that are selected", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return slices.Equal(g.sending, addresses)
	})
}

// sendsTo says whether requests may go to a replica.
func (g *ingress) sendsTo(r *chaosReplica) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Contains(g.sending, r.address)
}
