package db

import (
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"github.com/security-monitor/secmon/monitor"
)

// SharedIndicators gives indicators for others, in the order of their last change.
func (s *Store) SharedIndicators(ctx context.Context, of monitor.SharedAsk) ([]*monitor.Indicator, error) {
	st := sharedIn(dialect.From("indicators").Select(columnList(indicatorColumns)...), of, goqu.C("updated_at"), goqu.C("id"), goqu.C("stix_id"))
	found, err := query(ctx, s.db, st, scanIndicator)
	if err != nil {
		return nil, fmt.Errorf("share indicators: %w", err)
	}
	return found, nil
}

// SharedSightings gives alerts of indicators that there are, in the order of their
// last change.
func (s *Store) SharedSightings(ctx context.Context, of monitor.SharedAsk) ([]*monitor.Sighting, error) {
	columns := []any{}
	for _, name := range []string{"id", "rule_id", "host", "count", "first_seen", "last_seen", "created_at", "updated_at", "merged_into"} {
		columns = append(columns, goqu.T("alerts").Col(name))
	}
	st := dialect.From("alerts").Select(columns...).
		InnerJoin(goqu.T("indicators"), goqu.On(goqu.T("indicators").Col("id").Eq(goqu.T("alerts").Col("rule_id"))))
	st = sharedIn(st, of, goqu.T("alerts").Col("sighted_at"), goqu.T("alerts").Col("id"), goqu.T("alerts").Col("stix_id"))
	found, err := query(ctx, s.db, st, func(r scanner) (*monitor.Sighting, error) {
		seen, merged := &monitor.Sighting{}, monitor.ID{}
		err := r.Scan(idColumn{&seen.ID}, idColumn{&seen.Indicator}, &seen.Host, &seen.Count, timeColumn{&seen.FirstSeen}, timeColumn{&seen.LastSeen},
			timeColumn{&seen.CreatedAt}, timeColumn{&seen.UpdatedAt}, idColumn{&merged})
		seen.Merged = !merged.IsZero()
		return seen, err
	})
	if err != nil {
		return nil, fmt.Errorf("share sightings: %w", err)
	}
	return found, nil
}

// sharedIn asks for what is shared, in its order.
func sharedIn(st *goqu.SelectDataset, of monitor.SharedAsk, at, id, known exp.IdentifierExpression) *goqu.SelectDataset {
	st = st.Where(at.Lte(of.Until)).Order(at.Asc(), id.Asc()).Limit(uint(of.First)) //nolint:gosec // checked by the caller
	if of.IDs != nil {
		st = st.Where(known.In(idList(of.IDs)))
	}
	if !of.After.IsZero() {
		st = st.Where(at.Gte(of.After), goqu.Or(at.Gt(of.After), id.Gt(of.AfterID[:])))
	}
	return st
}

// IndicatorSources gives the names of at most n sources that warn of anything.
func (s *Store) IndicatorSources(ctx context.Context, n int) ([]string, error) {
	st := dialect.From("indicators").Select("source").Distinct().Order(goqu.C("source").Asc()).Limit(uint(n)) //nolint:gosec // a constant of the caller's
	return s.namesOf(ctx, st, "sources of indicators")
}

// SightedHosts gives the names of at most n hosts that indicators were seen on.
func (s *Store) SightedHosts(ctx context.Context, n int) ([]string, error) {
	st := dialect.From("alerts").Select("host").Distinct().Where(goqu.C("sighted_at").IsNotNull(), goqu.C("host").Neq("")).Limit(uint(n)) //nolint:gosec // a constant of the caller's
	return s.namesOf(ctx, st, "hosts with sightings")
}

func (s *Store) namesOf(ctx context.Context, st *goqu.SelectDataset, what string) ([]string, error) {
	found, err := query(ctx, s.db, st, func(r scanner) (string, error) {
		var name string
		return name, r.Scan(&name)
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	return found, nil
}
