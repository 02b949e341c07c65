package db_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// A page of large records ends early, and the list goes on behind it without a hole.
func TestPageOfLargeRecordsEndsEarly(t *testing.T) {
	store := dbtest.New(t)
	const many, size = 40, 1 << 20
	text := bytes.Repeat([]byte("x"), size)
	for i := range many {
		e := testEvent(i)
		e.Host, e.Raw = fmt.Sprint(i), monitor.RawJSON(`"`+string(text)+`"`)
		if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{e}}); err != nil {
			t.Fatal(err)
		}
	}
	seen, pages := map[string]bool{}, 0
	for after := ""; ; pages++ {
		found, err := store.Events(t.Context(), nil, monitor.EventsByReceived, page.Args{First: 500, After: after})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(found.Edges); n > 17 {
			t.Fatalf("a page has %d MiB of records", n)
		}
		for _, e := range found.Nodes() {
			seen[e.Host] = true
		}
		if !found.PageInfo.HasNextPage {
			break
		}
		after = *found.PageInfo.EndCursor
	}
	if len(seen) != many || pages < 2 {
		t.Errorf("%d events on %d pages", len(seen), pages)
	}
}
