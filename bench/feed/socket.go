package feed

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// protocol is what a client says and understands.
type protocol string

const (
	graphqlWS     protocol = "graphql-transport-ws"
	centrifugeWS  protocol = "centrifuge"
	sourceAddress          = 4 // addresses 127.0.1.x, so that ports suffice
	smallBuffer            = 16 << 10
)

// socket is one subscriber. It has no goroutine and, between messages, no
// buffer: a poller reads for it.
type socket struct {
	index int
	group int
	slow  bool // one of those that stop reading

	last atomic.Uint64 // number of the newest payload

	mu      sync.Mutex
	fd      int // -1: none
	ready   chan error
	cursor  string
	pending []byte // the beginning of a frame
	message []byte // the beginning of a fragmented message
}

// dial connects, shakes hands, and gives a file descriptor that is not Go's: the
// runtime's poller would cost memory and a goroutine each.
func (c *socket) dial(ctx context.Context, address string, speaks protocol) (int, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+c.index%sourceAddress))}}
	if c.slow {
		dialer.Control = func(_, _ string, raw syscall.RawConn) (err error) {
			_ = raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, smallBuffer) })
			return err
		}
	}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return -1, err
	}
	defer conn.Close() //nolint:errcheck // the duplicate stays
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return -1, err
	}
	upgrade := ws.Dialer{}
	if speaks == graphqlWS {
		upgrade.Protocols = []string{string(graphqlWS)}
	}
	buffered, _, err := upgrade.Upgrade(conn, &url.URL{Scheme: "ws", Host: address, Path: "/"})
	if err != nil {
		return -1, fmt.Errorf("upgrade: %w", err)
	}
	if buffered != nil {
		return -1, errors.New("the server spoke first")
	}
	return duplicate(conn)
}

func duplicate(conn net.Conn) (fd int, err error) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return -1, errors.New("not TCP")
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd = -1
	controlErr := raw.Control(func(original uintptr) { fd, err = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(controlErr, err)
}

// say writes a message. It is short and the socket's buffer empty.
func (c *socket) say(op ws.OpCode, body []byte) error {
	frame, err := ws.CompileFrame(ws.MaskFrameInPlace(ws.NewFrame(op, true, bytes.Clone(body))))
	if err != nil {
		return err
	}
	n, err := unix.Write(c.fd, frame)
	if err == nil && n < len(frame) {
		err = errors.New("the server does not read")
	}
	return err
}

// hello begins the conversation.
func (c *socket) hello(speaks protocol) error {
	if speaks == graphqlWS {
		return c.say(ws.OpText, []byte(`{"type":"connection_init","payload":{"authorization":"Bearer bench"}}`))
	}
	return c.say(ws.OpText, fmt.Appendf(nil, `{"id":1,"connect":{}}`+"\n"+`{"id":2,"subscribe":{"channel":%q}}`, channelOf(c.group)))
}

// subscribe follows connection_ack; it goes on behind the newest cursor.
func (c *socket) subscribe() error {
	variables := map[string]any{"filter": filterOf(c.group)}
	if c.cursor != "" {
		variables["after"] = c.cursor
	}
	message, err := json.Marshal(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": query, "variables": variables}})
	if err != nil {
		return err
	}
	return c.say(ws.OpText, message)
}

// closed tells that the server has closed the connection.
type closed struct{ code int }

func (e closed) Error() string { return fmt.Sprintf("closed with %d", e.code) }

// take reads all whole frames in what has arrived and keeps the rest.
func (c *socket) take(arrived []byte, handle func(*socket, []byte) error) error {
	data := arrived
	if len(c.pending) > 0 {
		c.pending = append(c.pending, arrived...)
		data = c.pending
	}
	for {
		header, size, ok := frameOf(data)
		if !ok || len(data) < size+int(header.Length) {
			break
		}
		end := size + int(header.Length)
		if err := c.frame(header, data[size:end], handle); err != nil {
			return err
		}
		data = data[end:]
	}
	if len(data) == 0 {
		c.pending = nil
		return nil
	}
	c.pending = append(c.pending[:0], data...)
	return nil
}

func (c *socket) frame(h ws.Header, body []byte, handle func(*socket, []byte) error) error {
	switch {
	case h.OpCode == ws.OpPing:
		return c.say(ws.OpPong, body)
	case h.OpCode == ws.OpPong:
		return nil
	case h.OpCode == ws.OpClose:
		code, _ := ws.ParseCloseFrameData(body)
		return closed{int(code)}
	case h.Fin && len(c.message) == 0:
		return handle(c, body)
	}
	c.message = append(c.message, body...)
	if !h.Fin {
		return nil
	}
	whole := c.message
	c.message = nil
	return handle(c, whole)
}

// frameOf reads a server's frame header; ok is false when it is not all there.
func frameOf(data []byte) (h ws.Header, size int, ok bool) {
	if len(data) < 2 {
		return h, 0, false
	}
	h.Fin, h.OpCode, h.Length = data[0]&0x80 != 0, ws.OpCode(data[0]&0x0f), int64(data[1]&0x7f)
	switch size = 2; h.Length {
	case 126:
		if size += 2; len(data) >= size {
			h.Length = int64(binary.BigEndian.Uint16(data[2:]))
		}
	case 127:
		if size += 8; len(data) >= size {
			h.Length = int64(binary.BigEndian.Uint64(data[2:])) //nolint:gosec // our servers' messages are short
		}
	}
	return h, size, len(data) >= size
}

var cursorStart = []byte(`"cursor":"`)

// cursorIn gives the first cursor of a message.
func cursorIn(message []byte) []byte {
	at := bytes.Index(message, cursorStart)
	if at < 0 {
		return nil
	}
	rest := message[at+len(cursorStart):]
	return rest[:max(bytes.IndexByte(rest, '"'), 0)]
}
