package transport

import (
	"context"
	"encoding/hex"
	"log/slog"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// Selection is a subscription that the server keeps itself, for a webhook: it is
// executed as the groups of subscribers are, with a role and as nobody.
type Selection struct {
	Exec      graphql.GraphExecutor
	Document  string
	Variables []byte // JSON, an object
	Role      monitor.Role
	ID        monitor.ID // of what it is kept for; stands in the log
	Log       *slog.Logger
}

func (s Selection) shared() *shared {
	return &shared{
		exec: s.Exec, query: s.Document, variables: s.Variables, role: s.Role,
		id: "webhook-" + hex.EncodeToString(s.ID[10:]), lg: s.Log,
	}
}

// Start begins to execute it. What the role may not see, or the field objects to, is
// the error.
func (s Selection) Start(ctx context.Context) (feed.Renderer, error) {
	return newRenderer(ctx, s.shared())
}

// Check gives BAD_INPUT for a document that is no subscription to a feed, and what
// the role may not subscribe to; otherwise the operation, to be looked at further.
func (s Selection) Check(ctx context.Context) (*graphql.OperationContext, error) {
	variables, err := decodeVariables(s.Variables)
	if err != nil {
		return nil, monitor.InputErrorf("variables", "the variables are no JSON object")
	}
	shared := s.shared()
	ctx = monitor.WithRequestID(monitor.WithSharedRole(ctx, s.Role), shared.id)
	op, errs := s.Exec.CreateOperationContext(graphql.StartOperationTrace(ctx), &graphql.RawParams{Query: s.Document, Variables: variables})
	if len(errs) > 0 {
		return nil, monitor.InputErrorf("document", "the document does not run: %s", errs.Error())
	}
	if op.Operation.Operation != ast.Subscription {
		return nil, monitor.InputErrorf("document", "it takes a subscription, this is a %s", op.Operation.Operation)
	}
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) != 1 || fields[0].Definition == nil {
		return nil, monitor.InputErrorf("document", "a subscription selects exactly one field")
	}
	directive := fields[0].Definition.Directives.ForName("shared")
	if directive == nil {
		return nil, monitor.InputErrorf("document", "%s is no feed", fields[0].Name)
	}
	if mode := directive.Arguments.ForName("mode"); mode != nil && mode.Value.Raw == "LATEST" {
		return nil, monitor.InputErrorf("document", "%s tells the newest state only and no changes: take a feed such as alertFeed", fields[0].Name)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	renderer, err := newRenderer(ctx, shared)
	if err != nil {
		if code := monitor.CodeOf(err); code == monitor.CodeForbidden || code == monitor.CodeBadInput {
			return nil, monitor.InputErrorf("document", "the subscription is refused: %v", err)
		}
		return nil, err
	}
	renderer.Close()
	return op, nil
}
