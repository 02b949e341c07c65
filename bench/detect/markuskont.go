package detect

import (
	"bytes"

	ruleengine "github.com/markuskont/go-sigma-rule-engine"
	"gopkg.in/yaml.v2"
)

// markuskont is https://github.com/markuskont/go-sigma-rule-engine.
type markuskont struct {
	route  route[*ruleengine.Tree]
	events []markuskontEvent
}

// markuskontEvent is an event as it wants one.
type markuskontEvent struct {
	fields   map[string]any
	keywords []string
	rules    []*ruleengine.Tree
}

// Keywords gives what rules without fields look at.
func (e *markuskontEvent) Keywords() ([]string, bool) { return e.keywords, true }

// Select gives a field.
func (e *markuskontEvent) Select(name string) (any, bool) {
	v, ok := e.fields[name]
	return v, ok
}

func (m *markuskont) load(rules []rule) int {
	for _, r := range rules {
		if tree := m.tree(r); tree != nil {
			m.route.add(r.logSource, tree)
		}
	}
	return len(m.route.rules)
}

// tree reads a rule as its NewRuleList does from files, nil where it cannot.
func (m *markuskont) tree(r rule) (tree *ruleengine.Tree) {
	defer func() {
		if recover() != nil {
			tree = nil
		}
	}()
	var parsed ruleengine.Rule
	if yaml.Unmarshal(r.source, &parsed) != nil {
		return nil
	}
	multipart := !bytes.HasPrefix(r.source, []byte("---")) && bytes.Contains(r.source, []byte("---"))
	if multipart {
		return nil
	}
	tree, err := ruleengine.NewTree(ruleengine.RuleHandle{Rule: parsed, Path: r.path})
	if err != nil {
		return nil
	}
	return tree
}

func (m *markuskont) prepare(events []*event) {
	m.events = nil
	for _, e := range events {
		own := markuskontEvent{fields: fieldsOf(&e.rec), rules: m.route.to(e.rec.LogSource)}
		for _, v := range own.fields {
			if text, ok := v.(string); ok {
				own.keywords = append(own.keywords, text)
			}
		}
		m.events = append(m.events, own)
	}
}

func (m *markuskont) match(i int, fired func(string)) int {
	e, hits := &m.events[i], 0
	for _, tree := range e.rules {
		if _, hit := tree.Eval(e); !hit {
			continue
		}
		hits++
		if fired != nil {
			fired(tree.Rule.Path)
		}
	}
	return hits
}
