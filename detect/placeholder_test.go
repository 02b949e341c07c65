package detect

import (
	"slices"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

func TestPlaceholders(t *testing.T) {
	lists := monitor.Placeholders{
		"Servers": {"srv*", `dc1`}, "Domains": {"a.test", "b.test"}, "Nets": {"10.0.0.0/8", "fd00::/8"}, "One": {"x"}, "Odd": {`a*b`, `c\*d`},
	}
	tests := []struct{ name, reason, search, record, want string }{
		{"first value", "any value of the list", `A|expand: '%Servers%'`, `{"A":"dc1"}`, "yes"},
		{"pattern", "values are patterns", `A|expand: '%Servers%'`, `{"A":"SRV17"}`, "yes"},
		{"none", "and nothing else", `A|expand: '%Servers%'`, `{"A":"ws1"}`, "no"},
		{"itself", "the placeholder is no text any more", `A|expand: '%Servers%'`, `{"A":"%Servers%"}`, "no"},
		{"case of the name", "the specification writes it both ways", `A|expand: '%servers%'`, `{"A":"dc1"}`, "yes"},
		{"text around", "text may stand around it", `A|expand: 'pre-%One%-post'`, `{"A":"pre-x-post"}`, "yes"},
		{"two in one value", "every combination", `A|expand: '%One%@%Domains%'`, `{"A":"x@b.test"}`, "yes"},
		{"side by side", "without anything between", `A|expand: '%One%%One%'`, `{"A":"xx"}`, "yes"},
		{"contains", "with contains", `A|contains|expand: '@%Domains%'`, `{"A":"mail of me@a.test here"}`, "yes"},
		{"beside a value", "beside plain values", `A|expand: [y, '%One%']`, `{"A":"y"}`, "yes"},
		{"all", "a list is one value of all", `A|contains|all|expand: [me, '%Domains%']`, `{"A":"me@b.test"}`, "yes"},
		{"all misses", "the other value must be there too", `A|contains|all|expand: [me, '%Domains%']`, `{"A":"you@b.test"}`, "no"},
		{"escaped", "a percent sign behind a backslash is itself", `A|expand: '\%One%'`, `{"A":"%One%"}`, "yes"},
		{"escaped beside one", "as the specification has it", `A|expand: '\%plain%One%'`, `{"A":"%plainx"}`, "yes"},
		{"lonely percent", "a percent sign alone is itself", `A|expand: '100% %One%'`, `{"A":"100% x"}`, "yes"},
		{"networks", "lists of networks", `A|cidr|expand: '%Nets%'`, `{"A":"10.1.2.3"}`, "yes"},
		{"networks, v6", "of both kinds", `A|cidr|expand: '%Nets%'`, `{"A":"fd00::1"}`, "yes"},
		{"regular expression", "in an expression a value's dot is a dot", `A|re|expand: '^u@%Domains%$'`, `{"A":"u@aXtest"}`, "no"},
		{"regular expression, fits", "and its star is any text", `A|re|expand: '^%Odd%$'`, `{"A":"a--b"}`, "yes"},
		{"regular expression, escaped star", "an escaped star a star", `A|re|expand: '^%Odd%$'`, `{"A":"c*d"}`, "yes"},
		{"neq", "none of the list", `A|neq|expand: '%Servers%'`, `{"A":"dc1"}`, "no"},
		{"windash", "other modifiers see what was put in", `A|windash|expand: '-%One%'`, `{"A":"/x"}`, "yes"},
		{"without expand", "without the modifier it is a text", `A: '%One%'`, `{"A":"%One%"}`, "yes"},
		{"keyword", "in keywords too", `'|expand': '%Domains%'`, `{"B":"see a.test"}`, "yes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rule := &monitor.Rule{Source: ruleWith("sel:\n  " + tt.search + "\ncondition: sel")}
			rs := Compile([]*monitor.Rule{rule}, Options{Placeholders: lists})
			for _, p := range rs.Problems() {
				t.Fatalf("%v in\n%s", p.Err, rule.Source)
			}
			if fires := len(rs.Match(record(t, tt.record), nil)) == 1; fires != (tt.want == "yes") {
				t.Errorf("fires %v: %s", fires, tt.reason)
			}
		})
	}
}

func TestPlaceholdersMakeRulesActive(t *testing.T) {
	source := []byte(ruleWith("s:\n  A|expand: 'x%One%y%Two%'\ncondition: s"))
	tests := []struct {
		lists  monitor.Placeholders
		reason string // of being inactive
	}{
		{nil, "%One%"},
		{monitor.Placeholders{"One": {"1"}}, "%Two%"},
		{monitor.Placeholders{"One": {"1"}, "Two": {}}, "%Two%"},
		{monitor.Placeholders{"One": {"1"}, "Two": {"2"}}, ""},
	}
	for _, tt := range tests {
		r, err := Parse(source, Options{Placeholders: tt.lists})
		if err != nil {
			t.Fatal(err)
		}
		if (r.State == monitor.RuleActive) != (tt.reason == "") || !strings.Contains(r.StateReason, tt.reason) {
			t.Errorf("with %v it is %s, %q", tt.lists, r.State, r.StateReason)
		}
		if n := Compile([]*monitor.Rule{r}, Options{Placeholders: tt.lists}).Len(); (n == 1) != (tt.reason == "") {
			t.Errorf("with %v %d rules run", tt.lists, n)
		}
	}
}

func TestPlaceholdersAreBounded(t *testing.T) {
	many := monitor.Placeholders{"M": slices.Repeat([]string{"v"}, monitor.MaxPlaceholderValues)}
	for _, search := range []string{`A|expand: '%M%%M%'`, `A|expand: ['%M%', '%M%', '%M%', '%M%', '%M%', '%M%', '%M%', '%M%', '%M%', '%M%', '%M%']`} {
		_, err := Parse([]byte(ruleWith("s:\n  "+search+"\ncondition: s")), Options{Placeholders: many})
		if err == nil || !strings.Contains(err.Error(), "more than 10000 values") {
			t.Errorf("%.20s: %v", search, err)
		}
	}
}

func TestListsOfPlaceholdersAreChecked(t *testing.T) {
	fine := monitor.Placeholder{Name: "Servers_1", Values: []string{"a"}}
	tests := []struct {
		name string
		edit func(p *monitor.Placeholder)
	}{
		{"no name", func(p *monitor.Placeholder) { p.Name = "" }},
		{"percent signs", func(p *monitor.Placeholder) { p.Name = "%Servers%" }},
		{"long name", func(p *monitor.Placeholder) { p.Name = strings.Repeat("x", 65) }},
		{"no values", func(p *monitor.Placeholder) { p.Values = nil }},
		{"empty value", func(p *monitor.Placeholder) { p.Values = []string{""} }},
		{"two lines", func(p *monitor.Placeholder) { p.Values = []string{"a\nb"} }},
		{"long value", func(p *monitor.Placeholder) { p.Values = []string{strings.Repeat("x", monitor.MaxPlaceholderValue+1)} }},
		{"many values", func(p *monitor.Placeholder) {
			p.Values = slices.Repeat([]string{"x"}, monitor.MaxPlaceholderValues+1)
		}},
		{"many bytes", func(p *monitor.Placeholder) { p.Values = slices.Repeat([]string{strings.Repeat("x", 1000)}, 66) }},
	}
	if err := fine.Check(); err != nil {
		t.Error(err)
	}
	for _, tt := range tests {
		p := fine
		tt.edit(&p)
		if p.Check() == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
}
