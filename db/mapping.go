package db

import (
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var mappingColumns = []string{"id", "version", "name", "enabled", "rules", "header", "secret", "created_by", "created_at", "updated_at"}

// AllMappings gives every mapping, by name.
func (s *Store) AllMappings(ctx context.Context) ([]*monitor.Mapping, error) {
	st := dialect.From("mappings").Select(columnList(mappingColumns)...).Order(goqu.C("name").Asc()).Limit(monitor.MaxMappings)
	all, err := query(ctx, s.db, st, scanMapping)
	if err != nil {
		return nil, fmt.Errorf("load mappings: %w", err)
	}
	return all, nil
}

// Mappings gives one page of the mappings, latest made first.
func (s *Store) Mappings(ctx context.Context, args page.Args) (*monitor.MappingConnection, error) {
	st, err := newestFirst(dialect.From("mappings").Select(columnList(mappingColumns)...), args)
	if err != nil {
		return nil, err
	}
	found, err := query(ctx, s.db, st, scanMapping)
	if err != nil {
		return nil, fmt.Errorf("list mappings: %w", err)
	}
	return page.Build(found, args, func(m *monitor.Mapping) string { return page.EncodeCursor(m.CreatedAt, m.ID) }), nil
}

// MappingsByID gives the mappings with those ids, in no order; missing ones are left out.
func (s *Store) MappingsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Mapping, error) {
	return byIDs(ctx, s.db, "mappings", mappingColumns, ids, scanMapping)
}

// CreateMapping stores a new mapping, with the id that it has: its secret is sealed for
// that. A name that another one has, and one mapping too many, are a CONFLICT.
func (s *Store) CreateMapping(ctx context.Context, actor monitor.Actor, made monitor.Mapping) (*monitor.Mapping, error) {
	if err := made.Check(); err != nil {
		return nil, err
	}
	err := s.change(ctx, actor, monitor.ActionMappingCreate, func(t *tx) error {
		there, err := query(ctx, t, dialect.From("mappings").Select("id").Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait), scanID)
		if err != nil {
			return err
		}
		if len(there) >= monitor.MaxMappings {
			return monitor.Errorf(monitor.CodeConflict, "there are %d mappings already", monitor.MaxMappings)
		}
		made.Version, made.CreatedBy, made.CreatedAt, made.UpdatedAt = 1, actor, t.now, t.now
		if err := exec(ctx, t, dialect.Insert("mappings").Rows(mappingRow(&made))); err != nil {
			return nameTaken(err, made.Name)
		}
		return t.noteMapping(monitor.ActionMappingCreate, nil, &made)
	})
	if err != nil {
		return nil, fmt.Errorf("create mapping: %w", err)
	}
	return &made, nil
}

func nameTaken(err error, name string) error {
	if isDuplicate(err) {
		return monitor.Errorf(monitor.CodeConflict, "there is a mapping of the name %s", name)
	}
	return err
}

// UpdateMapping changes a mapping as UpdateAlert does an alert.
func (s *Store) UpdateMapping(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.Mapping) error) (*monitor.Mapping, error) {
	var now *monitor.Mapping
	err := s.change(ctx, actor, monitor.ActionMappingUpdate, func(t *tx) error {
		was, err := t.lockMapping(ctx, id, expected)
		if now = was; err != nil {
			return err
		}
		next := *was
		if err := change(&next); err != nil {
			return err
		}
		if err := next.Check(); err != nil {
			return err
		}
		next.Version, next.UpdatedAt = was.Version+1, t.now
		row := mappingRow(&next)
		delete(row, "id")
		if err := exec(ctx, t, dialect.Update("mappings").Set(row).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return nameTaken(err, next.Name)
		}
		now = &next
		return t.noteMapping(monitor.ActionMappingUpdate, was, &next)
	})
	if err != nil {
		return now, fmt.Errorf("update mapping %s: %w", id, err)
	}
	return now, nil
}

// DeleteMapping takes a mapping away, and with it its webhook.
func (s *Store) DeleteMapping(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.Mapping, error) {
	var now *monitor.Mapping
	err := s.change(ctx, actor, monitor.ActionMappingDelete, func(t *tx) error {
		was, err := t.lockMapping(ctx, id, expected)
		if now = was; err != nil {
			return err
		}
		if err := exec(ctx, t, dialect.Delete("mappings").Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		return t.noteMapping(monitor.ActionMappingDelete, was, nil)
	})
	if err != nil {
		return now, fmt.Errorf("delete mapping %s: %w", id, err)
	}
	return nil, nil
}

func (t *tx) lockMapping(ctx context.Context, id monitor.ID, expected *int) (*monitor.Mapping, error) {
	st := dialect.From("mappings").Select(columnList(mappingColumns)...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait)
	was, found, err := one(ctx, t, st, scanMapping)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, monitor.Errorf(monitor.CodeNotFound, "there is no such mapping")
	case expected != nil && *expected != was.Version:
		return was, monitor.Errorf(monitor.CodeConflict, "the mapping has changed since: it is at version %d, not %d", was.Version, *expected)
	}
	return was, nil
}

func (t *tx) noteMapping(action string, was, next *monitor.Mapping) error {
	var id monitor.ID
	if next != nil {
		id = next.ID
	} else {
		id = was.ID
	}
	change, err := monitor.NewChange(monitor.KindMapping, id, action, was, next)
	t.changes = append(t.changes, change)
	return err
}

func mappingRow(m *monitor.Mapping) goqu.Record {
	var secret any
	if len(m.Secret) > 0 {
		secret = m.Secret
	}
	return goqu.Record{
		"id": bytesOf(m.ID[:]), "version": m.Version, "name": m.Name, "enabled": m.Enabled, "rules": jsonColumn{m.MappingRules}, "header": m.SignatureHeader,
		"secret": secret, "created_by": jsonColumn{m.CreatedBy}, "created_at": m.CreatedAt, "updated_at": m.UpdatedAt,
	}
}

func scanMapping(r scanner) (*monitor.Mapping, error) {
	m := &monitor.Mapping{}
	err := r.Scan(idColumn{&m.ID}, &m.Version, &m.Name, &m.Enabled, jsonColumn{&m.MappingRules}, &m.SignatureHeader, &m.Secret, jsonColumn{&m.CreatedBy},
		timeColumn{&m.CreatedAt}, timeColumn{&m.UpdatedAt})
	return m, err
}
