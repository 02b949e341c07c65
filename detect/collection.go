package detect

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

// collection is a rule collection of Sigma 1 under reading: documents with an
// `action` say what is merged into others. As in the reference implementation a
// global document wins over the documents behind it, and one that repeats wins
// over what it repeats; mappings are merged, everything else is replaced.
// https://github.com/SigmaHQ/sigma-specification, version 1.0, "Rule Collections"
type collection struct {
	global   *yaml.Node         // all global documents since the last reset
	previous *yaml.Node         // the last rule, merged
	spent    int                // values that were copied for merging, of maxCollected
	made     map[monitor.ID]int // rules of each id
}

const (
	maxMerged    = 2 * maxValues // values of a merged document, aliases counted each time
	maxCollected = 100_000       // of all merged documents of a file together
)

// open tells whether something is merged into documents without an action.
func (c *collection) open() bool { return c.global != nil }

// action gives the document's action and takes it out.
func (d *document) action() (string, error) {
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		if d.root.Content[i].Value != "action" {
			continue
		}
		value := follow(d.root.Content[i+1])
		word := strings.ToLower(strings.TrimSpace(value.Value))
		if value.Kind != yaml.ScalarNode || word != "global" && word != "reset" && word != "repeat" {
			return "", errorAt(value, "an action is global, reset or repeat")
		}
		d.root.Content = append(d.root.Content[:i:i], d.root.Content[i+2:]...)
		return word, nil
	}
	return "", nil
}

// take gives the rule that a document makes, nil where it makes none.
func (c *collection) take(d *document, action string) (*document, error) {
	budget := min(maxMerged, maxCollected-c.spent)
	defer func(before int) { c.spent += before - budget }(budget)
	root, err := resolve(d.root, &budget, 0)
	if err != nil {
		return nil, err
	}
	switch action {
	case "global":
		if c.global == nil {
			c.global = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		merge(c.global, root)
		return nil, nil
	case "reset":
		c.global = nil
		return nil, nil
	case "repeat":
		if c.previous == nil {
			return nil, errorAt(d.root, "there is no rule before that could be repeated")
		}
		before, err := resolve(c.previous, &budget, 0)
		if err != nil {
			return nil, err
		}
		merge(before, root)
		root = before
	default:
		all, err := resolve(c.global, &budget, 0)
		if err != nil {
			return nil, err
		}
		merge(root, all)
	}
	c.previous = root
	own, err := resolve(root, &budget, 0)
	if err != nil {
		return nil, err
	}
	c.tellApart(own)
	return &document{root: own, budget: maxValues}, nil
}

// note remembers a rule that is as it was written.
func (c *collection) note(root *yaml.Node) {
	c.previous = root
	c.count(root)
}

// tellApart gives rules that have the same id in common ids of their own: the
// first keeps it.
func (c *collection) tellApart(root *yaml.Node) {
	if id, n := c.count(root); n > 1 {
		set(root, "id", derivedID(id, fmt.Sprintf("document %d", n)).String())
	}
}

// count gives a rule's id and which one of that id it is.
func (c *collection) count(root *yaml.Node) (monitor.ID, int) {
	value := valueOf(root, "id")
	if value == nil {
		return monitor.ID{}, 0
	}
	id, err := monitor.ParseID(strings.TrimSpace(value.Value))
	if err != nil {
		return monitor.ID{}, 0 // whoever reads the rule says so
	}
	if c.made == nil {
		c.made = map[monitor.ID]int{}
	}
	c.made[id]++
	return id, c.made[id]
}

// merge puts what a mapping has into another. Both have no aliases.
func merge(into, from *yaml.Node) {
	for i := 0; i+1 < len(from.Content); i += 2 {
		key, value := from.Content[i], from.Content[i+1]
		at := valueOf(into, key.Value)
		switch {
		case at == nil:
			into.Content = append(into.Content, key, value)
		case at.Kind == yaml.MappingNode && value.Kind == yaml.MappingNode:
			merge(at, value)
		default:
			*at = *value
		}
	}
}

// valueOf gives the value of a mapping's key, nil without one.
func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// resolve copies a tree with what its aliases stand for.
func resolve(n *yaml.Node, budget *int, depth int) (*yaml.Node, error) {
	n = follow(n)
	if *budget--; *budget < 0 {
		return nil, errorAt(n, "the documents that are merged have too many values")
	}
	if depth > maxFlowDepth {
		return nil, errorAt(n, "nested too deeply")
	}
	out := *n
	out.Anchor, out.Content = "", make([]*yaml.Node, len(n.Content))
	for i, each := range n.Content {
		var err error
		if out.Content[i], err = resolve(each, budget, depth+1); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

// shift moves a tree down by so many lines.
func shift(n *yaml.Node, lines int) {
	n.Line += lines
	for _, each := range n.Content {
		if each.Kind != yaml.AliasNode {
			shift(each, lines)
		} else {
			each.Line += lines
		}
	}
}

// write gives a tree as YAML text.
func write(root *yaml.Node) (text []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			text, err = nil, fmt.Errorf("not writable as YAML: %v", r)
		}
	}()
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(4)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return out.Bytes(), encoder.Close()
}
