package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"github.com/security-monitor/secmon/monitor"
)

// aggregated is a table that rows are counted of.
type aggregated struct {
	table  string
	time   string // the column by which the latest rows are taken, and series are made
	fields map[monitor.AggregateField]valueColumn
}

// valueColumn is a column that rows are counted by.
type valueColumn struct {
	name  string
	shape valueShape
}

type valueShape int

const (
	textValue valueShape = iota
	addressValue
	severityValue
	ruleValue // shown as the graph's id of a rule
	userValue // shown as the graph's id of a user
)

var aggregatedEvents = aggregated{"events", "occurred_at", map[monitor.AggregateField]valueColumn{
	"HOST": {name: "host"}, "USER": {name: "user"}, "ACTION": {name: "action"}, "CLASS": {name: "class"}, "OUTCOME": {name: "outcome"},
	"PRODUCT": {name: "product"}, "CATEGORY": {name: "category"}, "SERVICE": {name: "service"}, "FORMAT": {name: "format"},
	"PROCESS": {name: "process"}, "FILE_HASH": {name: "file_hash"}, "FILE_PATH": {name: "file_path"}, "DOMAIN": {name: "domain"},
	"SEVERITY": {"severity", severityValue}, "SOURCE_IP": {"src_ip", addressValue}, "DESTINATION_IP": {"dst_ip", addressValue},
}}

var aggregatedAlerts = aggregated{"alerts", "last_seen", map[monitor.AggregateField]valueColumn{
	"HOST": {name: "host"}, "USER": {name: "user"}, "STATUS": {name: "status"}, "DISPOSITION": {name: "disposition"}, "PROCESS": {name: "process"},
	"FILE_HASH": {name: "file_hash"}, "TITLE": {name: "title"}, "SEVERITY": {"severity", severityValue},
	"SOURCE_IP": {"src_ip", addressValue}, "DESTINATION_IP": {"dst_ip", addressValue}, "RULE": {"rule_id", ruleValue}, "ASSIGNEE": {"assignee_id", userValue},
}}

// EventTop gives the commonest values of a field among the latest events that match.
func (s *Store) EventTop(ctx context.Context, filter *monitor.EventFilter, field monitor.AggregateField, first int) (*monitor.TopValues, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	return s.top(ctx, aggregatedEvents, condition(&p, eventFilterColumns, s.now()), field, first)
}

// AlertTop gives the commonest values of a field among the latest alerts that match.
func (s *Store) AlertTop(ctx context.Context, filter *monitor.AlertFilter, field monitor.AggregateField, first int) (*monitor.TopValues, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	return s.top(ctx, aggregatedAlerts, condition(&p, alertFilterColumns, s.now()), field, first)
}

// EventTimeSeries counts the events that match by when they happened; with a field
// one line for each of its commonest values.
func (s *Store) EventTimeSeries(ctx context.Context, filter *monitor.EventFilter, bounds monitor.SeriesBounds, field *monitor.AggregateField) (*monitor.TimeSeries, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	return s.series(ctx, aggregatedEvents, condition(&p, eventFilterColumns, s.now()), bounds, field)
}

// AlertTimeSeries counts the alerts that match by when they last matched.
func (s *Store) AlertTimeSeries(ctx context.Context, filter *monitor.AlertFilter, bounds monitor.SeriesBounds, field *monitor.AggregateField) (*monitor.TimeSeries, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	return s.series(ctx, aggregatedAlerts, condition(&p, alertFilterColumns, s.now()), bounds, field)
}

// EventCount counts the events that match, up to monitor.MaxAggregated.
func (s *Store) EventCount(ctx context.Context, filter *monitor.EventFilter) (n int, isEstimate bool, err error) {
	p, err := filter.Compile()
	if err != nil {
		return 0, false, err
	}
	some := dialect.From("events").Select(goqu.L("1")).Where(condition(&p, eventFilterColumns, s.now())).Limit(monitor.MaxAggregated + 1)
	n, _, err = one(ctx, s.db, dialect.From(some.As("m")).Select(goqu.COUNT(goqu.Star())), scanInt)
	if err != nil {
		return 0, false, fmt.Errorf("count events: %w", err)
	}
	return min(n, monitor.MaxAggregated), n > monitor.MaxAggregated, nil
}

func (a *aggregated) column(field monitor.AggregateField) (valueColumn, error) {
	c, ok := a.fields[field]
	if !ok {
		return c, monitor.Errorf(monitor.CodeBadInput, "%s cannot be counted by %q", a.table, field)
	}
	return c, nil
}

// latest selects a column and the time of the latest rows, at most one more than
// are counted.
func (a *aggregated) latest(column string, where ...goqu.Expression) *goqu.SelectDataset {
	return dialect.From(a.table).Select(goqu.C(column).As("v"), goqu.C(a.time).As("at")).Where(where...).
		Order(goqu.C(a.time).Desc()).Limit(monitor.MaxAggregated + 1)
}

// valued leaves rows that have a value.
func (c valueColumn) valued() goqu.Expression {
	if c.shape == textValue {
		return goqu.C(c.name).Neq("")
	}
	return goqu.C(c.name).IsNotNull()
}

func (s *Store) top(ctx context.Context, a aggregated, where goqu.Expression, field monitor.AggregateField, first int) (*monitor.TopValues, error) {
	c, err := a.column(field)
	if err != nil {
		return nil, err
	}
	if first < 1 || first > monitor.MaxTop {
		return nil, monitor.Errorf(monitor.CodeBadInput, "first must be between 1 and %d, got %d", monitor.MaxTop, first)
	}
	out := &monitor.TopValues{}
	st := dialect.From(a.latest(c.name, where, c.valued()).As("m")).
		Select("v", goqu.L("COUNT(*) AS n"), goqu.L("SUM(COUNT(*)) OVER () AS total")).
		GroupBy("v").Order(goqu.C("n").Desc(), goqu.C("v").Asc()).Limit(uint(first)) //nolint:gosec // checked above
	out.Values, err = query(ctx, s.db, st, func(r scanner) (*monitor.ValueCount, error) {
		v := &monitor.ValueCount{}
		return v, r.Scan(c.into(&v.Value), &v.Count, &out.Total)
	})
	if err != nil {
		return nil, fmt.Errorf("count %s by %s: %w", a.table, field, err)
	}
	if out.Total > monitor.MaxAggregated {
		out.IsEstimate = true
	}
	return out, nil
}

// EventGroups counts the latest events that match by up to monitor.MaxGroupBy fields.
func (s *Store) EventGroups(ctx context.Context, filter *monitor.EventFilter, by []monitor.AggregateField, first int) (*monitor.EventGroups, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	switch {
	case len(by) < 1 || len(by) > monitor.MaxGroupBy:
		return nil, monitor.Errorf(monitor.CodeBadInput, "events are grouped by 1 to %d fields, not %d", monitor.MaxGroupBy, len(by))
	case first < 1 || first > monitor.MaxTop:
		return nil, monitor.Errorf(monitor.CodeBadInput, "first must be between 1 and %d, got %d", monitor.MaxTop, first)
	}
	a := aggregatedEvents
	columns := make([]valueColumn, len(by))
	inner, keys := []any{goqu.C(a.time).As("at")}, make([]any, len(by))
	for i, field := range by {
		if slices.Contains(by[:i], field) {
			return nil, monitor.Errorf(monitor.CodeBadInput, "%s is named twice", field)
		}
		if columns[i], err = a.column(field); err != nil {
			return nil, err
		}
		name := fmt.Sprintf("v%d", i)
		inner, keys[i] = append(inner, goqu.C(columns[i].name).As(name)), goqu.C(name)
	}
	rows := dialect.From(a.table).Select(inner...).Where(condition(&p, eventFilterColumns, s.now())).Order(goqu.C(a.time).Desc()).Limit(monitor.MaxAggregated + 1)
	order := []exp.OrderedExpression{goqu.C("n").Desc(), goqu.C("last").Desc()}
	st := dialect.From(rows.As("m")).
		Select(append(keys[:len(keys):len(keys)], goqu.L("COUNT(*) AS n"), goqu.L("SUM(COUNT(*)) OVER () AS total"), goqu.L("MIN(`at`) AS `first`"), goqu.L("MAX(`at`) AS `last`"))...).
		GroupBy(keys...).Order(order...).Limit(uint(first)) //nolint:gosec // checked above
	out := &monitor.EventGroups{Groups: []*monitor.EventGroup{}}
	out.Groups, err = query(ctx, s.db, st, func(r scanner) (*monitor.EventGroup, error) {
		g := &monitor.EventGroup{Values: make([]*string, len(columns))}
		texts, dest := make([]string, len(columns)), make([]any, len(columns))
		for i, c := range columns {
			dest[i] = orNothing{c.into(&texts[i])}
		}
		err := r.Scan(append(dest, &g.Count, &out.Total, timeColumn{&g.FirstSeen}, timeColumn{&g.LastSeen})...)
		for i := range texts {
			if texts[i] != "" {
				g.Values[i] = &texts[i]
			}
		}
		return g, err
	})
	if err != nil {
		return nil, fmt.Errorf("group events: %w", err)
	}
	out.IsEstimate = out.Total > monitor.MaxAggregated
	return out, nil
}

// orNothing scans into what into gave, and leaves it as it is for NULL.
type orNothing struct{ dest any }

// Scan implements sql.Scanner.
func (o orNothing) Scan(v any) error {
	if v == nil {
		return nil
	}
	switch dest := o.dest.(type) {
	case sql.Scanner:
		return dest.Scan(v)
	case *string:
		text, ok := v.([]byte)
		*dest = string(text)
		if !ok {
			return fmt.Errorf("%T is no text", v)
		}
		return nil
	default:
		return fmt.Errorf("%T takes no values", dest)
	}
}

// EventSpan counts the events that match, up to monitor.MaxAggregated of the
// latest, and tells from when to when they happened.
func (s *Store) EventSpan(ctx context.Context, filter *monitor.EventFilter) (*monitor.EventSpan, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	a := aggregatedEvents
	st := dialect.From(a.latest(a.time, condition(&p, eventFilterColumns, s.now())).As("m")).
		Select(goqu.COUNT(goqu.Star()), goqu.MIN("at"), goqu.MAX("at"))
	span, _, err := one(ctx, s.db, st, func(r scanner) (*monitor.EventSpan, error) {
		span := &monitor.EventSpan{}
		var first, last time.Time
		err := r.Scan(&span.Count, timeColumn{&first}, timeColumn{&last})
		if !first.IsZero() {
			span.FirstSeen, span.LastSeen = &first, &last
		}
		return span, err
	})
	if err != nil {
		return nil, fmt.Errorf("span of events: %w", err)
	}
	if span.IsEstimate = span.Count > monitor.MaxAggregated; span.IsEstimate {
		span.Count = monitor.MaxAggregated
	}
	return span, nil
}

func (s *Store) series(ctx context.Context, a aggregated, where goqu.Expression, bounds monitor.SeriesBounds, field *monitor.AggregateField) (*monitor.TimeSeries, error) {
	if err := bounds.Check(); err != nil {
		return nil, err
	}
	within := goqu.And(where, goqu.C(a.time).Gte(bounds.From), goqu.C(a.time).Lt(bounds.To))
	column, line := a.time, goqu.L("0")
	var values []*monitor.ValueCount
	if field != nil {
		c, err := a.column(*field)
		if err != nil {
			return nil, err
		}
		top, err := s.top(ctx, a, within, *field, monitor.MaxTop)
		if err != nil {
			return nil, err
		}
		values, column, within = top.Values, c.name, goqu.And(within, c.valued())
		line = goqu.L("?", c.place(values))
	}
	out := monitor.NewTimeSeries(bounds, values, field != nil)
	bucket := goqu.L("FLOOR(TIMESTAMPDIFF(MICROSECOND, ?, `at`) / ?)", bounds.From, bounds.Interval.Microseconds())
	st := dialect.From(a.latest(column, within).As("m")).Select(goqu.L("? AS line", line), goqu.L("? AS bucket", bucket), goqu.L("COUNT(*) AS n")).GroupBy("line", "bucket")
	_, err := query(ctx, s.db, st, func(r scanner) (none struct{}, err error) {
		var line, bucket, n int
		if err := r.Scan(&line, &bucket, &n); err != nil {
			return none, err
		}
		return none, out.Add(min(line, len(out.Series)-1), bucket, n)
	})
	if err != nil {
		return nil, fmt.Errorf("series of %s: %w", a.table, err)
	}
	out.IsEstimate = out.Total > monitor.MaxAggregated
	return out, nil
}

// place gives the line of a row's value: its place among the commonest, or what is
// behind the last of them.
func (c valueColumn) place(values []*monitor.ValueCount) goqu.Expression {
	text, args := "CASE", []any{}
	for i, v := range values {
		text += " WHEN v = ? THEN ?"
		args = append(args, c.from(v.Value), i)
	}
	if len(values) == 0 {
		return goqu.L("0")
	}
	return goqu.L(text+" ELSE ? END", append(args, len(values))...)
}

// into scans a value into the text that people see.
func (c valueColumn) into(text *string) any {
	switch c.shape {
	case addressValue:
		return shownAs(func(raw []byte) {
			if ip, ok := netip.AddrFromSlice(raw); ok {
				*text = ip.Unmap().String()
			}
		})
	case severityValue:
		return severityText{text}
	case ruleValue:
		return globalID(monitor.KindRule, text)
	case userValue:
		return globalID(monitor.KindUser, text)
	default:
		return text
	}
}

// from gives what the database has for the text that people see.
func (c valueColumn) from(text string) any {
	switch c.shape {
	case addressValue:
		ip, _ := netip.ParseAddr(text) // into has written it
		return ipBytes(ip)
	case severityValue:
		return monitor.Severity(text).Rank()
	case ruleValue, userValue:
		kind := monitor.KindRule
		if c.shape == userValue {
			kind = monitor.KindUser
		}
		id, _ := monitor.ParseIDOf(kind, text) // into has written it
		return id[:]
	default:
		return text
	}
}

// globalID scans an id and writes the graph's id of what has it.
func globalID(kind monitor.Kind, text *string) shownAs {
	return func(raw []byte) {
		if len(raw) == len(monitor.ID{}) {
			*text = monitor.GlobalID(kind, monitor.ID(raw).String())
		}
	}
}

// shownAs scans bytes.
type shownAs func(raw []byte)

// Scan implements sql.Scanner.
func (f shownAs) Scan(v any) error {
	raw, ok := v.([]byte)
	if !ok {
		return fmt.Errorf("%T is no bytes", v)
	}
	f(raw)
	return nil
}

type severityText struct{ text *string }

// Scan implements sql.Scanner.
func (s severityText) Scan(v any) error {
	rank, ok := v.(int64)
	if !ok {
		return fmt.Errorf("%T is no rank of a severity", v)
	}
	*s.text = string(severityOf(int(rank)))
	return nil
}
