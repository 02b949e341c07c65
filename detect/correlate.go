package detect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// node is a rule that correlations may count.
type node struct {
	rule  *monitor.Rule // a correlation's with its Correlation
	name  string
	plain *compiledRule // of a detection rule
	err   error         // why it does not run

	members  []*node // of a correlation, in its order
	above    []*node // the correlations that count it
	depth    int
	silent   bool
	visiting bool
	linked   bool
}

func (n *node) correlation() *monitor.Correlation { return n.rule.Correlation }

// sampler takes a sample for one correlation out of an event that one detection
// rule has found.
type sampler struct {
	sample monitor.Sample // but for what the event has
	group  []int32        // slots
	fields []int32
	many   bool // each value counts
}

// maxSamples bounds the samples of one event for one correlation: fields with
// several values make several.
const maxSamples = 16

// correlations are the correlation rules among those given to Compile, and all
// rules by what correlations may call them.
type correlations struct {
	nodes []*node
	named map[string][]*node
}

func (c *correlations) add(rule *monitor.Rule, about *monitor.Rule, plain *compiledRule, err error) {
	n, id := &node{rule: rule, plain: plain, err: err, name: rule.Name}, rule.ID.String()
	if about != nil {
		id = about.ID.String()
		n.name = about.Name
		if about.Correlation != nil {
			with, correlation := *rule, *about.Correlation // the caller's, and that of other Rulesets, stay as they are
			with.Correlation = &correlation
			n.rule = &with
		}
	}
	if c.named == nil {
		c.named = map[string][]*node{}
	}
	c.nodes = append(c.nodes, n)
	c.named[id] = append(c.named[id], n)
	if n.name != "" {
		c.named[n.name] = append(c.named[n.name], n)
	}
}

// counted is a rule that correlations count.
type counted struct {
	silent   bool // none of them says generate
	samplers []sampler
}

// sample gives the match with what the correlations above take of its event. A rule
// that none counts is nil.
func (c *counted) sample(e *event, m monitor.Match) monitor.Match {
	if c == nil {
		return m
	}
	m.Silent = c.silent
	for i := range c.samplers {
		m.Samples = c.samplers[i].take(e, m.Samples)
	}
	return m
}

// link joins the correlations with their members, and gives those that do not run.
func (c *correlations) link(rs *Ruleset) (problems []Problem) {
	var all []*node
	for _, n := range c.nodes {
		if n.correlation() == nil {
			continue
		}
		all = append(all, n)
		c.resolve(n)
	}
	for _, n := range all {
		if n.err != nil {
			problems = append(problems, Problem{n.rule, n.err})
			continue
		}
		rs.counting++
		for _, member := range n.members {
			n.correlation().Members = append(n.correlation().Members, member.rule.ID)
		}
		for _, member := range n.members {
			member.above = append(member.above, n)
		}
	}
	for _, n := range c.nodes {
		if n.hush(); n.silent {
			if rs.silent == nil {
				rs.silent = make(map[monitor.ID]bool)
			}
			rs.silent[n.rule.ID] = true
		}
	}
	for _, n := range c.nodes {
		if n.plain != nil && len(n.above) > 0 {
			s := samplers{base: n, slot: rs.slot, seen: map[[2]*node]bool{}}
			s.climb(n)
			if rs.counted == nil {
				rs.counted = make(map[*compiledRule]*counted)
			}
			rs.counted[n.plain] = &counted{n.silent, s.list}
		}
	}
	return problems
}

// hush keeps a rule from raising alerts that others count, unless one says generate.
func (n *node) hush() {
	n.silent = len(n.above) > 0 && !slices.ContainsFunc(n.above, func(above *node) bool { return above.correlation().Generate })
}

// resolve finds a correlation's members, and the members of those.
func (c *correlations) resolve(n *node) {
	if n.linked || n.err != nil {
		return
	}
	n.visiting = true
	defer func() { n.visiting, n.linked = false, true }()
	for _, reference := range n.correlation().Rules {
		member, err := c.member(n, reference)
		if err != nil {
			n.err = err
			return
		}
		n.members = append(n.members, member)
		if member.correlation() != nil {
			n.depth = max(n.depth, member.depth+1)
		}
	}
}

func (c *correlations) member(n *node, reference string) (*node, error) {
	found := c.named[reference]
	if len(found) == 0 {
		found = c.named[strings.ToLower(reference)] // an id in capitals
	}
	switch {
	case len(found) == 0:
		return nil, missing(reference, "is not there, or not enabled")
	case len(found) > 1:
		return nil, missing(reference, fmt.Sprintf("is one of %d with this name", len(found)))
	}
	member := found[0]
	switch {
	case member == n:
		return nil, errors.New("it counts itself")
	case member.visiting:
		return nil, fmt.Errorf("it counts itself by way of %q", shorten(reference))
	case slices.Contains(n.members, member):
		return nil, missing(reference, "stands there twice, by name and by id")
	}
	if member.correlation() != nil {
		c.resolve(member)
	}
	if member.err != nil {
		return nil, missing(reference, fmt.Sprintf("does not run: %v", member.err))
	}
	return member, nil
}

// samplers gathers what is taken from the events of one detection rule.
type samplers struct {
	base *node
	slot func(string) int32
	list []sampler
	seen map[[2]*node]bool // correlation and member
}

// climb goes from a member to all correlations above it.
func (s *samplers) climb(member *node) {
	for _, above := range member.above {
		if s.seen[[2]*node{above, member}] {
			continue
		}
		s.seen[[2]*node{above, member}] = true
		s.list = append(s.list, s.sampler(above, member))
		s.climb(above)
	}
}

func (s *samplers) sampler(above, member *node) sampler {
	c := above.correlation()
	at := slices.Index(above.members, member)
	slots := func(names []string) (out []int32) {
		for _, name := range names {
			out = append(out, s.slot(withoutSpaces(s.field(c, c.Rules[at], name))))
		}
		return out
	}
	return sampler{
		sample: monitor.Sample{
			Rule: above.rule, Found: member.rule, Member: at, Chained: member.plain == nil, Silent: above.silent, Depth: above.depth,
		},
		group: slots(c.GroupBy), fields: slots(c.Condition.Fields), many: c.Type == monitor.CorrelateValueCount,
	}
}

// field resolves an alias: as the correlation has it for its member, or for the
// detection rule below that. What is no alias is a field.
func (s *samplers) field(c *monitor.Correlation, reference, name string) string {
	of := c.Aliases[name]
	for _, key := range []string{reference, s.base.name, s.base.rule.ID.String()} {
		if field := of[key]; key != "" && field != "" {
			return field
		}
	}
	return name
}

// take appends the samples of an event. An event without one of the fields is in no
// group, and one without a value to look at is nothing to count.
func (s *sampler) take(e *event, dst []monitor.Sample) []monitor.Sample {
	groups := combinations(e, s.group, fold)
	values := []string{""}
	if len(s.fields) > 0 {
		values = nil
		for _, each := range combinations(e, s.fields, s.spelling) {
			if value := strings.Join(each, ", "); !slices.Contains(values, value) {
				values = append(values, value)
			}
		}
		if !s.many && len(values) > 1 {
			first := max(0, slices.IndexFunc(values, monitor.IsCountable))
			values = values[first : first+1]
		}
	}
	n := 0
	for _, group := range groups {
		for _, value := range values {
			if n++; n > maxSamples {
				return dst
			}
			sample := s.sample
			sample.Group, sample.Value = group, value
			dst = append(dst, sample)
		}
	}
	return dst
}

// spelling of a value: numbers as they are, and texts without regard to case.
func (s *sampler) spelling(text string) string {
	if !s.many {
		return text
	}
	return fold(text)
}

// combinations gives each combination of the values of some fields, one without fields.
func combinations(e *event, slots []int32, spelling func(string) string) [][]string {
	all := [][]string{nil}
	for _, slot := range slots {
		var next [][]string
		for at, _ := e.first(slot); at != 0; at = e.values[at-1].next {
			v := &e.values[at-1]
			if v.kind == monitor.NullValue || v.text == "" {
				continue
			}
			text := strings.Clone(spelling(cut(v.text))) // nobody may keep parts of a record
			for _, each := range all {
				if len(next) < maxSamples {
					next = append(next, append(slices.Clone(each), text))
				}
			}
		}
		all = next
	}
	return all
}
