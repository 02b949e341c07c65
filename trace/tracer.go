// Package trace makes OpenTelemetry traces of what the program does: of a request
// over the GraphQL operation and its transactions to the message on Redis, and of
// the stages of ingest. It owns the exporter and the form of spans; where they
// begin and end is decided where the work is done.
//
// Whether something is traced stands in the context alone. Where it does not,
// Start and all methods of Span do nothing and allocate nothing.
package trace

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options say where traces go.
type Options struct {
	// Endpoint is the base address of an OTLP/HTTP receiver, such as
	// http://collector:4318; /v1/traces is added. Without it the standard variables
	// OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT count.
	Endpoint string
	// Ratio is the share of traces that begin here and are kept, 0 to 1. Traces that
	// began elsewhere are kept where they were kept there. OTEL_TRACES_SAMPLER, where
	// it is set, decides instead.
	Ratio   float64
	Version string
	Replica string
	Log     *slog.Logger
}

// Tracer begins traces. A nil Tracer begins none. It is safe for concurrent use.
//
// Spans wait in a queue of 2,048 (OTEL_BSP_MAX_QUEUE_SIZE) and go in batches; what
// does not fit is dropped: nobody waits for the receiver.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

const scope = "github.com/security-monitor/secmon"

// flushTime is how long Close waits for the receiver.
const flushTime = 5 * time.Second

// Open prepares to send traces; nil where nothing says where to. The receiver
// may be away.
func Open(ctx context.Context, o Options) (*Tracer, error) {
	if !configured(o.Endpoint) {
		return nil, nil //nolint:nilnil // a nil Tracer is one that is off
	}
	if o.Ratio < 0 || o.Ratio > 1 {
		return nil, fmt.Errorf("otel-sample is %g, it has to be from 0 to 1", o.Ratio)
	}
	var to []otlptracehttp.Option
	if o.Endpoint != "" {
		if !strings.HasPrefix(o.Endpoint, "http://") && !strings.HasPrefix(o.Endpoint, "https://") {
			return nil, fmt.Errorf("otel-endpoint: %q is no address of http or https", o.Endpoint)
		}
		to = append(to, otlptracehttp.WithEndpointURL(strings.TrimRight(o.Endpoint, "/")+"/v1/traces"))
	}
	exporter, err := otlptracehttp.New(ctx, to...)
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	// What stands in OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES comes later and wins.
	about, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "secmon"), attribute.String("service.version", o.Version), attribute.String("service.instance.id", o.Replica),
	), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	options := []sdk.TracerProviderOption{sdk.WithBatcher(exporter), sdk.WithResource(about)}
	if os.Getenv("OTEL_TRACES_SAMPLER") == "" {
		options = append(options, sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(o.Ratio))))
	}
	otel.SetErrorHandler(&complaints{lg: o.Log})
	provider := sdk.NewTracerProvider(options...)
	return &Tracer{provider: provider, tracer: provider.Tracer(scope, trace.WithInstrumentationVersion(o.Version))}, nil
}

func configured(endpoint string) bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false
	}
	return endpoint != "" || os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// Close sends what waits, for at most five seconds. What cannot be sent is lost.
func (t *Tracer) Close() error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the log was told by the error handler
	return nil
}

// w3c reads and writes traceparent and tracestate. Baggage is not taken: nobody
// here needs what strangers put into it. https://www.w3.org/TR/trace-context/
var w3c = propagation.TraceContext{}

// Request begins the span of a request over HTTP, as part of the trace that its
// headers name.
func (t *Tracer) Request(ctx context.Context, name string, header http.Header) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(w3c.Extract(ctx, propagation.HeaderCarrier(header)), name, trace.WithSpanKind(trace.SpanKindServer))
	return ctx, spanOf(span)
}

// Begin begins a span in the trace of the context, or a new trace.
func (t *Tracer) Begin(ctx context.Context, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.tracer.Start(ctx, name)
	return ctx, spanOf(span)
}

// complaints logs what the library cannot do, once a minute at most.
type complaints struct {
	lg   *slog.Logger
	last atomic.Int64
}

// Handle takes an error of the library.
func (c *complaints) Handle(err error) {
	now, last := time.Now().Unix(), c.last.Load()
	if now-last >= 60 && c.last.CompareAndSwap(last, now) {
		c.lg.Warn("traces: not sent", "error", err)
	}
}
