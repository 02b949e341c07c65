package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/ingest"
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

// Each rule comes with examples of records that make it fire and of near misses.
func TestStarterRulesFireOnTheirExamplesOnly(t *testing.T) {
	n := ingest.NewNormaliser()
	for _, r := range starterRules(t) {
		name := strings.TrimSuffix(path.Base(r.Path), ".yml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("../rulepack/examples/" + name + ".ndjson")
			if err != nil {
				t.Fatal(err)
			}
			set := detect.Compile([]*monitor.Rule{r})
			count := map[bool]int{}
			for line := range strings.Lines(string(text)) {
				var example struct {
					Fires  bool            `json:"fires"`
					Record json.RawMessage `json:"record"`
				}
				if err := json.Unmarshal([]byte(line), &example); err != nil {
					t.Fatal(err)
				}
				count[example.Fires]++
				if got := len(fires(t, set, n, example.Record)) > 0; got != example.Fires {
					t.Errorf("fires: %t, want %t on %s", got, example.Fires, example.Record)
				}
			}
			if count[true] == 0 || count[false] == 0 {
				t.Errorf("%d examples and %d near misses, want some of both", count[true], count[false])
			}
		})
	}
}
