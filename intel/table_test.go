package intel

import (
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Two values with one hash are told apart by their ids.
func TestAHashAloneIsNoMatch(t *testing.T) {
	m := &Matcher{}
	source := m.sources.number("s")
	kind := uint8(2) // DOMAIN
	const hash = 7 << 32
	for _, value := range []string{"a.example", "b.example"} {
		m.domain.put(hash, entry{id: monitor.IndicatorID(monitor.IndicatorDomain, value, "s"), source: source, kind: kind})
	}
	s := search{m: m, now: seconds(time.Now())}
	for value, want := range map[string]bool{"a.example": true, "b.example": true, "c.example": false} {
		e := s.verify(&m.domain, hash, monitor.IndicatorDomain, value, false)
		if got := e != nil && e.id == monitor.IndicatorID(monitor.IndicatorDomain, value, "s"); got != want || (e != nil) != want {
			t.Errorf("%s: found %t, want %t", value, e != nil, want)
		}
	}
}

// What goes gives its slot and its place back: a table in which entries come and go
// does not grow.
func TestTableTakesPlacesAgain(t *testing.T) {
	var table table
	for round := range 100 {
		for i := range 50 {
			table.put(uint64(round*50+i)<<32, entry{id: monitor.ID{1, byte(round), byte(i)}}) //nolint:gosec // small
		}
		if gone := table.sweep(func(*entry) bool { return true }); gone != 50 {
			t.Fatalf("round %d: %d gone", round, gone)
		}
	}
	taken := 0
	for _, slot := range table.slots {
		if slot != 0 {
			taken++
		}
	}
	if taken != 0 || table.used != 0 || len(table.entries) != 50 {
		t.Errorf("%d slots taken, %d entries used, %d places", taken, table.used, len(table.entries))
	}
}
