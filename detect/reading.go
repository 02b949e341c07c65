package detect

import (
	"errors"

	"github.com/security-monitor/secmon/monitor"
)

// parseRules parses the rules of a Ruleset by their Source, with filters applied
// to the tests of the rules that they name. What does not run is nil and among
// the problems, in the order of the rules.
func parseRules(rules []*monitor.Rule, o Options) ([]*parsedRule, []Problem) {
	parsed := make([]*parsedRule, len(rules))
	wrong := make([][]error, len(rules))
	for i, rule := range rules {
		p, err := parseRule([]byte(rule.Source), o)
		if err == nil && p.about.State != monitor.RuleActive {
			err = errors.New(p.about.StateReason)
		}
		if err != nil {
			wrong[i] = append(wrong[i], err)
			continue
		}
		if !rule.ID.IsZero() {
			p.about.ID = rule.ID // the text may name none
		}
		parsed[i] = p
	}
	applyFilters(parsed, wrong)
	var problems []Problem
	for i, list := range wrong {
		for _, err := range list {
			problems = append(problems, Problem{rules[i], err})
		}
	}
	return parsed, problems
}
