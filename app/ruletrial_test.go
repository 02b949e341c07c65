package app

import (
	"fmt"
	"testing"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

const trialRule = `title: Shop login
id: 6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a90
name: shop_login
logsource: {product: shop}
detection: {selection: {event: login}, condition: selection}
level: low
`

const trialFilter = `title: %s
id: 6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a9%d
logsource: {product: %s}
filter:
  rules: %s
  selection: {%s}
  condition: not selection
`

func benchWith(t *testing.T, lists monitor.Placeholders, sources ...string) ruleBench {
	t.Helper()
	view := &rulesView{rules: map[monitor.ID]*monitor.Rule{}, problems: map[monitor.ID]string{}}
	set := &monitor.PlaceholderSet{}
	for name, values := range lists {
		set.All = append(set.All, &monitor.Placeholder{Name: name, Values: values})
	}
	a := &App{engine: &detect.Engine{}}
	a.placeholders.Store(set)
	var rules []*monitor.Rule
	for _, source := range sources {
		r, err := detect.Parse([]byte(source), detect.Options{Placeholders: set.Lists()})
		if err != nil {
			t.Fatal(err)
		}
		view.rules[r.ID] = r
		rules = append(rules, r)
	}
	a.inForce.view.Store(view)
	a.engine.Swap(detect.Compile(rules, detect.Options{Placeholders: set.Lists()}))
	return ruleBench{a, ingest.NewNormaliser()}
}

// A draft is tried as it would run: with the filters in force, and with the lists.
func TestTrialAppliesTheFiltersInForce(t *testing.T) {
	t.Parallel()
	b := benchWith(t, monitor.Placeholders{"robots": {"robot-*"}},
		fmt.Sprintf(trialFilter, "by name", 1, "shop", "[shop_login, other]", "user|expand: '%robots%'"),
		fmt.Sprintf(trialFilter, "by id", 2, "shop", "[6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a90]", "host: lab"),
		fmt.Sprintf(trialFilter, "any", 3, "shop", "any", "user: healthcheck"),
		fmt.Sprintf(trialFilter, "of another log", 4, "bank", "any", "user: ana"),
		fmt.Sprintf(trialFilter, "of another rule", 5, "shop", "[other]", "user: ana"),
	)
	trial, problem := b.trial(trialRule)
	if problem != nil {
		t.Fatal(problem)
	}
	if len(trial.filters) != 3 {
		t.Errorf("%d filters are applied, want 3", len(trial.filters))
	}
	for record, want := range map[string]bool{
		`{"product":"shop","event":"login","user":"ana","host":"shop-1"}`:         true,
		`{"product":"shop","event":"login","user":"robot-7","host":"shop-1"}`:     false,
		`{"product":"shop","event":"login","user":"ana","host":"lab"}`:            false,
		`{"product":"shop","event":"login","user":"healthcheck","host":"shop-1"}`: false,
		`{"product":"shop","event":"logout","user":"ana","host":"shop-1"}`:        false,
	} {
		if result := trial.look([]byte(record)); result.Matches != want || result.Error != "" {
			t.Errorf("%s: %+v", record, result)
		}
	}
	test, err := b.TryRecords(trialRule, `{"product":"shop","event":"login","user":"robot-7"}`)
	if err != nil || test.Matched != 0 || len(test.Filters) != 3 {
		t.Errorf("%+v, %v", test, err)
	}
	if _, problem := b.trial("title: x\nlogsource: {product: shop}\ndetection: {s: {user|expand: '%nobody%'}, condition: s}\n"); problem == nil {
		t.Error("a rule without its list is tried")
	}
}

// Rules that only feed a correlation, and filters, are not what watches a technique.
func TestQuietRules(t *testing.T) {
	t.Parallel()
	const correlation = "title: Many %[1]s\nid: 6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8b%[2]s\ncorrelation:\n  type: event_count\n  rules: [%[1]s]\n  group-by: [user]\n  timespan: 5m\n  condition: {gte: 5}\n  generate: %[3]t\n"
	rule := func(name string, n int) string {
		return fmt.Sprintf("title: %s\nname: %s\nid: 6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8ad%d\nlogsource: {product: shop}\ndetection: {s: {event: %s}, condition: s}\n", name, name, n, name)
	}
	runs := []string{
		rule("fed", 0), rule("both", 1), rule("alone", 2),
		fmt.Sprintf(correlation, "fed", "01", false), fmt.Sprintf(correlation, "both", "02", true),
		fmt.Sprintf(trialFilter, "filter", 1, "shop", "any", "user: x"),
	}
	rests := []string{rule("fed_off", 3), rule("alone_off", 4), rule("both_off", 5), fmt.Sprintf(correlation, "fed_off", "03", false), fmt.Sprintf(correlation, "both_off", "04", true)}
	// One that runs is as the engine has it: its correlation does not run.
	runs = append(runs, rule("waits", 6))
	rests = append(rests, fmt.Sprintf(correlation, "waits", "05", false))
	b := benchWith(t, nil, runs...)
	var all []*monitor.RuleTechniques
	titles := map[monitor.ID]string{}
	for i, source := range append(runs, rests...) {
		r, err := detect.Parse([]byte(source))
		if err != nil {
			t.Fatal(err)
		}
		titles[r.ID] = r.Title
		one := &monitor.RuleTechniques{ID: r.ID, Kind: r.Kind, Name: r.Name, Runs: i < len(runs)}
		if r.Kind == monitor.CorrelationRule {
			one.Source = source
		}
		all = append(all, one)
	}
	quiet := b.Quiet(all)
	for _, r := range all {
		want := map[string]bool{"fed": true, "fed_off": true, "filter": true}[titles[r.ID]]
		if quiet[r.ID] != want {
			t.Errorf("%s is quiet: %t", titles[r.ID], quiet[r.ID])
		}
	}
}
