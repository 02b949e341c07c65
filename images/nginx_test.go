package images

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/child"
)

// nginxProgram finds NGINX, or skips the test: with CI=true it must be there.
func nginxProgram(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"nginx", "/usr/sbin/nginx", "/opt/homebrew/bin/nginx"} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("nginx is not installed")
	}
	t.Skip("nginx is not installed: run scripts/install-deps.sh nginx")
	return ""
}

// startFrontend runs the image's configuration, with its port, root and temporary
// directory replaced, and gives its address.
func startFrontend(t *testing.T, root string) string {
	t.Helper()
	program := nginxProgram(t)
	text, err := os.ReadFile(filepath.Join("frontend", "nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	address, dir := freeAddress(t), t.TempDir()
	config := replaced(t, string(text), map[string]string{
		"listen 3000;": "listen " + address + ";", "/usr/share/secmon;": root + ";", " /tmp/": " " + dir + "/",
		"/dev/stdout": filepath.Join(dir, "access.log"), "error_log stderr": "error_log " + filepath.Join(dir, "error.log"),
	})
	if os.Getuid() == 0 {
		config = "user root;\n" + config // the image has no root; here its workers could not read the test's directory
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	server, err := child.Start(filepath.Join(dir, "out.log"), program, "-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Stop(context.Background()) // the test's own is over
		if t.Failed() {
			for _, name := range []string{"out.log", "error.log"} {
				text, _ := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // our own directory
				t.Logf("%s:\n%s", name, text)
			}
		}
	})
	base := "http://" + address
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) { // polls for readiness
		response, err := http.Get(base + "/healthz") //nolint:noctx // a probe
		if err == nil {
			_ = response.Body.Close()
			return base
		}
		select {
		case <-server.Done():
			t.Fatal("nginx has ended")
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not answer: %v", err)
		}
	}
}

// replaced replaces each key, which must be there, in one pass.
func replaced(t *testing.T, text string, with map[string]string) string {
	t.Helper()
	var pairs []string
	for old, fresh := range with {
		if !strings.Contains(text, old) {
			t.Fatalf("the configuration has no %q", old)
		}
		pairs = append(pairs, old, fresh)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its number is wanted
	return l.Addr().String()
}
