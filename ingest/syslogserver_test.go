package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/security-monitor/secmon/monitor"
)

// messagesOf gives the messages of a stream that comes in pieces of that size, and why
// it ends. Those that were cut have a mark.
func messagesOf(t testing.TB, stream string, piece, most int) (all []string, err error) {
	t.Helper()
	from := io.Reader(strings.NewReader(stream))
	if piece == 1 {
		from = iotest.OneByteReader(from)
	}
	s := newSyslogFrames(from, most)
	for range 2*len(stream) + 4 {
		filled := s.fill()
		for {
			f, ok, err := s.take()
			if err != nil {
				return all, err
			}
			if !ok {
				break
			}
			if len(f.text) > most {
				t.Fatalf("%d bytes, of %d", len(f.text), most)
			}
			if all = append(all, string(f.text)); f.cut {
				all[len(all)-1] += "|cut"
			}
		}
		switch {
		case filled != nil && s.pending():
			return all, errHalfFrame
		case filled != nil:
			return all, nil //nolint:nilerr // the stream's end
		}
	}
	t.Fatalf("no end of %q", stream)
	return nil, nil
}

func TestSyslogFrames(t *testing.T) {
	long := "<1>" + strings.Repeat("x", 40)
	for name, c := range map[string]struct {
		stream string
		want   []string
		err    error
	}{
		"octets counted":                        {"5 <1>ab7 <2>c\nd\n4 <3>e", []string{"<1>ab", "<2>c\nd", "<3>e"}, nil},
		"lines":                                 {"<1>a\n<2>b\r\n\n<3>c\x00<4>d\n", []string{"<1>a", "<2>b", "<3>c", "<4>d"}, nil},
		"the last line has no end":              {"<1>a\n<2>b", []string{"<1>a", "<2>b"}, nil},
		"both ways":                             {"<1>a\n5 <2>bc<3>d\n", []string{"<1>a", "<2>bc", "<3>d"}, nil},
		"lines without priority":                {"May  4 a\n12 monkeys\n2026-05-04 b\n7", []string{"May  4 a", "12 monkeys", "2026-05-04 b", "7"}, nil},
		"a long line":                           {long + "yy\n<2>b\n", []string{long[:32] + "|cut", "<2>b"}, nil},
		"a line of just the bound":              {long[:32] + "\n<2>b\n", []string{long[:32], "<2>b"}, nil},
		"many octets":                           {"43 " + long + "4 <2>b", []string{long[:32] + "|cut", "<2>b"}, nil},
		"half of what was counted":              {"9 <1>a", nil, errHalfFrame},
		"half of what was counted and is long":  {"99 " + long, []string{long[:32] + "|cut"}, errHalfFrame},
		"a count that nobody has":               {"<1>a\n999999999 <1>b", []string{"<1>a"}, errBadFrame},
		"a number, and no count":                {"99999999999999999999 <1>b\n", []string{"99999999999999999999 <1>b"}, nil},
		"nothing":                               {"", nil, nil},
		"blank lines":                           {" \n\r\n\x00\x00", nil, nil},
		"a long line without end":               {long, []string{long[:32] + "|cut"}, errHalfFrame},
		"a count of nothing":                    {"0 <1>a\n", []string{"0 <1>a"}, nil},
		"a count that is too small leaves text": {"3 <1>abc\n", []string{"<1>", "abc"}, nil},
	} {
		for _, piece := range []int{1, 0} {
			got, err := messagesOf(t, c.stream, piece, 32)
			if d := cmp.Diff(c.want, got); d != "" || !errors.Is(err, c.err) {
				t.Errorf("%s, piece %d: %v, want %v: %s", name, piece, err, c.err, d)
			}
		}
	}
}

// Messages are the same in however small pieces they come, and what is framed by us is
// read as it was.
func FuzzSyslogFrames(f *testing.F) {
	for _, seed := range []string{"5 <1>ab", "<1>a\n<2>b", "99999999999 <1>", "12 monkeys\n", "40 <1>" + strings.Repeat("x", 50), "<1>\x00\n\r\n1 "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stream string) {
		whole, wholeErr := messagesOf(t, stream, 0, 32)
		bytewise, bytewiseErr := messagesOf(t, stream, 1, 32)
		if !slices.Equal(whole, bytewise) || (wholeErr == nil) != (bytewiseErr == nil) {
			t.Errorf("at once %q %v, in pieces %q %v", whole, wholeErr, bytewise, bytewiseErr)
		}
		if text := strings.Trim(stream, " \t\v\f\u0085\u00a0\r\n\x00"); text != "" && len(text) <= 20 {
			got, err := messagesOf(t, fmt.Sprintf("%d <1>%s<2>end\n", len(text)+3, text), 0, 32)
			if err != nil || len(got) != 2 || got[0] != "<1>"+text || got[1] != "<2>end" {
				t.Errorf("counted %q is %q, %v", text, got, err)
			}
		}
	})
}

// messageStore keeps messages, and does what a test has it do before.
type messageStore struct {
	mu     sync.Mutex
	named  map[monitor.PartHash]bool
	stored []string
	before func() error // an error is given in place of storing
	after  func() error // an error is given although it is stored
}

func (s *messageStore) StoreBatch(_ context.Context, b *monitor.Batch) (monitor.ID, error) {
	if s.before != nil {
		if err := s.before(); err != nil {
			return monitor.ID{}, err
		}
	}
	s.mu.Lock()
	at := 0
	for _, p := range b.Parts {
		if !s.named[p.Key] {
			s.named[p.Key] = true
			for _, e := range b.Events[at : at+p.Events] {
				s.stored = append(s.stored, e.Host+" "+e.Message)
			}
		}
		at += p.Events
	}
	s.mu.Unlock()
	if s.after != nil {
		return monitor.ID{}, s.after()
	}
	return monitor.ID{1}, nil
}

func (s *messageStore) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.stored)
}

// startSyslog serves plain TCP.
func startSyslog(t *testing.T, store *messageStore, change func(*Syslog)) (s *Syslog, address string) {
	t.Helper()
	store.named = map[monitor.PartHash]bool{}
	p := NewPipeline(store, slog.New(slog.DiscardHandler), nil)
	s = &Syslog{
		Intake:    &Intake{Pipeline: p, Detector: noRules{}, Normaliser: NewNormaliser(), Limits: DefaultLimits, MaxInFlight: 1 << 20, Log: slog.New(slog.DiscardHandler)},
		LineBytes: 1 << 10, Connections: 4, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	if change != nil {
		change(s)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(listener, nil)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.Close(ctx) // a test may have done it
		p.Close()
	})
	return s, listener.Addr().String()
}

func dialSyslog(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func say(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// closedByServer tells whether the other side ends a connection.
func closedByServer(t *testing.T, conn net.Conn) bool {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := conn.Read(make([]byte, 1))
	var timeout net.Error
	return err != nil && (!errors.As(err, &timeout) || !timeout.Timeout())
}

func TestSyslogIsStoredInItsOrder(t *testing.T) {
	store := &messageStore{}
	_, address := startSyslog(t, store, nil)
	conn := dialSyslog(t, address)
	var want []string
	for i := range 5_000 { // more than one transaction
		line := fmt.Sprintf("<34>1 2026-05-04T09:30:00Z web-1 app - - - line %d", i)
		if want = append(want, fmt.Sprintf("web-1 line %d", i)); i%2 == 0 {
			say(t, conn, fmt.Sprintf("%d %s", len(line), line))
			continue
		}
		say(t, conn, line+"\n")
	}
	say(t, conn, "no syslog at all, \xff\n")
	want = append(want, `127.0.0.1 no syslog at all, \xff`)
	soon(t, "all lines", func() bool { return len(store.all()) == len(want) })
	if d := cmp.Diff(want, store.all()); d != "" {
		t.Error(d)
	}
}

// While the database is away nothing is lost, and what it did not tell of is there once.
func TestSyslogIsStoredOnceThroughAnOutage(t *testing.T) {
	var mu sync.Mutex
	away, told := 2, 0
	store := &messageStore{}
	store.before = func() error {
		mu.Lock()
		defer mu.Unlock()
		if away--; away >= 0 {
			return monitor.ErrAway
		}
		return nil
	}
	store.after = func() error {
		mu.Lock()
		defer mu.Unlock()
		if told++; told == 1 {
			return monitor.ErrOutcomeUnknown
		}
		return nil
	}
	s, address := startSyslog(t, store, nil)
	conn := dialSyslog(t, address)
	say(t, conn, "<34>a\n<34>b\n")
	soon(t, "they are stored", func() bool { return len(store.all()) == 2 })
	say(t, conn, "<34>c\n")
	soon(t, "what comes behind it", func() bool { return len(store.all()) == 3 })
	if s.InFlight() != 0 {
		soon(t, "nothing is held", func() bool { return s.InFlight() == 0 })
	}
}

// A sender whose messages cannot be stored is held up, and the server holds no more
// than a buffer of it.
func TestSyslogHoldsSendersUp(t *testing.T) {
	hold := make(chan struct{})
	store := &messageStore{before: func() error { <-hold; return nil }}
	s, address := startSyslog(t, store, nil)
	conn := dialSyslog(t, address)
	line := "<34>" + strings.Repeat("x", 995) + "\n"
	const lines = 30_000 // 30 MB: more than the system's own buffers take
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(conn, bytes.NewReader(bytes.Repeat([]byte(line), lines)))
		sent <- err
	}()
	soon(t, "the first are in hand", func() bool { return s.InFlight() > 0 })
	select {
	case err := <-sent:
		t.Fatalf("the sender is through, %v, and nothing is stored", err)
	case <-time.After(300 * time.Millisecond):
	}
	if held := s.InFlight(); held > 2*minFrameBuffer+100*recordOverhead {
		t.Errorf("%d bytes are held of one connection", held)
	}
	close(hold)
	if err := <-sent; err != nil {
		t.Error(err)
	}
	soon(t, "all are stored", func() bool { return len(store.all()) == lines })
}

// When other requests hold all that may be held, messages wait.
func TestSyslogWaitsForRoom(t *testing.T) {
	store := &messageStore{}
	s, address := startSyslog(t, store, nil)
	s.inFlight.Add(s.MaxInFlight)
	conn := dialSyslog(t, address)
	say(t, conn, "<34>a\n")
	time.Sleep(100 * time.Millisecond)
	if n := len(store.all()); n != 0 {
		t.Errorf("%d are stored beyond the bound", n)
	}
	s.inFlight.Add(-s.MaxInFlight)
	soon(t, "it is stored", func() bool { return len(store.all()) == 1 })
}

// A server that stops stores what was sent, tells the sender, and takes no more.
func TestSyslogStoresBeforeItStops(t *testing.T) {
	hold := make(chan struct{})
	store := &messageStore{before: func() error { <-hold; return nil }}
	s, address := startSyslog(t, store, nil)
	conn, idle := dialSyslog(t, address), dialSyslog(t, address)
	say(t, conn, "<34>a\n")
	soon(t, "it is in hand", func() bool { return s.InFlight() > 0 && s.Stats.Open.Load() == 2 })
	say(t, conn, "<34>b\n<34>c") // behind what is in hand, and not read yet
	closed := make(chan error, 1)
	go func() { closed <- s.Close(t.Context()) }()
	if !closedByServer(t, conn) || !closedByServer(t, idle) {
		t.Error("the senders are not told")
	}
	say(t, conn, "d\n")
	close(hold)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"127.0.0.1 <34>a", "127.0.0.1 <34>b", "127.0.0.1 <34>cd"}, store.all()); d != "" {
		t.Error(d)
	}
	if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
		_ = conn.Close()
		t.Error("it listens still")
	}
}

// A database that does not come back holds a stopping server up no longer than it may.
func TestSyslogStopsWithoutItsDatabase(t *testing.T) {
	store := &messageStore{before: func() error { return monitor.ErrAway }}
	s, address := startSyslog(t, store, nil)
	conn := dialSyslog(t, address)
	say(t, conn, "<34>a\n")
	soon(t, "it is in hand", func() bool { return s.InFlight() > 0 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Close(ctx); err == nil {
		t.Error("it is lost, and nobody hears of it")
	}
	if s.InFlight() != 0 || s.Stats.Open.Load() != 0 {
		t.Errorf("%d bytes, %d connections are left", s.InFlight(), s.Stats.Open.Load())
	}
}

func TestSyslogRefuses(t *testing.T) {
	store := &messageStore{}
	s, address := startSyslog(t, store, func(s *Syslog) { s.Connections, s.frameTime = 2, 100*time.Millisecond })

	slow := dialSyslog(t, address)
	say(t, slow, "<34>good\n<34>never an e")
	if !closedByServer(t, slow) {
		t.Error("a message may take for ever")
	}
	bad := dialSyslog(t, address)
	say(t, bad, "<34>also good\n999999999 <34>x")
	if !closedByServer(t, bad) {
		t.Error("a count that nobody has is taken")
	}
	half := dialSyslog(t, address)
	say(t, half, "99 <34>half")
	_ = half.Close()
	soon(t, "three bad frames", func() bool { return s.Stats.BadFrame.Load() == 3 && s.Stats.Open.Load() == 0 })

	first, second := dialSyslog(t, address), dialSyslog(t, address)
	soon(t, "two connections", func() bool { return s.Stats.Open.Load() == 2 })
	if third := dialSyslog(t, address); !closedByServer(t, third) || s.Stats.Full.Load() != 1 {
		t.Error("a third connection is taken")
	}
	time.Sleep(150 * time.Millisecond) // silence between messages is no fault
	say(t, first, "<34>first "+strings.Repeat("x", 2_000)+"\n")
	say(t, second, "<34>second\n")
	soon(t, "what is good", func() bool { return len(store.all()) == 4 })
	if s.Stats.Cut.Load() != 1 {
		t.Errorf("%d were cut", s.Stats.Cut.Load())
	}

	other, address := startSyslog(t, &messageStore{}, func(s *Syslog) { s.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	if stranger := dialSyslog(t, address); !closedByServer(t, stranger) || other.Stats.Network.Load() != 1 {
		t.Error("a stranger may send")
	}
}
