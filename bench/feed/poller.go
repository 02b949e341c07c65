package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// poller reads for its share of the sockets, in one goroutine.
type poller struct {
	load  *Load
	epoll int

	mu   sync.Mutex
	seen tally
	now  time.Time
}

// tally is what a poller has counted.
type tally struct {
	latency    histogram
	deliveries int64
	messages   int64
	bytes      int64
	missing    uint64
	reordered  int64
}

const readBytes = 256 << 10

func newPoller(l *Load) (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &poller{load: l, epoll: fd}, nil
}

// watch adds or removes a socket; it is named by its index, not by its file
// descriptor, which may be another's by the time an event is read.
func (p *poller) watch(c *socket, operation int) error {
	if c.fd < 0 {
		return nil
	}
	err := unix.EpollCtl(p.epoll, operation, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.index)}) //nolint:gosec // at most some 20,000
	if errors.Is(err, unix.EEXIST) {
		return nil // it reconnected meanwhile
	}
	return err
}

// run reads until the process ends.
func (p *poller) run() {
	events := make([]unix.EpollEvent, 512)
	buffer := make([]byte, readBytes)
	for {
		n, err := unix.EpollWait(p.epoll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			panic(fmt.Sprintf("epoll: %v", err)) // a programming error
		}
		for i := range max(n, 0) {
			p.read(p.load.sockets[events[i].Fd], buffer)
		}
	}
}

func (p *poller) read(c *socket, buffer []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return
	}
	n, err := unix.Read(c.fd, buffer)
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return
	case err == nil && n == 0:
		err = io.EOF
	}
	if err == nil {
		p.mu.Lock()
		p.now = time.Now()
		p.seen.bytes += int64(n)
		err = c.take(buffer[:n], p.message)
		p.mu.Unlock()
	}
	if err != nil {
		c.hangUp()
		p.load.lost(c, err)
	}
}

// message counts the payloads of a message; a message without any is about the
// connection.
func (p *poller) message(c *socket, message []byte) error {
	last := c.last.Load()
	count := stamps(message, func(n uint64, sent int64) {
		switch {
		case n == last+1:
		case n > last:
			p.seen.missing += n - last - 1
		default:
			p.seen.reordered++
		}
		last = max(last, n)
		p.seen.latency.add(time.Duration(p.now.UnixNano() - sent))
	})
	if count == 0 {
		if p.load.order.Speaks == graphqlWS {
			return c.graphql(message)
		}
		return c.centrifuge(message)
	}
	p.seen.messages++
	p.seen.deliveries += int64(count)
	c.last.Store(last)
	if cursor := cursorIn(message); string(cursor) != c.cursor {
		c.cursor = string(cursor)
	}
	c.isReady()
	return nil
}

func (c *socket) isReady() {
	if c.ready != nil {
		c.ready <- nil
		c.ready = nil
	}
}

// graphql handles what is not a payload.
func (c *socket) graphql(message []byte) error {
	var m struct {
		Type    string          `json:"type"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	switch m.Type {
	case "connection_ack":
		return c.subscribe()
	case "ping":
		return c.say(ws.OpText, []byte(`{"type":"pong"}`))
	case "pong":
		return nil
	case "next":
		cursor := cursorIn(message)
		if len(cursor) == 0 {
			return fmt.Errorf("no cursor in %.300s", message)
		}
		c.cursor = string(cursor)
		c.isReady()
		return nil
	default:
		return fmt.Errorf("the server says %.300s", message)
	}
}

// centrifuge handles what is not a payload: replies, one a line, and pings.
func (c *socket) centrifuge(message []byte) error {
	for line := range bytes.Lines(message) {
		switch line = bytes.TrimSpace(line); {
		case string(line) == "{}":
			if err := c.say(ws.OpText, line); err != nil {
				return err
			}
		case bytes.Contains(line, []byte(`"error"`)):
			return fmt.Errorf("the server says %.300s", line)
		case bytes.HasPrefix(line, []byte(`{"id":2`)):
			c.isReady()
		}
	}
	return nil
}
