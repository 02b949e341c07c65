// Package images tests what is in the container images: the frontend's NGINX
// configuration, run by the real program; the software bill of materials; and,
// with `make image/test`, the images themselves.
package images

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/web"
)

// small is a build with one file of each kind.
var small = map[string]string{
	"index.html": "dashboard", "index.html.gz": "zipped dashboard", "index.html.br": "brotli dashboard",
	"icon.svg": "<svg/>", "theme.js": "theme", "operations.json": "{}", ".gitkeep": "",
	"assets/app-3f2a.js": "script", "assets/app-3f2a.js.br": "brotli", "assets/app-3f2a.js.gz": "gzip",
	"assets/only-1.css": "style", "assets/only-1.css.gz": "zipped style", "assets/inter-1.woff2": "font", "assets/code-1.ttf": "type", "assets/m-1.mjs": "module",
	"playground/index.html": "playground", "playground/assets/g-1.css": "style of the playground", "playground/assets/w-1.js.map": "{}",
}

func build(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // as in the image
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil { //nolint:gosec // as in the image
			t.Fatal(err)
		}
	}
	return dir
}

// dist is the real build, "" where there is none.
func dist() string {
	dir, err := filepath.Abs(filepath.Join("..", "web", "dist"))
	if err != nil {
		return ""
	}
	if _, err := os.Stat(filepath.Join(dir, "index.html")); err != nil {
		return ""
	}
	return dir
}

// told is what of an answer both servers have to say alike. Content-Length is the
// body's, Date and Server are the program's own.
type told struct {
	status int
	header map[string]string
	body   string
}

var compared = []string{
	"Content-Type", "Content-Encoding", "Cache-Control", "Vary", "Allow", "Content-Security-Policy", "X-Content-Type-Options",
	"Referrer-Policy", "Cross-Origin-Opener-Policy", "Permissions-Policy", "Etag", "Last-Modified", "Accept-Ranges", "Content-Length",
}

func ask(t *testing.T, method, url, encodings string, headers ...string) told {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", encodings) // also keeps Go from asking for gzip by itself
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read whole
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := told{status: response.StatusCode, header: map[string]string{}, body: string(body)}
	for _, name := range compared {
		if values := response.Header.Values(name); len(values) > 0 {
			a.header[name] = strings.Join(values, " and ")
		}
	}
	if response.StatusCode != http.StatusOK { // what an error says is each program's own
		a.body = ""
		delete(a.header, "Content-Length")
		delete(a.header, "Content-Type")
	}
	return a
}

func compare(t *testing.T, nginx, embedded, method, path, encodings string) {
	t.Helper()
	got, want := ask(t, method, nginx+path, encodings), ask(t, method, embedded+path, encodings)
	if got.status != want.status || got.body != want.body {
		t.Errorf("%s %s (%s): NGINX says %d %.60q, the embedded server %d %.60q", method, path, encodings, got.status, got.body, want.status, want.body)
	}
	for _, name := range compared {
		if got.header[name] != want.header[name] {
			t.Errorf("%s %s (%s): %s is %q with NGINX, %q with the embedded server", method, path, encodings, name, got.header[name], want.header[name])
		}
	}
}

var encodings = []string{"", "gzip", "br", "gzip, deflate, br, zstd", "br;q=0, gzip", "gzip;q=0", "GZIP;q=0.5", "br ; q = 0.0", "*", "brotli", "deflate"}

// The dashboard is served by the binary in one installation and by NGINX in
// another, and must be the same.
func TestFrontendSaysWhatTheEmbeddedServerSays(t *testing.T) {
	root := build(t, small)
	nginx, embedded := startFrontend(t, root), httptest.NewServer(web.HandlerOf(os.DirFS(root)))
	defer embedded.Close()
	paths := []string{
		"/", "/alerts", "/alerts/", "/alerts/QWxlcnQ6MQ", "/playground", "/playground/", "/playground/x", "/playgrounds", "/assets", "/assets/", "/no/such/page",
		"/assets/app-0000.js", "/missing.html", "/alerts/a.b", "/.gitkeep", "/.hidden", "/x/.git", "/assets/app-3f2a.js.br", "/index.html.gz", "/x/%2e%2e/embed.go",
		"/alerts?q=a.js", "/theme.js?v=1", "/index.html/x",
	}
	for name := range small {
		paths = append(paths, "/"+name)
	}
	for _, path := range paths {
		for _, accepted := range encodings {
			compare(t, nginx, embedded.URL, http.MethodGet, path, accepted)
		}
		compare(t, nginx, embedded.URL, http.MethodHead, path, "gzip")
	}
	if a := ask(t, http.MethodGet, nginx+"/%2e%2e/embed.go", ""); a.status != http.StatusBadRequest {
		t.Errorf("who climbs out of the root gets %+v", a)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch} {
		compare(t, nginx, embedded.URL, method, "/", "")
		compare(t, nginx, embedded.URL, method, "/assets/app-3f2a.js", "gzip")
	}
}

// The same with the real build, each file of it.
func TestFrontendServesTheRealBuild(t *testing.T) {
	root := dist()
	if root == "" {
		t.Skip("the dashboard is not built: make build")
	}
	nginx, embedded := startFrontend(t, root), httptest.NewServer(web.HandlerOf(os.DirFS(root)))
	defer embedded.Close()
	files := 0
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		for _, accepted := range []string{"", "gzip", "gzip, deflate, br"} {
			compare(t, nginx, embedded.URL, http.MethodGet, "/"+name, accepted)
		}
		return nil
	})
	if err != nil || files < 50 {
		t.Errorf("%d files, %v", files, err)
	}
	page := ask(t, http.MethodGet, nginx+"/alerts", "gzip")
	unzip, err := gzip.NewReader(strings.NewReader(page.body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unzip)
	if err != nil || !bytes.Contains(text, []byte("<title>Security Monitor")) {
		t.Errorf("the page is %.200q, %v", text, err)
	}
}

// Whoever sends the API's requests here has a wrong ingress, and is told so in the
// form in which the API tells errors.
func TestFrontendServesNoAPI(t *testing.T) {
	nginx := startFrontend(t, build(t, small))
	for _, path := range []string{"/api", "/api/", "/api/graphql", "/api/graphql/", "/api/ingest", "/api/a.js", "/API/../api/readyz"} {
		response, err := http.Get(nginx + path) //nolint:gosec,noctx // a test
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusNotFound || !bytes.HasPrefix(body, []byte(`{"code":"NOT_FOUND"`)) || response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %v %.100q", path, response.StatusCode, response.Header["Content-Type"], body)
		}
	}
	if a := ask(t, http.MethodGet, nginx+"/apis", ""); a.status != http.StatusOK || a.body != small["index.html"] {
		t.Errorf("/apis is a page like others: %+v", a)
	}
	if a := ask(t, http.MethodPost, nginx+"/api/graphql", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %+v", a)
	}
}

// In a reproducible image all files have one time, and two versions of a page one
// size: what looks unchanged to NGINX is not.
func TestFrontendKeepsNoOldPage(t *testing.T) {
	files := maps.Clone(small)
	files["index.html"] = "page of app-aaaa.js"
	root := build(t, files)
	page, epoch := filepath.Join(root, "index.html"), time.Unix(0, 0)
	if err := os.Chtimes(page, epoch, epoch); err != nil {
		t.Fatal(err)
	}
	nginx := startFrontend(t, root)
	before := ask(t, http.MethodGet, nginx+"/", "")
	if err := os.WriteFile(page, []byte("page of app-bbbb.js"), 0o644); err != nil { //nolint:gosec // as in the image
		t.Fatal(err)
	}
	if err := os.Chtimes(page, epoch, epoch); err != nil {
		t.Fatal(err)
	}
	conditions := []string{"If-Modified-Since", epoch.UTC().Format(http.TimeFormat), "If-None-Match", before.header["Etag"]}
	if after := ask(t, http.MethodGet, nginx+"/", "", conditions...); after.body != "page of app-bbbb.js" {
		t.Errorf("a browser that asks whether its page is current gets %+v", after)
	}
}

// The log has a line of JSON for each request, and nothing of what people searched.
func TestFrontendLogsNoQueries(t *testing.T) {
	nginx := startFrontend(t, build(t, small))
	ask(t, http.MethodGet, nginx+"/events?q=secret-name", "")
	dirs, err := filepath.Glob(filepath.Join(filepath.Dir(t.TempDir()), "*", "access.log"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%v %v", dirs, err)
	}
	var text []byte
	for deadline := time.Now().Add(10 * time.Second); !bytes.Contains(text, []byte("\n")) && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		text, _ = os.ReadFile(dirs[0]) // polls for the line
	}
	if !bytes.Contains(text, []byte(`"method":"GET"`)) || bytes.Contains(text, []byte("secret-name")) || bytes.Contains(text, []byte("healthz")) {
		t.Errorf("the log says %s", text)
	}
}

func TestFrontendHeadersAreStrict(t *testing.T) {
	nginx := startFrontend(t, build(t, small))
	for _, path := range []string{"/", "/assets/app-3f2a.js", "/missing.js", "/api/graphql", "/healthz"} {
		a := ask(t, http.MethodGet, nginx+path, "")
		policy := a.header["Content-Security-Policy"]
		for _, want := range []string{"default-src 'self'", "script-src 'self';", "frame-ancestors 'none'", "object-src 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy %q lacks %s", path, policy, want)
			}
		}
		if a.header["X-Content-Type-Options"] != "nosniff" || a.header["Etag"] != "" || a.header["Last-Modified"] != "" {
			t.Errorf("%s: %v", path, a.header)
		}
	}
}
