package monitor

import (
	"encoding/json"
	"fmt"
	"net/netip"
)

// LineFilter gives what a query line of a noun means as the noun's filter input, in
// JSON: to see what was understood, and to build on it. Errors are CheckLine's.
func LineFilter(noun LineNoun, text string) (json.RawMessage, error) {
	b := &filterBuilder{}
	p, err := parseLine(b, lineNouns[noun], text)
	if err == nil {
		err = b.err
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(lineNouns[noun].filter(&p))
}

type object = map[string]any

// filter writes a predicate as a filter input.
func (n *lineNoun) filter(p *Predicate) object {
	var all []object
	for i := range p.Tests {
		all = append(all, n.test(&p.Tests[i]))
	}
	for i := range p.All {
		all = append(all, n.filter(&p.All[i]))
	}
	if p.Not != nil {
		all = append(all, object{"not": n.filter(p.Not)})
	}
	if p.Any != nil {
		anyOf := make([]object, len(p.Any))
		for i := range p.Any {
			anyOf[i] = n.filter(&p.Any[i])
		}
		all = append(all, object{"or": anyOf})
	}
	switch len(all) {
	case 0:
		return object{}
	case 1:
		return all[0]
	default:
		return object{"and": all}
	}
}

func (n *lineNoun) test(t *Test) object {
	is := n.operator(t)
	if path, ok := RawPath(t.Field); ok {
		is["path"] = path
		return object{"rawFields": []object{is}}
	}
	return object{string(t.Field): is}
}

func (n *lineNoun) operator(t *Test) object {
	switch t.Op {
	case TextIn, EnumIn:
		return oneOf(t.Texts)
	case TextContains:
		return object{"contains": t.Texts[0]}
	case TextPrefix:
		return object{"startsWith": t.Texts[0]}
	case TextExists, IPExists, IDExists:
		return object{"exists": t.Exists}
	case NumberIn:
		return oneOf(t.Nums)
	case NumberGTE:
		return object{"gte": t.Number}
	case NumberLTE:
		return object{"lte": t.Number}
	case TimeGT:
		return object{"gt": t.Time}
	case TimeGTE:
		return object{"gte": t.Time}
	case TimeLT:
		return object{"lt": t.Time}
	case TimeLTE:
		return object{"lte": t.Time}
	case IPIn: // a query line has one network in each
		if net := t.Nets[0]; !net.IsSingleIP() {
			return object{"cidr": net}
		}
		return oneOf(mapEach(t.Nets, netip.Prefix.Addr))
	case IDIn:
		kind := n.field(string(t.Field)).of
		return oneOf(mapEach(t.IDs, func(id ID) string { return GlobalID(kind, id.String()) }))
	case ListHasAny:
		return object{"hasAny": t.Texts}
	default:
		panic(fmt.Sprintf("monitor: filter operator %d is not known", t.Op)) // a programming error
	}
}

func oneOf[T any](values []T) object {
	if len(values) == 1 {
		return object{"eq": values[0]}
	}
	return object{"in": values}
}
