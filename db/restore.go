package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// Restore fills a database with a copy. Until Finish it has no row in feed_state,
// without which no server of any version starts: half a copy serves nobody.
type Restore struct {
	handle *sql.DB
	conn   *sql.Conn // has the lock
	name   string
	old    []string // tables that are to be replaced

	tables []CopyTable // of the copy
	types  map[string]CopyTable
	table  *CopyTable
	rows   [][]any
	bytes  int
	tx     *sql.Tx
	unsent int      // bytes in tx
	state  [][]byte // feed_state's row, for the end
}

// feedState is the table that makes a database one that a server starts on.
const feedState = "feed_state"

// BeginRestore takes a database for a restore, and changes nothing in it. It is
// refused with CONFLICT while anybody else is connected to it, and, unless replace
// is its name, when it has tables: with replace Prepare drops them.
func BeginRestore(ctx context.Context, dsn, replace string) (_ *Restore, err error) {
	if err := createDatabase(ctx, dsn); err != nil {
		return nil, err
	}
	handle, cfg, err := openDSN(dsn)
	if err != nil {
		return nil, err
	}
	handle.SetMaxIdleConns(-1) // so that connections beside ours are somebody else's
	r := &Restore{handle: handle, name: cfg.DBName}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if r.conn, err = handle.Conn(ctx); err != nil {
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	if err := lockShape(ctx, r.conn, aloneWait); err != nil {
		return nil, err
	}
	if err := r.alone(ctx); err != nil {
		return nil, err
	}
	return r, r.look(ctx, replace)
}

// aloneWait is how long connections may take that are just ending.
const aloneWait = 5 * time.Second

// alone refuses while others are connected: a server would go on writing.
func (r *Restore) alone(ctx context.Context) error {
	st := dialect.From(goqu.S("information_schema").Table("PROCESSLIST")).Select(goqu.COUNT("*")).
		Where(goqu.C("DB").Eq(goqu.L("DATABASE()")), goqu.C("ID").Neq(goqu.L("CONNECTION_ID()")))
	for until := time.Now().Add(aloneWait); ; {
		n, _, err := one(ctx, r.conn, st, scanInt)
		if err != nil {
			return fmt.Errorf("look for other connections: %w", err)
		}
		if n == 0 {
			return nil
		}
		if time.Now().After(until) {
			return monitor.Errorf(monitor.CodeConflict, "%d other connections use the database %s: stop every server before a restore", n, r.name)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// look finds the tables that are there, and refuses them where they may not go.
func (r *Restore) look(ctx context.Context, replace string) error {
	st := dialect.From(goqu.S("information_schema").Table("TABLES")).Select("TABLE_NAME").Where(goqu.C("TABLE_SCHEMA").Eq(goqu.L("DATABASE()")))
	tables, err := query(ctx, r.conn, st, func(r scanner) (name string, err error) { return name, r.Scan(&name) })
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	if len(tables) == 0 {
		return nil
	}
	if replace == "" {
		return monitor.Errorf(monitor.CodeConflict, "the database %s is not empty: restore into a new one, or say that this one is to be replaced", r.name)
	}
	if replace != r.name {
		return monitor.Errorf(monitor.CodeConflict, "the database is %s, and %q is to be replaced", r.name, replace)
	}
	r.old = tables
	return nil
}

// Replaces tells whether Prepare will drop tables.
func (r *Restore) Replaces() bool { return len(r.old) > 0 }

func (r *Restore) clear(ctx context.Context) error {
	// feed_state first: from here on no server starts until Finish.
	slices.SortFunc(r.old, func(a, b string) int {
		if (a == feedState) != (b == feedState) {
			return map[bool]int{true: -1, false: 1}[a == feedState]
		}
		return strings.Compare(a, b)
	})
	for _, table := range r.old {
		// DDL takes no parameters; the name is the server's own.
		if _, err := r.conn.ExecContext(ctx, "DROP TABLE `"+strings.ReplaceAll(table, "`", "``")+"`"); err != nil {
			return fmt.Errorf("drop %s: %w", table, err)
		}
	}
	return nil
}

// Prepare drops what is to be replaced, makes the schema of a version, with
// partitions for these days of events, and empties it. A version that this program does not know is refused.
func (r *Restore) Prepare(ctx context.Context, schema int64, tables []CopyTable, days []string) error {
	if newest := NewestSchema(); schema > newest {
		return monitor.Errorf(monitor.CodeConflict, "the copy has version %d of the schema, and this program knows %d: use the program that made it, or a newer one", schema, newest)
	}
	if err := r.clear(ctx); err != nil {
		return err
	}
	if _, err := migrateTo(ctx, r.handle, schema); err != nil {
		return err
	}
	described, err := describeTables(ctx, r.conn)
	if err != nil {
		return err
	}
	r.tables, r.types = tables, map[string]CopyTable{}
	for _, t := range described {
		r.types[t.Name] = t
		if err := exec(ctx, r.conn, dialect.Delete(t.Name)); err != nil { // what migrations have put there
			return fmt.Errorf("empty %s: %w", t.Name, err)
		}
	}
	// While migrations ran there was a row of feed_state for a moment: who began with it is here.
	if err := r.alone(ctx); err != nil {
		return err
	}
	for _, t := range tables {
		if err := r.fits(t); err != nil {
			return err
		}
	}
	for _, text := range days {
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return fmt.Errorf("partition of events: %w", err)
		}
		if err := addPartition(ctx, r.conn, day); err != nil {
			return err
		}
	}
	return nil
}

// fits checks a table of the copy against the one that is there: names are the
// file's, and come into statements.
func (r *Restore) fits(t CopyTable) error {
	is, ok := r.types[t.Name]
	if !ok {
		return fmt.Errorf("the copy has a table %q that its version of the schema has not", t.Name)
	}
	for _, c := range t.Columns {
		if !slices.ContainsFunc(is.Columns, func(other CopyColumn) bool { return other.Name == c.Name }) {
			return fmt.Errorf("the copy has a column %q in %s that its version of the schema has not", c.Name, t.Name)
		}
	}
	return nil
}

// Table begins the next table: rows that follow are its.
func (r *Restore) Table(ctx context.Context, name string) error {
	if err := r.flush(ctx); err != nil {
		return err
	}
	i := slices.IndexFunc(r.tables, func(t CopyTable) bool { return t.Name == name })
	if i < 0 {
		return fmt.Errorf("the copy begins a table %q that it did not announce", name)
	}
	r.table = &r.tables[i]
	return nil
}

// One transaction carries so many bytes.
const restoreBytes = 16 << 20

// Row takes a row of the table that was begun last.
func (r *Restore) Row(ctx context.Context, row [][]byte) error {
	if r.table.Name == feedState {
		for _, value := range row {
			r.state = append(r.state, slices.Clone(value))
		}
		return nil
	}
	values, size, err := r.values(row)
	if err != nil {
		return err
	}
	r.rows, r.bytes = append(r.rows, values), r.bytes+size
	if len(r.rows) >= insertEvents || r.bytes >= insertBytes {
		return r.send(ctx)
	}
	return nil
}

func (r *Restore) values(row [][]byte) ([]any, int, error) {
	values, size := make([]any, len(row)), 0
	for i, raw := range row {
		if r.table.Columns[i].Kind == valueBytes && raw != nil {
			raw = append(make([]byte, 0, len(raw)), raw...) // never nil: that would be NULL
		}
		value, err := copyValue(r.table.Columns[i].Kind, raw)
		if err != nil {
			return nil, 0, fmt.Errorf("%s.%s: %w", r.table.Name, r.table.Columns[i].Name, err)
		}
		values[i] = value
		size += len(raw)
	}
	return values, size, nil
}

// send inserts the rows that wait, in the transaction under way.
func (r *Restore) send(ctx context.Context) error {
	if len(r.rows) == 0 {
		return nil
	}
	if r.tx == nil {
		var err error
		if r.tx, err = r.conn.BeginTx(ctx, nil); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
	}
	st := dialect.Insert(r.table.Name).Cols(columnNames(r.table)...).Vals(r.rows...)
	if err := exec(ctx, r.tx, st); err != nil {
		return fmt.Errorf("restore %s: %w", r.table.Name, err)
	}
	r.unsent += r.bytes
	r.rows, r.bytes = r.rows[:0], 0
	if r.unsent >= restoreBytes {
		return r.commit()
	}
	return nil
}

func columnNames(t *CopyTable) []any {
	names := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

func (r *Restore) commit() error {
	tx := r.tx
	r.tx, r.unsent = nil, 0
	if tx == nil {
		return nil
	}
	return tx.Commit()
}

func (r *Restore) flush(ctx context.Context) error {
	if err := r.send(ctx); err != nil {
		return err
	}
	return r.commit()
}

// RevokeTokens ends every API token of the copy, and gives how many were alive. It
// belongs before Finish: afterwards servers start, and would let them in.
func (r *Restore) RevokeTokens(ctx context.Context, now time.Time) (int, error) {
	if err := r.flush(ctx); err != nil {
		return 0, err
	}
	alive := goqu.C("revoked_at").IsNull()
	n, _, err := one(ctx, r.conn, dialect.From("api_tokens").Select(goqu.COUNT("*")).Where(alive), scanInt)
	if err == nil {
		err = exec(ctx, r.conn, dialect.Update("api_tokens").Set(goqu.Record{"revoked_at": now.UTC().Truncate(time.Microsecond)}).Where(alive))
	}
	if err != nil {
		return 0, fmt.Errorf("revoke API tokens: %w", err)
	}
	return n, nil
}

// Finish makes the database one that servers start on, with an epoch of its own, so
// that no cursor of before counts, and brings it to the newest version. Call it when
// the copy has proved whole.
func (r *Restore) Finish(ctx context.Context) (epoch uint64, err error) {
	if err := r.flush(ctx); err != nil {
		return 0, err
	}
	if err := r.alone(ctx); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(r.tables, func(t CopyTable) bool { return t.Name == feedState })
	if i < 0 || len(r.state) != len(r.tables[i].Columns) {
		return 0, fmt.Errorf("the copy has no row of %s", feedState)
	}
	r.table = &r.tables[i]
	values, _, err := r.values(r.state)
	if err != nil {
		return 0, err
	}
	at := slices.IndexFunc(r.table.Columns, func(c CopyColumn) bool { return c.Name == "epoch" })
	if at < 0 {
		return 0, errors.New("the copy has no epoch")
	}
	was, _ := values[at].(int64)
	epoch = newEpoch(uint64(was)) //nolint:gosec // never negative
	values[at] = epoch
	if err := exec(ctx, r.conn, dialect.Insert(feedState).Cols(columnNames(r.table)...).Vals(values)); err != nil {
		return 0, fmt.Errorf("restore %s: %w", feedState, err)
	}
	_, err = migrateTo(ctx, r.handle, math.MaxInt64)
	return epoch, err
}

// Close lets go of the database. Without Finish no server starts on it.
func (r *Restore) Close() {
	if r.tx != nil {
		_ = r.tx.Rollback() // what is there serves nobody
	}
	if r.conn != nil {
		endSession(r.conn)
	}
	_ = r.handle.Close() // nothing is buffered
}

// maxEpoch is 2^53, so that an epoch is exact in every client.
const maxEpoch = 1 << 53

func newEpoch(old uint64) uint64 {
	for {
		if epoch := 1 + rand.Uint64N(maxEpoch-1); epoch != old { //nolint:gosec // a name, no secret
			return epoch
		}
	}
}

// NewEpoch makes every cursor that was ever given out invalid: whoever resumes is
// told CURSOR_EXPIRED with the reason epoch. It is for a database that was put back
// by other means than ours. The journal says so, with the action.
func (s *Store) NewEpoch(ctx context.Context) (old, now uint64, err error) {
	err = s.change(ctx, monitor.SystemActor, monitor.ActionFeedEpoch, func(t *tx) error {
		st := dialect.From(feedState).Select("epoch").Where(goqu.C("id").Eq(1)).ForUpdate(goqu.Wait)
		var found bool
		if old, found, err = one(ctx, t, st, func(r scanner) (n uint64, err error) { return n, r.Scan(&n) }); err != nil || !found {
			return fmt.Errorf("lock feed state: found %t: %w", found, err)
		}
		now = newEpoch(old)
		t.noted = true
		return exec(ctx, t, dialect.Update(feedState).Set(goqu.Record{"epoch": now}).Where(goqu.C("id").Eq(1)))
	})
	return old, now, err
}

// NoteRestore writes into the journal that it goes on behind a restore.
func (s *Store) NoteRestore(ctx context.Context) error {
	return s.change(ctx, monitor.SystemActor, monitor.ActionRestore, func(t *tx) error {
		t.noted = true
		return nil
	})
}
