package detect

import (
	"fmt"
	"slices"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// matchAfresh matches with nothing kept of earlier records.
func matchAfresh(rs *Ruleset, rec *monitor.Record) []monitor.Match {
	e := rs.events.New().(*event)
	from := rs.sourceOf(e, rec.LogSource)
	if from.plan == nil {
		return nil
	}
	e.load(rec, from, rs.slots)
	return rs.match(e, from.plan, nil)
}

func sameMatches(a, b []monitor.Match) bool {
	return slices.EqualFunc(a, b, func(a, b monitor.Match) bool {
		return a.Rule == b.Rule && slices.Equal(a.Matched, b.Matched)
	})
}

func TestWhatIsKeptOfValuesChangesNothing(t *testing.T) {
	rs := Compile(activeRules(t))
	records := otrfRecords(t)
	for range 2 {
		for i := range records {
			hits := rs.Match(&records[i], nil)
			if i%11 > 0 && len(hits) == 0 {
				continue // an event made afresh costs a megabyte
			}
			if want := matchAfresh(rs, &records[i]); !sameMatches(hits, want) {
				t.Fatalf("record %d: %v, want %v", i, hits, want)
			}
		}
	}
}

// The same text in another field, as another kind, among others, and beside
// another field's value must not be taken for what was known of it.
func TestAnswersBelongToTheirQuestion(t *testing.T) {
	rs := Compile([]*monitor.Rule{
		ruleAbout(t, "A: same\n  condition: s"),
		ruleAbout(t, "B: same\n  condition: s"),
		ruleAbout(t, "A|fieldref: B\n  condition: s"),
		ruleAbout(t, "A: '5.0'\n  condition: s"),
		ruleAbout(t, "A: same\n  o:\n    A: other\n  condition: s and not o"),
	})
	value := func(kind monitor.ValueKind, texts ...string) (list []monitor.Value) {
		for _, text := range texts {
			list = append(list, monitor.Value{Kind: kind, Text: text})
		}
		return list
	}
	records := []monitor.Record{
		{Fields: []monitor.Field{{Name: "A", Values: value(monitor.StringValue, "same")}}},
		{Fields: []monitor.Field{{Name: "B", Values: value(monitor.StringValue, "same")}}},
		{Fields: []monitor.Field{{Name: "A", Values: value(monitor.StringValue, "same")}, {Name: "B", Values: value(monitor.StringValue, "same")}}},
		{Fields: []monitor.Field{{Name: "A", Values: value(monitor.StringValue, "same")}, {Name: "B", Values: value(monitor.StringValue, "x")}}},
		{Fields: []monitor.Field{{Name: "A", Values: value(monitor.StringValue, "same", "other")}}},
		{Fields: []monitor.Field{{Name: "A", Values: value(monitor.StringValue, "other")}}},
		{Fields: []monitor.Field{{Name: "A", Values: value(monitor.NumberValue, "5")}}},
		{Fields: []monitor.Field{{Name: "A", Values: value(monitor.StringValue, "5")}}},
		{Fields: []monitor.Field{{Name: "C", Values: value(monitor.StringValue, "same")}, {Name: "A"}}},
	}
	for i := range records {
		records[i].LogSource = monitor.LogSource{Product: "p"}
	}
	for round := range 3 {
		for i := range records {
			if hits, want := rs.Match(&records[i], nil), matchAfresh(rs, &records[i]); !sameMatches(hits, want) {
				t.Errorf("round %d, record %d: %v, want %v", round, i, hits, want)
			}
		}
	}
}

// A memo that is full of values which nobody asks for again gives their places away.
func TestMemoForgetsWhatDoesNotComeAgain(t *testing.T) {
	var m memo
	for key := uint64(1); key <= 8*memoSets*memoWays; key++ {
		m.place(key)
	}
	if _, known := m.place(1); known {
		t.Error("the first of many is still there")
	}
	for range 3 {
		m.place(memoSets) // asked for again and again
	}
	for n := range uint64(100) {
		m.place((n + 1_000) * memoSets)
		if p, known := m.place(memoSets); p == nil || !known {
			t.Fatalf("what is asked for was forgotten after %d others", n)
		}
	}
}

func ruleAbout(t *testing.T, detection string) *monitor.Rule {
	t.Helper()
	rule, err := Parse(fmt.Appendf(nil, "title: t\nlogsource:\n  product: p\ndetection:\n  s:\n    %s\n", detection))
	if err != nil {
		t.Fatal(err)
	}
	return rule
}
