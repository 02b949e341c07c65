package detect

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

// filter is what a filter document adds to rules: their condition becomes
// "(theirs) and (the filter's)", as it is written.
// https://github.com/SigmaHQ/sigma-specification, "Sigma Filters", version 2.1
type filter struct {
	rules []string // ids or names; nil: any
	test  expr
}

// FilterError says what keeps a filter from a rule that it names. The filter
// works on the others.
type FilterError struct {
	Rule    string // as the filter has it; empty for any
	Message string
}

func (e *FilterError) Error() string { return e.Message }

func (d *document) readFilter(p *parsedRule, fields map[string]entry) error {
	section := fields["filter"]
	if err := d.readLogSource(&p.about.LogSource, fields["logsource"]); err != nil {
		return err
	}
	r, err := d.readSearches(section, "rules")
	if err != nil {
		return err
	}
	if r.condition.Kind != yaml.ScalarNode {
		return errorAt(r.condition, "a filter has one condition, a text")
	}
	p.filter = &filter{}
	if p.filter.test, err = r.readConditions(r.condition); err != nil {
		return err
	}
	if r.legacy != nil {
		return errorAt(r.condition, "a filter looks at one event: its condition has no aggregation")
	}
	if p.filter.rules, err = d.readFiltered(section); err != nil {
		return err
	}
	if r.inactive != "" {
		p.deactivate(r.inactive)
	}
	return nil
}

// readFiltered reads which rules a filter is for.
func (d *document) readFiltered(section entry) ([]string, error) {
	for i := 0; i+1 < len(section.value.Content); i += 2 {
		if follow(section.value.Content[i]).Value != "rules" {
			continue
		}
		e := entry{"rules", section.value.Content[i], follow(section.value.Content[i+1])}
		list, err := d.texts(e)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, errorAt(e.value, "a filter names its rules by id or name, or says any")
		}
		if len(list) == 1 && (strings.EqualFold(list[0], "any") || strings.EqualFold(list[0], "all")) {
			return nil, nil
		}
		return list, nil
	}
	return nil, errorAt(section.key, "a filter needs rules: ids, names, or any")
}

// applyFilters gives the rules the filters among them that name them. What a
// filter cannot do is added to its errors.
func applyFilters(parsed []*parsedRule, wrong [][]error) {
	index := indexRules(parsed)
	for i, p := range parsed {
		if p == nil || p.filter == nil {
			continue
		}
		wrong[i] = append(wrong[i], p.filter.addTo(parsed, index, p.about.LogSource)...)
	}
	for i, p := range parsed {
		if p == nil || len(p.filters) == 0 {
			continue
		}
		size := p.test.size()
		for _, f := range p.filters {
			size += f.test.size()
		}
		if size > maxLeaves {
			wrong[i] = append(wrong[i], fmt.Errorf("with its %d filters the rule comes to more than %d tests", len(p.filters), maxLeaves))
			parsed[i] = nil
		}
	}
}

// indexRules lists the rules' positions by id and by name.
func indexRules(parsed []*parsedRule) map[string][]int {
	index := make(map[string][]int, len(parsed))
	for i, p := range parsed {
		if p == nil || p.filter != nil {
			continue
		}
		id := p.about.ID.String()
		index[id] = append(index[id], i)
		if name := p.about.Name; name != "" && name != id {
			index[name] = append(index[name], i)
		}
	}
	return index
}

func (f *filter) addTo(parsed []*parsedRule, index map[string][]int, source monitor.LogSource) []error {
	if f.rules == nil {
		return f.addToAll(parsed, source)
	}
	var errs []error
	var done []int
	for _, name := range f.rules {
		at := index[name]
		if id, err := monitor.ParseID(name); err == nil && at == nil {
			at = index[id.String()]
		}
		if len(at) == 0 {
			errs = append(errs, &FilterError{name, fmt.Sprintf("the filter names the rule %q, and no rule that runs has this id or name", shorten(name))})
		}
		for _, i := range at {
			rule := parsed[i]
			switch {
			case rule.test == nil:
				errs = append(errs, &FilterError{name, fmt.Sprintf("the filter names the correlation %q; it can only filter the rules that are counted", shorten(name))})
			case !within(rule.about.LogSource, source):
				errs = append(errs, &FilterError{name, fmt.Sprintf("the filter's logsource is not that of the rule %q", shorten(name))})
			case !slices.Contains(done, i):
				done = append(done, i)
				rule.filters = append(rule.filters, f)
			}
		}
	}
	return errs
}

func (f *filter) addToAll(parsed []*parsedRule, source monitor.LogSource) []error {
	found := false
	for _, rule := range parsed {
		if rule != nil && rule.test != nil && within(rule.about.LogSource, source) {
			found = true
			rule.filters = append(rule.filters, f)
		}
	}
	if !found {
		return []error{&FilterError{"", "no rule that runs has the filter's logsource"}}
	}
	return nil
}

// within tells whether a rule's log source is the filter's, or a part of it.
func within(rule, of monitor.LogSource) bool {
	fits := func(is, wanted string) bool { return wanted == "" || is == wanted }
	return fits(rule.Product, of.Product) && fits(rule.Category, of.Category) && fits(rule.Service, of.Service)
}
