package app

import (
	"context"
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
		return fmt.Errorf("starter pack: %s: %s", report.Refused[0].Path, report.Refused[0].Message)
	}
	return nil
}

// RuleReport says what became of the files of an import.
type RuleReport struct {
	db.ImportReport
	Files    int
	Inactive []monitor.RuleFileProblem // stored, but they do not run, and why
	Refused  []monitor.RuleFileProblem // not stored
}

// maxRuleFile bounds one file; detect refuses larger sources anyway.
const maxRuleFile = 1 << 20

// ImportRules stores every .yml and .yaml file of a tree as a rule. A file that
// is no valid rule is reported and does not keep the others out. Of several
// files with one id the first counts and the others are reported.
func ImportRules(ctx context.Context, store *db.Store, tree fs.FS, actor monitor.Actor, enable bool) (*RuleReport, error) {
	in := &ruleReader{enable: enable, byID: map[monitor.ID]string{}}
	err := fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() || !isRuleFile(path) {
			return ctx.Err()
		}
		rule, err := readRule(tree, path)
		in.add(path, rule, err)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	report := &RuleReport{Files: in.files, Inactive: in.inactive, Refused: in.refused}
	report.ImportReport, err = store.ImportRules(ctx, actor, in.rules)
	return report, err
}

// ruleReader gathers the rules of an import, and what is wrong with its files.
type ruleReader struct {
	enable            bool
	files             int
	rules             []*monitor.Rule
	byID              map[monitor.ID]string // path of each
	inactive, refused []monitor.RuleFileProblem
}

// add takes a file as it was read, or why it could not be.
func (in *ruleReader) add(path string, rule *monitor.Rule, err error) {
	in.files++
	if err == nil && in.byID[rule.ID] != "" {
		err = fmt.Errorf("has the same id as %s", in.byID[rule.ID])
	}
	if err != nil {
		in.refused = append(in.refused, monitor.RuleFileProblem{Path: path, Message: err.Error()})
		return
	}
	in.byID[rule.ID] = path
	rule.Path, rule.Enabled = path, in.enable
	if rule.State != monitor.RuleActive {
		in.inactive = append(in.inactive, monitor.RuleFileProblem{Path: path, Message: rule.StateReason})
	}
	in.rules = append(in.rules, rule)
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
	return detect.Parse(source)
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
