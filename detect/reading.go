package detect

import (
	"errors"

	"github.com/security-monitor/secmon/monitor"
)

// parseRules parses the rules of a Ruleset by their Source, with the filters
// of the rules that they name. What does not run is nil and has errors;
// so have filters that miss a rule.
//
// Those of known, by source, are not parsed again; the given ones are copies.
func parseRules(rules []*monitor.Rule, o Options, known map[string]*parsedRule) ([]*parsedRule, [][]error) {
	parsed := make([]*parsedRule, len(rules))
	wrong := make([][]error, len(rules))
	for i, rule := range rules {
		p, err := known[rule.Source], error(nil)
		if p == nil {
			p, err = parseRule([]byte(rule.Source), o)
		}
		if err == nil && p.about.State != monitor.RuleActive {
			err = errors.New(p.about.StateReason)
		}
		if err != nil {
			wrong[i] = append(wrong[i], err)
			continue
		}
		about := *p.about
		if !rule.ID.IsZero() {
			about.ID = rule.ID // the text may name none
		}
		parsed[i] = &parsedRule{about: &about, test: p.test, filter: p.filter, legacy: p.legacy, origin: p}
	}
	applyFilters(parsed, wrong)
	return parsed, wrong
}
