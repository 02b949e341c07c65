package transport

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strings"

	"github.com/gobwas/ws"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/security-monitor/secmon/feed"
)

// framing is how messages stand on the wire. Bodies of payloads end with one
// spare closing brace, so that the shared part of a message can end it.
type framing interface {
	// prefix is what each payload of an operation begins with, made once.
	prefix(operation string) []byte
	// next gives the parts of a payload's message; head is appended to scratch.
	next(scratch, prefix []byte, p *feed.Payload) (head, body, tail []byte)
	failed(operation string, errs gqlerror.List) []byte
	complete(operation string) []byte
	// alive keeps the connection open; it tells how far operations have come.
	alive(cursors map[string]string) []byte
	// goodbye ends the connection.
	goodbye(code int, reason string) []byte
}

// socketFraming is graphql-transport-ws.
// https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
type socketFraming struct{}

func (socketFraming) prefix(operation string) []byte {
	id, _ := json.Marshal(operation) // a string always can
	return append(append([]byte(`{"id":`), id...), `,"type":"next","payload":`...)
}

func (socketFraming) next(scratch, prefix []byte, p *feed.Payload) (head, body, tail []byte) {
	head = appendTextHeader(scratch, len(prefix)+len(p.Body))
	return append(head, prefix...), p.Body, nil
}

// appendTextHeader makes the header of an unmasked text frame (RFC 6455, 5.2).
func appendTextHeader(b []byte, n int) []byte {
	b = append(b, 0x81)
	switch {
	case n < 126:
		return append(b, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(n)) //nolint:gosec // a length
	}
}

// socketMessage is a message of the protocol, either way.
type socketMessage struct {
	ID      string `json:"id,omitempty"`
	Type    string `json:"type"`
	Payload any    `json:"payload,omitempty"`
}

func (m socketMessage) frame() []byte {
	text, err := json.Marshal(m)
	if err != nil { // an extension of an error that JSON cannot hold
		text, _ = json.Marshal(socketMessage{ID: m.ID, Type: m.Type, Payload: gqlerror.List{{Message: "something went wrong on our side"}}})
	}
	return append(appendTextHeader(make([]byte, 0, len(text)+10), len(text)), text...)
}

func (socketFraming) failed(operation string, errs gqlerror.List) []byte {
	return socketMessage{ID: operation, Type: "error", Payload: errs}.frame()
}

func (socketFraming) complete(operation string) []byte {
	return socketMessage{ID: operation, Type: "complete"}.frame()
}

func (socketFraming) alive(cursors map[string]string) []byte {
	m := socketMessage{Type: "ping"}
	if len(cursors) > 0 {
		m.Payload = map[string]any{"cursors": cursors}
	}
	return m.frame()
}

func (socketFraming) goodbye(code int, reason string) []byte {
	body := ws.NewCloseFrameBody(ws.StatusCode(code), reason) //nolint:gosec // a close code
	return append([]byte{0x88, byte(len(body))}, body...)
}

// streamFraming is graphql-sse with a connection for each operation.
// https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
type streamFraming struct{}

func (streamFraming) prefix(string) []byte { return nil }

func (streamFraming) next(scratch, _ []byte, p *feed.Payload) (head, body, tail []byte) {
	head = append(scratch, "event: next\n"...)
	if p.Cursor != "" {
		head = append(append(append(head, "id: "...), p.Cursor...), '\n')
	}
	return append(head, "data: "...), p.Body[:len(p.Body)-1], blockEnd
}

var blockEnd = []byte("\n\n")

func (streamFraming) failed(_ string, errs gqlerror.List) []byte {
	return append(block("next", map[string]any{"errors": errs}), block("complete", nil)...)
}

func (streamFraming) complete(string) []byte { return block("complete", nil) }

// alive is a comment, or a block with nothing but an id: it moves Last-Event-ID.
func (streamFraming) alive(cursors map[string]string) []byte {
	for _, cursor := range cursors {
		return []byte("id: " + cursor + "\n\n")
	}
	return []byte(":\n\n")
}

// goodbye is a comment: a stream that ends without "complete" is to be resumed.
func (streamFraming) goodbye(_ int, reason string) []byte {
	return []byte(": " + strings.NewReplacer("\n", " ", "\r", " ").Replace(reason) + "\n\n")
}

// sharedFraming is graphql-sse with one connection for many operations.
type sharedFraming struct{}

func (sharedFraming) prefix(operation string) []byte {
	id, _ := json.Marshal(operation) // a string always can
	return append(append([]byte("event: next\ndata: {\"id\":"), id...), `,"payload":`...)
}

func (sharedFraming) next(scratch, prefix []byte, p *feed.Payload) (head, body, tail []byte) {
	return append(scratch, prefix...), p.Body, blockEnd
}

func (sharedFraming) failed(operation string, errs gqlerror.List) []byte {
	next := block("next", map[string]any{"id": operation, "payload": map[string]any{"errors": errs}})
	return append(next, sharedFraming{}.complete(operation)...)
}

func (sharedFraming) complete(operation string) []byte {
	return block("complete", map[string]any{"id": operation})
}

func (sharedFraming) alive(map[string]string) []byte { return []byte(":\n\n") }

func (sharedFraming) goodbye(code int, reason string) []byte {
	return streamFraming{}.goodbye(code, reason)
}

// block is one server-sent event; nil data is empty.
func block(event string, data any) []byte {
	var b bytes.Buffer
	b.WriteString("event: " + event + "\ndata:")
	if data != nil {
		text, err := json.Marshal(data)
		if err != nil {
			text = []byte(`{"errors":[{"message":"something went wrong on our side"}]}`)
		}
		b.WriteByte(' ')
		b.Write(text)
	}
	b.Write(blockEnd)
	return b.Bytes()
}
