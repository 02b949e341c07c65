package feed

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// fakeLog is a journal in memory whose past can be changed, as a failover does.
type fakeLog struct {
	mu      sync.Mutex
	epoch   uint64
	entries []monitor.Entry
	raws    [][]byte
	hangs   bool // single entries cannot be read: the database accepts and is silent
}

func (l *fakeLog) append(actions ...string) (added []Arrival) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, action := range actions {
		var before [32]byte
		if n := len(l.entries); n > 0 {
			before = l.entries[n-1].Hash
		}
		body := monitor.EntryBody{Action: action}
		raw, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		seq := uint64(len(l.entries) + 1)
		e := monitor.Entry{Seq: seq, Hash: monitor.ChainHash(before, seq, raw), Body: body}
		l.entries, l.raws = append(l.entries, e), append(l.raws, raw)
		added = append(added, Arrival{Entry: e, Raw: raw})
	}
	return added
}

func (l *fakeLog) lose(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = l.entries[:len(l.entries)-n]
}

func (l *fakeLog) Head(context.Context) (monitor.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := monitor.Position{Epoch: l.epoch, Seq: uint64(len(l.entries))}
	if p.Seq > 0 {
		p.Tag = monitor.TagOf(l.entries[p.Seq-1].Hash)
	}
	return p, nil
}

func (l *fakeLog) Entries(_ context.Context, seq uint64, limit int) ([]monitor.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq >= uint64(len(l.entries)) {
		return nil, nil
	}
	rest := l.entries[seq:]
	return append([]monitor.Entry(nil), rest[:min(len(rest), limit)]...), nil
}

func (l *fakeLog) Entry(ctx context.Context, seq uint64) (monitor.Entry, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hangs {
		<-ctx.Done()
		return monitor.Entry{}, false, ctx.Err()
	}
	if seq == 0 || seq > uint64(len(l.entries)) {
		return monitor.Entry{}, false, nil
	}
	return l.entries[seq-1], true, nil
}

func (l *fakeLog) Earliest(context.Context) (monitor.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return monitor.Position{Epoch: l.epoch}, nil
}

func startTail(t *testing.T, l *fakeLog) *Tail {
	t.Helper()
	tail := NewTail(l, nil, slog.New(slog.DiscardHandler))
	if err := tail.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tail
}

// next gives the actions of what the subscription has now; it does not wait.
func next(t *testing.T, s *Subscription) []string {
	t.Helper()
	entries, _, err := s.poll(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, e := range entries {
		actions = append(actions, e.Body.Action)
		s.seq = e.Seq
	}
	return actions
}

func subscribe(t *testing.T, tail *Tail) *Subscription {
	t.Helper()
	s, _, err := tail.Subscribe(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEntriesOutOfOrderWaitForTheGap(t *testing.T) {
	l := &fakeLog{epoch: 1}
	tail := startTail(t, l)
	s := subscribe(t, tail)
	a := l.append("one", "two", "three")
	tail.receive(Message{Epoch: 1, Seq: 3, Entries: a[2:]})
	tail.receive(Message{Epoch: 1, Seq: 2, Entries: a[1:2]})
	if got := next(t, s); len(got) != 0 {
		t.Errorf("%v came before the gap was filled", got)
	}
	tail.receive(Message{Epoch: 1, Seq: 1, Entries: a[:1]})
	tail.receive(Message{Epoch: 1, Seq: 1, Entries: a[:1]}) // a repetition
	if got := next(t, s); len(got) != 3 || got[0] != "one" || got[2] != "three" {
		t.Errorf("got %v", got)
	}
}

func TestLostMessagesComeFromTheJournal(t *testing.T) {
	l := &fakeLog{epoch: 1}
	tail := startTail(t, l)
	s := subscribe(t, tail)
	l.append("one", "two")
	tail.receive(Message{Epoch: 1, Seq: 2})
	if err := tail.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s); len(got) != 2 {
		t.Errorf("got %v", got)
	}
}

// Whoever can write to Redis can make nobody see what is not in the journal.
func TestForgedEntryIsDropped(t *testing.T) {
	l := &fakeLog{epoch: 1}
	l.append("one")
	tail := startTail(t, l)
	s := subscribe(t, tail)
	forged := monitor.Entry{Seq: 2, Hash: [32]byte{1}, Body: monitor.EntryBody{Action: "forged"}}
	tail.receive(Message{Epoch: 1, Seq: 2, Entries: []Arrival{{Entry: forged, Raw: []byte(`{"action":"forged"}`)}}})
	l.append("true")
	if err := tail.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s); len(got) != 1 || got[0] != "true" {
		t.Errorf("got %v", got)
	}
}

// A failover that lost commits and gave their numbers to others must not let a
// subscriber go on as if nothing were missing.
func TestReplacedJournalEndsSubscriptions(t *testing.T) {
	for name, replace := range map[string]func(*fakeLog){
		"restored from a backup":           func(l *fakeLog) { l.epoch = 2 },
		"shorter":                          func(l *fakeLog) { l.lose(2) },
		"another entry of the same number": func(l *fakeLog) { l.lose(1); l.append("other") },
		"longer, with another entry in it": func(l *fakeLog) { l.lose(1); l.append("other", "more") },
		"empty":                            func(l *fakeLog) { l.lose(3) },
	} {
		t.Run(name, func(t *testing.T) {
			l := &fakeLog{epoch: 1}
			l.append("one", "two", "three")
			tail := startTail(t, l)
			s := subscribe(t, tail)
			replace(l)
			if err := tail.catchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.poll(t.Context(), 100); monitor.CodeOf(err) != monitor.CodeCursorExpired {
				t.Errorf("got %v, want CURSOR_EXPIRED", err)
			}
			fresh := subscribe(t, tail)
			l.append("new")
			if err := tail.catchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := next(t, fresh); len(got) != 1 || got[0] != "new" {
				t.Errorf("a new subscription got %v", got)
			}
		})
	}
}

// What is known of a cursor with another epoch is that the journal is another one.
func TestCursorOfAnotherJournalIsNotCalledRestored(t *testing.T) {
	l := &fakeLog{epoch: 1}
	l.append("one")
	tail := startTail(t, l)
	err := tail.check(t.Context(), monitor.Position{Epoch: 7, Seq: 1}, monitor.Position{Epoch: 1, Seq: 1})
	if monitor.CodeOf(err) != monitor.CodeCursorExpired || !strings.Contains(err.Error(), "of another database, or of this one") {
		t.Errorf("got %v", err)
	}
}

func TestRingKeepsTheNewestWithinItsBytes(t *testing.T) {
	l := &fakeLog{epoch: 1}
	tail := startTail(t, l)
	tail.ring.limit = 10 * 256
	s := subscribe(t, tail)
	for range 50 {
		l.append("x")
	}
	if err := tail.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(tail.ring.entries); n != 10 {
		t.Errorf("the ring keeps %d entries, want 10", n)
	}
	if got := next(t, s); len(got) != 50 {
		t.Errorf("got %d entries, want 50: the old ones from the journal", len(got))
	}
}
