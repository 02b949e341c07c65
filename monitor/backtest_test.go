package monitor_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

func backtestOf(span time.Duration) *monitor.Backtest {
	to := time.Date(2026, 11, 27, 12, 30, 0, 0, time.UTC)
	return &monitor.Backtest{Spec: monitor.BacktestSpec{Source: "title: x", Filter: []byte("{}"), From: to.Add(-span), To: to}}
}

func TestBacktestCountsByHourOrDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, reason string
		span         time.Duration
		interval     time.Duration
	}{
		{"a week", "a week has few enough hours to be seen", 7 * 24 * time.Hour, time.Hour},
		{"longer", "more hours than that are no picture", 8 * 24 * time.Hour, 24 * time.Hour},
		{"longest", "the longest time fits into a series", monitor.MaxBacktestSpan, 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := backtestOf(c.span)
			rule := &monitor.Rule{ID: monitor.ID{1}}
			b.Add(rule, &monitor.Event{OccurredAt: b.Spec.From}, nil, false)
			b.Add(rule, &monitor.Event{OccurredAt: b.Spec.To.Add(-time.Microsecond)}, nil, false)
			h := b.Histogram()
			counts := h.Series[0].Counts
			if h.Interval != c.interval || h.Total != 2 || counts[0] != 1 || counts[len(counts)-1] != 1 || len(counts) != h.Buckets() {
				t.Errorf("%s: %s, %v", c.reason, h.Interval, counts)
			}
		})
	}
}

// What a backtest keeps is bounded, whatever the events are, and says where it is.
func TestBacktestIsBounded(t *testing.T) {
	t.Parallel()
	b := backtestOf(time.Hour)
	long := []monitor.MatchedField{{Field: "CommandLine", Value: strings.Repeat("é", 4_000), Pattern: strings.Repeat("p", 4_000)}}
	for i := range 12_000 {
		b.Add(&monitor.Rule{ID: monitor.ID{1}}, &monitor.Event{OccurredAt: b.Spec.From, Host: fmt.Sprintf("host-%d", i), User: "root"}, long, false)
	}
	kept, err := json.Marshal(b)
	if err != nil || len(kept) > 1<<20 {
		t.Errorf("%d bytes are kept: %v", len(kept), err)
	}
	if b.Matched != 12_000 || b.Alerts() != 5_000 || !b.KeysMore || len(b.Shown) != monitor.MaxBacktestShown {
		t.Errorf("%d matched, %d alerts, more: %v, %d shown", b.Matched, b.Alerts(), b.KeysMore, len(b.Shown))
	}
	if top := b.Hosts(); len(top.Values) != 20 || !top.IsEstimate {
		t.Errorf("hosts: %d, estimate %v", len(top.Values), top.IsEstimate)
	}
	if top := b.Users(); len(top.Values) != 1 || top.Values[0].Count != 12_000 || top.IsEstimate {
		t.Errorf("users: %+v", top)
	}
	if long[0].Value != strings.Repeat("é", 4_000) {
		t.Error("it cuts what belongs to others")
	}
	var again monitor.Backtest
	if err := json.Unmarshal(kept, &again); err != nil || again.Matched != b.Matched || again.Alerts() != b.Alerts() || len(again.Shown) != len(b.Shown) {
		t.Errorf("read again: %+v %v", again.Matched, err)
	}
}

func TestBacktestProgressIsTime(t *testing.T) {
	t.Parallel()
	spec := backtestOf(time.Hour).Spec
	for at, want := range map[time.Time]int{spec.To: 0, spec.To.Add(-15 * time.Minute): 900, spec.From: 3_600, spec.From.Add(-time.Hour): 3_600, spec.To.Add(time.Hour): 0} {
		if done, total := spec.Progress(at); done != want || total != 3_600 {
			t.Errorf("at %s: %d of %d, want %d", at, done, total, want)
		}
	}
}

func TestRuleStages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		enabled, was bool
		want         monitor.RuleStage
	}{{false, false, monitor.RuleDraft}, {true, true, monitor.RuleEnabled}, {true, false, monitor.RuleEnabled}, {false, true, monitor.RuleDisabled}} {
		if got := (&monitor.Rule{Enabled: c.enabled, WasEnabled: c.was}).Stage(); got != c.want {
			t.Errorf("enabled %v, was %v: %s, want %s", c.enabled, c.was, got, c.want)
		}
	}
}

// What suppressions hide is told, and is no alert.
func TestBacktestTellsWhatIsHidden(t *testing.T) {
	t.Parallel()
	b := backtestOf(time.Hour)
	for i := range 10 {
		b.Add(&monitor.Rule{ID: monitor.ID{1}}, &monitor.Event{OccurredAt: b.Spec.From, Host: fmt.Sprintf("host-%d", i%5)}, nil, i%5 > 1)
	}
	if b.Matched != 10 || b.Suppressed != 6 || b.Alerts() != 2 || b.Histogram().Total != 10 {
		t.Errorf("%d matched, %d hidden, %d alerts", b.Matched, b.Suppressed, b.Alerts())
	}
}

func TestRulesAreRankedByTheirAlerts(t *testing.T) {
	t.Parallel()
	all := func() []*monitor.RuleActivity {
		return []*monitor.RuleActivity{
			{Rule: monitor.ID{1}, Alerts: 5, Closed: 4, FalsePositives: 1},
			{Rule: monitor.ID{2}, Alerts: 9},
			{Rule: monitor.ID{3}, Alerts: 2, Closed: 2, FalsePositives: 2},
			{Rule: monitor.ID{4}, Alerts: 8, Closed: 4, FalsePositives: 4},
		}
	}
	for order, want := range map[monitor.RuleOrder]string{monitor.RulesByAlerts: "2413", monitor.RulesByFalsePositives: "431"} {
		got := ""
		for _, a := range monitor.RankActivities(all(), order) {
			got += fmt.Sprint(a.Rule[0])
		}
		if got != want {
			t.Errorf("%s: %s, want %s", order, got, want)
		}
	}
}
