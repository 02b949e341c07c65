package detect

import (
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

func TestCostsNameTheSlowRule(t *testing.T) {
	slow := ruleNamed(t, "slow", "s:\n  A|re: '(a+)+(b|c)+(a+)+$'\ncondition: s")
	quick := ruleNamed(t, "quick", "s:\n  A|contains: nowhere\ncondition: s")
	rules := []*monitor.Rule{slow, quick}
	rs := Compile(rules)
	rec := record(t, `{"A": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab!"}`)
	for range 100 * measureEvery {
		rs.Match(rec, nil)
	}
	// Another rule comes: what was measured stays.
	rs = rs.Recompile(append(rules, ruleNamed(t, "new", "s:\n  B: x\ncondition: s")))
	costs := rs.Costs()
	if len(costs) != 3 || costs[0].Rule != slow {
		t.Fatalf("costs of %d rules, want 3", len(costs))
	}
	// The pool may lose a scratch, and its count, to the garbage collector.
	if costs[0].Events < 50 || costs[0].Hits != 0 || costs[0].PerEvent() <= 0 {
		t.Errorf("the slow rule: %+v, %.0f ns", costs[0], costs[0].PerEvent())
	}
	if costs[1].Tried != 0 || costs[1].PerEvent() != 0 {
		t.Errorf("the rule that is never tried: %+v", costs[1])
	}
	if costs[2].Events != 0 {
		t.Errorf("the new rule has seen %d events", costs[2].Events)
	}
}
