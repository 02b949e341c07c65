package trace

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Span is one piece of work in a trace. The zero Span is that of work which is
// not traced: its methods do nothing.
type Span struct {
	span trace.Span
}

func spanOf(s trace.Span) Span {
	if !s.IsRecording() {
		return Span{}
	}
	return Span{s}
}

// traced tells whether what is done inside of a span is traced, too. The span may
// have ended: a message goes out after its transaction.
func traced(s trace.Span) bool { return s.SpanContext().IsSampled() }

// Start begins a span inside that of the context, where there is one.
func Start(ctx context.Context, name string) (context.Context, Span) {
	parent := trace.SpanFromContext(ctx)
	if !traced(parent) {
		return ctx, Span{}
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, name)
	return ctx, spanOf(span)
}

// Join begins a span for work that is done for several others at once: inside that
// of the first one that is traced, with links to the others. The deadline and the
// values of ctx count, of the others the span alone.
func Join(ctx context.Context, others []context.Context, name string) (context.Context, Span) {
	var links []trace.Link
	var first trace.Span
	for _, o := range others {
		s := trace.SpanFromContext(o)
		switch {
		case !traced(s):
		case first == nil:
			first = s
		default:
			links = append(links, trace.Link{SpanContext: s.SpanContext()})
		}
	}
	if first == nil {
		return ctx, Span{}
	}
	ctx, span := first.TracerProvider().Tracer(scope).Start(trace.ContextWithSpan(ctx, first), name, trace.WithLinks(links...))
	return ctx, spanOf(span)
}

// Only gives a context that has the span of ctx and nothing else of it: for work
// that goes on when ctx is over.
func Only(ctx context.Context) context.Context {
	s := trace.SpanFromContext(ctx)
	if !traced(s) {
		return context.Background()
	}
	return trace.ContextWithSpan(context.Background(), s)
}

// Within gives ctx with this span as the one that further spans begin in.
func (s Span) Within(ctx context.Context) context.Context {
	if s.span == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.span)
}

// On tells whether the span is traced: what costs something to find out need not
// be found out else.
func (s Span) On() bool { return s.span != nil }

// Text notes a text. It may hold nothing secret: names, kinds, statements without
// their values.
func (s Span) Text(key, value string) {
	if s.span != nil {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Count notes a number.
func (s Span) Count(key string, n int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, n))
	}
}

// Name gives the span another name, when more is known than at its beginning.
func (s Span) Name(name string) {
	if s.span != nil {
		s.span.SetName(name)
	}
}

// Fail marks the work as failed. why is a code or a fixed phrase: the text of an
// error may hold what is nobody's business.
func (s Span) Fail(why string) {
	if s.span != nil {
		s.span.SetStatus(codes.Error, why)
	}
}

// End ends the span.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}

// ID gives the id of the context's trace, "" without one.
func ID(ctx context.Context) string {
	if c := trace.SpanContextFromContext(ctx); c.HasTraceID() {
		return c.TraceID().String()
	}
	return ""
}
