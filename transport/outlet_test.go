package transport

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// pair is an outlet and the other end of its connection.
func pair(t *testing.T) (*outlet, net.Conn, func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()                                   //nolint:errcheck // one connection is enough
	client, err := net.Dial("tcp", listener.Addr().String()) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	if tcp, ok := client.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(64 << 10)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	var broken error
	o := &outlet{}
	o.open(server, func(f func()) { running.Go(f) }, func(err error) {
		mu.Lock()
		defer mu.Unlock()
		broken = err
	})
	t.Cleanup(func() {
		_, _ = client.Close(), server.Close()
		running.Wait()
	})
	return o, client, func() error {
		mu.Lock()
		defer mu.Unlock()
		return broken
	}
}

// What does not fit into the socket waits, comes whole and in order, and the
// time that it took does not shorten the life of the connection.
func TestFullSocketIsDrainedAndUsedOn(t *testing.T) {
	o, client, broken := pair(t)
	o.patience = 2 * time.Second
	var want bytes.Buffer
	head, middle, tail := bytes.Repeat([]byte("h"), 100), bytes.Repeat([]byte("m"), 60_000), []byte("t\n")
	for range 200 {
		o.mu.Lock()
		o.put(head, middle, tail)
		o.mu.Unlock()
		want.Write(head)
		want.Write(middle)
		want.Write(tail)
	}
	if o.busyNow() == 0 {
		t.Fatal("12 MB have gone into a socket that nobody reads: the test shows nothing")
	}
	_ = client.SetReadDeadline(time.Now().Add(20 * time.Second))
	got := make([]byte, want.Len())
	if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Fatalf("got something else, %v", err)
	}
	<-o.wait()
	time.Sleep(o.patience + 100*time.Millisecond) // until its deadline would strike
	o.send([]byte("later"))
	if _, err := io.ReadFull(client, got[:5]); err != nil || string(got[:5]) != "later" || broken() != nil {
		t.Errorf("got %q, %v; broken: %v", got[:5], err, broken())
	}
}

func (o *outlet) busyNow() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queued
}

// A peer that never reads is given up.
func TestPeerThatNeverReadsIsGivenUp(t *testing.T) {
	o, _, broken := pair(t)
	o.patience = 50 * time.Millisecond
	for range 200 {
		o.send(make([]byte, 60_000))
	}
	<-o.wait()
	for range 200 {
		if broken() != nil {
			return
		}
		time.Sleep(10 * time.Millisecond) // it is told in another goroutine
	}
	t.Error("nobody was told")
}
