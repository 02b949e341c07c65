package shippers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
)

// named gives each request the name of its content, so that one that is sent again is
// stored once. It is what docs/ingest.md tells programs to do.
type named struct{ next http.RoundTripper }

func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	r = r.Clone(r.Context())
	r.Header.Set("Idempotency-Key", hex.EncodeToString(sum[:]))
	r.Body = io.NopCloser(bytes.NewReader(body))
	return n.next.RoundTrip(r)
}

// ingress is what stands before the program: it answers 502 while that is away, and
// loses every fourth answer of 200.
type ingress struct {
	*httptest.Server

	mu       sync.Mutex
	statuses map[int]int // that the program, or the ingress in its place, has answered
	lost     int
}

func newIngress(t *testing.T, p *program) *ingress {
	t.Helper()
	to, err := url.Parse(p.base)
	if err != nil {
		t.Fatal(err)
	}
	in := &ingress{statuses: map[int]int{}}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) {
		in.mu.Lock()
		in.statuses[http.StatusBadGateway]++
		in.mu.Unlock()
		w.WriteHeader(http.StatusBadGateway)
	}
	proxy.ModifyResponse = func(r *http.Response) error {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.statuses[r.StatusCode]++
		if r.StatusCode == http.StatusOK && in.statuses[r.StatusCode]%4 == 0 {
			in.lost++
			r.StatusCode = http.StatusGatewayTimeout
		}
		return nil
	}
	in.Server = httptest.NewServer(proxy)
	t.Cleanup(in.Close)
	return in
}

// remembering keeps what an exporter says of its batches, which a processor only logs.
type remembering struct {
	sdklog.Exporter
	mu   sync.Mutex
	said []error
}

func (e *remembering) Export(ctx context.Context, records []sdklog.Record) error {
	err := e.Exporter.Export(ctx, records)
	if err != nil {
		e.mu.Lock()
		e.said = append(e.said, err)
		e.mu.Unlock()
	}
	return err
}

func (e *remembering) errors() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return errors.Join(e.said...)
}

// provider sets the SDK up as docs/ingest.md says, but for times of retries that fit a
// test.
func provider(t *testing.T, base, token string, more ...otlploghttp.Option) (*sdklog.LoggerProvider, *remembering) {
	t.Helper()
	options := append([]otlploghttp.Option{
		otlploghttp.WithEndpointURL(base + "/api/otlp/v1/logs"), otlploghttp.WithHeaders(map[string]string{"Authorization": "Bearer " + token}),
		otlploghttp.WithCompression(otlploghttp.GzipCompression),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: true, InitialInterval: 20 * time.Millisecond, MaxInterval: 200 * time.Millisecond, MaxElapsedTime: time.Hour}),
		otlploghttp.WithHTTPClient(&http.Client{Timeout: 40 * time.Second, Transport: named{http.DefaultTransport}}),
	}, more...)
	inner, err := otlploghttp.New(t.Context(), options...)
	if err != nil {
		t.Fatal(err)
	}
	exporter := &remembering{Exporter: inner}
	made := sdklog.NewLoggerProvider(
		sdklog.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"), attribute.String("host.name", "web-1"))),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter, sdklog.WithExportTimeout(time.Hour), sdklog.WithMaxQueueSize(10_000), sdklog.WithExportMaxBatchSize(256))),
	)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = made.Shutdown(ctx)
	})
	return made, exporter
}

func emit(t *testing.T, to *sdklog.LoggerProvider, body attribute.Value, attributes ...attribute.KeyValue) {
	t.Helper()
	var r log.Record
	r.SetTimestamp(time.Now())
	r.SetSeverity(log.SeverityWarn)
	r.SetBody(body)
	r.AddAttributes(attributes...)
	to.Logger("test").Emit(t.Context(), r)
}

// Programs with OpenTelemetry's own exporter, against a server that holds a megabyte,
// is replaced in the middle, and whose answers are lost: each log is there once.
func TestOpenTelemetrysOwnExporter(t *testing.T) {
	p := start(t, "--max-in-flight-mb", "1")
	in := newIngress(t, p)
	const programs, each = 6, 1_000
	var all sync.WaitGroup
	half := make(chan struct{}, programs)
	for n := range programs {
		logs, exporter := provider(t, in.URL, p.token)
		all.Go(func() {
			for i := range each {
				if i == each/2 {
					half <- struct{}{}
				}
				emit(t, logs, attribute.StringValue("card refused "+strings.Repeat("x", 1_000)), attribute.String("n", fmt.Sprintf("%d.%d", n, i)), attribute.String("user.name", "ana"))
				if i%50 == 0 {
					time.Sleep(20 * time.Millisecond) // so that it is replaced in the middle
				}
			}
			if err := errors.Join(logs.ForceFlush(t.Context()), exporter.errors()); err != nil {
				t.Errorf("program %d: %v", n, err)
			}
		})
	}
	for range programs {
		<-half
	}
	p.stop()
	time.Sleep(200 * time.Millisecond) // of absence
	p.run(t)
	all.Wait()
	found := p.stored(t)
	t.Logf("%d stored; answers %v, of which %d were lost", len(found), in.statuses, in.lost)
	if len(found) != programs*each {
		t.Errorf("want %d", programs*each)
	}
	for n, times := range found {
		if times != 1 {
			t.Errorf("log %s is there %d times", n, times)
		}
	}
	if in.statuses[http.StatusTooManyRequests] == 0 || in.statuses[http.StatusBadGateway] == 0 || in.lost == 0 {
		t.Error("the server was never saturated, away, or unheard: the test says little")
	}
	var one struct {
		Data struct {
			Events struct {
				Nodes []struct {
					Host, User, Severity, Message string
					LogSource                     struct{ Service string }
				}
			}
		}
	}
	p.ask(t, p.login(t), `{ events(first: 1, orderBy: RECEIVED_AT_DESC, filter: {query: "host:web-1"}) { nodes { host user severity message logSource { service } } } }`, nil, &one)
	if e := one.Data.Events.Nodes; len(e) != 1 || e[0].User != "ana" || e[0].LogSource.Service != "shop" || !strings.HasPrefix(e[0].Message, "card refused") {
		t.Errorf("an event: %+v", e)
	}
}

// What is no good is left out, the exporter says so and does not send it again, and the
// program keeps what came of it.
func TestOpenTelemetrysOwnExporterHearsOfPartialSuccess(t *testing.T) {
	p := start(t)
	in := newIngress(t, p)
	logs, exporter := provider(t, in.URL, p.token)
	deep := attribute.StringValue("mimikatz")
	for range 70 {
		deep = attribute.MapValue(attribute.KeyValue{Key: "in", Value: deep})
	}
	emit(t, logs, attribute.StringValue("good"), attribute.String("n", "1"))
	emit(t, logs, deep)
	emit(t, logs, attribute.StringValue("large "+strings.Repeat("x", 2<<20)))
	emit(t, logs, attribute.MapValue(attribute.String("n", "2"), attribute.Map("event", attribute.String("action", "login"))))
	_ = logs.ForceFlush(t.Context()) // says nothing of what the exporter heard
	said := exporter.errors()
	if said == nil || !strings.Contains(said.Error(), "2 logs rejected") && !strings.Contains(said.Error(), "2 log records rejected") || !strings.Contains(said.Error(), "log record 2: ") {
		t.Errorf("the exporter says %v", said)
	}
	if found := p.stored(t); len(found) != 2 || found["1"] != 1 || found["2"] != 1 {
		t.Errorf("stored: %v", found)
	}
	stranger, refused := provider(t, in.URL, "no token")
	emit(t, stranger, attribute.StringValue("x"))
	_ = stranger.ForceFlush(t.Context()) // says nothing of what the exporter heard
	if err := refused.errors(); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without a token: %v", err)
	}
}
