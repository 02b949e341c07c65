package db_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Query lines find the same in the database and in memory, whatever they are made of.
func TestQueryLinesMeanTheSameInBothReaders(t *testing.T) {
	store := dbtest.New(t)
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // repeatable
	b := &monitor.Batch{}
	for i := range 300 {
		b.Events = append(b.Events, randomEvent(r, i))
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	stored := map[monitor.EventID]*monitor.Event{}
	all, err := store.Events(t.Context(), nil, monitor.EventsByReceived, page.Args{First: 500})
	if err != nil || len(all.Edges) != 300 {
		t.Fatal(len(all.Edges), err)
	}
	for _, e := range all.Nodes() {
		stored[e.ID] = e
	}
	matched := 0
	for range 400 {
		text := randomLine(r, 0)
		filter := &monitor.EventFilter{Query: &text}
		p, err := filter.Compile()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		found, err := store.Events(t.Context(), filter, monitor.EventsByReceived, page.Args{First: 500})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var got, want []string
		for _, e := range found.Nodes() {
			got = append(got, e.ID.String())
		}
		for id, e := range stored {
			if p.Matches(e, time.Now()) {
				want = append(want, id.String())
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the database finds %d, the memory %d", text, len(got), len(want))
		}
		if len(got) > 0 && len(got) < 300 {
			matched++
		}
		raw, err := monitor.LineFilter(monitor.LineEvents, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		told, err := monitor.ParseFilter[monitor.EventFilter](raw)
		if err != nil {
			t.Fatalf("%s means %s: %v", text, raw, err)
		}
		same, err := told.Compile()
		if err != nil && !strings.Contains(err.Error(), "nested deeper") { // lines nest deeper than filters may
			t.Fatalf("%s means %s: %v", text, raw, err)
		}
		for id, e := range stored {
			if err == nil && same.Matches(e, time.Now()) != p.Matches(e, time.Now()) {
				t.Fatalf("%s is told to mean %s, which is not the same for %s", text, raw, id)
			}
		}
	}
	if matched < 150 {
		t.Errorf("only %d lines of 400 find some and not all", matched)
	}
}

// The same for alerts, incidents and rules, with every field that their lines have;
// and what queryLine tells a line to mean, means the same.
func TestEveryFieldOfALineMeansTheSameInBothReaders(t *testing.T) {
	store := dbtest.New(t)
	r := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // repeatable
	b := &monitor.Batch{}
	for i := range 100 {
		rule := testRule(byte(1 + i%5)) //nolint:gosec // small
		rule.Title, rule.Level, rule.Tags, rule.Techniques = pick(r, someTexts), pick(r, monitor.Severities), someTags[:r.IntN(3)], []string{"T1110"}[:r.IntN(2)]
		b.Events = append(b.Events, randomEvent(r, i))
		b.Findings = append(b.Findings, monitor.Finding{Event: i, Rule: rule})
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		title := pick(r, someTexts[1:])
		if _, err := store.CreateIncident(t.Context(), monitor.SystemActor, monitor.Incident{Title: title, Description: pick(r, someTexts), Severity: pick(r, monitor.Severities), Status: monitor.IncidentOpen, AssigneeID: monitor.ID{byte(i % 2)}}, nil); err != nil { //nolint:gosec // small
			t.Fatal(err)
		}
	}
	agree(t, r, monitor.LineAlerts, func(text string) (map[monitor.ID]bool, int, error) {
		all, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 500})
		if err != nil {
			return nil, 0, err
		}
		found, err := store.Alerts(t.Context(), &monitor.AlertFilter{Query: &text}, monitor.AlertsByCreated, page.Args{First: 500})
		return differ[monitor.AlertFilter](t, text, monitor.LineAlerts, all, found, err, func(a *monitor.Alert) monitor.ID { return a.ID })
	})
	agree(t, r, monitor.LineIncidents, func(text string) (map[monitor.ID]bool, int, error) {
		all, err := store.Incidents(t.Context(), nil, page.Args{First: 500})
		if err != nil {
			return nil, 0, err
		}
		found, err := store.Incidents(t.Context(), &monitor.IncidentFilter{Query: &text}, page.Args{First: 500})
		return differ[monitor.IncidentFilter](t, text, monitor.LineIncidents, all, found, err, func(i *monitor.Incident) monitor.ID { return i.ID })
	})
	for _, f := range monitor.LineFields(monitor.LineRules) {
		text := f.Name + ":" + lineValue(r, f) + " OR word"
		raw, err := monitor.LineFilter(monitor.LineRules, text)
		if err == nil {
			_, err = monitor.ParseFilter[monitor.RuleFilter](raw)
		}
		if err == nil {
			_, err = store.Rules(t.Context(), &monitor.RuleFilter{Query: &text}, page.Args{First: 1})
		}
		if err != nil {
			t.Errorf("%s, %s: %v", text, raw, err)
		}
	}
}

func agree(t *testing.T, r *rand.Rand, noun monitor.LineNoun, differences func(text string) (map[monitor.ID]bool, int, error)) {
	t.Helper()
	fields, some := monitor.LineFields(noun), 0
	for i := range 300 {
		f := fields[i%len(fields)]
		text := f.Name + ":" + lineValue(r, f)
		switch r.IntN(4) {
		case 0:
			text = "NOT " + text
		case 1:
			other := pick(r, fields)
			text += pick(r, []string{" ", " OR "}) + other.Name + ":" + lineValue(r, other)
		case 2:
			text += " OR web"
		}
		different, matched, err := differences(text)
		if err != nil || len(different) > 0 {
			t.Errorf("%s: the database and the memory differ on %d, %v", text, len(different), err)
		}
		if matched > 0 {
			some++
		}
	}
	if some < 100 {
		t.Errorf("only %d lines of 300 of %s find anything", some, noun)
	}
}

// differ gives what only one of three readers finds: the database, the memory, and
// the memory with what the line is told to mean.
func differ[F any, T monitor.Subject, P interface {
	*F
	Compile() (monitor.Predicate, error)
}](t *testing.T, text string, noun monitor.LineNoun, all, found *page.Connection[T], err error, id func(T) monitor.ID) (map[monitor.ID]bool, int, error) {
	t.Helper()
	if err != nil {
		return nil, 0, err
	}
	raw, err := monitor.LineFilter(noun, text)
	if err != nil {
		return nil, 0, err
	}
	told, err := monitor.ParseFilter[F](raw)
	if err != nil {
		return nil, 0, err
	}
	p, err := P(told).Compile()
	if err != nil {
		return nil, 0, err
	}
	out := map[monitor.ID]bool{}
	for _, item := range all.Nodes() {
		out[id(item)] = p.Matches(item, time.Now())
	}
	for _, item := range found.Nodes() {
		out[id(item)] = !out[id(item)]
	}
	for key, different := range out {
		if !different {
			delete(out, key)
		}
	}
	return out, len(found.Edges), nil
}

func lineValue(r *rand.Rand, f *monitor.LineField) string {
	switch f.Kind {
	case monitor.LineEnum:
		return strings.ToLower(pick(r, f.Values))
	case monitor.LineNumber:
		return pick(r, []string{"", ">", ">=", "<", "<="}) + pick(r, []string{"0", "1", "2"})
	case monitor.LineTime:
		return pick(r, []string{">", ">=", "<", "<="}) + pick(r, []string{"now-1h", "now+1h", "2026-05-04T09:30:20Z"})
	case monitor.LineIP:
		return pick(r, []string{"10.0.0.0/8", "::1", "203.0.113.9", "*"})
	case monitor.LineList:
		return pick(r, []string{"attack.t1110", "T1110", "none"})
	case monitor.LineID:
		return pick(r, []string{"none", "*"})
	default:
		return pick(r, []string{"*", "web*", "*_1*", "(web-1 OR WEB_1)", `"straße"`, "日*"})
	}
}

func randomLine(r *rand.Rand, depth int) string {
	if depth < 3 && r.IntN(3) == 0 {
		parts := []string{randomLine(r, depth+1), randomLine(r, depth+1)}
		return "(" + strings.Join(parts, pick(r, []string{" ", " AND ", " OR "})) + ")"
	}
	if r.IntN(5) == 0 {
		return pick(r, []string{"NOT ", "-"}) + randomLine(r, depth+1)
	}
	quoted := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	switch r.IntN(9) {
	case 7, 8:
		return "raw." + pick(r, somePaths) + ":" + pick(r, []string{"*", "web*", "4624", "true,-1", "*e*", `"stra\u00dfe"`})
	case 0:
		return "severity:" + pick(r, []string{"", ">", ">=", "<", "<="}) + strings.ToLower(string(pick(r, monitor.Severities)))
	case 1:
		return "src:" + pick(r, []string{"10.0.0.0/8", "::1", "203.0.113.9,2001:db8::1", "*"})
	case 2:
		return fmt.Sprintf("source.port:%s%d", pick(r, []string{"", ">", "<="}), r.IntN(4))
	case 3:
		return pick(r, []string{"host", "process", "message"}) + ":" + pick(r, []string{"*", "web*", "*_1*", "(web-1 OR WEB_1)", "web%1,web-1"})
	case 4:
		return pick(r, []string{"user", "action"}) + ":" + quoted(pick(r, someTexts[1:]))
	case 5:
		return "outcome:" + pick(r, []string{"failure", "success", "(failure unknown)"})
	default:
		return quoted(pick(r, someTexts[1:]))
	}
}
