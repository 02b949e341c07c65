package ingest

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/security-monitor/secmon/monitor"
)

// sendWith sends a request with headers, by a token.
func sendWith(t *testing.T, h http.Handler, path, body string, headers ...string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	r = r.WithContext(monitor.WithViewer(r.Context(), &monitor.Viewer{Token: &monitor.APIToken{ID: monitor.ID{7}, Name: "shipper", Scopes: []monitor.Scope{monitor.ScopeIngest}}}))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// A record that is no good and is sent again is one letter where its sender has a name
// for it or for its request, whether or not anything else of the request is stored.
func TestARejectionThatIsSentAgainIsKeptOnce(t *testing.T) {
	in, kept := withLedger(t)
	in.Limits.RecordBytes, in.Limits.BodyBytes, in.Limits.Depth = 4_000, 1<<20, 8
	deep := `{"mimikatz":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`
	log := func(body string) string {
		return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"fine"}},{"body":` + body + `}]}]}]}`
	}
	nested := `{"stringValue":"mimikatz"}`
	for range 20 {
		nested = `{"arrayValue":{"values":[` + nested + `]}}`
	}
	named := func(key string) []string { return []string{"Idempotency-Key", key} }
	json, elastic, splunk := &Handler{Intake: in}, &Elastic{Intake: in}, &Splunk{Intake: in}
	for _, c := range []struct {
		name    string
		handler http.Handler
		path    string
		body    string
		headers []string
		code    string
		letters int // of two requests
	}{
		{"a named request", json, "/api/ingest", "{\"a\":1}\n{mimikatz\n", named("k1"), CodeMalformed, 1},
		{"nothing of it is stored", json, "/api/ingest", "{mimikatz\n", named("k2"), CodeMalformed, 1},
		{"no name", json, "/api/ingest", "{mimikatz\n", nil, CodeMalformed, 2},
		{"a document with an id", elastic, ElasticPath + "/_bulk", "{\"create\":{\"_id\":\"1\"}}\n" + deep + "\n{\"create\":{\"_id\":\"2\"}}\n{\"a\":1}\n", nil, CodeTooDeep, 1},
		{"documents of a named request", elastic, ElasticPath + "/_bulk", "{\"create\":{}}\n{\"a\":1}\n{\"create\":{}}\n" + deep + "\n", named("k3"), CodeTooDeep, 1},
		{"documents without", elastic, ElasticPath + "/_bulk", "{\"create\":{}}\n" + deep + "\n", nil, CodeTooDeep, 2},
		{"too large, in pieces", json, "/api/ingest", "{\"mimikatz\":\"" + strings.Repeat("x", 5_000) + "\"}\n", named("k6"), CodeRecordTooLarge, 1},
		{"the collector", splunk, SplunkPath + "/services/collector/event", `{"event":"good"}{"event":` + deep + `}`, named("k4"), CodeTooDeep, 1},
		{"OpenTelemetry", &OTLP{Intake: in}, OTLPPath, log(nested), append([]string{"Content-Type", otlpJSON}, named("k5")...), CodeTooDeep, 1},
		{"EventBridge", &EventBridge{Intake: in}, "/api/aws/eventbridge", `{"id":"e1","detail-type":"x","source":"s","detail":` + deep + `}`, nil, CodeTooDeep, 1},
	} {
		kept.letters = nil
		for range 2 {
			sendWith(t, c.handler, c.path, c.body, c.headers...)
			in.Ledger.Flush(t.Context())
		}
		ids := map[monitor.ID]bool{}
		for _, l := range kept.letters {
			ids[l.ID] = true
			if l.Code != c.code || !strings.Contains(string(l.Raw), "mimikatz") || l.TokenName != "shipper" {
				t.Errorf("%s: %s %q of %q", c.name, l.Code, l.Raw, l.TokenName)
			}
		}
		if len(kept.letters) != 2 || len(ids) != c.letters {
			t.Errorf("%s: %d ids of %d letters, want %d", c.name, len(ids), len(kept.letters), c.letters)
		}
	}
}

func TestARejectedSNSMessageIsKeptOnce(t *testing.T) {
	a := newAmazon(t)
	h, _ := a.handler(t)
	_, kept := withLedger(t)
	h.Ledger = NewLedger(kept, slog.New(slog.DiscardHandler))
	m := notification(`{"mimikatz":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`)
	body := a.sign(t, m, a.serveCertificate("7", a.between.issue(t, "sns.amazonaws.com", false, nil), a.between))
	for range 2 {
		sendWith(t, h, "/api/aws/sns", body)
		h.Ledger.Flush(t.Context())
	}
	if len(kept.letters) != 2 || kept.letters[0].ID != kept.letters[1].ID || kept.letters[0].Code != CodeTooDeep || string(kept.letters[0].Raw) != m.Message {
		t.Errorf("%+v", kept.letters)
	}
}

// Of protobuf, too, what was no good is kept so that people can read it.
func TestWhatIsRejectedOfProtobufCanBeRead(t *testing.T) {
	in, kept := withLedger(t)
	in.Limits, in.MaxInFlight = DefaultLimits, 64<<20
	deep := anyText("mimikatz")
	for range 100 {
		deep = anyMap(attribute("k", "v"), &commonpb.KeyValue{Key: "in", Value: deep})
	}
	body := inProtobuf(t, exported(nil, &logspb.LogRecord{Body: deep}, &logspb.LogRecord{Body: anyText("fine")}, &logspb.LogRecord{Body: anyText(strings.Repeat("large", 1<<20))}))
	if status := sendWith(t, &OTLP{Intake: in}, OTLPPath, body, "Content-Type", otlpProtobuf); status != http.StatusOK {
		t.Fatal(status)
	}
	in.Ledger.Flush(t.Context())
	if len(kept.letters) != 2 {
		t.Fatalf("%d letters", len(kept.letters))
	}
	if l := kept.letters[0]; l.Code != CodeTooDeep || l.Cut || !strings.Contains(string(l.Raw), `"mimikatz"`) || l.Line != 1 {
		t.Errorf("%+v", l)
	}
	if l := kept.letters[1]; l.Code != CodeRecordTooLarge || !l.Cut || !strings.Contains(string(l.Raw), "largelarge") || l.Line != 3 {
		t.Errorf("%s %v %d", l.Code, l.Cut, l.Line)
	}
	replays, err := in.Replay(t.Context(), kept.letters, true)
	if err != nil || !replays[0].Stored || replays[1].Stored {
		t.Errorf("as texts: %+v %+v %v", replays[0], replays[1], err)
	}
}

// Syslog is a source as others are, and what a mapping lacks of its lines is kept.
func TestSyslogIsASourceWithLetters(t *testing.T) {
	_, kept := withLedger(t)
	store := &messageStore{}
	requires := func(path string) []*monitor.Mapping {
		peer := "127.0.0.1"
		return []*monitor.Mapping{{Name: "box", Enabled: true, MappingRules: monitor.MappingRules{
			Tests:  []monitor.MappingTest{{Path: peerKey, Equals: &peer}},
			Fields: []monitor.MappingField{{Target: monitor.TargetHost, Path: path, Required: true}},
		}}}
	}
	s, address := startSyslog(t, store, func(s *Syslog) {
		s.Ledger = NewLedger(kept, slog.New(slog.DiscardHandler))
		s.Normaliser.SetMappings(requires("wrong"))
	})
	say(t, dialSyslog(t, address), "<34>1 2026-05-04T09:30:00Z web-1 app - - - fine\nmimikatz ran\n")
	soon(t, "the line", func() bool { return len(store.all()) == 1 })
	soon(t, "the letter", func() bool { s.Ledger.Flush(t.Context()); return len(kept.letters) == 1 })
	l := kept.letters[0]
	if l.Code != CodeMappingFailed || l.Protocol != protocolSyslog || !strings.Contains(string(l.Raw), "mimikatz ran") {
		t.Errorf("%+v", l)
	}
	counted := monitor.SourceCount{}
	for key, c := range kept.counts {
		if key.Protocol != protocolSyslog {
			t.Errorf("a source %+v", key)
		}
		counted.Records, counted.Rejected = counted.Records+c.Records, counted.Rejected+c.Rejected
	}
	if counted.Records != 1 || counted.Rejected != 1 {
		t.Errorf("counted %s", fmt.Sprint(kept.counts))
	}
	s.Normaliser.SetMappings(requires(peerKey))
	if replays, err := s.Replay(t.Context(), kept.letters, false); err != nil || !replays[0].Stored || replays[0].Result != "stored as map:box" {
		t.Errorf("%+v %v", replays[0], err)
	}
}
