package db_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// What the database counts is what one counts by hand over the list.
func TestCountsAreThoseOfTheList(t *testing.T) {
	store := dbtest.New(t)
	r := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // repeatable
	begin := time.Now().UTC().Truncate(time.Hour).Add(-48 * time.Hour)
	b := &monitor.Batch{}
	for i := range 400 {
		e := randomEvent(r, i)
		e.OccurredAt = begin.Add(time.Duration(r.IntN(40*3600)) * time.Second)
		e.Process = fmt.Sprintf("p%d", min(r.IntN(40), r.IntN(40))) // more than a series has lines
		b.Events = append(b.Events, e)
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	list, err := store.Events(t.Context(), nil, monitor.EventsByOccurred, page.Args{First: 500})
	if err != nil {
		t.Fatal(err)
	}
	line := "NOT host:web-1"
	filter := &monitor.EventFilter{Query: &line}
	p, err := filter.Compile()
	if err != nil {
		t.Fatal(err)
	}
	var events []*monitor.Event
	for _, e := range list.Nodes() {
		if p.Matches(e, time.Now()) {
			events = append(events, e)
		}
	}
	ip := func(e *monitor.Event) string {
		if !e.SrcIP.IsValid() {
			return ""
		}
		return e.SrcIP.String()
	}
	fields := map[monitor.AggregateField]func(*monitor.Event) string{
		"HOST": func(e *monitor.Event) string { return e.Host }, "PROCESS": func(e *monitor.Event) string { return e.Process },
		"SEVERITY": func(e *monitor.Event) string { return string(e.Severity) }, "SOURCE_IP": ip,
		"OUTCOME": func(e *monitor.Event) string { return string(e.Outcome) },
	}
	if n, estimate, err := store.EventCount(t.Context(), filter); err != nil || n != len(events) || estimate {
		t.Errorf("%d events, estimate %t, %v, want %d", n, estimate, err, len(events))
	}
	for field, value := range fields {
		counts, total := map[string]int{}, 0
		for _, e := range events {
			if v := value(e); v != "" {
				counts[v]++
				total++
			}
		}
		top, err := store.EventTop(t.Context(), filter, field, 3)
		if err != nil || top.Total != total || top.IsEstimate || len(top.Values) != min(3, len(counts)) {
			t.Fatalf("%s: %+v %v, want %d in all", field, top, err, total)
		}
		var best []int
		for _, n := range counts {
			best = append(best, n)
		}
		slices.SortFunc(best, func(a, b int) int { return cmp.Compare(b, a) })
		for i, v := range top.Values {
			if v.Count != best[i] || counts[v.Value] != v.Count {
				t.Errorf("%s: the %d. is %+v, want %d; by hand %d", field, i+1, *v, best[i], counts[v.Value])
			}
		}
		bounds := monitor.SeriesBounds{From: begin.Add(90 * time.Minute), To: begin.Add(30 * time.Hour), Interval: time.Hour}
		series, err := store.EventTimeSeries(t.Context(), filter, bounds, &field)
		if err != nil {
			t.Fatal(err)
		}
		first, sum := begin.Add(time.Hour), 0
		want := map[string]int{}
		for _, e := range events {
			if v := value(e); v != "" && !e.OccurredAt.Before(first) && e.OccurredAt.Before(bounds.To) {
				want[fmt.Sprintf("%s %d", v, int(e.OccurredAt.Sub(first)/time.Hour))]++
				sum++
			}
		}
		if starts := series.Starts(); !starts[0].Equal(first) || len(starts) != 29 || series.Total != sum {
			t.Errorf("%s: %d buckets from %s with %d, want 29 from %s with %d", field, len(starts), starts[0], series.Total, first, sum)
		}
		for _, l := range series.Series {
			for i, n := range l.Counts {
				if l.Value != nil && n != want[fmt.Sprintf("%s %d", *l.Value, i)] {
					t.Errorf("%s %s, bucket %d: %d, want %d", field, *l.Value, i, n, want[fmt.Sprintf("%s %d", *l.Value, i)])
				}
			}
		}
		if field == "PROCESS" && (len(series.Series) != 11 || series.Series[10].Value != nil || series.Series[10].Total == 0) {
			t.Errorf("there is no line for the rest: %d lines", len(series.Series))
		}
	}
	for name, bad := range map[string]monitor.SeriesBounds{
		"backwards":  {From: begin, To: begin.Add(-time.Hour), Interval: time.Hour},
		"too fine":   {From: begin, To: begin.Add(48 * time.Hour), Interval: time.Minute},
		"for ever":   {From: time.Unix(0, 0), To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Interval: time.Second},
		"no length":  {From: begin, To: begin.Add(time.Hour)},
		"before all": {From: time.Unix(-5, 0), To: begin, Interval: 24 * 365 * time.Hour},
	} {
		if _, err := store.EventTimeSeries(t.Context(), nil, bad, nil); monitor.CodeOf(err) != monitor.CodeBadInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAlertsAreCountedByEachField(t *testing.T) {
	store := dbtest.New(t)
	raise(t, store, testRule(1), "a", "b")
	raise(t, store, testRule(2), "a")
	for field, want := range map[monitor.AggregateField]int{
		"HOST": 2, "STATUS": 1, "SEVERITY": 1, "RULE": 2, "DISPOSITION": 0,
	} {
		top, err := store.AlertTop(t.Context(), nil, field, 10)
		if err != nil || len(top.Values) != want {
			t.Errorf("%s: %+v %v, want %d values", field, top, err, want)
		}
		now := time.Now()
		series, err := store.AlertTimeSeries(t.Context(), nil, monitor.SeriesBounds{From: now.Add(-20 * 365 * 24 * time.Hour), To: now.Add(24 * time.Hour), Interval: 30 * 24 * time.Hour}, &field)
		if err != nil || len(series.Series) != want || series.Total != top.Total {
			t.Errorf("%s: %+v %v", field, series, err)
		}
	}
	if _, err := store.AlertTop(t.Context(), nil, "ACTION", 10); monitor.CodeOf(err) != monitor.CodeBadInput {
		t.Errorf("got %v", err)
	}
}
