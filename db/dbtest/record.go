package dbtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/security-monitor/secmon/db"
)

// Recorder notes every statement that a store sends, as the server gets it: the
// parameters filled in. It is safe for concurrent use.
type Recorder struct {
	mu         sync.Mutex
	statements []string
}

// Recorded gives a store on the database of a DSN, and what it sends.
func Recorded(tb testing.TB, dsn string) (*db.Store, *Recorder) {
	tb.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	r, network := &Recorder{}, cfg.Net
	cfg.Net = fmt.Sprintf("recorded%d", serial.Add(1))
	mysql.RegisterDialContext(cfg.Net, func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &recordedConn{Conn: conn, recorder: r}, err
	})
	store, err := db.Open(tb.Context(), db.Options{DSN: cfg.FormatDSN()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = store.Close()
		mysql.DeregisterDialContext(cfg.Net)
	})
	r.Take() // of the greeting
	return store, r
}

// Take gives the statements since the last Take, in the order of sending.
func (r *Recorder) Take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.statements
	r.statements = nil
	return taken
}

// recordedConn reads along what the driver writes: a packet is three bytes of
// length, a number and the command.
type recordedConn struct {
	net.Conn

	recorder *Recorder
	pending  []byte
}

const (
	comQuery   = 0x03
	comPrepare = 0x16
)

func (c *recordedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.pending = append(c.pending, p[:n]...)
	for len(c.pending) >= 4 {
		size := int(binary.LittleEndian.Uint32(c.pending) & 0xffffff)
		if len(c.pending) < 4+size {
			break
		}
		if packet := c.pending[4 : 4+size]; c.pending[3] == 0 && size > 0 && (packet[0] == comQuery || packet[0] == comPrepare) {
			c.recorder.mu.Lock()
			c.recorder.statements = append(c.recorder.statements, string(packet[1:]))
			c.recorder.mu.Unlock()
		}
		c.pending = c.pending[4+size:]
	}
	return n, err
}
