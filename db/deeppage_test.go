package db_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// A page in the middle of a list reads about as many rows as the first: it begins in
// the middle of an index.
func TestDeepPagesReadNoMoreThanTheFirst(t *testing.T) {
	dsn, f := large(t)
	store, err := db.Open(t.Context(), db.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = handle.Close() })
	measured := 0
	measure := func(name string, list func(args page.Args) (cursor *string, more bool, err error)) {
		t.Helper()
		read := func(args page.Args) (rows int, cursor *string, more bool) {
			before, _ := readings(t, handle)
			cursor, more, err := list(args)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			after, _ := readings(t, handle)
			return after - before, cursor, more
		}
		first, _, _ := read(page.Args{First: 50})
		at := ""
		for range 5 {
			_, cursor, more := read(page.Args{First: 500, After: at})
			if !more {
				return // too short a list to be deep in
			}
			at = *cursor
		}
		deep, _, _ := read(page.Args{First: 50, After: at})
		measured++
		if deep > 2*first+100 {
			t.Errorf("%s: %d rows are read for the first page, %d for one that is 2,500 rows away", name, first, deep)
		}
	}
	for _, order := range monitor.AlertOrders {
		for name, filter := range alertFilters(f) {
			measure(fmt.Sprintf("alerts %s %s", order, name), func(args page.Args) (*string, bool, error) {
				c, err := store.Alerts(t.Context(), filter, order, args)
				if err != nil {
					return nil, false, err
				}
				return c.PageInfo.EndCursor, c.PageInfo.HasNextPage, nil
			})
		}
	}
	for _, order := range monitor.EventOrders {
		for name, filter := range eventFilters() {
			measure(fmt.Sprintf("events %s %s", order, name), func(args page.Args) (*string, bool, error) {
				c, err := store.Events(t.Context(), filter, order, args)
				if err != nil {
					return nil, false, err
				}
				return c.PageInfo.EndCursor, c.PageInfo.HasNextPage, nil
			})
		}
	}
	if measured < 8 {
		t.Errorf("only %d lists are long enough", measured)
	}
}
