package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/doug-martin/goqu/v9/exp"
	"github.com/security-monitor/secmon/monitor"
)

// Kinds of values that a copy of a table tells apart.
const (
	valueText  = "text"
	valueBytes = "bytes"
	valueInt   = "int"
	valueFloat = "float"
	valueTime  = "time"
)

// CopyColumn is a column of a table that is copied.
type CopyColumn struct{ Name, Kind string }

// CopyTable is a table that is copied: its columns, without those that the server
// computes from others.
type CopyTable struct {
	Name    string
	Columns []CopyColumn

	key []int // columns of the primary key, in its order
}

// notCopied are the tables that a copy leaves out, and why.
var notCopied = map[string]string{
	versionTable: "the restore makes it",
	"sessions":   "a login that was ended meanwhile must not come to life again: everybody logs in anew",
	"exports":    "links that last minutes, and end with the login that made them",
}

// Snapshot is the whole state at one instant, on a connection of its own. While it
// is open the shape of tables does not change: migrations and the deletion of old
// events wait, nothing else does.
type Snapshot struct {
	Tables []CopyTable
	Chain  Chain // of the journal
	Schema int64 // number of the newest migration
	At     time.Time
	Server string   // version of the database
	Days   []string // partitions of events, as 2026-11-27

	conn       *sql.Conn
	partitions []string // of events, when it began
}

// Snapshot begins a snapshot. Close ends it.
func (s *Store) Snapshot(ctx context.Context) (_ *Snapshot, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", away(err))
	}
	p := &Snapshot{conn: conn}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if err := lockShape(ctx, conn, shapeWait); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	// The server's default may be READ COMMITTED, which has no snapshot.
	for _, statement := range []string{"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return nil, fmt.Errorf("snapshot: %w", err)
		}
	}
	p.At = s.now()
	if err := p.describe(ctx); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return p, nil
}

// Close lets go of the snapshot.
func (p *Snapshot) Close() { endSession(p.conn) }

func (p *Snapshot) describe(ctx context.Context) error {
	if err := p.conn.QueryRowContext(ctx, "SELECT VERSION()").Scan(&p.Server); err != nil {
		return err
	}
	version := dialect.From(versionTable).Select(goqu.MAX("version_id")).Where(goqu.C("is_applied").Eq(1))
	schema, found, err := one(ctx, p.conn, version, scanInt)
	if err != nil || !found {
		return fmt.Errorf("read version of the schema: %w", err)
	}
	p.Schema = int64(schema)
	is, err := extent(ctx, p.conn)
	if err != nil {
		return err
	}
	p.Chain = Chain{Epoch: is.epoch, Begin: is.trimmed, BeginHash: is.hash, End: is.head, EndHash: is.headHash}
	if p.Tables, err = describeTables(ctx, p.conn); err != nil {
		return err
	}
	names, err := partitions(ctx, p.conn)
	if err != nil {
		return err
	}
	p.partitions = names
	for _, name := range names {
		if day, err := time.Parse(partitionName, name); err == nil {
			p.Days = append(p.Days, day.Format(time.DateOnly))
		}
	}
	return nil
}

// describeTables gives all tables that are copied, as the server describes them:
// one that a later migration makes is not forgotten.
func describeTables(ctx context.Context, r runner) ([]CopyTable, error) {
	type column struct{ table, name, kind, extra string }
	st := dialect.From(goqu.S("information_schema").Table("COLUMNS").As("c")).
		Join(goqu.S("information_schema").Table("TABLES").As("t"), goqu.On(goqu.I("t.TABLE_SCHEMA").Eq(goqu.I("c.TABLE_SCHEMA")), goqu.I("t.TABLE_NAME").Eq(goqu.I("c.TABLE_NAME")))).
		Select("c.TABLE_NAME", "c.COLUMN_NAME", "c.DATA_TYPE", "c.EXTRA").
		Where(goqu.I("c.TABLE_SCHEMA").Eq(goqu.L("DATABASE()")), goqu.I("t.TABLE_TYPE").Eq("BASE TABLE")).
		Order(goqu.I("c.TABLE_NAME").Asc(), goqu.I("c.ORDINAL_POSITION").Asc())
	columns, err := query(ctx, r, st, func(r scanner) (c column, err error) {
		return c, r.Scan(&c.table, &c.name, &c.kind, &c.extra)
	})
	if err != nil {
		return nil, fmt.Errorf("describe tables: %w", err)
	}
	keys, err := primaryKeys(ctx, r)
	if err != nil {
		return nil, err
	}
	var tables []CopyTable
	for _, c := range columns {
		computed := strings.Contains(c.extra, "STORED GENERATED") || strings.Contains(c.extra, "VIRTUAL GENERATED")
		if _, left := notCopied[c.table]; left || computed {
			continue
		}
		if len(tables) == 0 || tables[len(tables)-1].Name != c.table {
			tables = append(tables, CopyTable{Name: c.table})
		}
		t := &tables[len(tables)-1]
		t.Columns = append(t.Columns, CopyColumn{c.name, valueKind(c.kind)})
	}
	for i := range tables {
		t := &tables[i]
		for _, name := range keys[t.Name] {
			t.key = append(t.key, slices.IndexFunc(t.Columns, func(c CopyColumn) bool { return c.Name == name }))
		}
		if len(t.key) == 0 {
			return nil, fmt.Errorf("table %s has no primary key to read it by", t.Name)
		}
	}
	return tables, nil
}

func primaryKeys(ctx context.Context, r runner) (map[string][]string, error) {
	st := dialect.From(goqu.S("information_schema").Table("STATISTICS")).Select("TABLE_NAME", "COLUMN_NAME").
		Where(goqu.C("TABLE_SCHEMA").Eq(goqu.L("DATABASE()")), goqu.C("INDEX_NAME").Eq("PRIMARY")).Order(goqu.C("TABLE_NAME").Asc(), goqu.C("SEQ_IN_INDEX").Asc())
	keys := map[string][]string{}
	_, err := query(ctx, r, st, func(r scanner) (none struct{}, err error) {
		var table, column string
		err = r.Scan(&table, &column)
		keys[table] = append(keys[table], column)
		return none, err
	})
	if err != nil {
		return nil, fmt.Errorf("describe keys: %w", err)
	}
	return keys, nil
}

func valueKind(dataType string) string {
	switch {
	case strings.HasSuffix(dataType, "binary"), strings.HasSuffix(dataType, "blob"):
		return valueBytes
	case strings.HasSuffix(dataType, "int"):
		return valueInt
	case dataType == "double", dataType == "float":
		return valueFloat
	case dataType == "date", dataType == "datetime", dataType == "timestamp":
		return valueTime
	}
	return valueText
}

// A page of a copy holds so many rows, or bytes, whichever comes first.
const (
	copyRows  = 2_000
	copyBytes = 4 << 20
)

// undisturbed refuses when partitions of events have come or gone meanwhile, by
// somebody whom the lock does not hold (the primary of the replica that is read):
// rows of a dropped one are silently not there, snapshot or not.
func (p *Snapshot) undisturbed(ctx context.Context, table string) error {
	if table != "events" {
		return nil
	}
	names, err := partitions(ctx, p.conn)
	if err == nil && !slices.Equal(names, p.partitions) {
		err = monitor.Errorf(monitor.CodeConflict, "partitions of events were changed while they were copied: make the backup again, or from the primary")
	}
	return err
}

// Rows calls f for every row of a table of the snapshot, in the order of its key. A
// row is valid until f returns. Memory holds one page, which is read to its end
// before f gets it: a slow f does not make the server wait.
func (p *Snapshot) Rows(ctx context.Context, table string, f func(row [][]byte) error) error {
	i := slices.IndexFunc(p.Tables, func(t CopyTable) bool { return t.Name == table })
	if i < 0 {
		return fmt.Errorf("there is no table %s in the snapshot", table)
	}
	t := &p.Tables[i]
	// The key (a, b, c) is walked in ranges that its index has: behind the last row
	// come first those with the same a and b, then those with the same a, then all.
	var last [][]byte
	limit, equal := 64, 0
	for {
		rows, whole, err := p.page(ctx, t, last, equal, limit)
		if err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
		for _, row := range rows {
			if err := f(row); err != nil {
				return err
			}
		}
		if len(rows) > 0 {
			last = rows[len(rows)-1]
		}
		switch {
		case !whole:
			limit, equal = max(1, len(rows)), len(t.key)-1
		case len(rows) == limit:
			limit, equal = min(2*limit, copyRows), len(t.key)-1
		case equal == 0:
			return p.undisturbed(ctx, table)
		default:
			equal-- // there are no more with so many columns the same
		}
	}
}

// page gives the rows behind last that have its first columns of the key; whole is
// false when they were cut at copyBytes.
func (p *Snapshot) page(ctx context.Context, t *CopyTable, last [][]byte, equal, limit int) (rows [][][]byte, whole bool, err error) {
	columns := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = goqu.C(c.Name)
	}
	st := dialect.From(t.Name).Select(columns...).Limit(uint(limit)) //nolint:gosec // copyRows at most
	var order []exp.OrderedExpression
	for i, k := range t.key {
		column := goqu.C(t.Columns[k].Name)
		order = append(order, column.Asc())
		if last == nil || i > equal {
			continue
		}
		value, err := copyValue(t.Columns[k].Kind, last[k])
		if err != nil {
			return nil, false, err
		}
		if i < equal {
			st = st.Where(column.Eq(value))
		} else {
			st = st.Where(column.Gt(value))
		}
	}
	size := 0
	rows, err = queryWhile(ctx, p.conn, st.Order(order...), func(r scanner) ([][]byte, error) { return scanCopy(r, len(t.Columns)) }, func(row [][]byte) bool {
		for _, value := range row {
			size += len(value)
		}
		return size < copyBytes
	})
	return rows, size < copyBytes, err
}

// scanCopy gives the values of a row as text or bytes, nil for NULL.
func scanCopy(r scanner, n int) ([][]byte, error) {
	values, into := make([]any, n), make([]any, n)
	for i := range values {
		into[i] = &values[i]
	}
	if err := r.Scan(into...); err != nil {
		return nil, err
	}
	row := make([][]byte, n)
	for i, value := range values {
		switch v := value.(type) {
		case nil:
		case []byte:
			row[i] = v
			if v == nil {
				row[i] = []byte{}
			}
		case string:
			row[i] = []byte(v)
		case int64:
			row[i] = strconv.AppendInt(nil, v, 10)
		case uint64:
			row[i] = strconv.AppendUint(nil, v, 10)
		case float32:
			row[i] = strconv.AppendFloat(nil, float64(v), 'g', -1, 32)
		case float64:
			row[i] = strconv.AppendFloat(nil, v, 'g', -1, 64)
		case time.Time:
			row[i] = []byte(v.Format("2006-01-02 15:04:05.999999"))
		default:
			return nil, fmt.Errorf("a value of type %T", value)
		}
	}
	return row, nil
}

// copyValue gives a value back to the database.
func copyValue(kind string, value []byte) (any, error) {
	if value == nil {
		return nil, nil //nolint:nilnil // NULL
	}
	switch kind {
	case valueBytes:
		return value, nil
	case valueInt:
		if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			return n, nil
		}
		return strconv.ParseUint(string(value), 10, 64)
	case valueFloat:
		return strconv.ParseFloat(string(value), 64)
	case valueText, valueTime:
		return string(value), nil // JSON and text would be refused, or taken for another character set, as bytes
	}
	return nil, fmt.Errorf("a value of the unknown kind %q", kind)
}
