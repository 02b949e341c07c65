package detect

import (
	"context"

	sigma "github.com/bradleyjkemp/sigma-go"
	"github.com/bradleyjkemp/sigma-go/evaluator"
)

// sigmaGo is https://github.com/bradleyjkemp/sigma-go, one evaluator a rule. Its
// bundles (ForRules) go through the same evaluators one by one and copy each
// rule into the result besides, so they are slower than this.
type sigmaGo struct {
	route  route[*sigmaGoRule]
	events []sigmaGoEvent
}

type sigmaGoRule struct {
	path string
	*evaluator.RuleEvaluator
}

type sigmaGoEvent struct {
	fields map[string]any
	rules  []*sigmaGoRule
}

func (s *sigmaGo) load(rules []rule) int {
	for _, r := range rules {
		parsed, err := sigma.ParseRule(r.source)
		if err != nil {
			continue
		}
		s.route.add(r.logSource, &sigmaGoRule{r.path, evaluator.ForRule(parsed)})
	}
	return len(s.route.rules)
}

func (s *sigmaGo) prepare(events []*event) {
	s.events = nil
	for _, e := range events {
		s.events = append(s.events, sigmaGoEvent{fieldsOf(&e.rec), s.route.to(e.rec.LogSource)})
	}
}

func (s *sigmaGo) match(i int, fired func(string)) int {
	e, hits := &s.events[i], 0
	for _, rule := range e.rules {
		result, err := rule.Matches(context.Background(), e.fields)
		if err != nil || !result.Match { // an error is a modifier that it does not have
			continue
		}
		hits++
		if fired != nil {
			fired(rule.path)
		}
	}
	return hits
}
