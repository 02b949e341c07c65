package db

import (
	"fmt"
	"strings"
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

// of gives the statement for the values of its rows, one behind the other.
func (m *manyRows) of(values []any) written {
	return written{m.oneRow + strings.Repeat(", "+m.tuple, len(values)/len(m.columns)-1), values}
}
