package app

import (
	"context"
	"fmt"
	"io/fs"

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
	Files     int
	Inactive  []monitor.RuleFileProblem // stored, but they do not run, and why
	Refused   []monitor.RuleFileProblem // not stored
	Converted []monitor.RuleFileProblem // stored as Sigma 2
}

// ImportRules stores every document of the .yml and .yaml files of a tree as a
// rule. What is no valid rule is reported and does not keep the others out. Of
// several rules with one id the first counts and the others are reported.
func ImportRules(ctx context.Context, store *db.Store, tree fs.FS, actor monitor.Actor, enable bool) (*RuleReport, error) {
	set, err := store.Placeholders(ctx)
	if err != nil {
		return nil, err
	}
	in := newRuleReader(detect.Options{Placeholders: set.Lists()})
	if err := in.readTree(ctx, RuleTree{Files: tree}); err != nil {
		return nil, err
	}
	return in.store(ctx, store, actor, enable)
}

// store puts the rules that were read into the database.
func (in *ruleReader) store(ctx context.Context, store *db.Store, actor monitor.Actor, enable bool) (*RuleReport, error) {
	for _, rule := range in.rules {
		rule.Enabled = enable
	}
	report := &RuleReport{
		Files: in.files, Inactive: in.problems(FindingInactive), Refused: in.problems(FindingRefused), Converted: in.problems(FindingConverted),
	}
	var err error
	report.ImportReport, err = store.ImportRules(ctx, actor, in.rules)
	return report, err
}

// loadPlaceholders puts the rules in force anew where lists have changed.
func (a *App) loadPlaceholders(ctx context.Context) error {
	set, err := a.Store.Placeholders(ctx)
	if err != nil {
		return err
	}
	if now := a.placeholders.Load(); now != nil && now.Version == set.Version {
		return nil
	}
	return a.loadRules(ctx)
}

// judge says whether a rule's text runs with these lists.
func judge(source string, lists monitor.Placeholders) (monitor.RuleState, string) {
	rule, err := detect.Parse([]byte(source), detect.Options{Placeholders: lists})
	if err != nil {
		return monitor.RuleInvalid, err.Error()
	}
	return rule.State, rule.StateReason
}
