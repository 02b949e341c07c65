package detect

import (
	"math/rand/v2"
	"slices"

	"github.com/security-monitor/secmon/monitor"
)

// plan is all that is to be done with the records of a log source: the indexes of
// the rules that apply to it, and what they ask of each field side by side, so
// that a value is looked at once. Log sources with the same indexes share one.
type plan struct {
	indexes  []*index
	fields   []*planField
	answered []uint64 // a bit for each predicate that is entered in an index
}

// planField is a field and its part of each index, and with it what is looked for in
// all values. The last one of a plan, without a field, has the latter only: it is
// for the values that no other looks at.
type planField struct {
	slot  int32
	parts []*fieldIndex
	salts [monitor.NullValue]uint64 // by kind of value: tells the same text apart in the memo
}

const shortText = 64 // bytes

func newPlan(indexes []*index) *plan {
	p := &plan{indexes: indexes}
	for _, x := range indexes {
		for _, f := range x.fields {
			into := p.field(f.slot)
			into.parts = append(into.parts, f)
		}
		p.answer(x.answered)
	}
	p.spread()
	return p
}

// spread has each field look for what may be in any.
func (p *plan) spread() {
	at := slices.IndexFunc(p.fields, func(f *planField) bool { return f.slot == anywhere })
	if at < 0 {
		return
	}
	all := p.fields[at]
	p.fields = slices.Delete(p.fields, at, at+1)
	for _, f := range p.fields {
		f.parts = append(f.parts, all.parts...)
	}
	p.fields = append(p.fields, all)
}

func (p *plan) field(slot int32) *planField {
	at := slices.IndexFunc(p.fields, func(f *planField) bool { return f.slot == slot })
	if at >= 0 {
		return p.fields[at]
	}
	f := &planField{slot: slot}
	for kind := range f.salts {
		f.salts[kind] = rand.Uint64()
	}
	p.fields = append(p.fields, f)
	return f
}

func (p *plan) answer(answered []uint64) {
	if missing := len(answered) - len(p.answered); missing > 0 {
		p.answered = append(p.answered, make([]uint64, missing)...)
	}
	for i, bits := range answered {
		p.answered[i] |= bits
	}
}

// answers tells whether candidates finds out what a predicate's answer is.
func (p *plan) answers(predicate int32) bool {
	at := int(predicate / 64)
	return at < len(p.answered) && p.answered[at]>>(predicate%64)&1 != 0
}

// candidates appends to e.candidates the rules that the event may make fire, each
// once. From then on the event knows the answers of all tests of the indexes.
func (p *plan) candidates(e *event) {
	for _, x := range p.indexes {
		if e.measured {
			x.sampled.Add(1)
		}
		for _, c := range x.always {
			e.propose(c)
		}
	}
	for _, f := range p.fields {
		f.look(e)
	}
	e.plan = p
}

func (f *planField) look(e *event) {
	if f.slot == anywhere {
		for i := range e.values {
			if v := &e.values[i]; !v.seen {
				f.lookAt(e, v)
			}
		}
		return
	}
	at, there := e.first(f.slot)
	if !there {
		return
	}
	for _, part := range f.parts {
		for _, n := range part.there {
			e.take(&part.postings[n])
		}
	}
	for at != 0 {
		v := &e.values[at-1]
		v.seen = true
		f.lookAt(e, v)
		at = v.next
	}
}

func (f *planField) lookAt(e *event, v *value) {
	if v.kind == monitor.NullValue {
		return
	}
	for _, p := range f.found(e, v) {
		e.take(p)
	}
	for _, part := range f.parts {
		for _, n := range part.relative {
			if p := &part.postings[n]; p.ask(e, v) {
				e.take(p)
			}
		}
	}
}

// found gives the postings that are true of the value whatever else the event
// holds. The list is good until the next is asked for.
func (f *planField) found(e *event, v *value) []*posting {
	// Looking a short text over for a few words costs less than looking it up. And a
	// rule costs what it costs on a new value.
	if e.measured || f.slot == anywhere && len(v.text) < shortText {
		return f.search(e, v)
	}
	key := f.key(v)
	place, known := e.memo.place(key)
	if place == nil {
		return f.search(e, v)
	}
	if !known {
		place.found = append(place.found[:0], f.search(e, v)...)
	}
	if f.slot != anywhere && e.only(f.slot) == v {
		v.place, v.key = place, key
		place.tell(e)
	}
	return place.found
}

func (f *planField) search(e *event, v *value) []*posting {
	e.found = e.found[:0]
	for _, part := range f.parts {
		part.search(e, v)
	}
	return e.found
}

// sourceOf gives what the event knows of a log source, which is at least its plan.
func (rs *Ruleset) sourceOf(e *event, of monitor.LogSource) *source {
	s := e.sources[of]
	if s != nil {
		return s
	}
	if len(e.sources) >= maxSources {
		clear(e.sources)
	}
	s = &source{plan: rs.planFor(of)}
	e.sources[of.Clone()] = s
	return s
}

// planFor gives the plan for a log source, nil where no rule applies.
func (rs *Ruleset) planFor(of monitor.LogSource) *plan {
	var (
		room [18]monitor.LogSource
		key  [len(room)]*index
		list []*index
	)
	for _, address := range addresses(of, room[:0]) {
		if x := rs.indexes[address]; x != nil {
			key[len(list)] = x
			list = append(list, x)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return rs.planOf(key, list)
}

// planOf makes a plan when it is first needed. There are no more than rules have
// combinations of log sources.
func (rs *Ruleset) planOf(key [18]*index, list []*index) *plan {
	rs.planning.Lock()
	defer rs.planning.Unlock()
	p := rs.plans[key]
	if p == nil {
		p = newPlan(list)
		rs.plans[key] = p
	}
	return p
}
