package monitor_test

import (
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

func TestASourceIsWaitedForAsLongAsItsPausesUsuallyAre(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	source := &monitor.Source{}
	see := func(after time.Duration) {
		at = at.Add(after)
		source.Count(&monitor.SourceCount{First: at, Last: at, Records: 1, Lag: time.Second, Lagged: 1, LagMax: time.Second})
	}
	for range 9 {
		see(5 * time.Minute)
	}
	if got := source.Patience(); got != 0 {
		t.Errorf("patience %s after nine sightings, want none: too little is known", got)
	}
	see(5 * time.Minute)
	if got := source.Patience(); got != 20*time.Minute {
		t.Errorf("patience %s, want four times the pause", got)
	}
	for range 200 {
		see(time.Second)
	}
	if got := source.Patience(); got != 10*time.Minute {
		t.Errorf("patience %s of a source that is never quiet, want the least", got)
	}
	never := time.Duration(0)
	if err := source.SetExpect(&never); err != nil || !source.SilentAt().IsZero() {
		t.Errorf("silent at %s, %v", source.SilentAt(), err)
	}
	short := time.Second
	if err := source.SetExpect(&short); monitor.CodeOf(err) != monitor.CodeBadInput {
		t.Errorf("a second: %v", err)
	}
	last := source.LastSeen
	source.Count(&monitor.SourceCount{First: last.Add(-time.Minute), Last: last.Add(-time.Second), Records: 5})
	if !source.LastSeen.Equal(last) || source.Records != 215 {
		t.Errorf("late counts: %s, %d records", source.LastSeen, source.Records)
	}
}

func TestASourceFailsWhenOneInAHundredIsRejected(t *testing.T) {
	source := &monitor.Source{}
	for _, c := range []struct {
		records, rejected int64
		want              monitor.SourceState
	}{{0, 0, monitor.SourceHealthy}, {100, 1, monitor.SourceHealthy}, {99, 1, monitor.SourceFailing}, {0, 1, monitor.SourceFailing}} {
		if got := source.State([]monitor.SourceMinute{{Records: c.records, Rejected: c.rejected}}); got != c.want {
			t.Errorf("%d stored, %d rejected: %s, want %s", c.records, c.rejected, got, c.want)
		}
	}
}
