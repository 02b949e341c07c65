package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/feed"
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

// watchRules puts the rules in force and gives the feed of what changes them from then on.
func (a *App) watchRules(ctx context.Context) (*feed.Subscription, error) {
	changes, _, err := a.tail.Subscribe(ctx, nil) // first: a change during the load comes again
	if err != nil {
		return nil, err
	}
	if err := a.Store.LoadGroupings(ctx); err != nil {
		return nil, err
	}
	return changes, a.loadRules(ctx)
}

// followRules loads the rules again whenever the journal tells that one changed,
// on this replica or another.
func (a *App) followRules(ctx context.Context, changes *feed.Subscription) {
	err := a.reloadRules(ctx, changes)
	for ctx.Err() == nil {
		a.lg.Warn("rules: following the journal again", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		if changes, err = a.watchRules(ctx); err == nil {
			err = a.reloadRules(ctx, changes)
		}
	}
}

// reloadRules ends only with an error: the feed's, the database's or that of ctx.
func (a *App) reloadRules(ctx context.Context, changes *feed.Subscription) error {
	for {
		entries, err := changes.Next(ctx, 256)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(entries, changesGroupings) {
			if err := a.Store.LoadGroupings(ctx); err != nil {
				return err
			}
		}
		if !slices.ContainsFunc(entries, changesRules) {
			continue
		}
		if err := a.loadRules(ctx); err != nil {
			return err
		}
	}
}

// changesRules tells whether an entry is about rules; one never mixes kinds with others.
func changesRules(e monitor.Entry) bool {
	return len(e.Body.Changes) > 0 && e.Body.Changes[0].Kind == monitor.KindRule
}

// changesGroupings tells whether an entry is about the groupings of alerts into incidents.
func changesGroupings(e monitor.Entry) bool {
	return len(e.Body.Changes) > 0 && e.Body.Changes[0].Kind == monitor.KindIncidentGrouping
}
