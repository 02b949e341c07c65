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
	o := &outlet{}
	client, broken := connect(t, o)
	return o, client, broken
}

// connect opens an outlet to the connection that it gives.
func connect(t *testing.T, o *outlet) (net.Conn, func() error) {
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
	o.open(server, func(f func()) { running.Go(f) }, func(err error) {
		mu.Lock()
		defer mu.Unlock()
		broken = err
	})
	t.Cleanup(func() {
		_, _ = client.Close(), server.Close()
		running.Wait()
	})
	return client, func() error {
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

// fill lets at least n bytes wait.
func (o *outlet) fill(n int) (all int) {
	for o.busyNow() < n {
		o.send(make([]byte, 8<<10))
		all += 8 << 10
	}
	return all
}

// A peer that takes its time but reads is not given up, however much waits.
func TestPeerThatReadsSlowlyIsNotGivenUp(t *testing.T) {
	o, client, broken := pair(t)
	o.patience = 300 * time.Millisecond
	o.send(make([]byte, 4<<20))
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 16 { // longer than the patience, all in all
		<-tick.C
		if _, err := io.ReadFull(client, make([]byte, 256<<10)); err != nil {
			t.Fatalf("%v; broken: %v", err, broken())
		}
	}
}

// The last message has a short time, whatever the queue before it was given.
func TestLastMessageHasAShortTime(t *testing.T) {
	o, client, broken := pair(t)
	o.patience = time.Hour
	first := o.fill(1)
	o.fill(2 << 20) // waits for its own turn
	o.finish([]byte("bye"), func() { t.Error("it left, though nobody reads") })
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(client, make([]byte, first+64<<10)); err != nil {
		t.Fatal(err)
	}
	timeout := time.After(4 * closeTime)
	for broken() == nil {
		select {
		case <-timeout:
			t.Fatal("it is still waited for")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Who waits for room gets it while a little still waits: on a busy connection
// something always does.
func TestLittleThatWaitsHoldsNobodyUp(t *testing.T) {
	o, _, _ := pair(t)
	o.fill(1)
	select {
	case <-o.wait():
	default:
		t.Error("8 KiB that wait hold everything up")
	}
	o.fill(lowQueued + 1)
	select {
	case <-o.wait():
		t.Error("there is room beyond the bound")
	default:
	}
}
