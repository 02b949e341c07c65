package attack

import (
	"regexp"
	"strings"
	"testing"
)

func TestMatrixIsWellFormed(t *testing.T) {
	t.Parallel()
	id := regexp.MustCompile(`^T\d{4}$`)
	names := map[string]string{}
	for _, tactic := range Tactics {
		seen := map[string]bool{}
		for _, technique := range tactic.Techniques {
			switch {
			case !id.MatchString(technique.ID) || technique.Name == "":
				t.Errorf("%s has %+v", tactic.Name, technique)
			case seen[technique.ID]:
				t.Errorf("%s has %s twice", tactic.Name, technique.ID)
			case names[technique.ID] != "" && names[technique.ID] != technique.Name:
				t.Errorf("%s is called %q and %q", technique.ID, names[technique.ID], technique.Name)
			}
			seen[technique.ID], names[technique.ID] = true, technique.Name
		}
	}
	if len(Tactics) != 14 {
		t.Errorf("%d tactics", len(Tactics))
	}
}

func TestCoverCountsEachRuleOnce(t *testing.T) {
	t.Parallel()
	columns, other := Cover([]Rule{
		{Techniques: []string{"T1059.001", "T1059", "T1059.003"}, Runs: true, Alerts: 4},
		{Techniques: []string{"T1059.001"}, Alerts: 1},
		{Techniques: []string{"T1078"}, Runs: true, Alerts: 2},
		{Techniques: []string{"T9999.001"}},
	})
	find := func(tactic, technique string) *Coverage {
		for _, column := range columns {
			for _, c := range column.Techniques {
				if column.ID == tactic && c.ID == technique {
					return c
				}
			}
		}
		t.Fatalf("no %s in %s", technique, tactic)
		return nil
	}
	shell := find("TA0002", "T1059")
	if shell.Rules != 2 || shell.Enabled != 1 || shell.Alerts != 5 || shell.Name != "Command and Scripting Interpreter" {
		t.Errorf("T1059 is %+v", shell)
	}
	if len(shell.Subtechniques) != 2 || shell.Subtechniques[0].ID != "T1059.001" || shell.Subtechniques[0].Rules != 2 || shell.Subtechniques[1].Alerts != 4 {
		t.Errorf("sub-techniques %+v", shell.Subtechniques)
	}
	for _, tactic := range []string{"TA0001", "TA0003", "TA0004", "TA0005"} {
		if c := find(tactic, "T1078"); c.Rules != 1 || c.Alerts != 2 {
			t.Errorf("T1078 in %s is %+v", tactic, c)
		}
	}
	if len(other) != 1 || other[0].ID != "T9999" || len(other[0].Subtechniques) != 1 {
		t.Errorf("other %+v", other)
	}
}

// Filters, and rules that only feed correlations, watch nothing by themselves; what
// such a rule raised before it was one is not forgotten.
func TestQuietRulesAreNotCounted(t *testing.T) {
	t.Parallel()
	columns, other := Cover([]Rule{
		{Techniques: []string{"T1059.001"}, Runs: true, Quiet: true, Alerts: 3},
		{Techniques: []string{"T1078"}, Runs: true, Quiet: true},
		{Techniques: []string{"T1059"}, Runs: true, Alerts: 1},
		{Techniques: []string{"T9999"}, Runs: true, Quiet: true},
	})
	for _, c := range columns[3].Techniques {
		if want := map[string]Coverage{"T1059": {Rules: 1, Enabled: 1, Alerts: 4}}[c.ID]; c.Rules != want.Rules || c.Enabled != want.Enabled || c.Alerts != want.Alerts {
			t.Errorf("%+v, want %+v", c, want)
		}
		for _, sub := range c.Subtechniques {
			if sub.Rules != 0 || sub.Enabled != 0 || sub.Alerts != 3 {
				t.Errorf("%+v", sub)
			}
		}
	}
	for _, c := range columns[2].Techniques {
		if c.Rules != 0 || c.Alerts != 0 {
			t.Errorf("%+v", c)
		}
	}
	if len(other) != 0 {
		t.Errorf("other: %+v", other[0])
	}
}

// What is told as the version is the version that the names and their order are of.
func TestMatrixIsOfItsVersion(t *testing.T) {
	t.Parallel()
	if first, _, _ := strings.Cut(matrix, "\n"); !strings.Contains(first, "version "+Version+":") {
		t.Errorf("the matrix begins with %q, and is told as %s", first, Version)
	}
	// As ATT&CK lists them: tactics in the order of an attack, techniques by name.
	order := []string{
		"TA0043", "TA0042", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0006", "TA0007", "TA0008", "TA0009", "TA0011", "TA0010", "TA0040",
	}
	there := map[string]bool{}
	for i, tactic := range Tactics {
		if tactic.ID != order[i] {
			t.Errorf("place %d has %s", i, tactic.ID)
		}
		for j, technique := range tactic.Techniques {
			there[technique.ID] = true
			if j > 0 && strings.ToLower(tactic.Techniques[j-1].Name) > strings.ToLower(technique.Name) {
				t.Errorf("%s: %s stands before %s", tactic.Name, tactic.Techniques[j-1].Name, technique.Name)
			}
		}
	}
	// New in version 17, and in version 18.
	for id, want := range map[string]bool{"T1669": true, "T1671": true, "T1672": true, "T1673": true, "T1674": true, "T1675": true, "T1677": false, "T1678": false, "T1679": false, "T1680": false, "T1681": false} {
		if there[id] != want {
			t.Errorf("%s is there: %t", id, !want)
		}
	}
}
