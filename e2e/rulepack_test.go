package e2e

import (
	"io/fs"
	"testing"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/rulepack"
)

func starterRules(t *testing.T) []*monitor.Rule {
	t.Helper()
	var rules []*monitor.Rule
	err := fs.WalkDir(rulepack.Rules, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source, err := fs.ReadFile(rulepack.Rules, path)
		if err != nil {
			return err
		}
		rule, err := detect.Parse(source)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		rule.Path = path
		rules = append(rules, rule)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestEveryStarterRuleRunsAndSaysWhatItIs(t *testing.T) {
	ids := map[monitor.ID]string{}
	for _, r := range starterRules(t) {
		if r.State != monitor.RuleActive || len(r.Techniques)+len(r.Tags) == 0 || r.Description == "" || len(r.FalsePos) == 0 || r.Author == "" {
			t.Errorf("%s: %s %s", r.Path, r.State, r.StateReason)
		}
		if ids[r.ID] != "" {
			t.Errorf("%s has the id of %s", r.Path, ids[r.ID])
		}
		ids[r.ID] = r.Path
	}
}
