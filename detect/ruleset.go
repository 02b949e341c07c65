package detect

import (
	"errors"
	"slices"
	"sync"

	"github.com/security-monitor/secmon/monitor"
)

// Ruleset is a set of rules ready to match. It never changes and may be used by
// many goroutines at once. The nil Ruleset matches nothing.
type Ruleset struct {
	rules    []*compiledRule
	bySource map[monitor.LogSource][]*compiledRule
	slots    map[string]int32 // numbers of the fields that rules ask for
	problems []Problem
	counting int       // correlation rules that run
	events   sync.Pool // of *event
}

// Problem is a rule that is not in a Ruleset, and why: a *SyntaxError, or an
// error with the reason why it is inactive.
type Problem struct {
	Rule *monitor.Rule
	Err  error
}

type compiledRule struct {
	rule  *monitor.Rule
	test  expr
	order int // among the rules given to Compile

	silent   bool // correlations count it, and none says generate
	samplers []sampler
}

// Compile makes a Ruleset of all given rules, by their Source; which of them
// are enabled is the caller's to say. Rules that cannot run are left out and
// listed in Problems.
func Compile(rules []*monitor.Rule) *Ruleset {
	rs := &Ruleset{bySource: make(map[monitor.LogSource][]*compiledRule), slots: make(map[string]int32)}
	var linked correlations
	for _, rule := range rules {
		if err := rs.add(rule, &linked); err != nil {
			rs.problems = append(rs.problems, Problem{rule, err})
		}
	}
	counting, problems := linked.link(rs.slot)
	rs.counting, rs.problems = counting, append(rs.problems, problems...)
	rs.events.New = func() any { return &event{fields: make([]fieldState, len(rs.slots))} }
	return rs
}

func (rs *Ruleset) add(rule *monitor.Rule, linked *correlations) error {
	p, err := parseRule([]byte(rule.Source))
	if err != nil {
		linked.add(rule, nil, nil, err)
		return err
	}
	if p.about.State != monitor.RuleActive {
		err := errors.New(p.about.StateReason)
		linked.add(rule, p.about, nil, err)
		return err
	}
	if p.about.Correlation != nil {
		linked.add(rule, p.about, nil, nil)
		return nil
	}
	p.test.bind(rs.slot)
	c := &compiledRule{rule: rule, test: p.test, order: len(rs.rules)}
	linked.add(rule, p.about, c, nil)
	rs.rules = append(rs.rules, c)
	rs.bySource[p.about.LogSource] = append(rs.bySource[p.about.LogSource], c)
	return nil
}

func (rs *Ruleset) slot(field string) int32 {
	n, ok := rs.slots[field]
	if !ok {
		n = int32(len(rs.slots)) //nolint:gosec // far fewer than 2^31 fields
		rs.slots[field] = n
	}
	return n
}

// Len is the number of rules that run.
func (rs *Ruleset) Len() int {
	if rs == nil {
		return 0
	}
	return len(rs.rules) + rs.counting
}

// Problems lists the rules that Compile left out: those that cannot run by
// themselves, and then the correlations that do not find their members, each in the
// order given to it.
func (rs *Ruleset) Problems() []Problem {
	if rs == nil {
		return nil
	}
	return rs.problems
}

// Match appends the rules that the record makes fire, in the order that Compile
// had them, each with its evidence: at most 32 fields, values cut after 4,096
// bytes. It keeps nothing of the record.
func (rs *Ruleset) Match(rec *monitor.Record, dst []monitor.Match) []monitor.Match {
	if rs == nil {
		return dst
	}
	var room [12]monitor.LogSource
	var hits []*compiledRule
	var e *event
	for _, address := range addresses(rec.LogSource, room[:0]) {
		rules := rs.bySource[address]
		if len(rules) == 0 {
			continue
		}
		if e == nil {
			e = rs.events.Get().(*event)
			e.load(rec, rs.slots)
		}
		hits = appendHits(hits, rules, e)
	}
	if e == nil {
		return dst
	}
	slices.SortFunc(hits, func(a, b *compiledRule) int { return a.order - b.order })
	for _, c := range hits {
		dst = append(dst, c.explain(e))
	}
	e.release()
	rs.events.Put(e)
	return dst
}

func appendHits(hits, rules []*compiledRule, e *event) []*compiledRule {
	for _, c := range rules {
		if c.test.holds(e) {
			hits = append(hits, c)
		}
	}
	return hits
}

func (c *compiledRule) explain(e *event) monitor.Match {
	var out evidence
	c.test.explain(e, true, &out)
	m := monitor.Match{Rule: c.rule, Matched: out.list, Silent: c.silent}
	for i := range c.samplers {
		m.Samples = c.samplers[i].take(e, m.Samples)
	}
	return m
}
