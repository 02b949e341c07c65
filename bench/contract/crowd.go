package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"golang.org/x/sync/errgroup"
)

// crowd is many subscribers on WebSockets: nine of ten follow alerts from one of
// five severities on, the tenth all events.
type crowd struct {
	mu      sync.Mutex
	conns   []net.Conn
	delays  []sample
	lost    int
	lostBy  error
	closing bool
	reading sync.WaitGroup
}

const (
	alertsFrom = `subscription ($from: Severity!) { alertFeed(filter: {severity: {gte: $from}}) { cursor entries { change action at alert { id version title host severity status } } } }`
	allEvents  = `subscription { eventFeed { cursor events { id receivedAt host user severity message } } }`
)

// follows gives what subscriber i says.
func follows(i int) string {
	payload := map[string]any{"query": allEvents}
	if i%10 != 9 {
		from := [...]string{"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"}[i%5]
		payload = map[string]any{"query": alertsFrom, "variables": map[string]any{"from": from}}
	}
	text, _ := json.Marshal(map[string]any{"id": "1", "type": "subscribe", "payload": payload}) // strings alone
	return string(text)
}

func (c *crowd) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns)
}

// grow connects until there are n, a few at a time.
func (c *crowd) grow(ctx context.Context, base, token string, n int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := c.size(); i < n; i++ {
		group.Go(func() error { return c.connect(ctx, base, token, i) })
	}
	return group.Wait()
}

func (c *crowd) connect(ctx context.Context, base, token string, i int) error {
	dialer := ws.Dialer{Protocols: []string{"graphql-transport-ws"}, Timeout: time.Minute}
	conn, _, _, err := dialer.Dial(ctx, strings.Replace(base, "http", "ws", 1)+"/api/graphql")
	if err != nil {
		return fmt.Errorf("subscriber %d: %w", i, err)
	}
	err = func() error {
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		if err := wsutil.WriteClientText(conn, fmt.Appendf(nil, `{"type":"connection_init","payload":{"authorization":"Bearer %s"}}`, token)); err != nil {
			return err
		}
		if text, err := wsutil.ReadServerText(conn); err != nil || !bytes.Contains(text, []byte("connection_ack")) {
			return fmt.Errorf("no connection_ack: %.200s %w", text, err)
		}
		if err := wsutil.WriteClientText(conn, []byte(follows(i))); err != nil {
			return err
		}
		// A feed's first message tells where it begins.
		if text, err := wsutil.ReadServerText(conn); err != nil || !bytes.Contains(text, []byte(`"next"`)) {
			return fmt.Errorf("no first message: %.200s %w", text, err)
		}
		return conn.SetDeadline(time.Time{})
	}()
	if err != nil {
		_ = conn.Close()
		return fmt.Errorf("subscriber %d: %w", i, err)
	}
	c.mu.Lock()
	c.conns = append(c.conns, conn)
	c.mu.Unlock()
	c.reading.Go(func() { c.read(conn) })
	return nil
}

// read takes messages until the connection ends.
func (c *crowd) read(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // over
	for {
		text, err := wsutil.ReadServerText(conn)
		now := time.Now()
		if err == nil && bytes.Contains(text, []byte(`"type":"ping"`)) {
			err = wsutil.WriteClientText(conn, []byte(`{"type":"pong"}`))
		}
		c.mu.Lock()
		if err != nil {
			if !c.closing {
				c.lost++
				c.lostBy = err
			}
			c.mu.Unlock()
			return
		}
		if took, ok := delayOf(text, now); ok {
			c.delays = append(c.delays, sample{took: took})
		}
		c.mu.Unlock()
	}
}

// delayOf gives how old the oldest entry of a message is; false without entries.
func delayOf(text []byte, now time.Time) (time.Duration, bool) {
	var oldest time.Time
	for _, name := range []string{`"at":"`, `"receivedAt":"`} {
		_, rest, found := bytes.Cut(text, []byte(name))
		if !found {
			continue
		}
		value, _, _ := bytes.Cut(rest, []byte(`"`))
		at, err := time.Parse(time.RFC3339Nano, string(value))
		if err == nil && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return now.Sub(oldest), !oldest.IsZero()
}

// take gives what came since the last time.
func (c *crowd) take() (delays []sample, lost int, by error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delays, lost, by = c.delays, c.lost, c.lostBy
	c.delays, c.lost, c.lostBy = nil, 0, nil
	return delays, lost, by
}

func (c *crowd) close() {
	c.mu.Lock()
	c.closing = true
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.mu.Unlock()
	c.reading.Wait()
}
