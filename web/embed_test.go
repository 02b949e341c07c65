package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func built() fstest.MapFS {
	return fstest.MapFS{
		".gitkeep":                  {},
		"index.html":                {Data: []byte("dashboard")},
		"index.html.gz":             {Data: []byte("zipped dashboard")},
		"assets/app-3f2a.js":        {Data: []byte("script")},
		"assets/app-3f2a.js.br":     {Data: []byte("brotli")},
		"assets/app-3f2a.js.gz":     {Data: []byte("gzip")},
		"playground/index.html":     {Data: []byte("playground")},
		"playground/assets/g-1.css": {Data: []byte("style")},
	}
}

func TestHandlerServesPagesAndAssets(t *testing.T) {
	tests := []struct {
		reason, path, encodings string
		status                  int
		body, kind, cache       string
		coding                  string
	}{
		{"the root is the dashboard", "/", "", 200, "dashboard", "text/html; charset=utf-8", cacheNever, ""},
		{"a page is sent zipped where the client takes it", "/", "gzip", 200, "zipped dashboard", "text/html; charset=utf-8", cacheNever, "gzip"},
		{"a path of the dashboard's router is the dashboard", "/alerts", "", 200, "dashboard", "text/html; charset=utf-8", cacheNever, ""},
		{"the playground has its own page", "/playground", "", 200, "playground", "text/html; charset=utf-8", cacheNever, ""},
		{"with a slash too", "/playground/", "", 200, "playground", "text/html; charset=utf-8", cacheNever, ""},
		{"assets are kept for ever", "/assets/app-3f2a.js", "", 200, "script", "text/javascript; charset=utf-8", cacheForever, ""},
		{"brotli goes before gzip", "/assets/app-3f2a.js", "gzip, deflate, br", 200, "brotli", "text/javascript; charset=utf-8", cacheForever, "br"},
		{"a coding with weight 0 is refused", "/assets/app-3f2a.js", "br;q=0, gzip", 200, "gzip", "text/javascript; charset=utf-8", cacheForever, "gzip"},
		{"the playground's assets are kept too", "/playground/assets/g-1.css", "", 200, "style", "text/css; charset=utf-8", cacheForever, ""},
		{"a missing asset is no page", "/assets/app-0000.js", "", 404, "404 page not found\n", "text/plain; charset=utf-8", "", ""},
		{"a compressed twin is not served by name", "/assets/app-3f2a.js.br", "", 404, "404 page not found\n", "text/plain; charset=utf-8", "", ""},
		{"nor is what git keeps", "/.gitkeep", "", 404, "404 page not found\n", "text/plain; charset=utf-8", "", ""},
		{"dots do not climb out", "/../embed.go", "", 404, "404 page not found\n", "text/plain; charset=utf-8", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.path+" "+tt.encodings, func(t *testing.T) {
			w := get(t, newServer(built()), http.MethodGet, tt.path, tt.encodings)
			if w.Code != tt.status || w.Body.String() != tt.body {
				t.Errorf("%s: got %d %q, want %d %q", tt.reason, w.Code, w.Body, tt.status, tt.body)
			}
			for name, want := range map[string]string{"Content-Type": tt.kind, "Cache-Control": tt.cache, "Content-Encoding": tt.coding} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", tt.reason, name, got, want)
				}
			}
		})
	}
}

func TestHandlerForbidsInlineScriptsAndFrames(t *testing.T) {
	w := get(t, newServer(built()), http.MethodGet, "/", "")
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"script-src 'self';", "frame-ancestors 'none'", "connect-src 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %q", policy, want)
		}
	}
	if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options is %q", got)
	}
}

func TestHandlerSaysWhatToDoWhenNothingIsBuilt(t *testing.T) {
	w := get(t, newServer(fstest.MapFS{".gitkeep": {}}), http.MethodGet, "/alerts", "")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make run") {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

func TestHandlerTakesOnlyReading(t *testing.T) {
	if w := get(t, newServer(built()), http.MethodPost, "/", ""); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST gives %d", w.Code)
	}
	w := get(t, newServer(built()), http.MethodHead, "/", "")
	if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "9" {
		t.Errorf("HEAD gives %d, %d bytes, length %s", w.Code, w.Body.Len(), w.Header().Get("Content-Length"))
	}
}

func TestEmbeddedHandlerAnswers(t *testing.T) {
	if w := get(t, Handler(), http.MethodGet, "/", ""); w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d", w.Code)
	}
}

func get(t *testing.T, h http.Handler, method, path, encodings string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost/", nil)
	r.URL.Path = path
	if encodings != "" {
		r.Header.Set("Accept-Encoding", encodings)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
