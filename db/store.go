// Package db owns all SQL: it keeps the nouns of package monitor in MySQL, one
// file per noun, built by goqu in prepared mode. Every change goes through tx,
// which writes the journal in the same transaction. It decides nothing about
// rights: callers have done that.
package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/go-sql-driver/mysql"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/trace"
)

// Store keeps everything. It is safe for concurrent use.
type Store struct {
	db        *pool
	probe     *sql.DB
	now       func() time.Time
	committed func(context.Context, []monitor.Entry)
	assets    assetMemory
	groupings atomic.Pointer[[]*monitor.IncidentGrouping] // in force; replaced as a whole

	correlating  Correlating
	correlated   CorrelationStats
	rooms        groupRooms
	suppressions atomic.Pointer[monitor.Suppressions] // likewise
	judge        Judge
	insertEvents prepared // preparedEvents of them

	letters, letterBytes atomic.Int64 // added since they were trimmed
}

// Options of a store.
type Options struct {
	DSN      string
	MaxConns int              // 16 where 0
	Now      func() time.Time // time.Now where nil
	Meter    Meter            // may be nil

	Correlating Correlating

	// Judge says of a rule's text that is stored whether it runs with the lists that
	// are there then; nil: it is as who stores it says.
	Judge Judge
}

// Open connects to a migrated database.
func Open(ctx context.Context, o Options) (*Store, error) {
	handle, _, err := openDSN(o.DSN)
	if err != nil {
		return nil, err
	}
	if o.MaxConns == 0 {
		o.MaxConns = 16
	}
	handle.SetMaxOpenConns(o.MaxConns)
	handle.SetMaxIdleConns(o.MaxConns)
	handle.SetConnMaxIdleTime(5 * time.Minute)
	if err := handle.PingContext(ctx); err != nil {
		_ = handle.Close()
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Meter == nil {
		o.Meter = noMeter{}
	}
	// A connection of its own: a pool that is busy is no database that is away.
	probe, _, err := openDSN(o.DSN)
	if err != nil {
		_ = handle.Close()
		return nil, err
	}
	probe.SetMaxOpenConns(1)
	return &Store{
		db: &pool{handle, o.Meter}, probe: probe, now: func() time.Time { return o.Now().UTC().Truncate(time.Microsecond) },
		committed: func(context.Context, []monitor.Entry) {}, correlating: o.Correlating.withDefaults(), judge: o.Judge,
		insertEvents: prepared{text: insertEvent.textOf(preparedEvents)},
	}, nil
}

// OnCommit sets who hears of each commit's journal entries right after it, in
// the committing goroutine. Call it before the store is used. It is a hint:
// a process that dies in between tells nobody. The context is the change's.
func (s *Store) OnCommit(f func(context.Context, []monitor.Entry)) { s.committed = f }

// Close ends all connections. It fails only in theory: that the server had ended
// one before is no error, what was committed is there.
func (s *Store) Close() error {
	_ = s.db.Close() // each error is of a connection that could not say goodbye
	_ = s.probe.Close()
	return nil
}

// Ping gives an error when the database does not answer. It waits for no other
// connection of the store.
func (s *Store) Ping(ctx context.Context) error { return s.probe.PingContext(ctx) }

// tx is one transaction that ends with its journal entries.
type tx struct {
	*sql.Tx
	meter   Meter
	span    trace.Span
	now     time.Time
	actor   monitor.Actor
	action  string
	batch   monitor.ID
	events  int
	changes []monitor.Change
	seen    sightings // that have to be written
	hidden  map[monitor.ID]*hiddenFindings
	noted   bool // an entry is due though no entity changed
}

const maxTries = 5

// change runs fn in a transaction and writes what it did into the journal. The
// whole is tried again, a bounded number of times, on a deadlock or a lock
// timeout, and on nothing else. An fn that notes no change leaves no entry;
// what it wrote (a rotated refresh token) is committed all the same.
func (s *Store) change(ctx context.Context, actor monitor.Actor, action string, fn func(*tx) error) error {
	ctx, span := trace.Start(ctx, "transaction")
	defer span.End()
	if span.On() {
		span.Name("transaction " + action)
		span.Text("secmon.action", action)
	}
	var err error
	for try := range maxTries {
		var entries []monitor.Entry
		if entries, err = s.changeOnce(ctx, span, actor, action, fn); err == nil {
			if len(entries) > 0 {
				span.Count("secmon.seq", int(entries[len(entries)-1].Seq)) //nolint:gosec // below 2^63
				s.committed(ctx, entries)
			}
			return nil
		}
		span.Fail(failure(err))
		if !isLockConflict(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(1+rand.IntN(20<<try)) * time.Millisecond): //nolint:gosec // jitter
		}
	}
	return fmt.Errorf("%s: gave up after %d tries: %w", action, maxTries, err)
}

func (s *Store) changeOnce(ctx context.Context, span trace.Span, actor monitor.Actor, action string, fn func(*tx) error) ([]monitor.Entry, error) {
	started := time.Now()
	begun, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		s.db.meter.Failed(failure(err))
		return nil, fmt.Errorf("begin: %w", away(err))
	}
	defer begun.Rollback() //nolint:errcheck // after a commit it does nothing
	t := &tx{Tx: begun, meter: s.db.meter, span: span, now: s.now(), actor: actor, action: action}
	if err := fn(t); err != nil {
		return nil, err
	}
	if err := t.settleAssets(ctx); err != nil {
		return nil, err
	}
	if err := t.settleSuppressions(ctx); err != nil {
		return nil, err
	}
	var entries []monitor.Entry
	if len(t.changes) > 0 || !t.batch.IsZero() || t.noted {
		if entries, err = t.appendJournal(ctx); err != nil {
			return nil, err
		}
	}
	if err := begun.Commit(); err != nil {
		s.db.meter.Failed(failure(err))
		return nil, fmt.Errorf("commit: %w: %w", monitor.ErrOutcomeUnknown, err)
	}
	s.db.meter.Transaction(action, time.Since(started))
	return entries, nil
}

func isLockConflict(err error) bool {
	return hasNumber(err, 1213) || hasNumber(err, 1205) // deadlock, lock wait timeout
}

func isDuplicate(err error) bool { return hasNumber(err, 1062) }

func hasNumber(err error, number uint16) bool {
	var refused *mysql.MySQLError
	return errors.As(err, &refused) && refused.Number == number
}

// away gives an error that says that the database cannot be reached, or does not
// serve now, the code UNAVAILABLE: the same request may succeed a little later.
// What a commit says stays as it is: whether it happened is another question.
func away(err error) error {
	var network *net.OpError
	for _, number := range []uint16{1040, 1053, 1290, 1927} { // too many connections, shutdown, read-only, killed
		if hasNumber(err, number) {
			return fmt.Errorf("%w: %w", monitor.ErrAway, err)
		}
	}
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", monitor.ErrAway, err)
	}
	return err
}

// statement is what goqu builds.
type statement interface {
	ToSQL() (string, []any, error)
}

type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func exec(ctx context.Context, r runner, st statement) error {
	text, args, err := st.ToSQL()
	if err != nil {
		return fmt.Errorf("build SQL: %w", err)
	}
	_, err = r.ExecContext(ctx, text, args...)
	return away(err)
}

// written is a statement that goqu did not build.
type written struct {
	text string
	args []any
}

// ToSQL gives it.
func (w written) ToSQL() (string, []any, error) { return w.text, w.args, nil }

// query gives every row of a statement, scanned.
func query[T any](ctx context.Context, r runner, st statement, scan func(scanner) (T, error)) ([]T, error) {
	return queryWhile(ctx, r, st, scan, func(T) bool { return true })
}

// byIDs gives the rows of a table with those ids, in no order; missing ones are left
// out.
func byIDs[T any](ctx context.Context, r runner, table string, columns []string, ids []monitor.ID, scan func(scanner) (T, error)) ([]T, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := query(ctx, r, dialect.From(table).Select(columnList(columns)...).Where(goqu.C("id").In(idList(ids))), scan)
	if err != nil {
		return nil, fmt.Errorf("load %d %s: %w", len(ids), table, err)
	}
	return found, nil
}

// queryWhile is query up to the first row behind which no more are wanted.
func queryWhile[T any](ctx context.Context, r runner, st statement, scan func(scanner) (T, error), more func(T) bool) ([]T, error) {
	text, args, err := st.ToSQL()
	if err != nil {
		return nil, fmt.Errorf("build SQL: %w", err)
	}
	rows, err := r.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, away(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var out []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("scan: %w", err)
		}
		if out = append(out, item); !more(item) {
			return out, nil
		}
	}
	return out, away(rows.Err())
}

// one gives the first row of a statement; found is false without one.
func one[T any](ctx context.Context, r runner, st statement, scan func(scanner) (T, error)) (item T, found bool, err error) {
	items, err := query(ctx, r, st, scan)
	if err != nil || len(items) == 0 {
		return item, false, err
	}
	return items[0], true, nil
}

type scanner interface {
	Scan(dest ...any) error
}
