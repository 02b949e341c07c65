package db

import (
	"context"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var savedOperations = &savedNoun[monitor.SavedOperation]{
	table: "saved_operations", kind: monitor.KindSavedOperation, columns: []string{"kind", "document", "variables"},
	of: func(o *monitor.SavedOperation) *monitor.Saved { return &o.Saved },
	values: func(o *monitor.SavedOperation) goqu.Record {
		return goqu.Record{"kind": string(o.Kind), "document": o.Document, "variables": string(o.Variables)}
	},
	fields: func(o *monitor.SavedOperation) []any { return []any{&o.Kind, &o.Document, &o.Variables} },
}

// SavedOperations gives one page of the operations that a reader sees, by name.
func (s *Store) SavedOperations(ctx context.Context, reader monitor.ID, kind *monitor.SavedOperationKind, args page.Args) (*monitor.SavedOperationConnection, error) {
	var where []goqu.Expression
	if kind != nil {
		where = append(where, goqu.C("kind").Eq(string(*kind)))
	}
	return savedOperations.list(ctx, s, reader, args, where...)
}

// SavedOperationsByID gives those of the operations that a reader sees, in no order.
func (s *Store) SavedOperationsByID(ctx context.Context, reader monitor.ID, ids []monitor.ID) ([]*monitor.SavedOperation, error) {
	return savedOperations.byID(ctx, s, reader, ids)
}

// CreateSavedOperation stores a new operation.
func (s *Store) CreateSavedOperation(ctx context.Context, actor monitor.Actor, o monitor.SavedOperation) (*monitor.SavedOperation, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	return &o, savedOperations.create(ctx, s, actor, &o)
}

// UpdateSavedOperation changes an operation that the reader sees as UpdateAlert does an alert.
func (s *Store) UpdateSavedOperation(ctx context.Context, actor monitor.Actor, reader, id monitor.ID, expected *int, change func(*monitor.SavedOperation) error) (*monitor.SavedOperation, error) {
	return savedOperations.update(ctx, s, actor, reader, id, expected, func(o *monitor.SavedOperation) error {
		if err := change(o); err != nil {
			return err
		}
		return o.Check()
	})
}

// DeleteSavedOperation takes an operation away that the reader sees, unless may fails.
func (s *Store) DeleteSavedOperation(ctx context.Context, actor monitor.Actor, reader, id monitor.ID, expected *int, may func(*monitor.SavedOperation) error) error {
	return savedOperations.remove(ctx, s, actor, reader, id, expected, may)
}
