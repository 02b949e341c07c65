package detect

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// legacyRule is a rule of Sigma 1 with a condition and a timeframe.
func legacyRule(condition, timeframe string) string {
	if timeframe != "" {
		timeframe = "\n    timeframe: " + timeframe
	}
	return "title: Many of them\nid: " + idA + "\nname: many\nstatus: unsupported\nauthor: Ann\nreferences:\n    - https://example.org/a\ntags:\n    - attack.t1110\n" +
		"logsource:\n    product: test\ndetection:\n    s:\n        A: 1\n    t:\n        B: 2" + timeframe + "\n    condition: " + condition + "\nlevel: high\n"
}

func TestLegacyAggregationsBecomeCorrelations(t *testing.T) {
	tests := []struct{ condition, timeframe, want string }{
		{"s | count() > 5", "10m", "event_count  10m gt 5"},
		{"s and not t | count() by host >= 5", "30s", "event_count host 30s gte 5"},
		{"s | count(*) by host < 5", "7d", "event_count host 7d lt 5"},
		{"s|count( User )by host,  Domain == 3", "1h", "value_count User by host,Domain 1h eq 3"},
		{"s | COUNT(User) BY host = 3", "1h", "value_count User by host 1h eq 3"},
		{"s | sum(bytes) by src_ip > 300000", "1m", "value_sum bytes by src_ip 1m gt 300000"},
		{"s | avg(bytes) <= 1.5", "1m", "value_avg bytes by  1m lte 1.5"},
		{"s | near t", "5m", "temporal  5m gte 2"},
	}
	for _, tt := range tests {
		t.Run(tt.condition, func(t *testing.T) {
			f := ParseAll([]byte(legacyRule(tt.condition, tt.timeframe)))
			if len(f.Problems) > 0 || len(f.Rules) < 2 {
				t.Fatalf("%d rules, problems %v, reason %q", len(f.Rules), f.Problems, f.Rules[0].StateReason)
			}
			c := f.Rules[len(f.Rules)-1]
			if c.Kind != monitor.CorrelationRule || c.Converted == "" || c.State != monitor.RuleActive {
				t.Fatalf("the last is %s, %s, converted %q:\n%s", c.Kind, c.State, c.Converted, c.Source)
			}
			if got := describe(c.Correlation); got != tt.want {
				t.Errorf("it is %q, want %q:\n%s", got, tt.want, c.Source)
			}
			if c.ID.String() != idA || c.Name != "many" || c.Title != "Many of them" {
				t.Errorf("the correlation is %s, %q, %q", c.ID, c.Name, c.Title)
			}
			for i, base := range f.Rules[:len(f.Rules)-1] {
				if base.ID.String() != c.Correlation.Rules[i] || base.Kind != monitor.DetectionRule || base.State != monitor.RuleActive || base.Name != "" {
					t.Errorf("the base is %s, %s, %s:\n%s", base.ID, base.Kind, base.State, base.Source)
				}
			}
			for _, r := range f.Rules {
				about := fmt.Sprintf("%s %v %v %s %s", r.Author, r.Tags, r.References, r.Level, r.Status)
				if about != "Ann [attack.t1110] [https://example.org/a] HIGH experimental" {
					t.Errorf("%s is of %s", r.Title, about)
				}
			}
			if again := ParseAll([]byte(legacyRule(tt.condition, tt.timeframe))); again.Rules[0].ID != f.Rules[0].ID {
				t.Error("the ids are others each time")
			}
		})
	}
}

// describe shows a correlation in one line.
func describe(c *monitor.Correlation) string {
	out := string(c.Type) + " "
	if c.Condition.Fields != nil {
		out += strings.Join(c.Condition.Fields, ",") + " by "
	}
	span := c.Timespan.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(span, zero) {
			span = strings.TrimSuffix(span, zero[1:])
		}
	}
	span = strings.Replace(span, "168h", "7d", 1)
	out += strings.Join(c.GroupBy, ",") + " " + span
	for _, b := range c.Condition.Bounds {
		out += fmt.Sprintf(" %s %v", b.Op, b.Limit)
	}
	return out
}

// TestConvertedRule keeps the whole of a conversion in view.
func TestConvertedRule(t *testing.T) {
	f := ParseAll([]byte("# of the author\n" + legacyRule("s | count(User) by host > 5 # a remark", "10m")))
	want := []string{`# The events that the correlation 0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31 looks at. Both were made of one rule of Sigma 1.
# of the author
title: Many of them (events)
id: ` + f.Rules[0].ID.String() + `
related:
    - id: 0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31
      type: derived
status: experimental
author: Ann
references:
    - https://example.org/a
tags:
    - attack.t1110
logsource:
    product: test
detection:
    s:
        A: 1
    t:
        B: 2
    condition: s
level: high
`, `# Made of a rule of Sigma 1 with the condition
# s | count(User) by host > 5
# in 10m.
title: Many of them
id: 0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31
name: many
status: experimental
references:
    - https://example.org/a
author: Ann
tags:
    - attack.t1110
correlation:
    type: value_count
    rules:
        - ` + f.Rules[0].ID.String() + ` # Many of them (events)
    group-by:
        - host
    timespan: 10m
    condition:
        field: User
        gt: 5
    generate: false
level: high
`}
	for i, r := range f.Rules {
		if r.Source != want[i] {
			t.Errorf("rule %d is\n%s\nwant\n%s", i, r.Source, want[i])
		}
	}
}

func TestBasesFindTheEvents(t *testing.T) {
	f := ParseAll([]byte(legacyRule("s and not t | near t", "10m")))
	rules := []*monitor.Rule{f.Rules[0].Rule, f.Rules[1].Rule}
	for fields, want := range map[string]string{`{"A":1}`: "Many of them (events)", `{"A":1,"B":2}`: "Many of them (t)", `{"B":2}`: "Many of them (t)", `{"B":1}`: ""} {
		var got []string
		for _, m := range Compile(rules).Match(record(t, fields), nil) {
			got = append(got, m.Rule.Title)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q, want %q", fields, got, want)
		}
	}
}

func TestLegacyThatStaysInactive(t *testing.T) {
	tests := []struct{ condition, timeframe, reason string }{
		{"s | max(bytes) by host > 5", "1m", "max() has no correlation"},
		{"s | min(bytes) > 5", "1m", "min() has no correlation"},
		{"s | sum() > 5", "1m", "names no field"},
		{"s | count() > 5", "", "no timeframe"},
		{"s | count() > 5", "1M", `timeframe "1M"`},
		{"s | count() > 5", "0s", `timeframe "0s"`},
		{"s | count() by host", "1m", "is not of the form"},
		{"s | count() > many", "1m", "is not of the form"},
		{"s | near t and not s", "1m", "cannot ask that something is not there"},
		{"s | near t or s", "1m", "not a list of searches joined by and"},
		{"s | near (t and s)", "1m", "not a list of searches joined by and"},
		{"s | near 1 of t*", "1m", "not a list of searches joined by and"},
		{"s | near t and", "1m", "ends where"},
		{"s | near nobody", "1m", `names the search "nobody"`},
		{"[s, s | count() > 5]", "1m", "of several conditions"},
	}
	for _, tt := range tests {
		t.Run(tt.condition, func(t *testing.T) {
			f := ParseAll([]byte(legacyRule(tt.condition, tt.timeframe)))
			if len(f.Problems) > 0 || len(f.Rules) != 1 {
				t.Fatalf("%d rules, problems %v", len(f.Rules), f.Problems)
			}
			r := f.Rules[0]
			if r.State != monitor.RuleInactive || !strings.Contains(r.StateReason, tt.reason) || r.Converted != "" {
				t.Errorf("it is %s, %q, want %q", r.State, r.StateReason, tt.reason)
			}
			if r.Source != legacyRule(tt.condition, tt.timeframe) {
				t.Errorf("its text was changed:\n%s", r.Source)
			}
		})
	}
}

// TestLegacyRulesOfSigmaHQ converts every rule with an aggregation that SigmaHQ
// keeps as unsupported.
func TestLegacyRulesOfSigmaHQ(t *testing.T) {
	sources := sigmaRules(t)
	converted, inactive := 0, map[string]int{}
	for _, path := range sortedKeys(sources) {
		if !strings.HasPrefix(path, "unsupported/") {
			continue
		}
		f := ParseAll(sources[path])
		for _, p := range f.Problems {
			t.Logf("refused:   %s: %v", path, p)
		}
		for _, r := range f.Rules {
			switch {
			case r.Converted != "":
				converted++
				t.Logf("converted: %s: %s", path, r.Converted)
			case strings.Contains(r.StateReason, "aggregation"):
				inactive[strings.Split(r.StateReason, ":")[0]]++
				t.Logf("inactive:  %s: %s", path, r.StateReason)
			}
			again, err := Parse([]byte(r.Source))
			if err != nil || again.ID != r.ID || again.State != r.State && !strings.Contains(r.StateReason, "aggregation") {
				t.Errorf("%s: alone it is %v, %v:\n%s", path, again, err, r.Source)
			}
		}
		if problems := Compile(rulesOf(f)).Problems(); len(problems) > 0 && f.Rules[0].Converted == "" && !strings.Contains(problems[0].Err.Error(), "aggregation") {
			t.Logf("does not run: %s: %v", path, problems[0].Err)
		}
	}
	want := map[string]int{"the aggregation has no timeframe, which a correlation needs": 11, "the aggregation near has a not": 1}
	if converted != 42 || !maps.Equal(inactive, want) {
		t.Errorf("%d of 54 rules are converted, want 42; of the others %v, want %v", converted, inactive, want)
	}
}

func rulesOf(f *File) []*monitor.Rule {
	rules := make([]*monitor.Rule, len(f.Rules))
	for i, r := range f.Rules {
		rules[i] = r.Rule
	}
	return rules
}
