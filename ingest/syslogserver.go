package ingest

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Syslog takes messages of syslog in over TCP and TLS (RFC 6587, RFC 5425), and sends
// them the way of all events. It has no way to say that a message is stored: so nothing
// more is read of a connection until what was read is, and the sender notices by its
// own full buffers. What cannot be stored is tried again for as long as the server runs.
//
// Each listener has a goroutine, each connection another; Close waits for all of them.
type Syslog struct {
	*Intake
	LineBytes   int            // of one message; what is longer is cut
	Connections int            // at once; further ones are closed
	Networks    []netip.Prefix // who may send without a certificate
	Stats       SyslogStats

	frameTime time.Duration // a test's own; frameTime without it
	mu        sync.Mutex
	listeners []net.Listener
	open      map[net.Conn]struct{}
	stopping  chan struct{} // closed when Close begins
	stopBy    time.Time     // when to read no more; set before that
	lost      context.Context
	giveUp    context.CancelFunc
	running   sync.WaitGroup
}

// SyslogStats counts what Syslog does.
type SyslogStats struct {
	Open     atomic.Int64 // connections
	Cut      atomic.Int64 // messages that were too long
	Network  atomic.Int64 // connections refused: not of the networks that may send
	Full     atomic.Int64 // connections refused: as many as there may be
	TLS      atomic.Int64 // connections refused: no handshake, no good certificate
	BadFrame atomic.Int64 // connections ended: what came is no frame, or half of one
}

const (
	// handshakeTime is for TLS to begin.
	handshakeTime = 10 * time.Second
	// frameTime is how long a message may take from its first byte to its last.
	frameTime = readTime
	// storeAgain is how long to wait before what could not be stored is tried again.
	storeAgain = time.Second
	// roomTime is how often to look whether other requests have let go of what they hold.
	roomTime = 10 * time.Millisecond
	// quietTime is how long a connection that is told goodbye is listened to, since its
	// last byte: what was sent before the goodbye was heard is still taken.
	quietTime = 500 * time.Millisecond
	// drainTime bounds that for senders that do not hear the goodbye.
	drainTime = 3 * time.Second
)

// Serve takes connections of a listener in the background until Close, which closes it.
// config is that of TLS, nil for plain TCP.
func (s *Syslog) Serve(listener net.Listener, config *tls.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping == nil {
		s.stopping, s.open = make(chan struct{}), map[net.Conn]struct{}{}
		s.lost, s.giveUp = context.WithCancel(context.Background())
	}
	s.listeners = append(s.listeners, listener)
	s.running.Go(func() { s.accept(listener, config) })
}

// Close takes no more connections, says goodbye on those there are, and stores what was
// sent on them until then. When ctx ends before that, it cuts them off, and what they
// have in hand is lost; that is counted in an error.
func (s *Syslog) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.stopping == nil { // nothing was ever served
		s.mu.Unlock()
		return nil
	}
	select {
	case <-s.stopping:
	default:
		s.stopBy = time.Now().Add(drainTime)
		close(s.stopping)
	}
	for _, l := range s.listeners {
		_ = l.Close()
	}
	for conn := range s.open {
		goodbye(conn)
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	open := s.Stats.Open.Load()
	s.giveUp()
	s.mu.Lock()
	for conn := range s.open {
		_ = conn.Close()
	}
	s.mu.Unlock()
	<-done
	return fmt.Errorf("syslog: %d connections were cut off", open)
}

// goodbye tells the sender that nobody will read on, so that it connects anew elsewhere,
// and wakes who waits for it.
func goodbye(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = conn.SetReadDeadline(time.Now().Add(quietTime))
}

func (s *Syslog) accept(listener net.Listener, config *tls.Config) {
	for {
		conn, err := listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // of one connection, or no more files: others come
			s.Log.Warn("syslog: accept", "error", err)
			select {
			case <-s.stopping:
				return
			case <-time.After(storeAgain):
			}
			continue
		}
		if !s.admit(conn, config) {
			_ = conn.Close()
			continue
		}
		s.running.Go(func() {
			defer s.leave(conn)
			s.converse(conn, config)
		})
	}
}

// admit tells whether a connection may go on, and counts it if so.
func (s *Syslog) admit(conn net.Conn, config *tls.Config) bool {
	certified := config != nil && config.ClientAuth == tls.RequireAndVerifyClientCert
	if !certified && !s.allowed(conn.RemoteAddr()) {
		s.Stats.Network.Add(1)
		s.Log.Warn("syslog: this address may not send", "address", conn.RemoteAddr().String())
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.stopping:
		return false
	default:
	}
	if len(s.open) >= s.Connections {
		s.Stats.Full.Add(1)
		s.Log.Warn("syslog: as many connections as there may be", "address", conn.RemoteAddr().String())
		return false
	}
	s.open[conn] = struct{}{}
	s.Stats.Open.Add(1)
	return true
}

func (s *Syslog) leave(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
	s.Stats.Open.Add(-1)
}

// allowed tells whether an address may send without a certificate.
func (s *Syslog) allowed(addr net.Addr) bool {
	ip := peerOf(addr)
	for _, network := range s.Networks {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

func peerOf(addr net.Addr) netip.Addr {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

// syslogPeer is who sends on a connection.
type syslogPeer struct {
	address string
	subject string // of its certificate, "" without one
	conn    net.Conn
	began   time.Time // of a message that has not ended
	name    string    // of the connection, so that what is tried again is stored once
	batches int
}

// converse is the life of one connection.
func (s *Syslog) converse(conn net.Conn, config *tls.Config) {
	peer := &syslogPeer{conn: conn, address: peerOf(conn.RemoteAddr()).String(), name: monitor.NewID(time.Now()).String()}
	from := io.Reader(conn)
	if config != nil {
		secured := tls.Server(conn, config)
		ctx, cancel := context.WithTimeout(s.lost, handshakeTime)
		err := secured.HandshakeContext(ctx)
		cancel()
		if err != nil {
			s.Stats.TLS.Add(1)
			s.Log.Warn("syslog: no TLS", "address", peer.address, "error", err)
			return
		}
		if shown := secured.ConnectionState().PeerCertificates; len(shown) > 0 {
			peer.subject = shown[0].Subject.String()
		}
		from = secured
	}
	err := s.receive(newSyslogFrames(from, s.LineBytes), peer)
	switch {
	case err == nil, errors.Is(err, io.EOF) && !errors.Is(err, errHalfFrame):
	case errors.Is(err, errBadFrame), errors.Is(err, errHalfFrame):
		s.Stats.BadFrame.Add(1)
		s.meter().Rejected(1)
		s.meter().Request(protocolSyslog, "refused")
		s.Log.Warn("syslog: connection ended", "address", peer.address, "error", err)
	default:
		s.Log.Info("syslog: connection ended", "address", peer.address, "error", err)
	}
}

// errHalfFrame says that a message began and did not end.
var errHalfFrame = errors.New("the last message has no end")

// receive reads messages and stores them, all that have come at once in one batch.
func (s *Syslog) receive(frames *syslogFrames, peer *syslogPeer) error {
	for {
		s.bound(frames, peer)
		err := frames.fill()
		if err == nil || frames.ended() {
			if bad := s.takeAll(frames, peer); bad != nil {
				return bad
			}
		}
		var timeout net.Error
		switch {
		case err == nil:
			continue
		case frames.pending():
			return fmt.Errorf("%w: %w", errHalfFrame, err)
		case errors.As(err, &timeout) && timeout.Timeout(): // it was told goodbye, and is quiet
			return nil
		default:
			return err
		}
	}
}

// bound says until when to wait for bytes: for a message as long as it takes, for the
// rest of one that has begun up to frameTime, after the goodbye for quietTime.
func (s *Syslog) bound(frames *syslogFrames, peer *syslogPeer) {
	var until time.Time
	if !frames.pending() {
		peer.began = until
	} else {
		if peer.began.IsZero() {
			peer.began = time.Now()
		}
		until = peer.began.Add(cmp.Or(s.frameTime, frameTime))
	}
	_ = peer.conn.SetReadDeadline(until)
	select {
	case <-s.stopping: // looked at behind the line above, which else could undo what Close has set
		if until = time.Now().Add(quietTime); until.After(s.stopBy) {
			until = s.stopBy
		}
		_ = peer.conn.SetReadDeadline(until)
	default:
	}
}

// takeAll stores the messages that have come whole. An error is why nothing more can be
// read; what came before it is stored.
func (s *Syslog) takeAll(frames *syslogFrames, peer *syslogPeer) error {
	for {
		if err := s.waitForRoom(); err != nil {
			return err
		}
		c := &collection{
			Intake: s.Intake, ctx: s.lost, protocol: protocolSyslog, batch: &monitor.Batch{}, beyond: true, received: time.Now().UTC().Truncate(time.Microsecond),
		}
		more, bad := s.collect(c, frames, peer)
		err := s.store(c, peer)
		c.release()
		if err = errors.Join(err, bad); err != nil || !more {
			return err
		}
	}
}

// waitForRoom waits while requests hold as much as they may. What a connection has read
// then is beyond that by no more than its buffer.
func (s *Syslog) waitForRoom() error {
	for told := false; s.InFlight() >= s.MaxInFlight; told = true {
		if !told {
			s.meter().Request(protocolSyslog, "saturated")
		}
		select {
		case <-s.lost.Done():
			return s.lost.Err()
		case <-time.After(roomTime):
		}
	}
	return nil
}

// collect gathers messages into a batch, up to gatherEvents, and tells whether there may
// be others.
func (s *Syslog) collect(c *collection, frames *syslogFrames, peer *syslogPeer) (more bool, err error) {
	for len(c.batch.Events) < gatherEvents {
		f, ok, err := frames.take()
		if !ok {
			return false, err
		}
		peer.began = time.Time{} // what has begun behind it is another
		if f.cut {
			s.Stats.Cut.Add(1)
		}
		record := syslogRecord(f, peer)
		if err := c.add(record); err != nil { // our own JSON: what can be wrong is what a mapping lacks
			c.reject(rejectionOf(0, record, err))
			s.Log.Debug("syslog: message not read", "address", peer.address, "error", err)
		}
	}
	return true, nil
}

// syslogRecord makes a record of a message and of who sent it.
func syslogRecord(f frame, peer *syslogPeer) []byte {
	out := make([]byte, 0, len(f.text)+128)
	out = appendText(append(out, `{"message":`...), printable(f.text))
	out = appendText(appendKey(out, peerKey), peer.address)
	if peer.subject != "" {
		out = appendText(appendKey(out, "tls.client.subject"), printable([]byte(peer.subject)))
	}
	if f.cut {
		out = append(appendKey(out, "log.truncated"), "true"...)
	}
	return append(out, '}')
}

// note counts a batch whose outcome is certain.
func (s *Syslog) note(c *collection) {
	if s.Ledger != nil && len(c.batch.Events)+c.rejected > 0 {
		s.Ledger.note(c)
	}
}

// store stores a batch, again and again until it is, or the server gives up. Its name
// has it stored once where the database did not tell.
func (s *Syslog) store(c *collection, peer *syslogPeer) error {
	events := len(c.batch.Events)
	count(s.meter(), c.batch, c.rejected)
	if events == 0 {
		s.note(c)
		return nil
	}
	peer.batches++
	key := monitor.HashPart("syslog", peer.name, strconv.Itoa(peer.batches))
	for {
		c.batch.Parts = []*monitor.Part{{Events: events, Key: key, Content: key}}
		ctx, cancel := context.WithTimeoutCause(s.lost, maxWait, errBusy)
		_, err := s.Pipeline.Submit(ctx, c.batch)
		cancel()
		if err == nil {
			s.meter().Request(protocolSyslog, "stored")
			s.note(c)
			return nil
		}
		s.meter().Request(protocolSyslog, outcomeOf(statusOf(monitor.CodeOf(err))))
		s.Log.Warn("syslog: not stored yet", "events", events, "address", peer.address, "error", err)
		select {
		case <-s.lost.Done():
			s.Log.Error("syslog: messages are lost, the server has to stop", "events", events, "address", peer.address)
			return s.lost.Err()
		case <-time.After(storeAgain):
		}
	}
}
