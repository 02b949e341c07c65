package app

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/monitor"
)

// Health tells whether this replica lets a rule look at events, and if not why.
func (b ruleBench) Health(rule *monitor.Rule) (monitor.RuleHealth, string) {
	return healthOf(b.app.inForce.view.Load(), rule)
}

func healthOf(view *rulesView, rule *monitor.Rule) (monitor.RuleHealth, string) {
	switch {
	case rule.Stage() == monitor.RuleDraft:
		return monitor.RuleOff, "it is a draft: it was never enabled"
	case !rule.Enabled:
		return monitor.RuleOff, "it is disabled"
	case rule.State == monitor.RuleInactive:
		return monitor.RuleNeedsMore, rule.StateReason
	case rule.State == monitor.RuleInvalid:
		return monitor.RuleFailing, rule.StateReason
	}
	if view != nil {
		if problem := view.problems[rule.ID]; problem != "" {
			return monitor.RuleFailing, problem
		}
		if is := view.rules[rule.ID]; is != nil && is.Version == rule.Version {
			return monitor.RuleRunning, ""
		}
	}
	return monitor.RuleNeedsMore, "this version is not in force yet: it takes up to a second"
}

// Quiet gives those of the rules that raise no alerts of their own: filters, and
// what only feeds correlations. Of rules that run the engine knows that; others
// would, where a correlation that is stored names them and none of these generates.
func (b ruleBench) Quiet(rules []*monitor.RuleTechniques) map[monitor.ID]bool {
	set := b.app.engine.Ruleset()
	fed := fedOnly(rules, b.options())
	quiet := make(map[monitor.ID]bool)
	for _, r := range rules {
		if r.Kind == monitor.FilterRule || r.Runs && set.Silent(r.ID) || !r.Runs && (fed[r.ID.String()] || r.Name != "" && fed[r.Name]) {
			quiet[r.ID] = true
		}
	}
	return quiet
}

// fedOnly gives the ids and names that correlations count, none of which generates.
func fedOnly(rules []*monitor.RuleTechniques, o detect.Options) map[string]bool {
	fed := make(map[string]bool)
	for _, r := range rules {
		if r.Kind != monitor.CorrelationRule {
			continue
		}
		read, err := detect.Parse([]byte(r.Source), o)
		if err != nil || read.Correlation == nil {
			continue
		}
		for _, name := range read.Correlation.Rules {
			if id, err := monitor.ParseID(name); err == nil {
				name = id.String()
			}
			only, known := fed[name]
			fed[name] = !read.Correlation.Generate && (only || !known)
		}
	}
	return fed
}

// Costs gives what rules cost, over all replicas that answer, the slowest first.
func (b ruleBench) Costs(ctx context.Context) []*monitor.RuleCost {
	answers, _ := b.app.bus.Ask(ctx, question{Costs: true})
	all := b.app.ruleCosts()
	for _, answer := range answers {
		var theirs []*monitor.RuleCost
		if err := json.Unmarshal(answer, &theirs); err != nil { // an older release knows the question by another name
			b.app.lg.Warn("rule costs: unreadable answer of a replica", "error", err)
			continue
		}
		all = append(all, theirs...)
	}
	return sumCosts(all)
}

// sumCosts makes one of what several replicas say of a rule.
func sumCosts(all []*monitor.RuleCost) []*monitor.RuleCost {
	byRule := make(map[monitor.ID]*monitor.RuleCost, len(all))
	var out []*monitor.RuleCost
	for _, c := range all {
		if c == nil || c.Rule.IsZero() || c.Events <= 0 { // of a release that was asked something else
			continue
		}
		if sum := byRule[c.Rule]; sum != nil {
			sum.Add(c)
			continue
		}
		one := *c
		byRule[c.Rule] = &one
		out = append(out, &one)
	}
	slices.SortFunc(out, monitor.CompareRuleCosts)
	return out
}

// ruleCosts are the slowest rules of this replica.
func (a *App) ruleCosts() []*monitor.RuleCost {
	var list []*monitor.RuleCost
	for _, c := range a.engine.Ruleset().Costs() {
		if c.Events > 0 {
			list = append(list, &monitor.RuleCost{Rule: c.Rule.ID, Events: c.Events, Tried: c.Tried, Hits: c.Hits, Nanoseconds: c.Time.Nanoseconds()})
		}
	}
	slices.SortFunc(list, monitor.CompareRuleCosts)
	return list[:min(len(list), monitor.MaxRuleCosts)]
}
