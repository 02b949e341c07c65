package detect

import (
	"errors"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// filterOf makes a filter document.
func filterOf(logsource, rules, condition string) string {
	return "title: f\nlogsource: {" + logsource + "}\nfilter:\n  rules: " + rules + "\n  selection:\n    User|startswith: adm_\n  other:\n    Host: x\n  condition: " + condition + "\n"
}

func compileAll(sources ...string) *Ruleset {
	rules := make([]*monitor.Rule, len(sources))
	for i, s := range sources {
		rules[i] = &monitor.Rule{Source: s}
	}
	return Compile(rules)
}

func TestFilters(t *testing.T) {
	named := strings.Replace(documentOf("a", idA), "title: a", "title: a\nname: first", 1)
	b := documentOf("b", idB)
	narrow := strings.Replace(documentOf("c", "5638f7c0-ac70-491d-8465-2a65075e0d87"), "product: test", "product: test\n    service: s", 1)
	tests := []struct{ name, reason, filter, record, fires string }{
		{"not", "events that the filter's condition excludes are taken away", filterOf("product: test", "["+idA+"]", "not selection"), `{"A":1,"User":"adm_x"}`, "b c"},
		{"not, other event", "others are not", filterOf("product: test", "["+idA+"]", "not selection"), `{"A":1,"User":"x"}`, "a b c"},
		{"as written", "the condition is added as it is written: only such events are left", filterOf("product: test", "["+idA+"]", "selection"), `{"A":1,"User":"x"}`, "b c"},
		{"as written, fits", "and these are", filterOf("product: test", "["+idA+"]", "selection"), `{"A":1,"User":"ADM_x"}`, "a b c"},
		{"by name", "a rule may be named by its name", filterOf("product: test", "[first]", "not selection"), `{"A":1,"User":"adm_x"}`, "b c"},
		{"by id in capitals", "ids have no case", filterOf("product: test", "["+strings.ToUpper(idA)+"]", "not selection"), `{"A":1,"User":"adm_x"}`, "b c"},
		{"one rule without list", "a single rule needs no list", filterOf("product: test", "first", "not selection"), `{"A":1,"User":"adm_x"}`, "b c"},
		{"several", "all named rules are filtered", filterOf("product: test", "[first, "+idB+"]", "not selection"), `{"A":1,"User":"adm_x"}`, "c"},
		{"any", "any rule of the log source", filterOf("product: test", "any", "not selection"), `{"A":1,"User":"adm_x"}`, ""},
		{"any of a narrower log source", "rules of a wider one are not touched", filterOf("product: test, service: S", "any", "not selection"), `{"A":1,"User":"adm_x"}`, "a b"},
		{"brackets", "or is inside the filter's brackets", filterOf("product: test", "any", "other or not selection"), `{"A":2,"Host":"x"}`, ""},
		{"globs", "patterns count the filter's own searches", filterOf("product: test", "[first]", "not 1 of *"), `{"A":1,"Host":"x"}`, "b c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rs := compileAll(named, tt.filter, b, narrow) // a filter may stand anywhere
			if len(rs.Problems()) > 0 || rs.Len() != 3 {
				t.Fatalf("%d rules, problems %v", rs.Len(), rs.Problems())
			}
			rec := record(t, tt.record)
			rec.LogSource.Service = "s"
			var fired []string
			for _, m := range rs.Match(rec, nil) {
				fired = append(fired, firstTitle(m.Rule.Source))
			}
			if got := strings.Join(fired, " "); got != tt.fires {
				t.Errorf("fires %q, want %q: %s", got, tt.fires, tt.reason)
			}
		})
	}
}

func firstTitle(source string) string {
	return strings.TrimPrefix(source[:strings.IndexByte(source, '\n')], "title: ")
}

func TestSeveralFiltersAddUp(t *testing.T) {
	rs := compileAll(documentOf("a", idA), filterOf("product: test", "any", "not selection"), filterOf("product: test", "any", "not other"))
	for fields, want := range map[string]int{`{"A":1}`: 1, `{"A":1,"User":"adm_"}`: 0, `{"A":1,"Host":"x"}`: 0} {
		if n := len(rs.Match(record(t, fields), nil)); n != want {
			t.Errorf("%s: %d matches, want %d", fields, n, want)
		}
	}
}

func TestFiltersSayWhatTheyMiss(t *testing.T) {
	correlation := "title: c\nid: " + idB + "\ncorrelation:\n  type: event_count\n  rules: [" + idA + "]\n  group-by: [User]\n  timespan: 1m\n  condition: {gte: 5}\n"
	tests := []struct{ name, filter, message string }{
		{"missing rule", filterOf("product: test", "["+idA+", nobody]", "not selection"), `names the rule "nobody", and no rule that runs`},
		{"other log source", filterOf("product: other", "["+idA+"]", "not selection"), "logsource is not that of the rule"},
		{"no rule at all", filterOf("product: other", "any", "not selection"), "no rule that runs has the filter's logsource"},
		{"a correlation", filterOf("product: test", "["+idA+", "+idB+"]", "not selection"), "can only filter the rules that are counted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rs := compileAll(documentOf("a", idA), correlation, tt.filter)
			problems := rs.Problems()
			if rs.Len() != 2 || len(problems) != 1 {
				t.Fatalf("%d rules, problems %v", rs.Len(), problems)
			}
			var missed *FilterError
			if !errors.As(problems[0].Err, &missed) || !strings.Contains(missed.Message, tt.message) || !strings.HasPrefix(problems[0].Rule.Source, "title: f") {
				t.Errorf("says %v of %s, want %q", problems[0].Err, problems[0].Rule.Source, tt.message)
			}
			wanted := 0
			if strings.Contains(tt.filter, "product: other") {
				wanted = 1 // it does nothing
			}
			if n := len(rs.Match(record(t, `{"A":1,"User":"adm_x"}`), nil)); n != wanted {
				t.Errorf("%d rules fire, want %d", n, wanted)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	tests := []struct {
		name, source string
		kind         monitor.RuleKind
	}{
		{"rule", documentOf("a", idA), monitor.DetectionRule},
		{"filter", filterOf("product: test", "any", "selection"), monitor.FilterRule},
		{"correlation", "title: c\nname: count_it\ncorrelation:\n  type: event_count\n  rules: [x]\n  group-by: [User]\n  timespan: 1m\n  condition: {gte: 5}\n", monitor.CorrelationRule},
	}
	for _, tt := range tests {
		r, err := Parse([]byte(tt.source))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if r.Kind != tt.kind || r.State != monitor.RuleActive || (r.Correlation != nil) != (tt.kind == monitor.CorrelationRule) {
			t.Errorf("%s is %s, %s", tt.name, r.Kind, r.State)
		}
		if tt.kind == monitor.CorrelationRule && r.Name != "count_it" {
			t.Errorf("its name is %q", r.Name)
		}
		if n := compileAll(tt.source).Len(); (n == 1) != (tt.kind == monitor.DetectionRule) {
			t.Errorf("%s: %d rules run by themselves", tt.name, n)
		}
	}
}
