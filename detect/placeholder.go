package detect

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

// Options is what rules need besides their text.
type Options struct {
	// Placeholders are the lists that stand for %name% where a rule says expand.
	Placeholders monitor.Placeholders
}

// optionsOf gives the only options of a variadic call, or none.
func optionsOf(list []Options) Options {
	if len(list) == 0 {
		return Options{}
	}
	return list[0]
}

func (o Options) equal(other Options) bool {
	return maps.EqualFunc(o.Placeholders, other.Placeholders, slices.Equal[[]string])
}

// placeholderName finds placeholders in a value. A percent sign behind a
// backslash begins none.
// https://github.com/SigmaHQ/sigma-specification, "Placeholders"
var placeholderName = regexp.MustCompile(`%(\w+)%`)

// part is a piece of a value with the modifier expand: text, or the name of a list.
type part struct {
	text string
	list string
}

// readPlaceholders splits a value at its placeholders: "\%a%b%c" is the text
// "%a", the list b and the text "c".
func readPlaceholders(s string) []part {
	var parts []part
	text := strings.Builder{}
	for i := 0; i < len(s); {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == '%' {
			text.WriteByte('%')
			i += 2
			continue
		}
		if at := placeholderName.FindStringSubmatchIndex(s[i:]); s[i] == '%' && at != nil && at[0] == 0 {
			parts = append(parts, part{text: text.String()}, part{list: s[i+at[2] : i+at[3]]})
			text.Reset()
			i += at[1]
			continue
		}
		text.WriteByte(s[i])
		i++
	}
	return append(parts, part{text: text.String()})
}

// expand gives the spellings of a value with placeholders: every combination of
// the lists' values. A list that is missing makes the rule inactive, and there
// are none.
func (r *detection) expand(m *modifiers, n *yaml.Node) ([]*yaml.Node, error) {
	if !m.expand || n.Kind != yaml.ScalarNode || isNull(n) {
		return []*yaml.Node{n}, nil
	}
	spellings := []string{""}
	for _, p := range readPlaceholders(n.Value) {
		values := []string{p.text}
		if p.list != "" {
			if values = r.doc.options.Placeholders.Values(p.list); len(values) == 0 {
				r.inactive = fmt.Sprintf("the placeholder %%%s%% needs a list of values in the settings", shorten(p.list))
				return nil, nil
			}
			values = m.written(values)
		}
		if len(spellings)*len(values) > maxValues {
			return nil, errorAt(n, "the placeholders come to more than %d values", maxValues)
		}
		spellings = combine(spellings, values)
	}
	nodes := make([]*yaml.Node, len(spellings))
	for i, s := range spellings {
		each := *n
		each.Value = s
		nodes[i] = &each
	}
	return nodes, nil
}

func combine(beginnings, ends []string) []string {
	list := make([]string, 0, len(beginnings)*len(ends))
	for _, a := range beginnings {
		for _, b := range ends {
			list = append(list, a+b)
		}
	}
	return list
}

// written gives a list's values as they stand in a rule with these modifiers. They
// are texts with Sigma's wildcards, so that a regular expression takes them as such.
func (m *modifiers) written(values []string) []string {
	if m.kind != "re" {
		return values
	}
	out := slices.Clone(values)
	for i, v := range values {
		var expression strings.Builder
		for _, g := range readString(v) {
			switch g.kind {
			case anyMany:
				expression.WriteString(".*")
			case anyOne:
				expression.WriteByte('.')
			default:
				expression.WriteString(regexp.QuoteMeta(string(g.char)))
			}
		}
		out[i] = expression.String()
	}
	return out
}
