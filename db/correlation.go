package db

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// candidate is an alert that a batch's findings make, unless there is an open one
// with its key, which then takes them in.
type candidate struct {
	*monitor.Alert
	evidence []goqu.Record // rows of alert_events without the alert
	firing   *firing       // of a correlation
}

// candidate makes the alert of a firing.
func (c *correlator) candidate(f *firing) *candidate {
	g := f.group
	out := &candidate{firing: f, Alert: monitor.NewCorrelationAlert(monitor.NewID(c.now), g.rule, g.values, c.batch.Events[f.event], c.now)}
	out.FirstSeen, out.LastSeen, out.Count = f.first, f.last, f.total
	matched := g.rule.Correlation.Matched(g.values)
	for _, each := range f.named {
		out.evidence = append(out.evidence, goqu.Record{
			"batch": append([]byte(nil), each.Event.Batch[:]...), "ordinal": each.Event.Ordinal, "matched": jsonColumn{matched},
			"rule_version": out.RuleVersion,
		})
	}
	return out
}

// insertMembers keeps which rules found which events of an alert that a correlation
// raised or repeated. Those that it has already stay as they are.
func (t *tx) insertMembers(ctx context.Context, alert monitor.ID, f *firing) error {
	var rows []any
	correlation := f.group.rule.Correlation
	for _, each := range f.named {
		value := each.Value
		if !utf8.ValidString(value) {
			value = ""
		}
		rows = append(rows, goqu.Record{
			"alert_id": append([]byte(nil), alert[:]...), "occurred_at": each.At, "batch": append([]byte(nil), each.Event.Batch[:]...),
			"ordinal": each.Event.Ordinal, "rule_id": correlation.MemberID(each.Member), "value": value,
		})
	}
	return t.insertMissing(ctx, "alert_members", rows)
}

// insertMissing inserts the rows whose keys are not there.
func (t *tx) insertMissing(ctx context.Context, table string, rows []any) error {
	for len(rows) > 0 {
		n := min(len(rows), insertEvents)
		st := dialect.Insert(table).Rows(rows[:n]...).OnConflict(goqu.DoUpdate("", goqu.Record{"ordinal": goqu.C("ordinal")}))
		if err := exec(ctx, t, st); err != nil {
			return fmt.Errorf("insert into %s: %w", table, err)
		}
		rows = rows[n:]
	}
	return nil
}

// AlertMembers gives one page of which rules found which events of an alert that a
// correlation raised, in the order of time. Other alerts have none.
func (s *Store) AlertMembers(ctx context.Context, alert monitor.ID, args page.Args) (*monitor.AlertMemberConnection, error) {
	keys := []string{"occurred_at", "batch", "ordinal", "rule_id"}
	st := dialect.From("alert_members").Select("occurred_at", "batch", "ordinal", "rule_id", "value").Where(goqu.C("alert_id").Eq(alert[:])).
		Order(ascending(keys)...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		var m monitor.AlertMember
		if err := page.DecodeCursor(args.After, &m.OccurredAt, &m.Event, &m.Rule); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(after(keys, []any{m.OccurredAt, m.Event.Batch[:], m.Event.Ordinal, m.Rule[:]}))
	}
	members, err := query(ctx, s.db, st, func(r scanner) (*monitor.AlertMember, error) {
		m := &monitor.AlertMember{}
		return m, r.Scan(timeColumn{&m.OccurredAt}, idColumn{&m.Event.Batch}, &m.Event.Ordinal, idColumn{&m.Rule}, &m.Value)
	})
	if err != nil {
		return nil, fmt.Errorf("list members of alert %s: %w", alert, err)
	}
	return page.Build(members, args, func(m *monitor.AlertMember) string { return page.EncodeCursor(m.OccurredAt, m.Event, m.Rule) }), nil
}

// trimGroups is how many groups one statement deletes.
const trimGroups = 500

// TrimCorrelations forgets groups that can make no correlation fire any more, and of
// rules with more than their bound of groups those that would be forgotten first.
func (s *Store) TrimCorrelations(ctx context.Context) error {
	expired := dialect.From("correlation_state").Select("rule_id", "group_hash").Where(goqu.C("expires_at").Lt(s.now())).
		Order(goqu.C("expires_at").Asc()).Limit(trimGroups)
	for {
		n, err := s.forgetGroups(ctx, expired)
		if err != nil {
			return fmt.Errorf("forget expired groups: %w", err)
		}
		if n < trimGroups {
			break
		}
	}
	counts := dialect.From("correlation_state").Select("rule_id", goqu.COUNT(goqu.Star())).GroupBy("rule_id").
		Having(goqu.COUNT(goqu.Star()).Gt(s.correlating.MaxGroups))
	full, err := query(ctx, s.db, counts, func(r scanner) (fullRule, error) {
		var f fullRule
		return f, r.Scan(idColumn{&f.rule}, &f.groups)
	})
	if err != nil {
		return fmt.Errorf("count groups: %w", err)
	}
	for _, f := range full {
		if err := s.evictGroups(ctx, f.rule, f.groups-s.correlating.MaxGroups); err != nil {
			return fmt.Errorf("forget groups of rule %s: %w", f.rule, err)
		}
	}
	return nil
}

type fullRule struct {
	rule   monitor.ID
	groups int
}

func (s *Store) evictGroups(ctx context.Context, rule monitor.ID, excess int) error {
	for excess > 0 {
		limit := min(excess, trimGroups)
		oldest := dialect.From("correlation_state").Select("rule_id", "group_hash").Where(goqu.C("rule_id").Eq(rule[:])).
			Order(goqu.C("expires_at").Asc()).Limit(uint(limit)) //nolint:gosec // above 0
		n, err := s.forgetGroups(ctx, oldest)
		if err != nil || n == 0 {
			return err
		}
		s.correlated.EvictedGroups.Add(int64(n))
		excess -= n
	}
	return nil
}

// forgetGroups deletes the groups that a statement selects, by their keys and in
// their order, as the batches lock them.
func (s *Store) forgetGroups(ctx context.Context, which statement) (int, error) {
	groups, err := query(ctx, s.db, which, func(r scanner) (goqu.Ex, error) {
		var rule, key []byte
		err := r.Scan(&rule, &key)
		return goqu.Ex{"rule_id": bytesOf(rule), "group_hash": bytesOf(key)}, err
	})
	if err != nil || len(groups) == 0 {
		return 0, err
	}
	anyOf := make([]goqu.Expression, len(groups))
	for i, g := range groups {
		anyOf[i] = g
	}
	return len(groups), exec(ctx, s.db, dialect.Delete("correlation_state").Where(goqu.Or(anyOf...)))
}

func bytesOf(b []byte) []byte { return append([]byte(nil), b...) }
