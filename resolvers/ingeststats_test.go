package resolvers

import (
	"testing"
	"time"

	"github.com/security-monitor/secmon/graph/model"
)

func TestIngestMinute(t *testing.T) {
	at := time.Unix(1_790_000_000, 0)
	minute := new(ingestMinute)
	for _, came := range []struct {
		before time.Duration
		events int
	}{
		{61 * time.Second, 1}, // ended a minute and a second ago
		{60 * time.Second, 2}, // ended a minute ago
		{59500 * time.Millisecond, 4},
		{30 * time.Second, 8},
		{time.Second - 1, 16},
		{0, 32},
		{-time.Millisecond, 64}, // in the second that runs
	} {
		minute.add(at.Add(-came.before), model.IngestCounts{Events: came.events})
	}
	for _, want := range []struct {
		reason       string
		after        int // seconds
		second, last int
	}{
		{"a second has its end and not its beginning", 0, 48, 60},
		{"what ran is over, and the oldest are out", 1, 64, 120},
		{"half a minute later", 30, 0, 112},
		{"a minute later", 60, 0, 64},
		{"nothing is left", 61, 0, 0},
	} {
		for s := range want.after {
			minute.begin(at.Add(time.Duration(s+1) * time.Second))
		}
		stats := minute.statsAt(at.Add(time.Duration(want.after) * time.Second))
		if stats.LastSecond.Events != want.second || stats.LastMinute.Events != want.last {
			t.Errorf("%s: %d in the second, %d in the minute; want %d and %d", want.reason,
				stats.LastSecond.Events, stats.LastMinute.Events, want.second, want.last)
		}
	}
}
