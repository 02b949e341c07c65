package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

var groupingColumns = []string{"id", "version", "name", "enabled", "filter", "fields", "window_ms", "minimum_count", "created_at", "updated_at"}

// LoadGroupings puts the enabled groupings of the database in force for the
// batches that this store keeps from now on. Until the first call there are none.
func (s *Store) LoadGroupings(ctx context.Context) error {
	all, err := s.IncidentGroupings(ctx)
	if err != nil {
		return err
	}
	var enabled []*monitor.IncidentGrouping
	for _, g := range all {
		if !g.Enabled {
			continue
		}
		if err := g.Check(); err != nil {
			return fmt.Errorf("grouping %s: %w", g.ID, err)
		}
		enabled = append(enabled, g)
	}
	s.groupings.Store(&enabled)
	return nil
}

// enabledGroupings are those in force, oldest first.
func (s *Store) enabledGroupings() []*monitor.IncidentGrouping {
	if g := s.groupings.Load(); g != nil {
		return *g
	}
	return nil
}

// IncidentGroupings gives all groupings, oldest first.
func (s *Store) IncidentGroupings(ctx context.Context) ([]*monitor.IncidentGrouping, error) {
	st := dialect.From("incident_groupings").Select(columnList(groupingColumns)...).Order(goqu.C("created_at").Asc(), goqu.C("id").Asc()).Limit(monitor.MaxGroupings)
	groupings, err := query(ctx, s.db, st, scanGrouping)
	if err != nil {
		return nil, fmt.Errorf("list groupings: %w", err)
	}
	return groupings, nil
}

// IncidentGroupingsByID gives the groupings with those ids, in no order; missing ones are left out.
func (s *Store) IncidentGroupingsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.IncidentGrouping, error) {
	return byIDs(ctx, s.db, "incident_groupings", groupingColumns, ids, scanGrouping)
}

// CreateIncidentGrouping stores a new grouping; one too many is a CONFLICT.
func (s *Store) CreateIncidentGrouping(ctx context.Context, actor monitor.Actor, g monitor.IncidentGrouping) (*monitor.IncidentGrouping, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	err := s.change(ctx, actor, monitor.ActionGroupingCreate, func(t *tx) error {
		// The rows are locked, so that two at once cannot both be the last.
		st := dialect.From("incident_groupings").Select("id").Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
		there, err := query(ctx, t, st, scanID)
		if err != nil {
			return err
		}
		if len(there) >= monitor.MaxGroupings {
			return monitor.Errorf(monitor.CodeConflict, "there are %d groupings already", monitor.MaxGroupings)
		}
		g.ID, g.Version, g.CreatedAt, g.UpdatedAt = monitor.NewID(t.now), 1, t.now, t.now
		if err := exec(ctx, t, dialect.Insert("incident_groupings").Rows(groupingRow(&g))); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindIncidentGrouping, g.ID, monitor.ActionGroupingCreate, nil, &g)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create grouping: %w", err)
	}
	return &g, s.LoadGroupings(ctx)
}

// UpdateIncidentGrouping changes a grouping as UpdateAlert does an alert.
func (s *Store) UpdateIncidentGrouping(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.IncidentGrouping, time.Time) error) (*monitor.IncidentGrouping, error) {
	now, err := s.changeGrouping(ctx, actor, monitor.ActionGroupingUpdate, id, expected, func(t *tx, was *monitor.IncidentGrouping) (*monitor.IncidentGrouping, error) {
		next := *was
		if err := change(&next, t.now); err != nil {
			return nil, err
		}
		if err := next.Check(); err != nil {
			return nil, err
		}
		next.Version, next.UpdatedAt = was.Version+1, t.now
		row := groupingRow(&next)
		delete(row, "id")
		return &next, exec(ctx, t, dialect.Update("incident_groupings").Set(row).Where(goqu.C("id").Eq(id[:])))
	})
	if err != nil {
		return now, err
	}
	return now, s.LoadGroupings(ctx)
}

// DeleteIncidentGrouping takes a grouping away, with what its groups were waiting for.
func (s *Store) DeleteIncidentGrouping(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.IncidentGrouping, error) {
	now, err := s.changeGrouping(ctx, actor, monitor.ActionGroupingDelete, id, expected, func(t *tx, _ *monitor.IncidentGrouping) (*monitor.IncidentGrouping, error) {
		for _, table := range []string{"incident_group_alerts", "incident_groups"} {
			if err := exec(ctx, t, dialect.Delete(table).Where(goqu.C("grouping_id").Eq(id[:]))); err != nil {
				return nil, err
			}
		}
		return nil, exec(ctx, t, dialect.Delete("incident_groupings").Where(goqu.C("id").Eq(id[:])))
	})
	if err != nil {
		return now, err
	}
	return nil, s.LoadGroupings(ctx)
}

func (s *Store) changeGrouping(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, fn func(*tx, *monitor.IncidentGrouping) (*monitor.IncidentGrouping, error)) (*monitor.IncidentGrouping, error) {
	var now *monitor.IncidentGrouping
	err := s.change(ctx, actor, action, func(t *tx) error {
		st := dialect.From("incident_groupings").Select(columnList(groupingColumns)...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait)
		was, found, err := one(ctx, t, st, scanGrouping)
		if err != nil {
			return err
		}
		if !found {
			return monitor.Errorf(monitor.CodeNotFound, "there is no such grouping")
		}
		now = was
		if expected != nil && *expected != was.Version {
			return monitor.Errorf(monitor.CodeConflict, "the grouping has changed since: it is at version %d, not %d", was.Version, *expected)
		}
		next, err := fn(t, was)
		if err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindIncidentGrouping, id, action, was, next)
		t.changes, now = append(t.changes, change), next
		return err
	})
	if err != nil {
		return now, fmt.Errorf("%s %s: %w", action, id, err)
	}
	return now, nil
}

func groupingRow(g *monitor.IncidentGrouping) goqu.Record {
	return goqu.Record{
		"id": g.ID[:], "version": g.Version, "name": g.Name, "enabled": g.Enabled, "filter": string(g.Filter), "fields": jsonColumn{g.Fields},
		"window_ms": g.Window.Milliseconds(), "minimum_count": g.MinimumCount, "created_at": g.CreatedAt, "updated_at": g.UpdatedAt,
	}
}

func scanGrouping(r scanner) (*monitor.IncidentGrouping, error) {
	g := &monitor.IncidentGrouping{}
	var filter []byte
	var window int64
	err := r.Scan(idColumn{&g.ID}, &g.Version, &g.Name, &g.Enabled, &filter, jsonColumn{&g.Fields}, &window, &g.MinimumCount,
		timeColumn{&g.CreatedAt}, timeColumn{&g.UpdatedAt})
	g.Filter, g.Window = filter, time.Duration(window)*time.Millisecond
	return g, err
}
