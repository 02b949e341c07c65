package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

// dice makes choices from bytes, so that the fuzzer can steer them. Used up, it
// chooses the first of everything.
type dice struct{ data []byte }

func (d *dice) below(n int) int {
	if len(d.data) == 0 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b) % n
}

func (d *dice) oneIn(n int) bool { return d.below(n) == n-1 }

func pick[T any](d *dice, list []T) T { return list[d.below(len(list))] }

// What values are made of: parts of each other, letters whose case folds oddly,
// wildcards, escapes, dashes.
var pieces = []string{
	"a", "b", "ab", "c", "abc", "A", "cmd", "CMD", ".exe", `\`, `\\`, "*", "?", `\*`, `\?`, " ", "  ", "-", "/", " -x", " /X", "–", "—", "―", "‒", "_",
	"k", "K", "\u212a", "s", "S", "ſ", "ß", "ẞ", "ss", "i", "I", "İ", "ı", "Σ", "σ", "ς", "Ⱥ", "\u2c65", "é", "É", "e\u0301", "ǆ", "ǅ", "Ǆ", "θ", "ϴ", "μ", "µ",
	"0", "1", "46", "4688", "-1", ".0", "日本", "😀", "\ufffd", "\n", "\x00", "=", "powershell", "%x", "true", "null", "10.0.0.1", "d29y", "Zm9v", "foobar",
}

// broken are bytes that are no UTF-8. A rule cannot hold them, a record may.
var broken = []string{"\xff", "\xc3", "\xe2\x84", "\xed\xa0\x80"}

var numbers = []string{
	"4688", "0", "-0", "1", "-1", "4688.0", "4.688e3", "46880e-1", "0.5", "9223372036854775807", "9223372036854775808", "9007199254740993", "-5", "5", "10", "9", "1e3", "100000000000000000000",
}

var oddNumbers = []string{"007", "+5", " 5", "5 ", "5.", ".5", "0x10", "0X10", "1_000", "1e", "--1", "NaN", "Infinity", "1e+3", "1E3", "-", "１"}

var addresses = []string{
	"10.0.0.1", "10.255.255.255", "11.0.0.0", "::ffff:10.1.2.3", "::FFFF:0a01:0203", "::1", "fe80::1%eth0", "FE80::1", "2001:db8::5", "::", "0.0.0.0", "010.0.0.1", "10.0.0.1 ", "[::1]", "10.0.0.1:80", "10.0.0.0/8", "10.1",
}

var networks = []string{
	"10.0.0.0/8", "10.0.0.1", "10.9.9.9/8", "0.0.0.0/0", "::1", "::/0", "fe80::/10", "2001:db8::/32", "::ffff:10.0.0.0/104", "::ffff:0:0/96", "::ffff:10.0.0.1", "10.0.0.0/31", "10.0.0.1/32", "2001:db8::/128",
}

var expressions = []string{
	"a", "b+", "^a", "c$", "(a|b)+c", "[^a]b", ".", ".*", "a.c", "(?i)k", "ſ", "(?i)ss", `\bcmd\b`, `\d+`, "a{2,3}", "^$", "(?:cmd|powershell)", `\.exe$`, `\\`, "x*", "(?i)abc+(d|e)?", "é", "(?i)É", `\s`, "(?i)σ", "\u212a", "[a-c]{2}", "^4688$", `\x{fffd}`, "(abc)?", "|a",
}

var times = []string{
	"2025-10-25T13:44:33Z", "2025-10-25T13:44:33.44+02:00", "2025-10-25 23:00:00", "2025-10-25", "1700000000", "1700000000000", "2024-12-30T00:00:00Z", "2021-01-01T05:06:07Z", "yesterday", "2025-13-01", "0",
}

var fieldNames = []string{"A", "B", "C D", "CD", "a.b", "a", "Image"}

// modifierChoices are the ways to ask for a field. Those of texts stand more
// often, as they do in rules.
var modifierChoices = []string{
	"", "", "", "", "", "", "", "", "contains", "contains", "contains", "startswith", "endswith", "endswith", "contains|all", "contains|all", "contains|all", "all", "neq", "contains|neq", "endswith|neq", "all|neq", "cased", "contains|cased",
	"startswith|cased", "endswith|cased", "windash", "contains|windash", "windash|contains|all", "startswith|windash", "endswith|windash", "contains|windash|cased", "base64", "base64|contains", "base64offset|contains",
	"base64offset", "base64offset|endswith", "wide", "wide|contains", "utf16le|startswith", "utf16be|contains", "wide|base64offset|contains", "utf16be|base64|contains", "utf16|base64", "utf16|base64offset|contains",
	"windash|base64offset|contains", "wide|windash|contains", "expand", "contains|expand", "contains|all|neq", "base64offset|contains|cased", "wide|cased|contains",
	"re", "re", "re|i", "re|m", "re|s", "re|i|s", "re|all", "re|neq", "cidr", "cidr", "cidr|neq", "cidr|all", "fieldref", "fieldref", "fieldref|cased", "fieldref|endswith|cased", "fieldref|contains", "fieldref|startswith", "fieldref|endswith", "fieldref|neq", "fieldref|cased", "fieldref|endswith|cased",
	"exists", "exists", "gt", "gte", "lt", "lte", "gt|neq", "gte|all", "hour", "minute", "day|gt", "week", "month|lte", "year", "hour|gte", "year|neq",
}

// ruleMaker makes rules from dice.
type ruleMaker struct {
	*dice
	said []string // values of the rules so far
}

func (m *ruleMaker) text(with ...string) string {
	all := pieces
	if len(with) > 0 && m.oneIn(4) {
		all = with
	}
	if len(m.said) > 0 && m.oneIn(4) {
		return m.mutate(pick(m.dice, m.said))
	}
	var b strings.Builder
	for range 1 + m.below(4) {
		b.WriteString(pick(m.dice, all))
	}
	if m.oneIn(20) {
		return ""
	}
	return b.String()
}

// mutate changes a text a little.
func (d *dice) mutate(s string) string {
	runes := []rune(s)
	at := 0
	if len(runes) > 0 {
		at = d.below(len(runes))
	}
	switch d.below(8) {
	case 0, 1:
		return s
	case 2:
		return string(runes[at:])
	case 3:
		return string(runes[:at])
	case 4:
		return string(runes[:at]) + pick(d, pieces) + string(runes[at:])
	case 5:
		return s + pick(d, pieces)
	case 6:
		return pick(d, pieces) + s
	default:
		return otherCase(s)
	}
}

// otherCase puts for each character the next that is equal but for case.
func otherCase(s string) string {
	if !utf8.ValidString(s) {
		return strings.ToUpper(s)
	}
	return strings.Map(unicode.SimpleFold, s)
}

func scalarNode(tag, value string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
	if tag == "!!str" {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// value makes a value that the modifiers allow.
func (m *ruleMaker) value(modifiers string) *yaml.Node {
	first, _, _ := strings.Cut(modifiers, "|")
	switch first {
	case "re":
		expression := pick(m.dice, expressions)
		if m.oneIn(2) {
			expression += pick(m.dice, expressions)
		}
		return scalarNode("!!str", expression)
	case "cidr":
		return scalarNode("!!str", pick(m.dice, networks))
	case "fieldref":
		return scalarNode("!!str", pick(m.dice, fieldNames))
	case "exists":
		return scalarNode("!!bool", pick(m.dice, []string{"true", "false"}))
	case "gt", "gte", "lt", "lte":
		return numberNode(pick(m.dice, numbers))
	case "hour", "minute", "day", "week", "month", "year":
		return numberNode(pick(m.dice, []string{"13", "0", "44", "25", "43", "10", "2025", "2023", "1", "53", "23"}))
	}
	switch m.below(12) {
	case 10:
		return numberNode(pick(m.dice, append([]string{"0x10", "0x1410"}, numbers...)))
	case 11:
		if modifiers == "" || modifiers == "neq" || modifiers == "all" {
			return scalarNode("!!null", pick(m.dice, []string{"null", "~"}))
		}
		return scalarNode("!!bool", pick(m.dice, []string{"true", "false"}))
	case 9:
		return scalarNode("!!str", pick(m.dice, append(slices.Clone(numbers), oddNumbers...)))
	}
	s := m.text()
	switch { // what has no such form is refused, which shows nothing
	case strings.Contains(modifiers, "base64"):
		s = strings.NewReplacer("*", "", "?", "", `\`, "").Replace(s) + pick(m.dice, []string{"foobar", "cmd", "-abc"})
	case strings.Contains(modifiers, "wide"), strings.Contains(modifiers, "utf16"):
		s = strings.Map(func(char rune) rune {
			if char > unicode.MaxASCII {
				return 'u'
			}
			return char
		}, s)
	}
	m.said = append(m.said, s)
	return scalarNode("!!str", s)
}

func numberNode(s string) *yaml.Node {
	if strings.ContainsAny(s, ".eE") && !strings.HasPrefix(s, "0x") {
		return scalarNode("!!float", s)
	}
	return scalarNode("!!int", s)
}

func sequence(list []*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: list}
}

// fields makes a map of fields.
func (m *ruleMaker) fields() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	used := map[string]bool{}
	for range 1 + m.below(3) {
		modifiers := pick(m.dice, modifierChoices)
		key := pick(m.dice, fieldNames)
		if m.oneIn(10) && !slices.ContainsFunc([]string{"exists", "fieldref", "gt", "lt", "hour", "minute", "day", "week", "month", "year"}, func(word string) bool { return strings.HasPrefix(modifiers, word) }) {
			key = "" // a keyword with modifiers
		}
		if modifiers != "" {
			key += "|" + modifiers
		}
		if used[key] || key == "" {
			continue
		}
		used[key] = true
		value := m.value(modifiers)
		if more := m.below(4); more > 0 && modifiers != "exists" {
			list := []*yaml.Node{value}
			for range more - 1 {
				list = append(list, m.value(modifiers))
			}
			value = sequence(list)
		}
		n.Content = append(n.Content, scalarNode("!!str", key), value)
	}
	if len(n.Content) == 0 {
		n.Content = []*yaml.Node{scalarNode("!!str", "A"), m.value("")}
	}
	return n
}

func (m *ruleMaker) search() *yaml.Node {
	switch m.below(6) {
	case 4:
		var list []*yaml.Node
		for range 1 + m.below(3) {
			if m.oneIn(3) {
				list = append(list, m.keyword())
			} else {
				list = append(list, m.fields())
			}
		}
		return sequence(list)
	case 5:
		list := []*yaml.Node{m.keyword()}
		for range m.below(3) {
			list = append(list, m.keyword())
		}
		return sequence(list)
	default:
		return m.fields()
	}
}

func (m *ruleMaker) keyword() *yaml.Node {
	for {
		if n := m.value("contains"); n.Tag != "!!null" {
			return n
		}
	}
}

var searchNames = []string{"sel", "sel_a", "sel_b", "filter_x", "_hidden"}

func (m *ruleMaker) condition(names []string, depth int) string {
	if depth == 0 {
		return pick(m.dice, names)
	}
	switch m.below(9) {
	case 0, 1:
		return pick(m.dice, names)
	case 2:
		return m.condition(names, depth-1) + " and " + m.condition(names, depth-1)
	case 3:
		return m.condition(names, depth-1) + " or " + m.condition(names, depth-1)
	case 4:
		return "not " + m.condition(names, depth-1)
	case 5:
		return "(" + m.condition(names, depth-1) + ")"
	case 6:
		return m.condition(names, depth-1) + " and not " + m.condition(names, depth-1)
	default:
		return pick(m.dice, []string{"1", "all", "any", "2"}) + " of " + pick(m.dice, []string{"them", "sel*", "*", "*sel*", "s*l", names[len(names)-1]})
	}
}

// rule makes a rule of product "test".
func (m *ruleMaker) rule() string {
	detection := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	names := searchNames[:1+m.below(len(searchNames))]
	for _, name := range names {
		detection.Content = append(detection.Content, scalarNode("!!str", name), m.search())
	}
	var condition strings.Builder
	condition.WriteString(m.condition(names, 1+m.below(4)))
	detection.Content = append(detection.Content, scalarNode("!!str", "condition"), scalarNode("!!str", condition.String()))
	return ruleOf(monitor.LogSource{Product: "test"}, detection)
}

func ruleOf(ls monitor.LogSource, detection *yaml.Node) string {
	address := map[string]string{"product": ls.Product}
	if ls.Category != "" {
		address["category"] = ls.Category
	}
	out, err := yaml.Marshal(struct {
		Title     string
		LogSource map[string]string `yaml:"logsource"`
		Detection *yaml.Node
	}{"t", address, detection})
	if err != nil {
		panic(err)
	}
	return string(out)
}

// record makes an event, often of what the rules ask for.
func (m *ruleMaker) record(refs []*refRule) *monitor.Record {
	rec := &monitor.Record{LogSource: monitor.LogSource{Product: "test"}}
	if len(refs) > 0 && !m.oneIn(4) {
		w := &witness{dice: m.dice}
		w.ask(pick(m.dice, refs).test, !m.oneIn(8))
		w.fill(rec)
	}
	for range m.below(4) {
		if len(refs) > 0 && m.oneIn(2) {
			m.aim(rec, leafOf(m.dice, pick(m.dice, refs).test))
		}
		f := monitor.Field{Name: pick(m.dice, fieldNames)}
		for range 1 + m.below(2) {
			f.Values = append(f.Values, m.eventValue())
		}
		if m.oneIn(10) {
			f.Values = nil
		}
		rec.Fields = append(rec.Fields, f)
	}
	return rec
}

// leafOf goes down a condition to one of its predicates.
func leafOf(d *dice, n *refNode) *refPredicate {
	for n.leaf == nil {
		if len(n.parts) == 0 {
			return nil
		}
		n = pick(d, n.parts)
	}
	return n.leaf
}

// aim adds a value of the kind that a predicate looks at.
func (m *ruleMaker) aim(rec *monitor.Record, p *refPredicate) {
	if p == nil {
		return
	}
	var v monitor.Value
	name := p.field
	if p.keyword {
		name = pick(m.dice, fieldNames)
	}
	kind := p.kind
	if kind == "pattern" && p.number != nil { // a text that is a number
		kind = "number"
	}
	switch kind {
	case "null", "exists":
		if m.oneIn(2) {
			rec.Fields = append(rec.Fields, monitor.Field{Name: name})
			return
		}
		if m.oneIn(2) {
			v.Kind = monitor.NullValue
		}
	case "cidr":
		v.Text = pick(m.dice, addresses)
	case "part":
		v.Text = pick(m.dice, times)
	case "number", "gt", "gte", "lt", "lte":
		v.Text = pick(m.dice, append(slices.Clone(numbers), oddNumbers...))
		if p.number != nil && m.oneIn(2) {
			v.Text = p.number.FloatString(m.below(3)) // another spelling
		}
		if p.keyword && m.oneIn(2) {
			v.Text = pick(m.dice, append(slices.Clone(pieces), broken...)) + p.text + pick(m.dice, append(slices.Clone(pieces), broken...))
		} else if refDecimal(v.Text) != nil && m.oneIn(2) {
			v.Kind = monitor.NumberValue
		}
	case "fieldref":
		v = m.eventValue()
		other := v
		if other.Kind == monitor.StringValue {
			other.Text = m.mutate(other.Text)
			if m.oneIn(2) {
				other.Text = otherCase(v.Text)
			}
		}
		rec.Add(p.other, other)
	default:
		v.Text = m.mutate(p.text)
		if m.oneIn(4) {
			v.Text += pick(m.dice, broken)
		}
	}
	rec.Add(name, v)
}

func (m *ruleMaker) eventValue() monitor.Value {
	switch m.below(12) {
	case 0:
		return monitor.Value{Kind: monitor.NullValue}
	case 1:
		return monitor.Value{Kind: monitor.BoolValue, Text: pick(m.dice, []string{"true", "false"})}
	case 2, 3:
		return monitor.Value{Kind: monitor.NumberValue, Text: pick(m.dice, numbers)}
	case 4:
		return monitor.Value{Text: pick(m.dice, append(slices.Clone(numbers), oddNumbers...))}
	case 5:
		return monitor.Value{Text: pick(m.dice, append(slices.Clone(addresses), times...))}
	}
	return monitor.Value{Text: m.text(broken...)}
}

// agreeOnDice makes some rules and events of bytes and asks both about them. It
// tells how many rules the engine took and how many fired.
func agreeOnDice(t testing.TB, data []byte) (rules, hits int) {
	t.Helper()
	m := &ruleMaker{dice: &dice{data}}
	var names, sources []string
	for i := range 1 + m.below(4) {
		names, sources = append(names, strconv.Itoa(i)), append(sources, m.rule())
	}
	s := newSide(t, names, sources)
	for i := range 2 {
		hits += s.agree(t, fmt.Sprintf("event %d", i), m.record(s.refs))
	}
	return len(s.rules), hits
}

// FuzzAgree compares the engine with the reference on rules and events that are
// made of bytes.
func FuzzAgree(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		f.Add(randomBytes(random, 1500))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4000 {
			return
		}
		agreeOnDice(t, data)
	})
}

func randomBytes(random *rand.Rand, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// TestEngineAgreesOnDice does the same with random bytes.
func TestEngineAgreesOnDice(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	runs, rules, hits := 4000, 0, 0
	if agreeAll {
		runs = 500_000
	}
	for range runs {
		r, h := agreeOnDice(t, randomBytes(random, 3000))
		rules, hits = rules+r, hits+h
		if t.Failed() {
			break
		}
	}
	t.Logf("%d rules, %d hits of %d", rules, hits, 2*rules)
	if rules < runs || hits < runs/4 || hits > rules+rules/2 {
		t.Errorf("this compares too little")
	}
}
