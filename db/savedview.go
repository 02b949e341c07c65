package db

import (
	"context"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var savedViews = &savedNoun[monitor.SavedView]{
	table: "saved_views", kind: monitor.KindSavedView, columns: []string{"noun", "query", "order_by", "columns"},
	of: func(v *monitor.SavedView) *monitor.Saved { return &v.Saved },
	values: func(v *monitor.SavedView) goqu.Record {
		return goqu.Record{"noun": string(v.Noun), "query": v.Query, "order_by": v.OrderBy, "columns": jsonColumn{v.Columns}}
	},
	fields: func(v *monitor.SavedView) []any {
		return []any{&v.Noun, &v.Query, &v.OrderBy, jsonColumn{&v.Columns}}
	},
}

// SavedViews gives one page of the views that a reader sees, by name.
func (s *Store) SavedViews(ctx context.Context, reader monitor.ID, noun *monitor.LineNoun, args page.Args) (*monitor.SavedViewConnection, error) {
	var where []goqu.Expression
	if noun != nil {
		where = append(where, goqu.C("noun").Eq(string(*noun)))
	}
	return savedViews.list(ctx, s, reader, args, where...)
}

// SavedViewsByID gives those of the views that a reader sees, in no order.
func (s *Store) SavedViewsByID(ctx context.Context, reader monitor.ID, ids []monitor.ID) ([]*monitor.SavedView, error) {
	return savedViews.byID(ctx, s, reader, ids)
}

// CreateSavedView stores a new view.
func (s *Store) CreateSavedView(ctx context.Context, actor monitor.Actor, v monitor.SavedView) (*monitor.SavedView, error) {
	if err := v.Check(); err != nil {
		return nil, err
	}
	return &v, savedViews.create(ctx, s, actor, &v)
}

// UpdateSavedView changes a view that the reader sees as UpdateAlert does an alert.
func (s *Store) UpdateSavedView(ctx context.Context, actor monitor.Actor, reader, id monitor.ID, expected *int, change func(*monitor.SavedView) error) (*monitor.SavedView, error) {
	return savedViews.update(ctx, s, actor, reader, id, expected, func(v *monitor.SavedView) error {
		if err := change(v); err != nil {
			return err
		}
		return v.Check()
	})
}

// DeleteSavedView takes a view away that the reader sees, unless may fails.
func (s *Store) DeleteSavedView(ctx context.Context, actor monitor.Actor, reader, id monitor.ID, expected *int, may func(*monitor.SavedView) error) error {
	return savedViews.remove(ctx, s, actor, reader, id, expected, may)
}
