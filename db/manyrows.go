package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// manyRows is an INSERT of many rows with the same columns. goqu writes it for one row, and
// that row's tuple is repeated: built by reflection, a row of events took as long as all
// rules take for it.
type manyRows struct {
	columns []string
	oneRow  string
	tuple   string
}

// newManyRows panics where goqu writes something else than it is taken for.
func newManyRows(table string, columns ...string) *manyRows {
	m := &manyRows{columns: columns, tuple: "(?" + strings.Repeat(", ?", len(columns)-1) + ")"}
	names, zeros := make([]any, len(columns)), make([]any, len(columns))
	for i, name := range columns {
		names[i], zeros[i] = name, 0
	}
	var err error
	if m.oneRow, _, err = dialect.Insert(table).Cols(names...).Vals(zeros).ToSQL(); err != nil || !strings.HasSuffix(m.oneRow, " VALUES "+m.tuple) {
		panic(fmt.Sprintf("insert into %s: %q, %v", table, m.oneRow, err))
	}
	return m
}

// textOf gives the statement for so many rows.
func (m *manyRows) textOf(rows int) string {
	return m.oneRow + strings.Repeat(", "+m.tuple, rows-1)
}

// of gives the statement for the values of its rows, one behind the other.
func (m *manyRows) of(values []any) written {
	return written{m.textOf(len(values) / len(m.columns)), values}
}

// ofMissing gives the statement that leaves rows alone that are there.
func (m *manyRows) ofMissing(values []any) written {
	st := m.of(values)
	st.text += " ON DUPLICATE KEY UPDATE `" + m.columns[0] + "`=`" + m.columns[0] + "`"
	return st
}

// prepared is a statement that the server has parsed, on each connection that it is
// used on. Its values are sent as they are: a server takes half the time for them that
// it takes to read them out of a statement's text.
type prepared struct {
	text string
	mu   sync.Mutex
	stmt *sql.Stmt
}

// on gives the statement, nil where the server has too many. It takes a connection the first time: not for use within a
// transaction.
func (p *prepared) on(ctx context.Context, pool *pool) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stmt == nil {
		stmt, err := pool.PrepareContext(ctx, p.text)
		if hasNumber(err, 1461) {
			return nil, nil //nolint:nilnil // as text, then
		}
		if err != nil {
			return nil, fmt.Errorf("prepare: %w", away(err))
		}
		p.stmt = stmt // ends with the pool
	}
	return p.stmt, nil
}

// errNotPrepared says that a statement has to be sent as text. Its transaction goes on.
var errNotPrepared = errors.New("the statement is not prepared")

// execPrepared runs a statement of the pool's within the transaction. A server gives
// up on a prepared statement whose table is altered again and again (by partitions that
// are made or dropped) or falls out of its cache of definitions, has a bound of prepared
// statements, and proxies before it may lose them.
func (t *tx) execPrepared(ctx context.Context, text string, stmt *sql.Stmt, values []any) error {
	_, err := measured(t.span.Within(ctx), t.meter, text, func(ctx context.Context) (sql.Result, error) {
		return t.StmtContext(ctx, stmt).ExecContext(ctx, values...) //nolint:sqlclosecheck // it ends with the transaction
	})
	if hasNumber(err, 1615) || hasNumber(err, 1461) || hasNumber(err, 1243) { // to be prepared anew, too many, unknown
		return errNotPrepared
	}
	return away(err)
}
