// Package client follows the feeds of a Security Monitor server over
// graphql-transport-ws and resumes behind what was handled, through broken
// connections and restarts of the server. It needs nothing else of this module.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Feed is one subscription. Its query takes the variable $after: Cursor, which
// Run sets.
type Feed struct {
	// URL of the GraphQL endpoint: http, https, ws or wss.
	URL string
	// Token gives an API token or access token; it is asked for every connection.
	Token func(ctx context.Context) (string, error)
	// Query is the subscription, for example
	//   subscription($after: Cursor) { alertFeed(after: $after) { cursor entries { change alert { title } } } }
	Query         string
	OperationName string
	Variables     map[string]any
	// After is the cursor to go on from; "" begins now. Run keeps it current: it is
	// the position behind the newest message that was handled.
	After string
	// Retrying, where not nil, is told why a connection was lost and when the next
	// try comes.
	Retrying func(err error, in time.Duration)
}

// Message is one message of a feed.
type Message struct {
	// Cursor is the position behind this message; keep it when the message is dealt
	// with, and a Feed with this After goes on behind it. The parts of a large event
	// batch tell the position before it, only the last the one behind.
	Cursor string
	// Data is the `data` of the GraphQL response.
	Data json.RawMessage
	// Errors are of fields; the rest of Data is right.
	Errors Errors
}

// Error is an error of the server.
type Error struct {
	Message    string         `json:"message"`
	Extensions map[string]any `json:"extensions"`
}

// Code is extensions.code, for example CURSOR_EXPIRED.
func (e *Error) Code() string {
	code, _ := e.Extensions["code"].(string)
	return code
}

// Errors are the errors of one response.
type Errors []*Error

// Error gives the first one's code and message.
func (e Errors) Error() string {
	if len(e) == 0 {
		return "the server refused without a reason"
	}
	return fmt.Sprintf("%s: %s", e[0].Code(), e[0].Message)
}

// Expired tells whether the feed cannot go on from its cursor, and gives the
// earliest position from which it could: what lies between is lost for this feed.
func Expired(err error) (earliest string, expired bool) {
	var refused Errors
	if !errors.As(err, &refused) || len(refused) == 0 || refused[0].Code() != "CURSOR_EXPIRED" {
		return "", false
	}
	earliest, _ = refused[0].Extensions["earliest"].(string)
	return earliest, true
}

// Closed says that the server closed the connection for a reason that another
// try would not change.
type Closed struct {
	Code   int
	Reason string
}

// Error gives code and reason.
func (e *Closed) Error() string {
	return fmt.Sprintf("the server closed the connection: %d %s", e.Code, e.Reason)
}

const (
	firstPause  = 200 * time.Millisecond
	longest     = 15 * time.Second
	silence     = time.Minute // the server pings three times in it
	openTime    = 20 * time.Second
	maxMessage  = 256 << 20
	operationID = "feed"
)

// final are the close codes that say that the client is wrong.
var final = map[websocket.StatusCode]bool{4400: true, 4401: true, 4406: true, 4408: true, 4409: true, 4429: true}

// Run hands every message to handle, in order, until ctx ends, the operation is
// complete (nil), or it cannot go on: handle's own error, Errors of the server
// (see Expired), or Closed. Everything else is tried again without end, with
// growing, jittered pauses. A message counts as handled when handle returns nil;
// nothing is left out, and after a lost connection nothing handled comes again,
// but the parts of an event batch that was cut: its last part moves the cursor.
//
// A credential that the server refuses (4403) is asked for anew; three refusals
// in a row end Run.
func (f *Feed) Run(ctx context.Context, handle func(Message) error) error {
	pause, refusals := firstPause, 0
	for {
		progress, err := f.connect(ctx, handle)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var stop *stopped
		if errors.As(err, &stop) {
			return stop.err
		}
		if progress {
			pause, refusals = firstPause, 0
		}
		if websocket.CloseStatus(err) == 4403 {
			if refusals++; refusals >= 3 {
				return &Closed{Code: 4403, Reason: "Forbidden: the token is unknown, revoked or expired"}
			}
		}
		wait := pause/2 + rand.N(pause) //nolint:gosec // jitter
		if f.Retrying != nil {
			f.Retrying(err, wait)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		pause = min(2*pause, longest)
	}
}

// stopped carries what ends Run.
type stopped struct{ err error }

func (s *stopped) Error() string { return "stopped" }

type wireMessage struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// connect holds one connection. progress tells whether a message came.
func (f *Feed) connect(ctx context.Context, handle func(Message) error) (progress bool, err error) {
	conn, err := f.open(ctx)
	if err != nil {
		return false, err
	}
	defer conn.CloseNow() //nolint:errcheck // it is over either way
	for first := true; ; {
		m, err := read(ctx, conn, silence)
		if err != nil {
			return progress, err
		}
		switch m.Type {
		case "ping":
			f.note(m.Payload)
			if err := write(ctx, conn, wireMessage{Type: "pong"}); err != nil {
				return progress, err
			}
		case "next":
			progress = true
			if err := f.take(m.Payload, first, handle); err != nil {
				return true, err
			}
			first = false
		case "error":
			return progress, refusal(m.Payload)
		case "complete":
			_ = conn.Close(websocket.StatusNormalClosure, "")
			return true, &stopped{}
		}
	}
}

// open connects, introduces itself and subscribes.
func (f *Feed) open(ctx context.Context) (_ *websocket.Conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	token, err := f.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	address := f.URL
	if rest, ok := strings.CutPrefix(address, "http"); ok {
		address = "ws" + rest
	}
	conn, response, err := websocket.Dial(ctx, address, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // the library has read it
	if response != nil && response.StatusCode == http.StatusNotFound {
		return nil, &stopped{fmt.Errorf("there is no GraphQL endpoint at %s", f.URL)}
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = conn.CloseNow()
		}
	}()
	conn.SetReadLimit(maxMessage)
	init, err := json.Marshal(map[string]string{"authorization": "Bearer " + token})
	if err != nil {
		return nil, &stopped{err}
	}
	if err := write(ctx, conn, wireMessage{Type: "connection_init", Payload: init}); err != nil {
		return nil, err
	}
	for acknowledged := false; !acknowledged; {
		m, err := read(ctx, conn, openTime)
		if err != nil {
			return nil, err
		}
		acknowledged = m.Type == "connection_ack"
	}
	variables := map[string]any{}
	for name, value := range f.Variables {
		variables[name] = value
	}
	if f.After != "" {
		variables["after"] = f.After
	}
	request, err := json.Marshal(map[string]any{"query": f.Query, "operationName": f.OperationName, "variables": variables})
	if err != nil {
		return nil, &stopped{err}
	}
	return conn, write(ctx, conn, wireMessage{ID: operationID, Type: "subscribe", Payload: request})
}

// item is a list that has one. What looks like it in a string counts too, and
// only hands on a message that holds nothing.
var item = regexp.MustCompile(`\[\s*[^\]\s]`)

// take hands a message on and then moves the cursor. Only the first message of a
// connection can be the greeting behind a resumption, which tells the cursor that
// the client has and holds nothing: also the parts of a large page have that
// cursor, all but the last.
func (f *Feed) take(payload json.RawMessage, first bool, handle func(Message) error) error {
	var p struct {
		Data       json.RawMessage
		Errors     Errors
		Extensions struct{ Cursor string }
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return fmt.Errorf("a message that cannot be read: %w", err)
	}
	cursor := p.Extensions.Cursor
	if first && cursor != "" && cursor == f.After && len(p.Errors) == 0 && !item.Match(p.Data) {
		return nil
	}
	if err := handle(Message{Cursor: cursor, Data: p.Data, Errors: p.Errors}); err != nil {
		return &stopped{err}
	}
	if cursor != "" {
		f.After = cursor
	}
	return nil
}

// note takes the position that a ping tells: up to there nothing has matched.
func (f *Feed) note(payload json.RawMessage) {
	var p struct{ Cursors map[string]string }
	if json.Unmarshal(payload, &p) == nil && p.Cursors[operationID] != "" {
		f.After = p.Cursors[operationID]
	}
}

// refusal ends Run, unless another try may get past it.
func refusal(payload json.RawMessage) error {
	var refused Errors
	if err := json.Unmarshal(payload, &refused); err != nil || len(refused) == 0 {
		return fmt.Errorf("an error that cannot be read: %s", payload)
	}
	switch refused[0].Code() {
	case "UNAVAILABLE", "TIMEOUT", "INTERNAL", "RATE_LIMITED":
		return refused
	}
	return &stopped{refused}
}

func read(ctx context.Context, conn *websocket.Conn, limit time.Duration) (wireMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var m wireMessage
	_, text, err := conn.Read(ctx)
	if err != nil {
		if code := websocket.CloseStatus(err); final[code] {
			var closed websocket.CloseError
			errors.As(err, &closed)
			return m, &stopped{&Closed{Code: int(code), Reason: closed.Reason}}
		}
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("a message that cannot be read: %w", err)
	}
	return m, nil
}

func write(ctx context.Context, conn *websocket.Conn, m wireMessage) error {
	text, err := json.Marshal(m)
	if err != nil {
		return &stopped{err}
	}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, text)
}
