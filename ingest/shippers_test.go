package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

type noRules struct{}

func (noRules) Match(_ *monitor.Record, dst []monitor.Match) []monitor.Match { return dst }

// countingStore counts events, and knows the names of parts as the database does.
type countingStore struct {
	events int
	named  map[monitor.PartHash]monitor.PartHash
}

func (s *countingStore) StoreBatch(_ context.Context, b *monitor.Batch) (monitor.ID, error) {
	at := 0
	for _, p := range b.Parts {
		if content, known := s.named[p.Key]; known && p.Key != (monitor.PartHash{}) {
			if p.Outcome = monitor.PartRepeated; content != p.Content {
				p.Outcome = monitor.PartConflict
			}
		} else {
			s.named[p.Key] = p.Content
			s.events += p.Events
		}
		at += p.Events
	}
	if len(b.Parts) > 0 && at != len(b.Events) {
		return monitor.ID{}, errors.New("the parts are not the events")
	}
	if len(b.Parts) == 0 {
		s.events += len(b.Events)
	}
	return monitor.ID{1}, nil
}

func testIntake(tb testing.TB) (*Intake, *countingStore) {
	tb.Helper()
	store := &countingStore{named: map[monitor.PartHash]monitor.PartHash{}}
	p := &Pipeline{store: store, lg: slog.New(slog.DiscardHandler), meter: noMeter{}, jobs: make(chan *job, 1), stop: make(chan struct{})}
	p.done.Go(p.commitAll) // one, so that the store need not lock
	tb.Cleanup(p.Close)
	return &Intake{
		Pipeline: p, Detector: noRules{}, Normaliser: NewNormaliser(), Limits: Limits{RecordBytes: 200, BodyBytes: 4_000, Records: 20, Depth: 8},
		MaxInFlight: 1 << 20, Authorise: func(context.Context) error { return nil }, Log: slog.New(slog.DiscardHandler),
	}, store
}

func serve(h http.Handler, method, url, body string, headers ...string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	r.Header.Set("User-Agent", "test")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	h.ServeHTTP(answer, r)
	return answer
}

// What is said to be stored is, and nothing else; whatever comes gets an answer in
// Elasticsearch's form.
func FuzzBulk(f *testing.F) {
	f.Add("{\"create\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{\"host\":\"a\"}\n{\"index\":{}}\n{\"message\":\n{\"delete\":{}}\n", "")
	f.Add("{\"index\":{\"_id\":7}}\n{}\n{\"index\":null}\n[]\n", "key")
	f.Add("{\"create\":{}}\n{\"a\":[[[[[[[[[[1]]]]]]]]]]}\n\n\xff\n", "")
	f.Fuzz(func(t *testing.T, body, key string) {
		in, store := testIntake(t)
		for round := range 2 {
			before := store.events
			answer := serve(&Elastic{in}, http.MethodPost, "/api/elastic/x/_bulk", body, "Idempotency-Key", key)
			var a struct {
				Errors bool
				Items  []map[string]struct{ Status int }
				Error  *elasticError
			}
			if err := json.Unmarshal(answer.Body.Bytes(), &a); err != nil {
				t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
			}
			created, failed := 0, false
			for _, item := range a.Items {
				for _, x := range item {
					if x.Status == http.StatusCreated {
						created++
					}
					failed = failed || x.Status >= 300
				}
			}
			if answer.Code != http.StatusOK && a.Error == nil || created != store.events-before || a.Errors != failed {
				t.Fatalf("round %d: %d %s; %d stored", round, answer.Code, answer.Body, store.events-before)
			}
			if round == 1 && key != "" && len(key) <= maxKeyBytes && created > 0 {
				t.Fatalf("stored twice: %s", answer.Body)
			}
			if in.InFlight() != 0 {
				t.Fatal("bytes are still held")
			}
		}
	})
}

// The same of the collector: every event of a request is stored, rejected by name, or
// the request is refused whole.
func FuzzCollector(f *testing.F) {
	f.Add(`{"time":1,"host":"h","event":"x","fields":{"a":"b"}}{"event":{"a":1}} {"event":"{}"}`, false)
	f.Add(`[{"event":[1]},{"event":null}]`, false)
	f.Add(`{"event":"x`, false)
	f.Add("one\r\n\n\xfe two\n{\"a\":1}", true)
	f.Fuzz(func(t *testing.T, body string, raw bool) {
		in, store := testIntake(t)
		path := "/api/splunk/services/collector/event"
		if raw {
			path = "/api/splunk/services/collector/raw?host=h&source=s"
		}
		answer := serve(&Splunk{in, NewAcks([][]byte{{1}})}, http.MethodPost, path, body, "X-Splunk-Request-Channel", "fe0ecfad-13d5-401b-847d-77833bd77131")
		var a hecAnswer
		if err := json.Unmarshal(answer.Body.Bytes(), &a); err != nil || a.Text == "" {
			t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
		}
		if stored := answer.Code == http.StatusOK; stored != (store.events > 0) || stored != (a.AckID != nil) || stored != (a.Code == 0) {
			t.Fatalf("%d %s; %d stored", answer.Code, answer.Body, store.events)
		}
		if raw && answer.Code == http.StatusOK {
			lines := 0
			for line := range strings.SplitSeq(body, "\n") {
				if strings.TrimSpace(line) != "" {
					lines++
				}
			}
			if store.events+a.Rejected != lines && !strings.HasPrefix(body, "\xef\xbb\xbf") {
				t.Fatalf("of %d lines %d are stored and %d rejected", lines, store.events, a.Rejected)
			}
		}
		if in.InFlight() != 0 {
			t.Fatal("bytes are still held")
		}
	})
}

// A record made of what a collector gets is one that every normaliser takes.
func FuzzUnwrapHEC(f *testing.F) {
	f.Add(`{"event":{},"host":"h"}`)
	f.Add(`{"event":"{\"a\":1}","time":"1.5","sourcetype":7}`)
	f.Add(`{"event":{"splunk":1 } ,"fields":{}}`)
	f.Fuzz(func(t *testing.T, object string) {
		limits := DefaultLimits
		s := &splitter{limits: limits}
		if code, _ := s.check([]byte(object)); code != "" || object[0] != '{' {
			return
		}
		record, said, _ := unwrapHEC([]byte(object), limits)
		if (record == nil) != (said.code != 0) {
			t.Fatalf("%s: %s, %v", object, record, said)
		}
		if record == nil {
			return
		}
		if !json.Valid(record) {
			t.Fatalf("%s is made %s", object, record)
		}
		var ev monitor.Event
		var rec monitor.Record
		if err := NewNormaliser().Normalise(record, time.Now(), &ev, &rec); err != nil {
			t.Fatalf("%s is made %s: %v", object, record, err)
		}
	})
}

func TestSplitObjectsCountsAndBounds(t *testing.T) {
	limits := Limits{RecordBytes: 20, BodyBytes: 1 << 10, Records: 3, Depth: 3}
	for _, c := range []struct{ body, want string }{
		{`{"a":1}{"b":"}{"}` + "\n" + `{}`, `1={"a":1} 2={"b":"}{"} 3={} <nil>`},
		{`[{"a":1},{}]`, `1={"a":1} 2={} <nil>`},
		{`[]`, `<nil>`},
		{`[{}]x`, `1={} object 2: more follows behind the array; nothing of the request is stored`},
		{`{"a":"` + strings.Repeat("x", 30) + `"}{}`, `1!RECORD_TOO_LARGE 2={} <nil>`},
		{`{"a":[[[1]]]}{}`, `1!TOO_DEEP 2={} <nil>`},
		{`{a}{}`, `object 1: invalid character 'a' looking for beginning of object key string at character 2; nothing of the request is stored`},
		{`{}{}{}{}`, `1={} 2={} 3={} more than 3 records; send them in several requests`},
		{"{\"a\":\"\xff\"}{}", `1!INVALID_UTF8 2={} <nil>`},
	} {
		var got strings.Builder
		err := SplitObjects(strings.NewReader(c.body), limits, func(n int, object []byte, problem *Rejection) error {
			if problem != nil {
				fmt.Fprintf(&got, "%d!%s ", problem.Line, problem.Code)
			} else {
				fmt.Fprintf(&got, "%d=%s ", n, object)
			}
			return nil
		})
		var broken *brokenError
		text := strings.SplitN(fmt.Sprint(err), "\n", 2)
		if errors.As(err, &broken) {
			text[0] = broken.Error()
		}
		if got.WriteString(text[0]); got.String() != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.body, got.String(), c.want)
		}
	}
}

// Each protocol says in its own form that a request is to be sent again later.
func TestSaturationInEachProtocol(t *testing.T) {
	in, store := testIntake(t)
	others := in.MaxInFlight
	in.inFlight.Store(others)
	for _, c := range []struct {
		h          http.Handler
		path, body string
		status     int
		has        string
	}{
		{&Handler{in}, "/api/ingest", "{}\n{}", 429, `"code":"RATE_LIMITED"`},
		{&Elastic{in}, "/api/elastic/_bulk", "{\"index\":{}}\n{}\n{\"index\":{}}\n{}\n", 429, `"type":"es_rejected_execution_exception"`},
		{&Splunk{in, nil}, "/api/splunk/services/collector", `{"event":"x"}`, 503, `"text":"Server is busy","code":9`},
		{&Splunk{in, nil}, "/api/splunk/services/collector/raw", "x\ny", 503, `"text":"Server is busy","code":9`},
	} {
		answer := serve(c.h, http.MethodPost, c.path, c.body)
		if answer.Code != c.status || answer.Header().Get("Retry-After") == "" || !strings.Contains(answer.Body.String(), c.has) {
			t.Errorf("%s: %d %s, want %d with %s", c.path, answer.Code, answer.Body, c.status, c.has)
		}
		if in.InFlight() != others {
			t.Errorf("%s still holds %d bytes", c.path, in.InFlight()-others)
		}
	}
	if store.events != 0 {
		t.Errorf("%d events of refused requests are stored", store.events)
	}
	in.inFlight.Store(0)
	in.MaxInFlight = recordOverhead
	answer := serve(&Elastic{in}, http.MethodPost, "/api/elastic/_bulk", strings.Repeat("{\"index\":{}}\n{}\n", 3)+"{\"index\":{}}\n[]\n", "User-Agent", "")
	if body := answer.Body.String(); answer.Code != 200 || strings.Count(body, `"status":429`) != 3 || strings.Count(body, `"status":400`) != 1 || store.events != 0 || in.InFlight() != 0 {
		t.Errorf("document by document: %d %s; %d stored", answer.Code, body, store.events)
	}
	in.inFlight.Store(in.MaxInFlight)
	if answer := serve(&Splunk{in, nil}, http.MethodGet, "/api/splunk/services/collector/health", ""); answer.Code != 503 || !strings.Contains(answer.Body.String(), `"code":18`) {
		t.Errorf("health: %d %s", answer.Code, answer.Body)
	}
}

// What an idle server has no room for either is not to be sent again as it is.
func TestRequestThatNeverFits(t *testing.T) {
	in, store := testIntake(t)
	in.MaxInFlight = recordOverhead
	for _, c := range []struct {
		h               http.Handler
		path, body, has string
	}{
		{&Handler{in}, "/api/ingest", "{}\n{}", `"code":"BODY_TOO_LARGE"`},
		{&Elastic{in}, "/api/elastic/_bulk", "{\"index\":{}}\n{}\n{\"index\":{}}\n{}\n", `"status":413`},
		{&Splunk{in, nil}, "/api/splunk/services/collector", `{"event":"x"}`, `"code":27`},
		{&EventBridge{in}, "/api/aws/eventbridge", "[{},{}]", `"code":"BODY_TOO_LARGE"`},
	} {
		answer := serve(c.h, http.MethodPost, c.path, c.body)
		if answer.Code != http.StatusRequestEntityTooLarge || answer.Header().Get("Retry-After") != "" || !strings.Contains(answer.Body.String(), c.has) || !strings.Contains(answer.Body.String(), "--max-in-flight-mb") {
			t.Errorf("%s: %d %s, want 413 with %s", c.path, answer.Code, answer.Body, c.has)
		}
	}
	if store.events != 0 || in.InFlight() != 0 {
		t.Errorf("%d events of refused requests are stored, %d bytes are held", store.events, in.InFlight())
	}
}

func TestAcksAreTheirSenders(t *testing.T) {
	old, now := []byte("old"), []byte("now")
	given := NewAcks([][]byte{old})
	rotated := NewAcks([][]byte{now, old})
	seen := map[uint64]bool{}
	for range 1_000 {
		id := given.Next("s", "c")
		if seen[id] || id>>53 != 0 || !given.Given("s", "c", id) || !rotated.Given("s", "c", id) {
			t.Fatalf("%d", id)
		}
		seen[id] = true
	}
	wrong := 0
	for id := range seen {
		for _, x := range []bool{given.Given("s", "d", id), given.Given("t", "c", id), given.Given("s", "c", id^1), given.Given("s", "c", id|1<<60), NewAcks([][]byte{now}).Given("s", "c", id)} {
			if x {
				wrong++
			}
		}
	}
	if wrong > 1 {
		t.Errorf("%d of 5,000 ids that were not given are believed", wrong)
	}
}
