package transport

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/monitor"
)

// Stream is the transport of server-sent events with a connection for each
// operation (graphql-sse, distinct connections mode), by GET and POST.
// https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
type Stream struct{ Server *Server }

var _ graphql.Transport = Stream{}

// Supports tells whether a request wants server-sent events.
func (Stream) Supports(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodPost) && wantsStream(r) && streamToken(r) == ""
}

func wantsStream(r *http.Request) bool {
	for _, accept := range strings.Split(r.Header.Get("Accept"), ",") {
		if kind, _, err := mime.ParseMediaType(accept); err == nil && kind == "text/event-stream" {
			return true
		}
	}
	return false
}

// Do takes the connection over and returns.
func (t Stream) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	viewer, ok := t.Server.viewerOf(w, r)
	if !ok {
		return
	}
	params, err := paramsOf(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	after := r.Header.Get("Last-Event-ID") // newer than what the address says, which never changes
	c := t.Server.openStream(w, r, exec, kindStream, streamFraming{}, viewer)
	if c == nil {
		return
	}
	op, ctx, err := c.begin("")
	if err != nil {
		return // it is being closed
	}
	if !t.Server.do(t.Server.work, func() { c.execute(ctx, op, params, after) }) {
		c.close(closeServiceRestart, "the server restarts")
	}
}

// viewerOf gives who asks; it answers the request where nobody does.
func (s *Server) viewerOf(w http.ResponseWriter, r *http.Request) (*monitor.Viewer, bool) {
	if s.closed() && streamToken(r) == "" { // operations of a stream that is open go on
		unavailable(w)
		return nil, false
	}
	if viewer := monitor.ViewerFrom(r.Context()); viewer != nil {
		return viewer, true
	}
	err := s.Failure(r.Context())
	switch code := monitor.CodeOf(err); {
	case err == nil:
		err = monitor.Errorf(monitor.CodeUnauthenticated, "log in, or send an API token")
	case code != monitor.CodeUnauthenticated && code != monitor.CodeForbidden:
		// Nobody knows: a 401 would end the client's session.
		s.Log.Warn("feed: a credential could not be checked", "error", err)
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, monitor.Errorf(monitor.CodeUnavailable, "the credential could not be checked; try again"))
		return nil, false
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	refuse(w, http.StatusUnauthorized, err)
	return nil, false
}

// refuse answers a request that does not become a stream.
func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	shown := map[string]any{"message": err.Error(), "extensions": map[string]any{"code": monitor.CodeOf(err)}}
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{shown}}) // the client may have left
}

// paramsOf reads the request of a POST's body or a GET's address.
func paramsOf(r *http.Request) (*graphql.RawParams, error) {
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "the body could not be read")
		}
		return readParams(body)
	}
	values := r.URL.Query()
	fields := map[string]any{"query": values.Get("query"), "operationName": values.Get("operationName")}
	for _, name := range []string{"variables", "extensions"} {
		if text := values.Get(name); text != "" {
			fields[name] = json.RawMessage(text)
		}
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, monitor.Errorf(monitor.CodeBadInput, "variables and extensions have to be JSON objects")
	}
	return readParams(text)
}

// streamHead answers a request with a stream that ends with its connection.
const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache, no-transform\r\n" +
	"X-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n"

// openStream takes a request's connection over and begins a stream of events; nil
// when the request has been answered otherwise.
func (s *Server) openStream(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, kind string, framing framing, viewer *monitor.Viewer) *connection {
	requestID := w.Header().Get("X-Request-Id")
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		refuse(w, http.StatusHTTPVersionNotSupported, monitor.Errorf(monitor.CodeBadInput, "event streams need HTTP/1.1"))
		return nil
	}
	head := streamHead
	if requestID != "" {
		head += "X-Request-Id: " + requestID + "\r\n"
	}
	c, ok := s.newConnection(conn, head+"\r\n:\n\n", exec, kind, framing, auth.Address(r.Context()))
	if !ok {
		_ = conn.Close()
		return nil
	}
	s.running.Go(func() { c.watchPeer(conn) })
	if err := c.introduce(viewer, func() bool { return false }); err != nil {
		c.reject(err)
		return nil
	}
	return c
}

// watchPeer waits until the client hangs up.
func (c *connection) watchPeer(conn net.Conn) {
	defer c.end()
	one := make([]byte, 1)
	for {
		if _, err := conn.Read(one); err != nil {
			return
		}
	}
}

// reject ends a stream that must not begin.
func (c *connection) reject(err error) {
	if c.shut() {
		errs := c.server.present(context.Background(), err)
		c.out.finish(streamFraming{}.failed("", errs), c.hangUp)
	}
}
