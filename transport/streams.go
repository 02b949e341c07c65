package transport

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/security-monitor/secmon/monitor"
)

// Streams is the transport of server-sent events with one connection for many
// operations (graphql-sse, single connection mode): PUT reserves a stream, GET
// opens it, POST begins an operation on it, DELETE ends one. Browsers open only
// some six connections to a host over HTTP/1.1.
// https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
type Streams struct{ Server *Server }

var _ graphql.Transport = Streams{}

// How long a reservation waits for its stream, and how many there are.
const (
	reservationTime = 30 * time.Second
	maxReservations = 1_000
)

func streamToken(r *http.Request) string {
	if token := r.Header.Get("X-GraphQL-Event-Stream-Token"); token != "" {
		return token
	}
	return r.URL.Query().Get("token")
}

// Supports tells whether a request belongs to a shared stream.
func (Streams) Supports(r *http.Request) bool {
	return r.Method == http.MethodPut || r.Method == http.MethodDelete || streamToken(r) != ""
}

// Do serves one request of the protocol.
func (t Streams) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	viewer, ok := t.Server.viewerOf(w, r)
	if !ok {
		return
	}
	if r.Method == http.MethodPut {
		t.reserve(w, viewer)
		return
	}
	reserved := t.Server.streams.find(streamToken(r), viewer)
	switch {
	case reserved == nil:
		refuse(w, http.StatusNotFound, monitor.Errorf(monitor.CodeNotFound, "there is no such stream; reserve one with PUT"))
	case r.Method == http.MethodGet:
		t.open(w, r, exec, viewer, reserved)
	case r.Method == http.MethodPost:
		t.begin(w, r, reserved)
	default:
		t.stop(w, r, reserved)
	}
}

func (t Streams) reserve(w http.ResponseWriter, viewer *monitor.Viewer) {
	token, err := t.Server.streams.add(viewer, time.Now())
	if err != nil {
		t.Server.Stats.Refused.Add(1)
		refuse(w, http.StatusTooManyRequests, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(token)) // the client may have left
}

func (t Streams) open(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, viewer *monitor.Viewer, reserved *reservation) {
	if !reserved.claim() {
		refuse(w, http.StatusConflict, monitor.Errorf(monitor.CodeConflict, "the stream is open already"))
		return
	}
	c := t.Server.openStream(w, r, exec, kindStreams, sharedFraming{}, viewer)
	reserved.opened(c)
}

// begin starts an operation; its answers come on the stream.
func (t Streams) begin(w http.ResponseWriter, r *http.Request, reserved *reservation) {
	params, err := paramsOf(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	id, _ := params.Extensions["operationId"].(string)
	c := reserved.stream()
	switch {
	case id == "" || len(id) > maxID:
		refuse(w, http.StatusBadRequest, monitor.Errorf(monitor.CodeBadInput, "extensions.operationId has to name the operation"))
		return
	case c == nil:
		refuse(w, http.StatusNotFound, monitor.Errorf(monitor.CodeNotFound, "the stream is not open"))
		return
	}
	op, ctx, err := c.begin(id)
	if err != nil {
		refuse(w, http.StatusConflict, monitor.Errorf(monitor.CodeConflict, "the operation id is in use, or the stream is over"))
		return
	}
	if !t.Server.do(t.Server.work, func() { c.execute(ctx, op, params, "") }) {
		unavailable(w)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (t Streams) stop(w http.ResponseWriter, r *http.Request, reserved *reservation) {
	id := r.URL.Query().Get("operationId")
	if id == "" {
		refuse(w, http.StatusBadRequest, monitor.Errorf(monitor.CodeBadInput, "operationId has to name the operation"))
		return
	}
	if c := reserved.stream(); c != nil {
		c.stop(id)
	}
	w.WriteHeader(http.StatusOK)
}

// reservations are the streams that were asked for, by their token.
type reservations struct {
	mu  sync.Mutex
	all map[string]*reservation
}

// reservation is a stream of one viewer, before and while it is open.
type reservation struct {
	owner monitor.ID
	until time.Time

	mu      sync.Mutex
	claimed bool
	conn    *connection
}

func (s *reservations) add(v *monitor.Viewer, now time.Time) (string, error) {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails since Go 1.24
	token := base64.RawURLEncoding.EncodeToString(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) >= maxReservations {
		return "", tooMany("streams", maxReservations)
	}
	if s.all == nil {
		s.all = map[string]*reservation{}
	}
	s.all[token] = &reservation{owner: v.Actor().ID, until: now.Add(reservationTime)}
	return token, nil
}

// find gives the stream of a token, to its owner only.
func (s *reservations) find(token string, v *monitor.Viewer) *reservation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.all[token]; r != nil && r.owner == v.Actor().ID {
		return r
	}
	return nil
}

// expire forgets streams that were never opened or are over.
func (s *reservations) expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, r := range s.all {
		if r.over(now) {
			delete(s.all, token)
		}
	}
}

func (r *reservation) claim() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.claimed {
		return false
	}
	r.claimed = true
	return true
}

// opened gives the reservation its stream; nil: it did not come to that.
func (r *reservation) opened(c *connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn = c
	if c == nil {
		r.until = time.Time{}
	}
}

// stream gives the open stream, nil without one.
func (r *reservation) stream() *connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conn
}

func (r *reservation) over(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		return now.After(r.until)
	}
	r.conn.mu.Lock()
	defer r.conn.mu.Unlock()
	return r.conn.ended
}
