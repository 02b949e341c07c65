// Package web holds the dashboard and the GraphQL playground as built by Vite,
// and serves them. It knows nothing of the API: both are static files that call
// /api/graphql from the browser.
package web

import (
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// dist is empty but for .gitkeep until `npm run build` has run.
//
//go:embed all:dist
var dist embed.FS

// contentSecurityPolicy lets pages load scripts from this server only and run
// none that stand in the page. Styles may: CodeMirror and Monaco set them so.
// Workers come from blobs in the playground.
const contentSecurityPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; " +
	"object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

// What a browser or proxy may keep: names of assets carry a hash of their
// content, pages are asked for anew each time.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheNever   = "no-cache"
)

// Handler serves the embedded files: the dashboard at /, the playground at
// /playground, and each one's page for its paths that are no files. Paths that
// look like files and are not there give 404.
func Handler() http.Handler {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the path is a constant: a fault of this file
	}
	return newServer(root)
}

// HandlerOf serves another build in the same way.
func HandlerOf(files fs.FS) http.Handler { return newServer(files) }

// Operations gives the manifest of the dashboard's own operations: a JSON object
// of SHA-256 and document. Nil where the dashboard is not built.
func Operations() []byte {
	text, err := dist.ReadFile("dist/operations.json")
	if err != nil {
		return nil
	}
	return text
}

type server struct{ files fs.FS }

func newServer(files fs.FS) http.Handler { return server{files} }

// ServeHTTP answers GET and HEAD.
func (s server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if s.isFile(name) {
		s.serve(w, r, name)
		return
	}
	if path.Ext(name) != "" {
		http.NotFound(w, r)
		return
	}
	page := "index.html"
	if name == "playground" || strings.HasPrefix(name, "playground/") {
		page = "playground/index.html"
	}
	if !s.isFile(page) {
		notBuilt(w)
		return
	}
	s.serve(w, r, page)
}

func setSecurityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
}

// isFile tells whether a name may be served. Names that begin with a dot and
// the compressed twins are not for asking.
func (s server) isFile(name string) bool {
	if strings.HasPrefix(path.Base(name), ".") || isTwin(name) {
		return false
	}
	info, err := fs.Stat(s.files, name)
	return err == nil && info.Mode().IsRegular()
}

func isTwin(name string) bool {
	return strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz")
}

// serve sends a file, in the smallest coding that was built and the client takes.
func (s server) serve(w http.ResponseWriter, r *http.Request, name string) {
	body, coding, err := s.read(name, r.Header.Get("Accept-Encoding"))
	if err != nil {
		http.Error(w, "the file cannot be read", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", cacheControl(name))
	h.Add("Vary", "Accept-Encoding")
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) //nolint:gosec // an embedded file, chosen by the path, not made of it; the client may have left
}

func (s server) read(name, accepted string) (body []byte, coding string, err error) {
	for _, c := range [...]struct{ coding, ext string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(accepted, c.coding) {
			continue
		}
		if body, err := fs.ReadFile(s.files, name+c.ext); err == nil {
			return body, c.coding, nil
		}
	}
	body, err = fs.ReadFile(s.files, name)
	return body, "", err
}

// accepts reads Accept-Encoding (RFC 9110, 12.5.3), without ranking by weight.
func accepts(header, coding string) bool {
	return slices.ContainsFunc(strings.Split(header, ","), func(part string) bool {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		weight = strings.ReplaceAll(weight, " ", "")
		return strings.EqualFold(strings.TrimSpace(name), coding) && weight != "q=0" && weight != "q=0.0"
	})
}

func cacheControl(name string) string {
	if strings.HasPrefix(name, "assets/") || strings.HasPrefix(name, "playground/assets/") {
		return cacheForever
	}
	return cacheNever
}

// contentType knows our own kinds of file itself: mime asks the system's
// tables, which differ between machines.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".ttf":
		return "font/ttf"
	case ".json", ".map":
		return "application/json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

const notBuiltPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Security Monitor: web app not built</title>
<body style="font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1rem">
<h1 style="font-size: 1.25rem">The web app is not built</h1>
<p>This binary was compiled without the dashboard. The API at <code>/api/graphql</code> works.</p>
<p>Run <code>make run</code>, which builds both. While working on the dashboard: <code>make dev</code> here
and <code>npm run dev</code> in <code>web/</code>.</p>
</body>
</html>
`

func notBuilt(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(notBuiltPage)) // the client may have left
}
