package transport

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Sizes of what waits to be sent on one connection.
const (
	maxQueued  = 256 << 10 // beyond it a subscription is behind, and pages
	lowQueued  = 64 << 10  // below it whoever waited for room goes on
	drainTime  = 30 * time.Second
	sendBuffer = 64 << 10 // SO_SNDBUF: kernel memory counts too
)

// outlet sends on one connection. While the socket has room it is written to
// directly, without a goroutine and without waiting; what does not fit is queued
// and a goroutine, which lives as long as the queue, writes it.
type outlet struct {
	conn net.Conn
	raw  syscall.RawConn // nil where only waiting writes are possible
	// patience is how long the peer may take nothing of what waits.
	patience time.Duration
	spawn    func(func())
	// broken is told, without a lock held, that nothing can be sent any more.
	broken func(error)

	mu      sync.Mutex
	queue   net.Buffers
	queued  int
	busy    bool      // a goroutine writes the queue
	shut    bool      // nothing is taken any more
	until   time.Time // when the last message must have left, see finish
	sent    func()    // told that it has
	ready   chan struct{}
	scratch []byte
}

func (o *outlet) open(conn net.Conn, spawn func(func()), broken func(error)) {
	o.conn, o.spawn, o.broken, o.patience = conn, spawn, broken, drainTime
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // a hint
		if raw, err := tcp.SyscallConn(); err == nil && canWritev {
			o.raw = raw
		}
	}
}

// room tells whether more may be queued. Callers hold mu.
func (o *outlet) room() bool { return !o.busy || o.queued <= maxQueued }

// put sends the parts, one after another. Only middle may be kept as it is; the
// others are copied when they have to wait. Callers hold mu.
func (o *outlet) put(head, middle, tail []byte) {
	if o.shut {
		return
	}
	wrote := 0
	if !o.busy && o.raw != nil {
		var err error
		if wrote, err = writeNow(o.raw, head, middle, tail); err != nil {
			o.shut = true
			o.spawn(func() { o.broken(err) })
			return
		}
	}
	n := len(head) + len(middle) + len(tail)
	if wrote == n {
		return
	}
	head, wrote = after(head, wrote)
	middle, wrote = after(middle, wrote)
	tail, _ = after(tail, wrote)
	o.enqueue(append([]byte(nil), head...))
	o.enqueue(middle)
	o.enqueue(append([]byte(nil), tail...))
	if !o.busy {
		o.busy = true
		o.spawn(o.drain)
	}
}

// after gives what is left of b behind n written bytes, and how many of n are left.
func after(b []byte, n int) ([]byte, int) {
	k := min(n, len(b))
	return b[k:], n - k
}

func (o *outlet) enqueue(b []byte) {
	if len(b) > 0 {
		o.queue = append(o.queue, b)
		o.queued += len(b)
	}
}

// send is put for messages of the connection itself, taken whatever waits: who
// lets a client cause them bounds their number.
func (o *outlet) send(message []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.put(nil, message, nil)
}

// offer is send for what may be left out while something waits.
func (o *outlet) offer(message []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.busy {
		o.put(nil, message, nil)
	}
}

// waiting tells whether something has not left yet.
func (o *outlet) waiting() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.busy
}

// drain writes the queue until it is empty.
func (o *outlet) drain() {
	var batch net.Buffers
	for {
		o.mu.Lock()
		if len(batch) == 0 {
			batch, o.queue = o.queue, nil
		}
		if len(batch) == 0 {
			if !o.shut { // the deadline would end the direct writes too, when it comes
				_ = o.conn.SetWriteDeadline(time.Time{})
			}
			sent := o.sent
			o.busy = false
			o.roomy()
			o.mu.Unlock()
			if sent != nil {
				sent()
			}
			return
		}
		until := time.Now().Add(o.patience)
		if !o.until.IsZero() && o.until.Before(until) {
			until = o.until
		}
		_ = o.conn.SetWriteDeadline(until) // fails where the write fails
		o.mu.Unlock()
		n, err := batch.WriteTo(o.conn)
		o.mu.Lock()
		o.queued -= int(n)
		if errors.Is(err, os.ErrDeadlineExceeded) && n > 0 && o.until.IsZero() {
			err = nil // slow, but it reads
		}
		if err != nil {
			o.shut, o.queue, o.queued, o.busy = true, nil, 0, false
			o.roomy()
			o.mu.Unlock()
			o.broken(err)
			return
		}
		if o.queued <= lowQueued {
			o.roomy()
		}
		o.mu.Unlock()
	}
}

// roomy tells those who wait for room. Callers hold mu.
func (o *outlet) roomy() {
	if o.ready != nil {
		close(o.ready)
		o.ready = nil
	}
}

// wait gives a channel that is closed when little waits to be sent. It is not
// the empty queue that is waited for: others may go on filling it.
func (o *outlet) wait() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.busy || o.queued <= lowQueued {
		return closedChannel
	}
	if o.ready == nil {
		o.ready = make(chan struct{})
	}
	return o.ready
}

var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// finish sends the last message, takes nothing behind it, and calls sent when it
// has left.
func (o *outlet) finish(message []byte, sent func()) {
	o.mu.Lock()
	o.put(nil, message, nil)
	o.shut = true
	busy := o.busy
	if busy {
		o.until, o.sent = time.Now().Add(closeTime), sent // the peer had its time
		_ = o.conn.SetWriteDeadline(o.until)
	}
	o.mu.Unlock()
	if !busy {
		sent()
	}
}
