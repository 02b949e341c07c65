package app

import (
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

func TestHealthSaysExactlyWhy(t *testing.T) {
	t.Parallel()
	id := monitor.ID{1}
	view := &rulesView{rules: map[monitor.ID]*monitor.Rule{id: {ID: id, Version: 2}}, problems: map[monitor.ID]string{{2}: "it names no rule"}}
	for _, c := range []struct {
		name string
		rule monitor.Rule
		want monitor.RuleHealth
		why  string
	}{
		{"draft", monitor.Rule{ID: id, Version: 2, State: monitor.RuleActive}, monitor.RuleOff, "it is a draft: it was never enabled"},
		{"disabled", monitor.Rule{ID: id, Version: 2, State: monitor.RuleActive, WasEnabled: true}, monitor.RuleOff, "it is disabled"},
		{"needs a list", monitor.Rule{ID: id, Version: 2, Enabled: true, State: monitor.RuleInactive, StateReason: "no list"}, monitor.RuleNeedsMore, "no list"},
		{"wrong", monitor.Rule{ID: id, Version: 2, Enabled: true, State: monitor.RuleInvalid, StateReason: "line 3"}, monitor.RuleFailing, "line 3"},
		{"in force", monitor.Rule{ID: id, Version: 2, Enabled: true, State: monitor.RuleActive}, monitor.RuleRunning, ""},
		{"stored just now", monitor.Rule{ID: id, Version: 3, Enabled: true, State: monitor.RuleActive}, monitor.RuleNeedsMore, "this version is not in force yet: it takes up to a second"},
		{"refused by the engine", monitor.Rule{ID: monitor.ID{2}, Version: 1, Enabled: true, State: monitor.RuleActive}, monitor.RuleFailing, "it names no rule"},
	} {
		if health, why := healthOf(view, &c.rule); health != c.want || why != c.why {
			t.Errorf("%s: %s, %q", c.name, health, why)
		}
	}
	if health, _ := healthOf(nil, &monitor.Rule{Enabled: true, State: monitor.RuleActive}); health != monitor.RuleNeedsMore {
		t.Errorf("before the first load: %s", health)
	}
}

func TestCostsOfReplicasAddUp(t *testing.T) {
	t.Parallel()
	a, b := monitor.ID{1}, monitor.ID{2}
	sum := sumCosts([]*monitor.RuleCost{
		{Rule: a, Events: 10, Tried: 1, Nanoseconds: 1_000},
		{Rule: b, Events: 10, Nanoseconds: 5_000},
		nil,
		{Events: 7},
		{Rule: a, Events: 30, Tried: 2, Hits: 1, Nanoseconds: 19_000},
		{Rule: monitor.ID{3}},
	})
	if len(sum) != 2 || sum[0].Rule != a || sum[0].Events != 40 || sum[0].Tried != 3 || sum[0].Hits != 1 || sum[0].NanosecondsPerEvent() != 500 || sum[1].Rule != b || sum[1].NanosecondsPerEvent() != 500 {
		t.Errorf("%+v", sum)
	}
}
