package detect

import (
	"slices"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// engine is what is compared. load may be called once; prepare gives the events
// the form that the engine wants, outside of what is measured, and may be called
// for one set after the other. match gives the number of rules that the event
// makes fire, and calls fired (which may be nil) with the path of each.
type engine interface {
	load(rules []rule) (running int)
	prepare(events []*event)
	match(event int, fired func(path string)) int
}

// engines by name, in the order of the table.
var engines = []struct {
	name string
	make func() engine
}{
	{"secmon", func() engine { return &secmon{} }},
	{"bradleyjkemp/sigma-go 0.6.6", func() engine { return &sigmaGo{} }},
	{"markuskont/go-sigma-rule-engine 0.3.0", func() engine { return &markuskont{} }},
}

// route sorts rules by the log sources of events. The other engines know
// nothing of log sources and would ask every rule about every event; they get
// what secmon does for itself, and for nothing.
type route[R any] struct {
	rules []routed[R]
	by    map[monitor.LogSource][]R
}

type routed[R any] struct {
	of   monitor.LogSource
	rule R
}

func (r *route[R]) add(of monitor.LogSource, rule R) {
	r.rules = append(r.rules, routed[R]{of, rule})
}

// to lists the rules that apply to a log source.
func (r *route[R]) to(ls monitor.LogSource) []R {
	list, known := r.by[ls]
	if known {
		return list
	}
	for _, each := range r.rules {
		if applies(each.of, ls) {
			list = append(list, each.rule)
		}
	}
	if r.by == nil {
		r.by = map[monitor.LogSource][]R{}
	}
	r.by[ls] = list
	return list
}

// registryParts are the categories that rules for registry_event see, too.
var registryParts = []string{"registry_add", "registry_delete", "registry_set", "registry_rename"}

func applies(rule, event monitor.LogSource) bool {
	open := func(rule, event string) bool { return rule == "" || strings.EqualFold(rule, event) }
	part := strings.EqualFold(rule.Category, "registry_event") && slices.Contains(registryParts, event.Category)
	return open(rule.Product, event.Product) && (part || open(rule.Category, event.Category)) && open(rule.Service, event.Service)
}

// fieldsOf gives a record as a flat map of texts, which is what both others
// compare best: neither looks into arrays, so several values of a field are
// lines of one.
func fieldsOf(rec *monitor.Record) map[string]any {
	fields := make(map[string]any, len(rec.Fields))
	for _, f := range rec.Fields {
		name := strings.ReplaceAll(f.Name, " ", "")
		for _, v := range f.Values {
			before, several := fields[name].(string)
			switch {
			case v.Kind == monitor.NullValue && !several:
				fields[name] = nil
			case v.Kind == monitor.NullValue || several && before == v.Text:
			case several:
				fields[name] = before + "\n" + v.Text
			default:
				fields[name] = v.Text
			}
		}
	}
	return fields
}
