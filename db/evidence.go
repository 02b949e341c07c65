package db

import (
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// EvidenceOf gives one page of an alert's matched events, latest stored first.
func (s *Store) EvidenceOf(ctx context.Context, alert monitor.ID, args page.Args) (*monitor.EvidenceConnection, error) {
	keys := []string{"batch", "ordinal"}
	st := dialect.From("alert_events").Select("alert_id", "batch", "ordinal", "matched", "rule_version").Where(goqu.C("alert_id").Eq(alert[:])).
		Order(descending(keys)...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		var id monitor.EventID
		if err := page.DecodeCursor(args.After, &id); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(before(keys, []any{id.Batch[:], id.Ordinal}))
	}
	evidence, err := query(ctx, s.db, st, func(r scanner) (*monitor.Evidence, error) {
		e := &monitor.Evidence{}
		return e, r.Scan(idColumn{&e.AlertID}, idColumn{&e.Event.Batch}, &e.Event.Ordinal, jsonColumn{&e.Matched}, &e.RuleVersion)
	})
	if err != nil {
		return nil, fmt.Errorf("list evidence of alert %s: %w", alert, err)
	}
	return page.Build(evidence, args, func(e *monitor.Evidence) string { return page.EncodeCursor(e.Event) }), nil
}
