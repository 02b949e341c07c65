package detect

import (
	"hash/maphash"
)

// memo keeps what the tests said of the values of late: nine of ten values of
// process starts come again. It has a fixed size, belongs to one event, and makes no
// garbage once its places are filled.
//
// A value is known by 64 bits of keyed hash and not by its text, so that long
// command lines are kept as well: with a million events a second two values are
// taken for one another once in ten thousand years. It may stand in any place of the
// set that its hash says. Of those, one that nobody asked for since the last
// round goes to the next who comes, so that values that never come again do not push
// out those that do.
type memo struct {
	keys   [][memoWays]uint64 // a set's, side by side; 0 where a place is free
	places [][memoWays]memoPlace
}

type memoPlace struct {
	key   uint64
	idle  bool       // nobody asked for it since the last round
	found []*posting // those that are true of the value
	told  []int32    // what other tests said of it: predicates, times two, plus one where true
}

const (
	memoSets = 4_096
	memoWays = 4
	maxTold  = 256 // answers of a place
)

// memoSeed is drawn at the start: senders cannot choose values that share a set,
// or that are taken for one another.
var memoSeed = maphash.MakeSeed()

// key is what the value goes by in the field.
func (f *planField) key(v *value) uint64 {
	if v.hash == 0 {
		v.hash = maphash.String(memoSeed, v.text)
	}
	return v.hash ^ f.salts[v.kind]
}

// place gives where the value of the key stands, or with known false may stand;
// nil where all places of its set are taken.
func (m *memo) place(key uint64) (place *memoPlace, known bool) {
	if m.keys == nil {
		m.keys, m.places = make([][memoWays]uint64, memoSets), make([][memoWays]memoPlace, memoSets)
	}
	keys, places := &m.keys[key%memoSets], &m.places[key%memoSets]
	for i := range keys {
		if keys[i] == key {
			places[i].idle = false
			return &places[i], true
		}
	}
	for i := range places {
		if p := &places[i]; keys[i] == 0 || p.idle {
			keys[i], p.key = key, key
			p.idle, p.told = false, p.told[:0]
			return p, false
		}
	}
	for i := range places {
		places[i].idle = true
	}
	return nil, false
}

// tell has the event know what is known of a field's only value.
func (p *memoPlace) tell(e *event) {
	for _, answer := range p.told {
		e.remember(answer>>1, answer&1 != 0)
	}
}

// keep adds the answer of a test that the index knows nothing of, unless the place
// was given away since the event came.
func (p *memoPlace) keep(key uint64, predicate int32, is bool) {
	if p.key != key || len(p.told) >= maxTold {
		return
	}
	answer := predicate << 1
	if is {
		answer |= 1
	}
	p.told = append(p.told, answer)
}
