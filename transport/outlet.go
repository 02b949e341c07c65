package transport

import (
	"net"
	"sync"
	"syscall"
	"time"
)

// Sizes of what waits to be sent on one connection.
const (
	maxQueued  = 256 << 10 // beyond it a subscription is behind, and pages
	drainTime  = 30 * time.Second
	sendBuffer = 64 << 10 // SO_SNDBUF: kernel memory counts too
)

// outlet sends on one connection. While the socket has room it is written to
// directly, without a goroutine and without waiting; what does not fit is queued
// and a goroutine, which lives as long as the queue, writes it.
type outlet struct {
	conn net.Conn
	raw  syscall.RawConn // nil where only waiting writes are possible
	// patience is how long a part of the queue may take.
	patience time.Duration
	spawn    func(func())
	// broken is told, without a lock held, that nothing can be sent any more.
	broken func(error)

	mu      sync.Mutex
	queue   net.Buffers
	queued  int
	busy    bool // a goroutine writes the queue
	shut    bool // nothing is taken any more
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

// send is put for messages of the connection itself, taken whatever waits.
func (o *outlet) send(message []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.put(nil, message, nil)
}

// drain writes the queue until it is empty. Each part of it has so long as
// patience says.
func (o *outlet) drain() {
	for {
		o.mu.Lock()
		batch, n := o.queue, o.queued
		o.queue = nil
		if len(batch) == 0 {
			if !o.shut { // the deadline would end the direct writes too, when it comes
				_ = o.conn.SetWriteDeadline(time.Time{})
			}
			o.idle()
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		_ = o.conn.SetWriteDeadline(time.Now().Add(o.patience)) // fails where the write fails
		_, err := batch.WriteTo(o.conn)
		o.mu.Lock()
		o.queued -= n
		if err != nil {
			o.shut, o.queue, o.queued = true, nil, 0
			o.idle()
			o.mu.Unlock()
			o.broken(err)
			return
		}
		o.mu.Unlock()
	}
}

// idle notes that nothing waits. Callers hold mu.
func (o *outlet) idle() {
	o.busy = false
	if o.ready != nil {
		close(o.ready)
		o.ready = nil
	}
}

// wait gives a channel that is closed when nothing waits to be sent.
func (o *outlet) wait() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.busy {
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
		_ = o.conn.SetWriteDeadline(time.Now().Add(closeTime)) // the peer had its time
	}
	o.mu.Unlock()
	if !busy {
		sent()
		return
	}
	o.spawn(func() {
		<-o.wait()
		sent()
	})
}
