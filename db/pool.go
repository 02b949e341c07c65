package db

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/trace"
)

// Meter is told of the store's work. It must not wait, and is called from many
// goroutines.
type Meter interface {
	// Statement says how long a statement took until its answer began.
	Statement(verb, table string, took time.Duration)
	// Transaction says how long a committed change took from its begin.
	Transaction(action string, took time.Duration)
	// Failed says what kind of thing went wrong with a statement or a commit: away,
	// conflict, cancelled or other.
	Failed(kind string)
}

type noMeter struct{}

func (noMeter) Statement(string, string, time.Duration) {}
func (noMeter) Transaction(string, time.Duration)       {}
func (noMeter) Failed(string)                           {}

// pool is the connections to the database, measured and traced.
type pool struct {
	*sql.DB
	meter Meter
}

// ExecContext is sql.DB's.
func (p *pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return measured(ctx, p.meter, query, func(ctx context.Context) (sql.Result, error) { return p.DB.ExecContext(ctx, query, args...) })
}

// QueryContext is sql.DB's.
func (p *pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return measured(ctx, p.meter, query, func(ctx context.Context) (*sql.Rows, error) { return p.DB.QueryContext(ctx, query, args...) })
}

// ExecContext is sql.Tx's.
func (t *tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return measured(t.span.Within(ctx), t.meter, query, func(ctx context.Context) (sql.Result, error) { return t.Tx.ExecContext(ctx, query, args...) })
}

// QueryContext is sql.Tx's.
func (t *tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return measured(t.span.Within(ctx), t.meter, query, func(ctx context.Context) (*sql.Rows, error) { return t.Tx.QueryContext(ctx, query, args...) })
}

// measured runs a statement. In a trace stands its text, which has no values: they
// are parameters.
func measured[T any](ctx context.Context, meter Meter, query string, run func(context.Context) (T, error)) (T, error) {
	verb, table := aboutStatement(query)
	inner, span := trace.Start(ctx, verb)
	if span.On() {
		span.Name(verb + " " + table)
		span.Text("db.system.name", "mysql")
		span.Text("db.operation.name", verb)
		span.Text("db.collection.name", table)
		span.Text("db.query.text", query[:min(len(query), maxTracedStatement)])
	}
	begun := time.Now()
	out, err := run(inner)
	meter.Statement(verb, table, time.Since(begun))
	if err != nil {
		kind := failure(err)
		meter.Failed(kind)
		span.Fail(kind)
	}
	span.End()
	return out, err
}

const maxTracedStatement = 2_000 // bytes

// aboutStatement finds the verb and the first table of a statement of ours.
func aboutStatement(query string) (verb, table string) {
	verb, _, _ = strings.Cut(strings.TrimLeft(query, "( "), " ")
	mark := map[string]string{"SELECT": "FROM `", "WITH": "FROM `", "DELETE": "`", "UPDATE": "`", "INSERT": "INTO `"}[verb]
	if mark == "" {
		return "OTHER", "-"
	}
	if verb == "WITH" {
		verb = "SELECT"
	}
	_, rest, found := strings.Cut(query, mark)
	if !found {
		return verb, "-"
	}
	table, _, _ = strings.Cut(rest, "`")
	return verb, table
}

// failure is the kind of an error, in a word.
func failure(err error) string {
	switch {
	case isLockConflict(err):
		return "conflict"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "cancelled"
	case errors.Is(away(err), monitor.ErrAway), errors.Is(err, monitor.ErrOutcomeUnknown):
		return "away"
	default:
		return "other"
	}
}

// PoolStats says how the connections are used.
type PoolStats struct {
	Open, InUse, Idle, Most int
	Waited                  int64         // times that somebody waited for a connection
	WaitedFor               time.Duration // altogether
}

// Pool gives the figures of this moment.
func (s *Store) Pool() PoolStats {
	is := s.db.Stats()
	return PoolStats{Open: is.OpenConnections, InUse: is.InUse, Idle: is.Idle, Most: is.MaxOpenConnections, Waited: is.WaitCount, WaitedFor: is.WaitDuration}
}
