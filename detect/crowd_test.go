package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

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

// newCrowd makes 300 rules.
func newCrowd(t testing.TB, sources []string, seed uint64) (*crowd, *side) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, seed))
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
	return c, newSide(t, names, list)
}

func (c *crowd) records(s *side, count int) []*monitor.Record {
	var list []*monitor.Record
	for range count {
		c.dice = &dice{randomBytes(c.random, 4000)}
		list = append(list, c.record(s.refs))
	}
	return list
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
		c, s := newCrowd(t, sources, uint64(seed))
		for i, rec := range c.records(s, events) {
			hits += s.agree(t, fmt.Sprintf("event %d", i), rec)
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

// TestMatchesDependOnNothingBefore has many goroutines match the same events,
// each in an order of its own: what an engine remembers of one event may not
// show in another.
func TestMatchesDependOnNothingBefore(t *testing.T) {
	_, sources := activeSources(t)
	c, s := newCrowd(t, sources, 1000)
	records := c.records(s, 100)
	var want [][]monitor.Match
	var fresh *detect.Ruleset
	for i, rec := range records {
		if i%20 == 0 { // it has seen little before
			fresh = detect.Compile(s.rules)
		}
		want = append(want, fresh.Match(rec, nil))
	}
	var group sync.WaitGroup
	for i := range uint64(4) {
		group.Go(func() {
			random := rand.New(rand.NewPCG(8, i))
			var hits []monitor.Match
			for range 20 {
				for _, at := range random.Perm(len(records)) {
					hits = s.engine.Match(records[at], hits[:0])
					if !slices.EqualFunc(hits, want[at], sameMatch) {
						t.Errorf("event %d: %d rules fire, or with other evidence, where %d fire alone", at, len(hits), len(want[at]))
						return
					}
				}
			}
		})
	}
	group.Wait()
}

func sameMatch(a, b monitor.Match) bool {
	return a.Rule == b.Rule && slices.Equal(a.Matched, b.Matched)
}

// TestMatchKeepsNothingOfTheRecord puts one record after the other into the same
// memory, as a reader of lines may: neither evidence nor what an engine
// remembers of values may lie there.
func TestMatchKeepsNothingOfTheRecord(t *testing.T) {
	_, sources := activeSources(t)
	c, s := newCrowd(t, sources, 2000)
	buffer := make([]byte, 1<<20)
	var shared monitor.Record
	other := detect.Compile(s.rules)
	for i, rec := range c.records(s, 200) {
		want := other.Match(rec, nil)
		room := buffer
		lay := func(text string) string {
			n := copy(room, text)
			laid := unsafe.String(unsafe.SliceData(room), n)
			room = room[n:]
			return laid
		}
		shared.Reset()
		shared.LogSource = rec.LogSource
		for _, f := range rec.Fields {
			laid := monitor.Field{Name: lay(f.Name)}
			for _, v := range f.Values {
				laid.Values = append(laid.Values, monitor.Value{Kind: v.Kind, Text: lay(v.Text)})
			}
			shared.Fields = append(shared.Fields, laid)
		}
		got := s.engine.Match(&shared, nil)
		for at := range buffer[:len(buffer)-len(room)] {
			buffer[at] = '!'
		}
		if !slices.EqualFunc(got, want, sameMatch) {
			t.Fatalf("event %d: %d rules fire, or with other evidence, where %d fire in memory of their own\n%s", i, len(got), len(want), showRecord(rec))
		}
	}
}
