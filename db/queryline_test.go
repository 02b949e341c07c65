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
	}
	if matched < 150 {
		t.Errorf("only %d lines of 400 find some and not all", matched)
	}
	for _, f := range monitor.LineFields(monitor.LineRules) {
		value := map[monitor.LineKind]string{monitor.LineText: "x*", monitor.LineList: "x"}[f.Kind]
		if f.Kind == monitor.LineEnum {
			value = f.Values[0]
		}
		text := f.Name + ":" + value + " OR word"
		if _, err := store.Rules(t.Context(), &monitor.RuleFilter{Query: &text}, page.Args{First: 1}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
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
