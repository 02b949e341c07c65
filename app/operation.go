package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/metrics"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/web"
)

// operation measures, traces and logs what is answered, whatever transport it came
// by. The payloads of subscriptions are the feed's matter: here counts how one begins.
func (a *App) operation(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if monitor.Shared(ctx) || !graphql.HasOperationContext(ctx) {
		return next(ctx)
	}
	op := graphql.GetOperationContext(ctx)
	kind, name := kindOf(op), nameOf(op)
	inner, span := a.tracer.Begin(ctx, "graphql")
	if span.On() {
		span.Name("graphql " + kind + " " + clipped(name))
		span.Text("graphql.operation.type", kind)
		span.Text("graphql.operation.name", clipped(name))
	}
	response := next(inner)
	done := metrics.Operation{Name: name, Field: firstField(op), Type: kind, Code: "OK", Cost: costOf(op), Took: time.Since(op.Stats.OperationStart)}
	if response != nil && len(response.Errors) > 0 {
		done.Code = fmt.Sprint(response.Errors[0].Extensions["code"])
		if limited, ok := response.Errors[0].Extensions["kind"].(string); ok && done.Code == string(monitor.CodeCostLimit) {
			done.Limit = limited
		}
		span.Fail(done.Code)
	}
	span.Count("graphql.operation.cost", done.Cost)
	span.End()
	a.answered(inner, done)
	return response
}

// subscribed notes a subscription that was let in.
func (a *App) subscribed(ctx context.Context, op *graphql.OperationContext) {
	if op.Operation.Operation == ast.Subscription && !monitor.Shared(ctx) {
		a.answered(ctx, metrics.Operation{Name: nameOf(op), Field: firstField(op), Type: kindOf(op), Code: "OK", Cost: costOf(op), Took: time.Since(op.Stats.OperationStart)})
	}
}

// answered counts an operation, and notes it in the request's line of the log; one
// of a live connection has a line of its own.
func (a *App) answered(ctx context.Context, o metrics.Operation) {
	a.metrics.GraphQL.Answered(o)
	viewer := monitor.ViewerFrom(ctx)
	if v := visitOf(ctx); v != nil {
		v.by(viewer, auth.Address(ctx))
		v.mu.Lock()
		defer v.mu.Unlock()
		v.operation, v.kind, v.code, v.cost = clipped(o.Name), o.Type, o.Code, o.Cost
		return
	}
	if !a.cfg.LogRequests {
		return
	}
	who, id := viewerKind(viewer)
	address := auth.Address(ctx)
	if address == "" && viewer != nil {
		address = viewer.Address
	}
	a.lg.LogAttrs(ctx, slog.LevelInfo, "request",
		slog.String("request", monitor.RequestID(ctx)), slog.String("route", "live"), slog.Float64("duration_ms", milliseconds(o.Took)),
		slog.String("viewer_kind", who), slog.String("viewer", id), slog.String("address", address),
		slog.String("operation", clipped(o.Name)), slog.String("operation_type", o.Type), slog.String("code", o.Code), slog.Int("cost", o.Cost))
}

func costOf(op *graphql.OperationContext) int {
	if charge, _ := op.Stats.GetExtension(limit.StatsKey).(*limit.Charge); charge != nil {
		return charge.Cost
	}
	return 0
}

// nameOf gives the client's name of an operation; "" where it has none or could
// not be read.
func nameOf(op *graphql.OperationContext) string {
	if op.Operation != nil && op.Operation.Name != "" {
		return op.Operation.Name
	}
	return op.OperationName
}

func kindOf(op *graphql.OperationContext) string {
	if op.Operation == nil {
		return ""
	}
	return string(op.Operation.Operation)
}

// firstField gives the first root field, which names an operation that has no
// name we know.
func firstField(op *graphql.OperationContext) string {
	if op.Operation == nil {
		return ""
	}
	return firstOf(op.Doc, op.Operation.SelectionSet, 0)
}

func firstOf(doc *ast.QueryDocument, set ast.SelectionSet, depth int) string {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			return s.Name
		case *ast.InlineFragment:
			return firstOf(doc, s.SelectionSet, depth)
		case *ast.FragmentSpread:
			if f := doc.Fragments.ForName(s.Name); f != nil && depth < 10 {
				return firstOf(doc, f.SelectionSet, depth+1)
			}
		}
	}
	return ""
}

// knownOperations names what may stand in a metric: the operations of the
// dashboard, those that are trusted, and the schema's root fields.
func knownOperations(schema *ast.Schema, trusted limit.Trusted) []string {
	var names []string
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, field := range root.Fields {
			names = append(names, field.Name)
		}
	}
	dashboard, _ := limit.ParseTrusted(web.Operations()) // none in a binary without the dashboard
	for _, manifest := range []limit.Trusted{dashboard, trusted} {
		for _, document := range manifest {
			doc, err := parser.ParseQuery(&ast.Source{Input: document})
			if err != nil {
				continue // the gate refuses the manifest
			}
			for _, op := range doc.Operations {
				names = append(names, op.Name)
			}
		}
	}
	return names
}
