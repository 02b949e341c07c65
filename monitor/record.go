package monitor

import "strings"

// Record is what detection sees of one event: where it came from, and its
// fields under the names that Sigma rules use. Ingest fills it, detect reads
// it. A Record may be reset and filled again; nobody keeps parts of it.
type Record struct {
	LogSource LogSource
	Fields    []Field
}

// LogSource is Sigma's address of a kind of log. Empty parts are unknown.
// https://github.com/SigmaHQ/sigma-specification, "Log source"
type LogSource struct {
	Product  string `json:"product"`
	Category string `json:"category"`
	Service  string `json:"service"`
}

// Clone gives a log source that shares no memory with ls.
func (ls LogSource) Clone() LogSource {
	return LogSource{strings.Clone(ls.Product), strings.Clone(ls.Category), strings.Clone(ls.Service)}
}

// Field is one named field. Nested objects are flattened with dots
// (userIdentity.type), arrays give several values. A field with no Values was
// an empty array or object. A name may stand in a record more than once, then
// the values add up (an original name beside its alias).
type Field struct {
	Name   string
	Values []Value
}

// Value is one scalar. Text holds a string as it came, a number in its JSON
// spelling, or "true"/"false"; it is empty for null.
type Value struct {
	Kind ValueKind
	Text string
}

// ValueKind tells what a Value was in JSON.
type ValueKind uint8

// The kinds of JSON scalars.
const (
	StringValue ValueKind = iota
	NumberValue
	BoolValue
	NullValue
)

// Reset empties the record and keeps its memory.
func (r *Record) Reset() {
	r.LogSource = LogSource{}
	r.Fields = r.Fields[:0]
}

// Add appends a field with one value.
func (r *Record) Add(name string, v Value) {
	r.Fields = append(r.Fields, Field{Name: name, Values: []Value{v}})
}

// Get gives the values of the first field of that name, and whether it is there.
func (r *Record) Get(name string) ([]Value, bool) {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return r.Fields[i].Values, true
		}
	}
	return nil, false
}

// Text gives the first non-empty value of the first of the named fields that
// has one, or "".
func (r *Record) Text(names ...string) string {
	for _, name := range names {
		values, _ := r.Get(name)
		for _, v := range values {
			if v.Kind != NullValue && v.Text != "" {
				return v.Text
			}
		}
	}
	return ""
}

// Match is a rule that an event made fire, with the reason.
//
// A rule that correlations count raises no alert itself unless one of them says
// `generate`: then Silent is set. Samples is what its correlations count, and
// those of which they are members in turn.
type Match struct {
	Rule    *Rule
	Matched []MatchedField
	Silent  bool
	Samples []Sample
}

// MatchedField is one field of an event that a rule's condition looked at and
// found true. Field is empty for a keyword that was found in any value.
type MatchedField struct {
	Field     string `json:"field"`
	Value     string `json:"value"`
	Pattern   string `json:"pattern"`   // as the rule has it, for example "*\\powershell.exe"
	Selection string `json:"selection"` // the rule's own name for the search, for example "selection_img"
}
