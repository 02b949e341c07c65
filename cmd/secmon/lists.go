package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

// pageFlags say how much of a list is printed.
type pageFlags struct {
	Limit int    `short:"n" env:"-" default:"50" help:"How many at most."`
	All   bool   `env:"-" help:"All there are, page after page."`
	After string `env:"-" help:"Go on behind this cursor, which an earlier run told." placeholder:"CURSOR"`
}

// pageSize keeps the cost of a page well below what one operation may cost.
const pageSize = 100

// listing is how a list is asked for and printed. The query takes $first and
// $after, and calls the connection `list`.
type listing struct {
	query   string
	columns []table.Column
	paths   []string // one for each column
}

type listPage struct {
	List struct {
		Nodes    []json.RawMessage
		PageInfo struct {
			HasNextPage bool
			EndCursor   string
		}
	}
}

// run prints pages as they come. What is left out is told.
func (l listing) run(ctx context.Context, r *remote, variables map[string]any, flags pageFlags, output string) error {
	if flags.Limit < 1 {
		return usage{fmt.Errorf("--limit %d: at least 1", flags.Limit)}
	}
	out := newTable(l.columns...)
	for printed, after := 0, flags.After; ; {
		first := pageSize
		if !flags.All {
			first = min(first, flags.Limit-printed)
		}
		asked := map[string]any{"first": first}
		if after != "" {
			asked["after"] = after
		}
		for name, value := range variables {
			asked[name] = value
		}
		var page listPage
		if err := r.ask(ctx, l.query, asked, &page); err != nil {
			if after != "" && printed > 0 {
				err = partial{fmt.Errorf("%w\n%d are printed; go on with --after %s", err, printed, after)}
			}
			return err
		}
		if err := l.print(out, page.List.Nodes, output); err != nil {
			return err
		}
		printed += len(page.List.Nodes)
		next := page.List.PageInfo
		switch {
		case !next.HasNextPage:
			return nil
		case next.EndCursor == "" || next.EndCursor == after:
			return fmt.Errorf("the server tells of more and not where")
		case !flags.All && printed >= flags.Limit:
			fmt.Fprintf(os.Stderr, "secmon: there are more: --all, or --after %s\n", table.Visible(next.EndCursor))
			return nil
		}
		after = next.EndCursor
	}
}

func (l listing) print(out *table.Table, nodes []json.RawMessage, output string) error {
	rows := make([][]string, 0, len(nodes))
	for _, node := range nodes {
		if output == "json" {
			if err := printRaw(node); err != nil {
				return err
			}
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(node, &fields); err != nil {
			return fmt.Errorf("the answer cannot be read: %w", err)
		}
		row := make([]string, len(l.paths))
		for i, path := range l.paths {
			row[i] = valueAt(fields, path)
		}
		rows = append(rows, row)
	}
	if output == "json" {
		return nil
	}
	return out.Write(rows)
}

// printRaw prints JSON of the server as one line.
func printRaw(text json.RawMessage) error {
	var compact bytes.Buffer // raw records may hold line breaks between their tokens
	if err := json.Compact(&compact, text); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	_, err := os.Stdout.Write(append(table.JSON(compact.Bytes()), '\n'))
	return err
}

// lineFilter is the filter of a query line, as the search of the dashboard takes it.
func lineFilter(line string) map[string]any {
	if line == "" {
		return nil
	}
	return map[string]any{"query": line}
}

// showing is how one entity is asked for by $id, as `node`, and printed.
type showing struct {
	kind  monitor.Kind
	query string
	paths [][2]string // title and path
}

func (s showing) run(ctx context.Context, r *remote, id, output string) error {
	var data struct{ Node json.RawMessage }
	if err := r.ask(ctx, s.query, map[string]any{"id": globalID(s.kind, id)}, &data); err != nil {
		return err
	}
	if len(data.Node) == 0 || string(data.Node) == "null" {
		return client.Errors{{Message: fmt.Sprintf("there is no %s %s", s.kind, id), Extensions: map[string]any{"code": string(monitor.CodeNotFound)}}}
	}
	if output == "json" {
		return printRaw(data.Node)
	}
	var fields map[string]any
	if err := json.Unmarshal(data.Node, &fields); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	var pairs [][2]string
	for _, p := range s.paths {
		if value := valueAt(fields, p[1]); value != "" {
			pairs = append(pairs, [2]string{p[0], value})
		}
	}
	return table.Pairs(os.Stdout, pairs)
}

// each does a mutation for every id, and prints what became of it. The mutation
// calls its payload `payload`; variables give the input beside the id.
func each(ctx context.Context, r *remote, kind monitor.Kind, ids []string, mutation string, input map[string]any, done string) error {
	var failed error
	for i, id := range ids {
		given := map[string]any{"id": globalID(kind, id)}
		for name, value := range input {
			given[name] = value
		}
		var data struct {
			Payload struct{ Errors []client.UserError }
		}
		err := r.ask(ctx, mutation, map[string]any{"input": given}, &data)
		if err == nil {
			err = client.UserErrors(data.Payload.Errors)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", id, err)
			if len(ids) == 1 {
				return err
			}
			fmt.Fprintln(os.Stderr, "secmon:", table.Visible(err.Error()))
			if failed == nil {
				failed = err
			}
			if ctx.Err() != nil || exitCode(err) == exitNoLogin || exitCode(err) == exitUnavailable {
				return partialIf(i > 0, fmt.Errorf("%d of %d are done: %w", i, len(ids), failed))
			}
			continue
		}
		fmt.Printf("%s %s\n", id, done)
	}
	if failed != nil {
		return partial{fmt.Errorf("not all of the %d are %s", len(ids), done)}
	}
	return nil
}

func partialIf(some bool, err error) error {
	if some {
		return partial{err}
	}
	return err
}
