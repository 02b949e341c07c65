package resolvers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// Presenter gives every error its code and the request's id. An error without a
// code is logged once and shown as INTERNAL, with nothing of its text.
func Presenter(lg *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		shown := graphql.DefaultErrorPresenter(ctx, err)
		extensions := map[string]any{}
		var known *monitor.Error
		switch {
		case errors.As(err, &known):
			if known == monitor.ErrAway {
				lg.WarnContext(ctx, "graphql", "error", err, "path", shown.Path.String(), "request", monitor.RequestID(ctx))
			}
			maps.Copy(extensions, known.Details)
			extensions["code"], shown.Message = string(known.Code), known.Message
		case isRequestFault(shown):
			extensions["code"] = string(monitor.CodeBadInput)
		case errors.Is(err, context.DeadlineExceeded):
			extensions["code"], shown.Message = string(monitor.CodeTimeout), "the request took too long"
		case errors.Is(err, context.Canceled):
			extensions["code"], shown.Message = string(monitor.CodeUnavailable), "the request was cancelled"
		default:
			lg.ErrorContext(ctx, "graphql", "error", err, "path", shown.Path.String(), "request", monitor.RequestID(ctx))
			extensions["code"], shown.Message = string(monitor.CodeInternal), "something went wrong on our side"
		}
		if id := monitor.RequestID(ctx); id != "" {
			extensions["requestId"] = id
		}
		shown.Extensions = extensions
		return shown
	}
}

// WithoutHints keeps the names that an error guesses at from those to whom the
// schema is not offered.
func WithoutHints(present graphql.ErrorPresenterFunc, offers func() monitor.Offers) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		shown := present(ctx, err)
		if shown != nil && !offers().ToIntrospect(monitor.RoleFrom(ctx)) {
			shown.Message, _, _ = strings.Cut(shown.Message, " Did you mean")
		}
		return shown
	}
}

// isRequestFault tells errors of parsing, validating and reading variables: the
// library makes them itself, before there is a path.
func isRequestFault(err *gqlerror.Error) bool {
	switch err.Extensions["code"] {
	case errcode.ParseFailed, errcode.ValidationFailed:
		return true
	}
	return err.Err == nil && (err.Rule != "" || len(err.Path) == 0)
}

// Recover turns a panic into an error; its stack goes to the log.
func Recover(lg *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, p any) error {
		if known, ok := p.(*monitor.Error); ok {
			lg.ErrorContext(ctx, "graphql: panic", "panic", known.Message, "stack", string(debug.Stack()), "request", monitor.RequestID(ctx))
			return known
		}
		lg.ErrorContext(ctx, "graphql: panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()), "request", monitor.RequestID(ctx))
		return monitor.Errorf(monitor.CodeInternal, "something went wrong on our side")
	}
}

// userErrors gives what a user can mend as part of the payload, and everything
// else as an error of the request.
func userErrors(err error) ([]*model.UserError, error) {
	none := []*model.UserError{}
	var known *monitor.Error
	if err == nil || !errors.As(err, &known) {
		return none, err
	}
	switch known.Code {
	case monitor.CodeBadInput, monitor.CodeConflict, monitor.CodeNotFound, monitor.CodeUnauthenticated, monitor.CodeRateLimited, monitor.CodeTOTPRequired:
		return []*model.UserError{{Code: string(known.Code), Message: known.Message, Path: known.Path}}, nil
	default:
		return none, err
	}
}
