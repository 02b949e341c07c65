package app

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/security-monitor/secmon/monitor"
)

// visit is what the log says of one request over HTTP, as its handlers find out.
type visit struct {
	mu        sync.Mutex
	viewer    string // kind: user, token; nobody where there is none
	viewerID  string
	address   string // of the client, where a handler had to know it
	operation string // the client's name for it
	kind      string // query, mutation, subscription
	code      string // OK, or why not
	cost      int
}

type visitKey struct{}

func withVisit(ctx context.Context, v *visit) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}

// visitOf gives the visit of a request over HTTP, nil for what runs on a live
// connection or in the background.
func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// by notes who asks, and from where. A nil visit takes no notes.
func (v *visit) by(who *monitor.Viewer, address string) {
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.viewer, v.viewerID = viewerKind(who)
	v.address = address
}

// viewerKind gives what a viewer is, and its id.
func viewerKind(who *monitor.Viewer) (kind, id string) {
	switch {
	case who == nil:
		return "nobody", ""
	case who.Token != nil:
		return "token", who.Token.ID.String()
	default:
		return "user", who.User.ID.String()
	}
}

// answerWriter notes what is answered.
type answerWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
	live   bool // the connection was taken over
	socket bool // by a WebSocket
}

// WriteHeader notes the status.
func (w *answerWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts bytes.
func (w *answerWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController through.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack hands the connection over.
func (w *answerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.live = true
		if w.status == 0 {
			w.status = http.StatusOK
			if w.socket {
				w.status = http.StatusSwitchingProtocols
			}
		}
	}
	return conn, buffered, err
}

// routeOf gives the name of what answers a path (metrics.Routes).
func routeOf(path string) string {
	for _, r := range []struct{ prefix, route string }{
		{"/api/graphql", "graphql"},
		{"/api/ingest", "ingest"},
		{"/api/elastic", "ingest"},
		{"/api/splunk/", "ingest"},
		{"/api/otlp/", "ingest"},
		{"/api/export/", "export"},
		{"/api/aws/", "ingest"},
		{"/api/taxii2", "taxii"},
		{"/api/auth/", "login"},
		{"/api/healthz", "health"},
		{"/api/readyz", "health"},
		{"/api/", "api"},
		{"/playground", "playground"},
	} {
		if strings.HasPrefix(path, r.prefix) {
			return r.route
		}
	}
	return "dashboard"
}
