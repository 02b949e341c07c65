package transport

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/security-monitor/secmon/monitor"
)

func newServer(t *testing.T) *Server {
	t.Helper()
	s := NewServer(Options{
		Limits: DefaultLimits, Log: slog.New(slog.DiscardHandler),
		Recheck: func(context.Context, *monitor.Viewer) error { return nil },
	})
	t.Cleanup(s.Close)
	return s
}

// A peer that sends pings and reads nothing does not fill the memory with pongs:
// it need not even be logged in.
func TestPingsOfOneWhoDoesNotReadAreNotHoarded(t *testing.T) {
	k := &socket{connection: &connection{server: newServer(t)}}
	connect(t, &k.out)
	k.out.fill(1)
	var sent bytes.Buffer
	ping := ws.MustCompileFrame(ws.MaskFrameInPlace(ws.NewPingFrame(make([]byte, 125))))
	for range 10_000 {
		sent.Write(ping)
	}
	if err := ws.WriteFrame(&sent, ws.MaskFrameInPlace(ws.NewTextFrame([]byte("end")))); err != nil {
		t.Fatal(err)
	}
	before := k.out.busyNow()
	k.from = &sent
	if text, err := k.message(); err != nil || string(text) != "end" {
		t.Fatalf("%s %v", text, err)
	}
	if waits := k.out.busyNow(); waits > before+1<<10 { // the socket may have taken a little more
		t.Errorf("%d bytes of pongs wait", waits-before)
	}
}

func TestHeaderAloneTakesNoMemory(t *testing.T) {
	part, err := readPart(bytes.NewReader([]byte("ten bytes.")), 1<<20)
	if err != io.EOF || cap(part) > 8<<10 { //nolint:errorlint // io.CopyN gives it as it is
		t.Errorf("%d bytes taken for 10 that came; %v", cap(part), err)
	}
	whole := bytes.Repeat([]byte("x"), 100_000)
	if part, err = readPart(bytes.NewReader(whole), int64(len(whole))); err != nil || !bytes.Equal(part, whole) {
		t.Errorf("%d bytes of %d, %v", len(part), len(whole), err)
	}
}

// A connection that ends while its login is under way leaves nothing behind, and
// what it gives back late is nobody else's.
func TestConnectionThatEndsDuringItsLoginLeavesNoSlot(t *testing.T) {
	s := newServer(t)
	open := func() *connection {
		t.Helper()
		o, _, _ := pair(t)
		c, ok := s.newConnection(o.conn, "", nil, kindSocket, socketFraming{}, "")
		if !ok {
			t.Fatal("not taken in")
		}
		return c
	}
	viewer := &monitor.Viewer{User: &monitor.User{ID: monitor.ID{1}, Role: monitor.RoleViewer}}
	fresh := func() bool { return true }
	gone := open()
	gone.end()
	if err := gone.introduce(viewer, fresh); err == nil {
		t.Error("a connection that is over was let in")
	}
	if len(s.principals) != 0 || s.waiting != 0 {
		t.Fatalf("%d principals, %d waiting", len(s.principals), s.waiting)
	}
	first := open()
	if err := first.introduce(viewer, fresh); err != nil {
		t.Fatal(err)
	}
	taken, err := s.take(first)
	if err != nil {
		t.Fatal(err)
	}
	first.end()
	second := open()
	if err := second.introduce(viewer, fresh); err != nil {
		t.Fatal(err)
	}
	s.give(taken) // late
	if n := s.principals[monitor.ID{1}].subscriptions; n != 0 {
		t.Errorf("%d subscriptions are counted, there is none", n)
	}
	second.end()
	if len(s.principals) != 0 || len(s.live) != 0 {
		t.Errorf("left: %d principals, %d connections", len(s.principals), len(s.live))
	}
}

// What is taken in is written to by others at once; the head comes first.
func TestHeadOfAStreamComesBeforeAnyMessage(t *testing.T) {
	s := newServer(t)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				for _, c := range s.connections() {
					c.ping()
				}
			}
		}
	}()
	for range 50 {
		o, client, _ := pair(t)
		c, ok := s.newConnection(o.conn, "HTTP", nil, kindStream, streamFraming{}, "")
		if !ok {
			t.Fatal("not taken in")
		}
		got := make([]byte, 4)
		_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(client, got); err != nil || string(got) != "HTTP" {
			t.Fatalf("first came %q, %v", got, err)
		}
		c.end()
	}
	close(stop)
	<-done
}
