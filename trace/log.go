package trace

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// Correlate gives a handler that adds the trace and the span of the context, so
// that a line of the log leads to its trace and back.
func Correlate(next slog.Handler) slog.Handler { return correlating{next} }

type correlating struct{ slog.Handler }

// Handle adds trace_id and span_id where the context has them.
func (h correlating) Handle(ctx context.Context, r slog.Record) error {
	if c := trace.SpanContextFromContext(ctx); c.IsValid() {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", c.TraceID().String()), slog.String("span_id", c.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the correlation.
func (h correlating) WithAttrs(attrs []slog.Attr) slog.Handler {
	return correlating{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the correlation.
func (h correlating) WithGroup(name string) slog.Handler {
	return correlating{h.Handler.WithGroup(name)}
}
