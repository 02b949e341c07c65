package monitor

import (
	"bytes"
	"cmp"
	"slices"
	"time"
)

// Counted is an event that one group of a correlation keeps.
//
// Counted are ordered by their time, and those of one instant by their id: in the
// order in which they were stored.
type Counted struct {
	At      time.Time
	Event   EventID
	Member  int
	Value   string  // of value_count, shortened
	Number  float64 // of the types that calculate
	Chained bool    // the member is a correlation, which the event made fire
	Told    bool    // it stood in a firing before
}

func (c *Counted) compare(other *Counted) int {
	if n := c.At.Compare(other.At); n != 0 {
		return n
	}
	if n := bytes.Compare(c.Event.Batch[:], other.Event.Batch[:]); n != 0 {
		return n
	}
	if n := cmp.Compare(c.Event.Ordinal, other.Event.Ordinal); n != 0 {
		return n
	}
	if c.Chained != other.Chained {
		if c.Chained {
			return 1
		}
		return -1
	}
	if n := cmp.Compare(c.Member, other.Member); n != 0 {
		return n
	}
	return cmp.Compare(c.Value, other.Value)
}

// Compare orders by time, and at one instant as stored.
func (c *Counted) Compare(other *Counted) int { return c.compare(other) }

// CorrelationState is what one group of a correlation knows. The zero state knows
// nothing.
type CorrelationState struct {
	Latest time.Time // of all that was counted, by event time
	Kept   []Counted // in order
}

// Correlator runs one correlation: it is the state machine, and holds no state. It
// may be used by many goroutines at once.
//
// A correlation fires at an event when its condition is true of the window that
// ends with it: the events of the group from its time less the timespan, that
// instant included, up to the event itself. What comes late is put where it belongs
// by its time, and all windows that it is in are looked at again; so that whether
// a condition which only grows truer (gt, gte, and, or) fires does not depend on the
// order in which events come. Other conditions (lt, lte, eq, neq, not) are judged by
// what has come, and a firing is never taken back.
//
// An event that is older than the group's latest by more than the allowance is not
// counted. What no such window can need any more is forgotten at once: that bounds
// the state.
type Correlator struct {
	is        *Correlation
	allowance time.Duration
	enough    int // of value_count and event_count: more makes no difference
	most      int // events kept
	thinFrom  int // from how many on it is worth while to look for those within the allowance that make no difference
	grows     bool
	branches  []correlationBranch // of an extended condition of temporal_ordered
}

// Bounds of what a group keeps beyond what its condition asks for: events within
// the allowance, and the windows of types that calculate.
const (
	maxKept        = 4_096
	maxKeptOrdered = 1_024
)

// DefaultCorrelationAllowance is by how much an event may come later than others of
// its group and still count.
const DefaultCorrelationAllowance = 10 * time.Minute

// NewCorrelator gives the machine of a correlation that detection has read.
func NewCorrelator(c *Correlation, allowance time.Duration) *Correlator {
	m := &Correlator{is: c, allowance: allowance, enough: c.saturates(), grows: c.grows(), most: maxKept}
	switch c.Type {
	case CorrelateEventCount, CorrelateValueCount:
		m.most = max(m.most, 2*m.enough)
	case CorrelateTemporalOrdered:
		m.most = maxKeptOrdered
		if c.Condition.Expr != nil {
			m.branches = c.Condition.Expr.branches(true)
		}
	}
	m.thinFrom = min(m.most, 2*m.enough+64)
	return m
}

// Observed says what became of an event.
type Observed struct {
	Late      bool      // it came too late, and was not counted
	Duplicate bool      // it was counted before
	Evicted   int       // events that the group's bound forgot though a window might need them
	Fired     bool      // the condition was true of a window; then the rest is set
	Size      int       // events of the window that are known
	Fresh     int       // those that stood in no firing before
	First     time.Time // of the window
	Last      time.Time // of the window: the firing's time
	Window    []Counted // the newest MaxCorrelationEvidence of them, in order; Told as it was before
}

// MaxCorrelationEvidence bounds the events that one firing names.
const MaxCorrelationEvidence = 500

// Observe counts an event and says whether the correlation fires by it: at most once,
// at the first window in which the condition is true.
func (m *Correlator) Observe(s *CorrelationState, c Counted) Observed {
	c.At = c.At.UTC().Truncate(time.Microsecond) // as the store keeps it
	c.Told = false
	if !s.Latest.IsZero() && c.At.Before(s.Latest.Add(-m.allowance)) {
		return Observed{Late: true}
	}
	at, there := m.place(s, &c)
	if there {
		return Observed{Duplicate: true}
	}
	s.Kept = slices.Insert(s.Kept, at, c)
	if c.At.After(s.Latest) {
		s.Latest = c.At
	}
	var out Observed
	if from, to, ok := m.firing(s.Kept, at); ok {
		out.tell(s.Kept[from:to])
	}
	out.Evicted = m.forget(s)
	return out
}

// tell takes a window in, and marks what it holds as told.
func (o *Observed) tell(window []Counted) {
	o.Fired, o.Size = true, len(window)
	o.First, o.Last = window[0].At, window[len(window)-1].At
	o.Window = slices.Clone(window[max(0, len(window)-MaxCorrelationEvidence):])
	for i := range window {
		if !window[i].Told {
			window[i].Told = true
			o.Fresh++
		}
	}
}

// place finds where an event belongs, and whether it is there. event_count and the
// types that calculate count an event once, whichever members found it.
func (m *Correlator) place(s *CorrelationState, c *Counted) (at int, there bool) {
	at, there = slices.BinarySearchFunc(s.Kept, c, func(a Counted, b *Counted) int { return a.compare(b) })
	if there || m.is.Type.Temporal() || m.is.Type == CorrelateValueCount {
		return at, there
	}
	same := func(i int) bool {
		return i >= 0 && i < len(s.Kept) && s.Kept[i].At.Equal(c.At) && s.Kept[i].Event == c.Event && s.Kept[i].Chained == c.Chained
	}
	return at, same(at-1) || same(at)
}

// firing looks at the windows that the event at a place is in.
func (m *Correlator) firing(kept []Counted, at int) (from, to int, ok bool) {
	last := kept[at].At.Add(m.is.Timespan)
	from, _ = slices.BinarySearchFunc(kept, kept[at].At.Add(-m.is.Timespan), func(c Counted, begin time.Time) int { return c.At.Compare(begin) })
	for to := at + 1; to <= len(kept) && !kept[to-1].At.After(last); to++ {
		begin := kept[to-1].At.Add(-m.is.Timespan)
		for kept[from].At.Before(begin) {
			from++
		}
		if m.holds(kept[from:to]) {
			return from, to, true
		}
	}
	return 0, 0, false
}

// Expires is how long after the last event of a group its state can still matter:
// by the clock, as events come about when they happen.
func (m *Correlator) Expires() time.Duration { return m.is.Timespan + m.allowance }
