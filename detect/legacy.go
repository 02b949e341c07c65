package detect

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

// legacyExpression is a condition of Sigma 1 with a pipe: events of the search
// are counted, or looked for near each other.
// https://github.com/SigmaHQ/sigma-specification, version 1.0, "Aggregation expression"
type legacyExpression struct {
	search  string // before the pipe
	behind  string
	several bool // it is one of several conditions
}

var (
	aggregation   = regexp.MustCompile(`(?i)^(count|min|max|avg|sum)\s*\(\s*([^()]*?)\s*\)\s*(?:by\s+(.+?))?\s*(<=|>=|==|=|<|>)\s*(-?\d+(?:\.\d+)?)$`)
	nearby        = regexp.MustCompile(`(?i)^near\s+(.+)$`)
	legacyTime    = regexp.MustCompile(`^([1-9]\d{0,8})\s*([smhd])$`)
	bounds        = map[string]string{">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "=": "eq", "==": "eq"}
	legacyCounted = map[string]monitor.CorrelationType{"sum": monitor.CorrelateValueSum, "avg": monitor.CorrelateValueAvg}
)

// counting is a correlation that a rule of Sigma 1 becomes.
type counting struct {
	kind    monitor.CorrelationType
	field   string
	groupBy []string
	bound   string // gt and the like, "" for temporal
	limit   string
	near    []string // searches that must be found beside the first
}

// read understands what stands behind the pipe. Its errors say why it cannot
// become a correlation.
func (l *legacyExpression) read() (*counting, error) {
	if l.several {
		return nil, errors.New("of several conditions one has an aggregation: a correlation has one condition")
	}
	if m := nearby.FindStringSubmatch(l.behind); m != nil {
		return readNear(m[1])
	}
	m := aggregation.FindStringSubmatch(l.behind)
	if m == nil {
		return nil, fmt.Errorf("the aggregation %q is not of the form count(field) by field > number", shorten(l.behind))
	}
	c := &counting{field: m[2], bound: bounds[m[4]], limit: m[5], groupBy: strings.FieldsFunc(m[3], func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })}
	switch function := strings.ToLower(m[1]); {
	case function == "min" || function == "max":
		return nil, fmt.Errorf("the aggregation %s() has no correlation: Sigma counts, sums and averages, and knows no smallest or largest value", function)
	case function == "count" && (c.field == "" || c.field == "*"):
		c.kind, c.field = monitor.CorrelateEventCount, ""
	case function == "count":
		c.kind = monitor.CorrelateValueCount
	case c.field == "":
		return nil, fmt.Errorf("the aggregation %s() names no field", function)
	default:
		c.kind = legacyCounted[function]
	}
	return c, nil
}

// readNear reads "near a and b and c".
func readNear(s string) (*counting, error) {
	c := &counting{kind: monitor.CorrelateTemporal}
	for i, word := range strings.Fields(s) {
		switch lower := strings.ToLower(word); {
		case lower == "not":
			return nil, errors.New("the aggregation near has a not: a correlation cannot ask that something is not there")
		case strings.ContainsAny(word, "()*|") || lower == "or" || lower == "of" || lower == "them" || i%2 == 1 != (lower == "and"):
			return nil, fmt.Errorf("the aggregation near %q is not a list of searches joined by and", shorten(s))
		case i%2 == 0:
			c.near = append(c.near, word)
		}
	}
	if len(strings.Fields(s))%2 == 0 {
		return nil, fmt.Errorf("the aggregation near %q ends where a search should stand", shorten(s))
	}
	return c, nil
}

// conversion makes Sigma 2 of a rule of Sigma 1.
type conversion struct {
	counting
	root     *yaml.Node // of the rule, without aliases
	rule     *monitor.Rule
	legacy   *legacyExpression
	timespan string
	options  Options
	bases    []*FileRule
}

// convert gives the rules that find the events, and the correlation that counts
// them, which has the original's id. The error is the reason why that cannot be.
func convert(d *document, p *parsedRule, o Options) ([]*FileRule, error) {
	counted, err := p.legacy.read()
	if err != nil {
		return nil, err
	}
	budget := maxMerged
	root, err := resolve(d.root, &budget, 0)
	if err != nil {
		return nil, err
	}
	c := &conversion{counting: *counted, root: root, rule: p.about, legacy: p.legacy, options: o}
	if c.timespan, err = timespanOf(root); err != nil {
		return nil, err
	}
	if err := c.addBase("events", "events", p.legacy.search); err != nil {
		return nil, err
	}
	for _, name := range c.near {
		if err := c.addBase("near "+name, name, name); err != nil {
			return nil, err
		}
	}
	correlation, err := c.correlation()
	if err != nil {
		return nil, err
	}
	return append(c.bases, correlation), nil
}

func timespanOf(root *yaml.Node) (string, error) {
	n := valueOf(valueOf(root, "detection"), "timeframe")
	if n == nil || isNull(n) {
		return "", errors.New("the aggregation has no timeframe, which a correlation needs")
	}
	m := legacyTime.FindStringSubmatch(strings.TrimSpace(n.Value))
	if m == nil {
		return "", fmt.Errorf("the timeframe %q is not a number of s, m, h or d", shorten(n.Value))
	}
	return m[1] + m[2], nil
}

// addBase makes the rule of a search.
func (c *conversion) addBase(part, title, search string) error {
	budget := maxMerged
	root, err := resolve(c.root, &budget, 0)
	if err != nil {
		return err
	}
	detection := valueOf(root, "detection")
	if part != "events" && valueOf(detection, search) == nil {
		return fmt.Errorf("the aggregation near names the search %q, which is not there", shorten(search))
	}
	removeKey(detection, "timeframe")
	set(detection, "condition", search)
	removeKey(root, "name") // it is the correlation's
	set(root, "id", derivedID(c.rule.ID, part).String())
	set(root, "title", c.title(title))
	c.relate(root)
	c.mend(root)
	root.HeadComment = fmt.Sprintf("The events that the correlation %s looks at. Both were made of one rule of Sigma 1.", c.rule.ID)
	base, err := c.finish(root)
	if err != nil {
		return err
	}
	c.bases = append(c.bases, base)
	return nil
}

// title names a base rule after its correlation.
func (c *conversion) title(part string) string {
	title, tail := []rune(c.rule.Title), []rune(" ("+shorten(part)+")")
	return string(title[:min(len(title), maxTitle-len(tail))]) + string(tail)
}

// relate says of which rule this one was made.
func (c *conversion) relate(root *yaml.Node) {
	relation := mapping("id", c.rule.ID.String(), "type", "derived")
	if list := valueOf(root, "related"); list != nil && list.Kind == yaml.SequenceNode {
		list.Content = append(list.Content, relation)
		return
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{relation}}
	insertAfter(root, "id", "related", list)
}

// mend drops the status unsupported: its reason is gone, and nobody has tried
// the new form.
func (c *conversion) mend(root *yaml.Node) {
	if n := valueOf(root, "status"); n != nil && strings.EqualFold(strings.TrimSpace(n.Value), "unsupported") {
		n.Value = "experimental"
	}
}

// told are the keys that a correlation has in common with its original.
var told = []string{
	"title", "id", "name", "related", "status", "description", "license", "references", "author", "date", "modified", "tags",
}

// correlation makes what counts the events.
func (c *conversion) correlation() (*FileRule, error) {
	root := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	keep := func(names ...string) {
		for _, name := range names {
			for i := 0; i+1 < len(c.root.Content); i += 2 {
				if c.root.Content[i].Value == name {
					key := *c.root.Content[i]
					key.HeadComment, key.LineComment, key.FootComment = "", "", ""
					root.Content = append(root.Content, &key, c.root.Content[i+1])
				}
			}
		}
	}
	keep(told...)
	set(root, "id", c.rule.ID.String())
	root.Content = append(root.Content, textNode("correlation"), c.section())
	keep("fields", "falsepositives", "level")
	c.mend(root)
	was := strings.Join(strings.Fields(c.legacy.search+" | "+c.legacy.behind), " ")
	root.HeadComment = fmt.Sprintf("Made of a rule of Sigma 1 with the condition\n%s\nin %s.", was, c.timespan)
	rule, err := c.finish(root)
	if err != nil {
		return nil, err
	}
	rule.Converted = fmt.Sprintf("%q of Sigma 1 became a correlation %s within %s", was, c.kind, c.timespan)
	return rule, nil
}

func (c *conversion) section() *yaml.Node {
	rules := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, base := range c.bases {
		n := textNode(base.ID.String())
		n.LineComment = base.Title
		rules.Content = append(rules.Content, n)
	}
	section := mapping("type", string(c.kind))
	section.Content = append(section.Content, textNode("rules"), rules)
	if len(c.groupBy) > 0 {
		fields := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, f := range c.groupBy {
			fields.Content = append(fields.Content, textNode(f))
		}
		section.Content = append(section.Content, textNode("group-by"), fields)
	}
	set(section, "timespan", c.timespan)
	if c.bound != "" {
		condition := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if c.field != "" {
			set(condition, "field", c.field)
		}
		condition.Content = append(condition.Content, textNode(c.bound), plainNode(c.limit))
		section.Content = append(section.Content, textNode("condition"), condition)
	}
	section.Content = append(section.Content, textNode("generate"), plainNode("false"))
	return section
}

// finish writes a rule, and reads it as everybody will.
func (c *conversion) finish(root *yaml.Node) (*FileRule, error) {
	source, err := write(root)
	if err != nil {
		return nil, err
	}
	rule, err := Parse(source, c.options)
	if err != nil {
		return nil, fmt.Errorf("the aggregation has no correlation that can be written: %w", err)
	}
	return &FileRule{Rule: rule}, nil
}

// textNode is a text, in quotes where it would be something else without.
func textNode(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

// plainNode is a number, true or false.
func plainNode(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }

func mapping(pairs ...string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, s := range pairs {
		n.Content = append(n.Content, textNode(s))
	}
	return n
}

// set gives a key of a mapping a text as its value.
func set(n *yaml.Node, key, value string) {
	if at := valueOf(n, key); at != nil {
		*at = *textNode(value)
		return
	}
	n.Content = append(n.Content, textNode(key), textNode(value))
}

func removeKey(n *yaml.Node, key string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
			return
		}
	}
}

// insertAfter puts a key behind another, or at the end.
func insertAfter(n *yaml.Node, before, key string, value *yaml.Node) {
	removeKey(n, key)
	at := len(n.Content)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == before {
			at = i + 2
		}
	}
	tail := append([]*yaml.Node{textNode(key), value}, n.Content[at:]...)
	n.Content = append(n.Content[:at:at], tail...)
}
