package monitor

import (
	"math"
	"slices"
	"time"
)

// holds tells whether the condition is true of a window.
func (m *Correlator) holds(window []Counted) bool {
	c := &m.is.Condition
	switch {
	case c.Expr != nil && m.is.Type == CorrelateTemporalOrdered:
		return m.anyBranch(window)
	case c.Expr != nil:
		members := membersOf(window)
		return c.Expr.Holds(func(member int) bool { return members&(1<<member) != 0 })
	}
	n := m.measure(window)
	for _, b := range c.Bounds {
		if !b.Holds(n) {
			return false
		}
	}
	return true
}

// measure gives what the bounds are compared with.
func (m *Correlator) measure(window []Counted) float64 {
	switch m.is.Type {
	case CorrelateEventCount:
		return float64(len(window))
	case CorrelateValueCount:
		return float64(m.differentValues(window))
	case CorrelateTemporal:
		n := 0
		for set := membersOf(window); set != 0; set &= set - 1 {
			n++
		}
		return float64(n)
	case CorrelateTemporalOrdered:
		return float64(longestChain(window))
	case CorrelateValueSum, CorrelateValueAvg:
		sum := 0.0
		for i := range window {
			sum += window[i].Number
		}
		if m.is.Type == CorrelateValueAvg {
			return average(window, sum)
		}
		return sum
	case CorrelateValueMedian:
		return percentile(window, 50)
	default:
		return percentile(window, m.is.Condition.Percentile)
	}
}

// differentValues counts from the newest on, up to where more make no difference.
func (m *Correlator) differentValues(window []Counted) int {
	seen := make(map[string]struct{}, min(len(window), m.enough))
	for i := len(window) - 1; i >= 0 && len(seen) < m.enough; i-- {
		seen[window[i].Value] = struct{}{}
	}
	return len(seen)
}

func membersOf(window []Counted) (set uint64) {
	for i := range window {
		set |= 1 << window[i].Member
	}
	return set
}

// percentile interpolates between the two nearest ranks, as SQL's PERCENTILE_CONT.
func percentile(window []Counted, percent float64) float64 {
	numbers := make([]float64, len(window))
	for i := range window {
		numbers[i] = window[i].Number
	}
	slices.Sort(numbers)
	rank := percent / 100 * float64(len(numbers)-1)
	below := min(int(rank), len(numbers)-1)
	above, part := min(below+1, len(numbers)-1), rank-float64(below)
	if step := numbers[above] - numbers[below]; !math.IsInf(step, 0) {
		return numbers[below] + step*part
	}
	return numbers[below]*(1-part) + numbers[above]*part // further apart than numbers go
}

// average is the sum through the number of events, also where the sum is beyond what
// numbers go up to.
func average(window []Counted, sum float64) float64 {
	n := float64(len(window))
	if !math.IsInf(sum, 0) && !math.IsNaN(sum) {
		return sum / n
	}
	sum = 0
	for i := range window {
		sum += window[i].Number / n
	}
	return sum
}

// longestChain gives how many members, in the order of the correlation, have found
// different events one after another. Others may be left out in between.
func longestChain(window []Counted) int {
	var longest [MaxCorrelationRules]int // of the chains that end with a member
	best := 0
	for begin := 0; begin < len(window); {
		end := begin + 1
		for end < len(window) && window[end].sameEvent(&window[begin]) {
			end++
		}
		was := longest // one event is one link at most
		for i := begin; i < end; i++ {
			member := window[i].Member
			n := 1
			for earlier := range member {
				n = max(n, was[earlier]+1)
			}
			longest[member] = max(longest[member], n)
			best = max(best, n)
		}
		begin = end
	}
	return best
}

// sameEvent tells whether both are one event, which can be one link of a chain.
func (c *Counted) sameEvent(other *Counted) bool {
	return c.Event == other.Event && c.At.Equal(other.At)
}

// anyBranch tells whether the members that a branch asks for come in their order,
// and none that it excludes.
func (m *Correlator) anyBranch(window []Counted) bool {
	members := membersOf(window)
	for _, b := range m.branches {
		if b.with&^members == 0 && b.without&members == 0 && inOrder(window, b.with) {
			return true
		}
	}
	return false
}

// inOrder tells whether the members of a set have found different events in their order.
func inOrder(window []Counted, set uint64) bool {
	next := func(after int) int {
		for i := after + 1; i < 64; i++ {
			if set&(1<<i) != 0 {
				return i
			}
		}
		return -1
	}
	want, last := next(-1), -1
	for i := range window {
		if want < 0 {
			break
		}
		if window[i].Member == want && (last < 0 || !window[i].sameEvent(&window[last])) {
			want, last = next(want), i
		}
	}
	return want < 0
}

// forget drops what no window can need any more, and then, where that is too much
// still, what is oldest. It gives how many of the latter.
//
// Windows that will be looked at end at the horizon (the latest event's time less the
// allowance) or later: an event that comes then is not older. So what is older than
// the horizon by more than the timespan is in none of them, and of the rest before
// the horizon only some can make a difference.
func (m *Correlator) forget(s *CorrelationState) (evicted int) {
	horizon := s.Latest.Add(-m.allowance)
	begin := horizon.Add(-m.is.Timespan)
	expired := 0
	for expired < len(s.Kept) && s.Kept[expired].At.Before(begin) {
		expired++
	}
	s.Kept = slices.Delete(s.Kept, 0, expired)
	past := 0
	for past < len(s.Kept) && s.Kept[past].At.Before(horizon) {
		past++
	}
	if past > 0 || len(s.Kept) > m.thinFrom {
		m.thin(s, past)
	}
	for len(s.Kept) > m.most {
		m.evict(s)
		evicted++
	}
	return evicted
}

// thin drops what makes no difference: past is the number of events before the horizon.
func (m *Correlator) thin(s *CorrelationState, past int) {
	var needed []bool
	switch m.is.Type {
	case CorrelateEventCount:
		needed = m.lastOf(s.Kept, past, m.enough, func(*Counted) string { return "" })
		m.needCells(s.Kept, past, m.enough, needed, func(*Counted) string { return "" })
	case CorrelateValueCount:
		needed = m.lastOf(s.Kept, past, 1, func(c *Counted) string { return c.Value })
		m.needCells(s.Kept, past, 1, needed, func(c *Counted) string { return c.Value })
	case CorrelateTemporal:
		needed = m.lastOf(s.Kept, past, 1, memberName)
		m.needCells(s.Kept, past, 1, needed, memberName)
	case CorrelateTemporalOrdered:
		needed = m.needChains(s.Kept, past)
	default:
		return
	}
	kept := s.Kept[:0]
	for i := range needed {
		if needed[i] {
			kept = append(kept, s.Kept[i])
		}
	}
	clear(s.Kept[len(kept):])
	s.Kept = kept
}

func memberName(c *Counted) string { return string(rune(c.Member)) }

// lastOf marks, before the horizon, the last few events of each kind: a window that
// reaches back to an older one has those too. Of kinds, the last ones are enough.
func (m *Correlator) lastOf(kept []Counted, past, each int, kind func(*Counted) string) []bool {
	needed := make([]bool, len(kept))
	seen := map[string]int{}
	for i := past - 1; i >= 0; i-- {
		k := kind(&kept[i])
		if n, known := seen[k]; n < each && (known || each > 1 || m.is.Type != CorrelateValueCount || len(seen) < m.enough) {
			needed[i] = true
			seen[k] = n + 1
		}
	}
	return needed
}

// needCells marks what is needed of the events from the horizon on. Time is cut into
// cells of half a timespan; of each kind in a cell the first and last few are kept. A
// window that an event in between is in reaches over all those before it or all those
// behind it; so nothing is missed, where more of a kind make no difference and where
// another window that is as good will do: unless the condition is one that grows, a
// window is judged by its very content, and all stay.
func (m *Correlator) needCells(kept []Counted, past, each int, needed []bool, kind func(*Counted) string) {
	cell := max(m.is.Timespan/2, time.Microsecond)
	if len(kept) <= m.thinFrom || !m.grows {
		for i := past; i < len(kept); i++ {
			needed[i] = true
		}
		return
	}
	type place struct {
		cell int64
		kind string
	}
	mark := func(i int, seen map[place]int) {
		p := place{kept[i].At.UnixMicro() / cell.Microseconds(), kind(&kept[i])}
		if seen[p] < each {
			needed[i] = true
			seen[p]++
		}
	}
	first, last := map[place]int{}, map[place]int{}
	for i := past; i < len(kept); i++ {
		mark(i, first)
	}
	for i := len(kept) - 1; i >= past; i-- {
		mark(i, last)
	}
}

// evict drops the oldest event; of temporal types the oldest of the member that has
// most, so that many of one leave room for the others.
func (m *Correlator) evict(s *CorrelationState) {
	drop := 0
	if m.is.Type.Temporal() {
		var count [MaxCorrelationRules]int
		most := 0
		for i := range s.Kept {
			count[s.Kept[i].Member]++
			if count[s.Kept[i].Member] > count[most] {
				most = s.Kept[i].Member
			}
		}
		drop = slices.IndexFunc(s.Kept, func(c Counted) bool { return c.Member == most })
	}
	s.Kept = slices.Delete(s.Kept, drop, drop+1)
}
