package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gobwas/ws"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/monitor"
)

const (
	kindSocket  = "WEBSOCKET"
	kindStream  = "SSE"
	kindStreams = "SSE_SINGLE"

	subprotocol = "graphql-transport-ws"
	maxID       = 256 // bytes of an operation's id, which the client chooses

	loginBytes = 16 << 10 // of one message before the login: nobody knows yet who sends it
	partBytes  = 4 << 10  // taken for a frame before its bytes are there
)

// WebSocket is the transport of graphql-transport-ws.
// https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
type WebSocket struct{ Server *Server }

var _ graphql.Transport = WebSocket{}

// Supports tells whether a request wants to become a WebSocket.
func (WebSocket) Supports(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Do takes the connection over and returns: from then on one goroutine with a
// small stack waits for what the client says.
func (t WebSocket) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	s := t.Server
	if s.closed() || s.crowded() {
		unavailable(w)
		return
	}
	upgrader := ws.HTTPUpgrader{Protocol: func(name string) bool { return name == subprotocol }}
	conn, buffered, handshake, err := upgrader.Upgrade(r, w)
	if err != nil {
		return // the upgrader has answered
	}
	c, ok := s.newConnection(conn, "", exec, kindSocket, socketFraming{}, auth.Address(r.Context()))
	if !ok {
		s.turnAway(conn)
		return
	}
	k := &socket{connection: c, from: early(conn, buffered.Reader.Buffered(), buffered)}
	c.mu.Lock()
	c.initBy = time.Now().Add(s.Limits.InitTime)
	c.mu.Unlock()
	k.header = monitor.ViewerFrom(r.Context())
	if handshake.Protocol != subprotocol {
		c.close(closeSubprotocol, "Subprotocol not acceptable")
	}
	s.running.Go(k.read)
}

// turnAway says goodbye to a client that came while the server began to stop, or
// became full. What it has sent meanwhile is read: unread, it would make the
// kernel throw the goodbye away.
func (s *Server) turnAway(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // it had its time
	code, reason := closeTryLater, "this replica takes no more live connections"
	if s.stopping.Load() {
		code, reason = closeServiceRestart, "the server restarts"
	}
	_ = conn.SetDeadline(time.Now().Add(closeTime)) // the write fails where this fails
	if _, err := conn.Write(socketFraming{}.goodbye(code, reason)); err != nil {
		return
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, conn)
	}
}

// early is what of the client's first messages came with its request, then the rest.
func early(conn net.Conn, n int, r io.Reader) io.Reader {
	if n == 0 {
		return conn // the buffers of the HTTP server become free
	}
	b := make([]byte, n)
	_, _ = io.ReadFull(r, b) // from memory
	return io.MultiReader(bytes.NewReader(b), conn)
}

// socket reads what a client says.
type socket struct {
	*connection
	from   io.Reader
	header *monitor.Viewer // who the request's Authorization header stands for
	inits  int
	acked  bool
}

// protocolError ends a connection with a close code.
type protocolError struct {
	code   int
	reason string
}

func (e protocolError) Error() string { return e.reason }

// read is the connection's goroutine.
func (k *socket) read() {
	defer k.end()
	for {
		text, err := k.message()
		if err == nil {
			k.server.Stats.Messages.Add(1)
			err = k.handle(text)
		}
		var fault protocolError
		switch {
		case err == nil:
		case errors.Is(err, context.Canceled): // it is being closed: let the client read why
			k.discard()
			return
		case errors.As(err, &fault):
			k.close(fault.code, fault.reason)
			k.discard()
			return
		default:
			return
		}
	}
}

// discard waits for the client to hang up, up to the deadline that close has set.
func (k *socket) discard() {
	_ = k.out.conn.SetReadDeadline(time.Now().Add(closeTime)) // the read fails where this fails
	_, _ = io.Copy(io.Discard, k.from)
}

// message gives the next text message. It answers control frames.
func (k *socket) message() ([]byte, error) {
	var whole []byte
	started := false
	for {
		header, err := ws.ReadHeader(k.from)
		if err != nil {
			return nil, err
		}
		k.heard.Store(time.Now().Unix())
		state := ws.StateServerSide
		if started {
			state = state.Set(ws.StateFragmented)
		}
		if err := ws.CheckHeader(header, state); err != nil {
			return nil, protocolError{closeProtocol, "a frame against RFC 6455"}
		}
		if header.Length > k.limit()-int64(len(whole)) {
			return nil, protocolError{closeTooBig, "message too big"}
		}
		part, err := readPart(k.from, header.Length)
		if err != nil {
			return nil, err
		}
		ws.Cipher(part, header.Mask, 0)
		switch header.OpCode {
		case ws.OpPing:
			k.out.offer(append([]byte{0x8a, byte(len(part))}, part...)) // what waits shows as well that we are here
			continue
		case ws.OpPong:
			continue
		case ws.OpClose:
			return nil, protocolError{closeNormal, ""}
		case ws.OpBinary:
			return nil, protocolError{closeBadMessage, "Invalid message: not text"}
		}
		whole, started = append(whole, part...), true
		if header.Fin {
			if !utf8.Valid(whole) {
				return nil, protocolError{closeNotText, "not UTF-8"}
			}
			return whole, nil
		}
	}
}

// limit is how large a message may be.
func (k *socket) limit() int64 {
	if !k.acked {
		return min(loginBytes, k.server.Limits.MessageBytes)
	}
	return k.server.Limits.MessageBytes
}

// readPart reads n bytes. Memory is taken as they come: a header that promises
// many costs nothing.
func readPart(from io.Reader, n int64) ([]byte, error) {
	part := bytes.NewBuffer(make([]byte, 0, min(n, partBytes)+bytes.MinRead))
	_, err := io.CopyN(part, from, n)
	return part.Bytes(), err
}

// incoming is a message of a client.
type incoming struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

// handle does what a message asks for. What takes a deep stack or time is done
// on a worker, while this goroutine waits: a client that sends faster than it is
// served has to wait too.
func (k *socket) handle(text []byte) (err error) {
	var slow func() error
	if !k.server.do(k.server.quick, func() { slow, err = k.dispatch(text) }) {
		return context.Canceled
	}
	if err != nil || slow == nil {
		return err
	}
	if !k.server.do(k.server.work, func() { err = slow() }) {
		return context.Canceled
	}
	if err == nil {
		select { // who does not read is not served
		case <-k.out.wait():
		case <-k.server.stop:
			return context.Canceled
		}
	}
	return err
}

// dispatch does at once what never waits, and gives what may wait for the
// database: pings are answered and operations ended while all of that hangs.
func (k *socket) dispatch(text []byte) (slow func() error, err error) {
	var m incoming
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, protocolError{closeBadMessage, "Invalid message: not a JSON object"}
	}
	switch m.Type {
	case "connection_init":
		return func() error { return k.init(m.Payload) }, nil
	case "ping":
		k.out.offer(pong(m.Payload))
		return nil, nil
	case "pong":
		return nil, nil
	case "subscribe":
		return func() error { return k.subscribeMessage(m) }, nil
	case "complete":
		if m.ID == "" {
			return nil, protocolError{closeBadMessage, "Invalid message: no id"}
		}
		k.stop(m.ID)
		return nil, nil
	default:
		return nil, protocolError{closeBadMessage, "Invalid message: unknown type"}
	}
}

func pong(payload json.RawMessage) []byte {
	m := socketMessage{Type: "pong"}
	if len(payload) > 0 {
		m.Payload = payload
	}
	return m.frame()
}

// init checks who the client is: by the payload's authorization, or, where it
// has none, by the header of the request that opened the socket.
func (k *socket) init(payload json.RawMessage) error {
	k.inits++
	if k.inits > 1 {
		return protocolError{closeTooManyInits, "Too many initialisation requests"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), k.server.Limits.InitTime)
	defer cancel()
	viewer, before, known := k.header, k.server.touched.Load(), false
	if authorization := authorizationOf(payload); authorization != "" || viewer == nil {
		var err error
		if viewer, err = k.server.Authenticate(ctx, authorization); err != nil {
			if monitor.CodeOf(err) != monitor.CodeUnauthenticated {
				k.server.Log.Warn("feed: connection_init could not be checked", "error", err)
				return protocolError{closeTryLater, "try again"}
			}
			return protocolError{closeForbidden, "Forbidden"}
		}
		known = true
	}
	if err := k.introduce(viewer, func() bool { return known && k.server.touched.Load() == before }); err != nil {
		switch monitor.CodeOf(err) {
		case monitor.CodeUnauthenticated:
			return protocolError{closeForbidden, "Forbidden"}
		case monitor.CodeRateLimited:
			return protocolError{closeTryLater, clip(err.Error(), 120)}
		}
		k.server.Log.Warn("feed: connection_init could not be checked", "error", err)
		return protocolError{closeTryLater, "try again"}
	}
	k.acked = true
	k.out.send(socketMessage{Type: "connection_ack"}.frame())
	return nil
}

// authorizationOf finds the credential in the payload of connection_init, under
// whatever case its name has.
func authorizationOf(payload json.RawMessage) string {
	var fields map[string]any
	if json.Unmarshal(payload, &fields) != nil {
		return ""
	}
	for name, value := range fields {
		if text, ok := value.(string); ok && strings.EqualFold(name, "authorization") {
			return text
		}
	}
	return ""
}

// introduce notes who the client is. Rights that are withdrawn from then on are
// noticed by the hub's access checks; fresh tells whether none were withdrawn
// between the credential's check and this moment, which takes another look.
func (c *connection) introduce(v *monitor.Viewer, fresh func() bool) error {
	viewer := *v
	viewer.Address = c.address
	c.mu.Lock()
	c.viewer, c.initBy = &viewer, time.Time{}
	c.mu.Unlock()
	if err := c.server.admit(c, &viewer); err != nil {
		return err
	}
	if fresh() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return c.server.Recheck(ctx, &viewer)
}

func (k *socket) subscribeMessage(m incoming) error {
	if !k.acked {
		return protocolError{closeUnauthorized, "Unauthorized"}
	}
	params, err := readParams(m.Payload)
	if m.ID == "" || len(m.ID) > maxID || err != nil || params.Query == "" && params.Extensions == nil {
		return protocolError{closeBadMessage, "Invalid message: subscribe needs an id and a payload with a query"}
	}
	op, ctx, err := k.begin(m.ID)
	switch {
	case errors.Is(err, errDuplicate):
		return protocolError{closeDuplicate, "Subscriber for " + clip(m.ID, 80) + " already exists"}
	case err != nil:
		return err // it is being closed
	}
	k.execute(ctx, op, params, "")
	return nil
}

// clip keeps a close reason within its 123 bytes, and valid UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}

// readParams reads a request: query, operationName, variables, extensions.
func readParams(text []byte) (*graphql.RawParams, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	params := &graphql.RawParams{ReadTime: graphql.TraceTiming{Start: graphql.Now(), End: graphql.Now()}}
	if err := decoder.Decode(params); err != nil {
		return nil, monitor.Errorf(monitor.CodeBadInput, "the request is not a JSON object with query, operationName, variables, extensions")
	}
	return params, nil
}
