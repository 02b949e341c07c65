package detect

import (
	"strings"
	"unicode/utf8"

	"github.com/security-monitor/secmon/monitor"
)

// event is a record prepared for the rules of one Ruleset: values by field,
// folded when first asked for, and what is known of it so far. It is used again
// and again by one goroutine at a time, and makes no garbage.
type event struct {
	values     []value
	fields     []fieldState // by slot
	answers    []uint32     // by predicate: the epoch, and in the lowest bit the answer
	proposed   []uint32     // by the rule's number: the epoch in which it became a candidate
	candidates []*compiledRule
	hits       []*compiledRule
	epoch      uint32 // marks the states of this record
	plan       *plan  // its indexes have answered what they can
	measured   bool   // what its rules cost is measured
	arena      []byte // folded texts
	scratch    []byte

	memo     memo
	found    []*posting // what the search came to
	asked    []uint32   // by posting of the field: the search that asked it last
	searches uint32

	sources map[monitor.LogSource]*source // of late
}

// What is kept for the next record.
const (
	maxRoom       = 4_096   // values
	maxNames      = 128     // fields of a log source,
	maxNameLength = 40      // and bytes of their names
	maxArena      = 1 << 20 // bytes of folded texts
	maxSources    = 256     // log sources; senders may make up names
)

// value is one value of a record. next is the position of the field's next
// value, counted from 1; 0 ends the list.
type value struct {
	text     string
	folded   string
	hash     uint64     // for the memo, 0 before it is asked for
	place    *memoPlace // in the memo, of a field with no other value
	key      uint64     // it went by there
	next     int32
	kind     monitor.ValueKind
	isFolded bool
	seen     bool // its field was looked at
}

// fieldName is what a field at one place of a record was called, and its number
// where rules ask for it. Longer names are looked up each time.
type fieldName struct {
	name  [maxNameLength]byte
	size  int
	slot  int32
	known bool
}

// fieldState lists a field's values, positions counted from 1. It counts only
// when its epoch is the event's; then the field exists, if without values.
type fieldState struct {
	epoch      uint32
	head, tail int32
}

// source is what an event knows of a log source.
type source struct {
	plan  *plan       // nil where no rule applies
	names []fieldName // of its last record
}

// load takes a record of the source in. slots numbers the fields that rules ask for.
func (e *event) load(rec *monitor.Record, from *source, slots map[string]int32) {
	e.begin()
	for i := range rec.Fields {
		f := &rec.Fields[i]
		slot, known := e.slot(from, i, f.Name, slots)
		if known && e.fields[slot].epoch != e.epoch {
			e.fields[slot] = fieldState{epoch: e.epoch}
		}
		for _, v := range f.Values {
			e.values = append(e.values, value{text: v.Text, kind: v.Kind})
			if known {
				e.link(slot)
			}
		}
	}
}

// begin forgets the record before.
func (e *event) begin() {
	if e.epoch++; e.epoch == 1<<31 {
		clear(e.fields)
		clear(e.answers)
		clear(e.proposed)
		e.epoch = 1
	}
	e.measured = e.epoch%measureEvery == 0
	e.plan = nil
	e.values, e.arena = e.values[:0], e.arena[:0]
	e.candidates, e.hits = e.candidates[:0], e.hits[:0]
}

// take notes that a posting is true of the event, which makes its rules candidates.
func (e *event) take(p *posting) {
	e.remember(p.test.predicate, true)
	for _, c := range p.rules {
		e.propose(c)
	}
}

// beginSearch makes ready to ask so many postings, each once.
func (e *event) beginSearch(postings int) {
	if e.searches++; e.searches == 0 {
		clear(e.asked)
		e.searches = 1
	}
	if len(e.asked) < postings {
		e.asked = append(e.asked, make([]uint32, postings-len(e.asked))...)
	}
}

// recall gives the answer of a predicate, if it is known.
func (e *event) recall(predicate int32) (is, known bool) {
	answer := e.answers[predicate]
	return answer&1 != 0, answer>>1 == e.epoch
}

func (e *event) remember(predicate int32, is bool) {
	answer := e.epoch << 1
	if is {
		answer |= 1
	}
	e.answers[predicate] = answer
}

// propose makes a rule a candidate, once.
func (e *event) propose(c *compiledRule) {
	if e.proposed[c.number] != e.epoch {
		e.proposed[c.number] = e.epoch
		e.candidates = append(e.candidates, c)
	}
}

// slot finds the number of the record's i-th field. Records of a log have the same
// fields in the same order, so it is most often what it was last time.
func (e *event) slot(from *source, i int, name string, slots map[string]int32) (int32, bool) {
	if i >= maxNames || len(name) > maxNameLength {
		return e.lookup(name, slots)
	}
	for i >= len(from.names) {
		from.names = append(from.names, fieldName{size: -1})
	}
	last := &from.names[i]
	if last.size != len(name) || string(last.name[:last.size]) != name {
		last.size = copy(last.name[:], name)
		last.slot, last.known = e.lookup(name, slots)
	}
	return last.slot, last.known
}

// lookup: the record's names may have spaces, the rules' have none.
func (e *event) lookup(name string, slots map[string]int32) (int32, bool) {
	if strings.IndexByte(name, ' ') < 0 {
		slot, ok := slots[name]
		return slot, ok
	}
	e.scratch = e.scratch[:0]
	for i := 0; i < len(name); i++ {
		if name[i] != ' ' {
			e.scratch = append(e.scratch, name[i])
		}
	}
	slot, ok := slots[string(e.scratch)]
	return slot, ok
}

// link appends the newest value to a field's list.
func (e *event) link(slot int32) {
	at, state := int32(len(e.values)), &e.fields[slot] //nolint:gosec // far fewer than 2^31 values
	if state.head == 0 {
		state.head = at
	} else {
		e.values[state.tail-1].next = at
	}
	state.tail = at
}

// first gives the position of a field's first value, 0 without one, and
// whether the field is there at all.
func (e *event) first(slot int32) (at int32, there bool) {
	state := &e.fields[slot]
	if state.epoch != e.epoch {
		return 0, false
	}
	return state.head, true
}

// only gives the value of a field that has one, nil of others.
func (e *event) only(slot int32) *value {
	if slot == anywhere {
		return nil
	}
	at, _ := e.first(slot)
	if at == 0 || at != e.fields[slot].tail {
		return nil
	}
	return &e.values[at-1]
}

// release forgets the record's texts, and room that only a huge record needed.
func (e *event) release() {
	clear(e.values)
	if cap(e.values) > maxRoom {
		e.values = nil
	}
	if cap(e.arena) > maxArena {
		e.arena = nil
	}
}

// fold gives a value's text without regard to case. It is good until the event
// takes in another record.
func (e *event) fold(v *value) string {
	if !v.isFolded {
		v.folded, e.arena = foldInto(e.arena, v.text)
		v.isFolded = true
	}
	return v.folded
}

// evidence collects what made a rule fire.
type evidence struct {
	list []monitor.MatchedField
}

const (
	maxEvidence      = 32    // fields shown with one match
	maxEvidenceValue = 4_096 // bytes of one value
)

func (o *evidence) full() bool { return len(o.list) >= maxEvidence }

// add copies, since nobody may keep parts of a record.
func (o *evidence) add(t *test, v *value) {
	if o.full() {
		return
	}
	field := monitor.MatchedField{Field: t.field, Pattern: t.pattern, Selection: t.selection}
	if v != nil {
		field.Value = cut(v.text)
	}
	for _, each := range o.list {
		if each == field {
			return
		}
	}
	field.Value = strings.Clone(field.Value)
	o.list = append(o.list, field)
}

// cut shortens a long value at a character's end.
func cut(s string) string {
	if len(s) <= maxEvidenceValue {
		return s
	}
	n := maxEvidenceValue
	for n > maxEvidenceValue-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
