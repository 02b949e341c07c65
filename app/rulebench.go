package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

// ruleBench is the engine for rules that are being written: they are read and
// tried as the ingest path would, and nothing is stored.
type ruleBench struct {
	app        *App
	normaliser *ingest.Normaliser
}

// options are the lists of placeholders that are in force.
func (b ruleBench) options() detect.Options {
	return detect.Options{Placeholders: b.app.placeholders.Load().Lists()}
}

// Parse reads a rule's YAML.
func (b ruleBench) Parse(source string, id *monitor.ID) (*monitor.Rule, *monitor.RuleProblem) {
	rule, err := detect.Parse([]byte(source), b.options())
	if err != nil {
		return nil, problemOf(err)
	}
	if id != nil && rule.ID != *id {
		if rule.ID != detect.IDOf([]byte(source)) {
			return nil, &monitor.RuleProblem{Message: "the id in the text is not this rule's: leave it as it was, or make a new rule"}
		}
		rule.ID = *id // the text names none
	}
	return rule, nil
}

func problemOf(err error) *monitor.RuleProblem {
	var syntax *detect.SyntaxError
	if errors.As(err, &syntax) {
		return &monitor.RuleProblem{Message: syntax.Message, Line: syntax.Line, Column: syntax.Column}
	}
	return &monitor.RuleProblem{Message: err.Error()}
}

// trial is one rule, ready to look at records.
type trial struct {
	bench ruleBench
	rule  *monitor.Rule
	set   *detect.Ruleset
	now   time.Time

	filters []monitor.ID // that take events away from it
}

func (b ruleBench) trial(source string) (*trial, *monitor.RuleProblem) {
	rule, problem := b.Parse(source, nil)
	if problem != nil {
		return nil, problem
	}
	switch rule.Kind {
	case monitor.CorrelationRule:
		return nil, &monitor.RuleProblem{Message: "a correlation counts over time and is not tried on single events: try the rules that it counts"}
	case monitor.FilterRule:
		return nil, &monitor.RuleProblem{Message: "a filter is not tried by itself: try the rules that it names"}
	}
	filters := filtersOf(b.app.inForce.view.Load())
	set := detect.Compile(append([]*monitor.Rule{rule}, filters...), b.options())
	for _, p := range set.Problems() { // others are of filters that miss other rules here
		if p.Rule == rule {
			return nil, problemOf(p.Err)
		}
	}
	t := &trial{bench: b, rule: rule, set: set, now: time.Now(), filters: []monitor.ID{}}
	for _, f := range filters {
		if set.Filtered(rule, f) {
			t.filters = append(t.filters, f.ID)
		}
	}
	return t, nil
}

// filtersOf are the filters in force, in one order.
func filtersOf(view *rulesView) (filters []*monitor.Rule) {
	if view == nil {
		return nil
	}
	for _, r := range view.rules {
		if r.Kind == monitor.FilterRule {
			filters = append(filters, r)
		}
	}
	slices.SortFunc(filters, func(a, b *monitor.Rule) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return filters
}

// look reads a record as the ingest path does, and lets the rule look at it.
func (t *trial) look(raw []byte) *monitor.RuleTestResult {
	var ev monitor.Event
	var rec monitor.Record
	if err := t.bench.normaliser.Normalise(raw, t.now, &ev, &rec); err != nil {
		return &monitor.RuleTestResult{Fields: []monitor.MatchedField{}, Error: err.Error()}
	}
	r := &monitor.RuleTestResult{
		LogSource: &rec.LogSource, Format: ev.Format, Fields: []monitor.MatchedField{}, SameLogSource: covers(t.rule.LogSource, rec.LogSource),
	}
	for _, match := range t.set.Match(&rec, nil) {
		r.Matches, r.SameLogSource, r.Fields = true, true, match.Matched
	}
	return r
}

// covers says whether a rule for one log source looks at records of another:
// what it leaves open fits everything.
func covers(rule, record monitor.LogSource) bool {
	fits := func(wanted, is string) bool { return wanted == "" || strings.EqualFold(wanted, is) }
	return fits(rule.Product, record.Product) && fits(rule.Category, record.Category) && fits(rule.Service, record.Service)
}

// errEnough ends the reading of records.
var errEnough = errors.New("enough")

// TryRecords lets a rule look at records as they come from shippers.
func (b ruleBench) TryRecords(source, records string) (*monitor.RuleTest, error) {
	t, problem := b.trial(source)
	test := &monitor.RuleTest{Problem: problem, Results: []*monitor.RuleTestResult{}}
	if problem != nil {
		return test, nil
	}
	test.Filters = t.filters
	err := ingest.Split(strings.NewReader(records), ingest.DefaultLimits, func(line int, raw []byte, rejected *ingest.Rejection) error {
		if test.Tried == monitor.MaxTestRecords {
			return errEnough
		}
		test.Tried++
		result := &monitor.RuleTestResult{Fields: []monitor.MatchedField{}}
		if rejected != nil {
			result.Error = rejected.Message
		} else {
			result = t.look(raw)
		}
		result.Line = line
		if result.Matches {
			test.Matched++
		}
		test.Results = append(test.Results, result)
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil, monitor.InputErrorf("records", "at most %d records", monitor.MaxTestRecords)
	}
	if err != nil {
		return nil, monitor.InputErrorf("records", "%v", err)
	}
	return test, nil
}

// TryEvents lets a rule look at stored events.
func (b ruleBench) TryEvents(source string, events func(yield func(*monitor.Event) bool) error) (*monitor.RuleTest, error) {
	t, problem := b.trial(source)
	test := &monitor.RuleTest{Problem: problem, Results: []*monitor.RuleTestResult{}}
	if problem != nil {
		return test, nil
	}
	test.Filters = t.filters
	err := events(func(e *monitor.Event) bool {
		test.Tried++
		result := t.look(e.Raw)
		if !result.Matches {
			return true
		}
		test.Matched++
		if len(test.Results) < monitor.MaxTestShown {
			result.Event = e
			test.Results = append(test.Results, result)
		}
		return true
	})
	return test, err
}

// FiredRules gives what rules said at those versions. One that is not stored, or that
// this release cannot read, is left out.
func (b ruleBench) FiredRules(ctx context.Context, of []monitor.RuleAt) (map[monitor.RuleAt]*monitor.FiredRule, error) {
	texts, err := b.app.Store.RuleTexts(ctx, of)
	if err != nil {
		return nil, err
	}
	fired := make(map[monitor.RuleAt]*monitor.FiredRule, len(texts))
	for _, text := range texts {
		if rule, problem := b.Parse(text.Source, nil); problem == nil {
			fired[text.RuleAt] = monitor.NewFiredRule(text, rule)
		}
	}
	return fired, nil
}

// Import stores files of an archive.
func (b ruleBench) Import(ctx context.Context, actor monitor.Actor, files []monitor.RuleFile, enable bool) (*monitor.RuleImport, error) {
	in := newRuleReader(b.options())
	for _, file := range files {
		in.read(file.Path, []byte(file.Source))
	}
	report, err := in.store(ctx, b.app.Store, actor, enable)
	if err != nil {
		return nil, err
	}
	return &monitor.RuleImport{
		Added: report.Added, Updated: report.Updated, Unchanged: report.Unchanged,
		Inactive: report.Inactive, Refused: report.Refused, Converted: report.Converted,
	}, nil
}

// SetPlaceholder sets a list of values, or deletes it.
func (b ruleBench) SetPlaceholder(ctx context.Context, actor monitor.Actor, expected *int, list *monitor.Placeholder) (*monitor.Placeholder, error) {
	return b.app.Store.SetPlaceholder(ctx, actor, expected, list, judge)
}
