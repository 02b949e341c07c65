package detect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// TestGoldenCorrelations runs testdata/correlations/<case>: rules, events in the
// order of their coming, and which correlations fire by which. Of an event, t is its
// time in seconds, `again` says how often it is counted, and `repeat` that it comes so
// often, a second apart. Between events every state is written and read, as by a
// restart.
func TestGoldenCorrelations(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join("testdata", "correlations", "*"))
	if err != nil || len(dirs) < 30 {
		t.Fatalf("%d cases: %v", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := newCounting(t, documentsOf(t, filepath.Join(dir, "rules.yml")))
			for i, line := range bytes.Split(bytes.TrimSpace(readFile(t, filepath.Join(dir, "events.ndjson"))), []byte("\n")) {
				c.play(i, line)
			}
			var want []string
			if err := json.Unmarshal(readFile(t, filepath.Join(dir, "want.json")), &want); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(c.fired, want) {
				t.Errorf("fired\n%s\nwant\n%s", strings.Join(c.fired, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func documentsOf(t *testing.T, path string) (rules []*monitor.Rule) {
	t.Helper()
	for _, source := range strings.Split(string(readFile(t, path)), "\n---\n") {
		rule, err := Parse([]byte(source))
		if err != nil {
			t.Fatalf("%v in\n%s", err, source)
		}
		rules = append(rules, rule)
	}
	return rules
}

// tally is what the store does, in memory.
type tally struct {
	t      *testing.T
	set    *Ruleset
	source monitor.LogSource
	states map[string]*monitor.CorrelationState
	events int
	fired  []string
}

func newCounting(t *testing.T, rules []*monitor.Rule) *tally {
	t.Helper()
	set := Compile(rules)
	if problems := set.Problems(); len(problems) > 0 {
		t.Fatal(problems)
	}
	return &tally{t: t, set: set, source: monitor.LogSource{Product: "test"}, states: map[string]*monitor.CorrelationState{}}
}

func (c *tally) play(number int, line []byte) {
	c.t.Helper()
	var about struct{ T, Again, Repeat int }
	if err := json.Unmarshal(line, &about); err != nil {
		c.t.Fatal(err)
	}
	rec := record(c.t, string(line))
	rec.LogSource = c.source
	for i := range max(1, about.Repeat) {
		id := monitor.EventID{Batch: monitor.ID{byte(number + 1)}, Ordinal: uint32(i)}
		for range max(1, about.Again) {
			c.count(c.set.Match(rec, nil), id, about.T+i)
		}
	}
}

func (c *tally) count(matches []monitor.Match, id monitor.EventID, second int) {
	var samples []monitor.Sample
	for _, m := range matches {
		samples = append(samples, m.Samples...)
	}
	sort.SliceStable(samples, func(i, j int) bool { return samples[i].Depth < samples[j].Depth })
	at := time.Unix(int64(second), 0)
	if c.events++; c.events < 100 || c.events%1_000 == 0 {
		c.restart()
	}
	fired := map[*monitor.Rule]bool{}
	for _, s := range samples {
		if s.Chained && !fired[s.Found] {
			continue
		}
		m := monitor.NewCorrelator(s.Rule.Correlation, monitor.DefaultCorrelationAllowance)
		counted, ok := m.Counted(&s, id, at)
		if !ok {
			continue
		}
		name := fmt.Sprint(s.Rule.ID, s.GroupKey())
		if c.states[name] == nil {
			c.states[name] = &monitor.CorrelationState{}
		}
		seen := m.Observe(c.states[name], counted)
		if seen.Fired {
			fired[s.Rule] = true
			c.fired = append(c.fired, fmt.Sprintf("%s (%s) at %d", s.Rule.Title, strings.Join(s.Group, ", "), second))
		}
	}
}

// restart leaves of every state what is written.
func (c *tally) restart() {
	for name, state := range c.states {
		again, err := monitor.DecodeCorrelationState(state.Encode())
		if err != nil {
			c.t.Fatal(err)
		}
		c.states[name] = again
	}
}

const countedRule = "title: Failed\nname: failed\nid: 11111111-1111-4111-8111-111111111111\nlogsource: {product: test}\ndetection: {s: {A: 1}, condition: s}\n"

func correlationOf(name, body string) string {
	return "title: " + name + "\nname: " + name + "\ncorrelation:\n  " + strings.ReplaceAll(strings.TrimSpace(body), "\n", "\n  ") + "\n"
}

func compiled(t *testing.T, sources ...string) (*Ruleset, []*monitor.Rule) {
	t.Helper()
	var rules []*monitor.Rule
	for _, source := range sources {
		rule, err := Parse([]byte(source))
		if err != nil {
			t.Fatalf("%v in\n%s", err, source)
		}
		rules = append(rules, rule)
	}
	return Compile(rules), rules
}

// The example in docs/correlations.md does what is said of it there.
func TestExampleOfTheDocumentationFires(t *testing.T) {
	parts := strings.Split(string(readFile(t, filepath.Join("..", "docs", "correlations.md"))), "```yaml\n")
	var rules []*monitor.Rule
	for _, part := range parts[1:] {
		source, _, _ := strings.Cut(part, "```")
		rule, err := Parse([]byte(source))
		if err != nil {
			t.Fatalf("%v in\n%s", err, source)
		}
		rules = append(rules, rule)
	}
	c := newCounting(t, rules)
	c.source = monitor.LogSource{Product: "windows", Service: "security"}
	for i := range 12 {
		id := 4625
		if i == 11 {
			id = 4624
		}
		c.play(i, fmt.Appendf(nil, `{"t":%d,"EventID":%d,"TargetUserName":"ana","TargetDomainName":"CORP"}`, 30*i, id))
	}
	want := []string{"Many failed logins (ana, corp) at 270", "Many failed logins (ana, corp) at 300", "Many failed logins, then one that succeeded (ana, corp) at 330"}
	if !slices.Equal(c.fired, want) {
		t.Errorf("fired %q, want %q", c.fired, want)
	}
}

func TestCorrelationThatCannotRunSaysWhy(t *testing.T) {
	over := func(name, rules string) string {
		return correlationOf(name, "type: event_count\nrules: ["+rules+"]\ntimespan: 1m\ncondition: {gte: 2}")
	}
	placeholder := ruleWith("s:\n  A|expand: '%x%'\ncondition: s") + "name: waiting\n"
	tests := []struct {
		name   string
		rules  []string
		reason string
	}{
		{"missing", []string{over("a", "failed, other")}, `the rule "other" that it counts is not there, or not enabled`},
		{"itself", []string{over("a", "a")}, "it counts itself"},
		{"cycle", []string{over("a", "failed, b"), over("b", "c"), over("c", "a")}, "it counts itself by way of"},
		{"two of one name", []string{countedRule + "status: test\n", over("a", "failed")}, `the rule "failed" that it counts is one of 2 with this name`},
		{"one by two names", []string{over("a", "failed, 11111111-1111-4111-8111-111111111111")}, "stands there twice"},
		{"a member that does not run", []string{placeholder, over("a", "waiting")}, `the rule "waiting" that it counts does not run: `},
		{"a member that counts in vain", []string{over("a", "b"), over("b", "gone")}, `the rule "gone" that it counts is not there`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, _ := compiled(t, append([]string{countedRule}, tt.rules...)...)
			found := false
			for _, p := range set.Problems() {
				found = found || strings.Contains(p.Err.Error(), tt.reason)
			}
			if !found {
				t.Errorf("problems are %v, want one with %q", set.Problems(), tt.reason)
			}
			rec := record(t, `{"A":1}`)
			rec.LogSource.Product = "test"
			for _, m := range set.Match(rec, nil) {
				if m.Silent || len(m.Samples) > 0 {
					t.Error("a correlation that does not run keeps its member silent")
				}
			}
		})
	}
}

func TestMembersAreSilentUnlessOneSaysGenerate(t *testing.T) {
	body := "type: event_count\nrules: [failed]\ntimespan: 1m\ncondition: {gte: 2}"
	rec := record(t, `{"A":1}`)
	rec.LogSource.Product = "test"
	for generate, silent := range map[string]bool{"": true, "\ngenerate: false": true, "\ngenerate: true": false} {
		set, rules := compiled(t, countedRule, correlationOf("a", body), correlationOf("b", body+generate))
		m := set.Match(rec, nil)
		if len(m) != 1 || m[0].Silent != silent || len(m[0].Samples) != 2 || set.Len() != 3 {
			t.Errorf("generate %q: %d matches, silent %t, want %t", generate, len(m), m[0].Silent, silent)
		}
		if c := m[0].Samples[0].Rule.Correlation; len(c.Members) != 1 || c.Members[0] != rules[0].ID {
			t.Errorf("the members are %v", c.Members)
		}
	}
	outer := correlationOf("a", body) + "generate: true\n" // as the specification's schema has it
	set, _ := compiled(t, countedRule, outer)
	if set.Match(rec, nil)[0].Silent {
		t.Error("generate beside the section is not read")
	}
}

func TestSamplesHaveGroupAndValue(t *testing.T) {
	set, _ := compiled(t, countedRule,
		correlationOf("inner", "type: value_count\nrules: [failed]\ngroup-by: [Host Name, User]\ntimespan: 1m\ncondition: {field: Value, gte: 2}"),
		correlationOf("outer", "type: event_count\nrules: [inner]\ngroup-by: [who]\naliases: {who: {failed: User}}\ntimespan: 1m\ncondition: {gte: 2}"))
	tests := []struct{ record, want, reason string }{
		{`{"A":1,"HostName":"WEB-1","User":"Ana","Value":5}`, "inner [web-1 ana] 5 0 false; outer [ana]  1 true", "names without spaces, texts without case"},
		{`{"A":1,"HostName":"w","Value":5}`, "", "no user: in no group"},
		{`{"A":1,"HostName":"w","User":""}`, "", "an empty text is none"},
		{`{"A":1,"HostName":null,"User":"a","Value":1}`, "outer [a]  1 true", "null is none; the outer one has its own groups"},
		{`{"A":1,"HostName":["v","w"],"User":"a","Value":["x","X","y"]}`, "inner [v a] x 0 false; inner [v a] y 0 false; inner [w a] x 0 false; inner [w a] y 0 false; outer [a]  1 true", "several values"},
	}
	for _, tt := range tests {
		rec := record(t, tt.record)
		rec.LogSource.Product = "test"
		var got []string
		for _, m := range set.Match(rec, nil) {
			for _, s := range m.Samples {
				got = append(got, fmt.Sprint(s.Rule.Title, " ", s.Group, " ", s.Value, " ", s.Depth, " ", s.Chained))
			}
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("%s: samples are\n%s\nwant\n%s", tt.reason, strings.Join(got, "; "), tt.want)
		}
	}
}

// What is no number is not counted: it is no 0, and never fires a condition that nothing
// would make true.
func TestWhatIsNoNumberIsNotCalculatedWith(t *testing.T) {
	for _, kind := range []string{"value_sum", "value_avg", "value_median", "value_percentile"} {
		percentile := ""
		if kind == "value_percentile" {
			percentile = "percentile: 50, "
		}
		correlation, err := Parse([]byte(correlationOf("C", "type: "+kind+"\nrules: [failed]\ngroup-by: [User]\ntimespan: 1m\ncondition: {"+percentile+"field: N, lte: 8}")))
		if err != nil {
			t.Fatal(err)
		}
		failed, err := Parse([]byte(countedRule))
		if err != nil {
			t.Fatal(err)
		}
		c := newCounting(t, []*monitor.Rule{failed, correlation})
		for i, n := range []string{`"none"`, `""`, `null`, `true`, `"NaN"`, `"Inf"`, `"-infinity"`, `"1e999"`, `"5 MB"`, `"1,5"`, `["a", "b"]`, `{"x": 1}`} {
			c.play(i, []byte(`{"t": 1, "A": 1, "User": "u", "N": `+n+`}`))
		}
		c.play(50, []byte(`{"t": 1, "A": 1, "User": "u"}`))
		if len(c.fired) > 0 {
			t.Errorf("%s: fired by what is no number: %v", kind, c.fired)
		}
		for i, n := range []string{`8`, `"8"`, `["many", 8, 100]`, `"0.8e1"`} {
			c.fired, c.states = nil, map[string]*monitor.CorrelationState{}
			c.play(100+i, []byte(`{"t": 200, "A": 1, "User": "u", "N": `+n+`}`))
			if len(c.fired) != 1 {
				t.Errorf("%s: %s was not counted as the number 8: %v", kind, n, c.fired)
			}
		}
	}
}

func TestCorrelationIsRead(t *testing.T) {
	rule, err := Parse([]byte(`title: Many
name: many
id: 0e95725d-7320-415d-80f7-004da920fc11
level: high
correlation:
    type: value_percentile
    rules: [a, b]
    group-by: ComputerName
    timespan: 2w
    condition: {field: Bytes, percentile: 99.5, gt: 1_000, lte: 2e3}
    aliases: {who: {a: User, b: Account}}
    generate: true
`))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(rule.Correlation)
	want := `{"type":"value_percentile","rules":["a","b"],"groupBy":["ComputerName"],"aliases":{"who":{"a":"User","b":"Account"}},"timespan":1209600000000000,"condition":{"bounds":[{"op":"gt","limit":1000},{"op":"lte","limit":2000}],"fields":["Bytes"],"percentile":99.5,"expr":null},"generate":true}`
	if string(got) != want || rule.Kind != monitor.CorrelationRule || rule.Name != "many" || rule.Level != monitor.SeverityHigh || rule.State != monitor.RuleActive {
		t.Errorf("read %s %s %s\n%s\nwant\n%s", rule.Kind, rule.Name, rule.Level, got, want)
	}
}

func TestWrongCorrelationsSayWhere(t *testing.T) {
	good := "  type: event_count\n  rules: [a]\n  timespan: 5m\n  condition: {gte: 2}\n"
	change := func(old, now string) string { return strings.Replace(good, old, now, 1) }
	temporal := func(condition string) string {
		return "  type: temporal_ordered\n  timespan: 5m\n  condition: " + condition + "\n"
	}
	tests := []struct{ name, body, want string }{
		{"nothing", "", "line 2, column 13: correlation must be a mapping"},
		{"unknown key", good + "  groupby: [a]\n", `line 7, column 3: a correlation has no "groupby"`},
		{"no type", change("  type: event_count\n", ""), "line 3, column 3: a correlation needs type"},
		{"unknown type", change("event_count", "value_min"), `line 3, column 9: the type "value_min" is none of`},
		{"no rules", change("  rules: [a]\n", ""), "needs rules"},
		{"empty rules", change("[a]", "[]"), "line 4, column 10: a correlation counts one rule at least"},
		{"rule twice", change("[a]", "[a, a]"), `the rule "a" stands here twice`},
		{"no timespan", change("  timespan: 5m\n", ""), "needs timespan"},
		{"timespan without unit", change("5m", "300"), `line 5, column 13: the timespan "300"`},
		{"timespan of nothing", change("5m", "0s"), "is not a number and one of"},
		{"negative timespan", change("5m", "-5m"), "is not a number and one of"},
		{"long timespan", change("5m", "3y"), "longer than a year"},
		{"no condition", change("  condition: {gte: 2}\n", ""), "event_count needs a condition"},
		{"words for a count", change("{gte: 2}", "a and b"), "only temporal"},
		{"no bound", change("{gte: 2}", "{}"), "needs one of gt"},
		{"unknown operator", change("{gte: 2}", "{ge: 2}"), `line 6, column 15: a condition has no "ge"`},
		{"no number", change("{gte: 2}", "{gte: two}"), "line 6, column 20: gte takes a number"},
		{"below zero", change("{gte: 2}", "{gte: -1}"), "not below 0"},
		{"too many", change("{gte: 2}", "{gte: 10001}"), "counts up to 10000"},
		{"field for event_count", change("{gte: 2}", "{gte: 2, field: A}"), "looks at no field"},
		{"no field", change("event_count", "value_count"), "value_count needs a field"},
		{"two fields", strings.Replace(change("event_count", "value_sum"), "gte: 2", "gte: 2, field: [A, B]", 1), "needs one field"},
		{"no percentile", strings.Replace(change("event_count", "value_percentile"), "gte: 2", "gte: 2, field: A", 1), "needs a percentile"},
		{"percentile too high", strings.Replace(change("event_count", "value_percentile"), "gte: 2", "gte: 2, field: A, percentile: 101", 1), "between 0 and 100"},
		{"alias without field", good + "  aliases: {x: {a: }}\n", `the alias "x" names no field for the rule "a"`},
		{"alias that is a text", good + "  aliases: {x: a}\n", `line 7, column 16: the alias "x" must be a mapping`},
		{"generate", good + "  generate: maybe\n", "line 7, column 13: generate takes true or false"},
		{"condition ends", temporal("a and"), "line 5, column 19: the condition ends too early"},
		{"operator twice", temporal("a and or b"), `line 5, column 20: "or" is not expected here`},
		{"open bracket", temporal("(a or b"), "a bracket is not closed"},
		{"closing bracket", temporal("a) or b"), `line 5, column 15: ")" is not expected here`},
		{"rule that is not listed", temporal("a and b") + "  rules: [a]\n", `the rule "b" is not one of rules`},
		{"rule that is not named", temporal("a") + "  rules: [a, b]\n", `the condition does not name the rule "b"`},
		{"too many ways", temporal("(a or b) and (c or d) and (e or f) and (g or h) and (i or j) and (k or l) and (m or n)"), "can be true in more than 64 ways"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := "title: t\ncorrelation:\n" + tt.body
			if tt.body == "" {
				source = "title: t\ncorrelation:\n"
			}
			_, err := Parse([]byte(source))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := Parse([]byte("title: t\ncorrelation:\n" + good)); err != nil {
		t.Errorf("the good one is refused: %v", err)
	}
}
