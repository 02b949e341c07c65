package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// renderTime bounds one execution of a message.
const renderTime = 15 * time.Second

// shared is what one execution for many needs: the request, without whoever made it.
type shared struct {
	exec      graphql.GraphExecutor
	query     string
	operation string
	variables []byte // JSON: each execution gets its own, for gqlgen writes into them
	role      monitor.Role
	id        string // stands in the log as the request's
	lg        *slog.Logger
}

// dispatch begins the execution. Its context carries the role and nobody's name.
func (s *shared) dispatch(ctx context.Context, steps *lockstep) (graphql.ResponseHandler, context.Context, gqlerror.List) {
	ctx = monitor.WithRequestID(monitor.WithSharedRole(ctx, s.role), s.id)
	ctx = graphql.StartOperationTrace(context.WithValue(ctx, lockstepKey{}, steps))
	variables, err := decodeVariables(s.variables)
	if err != nil {
		return nil, nil, gqlerror.List{gqlerror.Wrap(err)}
	}
	op, errs := s.exec.CreateOperationContext(ctx, &graphql.RawParams{Query: s.query, OperationName: s.operation, Variables: variables})
	if len(errs) > 0 {
		return nil, nil, errs
	}
	next, inner := s.exec.DispatchOperation(ctx, op)
	return next, inner, nil
}

// decodeVariables gives variables as a request's are given.
func decodeVariables(text []byte) (variables map[string]any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&variables)
	return variables, err
}

// lockstep hands pages to the resolver of a running subscription, one at a time.
type lockstep struct {
	pages   chan monitor.JournalPage
	answers chan answer // capacity 1: the resolver never waits with an answer
	taken   atomic.Bool // a resolver works on them
}

type answer struct {
	messages int
	err      error
}

type lockstepKey struct{}

// Next waits for a page.
func (l *lockstep) Next(ctx context.Context) (monitor.JournalPage, error) {
	select {
	case page := <-l.pages:
		return page, nil
	case <-ctx.Done():
		return monitor.JournalPage{}, ctx.Err()
	}
}

// Answer says what the page became.
func (l *lockstep) Answer(messages int, err error) { l.answers <- answer{messages, err} }

// Pages gives the subscription that runs in ctx its pages of the journal.
type Pages interface {
	Next(ctx context.Context) (monitor.JournalPage, error)
	Answer(messages int, err error)
}

// PagesFrom gives the pages for the operation that runs in ctx; BAD_INPUT where
// it was asked for over plain HTTP.
func PagesFrom(ctx context.Context) (Pages, error) {
	l, _ := ctx.Value(lockstepKey{}).(*lockstep)
	if l == nil {
		return nil, monitor.Errorf(monitor.CodeBadInput, "a subscription needs a WebSocket (graphql-transport-ws) or Accept: text/event-stream")
	}
	l.taken.Store(true)
	return l, nil
}

// renderer executes one subscription in lockstep: a page in, its messages out.
type renderer struct {
	shared *shared
	ctx    context.Context // of the group
	steps  *lockstep
	next   graphql.ResponseHandler // nil: to be begun (again)
	inner  context.Context
	cancel context.CancelFunc
}

func newRenderer(ctx context.Context, s *shared) (*renderer, error) {
	r := &renderer{shared: s, ctx: ctx}
	return r, r.begin()
}

// begin starts the operation. What its resolver objects to at once is the error.
func (r *renderer) begin() error {
	ctx, cancel := context.WithCancel(r.ctx)
	r.steps = &lockstep{pages: make(chan monitor.JournalPage), answers: make(chan answer, 1)}
	next, inner, errs := r.shared.dispatch(ctx, r.steps)
	if len(errs) > 0 {
		cancel()
		return operationError{errs}
	}
	if !r.steps.taken.Load() { // nothing runs: the only response tells why
		defer cancel()
		return refusal(next(inner))
	}
	r.next, r.inner, r.cancel = next, inner, cancel
	return nil
}

// Render executes the operation on a page.
func (r *renderer) Render(ctx context.Context, page monitor.JournalPage) ([]feed.Payload, error) {
	if r.next == nil {
		if err := r.begin(); err != nil {
			return nil, err
		}
	}
	payloads, err := r.render(ctx, page)
	if err != nil {
		r.Close() // what is under way belongs to this page
	}
	return payloads, err
}

func (r *renderer) render(ctx context.Context, page monitor.JournalPage) (payloads []feed.Payload, err error) {
	defer func() { // gqlgen protects fields, and this goroutine serves many
		if p := recover(); p != nil {
			r.shared.lg.Error("feed: panic", "panic", p, "stack", string(debug.Stack()), "request", r.shared.id)
			payloads, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	timed, cancel := context.WithTimeout(r.inner, renderTime)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	select {
	case r.steps.pages <- page:
	case <-timed.Done():
		return nil, timed.Err()
	}
	var a answer
	select {
	case a = <-r.steps.answers:
	case <-timed.Done():
		return nil, timed.Err()
	}
	if a.err != nil {
		return nil, a.err
	}
	payloads = make([]feed.Payload, a.messages)
	for i := range payloads {
		cursor := page.From
		if i == len(payloads)-1 {
			cursor = page.At
		}
		response := r.next(timed)
		if response == nil {
			return nil, fmt.Errorf("subscription ended while it ran: %w", context.Cause(timed))
		}
		if payloads[i], err = encode(response, cursor.Cursor()); err != nil {
			return nil, err
		}
	}
	return payloads, nil
}

// Close ends the operation. Render begins another.
func (r *renderer) Close() {
	if r.next != nil {
		r.cancel()
		r.next = nil
	}
}

// encode makes the payload of a response. A failure of the server is an error
// and no payload: nobody may take half an answer for a whole one.
func encode(response *graphql.Response, cursor string) (feed.Payload, error) {
	for _, e := range response.Errors {
		switch code := monitor.Code(codeOf(e)); code {
		case monitor.CodeInternal, monitor.CodeUnavailable, monitor.CodeTimeout:
			return feed.Payload{}, monitor.Errorf(code, "%s", e.Message)
		}
	}
	extensions := response.Extensions
	if cursor != "" {
		with := map[string]any{"cursor": cursor}
		for name, value := range extensions {
			with[name] = value
		}
		extensions = with
	}
	var b bytes.Buffer
	b.Grow(len(response.Data) + 96)
	b.WriteString(`{"data":`)
	if len(response.Data) == 0 {
		b.WriteString("null")
	}
	b.Write(response.Data) // copied: the operation uses its buffer again
	for _, part := range []struct {
		name  string
		value any
		has   bool
	}{{"errors", response.Errors, len(response.Errors) > 0}, {"extensions", extensions, len(extensions) > 0}} {
		if !part.has {
			continue
		}
		text, err := json.Marshal(part.value)
		if err != nil {
			return feed.Payload{}, fmt.Errorf("encode %s: %w", part.name, err)
		}
		b.WriteString(`,"` + part.name + `":`)
		b.Write(text)
	}
	b.WriteString("}}") // the second ends the message around it, see framing
	body := b.Bytes()
	for i, c := range body {
		if c == '\n' || c == '\r' {
			body[i] = ' ' // only between tokens of raw records; a server-sent event cannot hold it
		}
	}
	return feed.Payload{Body: body, Cursor: cursor}, nil
}

func codeOf(e *gqlerror.Error) string {
	code, _ := e.Extensions["code"].(string)
	return code
}

// latest executes a subscription whose newest message alone counts.
type latest struct {
	next   graphql.ResponseHandler
	inner  context.Context
	cancel context.CancelFunc
}

func newLatest(ctx context.Context, s *shared) (*latest, error) {
	ctx, cancel := context.WithCancel(ctx)
	next, inner, errs := s.dispatch(ctx, nil)
	if len(errs) > 0 {
		cancel()
		return nil, operationError{errs}
	}
	return &latest{next: next, inner: inner, cancel: cancel}, nil
}

// Next waits for a message.
func (l *latest) Next(ctx context.Context) (_ feed.Payload, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	response := l.next(l.inner)
	switch {
	case ctx.Err() != nil:
		return feed.Payload{}, ctx.Err()
	case response == nil:
		return feed.Payload{}, io.EOF
	case len(response.Data) == 0:
		return feed.Payload{}, refusal(response)
	}
	return encode(response, "")
}

// Close ends the operation.
func (l *latest) Close() { l.cancel() }

// refusal gives the errors of a response without data.
func refusal(response *graphql.Response) error {
	if response == nil || len(response.Errors) == 0 {
		return monitor.Errorf(monitor.CodeInternal, "the subscription gave nothing")
	}
	return operationError{response.Errors}
}

// operationError holds the errors with which an operation refused to start.
type operationError struct{ list gqlerror.List }

func (e operationError) Error() string { return e.list.Error() }

// Unwrap gives the first error's code.
func (e operationError) Unwrap() error {
	return monitor.Errorf(monitor.Code(codeOf(e.list[0])), "%s", e.list[0].Message)
}
