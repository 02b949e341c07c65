package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// load is N subscribers of one server.
type load struct {
	kind    string
	address string
	groups  int // distinct subscriptions
	clients []*client

	delivered atomic.Int64 // alerts
	messages  atomic.Int64
	wrong     atomic.Int64 // a number that does not follow the one before
	latency   histogram
	cursors   bool // keep the newest cursor, for resuming
}

// client is one subscriber. It reads with as little work as possible: what it
// costs, the servers do not have.
type client struct {
	load   *load
	number int
	conn   net.Conn
	seq    uint64 // of the newest alert
	cursor string
	paused atomic.Bool // a slow one
	resume chan struct{}
	ready  chan error
}

var errClosed = errors.New("closed")

// dial connects n clients, some at a time, and waits until all have subscribed.
func (l *load) dial(ctx context.Context, n int) error {
	l.clients = make([]*client, n)
	for i := range l.clients {
		l.clients[i] = &client{load: l, number: i, resume: make(chan struct{}, 1)}
	}
	return l.connect(ctx, 64)
}

// connect lets all clients connect, with after where they have a cursor.
func (l *load) connect(ctx context.Context, atOnce int) error {
	places := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	var first atomic.Pointer[error]
	for _, c := range l.clients {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			if err := c.open(ctx); err != nil {
				first.CompareAndSwap(nil, &err)
			}
		})
	}
	wait.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}

func (c *client) open(ctx context.Context) error {
	// Many source addresses: one has some 28,000 ports, and those just left rest for a minute.
	dialer := ws.Dialer{Timeout: 60 * time.Second, NetDial: func(ctx context.Context, network, address string) (net.Conn, error) {
		from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+rand.IntN(250)))} //nolint:gosec // a byte
		return (&net.Dialer{LocalAddr: from}).DialContext(ctx, network, address)
	}}
	if c.load.kind != "centrifuge" {
		dialer.Protocols = []string{"graphql-transport-ws"}
	}
	conn, buffered, _, err := dialer.Dial(ctx, "ws://"+c.load.address+"/live")
	if err != nil {
		return err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(32 << 10)
		_ = tcp.SetLinger(0)
	}
	c.conn, c.ready = conn, make(chan error, 1)
	reader := bufio.NewReaderSize(conn, 2<<10)
	if buffered != nil {
		if n := buffered.Buffered(); n > 0 {
			early, _ := buffered.Peek(n)
			reader = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn), 2<<10)
		}
		ws.PutReader(buffered)
	}
	for _, text := range c.hello() {
		if err := c.send(text); err != nil {
			return err
		}
	}
	go c.read(reader)
	select {
	case err := <-c.ready:
		return err
	case <-time.After(120 * time.Second):
		return fmt.Errorf("client %d: no answer to its subscription", c.number)
	}
}

func channel(group int) string { return fmt.Sprintf("group%d", group) }

// hello says who the client is and what it wants.
func (c *client) hello() []string {
	group := c.number % c.load.groups
	if c.load.kind == "centrifuge" {
		return []string{`{"id":1,"connect":{}}`, fmt.Sprintf(`{"id":2,"subscribe":{"channel":%q}}`, channel(group))}
	}
	variables := fmt.Sprintf(`{"filter":{"host":{"in":["all","host-%d"]}}`, group)
	if c.cursor != "" {
		variables += fmt.Sprintf(`,"after":%q`, c.cursor)
	}
	return []string{
		`{"type":"connection_init","payload":{"authorization":"Bearer bench"}}`,
		fmt.Sprintf(`{"id":"1","type":"subscribe","payload":{"query":%q,"variables":%s}}}`, query, variables),
	}
}

func (c *client) send(text string) error {
	return ws.WriteFrame(c.conn, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(text))))
}

// read takes what comes until the connection ends.
func (c *client) read(r *bufio.Reader) {
	subscribed := false
	tell := func(err error) {
		if !subscribed {
			subscribed = true
			c.ready <- err
		}
	}
	var body []byte
	for {
		header, err := ws.ReadHeader(r)
		if err != nil {
			tell(errClosed)
			return
		}
		if int64(cap(body)) < header.Length {
			body = make([]byte, header.Length)
		}
		body = body[:header.Length]
		if _, err := io.ReadFull(r, body); err != nil {
			tell(errClosed)
			return
		}
		if c.paused.Load() {
			<-c.resume
		}
		switch {
		case header.OpCode == ws.OpPing:
			_ = ws.WriteFrame(c.conn, ws.MaskFrameInPlace(ws.NewPongFrame(body)))
		case header.OpCode == ws.OpClose:
			tell(fmt.Errorf("closed: %s", body))
			return
		case bytes.HasPrefix(body, []byte(`{"type":"ping"`)):
			_ = c.send(`{"type":"pong"}`)
		case bytes.Equal(body, []byte(`{}`)): // centrifuge's ping
			_ = c.send(`{}`)
		case bytes.Contains(body, []byte(`"errors"`)), bytes.Contains(body, []byte(`"type":"error"`)), bytes.Contains(body, []byte(`"error":{`)):
			tell(fmt.Errorf("refused: %s", body))
			return
		case bytes.Contains(body, []byte(titleMark)):
			c.take(body)
			tell(nil)
		case bytes.Contains(body, []byte(`"type":"next"`)), bytes.Contains(body, []byte(`"subscribe":{`)), bytes.Contains(body, []byte(`"id":2`)):
			tell(nil)
		}
		if c.load.cursors {
			c.keepCursor(body)
		}
	}
}

// take counts the alerts of a message and looks at their order.
func (c *client) take(body []byte) {
	now := time.Now().UnixNano()
	n := int64(0)
	for rest := body; ; {
		i := bytes.Index(rest, []byte(titleMark))
		if i < 0 {
			break
		}
		rest = rest[i+len(titleMark)+1:]
		seq, rest2 := number(rest)
		sent, rest3 := number(rest2[1:])
		rest = rest3
		if c.seq != 0 && seq != c.seq+1 {
			if seq <= c.seq {
				continue // again, behind a resumption: at least once
			}
			c.load.wrong.Add(1)
		}
		c.seq = seq
		n++
		c.load.latency.add(now - int64(sent)) //nolint:gosec // a time
	}
	c.load.messages.Add(1)
	c.load.delivered.Add(n)
}

func number(b []byte) (n uint64, rest []byte) {
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		n = n*10 + uint64(b[i]-'0')
	}
	return n, b[i:]
}

// keepCursor keeps the batch's cursor: the first one in a message.
func (c *client) keepCursor(body []byte) {
	const mark = `"cursor":"`
	if i := bytes.Index(body, []byte(mark)); i >= 0 {
		rest := body[i+len(mark):]
		if end := bytes.IndexByte(rest, '"'); end > 0 {
			c.cursor = string(rest[:end])
		}
	}
}

// await waits until each client has n alerts more than at the count before; false when it takes too long.
func (l *load) await(total int64, limit time.Duration) bool {
	until := time.Now().Add(limit)
	for l.delivered.Load() < total {
		if time.Now().After(until) {
			return false
		}
		time.Sleep(500 * time.Microsecond)
	}
	return true
}

func (l *load) close() {
	for _, c := range l.clients {
		if c.conn != nil {
			_ = c.conn.Close()
		}
		select {
		case c.resume <- struct{}{}:
		default:
		}
	}
}
