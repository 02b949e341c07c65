package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var indicatorColumns = []string{
	"id", "version", "kind", "value", "subdomains", "source", "confidence", "severity", "valid_from", "valid_until", "revoked_at",
	"tags", "description", "reference", "created_at", "created_by", "updated_at", "updated_by",
}

var indicatorFilterColumns = map[monitor.FilterField]column{
	"kind":        {names: []string{"kind"}},
	"value":       {names: []string{"value"}},
	"source":      {names: []string{"source"}},
	"description": {names: []string{"description"}},
	"severity":    {names: []string{"severity"}, rank: true},
	"confidence":  {names: []string{"confidence"}},
	"tags":        {names: []string{"tags"}},
	"validFrom":   {names: []string{"valid_from"}},
	"validUntil":  {names: []string{"valid_until"}},
	"revokedAt":   {names: []string{"revoked_at"}},
	"createdAt":   {names: []string{"created_at"}},
	"updatedAt":   {names: []string{"updated_at"}},
}

// Indicators gives one page of the indicators that match.
func (s *Store) Indicators(ctx context.Context, filter *monitor.IndicatorFilter, order monitor.IndicatorOrder, args page.Args) (*monitor.IndicatorConnection, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	st := dialect.From("indicators").Select(columnList(indicatorColumns)...).
		Where(condition(&p, indicatorFilterColumns, s.now())).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	st, cursor, err := indicatorsInOrder(st, order, args.After)
	if err != nil {
		return nil, err
	}
	found, err := query(ctx, s.db, st, scanIndicator)
	if err != nil {
		return nil, fmt.Errorf("list indicators: %w", err)
	}
	return page.Build(found, args, cursor), nil
}

func indicatorsInOrder(st *goqu.SelectDataset, order monitor.IndicatorOrder, from string) (*goqu.SelectDataset, func(*monitor.Indicator) string, error) {
	var rank int
	var at time.Time
	var id monitor.ID
	keys, into := []string{"updated_at", "id"}, []any{&at, &id}
	cursor := func(i *monitor.Indicator) string { return page.EncodeCursor(i.UpdatedAt, i.ID) }
	switch order {
	case monitor.IndicatorsByUpdated:
	case monitor.IndicatorsByID:
		keys, into = []string{"id"}, []any{&id}
		cursor = func(i *monitor.Indicator) string { return page.EncodeCursor(i.ID) }
	case monitor.IndicatorsBySeverity:
		keys, into = append([]string{"severity"}, keys...), append([]any{&rank}, into...)
		cursor = func(i *monitor.Indicator) string { return page.EncodeCursor(i.Severity.Rank(), i.UpdatedAt, i.ID) }
	default:
		return nil, nil, monitor.Errorf(monitor.CodeBadInput, "%q is no order of indicators", order)
	}
	if from != "" {
		if err := page.DecodeCursor(from, into...); err != nil {
			return nil, nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		place := []any{at, id[:]}
		switch order {
		case monitor.IndicatorsByID:
			place = []any{id[:]}
		case monitor.IndicatorsBySeverity:
			place = append([]any{rank}, place...)
		}
		st = st.Where(before(keys, place))
	}
	return st.Order(descending(keys)...), cursor, nil
}

// IndicatorsByID gives the indicators with those ids, in no order; missing ones are
// left out.
func (s *Store) IndicatorsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Indicator, error) {
	return byIDs(ctx, s.db, "indicators", indicatorColumns, ids, scanIndicator)
}

// IndicatorsOf gives the indicators of values by their keys (monitor.IndicatorKey),
// the worst first, at most n.
func (s *Store) IndicatorsOf(ctx context.Context, keys []monitor.ID, n int) ([]*monitor.Indicator, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	st := dialect.From("indicators").Select(columnList(indicatorColumns)...).Where(goqu.C("value_key").In(idList(keys))).
		Order(goqu.C("severity").Desc(), goqu.C("confidence").Desc(), goqu.C("id").Asc()).Limit(uint(n)) //nolint:gosec // a constant of the caller's
	found, err := query(ctx, s.db, st, scanIndicator)
	if err != nil {
		return nil, fmt.Errorf("find indicators of %d values: %w", len(keys), err)
	}
	return found, nil
}

// IndicatorsInForce gives, in the order of ids, up to n indicators behind an id that
// are or will be valid: what events are looked through for.
func (s *Store) IndicatorsInForce(ctx context.Context, behind monitor.ID, n int) ([]*monitor.Indicator, error) {
	return s.indicatorsBehind(ctx, behind, n, goqu.C("revoked_at").IsNull(),
		goqu.Or(goqu.C("valid_until").IsNull(), goqu.C("valid_until").Gt(s.now())))
}

// IndicatorsOfChange gives, in the order of ids, up to n indicators behind an id that
// one transaction of an import wrote, and none has written since.
func (s *Store) IndicatorsOfChange(ctx context.Context, change, behind monitor.ID, n int) ([]*monitor.Indicator, error) {
	return s.indicatorsBehind(ctx, behind, n, goqu.C("change_id").Eq(change[:]))
}

func (s *Store) indicatorsBehind(ctx context.Context, behind monitor.ID, n int, where ...goqu.Expression) ([]*monitor.Indicator, error) {
	st := dialect.From("indicators").Select(columnList(indicatorColumns)...).Where(where...).Where(goqu.C("id").Gt(behind[:])).
		Order(goqu.C("id").Asc()).Limit(uint(n)) //nolint:gosec // a constant of the caller's
	found, err := query(ctx, s.db, st, scanIndicator)
	if err != nil {
		return nil, fmt.Errorf("load indicators: %w", err)
	}
	return found, nil
}

// CountIndicatorKinds counts all of them by kind, for the memory that they will take.
func (s *Store) CountIndicatorKinds(ctx context.Context) (map[monitor.IndicatorKind]int, error) {
	counts := map[monitor.IndicatorKind]int{}
	_, err := query(ctx, s.db, dialect.From("indicators").Select(goqu.C("kind"), goqu.COUNT(goqu.Star())).GroupBy("kind"), func(r scanner) (struct{}, error) {
		var kind monitor.IndicatorKind
		var n int
		err := r.Scan(&kind, &n)
		counts[kind] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count indicators: %w", err)
	}
	return counts, nil
}

// IndicatorSightings says what alerts tell of indicators; those that no event had
// are left out.
func (s *Store) IndicatorSightings(ctx context.Context, ids []monitor.ID) ([]*monitor.IndicatorSightings, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	// What was merged into an alert is counted by that one.
	st := dialect.From("alerts").Select(goqu.C("rule_id"), goqu.SUM("count"), goqu.COUNT(goqu.Star()), goqu.MIN("first_seen"), goqu.MAX("last_seen")).
		Where(goqu.C("rule_id").In(idList(ids)), goqu.C("merged_into").IsNull()).GroupBy("rule_id")
	found, err := query(ctx, s.db, st, func(r scanner) (*monitor.IndicatorSightings, error) {
		seen := &monitor.IndicatorSightings{FirstSeen: &time.Time{}, LastSeen: &time.Time{}}
		return seen, r.Scan(idColumn{&seen.ID}, &seen.Count, &seen.Alerts, timeColumn{seen.FirstSeen}, timeColumn{seen.LastSeen})
	})
	if err != nil {
		return nil, fmt.Errorf("sightings of %d indicators: %w", len(ids), err)
	}
	return found, nil
}

func indicatorRow(i *monitor.Indicator, change monitor.ID) goqu.Record {
	key := monitor.IndicatorKey(i.Kind, i.Value)
	return goqu.Record{
		"id": append([]byte(nil), i.ID[:]...), "version": i.Version, "kind": string(i.Kind), "value": i.Value, "value_key": key[:],
		"subdomains": i.Subdomains, "source": i.Source, "confidence": i.Confidence, "severity": i.Severity.Rank(), "valid_from": i.ValidFrom,
		"valid_until": nullTime(i.ValidUntil), "revoked_at": nullTime(i.RevokedAt), "tags": jsonColumn{list(i.Tags)}, "description": i.Description,
		"reference": i.Reference, "change_id": append([]byte(nil), change[:]...), "created_at": i.CreatedAt, "created_by": i.CreatedBy,
		"updated_at": i.UpdatedAt, "updated_by": i.UpdatedBy,
	}
}

func scanIndicator(r scanner) (*monitor.Indicator, error) {
	i := &monitor.Indicator{}
	var severity int
	err := r.Scan(idColumn{&i.ID}, &i.Version, &i.Kind, &i.Value, &i.Subdomains, &i.Source, &i.Confidence, &severity, timeColumn{&i.ValidFrom},
		timeColumn{&i.ValidUntil}, timeColumn{&i.RevokedAt}, jsonColumn{&i.Tags}, &i.Description, &i.Reference, timeColumn{&i.CreatedAt}, &i.CreatedBy,
		timeColumn{&i.UpdatedAt}, &i.UpdatedBy)
	i.Severity = severityOf(severity)
	return i, err
}
