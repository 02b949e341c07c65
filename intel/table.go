// Package intel reads what sources of threat intelligence publish, and finds it in
// events. It keeps nothing: package db does, and app joins the two.
//
//	csv.go, stix.go → reader.go → the store → matcher.go → table.go
package intel

import (
	"hash/maphash"
	"math/bits"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// entry is what a replica keeps in memory of one indicator: 32 bytes. The value is
// not among them: an event brings it, and the id, which is a hash of kind, value and
// source, tells whether it is the one.
type entry struct {
	id          monitor.ID // zero: the place is free
	from, until uint32     // in seconds since 1970; until 0: for ever
	source      uint32     // index in sources.names
	severity    uint8      // its rank
	confidence  uint8
	kind        uint8 // index in monitor.IndicatorKinds
	subdomains  bool
}

func (e *entry) valid(now uint32) bool { return e.from <= now && (e.until == 0 || now < e.until) }

// stronger tells which of two warnings of the same value an alert is to name.
func (e *entry) stronger(o *entry) bool {
	if e.severity != o.severity {
		return e.severity > o.severity
	}
	return e.confidence > o.confidence
}

// table finds entries by hashes of their values: open addressing with linear probing.
// A slot has a half of the hash, which says where its search begins, and one more
// than the entry's index; 0 is an empty slot. Not safe for concurrent use.
type table struct {
	slots   []uint64 // a power of two of them, at most 3/4 in use
	entries []entry
	free    []uint32 // of entries, to use again
	used    int
}

const minSlots = 64

// reserve makes room for n more entries.
func (t *table) reserve(n int) {
	need := uint(t.used+n)*4/3 + 1 //nolint:gosec // counts of things in memory
	if need <= uint(len(t.slots)) {
		return
	}
	size := max(minSlots, 1<<bits.Len(need-1))
	old := t.slots
	t.slots = make([]uint64, size)
	for _, slot := range old {
		if slot != 0 {
			t.place(slot)
		}
	}
	if grown := t.used + n; cap(t.entries) < grown && n > 1 {
		t.entries = append(make([]entry, 0, grown), t.entries...)
	}
}

func (t *table) place(slot uint64) {
	mask := uint64(len(t.slots) - 1) //nolint:gosec // a length
	at := slot >> 32 & mask
	for t.slots[at] != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = slot
}

// find calls f with each entry whose value has that hash, until it gives false.
func (t *table) find(hash uint64, f func(*entry) bool) {
	if t.used == 0 {
		return
	}
	mask := uint64(len(t.slots) - 1) //nolint:gosec // a length
	half := hash >> 32
	for at := half & mask; t.slots[at] != 0; at = (at + 1) & mask {
		if t.slots[at]>>32 == half && !f(&t.entries[uint32(t.slots[at])-1]) { //nolint:gosec // the lower half
			return
		}
	}
}

// put adds an entry, or replaces the one with its id.
func (t *table) put(hash uint64, e entry) {
	replaced := false
	t.find(hash, func(old *entry) bool {
		if replaced = old.id == e.id; replaced {
			*old = e
		}
		return !replaced
	})
	if replaced {
		return
	}
	t.reserve(1)
	var at uint32
	if n := len(t.free); n > 0 {
		at, t.free = t.free[n-1], t.free[:n-1]
		t.entries[at] = e
	} else {
		at = uint32(len(t.entries)) //nolint:gosec // far below 2^32: memory ends before
		t.entries = append(t.entries, e)
	}
	t.used++
	t.place(hash>>32<<32 | uint64(at+1))
}

// sweep takes out the entries that are to go. It looks at all of them: call it for
// many at once.
func (t *table) sweep(goes func(*entry) bool) int {
	gone := 0
	slots := t.slots
	for _, slot := range slots {
		if slot == 0 {
			continue
		}
		at := uint32(slot) - 1 //nolint:gosec // the lower half
		if !goes(&t.entries[at]) {
			continue
		}
		t.entries[at] = entry{}
		t.free = append(t.free, at)
		gone++
	}
	if gone == 0 {
		return 0
	}
	// The slots are filled anew: cheaper than closing the gap behind each.
	t.slots = make([]uint64, len(slots))
	for _, slot := range slots {
		if slot != 0 && !t.entries[uint32(slot)-1].id.IsZero() { //nolint:gosec // the lower half
			t.place(slot)
		}
	}
	t.used -= gone
	return gone
}

// sources keeps each name once; entries have its number.
type sources struct {
	names   []string
	numbers map[string]uint32
}

func (s *sources) number(name string) uint32 {
	if n, ok := s.numbers[name]; ok {
		return n
	}
	if s.numbers == nil {
		s.numbers = map[string]uint32{}
	}
	n := uint32(len(s.names)) //nolint:gosec // memory ends before
	s.names, s.numbers[name] = append(s.names, name), n
	return n
}

// seed makes hashes differ from process to process: nobody can make a list whose
// values fall on one slot.
var seed = maphash.MakeSeed()

func hashOf(value string) uint64 { return maphash.String(seed, value) }

// seconds is an instant as entries have it.
func seconds(at time.Time) uint32 {
	if at.IsZero() {
		return 0
	}
	return uint32(min(max(at.Unix(), 0), 1<<32-1)) //nolint:gosec // bounded
}
