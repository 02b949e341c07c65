package ingest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// keptLedger keeps what a ledger writes; it fails as often as told.
type keptLedger struct {
	mu      sync.Mutex
	fail    int
	counts  map[monitor.SourceKey]monitor.SourceCount
	letters []*monitor.DeadLetter
}

func (k *keptLedger) CountSources(_ context.Context, counts []*monitor.SourceCount) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail--; k.fail >= 0 {
		return 0, errors.New("away")
	}
	for _, c := range counts {
		sum := k.counts[c.Key]
		sum.Records, sum.Rejected, sum.Bytes, sum.Lagged = sum.Records+c.Records, sum.Rejected+c.Rejected, sum.Bytes+c.Bytes, sum.Lagged+c.Lagged
		k.counts[c.Key] = sum
	}
	return 0, nil
}

func (k *keptLedger) AddDeadLetters(_ context.Context, letters []*monitor.DeadLetter) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail--; k.fail >= 0 {
		return errors.New("away")
	}
	k.letters = append(k.letters, letters...)
	return nil
}

func withLedger(t *testing.T) (*Intake, *keptLedger) {
	t.Helper()
	in, _ := testIntake(t)
	kept := &keptLedger{counts: map[monitor.SourceKey]monitor.SourceCount{}}
	in.Ledger = NewLedger(kept, slog.New(slog.DiscardHandler))
	return in, kept
}

func send(t *testing.T, h http.Handler, path, body string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	r = r.WithContext(monitor.WithViewer(r.Context(), &monitor.Viewer{Token: &monitor.APIToken{ID: monitor.ID{7}, Name: "shipper", Scopes: []monitor.Scope{monitor.ScopeIngest}}}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestWhatIsRejectedIsCountedAndKept(t *testing.T) {
	in, kept := withLedger(t)
	long := `{"a":"` + strings.Repeat("x", 300) + `"}`
	body := "{\"a\":1,\"timestamp\":\"" + time.Now().Add(-time.Minute).UTC().Format(time.RFC3339) + "\"}\n{broken\n[1]\n\xff\xfe\n" + long + "\n{\"b\":2}\n"
	if status := send(t, &Handler{Intake: in}, "/api/ingest", body); status != http.StatusOK {
		t.Fatal(status)
	}
	kept.fail = 1 // the database is away for one flush: of the counts
	in.Ledger.Flush(t.Context())
	in.Ledger.Flush(t.Context())
	key := monitor.SourceKey{Protocol: "json", TokenID: monitor.ID{7}, TokenName: "shipper", Format: "generic"}
	if got := kept.counts[key]; got.Records != 2 || got.Rejected != 4 || got.Lagged != 1 || len(kept.counts) != 1 {
		t.Errorf("counted %+v", kept.counts)
	}
	if len(kept.letters) != 4 {
		t.Fatalf("%d letters", len(kept.letters))
	}
	for i, want := range []struct{ code, raw string }{{CodeMalformed, "{broken"}, {CodeNotAnObject, "[1]"}, {CodeInvalidUTF8, "\xff\xfe"}, {CodeRecordTooLarge, long}} {
		l := kept.letters[i]
		if l.Code != want.code || !strings.HasPrefix(want.raw, string(l.Raw)) || len(l.Raw) == 0 || l.Line != i+2 || l.TokenName != "shipper" || l.Cut != (i == 3) {
			t.Errorf("letter %d: %+v", i, l)
		}
	}
}

func TestARequestOfWhichNothingIsReadIsASourceToo(t *testing.T) {
	in, kept := withLedger(t)
	for _, c := range []struct {
		handler  http.Handler
		protocol string
		path     string
		body     string
	}{
		{&Handler{Intake: in}, "json", "/api/ingest", "{broken"},
		{&Elastic{Intake: in}, "elastic", ElasticPath + "/_bulk", "{\"create\":{}}\n{broken\n"},
		{&Splunk{Intake: in}, "splunk", SplunkPath + "/services/collector/event", `{"no":"event"}`},
	} {
		send(t, c.handler, c.path, c.body)
		in.Ledger.Flush(t.Context())
		key := monitor.SourceKey{Protocol: c.protocol, TokenID: monitor.ID{7}, TokenName: "shipper", Format: monitor.UnreadableFormat}
		if got := kept.counts[key]; got.Rejected != 1 || got.Records != 0 {
			t.Errorf("%s: %+v", c.protocol, kept.counts)
		}
	}
	if len(kept.letters) != 3 {
		t.Errorf("%d letters", len(kept.letters))
	}
}

func TestALedgerIsBounded(t *testing.T) {
	in, kept := withLedger(t)
	in.Limits.BodyBytes, in.Limits.Records = 1<<20, 10_000
	send(t, &Handler{Intake: in}, "/api/ingest", strings.Repeat("{broken\n", 500))
	in.Ledger.Flush(t.Context())
	if len(kept.letters) != requestKept {
		t.Errorf("%d letters of one request, want %d", len(kept.letters), requestKept)
	}
	kept.letters = nil
	for range maxLetters/requestKept + 5 {
		send(t, &Handler{Intake: in}, "/api/ingest", strings.Repeat("{broken\n", requestKept))
	}
	in.Ledger.Flush(t.Context())
	if len(kept.letters) != maxLetters {
		t.Errorf("%d letters between two flushes, want %d", len(kept.letters), maxLetters)
	}
	for i := range maxSources + 10 {
		in.Ledger.mu.Lock()
		in.Ledger.countOf(monitor.SourceKey{TokenID: monitor.ID{byte(i), byte(i >> 8)}}, time.Now())
		in.Ledger.mu.Unlock()
	}
	if n := len(in.Ledger.counts); n != maxSources {
		t.Errorf("%d sources are counted, want %d", n, maxSources)
	}
}

func TestARequestThatIsNotStoredIsNotCounted(t *testing.T) {
	in, kept := withLedger(t)
	in.inFlight.Store(in.MaxInFlight)
	if status := send(t, &Handler{Intake: in}, "/api/ingest", "{broken\n{\"a\":1}\n"); status != http.StatusTooManyRequests {
		t.Fatal(status)
	}
	in.Ledger.Flush(t.Context())
	if len(kept.counts)+len(kept.letters) != 0 {
		t.Errorf("%+v %+v: it comes again", kept.counts, kept.letters)
	}
}

func TestAReplayIsStoredOnce(t *testing.T) {
	in, store := testIntake(t)
	in.Limits.RecordBytes = 1_000
	letter := func(id byte, raw string) *monitor.DeadLetter {
		return &monitor.DeadLetter{ID: monitor.ID{id}, At: time.Now(), Raw: []byte(raw), State: monitor.LetterWaiting}
	}
	letters := []*monitor.DeadLetter{letter(1, `{"a":1}`), letter(2, "{broken"), {ID: monitor.ID{3}, Cut: true, Raw: []byte("{}")}, letter(4, ""), letter(5, "\xff")}
	for round, again := range []bool{false, true} {
		replays, err := in.Replay(t.Context(), letters, false)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range replays {
			if r.Stored != (i == 0) || r.Again != (again && i == 0) || r.Result == "" {
				t.Errorf("round %d, letter %d: %+v", round, i, r)
			}
		}
	}
	if store.events != 1 {
		t.Errorf("%d events are stored", store.events)
	}
	replays, err := in.Replay(t.Context(), letters[1:], true)
	if err != nil || !replays[0].Stored || replays[1].Stored || !replays[3].Stored || store.events != 3 {
		t.Errorf("as text: %+v, %d events, %v", replays, store.events, err)
	}
}
