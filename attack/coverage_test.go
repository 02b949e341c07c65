package attack

import (
	"regexp"
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
