package db

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// column says how a filter field stands in a table.
type column struct {
	names []string // several for a virtual field such as text
	// folded columns are stored in lower case; others are folded by the query.
	folded bool
	// rank columns keep a severity by its rank.
	rank bool
	// upper columns are lists of words in upper case.
	upper bool
}

// condition turns a predicate into SQL over the given columns. Relative times
// count from now. It says the same as Predicate.Matches; a property test holds
// the two together.
func condition(p *monitor.Predicate, columns map[monitor.FilterField]column, now time.Time) exp.Expression {
	var all []exp.Expression
	for i := range p.Tests {
		all = append(all, testSQL(&p.Tests[i], columns, now))
	}
	for i := range p.All {
		all = append(all, condition(&p.All[i], columns, now))
	}
	if p.Not != nil {
		all = append(all, goqu.L("NOT (?)", condition(p.Not, columns, now)))
	}
	if p.Any != nil {
		anyOf := []exp.Expression{never}
		for i := range p.Any {
			anyOf = append(anyOf, condition(&p.Any[i], columns, now))
		}
		all = append(all, goqu.Or(anyOf...))
	}
	if len(all) == 0 {
		return goqu.L("1 = 1")
	}
	return goqu.And(all...)
}

var never = goqu.L("1 = 0")

func testSQL(t *monitor.Test, columns map[monitor.FilterField]column, now time.Time) exp.Expression {
	if path, ok := monitor.RawPath(t.Field); ok {
		return rawTest(t, path)
	}
	col, ok := columns[t.Field]
	if !ok {
		panic(fmt.Sprintf("db: filter field %s has no column", t.Field)) // a programming error
	}
	parts := make([]exp.Expression, len(col.names))
	for i, name := range col.names {
		parts[i] = columnTest(t, col, goqu.C(name), now)
	}
	if t.Op == monitor.TextExists && !t.Exists {
		return goqu.And(parts...) // empty means that all of them are
	}
	return goqu.Or(parts...)
}

// rawTest compares what stands at a path of the raw record.
func rawTest(t *monitor.Test, path string) exp.Expression {
	if t.Op == monitor.TextExists && !t.Exists {
		there := *t
		there.Exists = true
		return goqu.L("NOT (?)", rawTest(&there, path))
	}
	var anyOf []exp.Expression
	for _, names := range monitor.RawPaths(path) {
		at := goqu.Func("JSON_EXTRACT", goqu.C("raw"), jsonPath(names))
		text := goqu.L("LOWER(JSON_UNQUOTE(?)) COLLATE utf8mb4_bin", at)
		var holds exp.Expression
		switch t.Op {
		case monitor.TextIn:
			holds = inList(text, t.Texts)
		case monitor.TextContains:
			holds = text.Like("%" + escapeLike(t.Texts[0]) + "%")
		case monitor.TextPrefix:
			holds = text.Like(escapeLike(t.Texts[0]) + "%")
		case monitor.TextExists:
			holds = text.Neq("")
		default:
			panic(fmt.Sprintf("db: filter operator %d has no SQL for the raw record", t.Op)) // a programming error
		}
		// A path that leads nowhere gives NULL, which is false here.
		anyOf = append(anyOf, goqu.L("COALESCE(JSON_TYPE(?) NOT IN ('ARRAY', 'OBJECT', 'NULL') AND ?, FALSE)", at, holds))
	}
	return goqu.Or(anyOf...)
}

// jsonPath writes names within one another as the database's JSON path.
func jsonPath(names []string) string {
	path := "$"
	for _, name := range names {
		path += `."` + name + `"` // which has neither quotes nor backslashes
	}
	return path
}

func columnTest(t *monitor.Test, col column, c exp.IdentifierExpression, now time.Time) exp.Expression {
	switch t.Op {
	case monitor.TextIn:
		if col.folded {
			return inList(c, t.Texts)
		}
		return inList(goqu.Func("LOWER", c), t.Texts)
	case monitor.TextContains:
		return like(c, col, "%"+escapeLike(t.Texts[0])+"%")
	case monitor.TextPrefix:
		return like(c, col, escapeLike(t.Texts[0])+"%")
	case monitor.TextExists:
		if t.Exists {
			return c.Neq("")
		}
		return c.Eq("")
	case monitor.EnumIn:
		if col.rank {
			return inList(c, ranks(t.Texts))
		}
		return inList(c, t.Texts)
	case monitor.NumberIn:
		return inList(c, t.Nums)
	case monitor.NumberGTE:
		return c.Gte(t.Number)
	case monitor.NumberLTE:
		return c.Lte(t.Number)
	case monitor.TimeGT:
		return c.Gt(floor(t.Time.At(now)))
	case monitor.TimeGTE:
		return c.Gte(ceil(t.Time.At(now)))
	case monitor.TimeLT:
		return c.Lt(ceil(t.Time.At(now)))
	case monitor.TimeLTE:
		return c.Lte(floor(t.Time.At(now)))
	case monitor.IPIn:
		return ipIn(c, t.Nets)
	case monitor.IPExists, monitor.IDExists:
		if t.Exists {
			return c.IsNotNull()
		}
		return c.IsNull()
	case monitor.IDIn:
		ids := make([][]byte, len(t.IDs))
		for i := range t.IDs {
			ids[i] = t.IDs[i][:]
		}
		return notNull(c, inList(c, ids))
	case monitor.ListHasAny:
		return listHasAny(c, col, t.Texts)
	default:
		panic(fmt.Sprintf("db: filter operator %d has no SQL", t.Op)) // a programming error
	}
}

// inList is IN, or what holds for nothing when the list is empty.
func inList[T any](c exp.Inable, values []T) exp.Expression {
	if len(values) == 0 {
		return never
	}
	return c.In(values)
}

// notNull keeps three-valued logic out: NOT over a test of NULL has to hold.
func notNull(c exp.IdentifierExpression, test exp.Expression) exp.Expression {
	return goqu.And(c.IsNotNull(), test)
}

func like(c exp.IdentifierExpression, col column, pattern string) exp.Expression {
	if col.folded {
		return c.Like(pattern)
	}
	return goqu.Func("LOWER", c).Like(pattern)
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func escapeLike(text string) string { return likeEscaper.Replace(text) }

func ranks(names []string) []int {
	out := make([]int, len(names))
	for i, name := range names {
		out[i] = monitor.Severity(name).Rank()
	}
	return out
}

// floor and ceil fit a bound to the columns' microseconds.
func floor(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

func ceil(at time.Time) time.Time {
	if down := floor(at); !down.Equal(at) {
		return down.Add(time.Microsecond)
	}
	return floor(at)
}

// Where IPv4 addresses stand among the 16-byte ones.
var (
	firstMapped = netip.MustParseAddr("::ffff:0.0.0.0")
	lastMapped  = netip.MustParseAddr("::ffff:255.255.255.255")
)

// ipIn asks for addresses in one of the networks: ranges of the 16-byte form.
func ipIn(c exp.IdentifierExpression, nets []netip.Prefix) exp.Expression {
	anyOf := []exp.Expression{never}
	for _, n := range nets {
		first := n.Masked().Addr().As16()
		last := first
		bits := n.Bits()
		if n.Addr().Is4() {
			bits += 96
		}
		for i := range last {
			if free := min(8, (i+1)*8-bits); free > 0 {
				last[i] |= byte(math.MaxUint8 >> (8 - free))
			}
		}
		within := goqu.And(c.Gte(first[:]), c.Lte(last[:]))
		if n.Addr().Is6() && n.Contains(firstMapped) { // an IPv6 network such as ::/0 holds no IPv4 address
			within = goqu.And(within, goqu.Or(c.Lt(firstMapped.AsSlice()), c.Gt(lastMapped.AsSlice())))
		}
		anyOf = append(anyOf, within)
	}
	return notNull(c, goqu.Or(anyOf...))
}

func listHasAny(c exp.IdentifierExpression, col column, words []string) exp.Expression {
	anyOf := []exp.Expression{never}
	for _, word := range words {
		if col.upper {
			word = strings.ToUpper(word)
		}
		quoted, err := json.Marshal(word)
		if err != nil {
			panic(fmt.Sprintf("db: a string has no JSON form: %v", err)) // cannot be
		}
		anyOf = append(anyOf, goqu.L("JSON_CONTAINS(?, ?)", c, string(quoted)))
	}
	return goqu.Or(anyOf...)
}

// coarse columns have so few values that a page in the middle of one of them has to
// begin at the columns behind it.
var coarse = map[string]bool{"severity": true, "day": true}

// before asks for the rows behind a key in a descending order of its columns, in a
// form in which the index is used as far as it is of use. `a <= ? AND (a < ? OR ...)`
// uses the first column only; `a < ? OR a = ? AND ...` the next too, and costs the
// optimizer a look at each range in each partition.
func before(names []string, key []any) exp.Expression {
	return beyond(names, key, func(c exp.IdentifierExpression, v any) (past, upTo exp.Expression) { return c.Lt(v), c.Lte(v) })
}

// after is before for an ascending order.
func after(names []string, key []any) exp.Expression {
	return beyond(names, key, func(c exp.IdentifierExpression, v any) (past, upTo exp.Expression) { return c.Gt(v), c.Gte(v) })
}

func beyond(names []string, key []any, sides func(exp.IdentifierExpression, any) (past, upTo exp.Expression)) exp.Expression {
	c := goqu.C(names[0])
	past, upTo := sides(c, key[0])
	if len(names) == 1 {
		return past
	}
	rest := beyond(names[1:], key[1:], sides)
	if coarse[names[0]] {
		return goqu.Or(past, goqu.And(c.Eq(key[0]), rest))
	}
	return goqu.And(upTo, goqu.Or(past, rest))
}

func ascending(names []string) []exp.OrderedExpression {
	out := make([]exp.OrderedExpression, len(names))
	for i, name := range names {
		out[i] = goqu.C(name).Asc()
	}
	return out
}

func descending(names []string) []exp.OrderedExpression {
	order := make([]exp.OrderedExpression, len(names))
	for i, name := range names {
		order[i] = goqu.C(name).Desc()
	}
	return order
}

func columnList(names []string) []any {
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = goqu.C(name)
	}
	return list
}

// newestFirst orders rows by their creation, latest first, and begins behind the
// cursor of a page, which is made of created_at and id.
func newestFirst(st *goqu.SelectDataset, args page.Args) (*goqu.SelectDataset, error) {
	keys := []string{"created_at", "id"}
	st = st.Order(descending(keys)...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After == "" {
		return st, nil
	}
	var at time.Time
	var id monitor.ID
	if err := page.DecodeCursor(args.After, &at, &id); err != nil {
		return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
	}
	return st.Where(before(keys, []any{at, id[:]})), nil
}
