package transport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// operation is one query, mutation or subscription that a client has running.
type operation struct {
	conn   *connection
	id     string // the client's
	prefix []byte
	begun  time.Time

	// Set before it is delivered to.
	name       string // of the operation, or of its field
	latest     bool
	viewer     *monitor.Viewer
	membership *feed.Membership // guarded by conn.mu
	principal  *principal       // whose count it is in

	cancel    context.CancelFunc
	over      atomic.Bool // nothing is delivered any more; set under conn.mu
	delivered atomic.Int64
	told      uint64 // the newest position that the client knows; guarded by out.mu
	alarmed   bool   // used by the watcher alone
}

// Deliver hands over a frame; false while too much waits on the connection.
func (o *operation) Deliver(f *feed.Frame) bool {
	out := &o.conn.out
	out.mu.Lock()
	defer out.mu.Unlock()
	if !out.room() {
		return false
	}
	if o.over.Load() {
		return true
	}
	for i := range f.Payloads {
		head, body, tail := o.conn.framing.next(out.scratch[:0], o.prefix, &f.Payloads[i])
		out.scratch = head
		out.put(head, body, tail)
	}
	o.told = max(o.told, f.To.Seq)
	o.delivered.Add(int64(len(f.Payloads)))
	return true
}

// Ready is closed when nothing waits on the connection.
func (o *operation) Ready() <-chan struct{} { return o.conn.out.wait() }

// End says that nothing more comes.
func (o *operation) End(err error) {
	switch {
	case err == nil:
		o.finish(o.conn.framing.complete(o.id))
	case errors.Is(err, context.Canceled): // the server stops; the connection ends by itself
	case monitor.CodeOf(err) == monitor.CodeUnavailable:
		o.conn.close(closeTryLater, "try again")
	default:
		o.fail(err)
	}
}

// fail ends the operation with an error.
func (o *operation) fail(err error) {
	ctx := monitor.WithViewer(context.Background(), o.viewer)
	o.finish(o.conn.framing.failed(o.id, o.conn.server.present(ctx, err)))
}

// finish sends the operation's last message and forgets it.
func (o *operation) finish(message []byte) {
	if o.conn.remove(o) {
		o.leave()
		o.conn.out.send(message)
	}
	o.conn.settled()
}

// leave stops the operation; what runs for it alone is cancelled.
func (o *operation) leave() {
	o.conn.mu.Lock()
	before := o.over.Swap(true)
	membership := o.membership
	o.conn.mu.Unlock()
	o.cancel()
	if membership != nil && !before {
		membership.Leave()
		o.conn.server.give(o.principal)
	}
}

// errDuplicate: the client uses an id twice.
var errDuplicate = errors.New("transport: operation id in use")

// begin makes room for an operation.
func (c *connection) begin(id string) (*operation, context.Context, error) {
	base := c.context()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, nil, context.Canceled
	case c.operations[id] != nil:
		return nil, nil, errDuplicate
	}
	ctx, cancel := context.WithCancel(base)
	op := &operation{conn: c, id: id, prefix: c.framing.prefix(id), begun: time.Now(), cancel: cancel, viewer: c.viewer}
	c.operations[id] = op
	return op, ctx, nil
}

// remove forgets an operation; false when it was forgotten before.
func (c *connection) remove(op *operation) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.operations[op.id] != op {
		return false
	}
	delete(c.operations, op.id)
	return true
}

// stop ends an operation at the client's wish.
func (c *connection) stop(id string) {
	c.mu.Lock()
	op := c.operations[id]
	delete(c.operations, id)
	c.mu.Unlock()
	if op != nil {
		op.leave()
	}
}

// settled ends a stream whose only operation is over.
func (c *connection) settled() {
	if c.kind != kindStream {
		return
	}
	if c.shut() {
		c.out.finish(nil, c.hangUp)
	}
}

// execute runs an operation. A subscription goes on after it returns; a query or
// mutation goes on in a goroutine of its own.
func (c *connection) execute(ctx context.Context, op *operation, params *graphql.RawParams, after string) {
	if c.count() > c.server.Limits.PerConnection {
		c.server.Stats.Refused.Add(1)
		op.fail(tooMany("operations", c.server.Limits.PerConnection))
		return
	}
	parsed, errs := c.exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		op.finish(c.framing.failed(op.id, c.exec.DispatchError(graphql.WithOperationContext(ctx, parsed), errs).Errors))
		return
	}
	if parsed.Operation.Operation == ast.Subscription {
		switch err := c.subscribe(ctx, op, parsed, params, after); {
		case err == nil:
		case monitor.CodeOf(err) == monitor.CodeUnavailable: // an error message would end it for ever
			c.close(closeTryLater, "try again")
		default:
			op.fail(err)
		}
		return
	}
	c.mu.Lock()
	c.queries++
	many := c.queries > c.server.Limits.Queries
	if many {
		c.queries--
	}
	c.mu.Unlock()
	if many {
		c.server.Stats.Refused.Add(1)
		op.fail(tooMany("queries", c.server.Limits.Queries))
		return
	}
	c.server.running.Go(func() {
		defer func() {
			c.mu.Lock()
			c.queries--
			c.mu.Unlock()
		}()
		answered := false
		c.server.guard(func() {
			c.respond(ctx, op, parsed)
			answered = true
		})
		if !answered {
			op.fail(errors.New("panic in an operation"))
		}
	})
}

func (c *connection) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.operations)
}

// respond answers a query or mutation.
func (c *connection) respond(ctx context.Context, op *operation, parsed *graphql.OperationContext) {
	next, inner := c.exec.DispatchOperation(ctx, parsed)
	response := next(inner)
	if response == nil {
		return // cancelled by the client
	}
	body, err := json.Marshal(response)
	if err != nil {
		op.fail(fmt.Errorf("encode response: %w", err))
		return
	}
	frame := feed.Frame{Payloads: []feed.Payload{{Body: append(body, '}')}}}
	for !op.Deliver(&frame) {
		select {
		case <-op.Ready():
		case <-ctx.Done():
			return
		}
	}
	op.finish(c.framing.complete(op.id))
}

// subscribe joins the group of those who want the same.
func (c *connection) subscribe(ctx context.Context, op *operation, parsed *graphql.OperationContext, params *graphql.RawParams, after string) error {
	fields := graphql.CollectFields(parsed, parsed.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) != 1 || fields[0].Definition == nil {
		return monitor.Errorf(monitor.CodeBadInput, "a subscription selects exactly one field")
	}
	if op.viewer.Role() == "" {
		return monitor.Errorf(monitor.CodeForbidden, "this credential may not read; an API token needs the scope read")
	}
	field := fields[0]
	directive := field.Definition.Directives.ForName("shared")
	if directive == nil {
		return fmt.Errorf("subscription %s is not @shared", field.Name)
	}
	op.name = parsed.Operation.Name
	if op.name == "" {
		op.name = field.Name
	}
	mode := directive.Arguments.ForName("mode")
	op.latest = mode != nil && mode.Value.Raw == "LATEST"
	joining, err := c.joining(op, parsed, params, field.Field, after)
	if err != nil {
		return err
	}
	if op.principal, err = c.server.take(c); err != nil {
		return err
	}
	membership, err := c.server.Hub.Join(ctx, joining, op)
	if err != nil {
		c.server.give(op.principal)
		return err
	}
	c.mu.Lock()
	op.membership = membership
	over := op.over.Load()
	c.mu.Unlock()
	if over { // it was stopped meanwhile, and nobody knew of the membership
		membership.Leave()
		c.server.give(op.principal)
	}
	return nil
}

// joining says which group a subscription belongs to, how to start it, and from
// where on. A cursor of the transport wins over one of the request's extensions,
// that one over the argument.
func (c *connection) joining(op *operation, parsed *graphql.OperationContext, params *graphql.RawParams, field *ast.Field, after string) (feed.Joining, error) {
	var j feed.Joining
	argument := field.Arguments.ForName("after")
	if after == "" {
		after, _ = params.Extensions["after"].(string)
	}
	if after == "" && argument != nil {
		value, err := argument.Value.Value(parsed.Variables)
		if err != nil {
			return j, fmt.Errorf("after: %w", err)
		}
		after, _ = value.(string)
	}
	if after != "" && !op.latest {
		position, err := monitor.ParseCursor(after)
		if err != nil {
			return j, err
		}
		j.After = &position
	}
	role := op.viewer.Role()
	key, err := c.server.key(parsed, argument, role)
	if err != nil {
		return j, err
	}
	variables, err := json.Marshal(params.Variables)
	if err != nil {
		return j, fmt.Errorf("variables of a subscription: %w", err)
	}
	s := &shared{
		exec: c.exec, query: parsed.RawQuery, operation: params.OperationName, variables: variables, role: role,
		id: "feed-" + hex.EncodeToString([]byte(key[:6])), lg: c.server.Log,
	}
	j.Key = key
	if op.latest {
		j.Latest = func(ctx context.Context) (feed.Source, error) { return newLatest(ctx, s) }
		return j, nil
	}
	j.Start = func(ctx context.Context) (feed.Renderer, error) { return newRenderer(ctx, s) }
	return j, nil
}

// key is equal for operations that mean the same and may be seen by the same:
// document without its layout, operation name, coerced variables without the
// cursor, and role. It holds nothing of who asks.
func (s *Server) key(parsed *graphql.OperationContext, after *ast.Argument, role monitor.Role) (string, error) {
	variables := parsed.Variables
	if after != nil && after.Value.Kind == ast.Variable && strings.Count(parsed.RawQuery, "$"+after.Value.Raw) == 2 {
		// Declared and used once: it only says where to begin.
		variables = make(map[string]any, len(parsed.Variables))
		for name, value := range parsed.Variables {
			if name != after.Value.Raw {
				variables[name] = value
			}
		}
	}
	text, err := json.Marshal([]any{s.names.normal(parsed), parsed.OperationName, role, variables})
	if err != nil {
		return "", fmt.Errorf("key of a subscription: %w", err)
	}
	sum := sha256.Sum256(text)
	return string(sum[:]), nil
}

// keyNames keeps the normal form of the newest documents.
type keyNames struct {
	mu    sync.Mutex
	forms map[string]string
}

const maxForms = 1_000

// normal gives a document without comments and layout.
func (k *keyNames) normal(parsed *graphql.OperationContext) string {
	k.mu.Lock()
	form, ok := k.forms[parsed.RawQuery]
	k.mu.Unlock()
	if ok {
		return form
	}
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithCompacted()).FormatQueryDocument(parsed.Doc)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.forms == nil || len(k.forms) >= maxForms {
		k.forms = map[string]string{} // rare, and cheap to fill again
	}
	k.forms[parsed.RawQuery] = b.String()
	return b.String()
}
