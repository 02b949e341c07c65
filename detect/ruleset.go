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
	indexes  map[monitor.LogSource]*index
	slots    map[string]int32 // numbers of the fields that rules ask for
	problems []Problem
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
	order int // in Ruleset.rules
}

// Compile makes a Ruleset of all given rules, by their Source; which of them
// are enabled is the caller's to say. Rules that cannot run are left out and
// listed in Problems.
func Compile(rules []*monitor.Rule) *Ruleset {
	rs := &Ruleset{indexes: make(map[monitor.LogSource]*index), slots: make(map[string]int32)}
	predicates, bySource := newPredicates(), make(map[monitor.LogSource][]*compiledRule)
	for _, rule := range rules {
		c, source, err := rs.compile(rule, predicates)
		if err != nil {
			rs.problems = append(rs.problems, Problem{rule, err})
			continue
		}
		rs.rules = append(rs.rules, c)
		bySource[source] = append(bySource[source], c)
	}
	for source, list := range bySource {
		rs.indexes[source] = newIndex(list)
	}
	rs.events.New = func() any {
		return &event{
			fields: make([]fieldState, len(rs.slots)), answers: make([]uint32, predicates.len()),
			proposed: make([]uint32, len(rs.rules)), indexes: make(map[monitor.LogSource][]*index),
		}
	}
	return rs
}

func (rs *Ruleset) compile(rule *monitor.Rule, predicates *predicates) (*compiledRule, monitor.LogSource, error) {
	p, err := parseRule([]byte(rule.Source))
	if err != nil {
		return nil, monitor.LogSource{}, err
	}
	if p.about.State != monitor.RuleActive {
		return nil, monitor.LogSource{}, errors.New(p.about.StateReason)
	}
	eachTest(p.test, func(t *test) {
		t.bind(rs.slot)
		predicates.intern(t)
	})
	return &compiledRule{rule: rule, test: p.test, order: len(rs.rules)}, p.about.LogSource, nil
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
	return len(rs.rules)
}

// Problems lists the rules that Compile left out, in the order given to it.
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
	e := rs.events.Get().(*event)
	defer rs.events.Put(e)
	if indexes := rs.indexesFor(e, rec.LogSource); len(indexes) > 0 {
		e.load(rec, rs.slots)
		dst = e.match(indexes, dst)
		e.release()
	}
	return dst
}

// indexesFor gives the indexes of the rules that apply to a log source.
func (rs *Ruleset) indexesFor(e *event, source monitor.LogSource) []*index {
	list, known := e.indexes[source]
	if known {
		return list
	}
	var room [12]monitor.LogSource
	for _, address := range addresses(source, room[:0]) {
		if x := rs.indexes[address]; x != nil {
			list = append(list, x)
		}
	}
	if len(e.indexes) >= maxSources {
		clear(e.indexes)
	}
	e.indexes[source.Clone()] = list
	return list
}

// match tries the rules that the indexes propose.
func (e *event) match(indexes []*index, dst []monitor.Match) []monitor.Match {
	for _, x := range indexes {
		from := len(e.candidates)
		x.candidates(e)
		for _, c := range e.candidates[from:] {
			if c.test.holds(e) {
				e.hits = append(e.hits, c)
			}
		}
	}
	slices.SortFunc(e.hits, func(a, b *compiledRule) int { return a.order - b.order })
	for _, c := range e.hits {
		dst = append(dst, c.explain(e))
	}
	return dst
}

func (c *compiledRule) explain(e *event) monitor.Match {
	var out evidence
	c.test.explain(e, true, &out)
	return monitor.Match{Rule: c.rule, Matched: out.list}
}
