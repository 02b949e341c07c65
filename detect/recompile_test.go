package detect

import (
	"fmt"
	"sync"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

func TestRecompileTakesOver(t *testing.T) {
	rule := func(name, detection string) *monitor.Rule { return ruleNamed(t, name, detection) }
	other := rule("other", "s:\n  B: x\ncondition: s")
	other.LogSource.Product = "elsewhere"
	a, b := rule("a", "s:\n  A|contains: alpha\ncondition: s"), rule("b", "s:\n  A|endswith: beta\ncondition: s")
	first := Compile([]*monitor.Rule{a, b})
	changed := rule("b", "s:\n  A|endswith: gamma\n  C: null\ncondition: s")
	changed.ID = b.ID
	second := first.Recompile([]*monitor.Rule{a, changed})
	if second.rules[0] != first.rules[0] {
		t.Error("a rule that stayed as it was is compiled again")
	}
	if same := first.Recompile([]*monitor.Rule{a, b}); same.indexes[a.LogSource] != first.indexes[a.LogSource] {
		t.Error("an index of the same rules is built again")
	}
	for _, c := range []struct {
		value  string
		rs     *Ruleset
		titles string
	}{
		{"alpha beta", first, "[a t b t]"},
		{"alpha beta", second, "[a t]"},
		{"alpha gamma", first, "[a t]"},
		{"alpha gamma", second, "[a t b t]"},
		{"alpha gamma", second.Recompile([]*monitor.Rule{changed}), "[b t]"},
		{"alpha gamma", second.Recompile(nil), "[]"},
	} {
		rec := record(t, fmt.Sprintf(`{"A": %q}`, c.value))
		titles := []string{}
		for _, m := range c.rs.Match(rec, nil) {
			titles = append(titles, m.Rule.Title)
		}
		if got := fmt.Sprint(titles); got != c.titles {
			t.Errorf("%q: %s, want %s", c.value, got, c.titles)
		}
	}
}

// A metadata change makes a new *Rule with the same text: matches must carry it.
func TestRecompileGivesTheNewRule(t *testing.T) {
	was := ruleNamed(t, "a", "s:\n  A: x\ncondition: s")
	is := *was
	is.Version = 7
	rs := Compile([]*monitor.Rule{was}).Recompile([]*monitor.Rule{&is})
	if found := rs.Match(record(t, `{"A": "x"}`), nil); len(found) != 1 || found[0].Rule.Version != 7 {
		t.Errorf("found %v, want version 7", found)
	}
}

func TestRecompileManyTimes(t *testing.T) {
	rs := Compile(nil)
	var rules []*monitor.Rule
	for i := range 3_000 {
		rules = []*monitor.Rule{ruleNamed(t, fmt.Sprint(i), fmt.Sprintf("s:\n  A%d: x\ncondition: s", i))}
		rs = rs.Recompile(rules)
	}
	if rs.numbers > 1_100 || len(rs.slots) > 1_100 || len(rs.predicates) > 1_100 {
		t.Errorf("one rule carries %d rules, %d fields and %d predicates along", rs.numbers, len(rs.slots), len(rs.predicates))
	}
	if found := rs.Match(record(t, `{"A2999": "x"}`), nil); len(found) != 1 || found[0].Rule != rules[0] {
		t.Errorf("found %v, want the last rule", found)
	}
}

// Nothing that a Ruleset uses may be touched by the making of the next.
func TestRecompileWhileMatching(t *testing.T) {
	var rules []*monitor.Rule
	for i := range 40 {
		rules = append(rules, ruleNamed(t, fmt.Sprint(i), fmt.Sprintf("s:\n  A|contains: [value%d, common]\n  B%d: null\ncondition: s", i, i)))
	}
	rs := Compile(rules)
	rec := record(t, `{"A": "common"}`)
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for range 200 {
				if found := rs.Match(rec, nil); len(found) != 40 {
					t.Errorf("%d rules fire, want 40", len(found))
					return
				}
			}
		})
	}
	next := rs
	for i := range 20 {
		rules = append(rules, ruleNamed(t, fmt.Sprint("more", i), fmt.Sprintf("s:\n  A|contains: [value%d, common]\n  C%d: null\ncondition: s", i, i)))
		next = next.Recompile(rules)
	}
	work.Wait()
	if found := next.Match(rec, nil); len(found) != 60 {
		t.Errorf("%d rules fire, want 60", len(found))
	}
}

// BenchmarkRecompile changes one of all of SigmaHQ's rules.
func BenchmarkRecompile(b *testing.B) {
	rules := activeRules(b)
	rs := Compile(rules)
	sources := []string{rules[2_000].Source, rules[2_000].Source + "\n# changed\n"}
	for n := 0; b.Loop(); n++ {
		changed := *rules[2_000]
		changed.Source = sources[n%2]
		rules[2_000] = &changed
		rs = rs.Recompile(rules)
	}
}
