// Package export writes lists to files: NDJSON for programs, CSV for spreadsheets,
// STIX for other systems of threat intelligence.
// It reads page by page and keeps no more than one page in memory. It knows
// nothing of rights, of HTTP or of SQL.
package export

import (
	"context"
	"errors"
	"io"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// How many rows are read at once. Events have their records with them, of up to 1 MiB each.
const (
	pageSize  = page.MaxFirst
	eventPage = 100
)

// Lists gives a page of each list, the newest first.
type Lists interface {
	Alerts(ctx context.Context, filter *monitor.AlertFilter, order monitor.AlertOrder, args page.Args) (*monitor.AlertConnection, error)
	Events(ctx context.Context, filter *monitor.EventFilter, order monitor.EventOrder, args page.Args) (*monitor.EventConnection, error)
	Incidents(ctx context.Context, filter *monitor.IncidentFilter, args page.Args) (*monitor.IncidentConnection, error)
	// FiredRules gives what rules said at those versions; those that are not stored are
	// left out.
	FiredRules(ctx context.Context, of []monitor.RuleAt) (map[monitor.RuleAt]*monitor.FiredRule, error)
	Indicators(ctx context.Context, filter *monitor.IndicatorFilter, order monitor.IndicatorOrder, args page.Args) (*monitor.IndicatorConnection, error)
	UsersByID(ctx context.Context, ids []monitor.ID) ([]*monitor.User, error)
}

// Result is what became of an export.
type Result struct {
	Rows int
	More bool // there was more than MaxRows
}

// Check gives BAD_INPUT for an export that cannot be written, and completes the
// columns where none are named.
func Check(e *monitor.Export) error {
	known := Columns(e.Noun)
	if known == nil {
		return monitor.Errorf(monitor.CodeBadInput, "%s cannot be exported", e.Noun)
	}
	if e.MaxRows < 1 || e.MaxRows > monitor.MaxExportRows {
		return monitor.InputErrorf("maxRows", "a file has 1 to %d rows, not %d", monitor.MaxExportRows, e.MaxRows)
	}
	if e.Format == monitor.ExportSTIX {
		return checkSTIX(e)
	}
	if len(e.Columns) == 0 {
		e.Columns = known
		return nil
	}
	return checkColumns(e.Columns, known)
}

// Write writes a checked export. Each row is as it was when its page was read; rows
// that come in meanwhile are left out, and none comes twice. flushed is called when
// a page is written: an error of its ends the export.
func Write(ctx context.Context, w io.Writer, e *monitor.Export, lists Lists, flushed func() error) (Result, error) {
	switch e.Noun {
	case monitor.LineAlerts:
		filter, err := monitor.ParseFilter[monitor.AlertFilter](e.Filter)
		if err != nil {
			return Result{}, err
		}
		return write(ctx, w, e, alertColumns, pageSize, flushed, func(args page.Args) (*page.Connection[*alertRow], error) {
			return alertRows(ctx, lists, filter, args, e.Columns)
		})
	case monitor.LineEvents:
		filter, err := monitor.ParseFilter[monitor.EventFilter](e.Filter)
		if err != nil {
			return Result{}, err
		}
		return write(ctx, w, e, eventColumns, eventPage, flushed, func(args page.Args) (*monitor.EventConnection, error) {
			return lists.Events(ctx, filter, monitor.EventsByOccurred, args)
		})
	case monitor.LineIncidents:
		filter, err := monitor.ParseFilter[monitor.IncidentFilter](e.Filter)
		if err != nil {
			return Result{}, err
		}
		return write(ctx, w, e, incidentColumns, pageSize, flushed, func(args page.Args) (*page.Connection[*incidentRow], error) {
			return incidentRows(ctx, lists, filter, args)
		})
	case monitor.LineIndicators:
		filter, err := monitor.ParseFilter[monitor.IndicatorFilter](e.Filter)
		if err != nil {
			return Result{}, err
		}
		read := func(args page.Args) (*monitor.IndicatorConnection, error) {
			return lists.Indicators(ctx, filter, monitor.IndicatorsByID, args)
		}
		if e.Format == monitor.ExportSTIX {
			return writeRows(ctx, e, newSTIXFile(w, e), pageSize, flushed, read)
		}
		return write(ctx, w, e, indicatorColumns, pageSize, flushed, read)
	default:
		return Result{}, errors.New("an export of " + string(e.Noun)) // Check refuses it
	}
}

func write[T any](ctx context.Context, w io.Writer, e *monitor.Export, all []column[T], atOnce int, flushed func() error, read func(page.Args) (*page.Connection[T], error)) (Result, error) {
	out := table[T]{newFile(w, e.Format, e.Columns), chosen(all, e.Columns)}
	return writeRows(ctx, e, out, atOnce, flushed, read)
}

// writer is a file that nodes of a list are written to, one by one.
type writer[T any] interface {
	add(node T) error
	flush() error
	end(done Result) error
}

// table writes nodes as rows of columns.
type table[T any] struct {
	file
	columns []column[T]
}

func (t table[T]) add(node T) error {
	values := make([]any, len(t.columns))
	for i, c := range t.columns {
		values[i] = c.value(node)
	}
	return t.row(values)
}

func writeRows[T any](ctx context.Context, e *monitor.Export, out writer[T], atOnce int, flushed func() error, read func(page.Args) (*page.Connection[T], error)) (Result, error) {
	done := Result{}
	for after := ""; ; {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		rows, err := read(page.Args{First: min(atOnce, e.MaxRows-done.Rows), After: after})
		if err != nil {
			return done, err
		}
		for _, edge := range rows.Edges {
			if err := out.add(edge.Node); err != nil {
				return done, err
			}
			done.Rows, after = done.Rows+1, edge.Cursor
		}
		done.More = rows.PageInfo.HasNextPage
		last := !done.More || done.Rows >= e.MaxRows
		if last {
			err = out.end(done)
		} else {
			err = out.flush()
		}
		if err = errors.Join(err, flushed()); err != nil || last {
			return done, err
		}
	}
}
