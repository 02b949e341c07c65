package ingest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	codepb "google.golang.org/genproto/googleapis/rpc/code"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/security-monitor/secmon/monitor"
)

func anyText(s string) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: s}}
}

func anyMap(all ...*commonpb.KeyValue) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_KvlistValue{KvlistValue: &commonpb.KeyValueList{Values: all}}}
}

func attribute(name, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: name, Value: anyText(value)}
}

// exported is a request with log records of one resource.
func exported(resource []*commonpb.KeyValue, logs ...*logspb.LogRecord) *collectorpb.ExportLogsServiceRequest {
	return &collectorpb.ExportLogsServiceRequest{ResourceLogs: []*logspb.ResourceLogs{{
		Resource:  &resourcepb.Resource{Attributes: resource},
		ScopeLogs: []*logspb.ScopeLogs{{Scope: &commonpb.InstrumentationScope{Name: "scope", Version: "1"}, LogRecords: logs}},
	}}}
}

func inProtobuf(t testing.TB, m proto.Message) string {
	t.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// recordsOf gives what a request's log records become, and how many are no good.
func recordsOf(t *testing.T, in *Intake, body, encoding string) (records []string, problem otlpProblem, err error) {
	t.Helper()
	h := &OTLP{in}
	c := in.begin(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, OTLPPath, nil), protocolOTLP)
	defer c.release()
	err = h.take(c, strings.NewReader(body), encoding, &problem)
	for _, e := range c.batch.Events {
		records = append(records, string(e.Raw))
	}
	return records, problem, err
}

func TestOTLPRecords(t *testing.T) {
	at := uint64(time.Date(2026, 5, 4, 9, 30, 0, 5, time.UTC).UnixNano())
	trace, span := []byte("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c"), []byte("\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74")
	host := []*commonpb.KeyValue{attribute("host.name", "web-1"), attribute("service.name", "shop")}
	for name, c := range map[string]struct {
		log  *logspb.LogRecord
		want string
	}{
		"a text with attributes": {
			&logspb.LogRecord{TimeUnixNano: at, SeverityNumber: 13, SeverityText: "Warning", Body: anyText("login \"failed\""), TraceId: trace, SpanId: span, EventName: "login", Attributes: []*commonpb.KeyValue{attribute("user.name", "ana")}},
			`{"message":"login \"failed\"","user.name":"ana","host.name":"web-1","service.name":"shop","log.level":"warning","trace.id":"5b8efff798038103d269b633813fc60c","span.id":"eee19b7ec3c1b174","event.name":"login","@timestamp":"2026-05-04T09:30:00.000000005Z","otel":{"time":"2026-05-04T09:30:00.000000005Z","severity_number":13,"severity_text":"Warning","scope":"scope","scope_version":"1"}}`,
		},
		"a map is the record, its names count": {
			&logspb.LogRecord{ObservedTimeUnixNano: at, SeverityNumber: 9, Body: anyMap(
				&commonpb.KeyValue{Key: "host", Value: anyMap(attribute("name", "inner"))}, &commonpb.KeyValue{Key: "n", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: 1 << 60}}},
			)},
			`{"host":{"name":"inner"},"n":1152921504606846976,"service.name":"shop","log.level":"info","otel":{"time":"2026-05-04T09:30:00.000000005Z","severity_number":9,"scope":"scope","scope_version":"1","resource":{"host.name":"web-1"}}}`,
		},
		"a text of an object is the record": {
			&logspb.LogRecord{Body: anyText(` {"trace.id":"own"} `), TraceId: trace},
			`{"trace.id":"own","host.name":"web-1","service.name":"shop","otel":{"trace.id":"5b8efff798038103d269b633813fc60c","scope":"scope","scope_version":"1"}}`,
		},
		"an empty object": {
			&logspb.LogRecord{Body: anyText("{}"), Attributes: []*commonpb.KeyValue{attribute("host.name", "nearer"), attribute("host.name", "again")}},
			`{"host.name":"nearer","service.name":"shop","otel":{"scope":"scope","scope_version":"1","attributes":{"host.name":"again"},"resource":{"host.name":"web-1"}}}`,
		},
		"no body, a zero id": {&logspb.LogRecord{TraceId: make([]byte, 16)}, `{"host.name":"web-1","service.name":"shop","otel":{"scope":"scope","scope_version":"1"}}`},
		"other kinds": {
			&logspb.LogRecord{Body: &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{Values: []*commonpb.AnyValue{
				{Value: &commonpb.AnyValue_BoolValue{BoolValue: true}}, {Value: &commonpb.AnyValue_DoubleValue{DoubleValue: 1.5}}, {Value: &commonpb.AnyValue_BytesValue{BytesValue: []byte{0, 255}}}, {},
			}}}}},
			`{"message":"[true,1.5,\"AP8=\",null]","host.name":"web-1","service.name":"shop","otel":{"scope":"scope","scope_version":"1"}}`,
		},
	} {
		in, _ := testIntake(t)
		in.Limits = DefaultLimits
		request := exported(host, c.log)
		got, problem, err := recordsOf(t, in, inProtobuf(t, request), otlpProtobuf)
		if err != nil || problem.rejected > 0 || len(got) != 1 {
			t.Fatalf("%s: %v %+v", name, err, problem)
		}
		if d := cmp.Diff(c.want, got[0]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		text, err := protojson.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		// protobuf's JSON has ids in base64, OTLP's in hexadecimal.
		body := strings.NewReplacer(`"W47/95gDgQPSabYzgT/GDA=="`, `"5b8efff798038103d269b633813fc60c"`, `"7uGbfsPBsXQ="`, `"EEE19B7EC3C1B174"`, `"AAAAAAAAAAAAAAAAAAAAAA=="`, `"00000000000000000000000000000000"`).Replace(string(text))
		inJSON, problem, err := recordsOf(t, in, body, otlpJSON)
		if err != nil || problem.rejected > 0 || len(inJSON) != 1 || inJSON[0] != got[0] {
			t.Errorf("%s: in JSON it is %v, %v %+v", name, inJSON, err, problem)
		}
	}
}

// The envelope and Sigma's names of what OpenTelemetry's conventions name.
func TestOTLPIsNormalised(t *testing.T) {
	in, _ := testIntake(t)
	in.Limits = DefaultLimits
	number := func(name string, n int64) *commonpb.KeyValue {
		return &commonpb.KeyValue{Key: name, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: n}}}
	}
	host := []*commonpb.KeyValue{attribute("host.name", "WEB-1"), attribute("service.name", "shop"), attribute("os.type", "linux")}
	for name, c := range map[string]struct {
		log    *logspb.LogRecord
		format string
		want   map[string]string // of fields
		event  string
	}{
		"attributes": {
			&logspb.LogRecord{Body: anyText("exec"), SeverityNumber: 17, Attributes: []*commonpb.KeyValue{
				attribute("process.executable.path", "/usr/bin/nc"), attribute("process.command_line", "nc -l 1"), attribute("process.owner", "ana"),
				attribute("source.address", "203.0.113.7"), number("source.port", 4444), attribute("destination.address", "192.0.2.1"), number("process.pid", 7),
			}},
			"generic",
			map[string]string{"Image": "/usr/bin/nc", "CommandLine": "nc -l 1", "User": "ana", "SourceIp": "203.0.113.7", "SourcePort": "4444", "ProcessId": "7"},
			"web-1 ana /usr/bin/nc|nc -l 1 203.0.113.7:4444 192.0.2.1 linux/shop MEDIUM exec",
		},
		"a line of syslog": {
			&logspb.LogRecord{Body: anyText("<38>May  4 09:30:00 db-1 sshd[812]: Failed password for root from 203.0.113.7 port 4711 ssh2")},
			"syslog",
			map[string]string{"User": "root", "SourceIp": "203.0.113.7"},
			"db-1 root sshd| 203.0.113.7:4711 invalid IP linux/sshd LOW Failed password for root from 203.0.113.7 port 4711 ssh2",
		},
		"a map of the journal": {
			&logspb.LogRecord{Body: anyMap(attribute("MESSAGE", "ana : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id"), attribute("SYSLOG_IDENTIFIER", "sudo"), attribute("_PID", "9"), attribute("PRIORITY", "5"), attribute("_HOSTNAME", "db-2"))},
			"journald",
			map[string]string{"CommandLine": "/bin/id"},
			"",
		},
	} {
		records, problem, err := recordsOf(t, in, inProtobuf(t, exported(host, c.log)), otlpProtobuf)
		if err != nil || problem.rejected > 0 {
			t.Fatalf("%s: %v %+v", name, err, problem)
		}
		var ev monitor.Event
		var rec monitor.Record
		if err := in.Normaliser.Normalise([]byte(records[0]), received, &ev, &rec); err != nil {
			t.Fatal(err)
		}
		if ev.Format != c.format {
			t.Errorf("%s is read as %s", name, ev.Format)
		}
		for field, want := range c.want {
			if got := rec.Text(field); got != want {
				t.Errorf("%s: %s is %q, want %q", name, field, got, want)
			}
		}
		src := ev.SrcIP.String()
		if ev.SrcPort > 0 {
			src += fmt.Sprint(":", ev.SrcPort)
		}
		if got := fmt.Sprintf("%s %s %s|%s %s %s %s/%s %s %s", ev.Host, ev.User, ev.Process, ev.Command, src, ev.DstIP, ev.LogSource.Product, ev.LogSource.Service, ev.Severity, ev.Message); c.event != "" && got != c.event {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.event)
		}
	}
}

// Every bad body gets the protocol's answer in its own encoding, and what is good is
// stored.
func TestOTLPAnswers(t *testing.T) {
	good := &logspb.LogRecord{Body: anyText("good")}
	deep := anyText("x")
	for range 20 {
		deep = anyMap(&commonpb.KeyValue{Key: "a", Value: deep})
	}
	broken := func(logs ...string) string { // a request of records that need not be any
		scope := ""
		for _, l := range logs {
			scope += "\x12" + string([]byte{byte(len(l))}) + l
		}
		logsOf := "\x12" + string([]byte{byte(len(scope))}) + scope
		return "\x0a" + string([]byte{byte(len(logsOf))}) + logsOf
	}
	goodRaw := inProtobuf(t, good)
	many := exported(nil)
	for range 21 {
		many.ResourceLogs[0].ScopeLogs[0].LogRecords = append(many.ResourceLogs[0].ScopeLogs[0].LogRecords, good)
	}
	for name, c := range map[string]struct {
		body     string
		headers  []string
		status   int
		code     codepb.Code
		stored   int
		rejected int64
	}{
		"a good one":                  {inProtobuf(t, exported(nil, good)), nil, 200, 0, 1, 0},
		"nothing":                     {"", nil, 200, 0, 0, 0},
		"an empty object":             {"{}", []string{"Content-Type", "application/json; charset=utf-8"}, 200, 0, 0, 0},
		"unknown keys":                {`{"x":1,"resourceLogs":[{"y":[],"scopeLogs":[{"logRecords":[{"z":{},"body":{"stringValue":"a"}}]}]}]}`, []string{"Content-Type", "application/json"}, 200, 0, 1, 0},
		"one without end among good":  {broken(goodRaw, "\x2a\x7f", goodRaw), nil, 200, 0, 2, 1},
		"all without end":             {broken("\x2a\x7f"), nil, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"no UTF-8":                    {broken(goodRaw, "\x2a\x03\x0a\x01\xff"), nil, 200, 0, 1, 1},
		"a deep one":                  {inProtobuf(t, exported(nil, &logspb.LogRecord{Body: deep}, good)), nil, 200, 0, 1, 1},
		"a long one":                  {inProtobuf(t, exported(nil, &logspb.LogRecord{Body: anyText(strings.Repeat("x", 200))}, good)), nil, 200, 0, 1, 1},
		"a long resource":             {inProtobuf(t, exported([]*commonpb.KeyValue{attribute("a", strings.Repeat("x", 200))}, good)), nil, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"too many":                    {inProtobuf(t, many), nil, 413, codepb.Code_RESOURCE_EXHAUSTED, 0, 0},
		"too large":                   {strings.Repeat("\x0a\x00", 2_001), nil, 413, codepb.Code_RESOURCE_EXHAUSTED, 0, 0},
		"cut off":                     {inProtobuf(t, exported(nil, good))[:5], nil, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"no protobuf":                 {"hello", nil, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"no JSON":                     {`{"resourceLogs":`, []string{"Content-Type", "application/json"}, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"JSON of another shape":       {`{"resourceLogs":7}`, []string{"Content-Type", "application/json"}, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"JSON that is no UTF-8":       {"{\"resourceLogs\":[],\"a\":\"\xff\"}", []string{"Content-Type", "application/json"}, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"an id that is no hex":        {`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"zz=="},{}]}]}]}`, []string{"Content-Type", "application/json"}, 200, 0, 1, 1},
		"another content":             {"x=1", []string{"Content-Type", "text/plain"}, 415, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"damaged gzip":                {"x", []string{"Content-Encoding", "gzip"}, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"an encoding nobody knows":    {"x", []string{"Content-Encoding", "br"}, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"a field that is a group":     {"\x0b\x0b\x0b", nil, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"a resource that is no good":  {"\x0a\x04\x0a\x02\x0a\x7f", nil, 400, codepb.Code_INVALID_ARGUMENT, 0, 0},
		"a resource behind its scope": {"\x0a\x08\x12\x04\x12\x02\x2a\x00\x0a\x00", nil, 200, 0, 1, 0},
	} {
		in, store := testIntake(t)
		answer := serve(&OTLP{in}, http.MethodPost, OTLPPath, c.body, append([]string{"Content-Type", otlpProtobuf}, c.headers...)...)
		var status statuspb.Status
		var response collectorpb.ExportLogsServiceResponse
		into := proto.Message(&response)
		if c.status != http.StatusOK {
			into = &status
		}
		decode := proto.Unmarshal
		if answer.Header().Get("Content-Type") == otlpJSON {
			decode = protojson.Unmarshal
		}
		if err := decode(answer.Body.Bytes(), into); err != nil {
			t.Errorf("%s: %v: %q", name, err, answer.Body.String())
		}
		said := response.GetPartialSuccess()
		if answer.Code != c.status || codepb.Code(status.GetCode()) != c.code || store.events != c.stored || said.GetRejectedLogRecords() != c.rejected || (said.GetErrorMessage() != "") != (c.rejected > 0) {
			t.Errorf("%s: %d %v %v, %d stored; want %d, code %v, %d stored, %d rejected", name, answer.Code, &status, said, store.events, c.status, c.code, c.stored, c.rejected)
		}
		if in.InFlight() != 0 {
			t.Errorf("%s: %d bytes are held still", name, in.InFlight())
		}
	}
}

// What is wrong with a request is said in the words of JSON, not of Go.
func TestOTLPSaysWhatIsNoRequest(t *testing.T) {
	for body, want := range map[string]string{
		`[]`:                    "it has the type array at byte 1, and should be an object",
		`{"resourceLogs": "x"}`: "resourceLogs has the type string at byte 20, and should be an array",
		`{"resourceLogs": [{"scopeLogs": {"a":1}}]}`: "resourceLogs.scopeLogs has the type object at byte 33, and should be an array",
		`{"resourceLogs": [{"scopeLogs": [7.5]}]}`:   "resourceLogs.scopeLogs has the type number at byte 36, and should be an object",
		`{"resourceLogs": [`:                         "unexpected end of JSON input",
	} {
		in, _ := testIntake(t)
		in.Limits = DefaultLimits
		_, _, err := recordsOf(t, in, body, otlpJSON)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Go ") || strings.Contains(err.Error(), "ingest.") {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

// A server with no room says so, to be asked again, and a compressed body counts as
// what it becomes.
func TestOTLPIsSentAgainWhenThereIsNoRoom(t *testing.T) {
	in, store := testIntake(t)
	in.Limits, in.MaxInFlight = DefaultLimits, 64<<10
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write([]byte(inProtobuf(t, exported(nil, &logspb.LogRecord{Body: anyText(strings.Repeat("x", 100<<10))})))); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	send := func() *httptest.ResponseRecorder {
		return serve(&OTLP{in}, http.MethodPost, OTLPPath, packed.String(), "Content-Type", otlpProtobuf, "Content-Encoding", "gzip")
	}
	if answer := send(); answer.Code != http.StatusRequestEntityTooLarge || store.events != 0 || in.InFlight() != 0 {
		t.Errorf("it can never fit: %d %v, %d stored, %d bytes held", answer.Code, answer.Header(), store.events, in.InFlight())
	}
	in.MaxInFlight = 1 << 20
	in.inFlight.Store(in.MaxInFlight - 64<<10)
	if answer := send(); answer.Code != http.StatusTooManyRequests || answer.Header().Get("Retry-After") == "" || store.events != 0 || in.InFlight() != in.MaxInFlight-64<<10 {
		t.Errorf("%d %v, %d stored, %d bytes held", answer.Code, answer.Header(), store.events, in.InFlight())
	}
	if answer := serve(&OTLP{in}, http.MethodGet, OTLPPath, "", "Content-Type", otlpProtobuf); answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") != http.MethodPost {
		t.Errorf("GET: %d", answer.Code)
	}
}

// Whatever comes gets an answer in the protocol's form, and what is stored is what the
// answer says.
func FuzzOTLP(f *testing.F) {
	good := exported([]*commonpb.KeyValue{attribute("host.name", "a")}, &logspb.LogRecord{Body: anyText("x"), TimeUnixNano: 1, SeverityNumber: 9}, &logspb.LogRecord{Body: anyMap(attribute("a", "b"))})
	f.Add(inProtobuf(f, good), false)
	text, err := protojson.Marshal(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text), true)
	f.Add(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"zz==","body":{"doubleValue":"NaN"}},{"body":{"stringValue":"{\"a\":1}"}}]}]}]}`, true)
	f.Add("\x0a\x08\x12\x04\x12\x02\x2a\x00\x0a\x00", false)
	f.Fuzz(func(t *testing.T, body string, asJSON bool) {
		in, store := testIntake(t)
		encoding := otlpProtobuf
		if asJSON {
			encoding = otlpJSON
		}
		answer := serve(&OTLP{in}, http.MethodPost, OTLPPath, body, "Content-Type", encoding)
		var response collectorpb.ExportLogsServiceResponse
		into := proto.Message(&response)
		if answer.Code != http.StatusOK {
			into = &statuspb.Status{}
		}
		decode := proto.Unmarshal
		if asJSON {
			decode = protojson.Unmarshal
		}
		if err := decode(answer.Body.Bytes(), into); err != nil {
			t.Fatalf("%d %q: %v", answer.Code, answer.Body.String(), err)
		}
		switch {
		case answer.Code != http.StatusOK && store.events > 0:
			t.Errorf("%d, and %d are stored", answer.Code, store.events)
		case answer.Code != http.StatusOK && answer.Code != http.StatusBadRequest && answer.Code != http.StatusRequestEntityTooLarge && answer.Code != http.StatusTooManyRequests:
			t.Errorf("answered %d", answer.Code)
		case in.InFlight() != 0:
			t.Errorf("%d bytes are held still", in.InFlight())
		}
	})
}
