package feed

import (
	"github.com/security-monitor/secmon/monitor"
)

// ring keeps the newest entries, contiguous, up to a number of bytes.
type ring struct {
	entries []monitor.Entry // entries[i].Seq == entries[0].Seq + i
	bytes   int
	limit   int
}

// sizeOf estimates what an entry takes in memory.
func sizeOf(e *monitor.Entry) int {
	n := 256
	for i := range e.Body.Changes {
		n += 128 + len(e.Body.Changes[i].After) + len(e.Body.Changes[i].Before)
	}
	return n
}

// push appends an entry, which must follow the last one, and drops the oldest
// ones beyond the limit. The newest always stays.
func (r *ring) push(e monitor.Entry) {
	r.entries = append(r.entries, e)
	r.bytes += sizeOf(&e)
	drop := 0
	for r.bytes > r.limit && drop < len(r.entries)-1 {
		r.bytes -= sizeOf(&r.entries[drop])
		drop++
	}
	if drop == 0 {
		return
	}
	if drop*2 < len(r.entries) {
		r.entries = r.entries[drop:] // append moves the array when its end is reached
		return
	}
	r.entries = append(make([]monitor.Entry, 0, 2*(len(r.entries)-drop)), r.entries[drop:]...)
}

// after gives up to limit entries behind seq; ok is false when the ring no
// longer reaches back that far.
func (r *ring) after(seq uint64, limit int) (entries []monitor.Entry, ok bool) {
	if len(r.entries) == 0 || seq+1 < r.entries[0].Seq {
		return nil, false
	}
	from := int(seq + 1 - r.entries[0].Seq) //nolint:gosec // not negative, and bounded by the ring
	if from >= len(r.entries) {
		return nil, true
	}
	return r.entries[from:min(len(r.entries), from+limit)], true
}
