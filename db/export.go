package db

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

var exportColumns = []string{"id", "noun", "format", "columns", "filter", "max_rows", "created_by", "session_id", "created_at", "expires_at", "rows_taken"}

// CreateExport notes that somebody may take a list out for a while, by a secret of
// that hash.
func (s *Store) CreateExport(ctx context.Context, e monitor.Export, secretHash [32]byte) (*monitor.Export, error) {
	err := s.change(ctx, e.CreatedBy, monitor.ActionExportCreate, func(t *tx) error {
		e.ID, e.CreatedAt, e.ExpiresAt, e.Rows = monitor.NewID(t.now), t.now, t.now.Add(monitor.ExportLifetime), -1
		row := goqu.Record{
			"id": e.ID[:], "secret_hash": secretHash[:], "noun": string(e.Noun), "format": string(e.Format), "columns": jsonColumn{e.Columns},
			"filter": string(e.Filter), "max_rows": e.MaxRows, "created_by": jsonColumn{e.CreatedBy}, "session_id": nullID(e.SessionID),
			"created_at": e.CreatedAt, "expires_at": e.ExpiresAt, "rows_taken": e.Rows,
		}
		if err := exec(ctx, t, dialect.Insert("exports").Rows(row)); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindExport, e.ID, monitor.ActionExportCreate, nil, &e)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create export: %w", err)
	}
	return &e, nil
}

// LiveExport gives an export that is not over, to whoever has its secret.
func (s *Store) LiveExport(ctx context.Context, id monitor.ID, secretHash [32]byte) (*monitor.Export, bool, error) {
	var hash []byte
	st := dialect.From("exports").Select(columnList(append([]string{"secret_hash"}, exportColumns...))...).
		Where(goqu.C("id").Eq(id[:]), goqu.C("expires_at").Gt(s.now()))
	e, found, err := one(ctx, s.db, st, func(r scanner) (*monitor.Export, error) {
		e := &monitor.Export{}
		return e, r.Scan(append([]any{&hash}, exportFields(e)...)...)
	})
	if err != nil {
		return nil, false, fmt.Errorf("load export %s: %w", id, err)
	}
	return e, found && subtle.ConstantTimeCompare(hash, secretHash[:]) == 1, nil
}

// NoteExport notes how many rows were taken out.
func (s *Store) NoteExport(ctx context.Context, e *monitor.Export, rows int) error {
	err := s.change(ctx, e.CreatedBy, monitor.ActionExportTake, func(t *tx) error {
		next := *e
		next.Rows = rows
		if err := exec(ctx, t, dialect.Update("exports").Set(goqu.Record{"rows_taken": rows}).Where(goqu.C("id").Eq(e.ID[:]))); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindExport, e.ID, monitor.ActionExportTake, e, &next)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return fmt.Errorf("note export %s: %w", e.ID, err)
	}
	return nil
}

// TrimExports forgets exports that have been over for so long. The journal keeps
// who took what.
func (s *Store) TrimExports(ctx context.Context, over time.Duration) error {
	st := dialect.Delete("exports").Where(goqu.C("expires_at").Lt(s.now().Add(-over))).Limit(10_000)
	if err := exec(ctx, s.db, st); err != nil {
		return fmt.Errorf("forget exports: %w", err)
	}
	return nil
}

func exportFields(e *monitor.Export) []any {
	return []any{
		idColumn{&e.ID},
		&e.Noun, &e.Format,
		jsonColumn{&e.Columns},
		&e.Filter, &e.MaxRows,
		jsonColumn{&e.CreatedBy},
		idColumn{&e.SessionID},
		timeColumn{&e.CreatedAt},
		timeColumn{&e.ExpiresAt},
		&e.Rows,
	}
}
