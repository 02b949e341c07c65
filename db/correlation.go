package db

import (
	"context"
	"fmt"

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
	return out
}

// insertMembers keeps which rules found which events of an alert that a correlation
// raised or repeated, and what correlations among them had counted; and gives the
// rows of its evidence. Those that it has already stay as they are.
func (t *tx) insertMembers(ctx context.Context, alert monitor.ID, f *firing) (evidence []any, err error) {
	members, err := t.membersOf(ctx, f)
	if err != nil {
		return nil, err
	}
	matched := f.group.rule.Correlation.Matched(f.group.values)
	var rows []any
	for _, m := range members {
		rows = append(rows, goqu.Record{
			"alert_id": bytesOf(alert[:]), "occurred_at": m.At, "batch": bytesOf(m.Event.Batch[:]),
			"ordinal": m.Event.Ordinal, "rule_id": bytesOf(m.rule[:]), "value": m.valueOf(),
		})
		evidence = append(evidence, goqu.Record{
			"alert_id": bytesOf(alert[:]), "batch": bytesOf(m.Event.Batch[:]), "ordinal": m.Event.Ordinal, "matched": jsonColumn{matched},
			"rule_version": f.group.rule.Version,
		})
	}
	return evidence, t.insertMissing(ctx, "alert_members", rows)
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
