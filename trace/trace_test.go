package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/security-monitor/secmon/trace/tracetest"
)

var discard = slog.New(slog.DiscardHandler)

const (
	theirTrace = "0af7651916cd43dd8448eb211c80319c"
	theirSpan  = "b7ad6b7169203331"
)

func theirs(flags string) http.Header {
	return http.Header{"Traceparent": {"00-" + theirTrace + "-" + theirSpan + "-" + flags}}
}

func opened(t *testing.T, ratio float64) (*Tracer, *tracetest.Receiver) {
	t.Helper()
	to := tracetest.New(t)
	tracer, err := Open(t.Context(), Options{Endpoint: to.URL, Ratio: ratio, Version: "1", Replica: "r", Log: discard})
	if err != nil {
		t.Fatal(err)
	}
	return tracer, to
}

func TestSpansArriveInTheTraceOfTheCaller(t *testing.T) {
	tracer, to := opened(t, 0)
	ctx, request := tracer.Request(t.Context(), "HTTP graphql", theirs("01"))
	inner, span := Start(ctx, "work")
	span.Text("key", "value")
	span.Fail("TIMEOUT")
	span.End()
	_, joined := Join(context.Background(), []context.Context{context.Background(), inner, ctx}, "joint work")
	joined.End()
	request.End()
	if err := tracer.Close(); err != nil {
		t.Fatal(err)
	}
	spans := map[string]tracetest.Span{}
	for _, s := range to.Spans() {
		spans[s.Name] = s
		if s.Trace != theirTrace {
			t.Errorf("%s is in the trace %s, not in the caller's", s.Name, s.Trace)
		}
		if s.Resource["service.name"] != "secmon" || s.Resource["service.version"] != "1" || s.Resource["service.instance.id"] != "r" {
			t.Errorf("the resource is %v", s.Resource)
		}
	}
	if len(spans) != 3 {
		t.Fatalf("%d spans arrived, want 3", len(spans))
	}
	outer, work, joint := spans["HTTP graphql"], spans["work"], spans["joint work"]
	if outer.Parent != theirSpan || work.Parent != outer.ID || joint.Parent != work.ID {
		t.Errorf("the parents are %s, %s, %s", outer.Parent, work.Parent, joint.Parent)
	}
	if len(joint.Links) != 1 || joint.Links[0] != outer.ID {
		t.Errorf("the links are %v, want the second of those traced", joint.Links)
	}
	if work.Attributes["key"] != "value" || work.Failed != "TIMEOUT" {
		t.Errorf("the span is %+v", work)
	}
}

func TestSampling(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		ratio        float64
		header       http.Header
		want         int
	}{
		{"none of ours", "the ratio is 0", 0, http.Header{}, 0},
		{"all of ours", "the ratio is 1", 1, http.Header{}, 1},
		{"the caller keeps it", "whoever began the trace decides", 0, theirs("01"), 1},
		{"the caller does not keep it", "whoever began the trace decides", 1, theirs("00"), 0},
		{"nonsense", "what is no traceparent is not there", 1, http.Header{"Traceparent": {"00-zz-1-01"}}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracer, to := opened(t, c.ratio)
			_, span := tracer.Request(t.Context(), "x", c.header)
			span.End()
			_ = tracer.Close()
			if n := len(to.Spans()); n != c.want {
				t.Errorf("%d spans, want %d: %s", n, c.want, c.reason)
			}
		})
	}
}

func TestWhatTurnsItOn(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		end  string
		on   bool
		bad  bool
	}{
		{name: "nothing"},
		{name: "the flag", end: "http://127.0.0.1:1", on: true},
		{name: "the standard variable", env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, on: true},
		{name: "that of traces", env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, on: true},
		{name: "switched off", end: "http://127.0.0.1:1", env: map[string]string{"OTEL_SDK_DISABLED": "true"}},
		{name: "no exporter", end: "http://127.0.0.1:1", env: map[string]string{"OTEL_TRACES_EXPORTER": "none"}},
		{name: "no address", end: "collector:4318", bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			tracer, err := Open(t.Context(), Options{Endpoint: c.end, Log: discard})
			if (err != nil) != c.bad || (tracer != nil) != c.on {
				t.Errorf("tracer %v, error %v", tracer != nil, err)
			}
			_ = tracer.Close()
		})
	}
}

// A receiver that hangs holds nobody up, and the memory that waits for it is bounded.
func TestNobodyWaitsForTheReceiver(t *testing.T) {
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hangs.Close()
	defer close(release)
	tracer, err := Open(t.Context(), Options{Endpoint: hangs.URL, Ratio: 1, Log: discard})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for range 50_000 { // far more than the queue holds
		_, span := tracer.Begin(t.Context(), "x")
		span.End()
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("50,000 spans took %s", took)
	}
}

func TestLogLinesNameTheirTrace(t *testing.T) {
	var out bytes.Buffer
	lg := slog.New(Correlate(slog.NewJSONHandler(&out, nil))).With("a", 1)
	tracer, _ := opened(t, 0)
	ctx, span := tracer.Request(t.Context(), "x", theirs("01"))
	lg.InfoContext(ctx, "inside")
	span.End()
	lg.Info("outside")
	_ = tracer.Close()
	d := json.NewDecoder(&out)
	var inside, outside map[string]any
	if d.Decode(&inside) != nil || d.Decode(&outside) != nil {
		t.Fatal("not two lines of JSON")
	}
	if inside["trace_id"] != theirTrace || inside["span_id"] == nil || inside["a"] != 1.0 || ID(ctx) != theirTrace {
		t.Errorf("inside: %v", inside)
	}
	if outside["trace_id"] != nil {
		t.Errorf("outside: %v", outside)
	}
}

// off is what a piece of work does that is not traced.
func off(ctx context.Context) {
	ctx, span := Start(ctx, "work")
	span.Text("key", "value")
	span.Count("n", 1)
	_ = span.Within(ctx)
	_ = Only(ctx)
	span.Fail("x")
	span.End()
}

// Whoever does not trace pays nothing.
func TestOffAllocatesNothing(t *testing.T) {
	var tracer *Tracer
	ctx, header := t.Context(), http.Header{}
	if n := testing.AllocsPerRun(1_000, func() {
		in, span := tracer.Request(ctx, "HTTP", header)
		off(in)
		span.End()
	}); n != 0 {
		t.Errorf("%g allocations, want none", n)
	}
}

func BenchmarkOff(b *testing.B) {
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		off(ctx)
	}
}

func BenchmarkOn(b *testing.B) {
	to := tracetest.New(b)
	tracer, err := Open(b.Context(), Options{Endpoint: to.URL, Ratio: 1, Log: discard})
	if err != nil {
		b.Fatal(err)
	}
	ctx, span := tracer.Begin(b.Context(), "all")
	defer span.End()
	b.ReportAllocs()
	for b.Loop() {
		off(ctx)
	}
}
