package detect

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/security-monitor/secmon/monitor"
)

// Ruleset is a set of rules ready to match. It never changes and may be used by
// many goroutines at once. The nil Ruleset matches nothing.
type Ruleset struct {
	rules      []*compiledRule
	indexes    map[monitor.LogSource]*index
	slots      map[string]int32 // numbers of the fields that rules ask for
	predicates predicates
	numbers    int                    // of rules so far, see compiledRule
	begun      int                    // predicates when it began from nothing, see successor
	parsed     map[string]*parsedRule // by source
	options    Options
	problems   []Problem
	counting   int                        // correlation rules that run
	counted    map[*compiledRule]*counted // rules that correlations count
	silent     map[monitor.ID]bool        // those of all kinds that raise no alert of their own
	events     sync.Pool                  // of *event

	planning sync.Mutex
	plans    map[[18]*index]*plan // by their indexes; made when they are needed
}

// Problem is a rule that is not in a Ruleset, and why: a *SyntaxError, or an
// error with the reason why it is inactive. A *FilterError is of a filter that
// is in, and says which rule it misses.
type Problem struct {
	Rule *monitor.Rule
	Err  error
}

// compiledRule is a rule in force. Its number stays the same from one Ruleset to
// the next, as long as it stays the same.
type compiledRule struct {
	rule    *monitor.Rule
	parsed  *parsedRule
	filters []*filter
	test    expr // the rule's own and those of its filters
	number  int
	sampled *atomic.Int64 // events of its log source that were measured,
	since   int64         // and how many had been before it was made
	meter   meter
}

// Compile makes a Ruleset of all given rules, by their Source; which of them
// are enabled is the caller's to say. Rules that cannot run are left out and
// listed in Problems, as are filters that miss a rule.
func Compile(rules []*monitor.Rule, options ...Options) *Ruleset {
	return (*Ruleset)(nil).Recompile(rules, options...)
}

// Recompile does what Compile does, and takes over from rs, which stays as it is,
// what has not changed: with four thousand rules, another text for one of them
// costs milliseconds instead of a second.
func (rs *Ruleset) Recompile(rules []*monitor.Rule, options ...Options) *Ruleset {
	next := rs.successor(len(rules), optionsOf(options))
	parsed, wrong := parseRules(rules, next.options, next.parsed)
	next.parsed = make(map[string]*parsedRule, len(rules))
	var linked correlations
	bySource := make(map[monitor.LogSource][]*compiledRule)
	samples := rs.samples()
	known := rs.compiled()
	for i, p := range parsed {
		for _, err := range wrong[i] {
			next.problems = append(next.problems, Problem{rules[i], err})
		}
		if p == nil {
			linked.add(rules[i], nil, nil, wrong[i][0])
			continue
		}
		next.parsed[rules[i].Source] = p.origin
		if p.origin.filter != nil {
			next.bind(p.origin.filter.test) // even without a rule: what is parsed is shared, and is bound before that
		}
		if p.test == nil {
			if p.about.Correlation != nil {
				linked.add(rules[i], p.about, nil, nil)
			}
			continue
		}
		c := known[rules[i]]
		if c == nil || c.parsed != p.origin || !slices.Equal(c.filters, p.filters) {
			c = next.compile(rules[i], p)
			c.sampled = samples.of(p.about.LogSource)
			c.since = c.sampled.Load()
		}
		linked.add(rules[i], p.about, c, nil)
		next.rules = append(next.rules, c)
		bySource[p.about.LogSource] = append(bySource[p.about.LogSource], c)
	}
	if next.begun == 0 {
		next.begun = len(next.predicates)
	}
	problems := linked.link(next)
	next.problems = append(next.problems, problems...)
	for source, list := range bySource {
		next.indexes[source] = rs.indexOf(source, list, samples.of(source))
	}
	next.events.New = func() any {
		return &event{
			fields: make([]fieldState, len(next.slots)), answers: make([]uint32, len(next.predicates)),
			proposed: make([]uint32, next.numbers), sources: make(map[monitor.LogSource]*source),
		}
	}
	return next
}

// maxLeftOver bounds the predicates that no rule asks any more; one rule may have ten thousand.
const maxLeftOver = 100_000

// successor begins a Ruleset that knows the fields and the predicates of rs. It
// begins from nothing where that would carry more along than it saves.
func (rs *Ruleset) successor(rules int, o Options) *Ruleset {
	next := &Ruleset{
		indexes: make(map[monitor.LogSource]*index), slots: make(map[string]int32), predicates: make(predicates),
		plans:   make(map[[18]*index]*plan),
		options: o,
	}
	if rs == nil || rs.numbers > 2*rules+1_000 || len(rs.predicates) > 2*rs.begun+maxLeftOver || !rs.options.equal(o) {
		return next
	}
	next.begun = rs.begun
	next.slots, next.predicates = maps.Clone(rs.slots), maps.Clone(rs.predicates)
	next.numbers, next.parsed = rs.numbers, rs.parsed
	return next
}

// compiled gives what there is of each rule.
func (rs *Ruleset) compiled() map[*monitor.Rule]*compiledRule {
	if rs == nil {
		return nil
	}
	known := make(map[*monitor.Rule]*compiledRule, len(rs.rules))
	for _, c := range rs.rules {
		known[c.rule] = c
	}
	return known
}

// indexOf makes an index of the rules, unless rs has one of just these.
func (rs *Ruleset) indexOf(source monitor.LogSource, rules []*compiledRule, sampled *atomic.Int64) *index {
	if rs != nil {
		if x := rs.indexes[source]; x != nil && slices.Equal(x.rules, rules) {
			return x
		}
	}
	return newIndex(rules, sampled)
}

// compile gives the tests of a rule their numbers. Those of a rule that was
// parsed for an earlier Ruleset have them.
func (rs *Ruleset) compile(rule *monitor.Rule, p *parsedRule) *compiledRule {
	rs.bind(p.origin.test)
	test := p.origin.test
	if len(p.filters) > 0 {
		all := allOf{test}
		for _, f := range p.filters {
			rs.bind(f.test)
			all = append(all, f.test)
		}
		test = all
	}
	rs.numbers++
	return &compiledRule{rule: rule, parsed: p.origin, filters: p.filters, test: test, number: rs.numbers - 1}
}

func (rs *Ruleset) bind(x expr) {
	eachTest(x, func(t *test) {
		if !t.bound {
			t.bind(rs.slot)
			rs.predicates.intern(t)
		}
	})
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

// Filtered tells whether a rule that runs has one of the filters given to Compile.
func (rs *Ruleset) Filtered(rule, filter *monitor.Rule) bool {
	if rs == nil || rs.parsed[filter.Source] == nil {
		return false
	}
	by := rs.parsed[filter.Source].filter
	return slices.ContainsFunc(rs.rules, func(c *compiledRule) bool { return c.rule == rule && slices.Contains(c.filters, by) })
}

// Silent tells whether a rule that runs raises no alert of its own: correlations
// count it, and none of them says generate.
func (rs *Ruleset) Silent(id monitor.ID) bool { return rs != nil && rs.silent[id] }

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
	e := rs.events.Get().(*event)
	defer rs.events.Put(e)
	if from := rs.sourceOf(e, rec.LogSource); from.plan != nil {
		e.load(rec, from, rs.slots)
		dst = rs.match(e, from.plan, dst)
		e.release()
	}
	return dst
}

// match tries the rules that the indexes propose.
func (rs *Ruleset) match(e *event, p *plan, dst []monitor.Match) []monitor.Match {
	p.candidates(e)
	for _, c := range e.candidates {
		if c.try(e) {
			e.hits = append(e.hits, c)
		}
	}
	slices.SortFunc(e.hits, func(a, b *compiledRule) int { return a.number - b.number })
	for _, c := range e.hits {
		dst = append(dst, rs.counted[c].sample(e, c.explain(e)))
	}
	return dst
}

func (c *compiledRule) explain(e *event) monitor.Match {
	var out evidence
	c.test.explain(e, true, &out)
	return monitor.Match{Rule: c.rule, Matched: out.list}
}
