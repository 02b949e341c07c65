package db

import (
	"context"
	"fmt"
	"maps"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// savedNoun is how one noun that people keep is stored.
type savedNoun[T any] struct {
	table   string
	kind    monitor.Kind
	columns []string // behind savedColumns
	of      func(*T) *monitor.Saved
	values  func(*T) goqu.Record // of columns
	fields  func(*T) []any       // where columns go
}

var savedColumns = []string{"id", "version", "name", "description", "shared", "owner_id", "created_at", "updated_at"}

func (n *savedNoun[T]) from() *goqu.SelectDataset {
	return dialect.From(n.table).Select(columnList(append(savedColumns[:len(savedColumns):len(savedColumns)], n.columns...))...)
}

func (n *savedNoun[T]) scan(r scanner) (*T, error) {
	item := new(T)
	s := n.of(item)
	head := []any{idColumn{&s.ID}, &s.Version, &s.Name, &s.Description, &s.Shared, idColumn{&s.OwnerID}, timeColumn{&s.CreatedAt}, timeColumn{&s.UpdatedAt}}
	return item, r.Scan(append(head, n.fields(item)...)...)
}

func (n *savedNoun[T]) row(item *T) goqu.Record {
	s, row := n.of(item), n.values(item)
	maps.Copy(row, goqu.Record{
		"id": s.ID[:], "version": s.Version, "name": s.Name, "description": s.Description, "shared": s.Shared, "owner_id": nullID(s.OwnerID),
		"created_at": s.CreatedAt, "updated_at": s.UpdatedAt,
	})
	return row
}

// seenBy is what a reader sees: their own and what is shared.
func seenBy(reader monitor.ID) goqu.Expression {
	return goqu.Or(goqu.C("shared").Eq(1), goqu.C("owner_id").Eq(reader[:]))
}

// list gives one page by name.
func (n *savedNoun[T]) list(ctx context.Context, s *Store, reader monitor.ID, args page.Args, where ...goqu.Expression) (*page.Connection[*T], error) {
	st := n.from().Where(append(where, seenBy(reader))...).Order(goqu.C("name").Asc(), goqu.C("id").Asc()).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		var name string
		var id monitor.ID
		if err := page.DecodeCursor(args.After, &name, &id); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(goqu.C("name").Gte(name), goqu.Or(goqu.C("name").Gt(name), goqu.C("id").Gt(id[:])))
	}
	items, err := query(ctx, s.db, st, n.scan)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", n.table, err)
	}
	return page.Build(items, args, func(item *T) string { return page.EncodeCursor(n.of(item).Name, n.of(item).ID) }), nil
}

func (n *savedNoun[T]) byID(ctx context.Context, s *Store, reader monitor.ID, ids []monitor.ID) ([]*T, error) {
	items, err := query(ctx, s.db, n.from().Where(goqu.C("id").In(idList(ids)), seenBy(reader)), n.scan)
	if err != nil {
		return nil, fmt.Errorf("load %d of %s: %w", len(ids), n.table, err)
	}
	return items, nil
}

// create stores a new one; one too many of its owner is a CONFLICT.
func (n *savedNoun[T]) create(ctx context.Context, s *Store, actor monitor.Actor, item *T) error {
	return s.change(ctx, actor, monitor.ActionSavedCreate, func(t *tx) error {
		head := n.of(item)
		owner := goqu.C("owner_id").Eq(nullID(head.OwnerID)) // goqu writes IS NULL for nil
		// Two at once may both be the last: a bound against floods need not be exact.
		there, _, err := one(ctx, t, dialect.From(n.table).Select(goqu.COUNT(goqu.Star())).Where(owner), scanInt)
		if err != nil {
			return err
		}
		if there >= monitor.MaxSaved {
			return monitor.Errorf(monitor.CodeConflict, "there are %d already; take one away first", monitor.MaxSaved)
		}
		head.ID, head.Version, head.CreatedAt, head.UpdatedAt = monitor.NewID(t.now), 1, t.now, t.now
		if err := exec(ctx, t, dialect.Insert(n.table).Rows(n.row(item))); err != nil {
			return err
		}
		change, err := monitor.NewChange(n.kind, head.ID, monitor.ActionSavedCreate, nil, item)
		t.changes = append(t.changes, change)
		return err
	})
}

// update changes one that the reader sees, to whatever change makes of it; an error
// of change's leaves it as it was.
func (n *savedNoun[T]) update(ctx context.Context, s *Store, actor monitor.Actor, reader, id monitor.ID, expected *int, change func(*T) error) (*T, error) {
	return n.alter(ctx, s, actor, monitor.ActionSavedUpdate, reader, id, expected, func(t *tx, next *T) error {
		if err := change(next); err != nil {
			return err
		}
		head := n.of(next)
		head.Version, head.UpdatedAt = head.Version+1, t.now
		row := n.row(next)
		delete(row, "id")
		return exec(ctx, t, dialect.Update(n.table).Set(row).Where(goqu.C("id").Eq(id[:])))
	})
}

// remove takes one away that the reader sees, unless may fails.
func (n *savedNoun[T]) remove(ctx context.Context, s *Store, actor monitor.Actor, reader, id monitor.ID, expected *int, may func(*T) error) error {
	_, err := n.alter(ctx, s, actor, monitor.ActionSavedDelete, reader, id, expected, func(t *tx, item *T) error {
		if err := may(item); err != nil {
			return err
		}
		return exec(ctx, t, dialect.Delete(n.table).Where(goqu.C("id").Eq(id[:])))
	})
	return err
}

// alter locks one, lets fn do its part, and notes it.
func (n *savedNoun[T]) alter(ctx context.Context, s *Store, actor monitor.Actor, action string, reader, id monitor.ID, expected *int, fn func(*tx, *T) error) (*T, error) {
	var now *T
	err := s.change(ctx, actor, action, func(t *tx) error {
		was, found, err := one(ctx, t, n.from().Where(goqu.C("id").Eq(id[:]), seenBy(reader)).ForUpdate(goqu.Wait), n.scan)
		if err != nil {
			return err
		}
		if !found {
			return monitor.Errorf(monitor.CodeNotFound, "there is nothing of yours, or shared, with this id")
		}
		now = was
		if version := n.of(was).Version; expected != nil && *expected != version {
			return monitor.Errorf(monitor.CodeConflict, "it has changed since: it is at version %d, not %d", version, *expected)
		}
		next := new(T)
		*next = *was
		if err := fn(t, next); err != nil {
			return err
		}
		after := next
		if action == monitor.ActionSavedDelete {
			after = nil
		}
		change, err := monitor.NewChange(n.kind, id, action, was, after)
		t.changes, now = append(t.changes, change), next
		return err
	})
	if err != nil {
		return now, fmt.Errorf("%s %s: %w", action, id, err)
	}
	return now, nil
}
