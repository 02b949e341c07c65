package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/rulepack"
)

// importStarterRules puts the rules of the starter pack into an installation.
// Later runs bring what a new version of the program changed; what people
// enabled or disabled stays.
func (a *App) importStarterRules(ctx context.Context) error {
	report, err := ImportRules(ctx, a.Store, rulepack.Rules, monitor.SystemActor, true)
	if err != nil {
		return fmt.Errorf("starter pack: %w", err)
	}
	if len(report.Refused) > 0 {
		return fmt.Errorf("starter pack: %s: %w", report.Refused[0].Path, report.Refused[0].Err)
	}
	return nil
}

// RuleReport says what became of the files of an import.
type RuleReport struct {
	db.ImportReport
	Files    int
	Inactive []RuleProblem // stored, but they do not run, and why
	Refused  []RuleProblem // not stored
}

// RuleProblem is a file and what is the matter with it.
type RuleProblem struct {
	Path string
	Err  error
}

// maxRuleFile bounds one file; detect refuses larger sources anyway.
const maxRuleFile = 1 << 20

// ImportRules stores every .yml and .yaml file of a tree as a rule. A file that
// is no valid rule is reported and does not keep the others out. Of several
// files with one id the last wins and the others are reported.
func ImportRules(ctx context.Context, store *db.Store, tree fs.FS, actor monitor.Actor, enable bool) (*RuleReport, error) {
	report := &RuleReport{}
	var rules []*monitor.Rule
	byID := map[monitor.ID]string{}
	err := fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() || !isRuleFile(path) {
			return ctx.Err()
		}
		report.Files++
		rule, err := readRule(tree, path)
		if err == nil && byID[rule.ID] != "" {
			err = fmt.Errorf("has the same id as %s", byID[rule.ID])
		}
		if err != nil {
			report.Refused = append(report.Refused, RuleProblem{path, err})
			return nil //nolint:nilerr // it is in the report, and keeps no other file out
		}
		byID[rule.ID] = path
		rule.Enabled = enable
		if rule.State != monitor.RuleActive {
			report.Inactive = append(report.Inactive, RuleProblem{path, errors.New(rule.StateReason)})
		}
		rules = append(rules, rule)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	report.ImportReport, err = store.ImportRules(ctx, actor, rules)
	return report, err
}

func isRuleFile(path string) bool {
	for _, ending := range []string{".yml", ".yaml"} {
		if len(path) > len(ending) && path[len(path)-len(ending):] == ending {
			return true
		}
	}
	return false
}

func readRule(tree fs.FS, path string) (*monitor.Rule, error) {
	info, err := fs.Stat(tree, path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxRuleFile {
		return nil, fmt.Errorf("has %d bytes, at most %d are allowed", info.Size(), maxRuleFile)
	}
	source, err := fs.ReadFile(tree, path)
	if err != nil {
		return nil, err
	}
	rule, err := detect.Parse(source)
	if err != nil {
		return nil, err
	}
	rule.Path = path
	return rule, nil
}

// loadRules puts the enabled rules of the database in force.
func (a *App) loadRules(ctx context.Context) error {
	rules, err := a.Store.EnabledRules(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	set := detect.Compile(rules)
	for _, p := range set.Problems() {
		a.lg.Error("rule does not run", "rule", p.Rule.ID, "title", p.Rule.Title, "error", p.Err)
	}
	a.engine.Swap(set)
	a.lg.Info("rules in force", "rules", set.Len(), "took", time.Since(begun).Round(time.Millisecond))
	return nil
}
