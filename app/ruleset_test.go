package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/monitor"
)

// storedRules stands for the table: it gives out new objects at each read, as a
// database does, and notes what was read.
type storedRules struct {
	all  map[monitor.ID]monitor.Rule
	read []monitor.ID
	err  error
}

func (s *storedRules) RulesByID(_ context.Context, ids []monitor.ID) ([]*monitor.Rule, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.read = append(s.read, ids...)
	var out []*monitor.Rule
	for _, id := range ids {
		if rule, ok := s.all[id]; ok {
			out = append(out, &rule)
		}
	}
	return out, nil
}

func (s *storedRules) marks() []monitor.RuleMark {
	var out []monitor.RuleMark
	for _, r := range s.all {
		if r.Enabled {
			out = append(out, monitor.RuleMark{ID: r.ID, Version: r.Version, UpdatedAt: r.UpdatedAt})
		}
	}
	slices.SortFunc(out, func(a, b monitor.RuleMark) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out
}

func (s *storedRules) change(id monitor.ID, how func(*monitor.Rule)) {
	r := s.all[id]
	how(&r)
	s.all[id] = r
}

func ruleNumber(n int) monitor.ID { return monitor.ID{15: byte(n), 14: byte(n >> 8)} }

func someRules(n int) *storedRules {
	s := &storedRules{all: map[monitor.ID]monitor.Rule{}}
	for i := range n {
		s.all[ruleNumber(i)] = monitor.Rule{
			ID: ruleNumber(i), Version: 1, UpdatedAt: time.Unix(1, 0), Enabled: true, State: monitor.RuleActive, Source: sourceNumber(i, "a"),
		}
	}
	return s
}

func sourceNumber(n int, value string) string {
	return fmt.Sprintf("title: Number %d\nlogsource:\n    product: windows\ndetection:\n    sel:\n        Image: %s%d\n    condition: sel\n", n, value, n)
}

func TestLoadReadsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, reason string
		change       func(*storedRules)
		read         []int
		left         int
	}{
		{"nothing", "a change of something else about rules costs no text", func(*storedRules) {}, nil, 500},
		{"another text", "one text is read, however many rules there are", func(s *storedRules) {
			s.change(ruleNumber(7), func(r *monitor.Rule) { r.Version, r.Source = 2, sourceNumber(7, "b") })
		}, []int{7}, 500},
		{"disabled", "nothing is read to stop a rule", func(s *storedRules) {
			s.change(ruleNumber(7), func(r *monitor.Rule) { r.Enabled, r.UpdatedAt = false, time.Unix(2, 0) })
		}, nil, 499},
		{"added", "a new rule is read", func(s *storedRules) {
			s.all[ruleNumber(900)] = monitor.Rule{ID: ruleNumber(900), Version: 1, Enabled: true, State: monitor.RuleActive, Source: sourceNumber(900, "a")}
		}, []int{900}, 501},
		{"restored", "a restored database gives version 1 another text", func(s *storedRules) {
			s.change(ruleNumber(3), func(r *monitor.Rule) { r.UpdatedAt, r.Source = time.Unix(9, 0), sourceNumber(3, "c") })
		}, []int{3}, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stored, in := someRules(500), &rulesInForce{}
			before, n, err := in.follow(t.Context(), stored.marks(), stored.RulesByID)
			if err != nil || n != 500 || len(before) != 500 {
				t.Fatal(len(before), n, err)
			}
			was := detect.Compile(before)
			stored.read = nil
			c.change(stored)
			after, n, err := in.follow(t.Context(), stored.marks(), stored.RulesByID)
			if err != nil || n != len(c.read) || len(after) != c.left {
				t.Fatalf("%s: %d rules, %d read: %v", c.reason, len(after), n, err)
			}
			var read []monitor.ID
			for _, i := range c.read {
				read = append(read, ruleNumber(i))
			}
			if !slices.Equal(stored.read, read) {
				t.Errorf("%s: read %v", c.reason, stored.read)
			}
			known := map[*monitor.Rule]bool{}
			for _, r := range before {
				known[r] = true
			}
			for _, r := range after {
				if !known[r] && !slices.Contains(read, r.ID) {
					t.Errorf("%s: rule %s is another object, and would be compiled again", c.reason, r.ID)
				}
			}
			if set := was.Recompile(after); set.Len() != c.left {
				t.Errorf("%s: %d rules in force, problems %v", c.reason, set.Len(), set.Problems())
			}
		})
	}
}

func TestLoadLeavesOutWhatWasDisabledMeanwhile(t *testing.T) {
	t.Parallel()
	stored, in := someRules(3), &rulesInForce{}
	marks := stored.marks()
	stored.change(ruleNumber(1), func(r *monitor.Rule) { r.Enabled = false })
	delete(stored.all, ruleNumber(2))
	rules, _, err := in.follow(t.Context(), marks, stored.RulesByID)
	if err != nil || len(rules) != 1 || rules[0].ID != ruleNumber(0) {
		t.Fatal(rules, err)
	}
}

func TestFailedLoadKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	stored, in := someRules(3), &rulesInForce{}
	before, _, err := in.follow(t.Context(), stored.marks(), stored.RulesByID)
	if err != nil {
		t.Fatal(err)
	}
	stored.change(ruleNumber(0), func(r *monitor.Rule) { r.Version = 2 })
	stored.err = errors.New("away")
	if _, _, err := in.follow(t.Context(), stored.marks(), stored.RulesByID); err == nil {
		t.Fatal("a failed read is no error")
	}
	stored.err = nil
	after, n, err := in.follow(t.Context(), stored.marks(), stored.RulesByID)
	if err != nil || n != 1 || after[1] != before[1] || after[0].Version != 2 {
		t.Fatal(n, err)
	}
}
