package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/monitor"
)

// crowd makes many rules that are alike: real ones, with values that are
// changed a little or taken from each other, on a few log sources.
type crowd struct {
	*dice
	random *rand.Rand
	said   []string
}

// categories of the crowd's rules and events.
var crowdCategories = []string{"", "one", "two"}

func (c *crowd) rule(t testing.TB, source string) string {
	t.Helper()
	var doc struct{ Detection yaml.Node }
	if err := yaml.Unmarshal([]byte(source), &doc); err != nil {
		t.Fatal(err)
	}
	c.change(&doc.Detection)
	return ruleOf(monitor.LogSource{Product: "test", Category: pick(c.dice, crowdCategories)}, &doc.Detection)
}

// change goes through the values of a detection.
func (c *crowd) change(n *yaml.Node) {
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		fixed := slices.ContainsFunc(strings.Split(key, "|")[1:], func(word string) bool {
			return slices.Contains([]string{"re", "cidr", "fieldref", "exists", "expand", "base64", "base64offset", "wide", "hour"}, word)
		})
		if key != "condition" && !fixed {
			c.change(n.Content[i+1])
		}
	}
	for i := 0; n.Kind == yaml.SequenceNode && i < len(n.Content); i++ {
		c.change(n.Content[i])
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return
	}
	switch c.random.IntN(6) {
	case 0:
		n.Value = c.mutate(n.Value)
	case 1:
		if len(c.said) > 0 {
			n.Value = c.said[c.random.IntN(len(c.said))]
		}
	}
	n.Style = yaml.DoubleQuotedStyle
	c.said = append(c.said, n.Value)
}

// record makes an event that some of the rules ask for, in one or in two
// voices, with changes that make some of them fall silent.
func (c *crowd) record(refs []*refRule) *monitor.Record {
	rec := &monitor.Record{LogSource: monitor.LogSource{Product: "test", Category: pick(c.dice, crowdCategories)}}
	for range 1 + c.below(2) {
		w := &witness{dice: c.dice}
		w.ask(refs[c.random.IntN(len(refs))].test, true)
		w.fill(rec)
	}
	for i := range rec.Fields {
		for j, v := range rec.Fields[i].Values {
			if v.Kind == monitor.StringValue && c.random.IntN(6) == 0 {
				rec.Fields[i].Values[j].Text = c.mutate(v.Text)
			}
		}
	}
	return rec
}

// TestEngineAgreesOnCrowds asks about 300 rules at once: an index may lose a
// rule only in company.
func TestEngineAgreesOnCrowds(t *testing.T) {
	_, sources := activeSources(t)
	crowds, events := 3, 60
	if agreeAll {
		crowds, events = 100, 300
	}
	hits := 0
	for seed := range crowds {
		random := rand.New(rand.NewPCG(7, uint64(seed)))
		c := &crowd{random: random}
		var names, list []string
		for len(list) < 300 {
			c.dice = &dice{randomBytes(random, 4000)}
			source := sources[random.IntN(len(sources))]
			if len(list) > 0 && random.IntN(4) == 0 { // a twin with a small difference
				source = list[random.IntN(len(list))]
			}
			source = c.rule(t, source)
			if rule, err := detect.Parse([]byte(source)); err != nil || rule.State != monitor.RuleActive {
				continue
			}
			names, list = append(names, fmt.Sprintf("rule %d of crowd %d", len(list), seed)), append(list, source)
		}
		s := newSide(t, names, list)
		for i := range events {
			c.dice = &dice{randomBytes(random, 4000)}
			hits += s.agree(t, fmt.Sprintf("event %d", i), c.record(s.refs))
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d crowds of 300 rules, %d events each: %d hits", crowds, events, hits)
	if hits < crowds*events/2 {
		t.Error("too little fires")
	}
}
