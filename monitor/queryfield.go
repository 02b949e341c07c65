package monitor

import (
	"slices"
	"strconv"
	"strings"
)

// LineNoun is what a query line is about.
type LineNoun string

// The nouns that have a query line.
const (
	LineEvents    LineNoun = "EVENTS"
	LineAlerts    LineNoun = "ALERTS"
	LineIncidents LineNoun = "INCIDENTS"
	LineRules     LineNoun = "RULES"

	LineIndicators LineNoun = "INDICATORS"
)

// LineKind is what the values of a field are.
type LineKind string

// The kinds of fields.
const (
	LineText   LineKind = "TEXT"
	LineEnum   LineKind = "ENUM"
	LineNumber LineKind = "NUMBER"
	LineTime   LineKind = "TIME"
	LineIP     LineKind = "ADDRESS"
	LineList   LineKind = "LIST"
	LineID     LineKind = "ID"
)

// lineNoun is the vocabulary of one noun's query line.
type lineNoun struct {
	plural string
	fields []lineField
	words  []FilterField // where a word without a field is looked for
}

// lineField is a field as a query line names it: as filters do, or shorter.
type lineField struct {
	field   FilterField
	kind    LineKind
	aliases []string
	values  []string // of an enum, from the least where they have an order
	ordered bool
	of      Kind // of an ID
}

func enumNames[E ~string](all []E) []string {
	return mapEach(all, func(e E) string { return string(e) })
}

var severityField = lineField{field: "severity", kind: LineEnum, values: enumNames(Severities), ordered: true}

var lineNouns = map[LineNoun]*lineNoun{
	LineEvents: {
		plural: "events",
		words:  []FilterField{"message", "command", "host", "user", "process", "filePath", "domain", "url", "raw"},
		fields: []lineField{
			{field: "occurredAt", kind: LineTime, aliases: []string{"occurred", "time"}},
			{field: "receivedAt", kind: LineTime, aliases: []string{"received"}},
			{field: "class", kind: LineEnum, values: enumNames(EventClasses)},
			{field: "action", kind: LineText},
			{field: "outcome", kind: LineEnum, values: enumNames(Outcomes)},
			severityField,
			{field: "product", kind: LineText},
			{field: "category", kind: LineText},
			{field: "service", kind: LineText},
			{field: "format", kind: LineText},
			{field: "host", kind: LineText},
			{field: "user", kind: LineText},
			{field: "sourceIp", kind: LineIP, aliases: []string{"source.ip", "src"}},
			{field: "sourcePort", kind: LineNumber, aliases: []string{"source.port"}},
			{field: "destinationIp", kind: LineIP, aliases: []string{"destination.ip", "dst"}},
			{field: "destinationPort", kind: LineNumber, aliases: []string{"destination.port"}},
			{field: "process", kind: LineText},
			{field: "command", kind: LineText},
			{field: "fileHash", kind: LineText, aliases: []string{"hash"}},
			{field: "filePath", kind: LineText, aliases: []string{"file", "path"}},
			{field: "domain", kind: LineText},
			{field: "url", kind: LineText},
			{field: "message", kind: LineText},
			{field: "raw", kind: LineText},
		},
	},
	LineAlerts: {
		plural: "alerts",
		words:  []FilterField{"text"},
		fields: []lineField{
			{field: "status", kind: LineEnum, values: enumNames(AlertStatuses)},
			{field: "disposition", kind: LineEnum, values: enumNames(AlertDispositions)},
			severityField,
			{field: "title", kind: LineText},
			{field: "rule", kind: LineID, of: KindRule},
			{field: "assignee", kind: LineID, of: KindUser},
			{field: "incident", kind: LineID, of: KindIncident},
			{field: "host", kind: LineText},
			{field: "user", kind: LineText},
			{field: "sourceIp", kind: LineIP, aliases: []string{"source.ip", "src"}},
			{field: "destinationIp", kind: LineIP, aliases: []string{"destination.ip", "dst"}},
			{field: "process", kind: LineText},
			{field: "fileHash", kind: LineText, aliases: []string{"hash"}},
			{field: "techniques", kind: LineList, aliases: []string{"technique"}},
			{field: "tags", kind: LineList, aliases: []string{"tag"}},
			{field: "count", kind: LineNumber},
			{field: "firstSeen", kind: LineTime},
			{field: "lastSeen", kind: LineTime, aliases: []string{"seen", "time"}},
			{field: "createdAt", kind: LineTime, aliases: []string{"created"}},
			{field: "updatedAt", kind: LineTime, aliases: []string{"updated"}},
		},
	},
	LineIncidents: {
		plural: "incidents",
		words:  []FilterField{"title", "description"},
		fields: []lineField{
			{field: "status", kind: LineEnum, values: enumNames(IncidentStatuses)},
			{field: "disposition", kind: LineEnum, values: enumNames(AlertDispositions)},
			severityField,
			{field: "title", kind: LineText},
			{field: "description", kind: LineText},
			{field: "assignee", kind: LineID, of: KindUser},
			{field: "grouping", kind: LineID, of: KindIncidentGrouping},
			{field: "alertCount", kind: LineNumber, aliases: []string{"alerts"}},
			{field: "createdAt", kind: LineTime, aliases: []string{"created", "time"}},
			{field: "updatedAt", kind: LineTime, aliases: []string{"updated"}},
		},
	},
	LineRules: {
		plural: "rules",
		words:  []FilterField{"title"},
		fields: []lineField{
			{field: "title", kind: LineText},
			{field: "level", kind: LineEnum, values: enumNames(Severities), ordered: true, aliases: []string{"severity"}},
			{field: "state", kind: LineEnum, values: enumNames(RuleStates)},
			{field: "kind", kind: LineEnum, values: enumNames(RuleKinds)},
			{field: "product", kind: LineText},
			{field: "category", kind: LineText},
			{field: "service", kind: LineText},
			{field: "techniques", kind: LineList, aliases: []string{"technique"}},
		},
	},
	LineIndicators: {
		plural: "indicators",
		words:  []FilterField{"value", "source", "description"},
		fields: []lineField{
			{field: "kind", kind: LineEnum, values: enumNames(IndicatorKinds)},
			{field: "value", kind: LineText},
			{field: "source", kind: LineText},
			{field: "description", kind: LineText},
			severityField,
			{field: "confidence", kind: LineNumber},
			{field: "tags", kind: LineList, aliases: []string{"tag"}},
			{field: "validUntil", kind: LineTime, aliases: []string{"until", "expires"}},
			{field: "createdAt", kind: LineTime, aliases: []string{"created"}},
			{field: "updatedAt", kind: LineTime, aliases: []string{"updated", "time"}},
		},
	},
}

// LineField tells people which fields a query line has.
type LineField struct {
	Name    string
	Aliases []string
	Kind    LineKind
	Values  []string // of an ENUM
}

// LineFields lists the fields of a noun's query line.
func LineFields(noun LineNoun) []*LineField {
	fields := lineNouns[noun].fields
	out := make([]*LineField, len(fields))
	for i, f := range fields {
		out[i] = &LineField{Name: string(f.field), Aliases: slices.Concat([]string{}, f.aliases), Kind: f.kind, Values: slices.Concat([]string{}, f.values)}
	}
	return out
}

func (n *lineNoun) field(name string) *lineField {
	if len(name) > len(rawPrefix) && strings.EqualFold(name[:len(rawPrefix)], rawPrefix) && n == lineNouns[LineEvents] && badRawPath(name[len(rawPrefix):]) == "" {
		return &lineField{field: FilterField(rawPrefix + name[len(rawPrefix):]), kind: LineText}
	}
	for i := range n.fields {
		f := &n.fields[i]
		if strings.EqualFold(name, string(f.field)) || slices.ContainsFunc(f.aliases, func(a string) bool { return strings.EqualFold(a, name) }) {
			return f
		}
	}
	return nil
}

// nearest gives the name that somebody may have meant, "" where none is near.
func (n *lineNoun) nearest(name string) string {
	best, distance := "", 3
	for _, f := range n.fields {
		for _, known := range append([]string{string(f.field)}, f.aliases...) {
			if d := editDistance(Fold(name), Fold(known)); d < distance {
				best, distance = known, d
			}
		}
	}
	return best
}

// editDistance is Levenshtein's: how many letters have to be changed.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal, row[j+1] = row[j+1], min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// compare makes the condition of one value.
func (l *line) compare(f *lineField, comparison string, a atom) (p Predicate) {
	if comparison != "" && f.kind != LineNumber && f.kind != LineTime && !f.ordered {
		l.fail(a.at, a.length, "", "%s has no order: %s cannot be used", f.field, comparison)
		return p
	}
	before := l.b.err
	star := a.text == "*" && !a.quoted
	switch f.kind {
	case LineText:
		l.addText(&p, f, a)
	case LineEnum:
		l.addEnum(&p, f, comparison, a, star)
	case LineNumber:
		l.addNumber(&p, f, comparison, a)
	case LineTime:
		l.addTime(&p, f, comparison, a)
	case LineIP:
		l.addAddress(&p, f, a, star)
	case LineList:
		if strings.Contains(a.text, "*") && !a.quoted {
			l.fail(a.at, a.length, "", "%s is a list of words, which are compared whole", f.field)
			return p
		}
		l.b.list(&p, f.field, &StringListFilter{Has: &a.text})
	case LineID:
		l.addID(&p, f, a, star)
	}
	if l.b.err != nil && before == nil { // of the filter that it became
		l.fail(a.at, a.length, "", "%s", strings.TrimPrefix(l.b.err.Error(), "filter "))
	}
	return p
}

// addText understands * at the end, at both ends, and alone.
func (l *line) addText(p *Predicate, f *lineField, a atom) {
	text, is := a.text, &StringFilter{}
	begins, ends := strings.HasPrefix(text, "*"), strings.HasSuffix(text, "*")
	yes := true
	switch {
	case a.quoted || !strings.Contains(text, "*"):
		is.Eq = &text
	case strings.Trim(text, "*") == "":
		is.Exists = &yes
	case strings.Contains(strings.Trim(text, "*"), "*"), begins && !ends:
		l.fail(a.at, a.length, "*"+strings.ReplaceAll(strings.Trim(text, "*"), "*", "")+"*", "* stands at the end (begins with) or at both ends (contains)")
		return
	default:
		text = strings.Trim(text, "*")
		if begins {
			is.Contains = &text
		} else {
			is.StartsWith = &text
		}
	}
	l.b.text(p, f.field, is)
}

func (l *line) addEnum(p *Predicate, f *lineField, comparison string, a atom, star bool) {
	if star && f.field == "disposition" {
		l.b.text(p, f.field, &StringFilter{Exists: &star})
		return
	}
	i := slices.IndexFunc(f.values, func(v string) bool { return strings.EqualFold(v, a.text) })
	if i < 0 {
		l.fail(a.at, a.length, "", "%s is one of %s, not %q", f.field, strings.ToLower(strings.Join(f.values, ", ")), a.text)
		return
	}
	some := f.values[i : i+1]
	switch comparison {
	case ">":
		some = f.values[i+1:]
	case ">=":
		some = f.values[i:]
	case "<":
		some = f.values[:i]
	case "<=":
		some = f.values[:i+1]
	}
	l.b.add(p, Test{Field: f.field, Op: EnumIn, Texts: slices.Clone(some)})
}

func (l *line) addNumber(p *Predicate, f *lineField, comparison string, a atom) {
	n, err := strconv.Atoi(a.text)
	if err != nil {
		l.fail(a.at, a.length, "", "%q is not a number", a.text)
		return
	}
	is := map[string]*IntFilter{"": {Eq: &n}, ">": {Gt: &n}, ">=": {Gte: &n}, "<": {Lt: &n}, "<=": {Lte: &n}}[comparison]
	l.b.number(p, f.field, is)
}

func (l *line) addTime(p *Predicate, f *lineField, comparison string, a atom) {
	at, err := ParseTimeInput(a.text)
	switch {
	case err != nil:
		l.fail(a.at, a.length, "now-24h", "%q is neither a time of RFC 3339 nor relative like now-24h", a.text)
	case comparison == "":
		l.fail(a.at, a.length, ">"+a.text, "a time is compared with >, >=, < or <=")
	default:
		l.b.time(p, f.field, map[string]*TimeFilter{">": {Gt: &at}, ">=": {Gte: &at}, "<": {Lt: &at}, "<=": {Lte: &at}}[comparison])
	}
}

func (l *line) addAddress(p *Predicate, f *lineField, a atom, star bool) {
	is := &IPFilter{}
	switch {
	case star:
		is.Exists = &star
	case strings.Contains(a.text, "/"):
		is.Cidr = &a.text
	default:
		is.Eq = &a.text
	}
	l.b.ip(p, f.field, is)
}

func (l *line) addID(p *Predicate, f *lineField, a atom, star bool) {
	is := &IDFilter{}
	switch {
	case star, strings.EqualFold(a.text, "none"):
		is.Exists = &star
	default:
		is.Eq = &a.text
	}
	l.b.id(p, f.field, f.of, is)
}
