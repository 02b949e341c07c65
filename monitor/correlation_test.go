package monitor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"
)

var zero = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

// plain recomputes a correlation from all events that ever came: it keeps
// everything, knows no short cuts, and shares no code with the Correlator.
type plain struct {
	is        *Correlation
	allowance time.Duration
	all       []Counted
}

func (p *plain) observe(c Counted) (fired, late, duplicate bool) {
	var latest time.Time
	for _, each := range p.all {
		if each.At.After(latest) {
			latest = each.At
		}
		same := each.Event == c.Event && each.Chained == c.Chained && each.At.Equal(c.At)
		switch {
		case p.is.Type == CorrelateValueCount:
			duplicate = duplicate || same && each.Value == c.Value && each.Member == c.Member
		case p.is.Type.Temporal():
			duplicate = duplicate || same && each.Member == c.Member
		default:
			duplicate = duplicate || same
		}
	}
	if len(p.all) > 0 && latest.Sub(c.At) > p.allowance {
		return false, true, false
	}
	if duplicate {
		return false, false, true
	}
	p.all = append(p.all, c)
	sort.Slice(p.all, func(i, j int) bool { return p.all[i].compare(&p.all[j]) < 0 })
	for end, anchor := range p.all {
		if anchor.compare(&c) < 0 || anchor.At.Sub(c.At) > p.is.Timespan {
			continue
		}
		var window []Counted
		for _, each := range p.all[:end+1] {
			if anchor.At.Sub(each.At) <= p.is.Timespan {
				window = append(window, each)
			}
		}
		if p.holds(window) {
			return true, false, false
		}
	}
	return false, false, false
}

func (p *plain) holds(window []Counted) bool {
	members, values := map[int]bool{}, map[string]bool{}
	var numbers []float64
	sum := 0.0
	for _, each := range window {
		members[each.Member], values[each.Value] = true, true
		numbers = append(numbers, each.Number)
		sum += each.Number
	}
	sort.Float64s(numbers)
	if x := p.is.Condition.Expr; x != nil {
		if !p.is.Type.ordered() {
			return x.Holds(func(i int) bool { return members[i] })
		}
		return p.orderedHolds(x, window, members)
	}
	n := 0.0
	switch p.is.Type {
	case CorrelateEventCount:
		n = float64(len(window))
	case CorrelateValueCount:
		n = float64(len(values))
	case CorrelateTemporal:
		n = float64(len(members))
	case CorrelateTemporalOrdered:
		for set := range 1 << len(p.is.Rules) {
			if size := len(bitsOf(set)); float64(size) > n && follows(window, bitsOf(set), -1) {
				n = float64(size)
			}
		}
	case CorrelateValueSum:
		n = sum
	case CorrelateValueAvg:
		n = sum / float64(len(window))
	default:
		percent := p.is.Condition.Percentile
		if p.is.Type == CorrelateValueMedian {
			percent = 50
		}
		place := percent / 100 * float64(len(numbers)-1)
		low := int(place)
		n = numbers[low]
		if low+1 < len(numbers) {
			n += (numbers[low+1] - numbers[low]) * (place - float64(low))
		}
	}
	for _, b := range p.is.Condition.Bounds {
		if !b.Holds(n) {
			return false
		}
	}
	return true
}

func (t CorrelationType) ordered() bool { return t == CorrelateTemporalOrdered }

// orderedHolds: some set of members makes the expression true, those of it that the
// expression needs come in order, and nothing else that matters is there.
func (p *plain) orderedHolds(x *CorrelationExpr, window []Counted, members map[int]bool) bool {
	k := len(p.is.Rules)
	for set := range 1 << k {
		if !follows(window, bitsOf(set), -1) {
			continue
		}
		// True whatever of the members outside the set that are there is looked at,
		// and whatever is not: the set alone makes it so.
		sure := true
		for others := range 1 << k {
			if others&set != 0 {
				continue
			}
			fits := true
			for i := range k {
				if others&(1<<i) != 0 && !members[i] {
					fits = false
				}
			}
			if fits && !x.Holds(func(i int) bool { return (set|others)&(1<<i) != 0 }) {
				sure = false
			}
		}
		if sure {
			return true
		}
	}
	return false
}

func bitsOf(set int) (out []int) {
	for i := 0; set>>i != 0; i++ {
		if set>>i&1 == 1 {
			out = append(out, i)
		}
	}
	return out
}

// follows tries every way to find the members one after another.
func follows(window []Counted, order []int, after int) bool {
	return followsFrom(window, order, after, map[[2]int]bool{})
}

func followsFrom(window []Counted, order []int, after int, failed map[[2]int]bool) bool {
	if len(order) == 0 {
		return true
	}
	if failed[[2]int{len(order), after}] {
		return false
	}
	for i := after + 1; i < len(window); i++ {
		other := after < 0 || window[i].Event != window[after].Event || !window[i].At.Equal(window[after].At)
		if window[i].Member == order[0] && other && followsFrom(window, order[1:], i, failed) {
			return true
		}
	}
	failed[[2]int{len(order), after}] = true
	return false
}

func rule(i int) *CorrelationExpr { return &CorrelationExpr{Op: "rule", Member: i} }

func op(name string, of ...*CorrelationExpr) *CorrelationExpr {
	return &CorrelationExpr{Op: name, Of: of}
}

// shapes are correlations of every type, with conditions that grow and others.
func shapes() map[string]*Correlation {
	out := map[string]*Correlation{}
	add := func(t CorrelationType, span time.Duration, members int, c CorrelationCondition) {
		rules := []string{"a", "b", "c", "d"}[:members]
		out[fmt.Sprintf("%02d %s", len(out), t)] = &Correlation{Type: t, Rules: rules, Timespan: span, Condition: c}
	}
	bounds := func(list ...CorrelationBound) CorrelationCondition { return CorrelationCondition{Bounds: list} }
	for _, span := range []time.Duration{3 * time.Second, 20 * time.Second} {
		for _, b := range []CorrelationBound{{"gte", 3}, {"gt", 1}, {"eq", 2}, {"lte", 2}, {"lt", 3}, {"neq", 2}} {
			add(CorrelateEventCount, span, 1, bounds(b))
			add(CorrelateValueCount, span, 1, bounds(b))
			add(CorrelateTemporal, span, 3, bounds(b))
			add(CorrelateTemporalOrdered, span, 4, bounds(b))
			add(CorrelateValueSum, span, 1, bounds(CorrelationBound{b.Op, 20 * b.Limit}))
			add(CorrelateValueAvg, span, 1, bounds(CorrelationBound{b.Op, 3 * b.Limit}))
			add(CorrelateValuePercentile, span, 1, CorrelationCondition{Bounds: []CorrelationBound{{b.Op, 3 * b.Limit}}, Percentile: 90})
			add(CorrelateValueMedian, span, 1, bounds(CorrelationBound{b.Op, 3 * b.Limit}))
		}
		add(CorrelateEventCount, span, 2, bounds(CorrelationBound{"gt", 2}, CorrelationBound{"lte", 4}))
		for _, t := range []CorrelationType{CorrelateTemporal, CorrelateTemporalOrdered} {
			for _, x := range []*CorrelationExpr{
				op("and", rule(0), rule(1), rule(2)),
				op("or", op("and", rule(0), rule(2)), op("and", rule(1), rule(3))),
				op("and", rule(0), op("not", rule(1))),
				op("not", op("or", rule(0), op("and", rule(1), rule(2)))),
			} {
				add(t, span, 4, CorrelationCondition{Expr: x})
			}
		}
	}
	return out
}

// stream makes events in the order of their coming: mostly by time, some late, some
// twice, several at one instant.
func stream(r *rand.Rand, n, members int, step, jitter time.Duration) []Counted {
	var out []Counted
	at := zero
	for i := range n {
		if len(out) > 0 && r.IntN(12) == 0 {
			out = append(out, out[r.IntN(len(out))])
			continue
		}
		at = at.Add(time.Duration(r.Int64N(int64(2 * step)))).Truncate(time.Second / 2)
		c := Counted{
			At: at.Add(-time.Duration(r.Int64N(int64(jitter) + 1))).Truncate(time.Second / 2), Event: EventID{Batch: ID{byte(i / 5)}, Ordinal: uint32(i)},
			Member: r.IntN(members), Value: fmt.Sprint(r.IntN(4)), Number: float64(r.IntN(25) - 3), Chained: r.IntN(20) == 0,
		}
		out = append(out, c)
		if r.IntN(6) == 0 { // another member finds the same event
			c.Member = r.IntN(members)
			out = append(out, c)
		}
	}
	return out
}

func TestStateMachineFiresAsRecomputingDoes(t *testing.T) {
	for name, is := range shapes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fired := 0
			for seed := range uint64(24) {
				r := rand.New(rand.NewPCG(seed, 7))
				allowance := []time.Duration{0, 2 * time.Second, 10 * time.Second, time.Minute}[seed%4]
				jitter := []time.Duration{0, 3 * time.Second, 15 * time.Second}[seed%3]
				step := []time.Duration{time.Second / 4, time.Second, 4 * time.Second}[r.IntN(3)]
				fired += compareWithPlain(t, is, allowance, stream(r, 70, len(is.Rules), step, jitter), seed)
			}
			if fired == 0 {
				t.Error("never fired: the streams prove nothing")
			}
		})
	}
}

// compareWithPlain feeds both, and has the state written and read in between.
func compareWithPlain(t *testing.T, is *Correlation, allowance time.Duration, events []Counted, seed uint64) (fired int) {
	t.Helper()
	m, p := NewCorrelator(is, allowance), &plain{is: is, allowance: allowance}
	m.thinFrom = 0 // it looks for what it can drop from the first event on
	state := &CorrelationState{}
	for i, c := range events {
		_, known := m.place(state, &c)
		got := m.Observe(state, c)
		want, late, duplicate := p.observe(c)
		if got.Evicted > 0 {
			t.Fatalf("seed %d, event %d: %d events evicted below the bound", seed, i, got.Evicted)
		}
		if duplicate && !got.Duplicate && !known {
			continue // thinned out before: nobody sends an event again, and it changes nothing
		}
		if got.Fired != want || got.Late != late || got.Duplicate != duplicate {
			t.Fatalf("seed %d, event %d (%+v): fired %t late %t duplicate %t, recomputing says %t %t %t\nkept %+v", seed, i, c, got.Fired, got.Late, got.Duplicate, want, late, duplicate, state.Kept)
		}
		if got.Fired {
			fired++
		}
		if i%7 == 0 {
			again, err := DecodeCorrelationState(state.Encode())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(again.Kept, state.Kept) || !again.Latest.Equal(state.Latest) {
				t.Fatalf("seed %d: state is not what was written:\n%+v\n%+v", seed, again, state)
			}
			state = again
		}
	}
	return fired
}

// TestCorrelationStateIsBounded floods one group of every type: what it keeps stays
// within its bound, and where more is thrown away, that is counted.
func TestCorrelationStateIsBounded(t *testing.T) {
	for name, is := range shapes() {
		m := NewCorrelator(is, DefaultCorrelationAllowance)
		m.most, m.thinFrom = 200, min(m.thinFrom, 200)
		r := rand.New(rand.NewPCG(1, 2))
		s, evicted, most := &CorrelationState{}, 0, 0
		for i := range 2 * m.most {
			seen := m.Observe(s, Counted{
				At: zero.Add(time.Duration(i) * 50 * time.Millisecond), Event: EventID{Batch: ID{byte(i / 500)}, Ordinal: uint32(i)},
				Member: r.IntN(len(is.Rules)), Value: fmt.Sprint(r.IntN(20)), Number: r.Float64(),
			})
			evicted += seen.Evicted
			most = max(most, len(s.Kept))
		}
		if most > m.most || len(s.Encode()) > 100*m.most {
			t.Errorf("%s: kept up to %d events, at most %d are allowed; %d bytes", name, most, m.most, len(s.Encode()))
		}
		if is.Type.Numeric() && evicted == 0 {
			t.Errorf("%s: nothing was evicted, the flood proves nothing", name)
		}
	}
}

// Of many events of one value some are dropped; those that a late event needs stay.
func TestLateEventsFindWhatTheyNeed(t *testing.T) {
	is := &Correlation{Type: CorrelateValueCount, Rules: []string{"a"}, Timespan: 4 * time.Second, Condition: CorrelationCondition{Bounds: []CorrelationBound{{"gte", 3}}}}
	m, s := NewCorrelator(is, time.Minute), &CorrelationState{}
	m.thinFrom = 0
	add := func(at time.Duration, value string) bool {
		return m.Observe(s, Counted{At: zero.Add(at), Event: EventID{Ordinal: uint32(at.Milliseconds())}, Value: value}).Fired
	}
	for i := range 300 {
		add(time.Duration(i)*100*time.Millisecond, "often")
	}
	if len(s.Kept) > 40 {
		t.Errorf("%d of 300 events of one value are kept", len(s.Kept))
	}
	if add(1001*time.Millisecond, "b") || !add(5*time.Second+time.Millisecond, "c") || add(10*time.Second+time.Millisecond, "d") {
		t.Error("three values within four seconds have to fire, and nothing else")
	}
}

// The largest numbers that there are do not make what is calculated no number.
func TestCalculatingWithTheLargestNumbers(t *testing.T) {
	const most = math.MaxFloat64
	for _, c := range []struct {
		of      CorrelationType
		percent float64
		numbers []float64
		want    float64
	}{
		{CorrelateValuePercentile, 0, []float64{-most, most}, -most},
		{CorrelateValuePercentile, 100, []float64{most, -most}, most},
		{CorrelateValuePercentile, 75, []float64{-most, most}, most / 2},
		{CorrelateValueMedian, 0, []float64{-most, most}, 0},
		{CorrelateValueAvg, 0, []float64{most, most}, most},
		{CorrelateValueAvg, 0, []float64{most, most, -most, -most}, 0},
		{CorrelateValueSum, 0, []float64{most, most}, math.Inf(1)},
		{CorrelateValueAvg, 0, []float64{1, 2, 6}, 3},
		{CorrelateValuePercentile, 90, []float64{5}, 5},
	} {
		m := NewCorrelator(&Correlation{Type: c.of, Condition: CorrelationCondition{Percentile: c.percent, Bounds: []CorrelationBound{{"gt", 1}}}}, 0)
		var window []Counted
		for _, n := range c.numbers {
			window = append(window, Counted{Number: n})
		}
		if got := m.measure(window); got != c.want && math.Abs(got-c.want) > 1e-12*math.Abs(c.want) {
			t.Errorf("%s %g of %g is %g, want %g", c.of, c.percent, c.numbers, got, c.want)
		}
	}
}

// FuzzCorrelation lets the input choose the correlation, the order and the times.
func FuzzCorrelation(f *testing.F) {
	f.Add(uint8(0), uint8(10), []byte("abcdefghijklmnopqrstuvwxyz"))
	f.Add(uint8(3), uint8(0), []byte{0, 1, 2, 3, 255, 254, 7, 9, 128, 64, 32})
	all := shapes()
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	f.Fuzz(func(t *testing.T, shape, allowance uint8, input []byte) {
		is := all[names[int(shape)%len(names)]]
		var events []Counted
		for i := 0; i+1 < min(len(input), 120); i += 2 {
			events = append(events, Counted{
				At: zero.Add(time.Duration(input[i]) * 250 * time.Millisecond), Event: EventID{Ordinal: uint32(i)}, Member: int(input[i+1]) % len(is.Rules),
				Value: string(rune('a' + input[i+1]%7)), Number: float64(int8(input[i+1])) / 8,
			})
		}
		compareWithPlain(t, is, time.Duration(allowance)*500*time.Millisecond, events, 0)
	})
}

// FuzzCorrelationState reads anything: no panic, and what is read is written the same.
func FuzzCorrelationState(f *testing.F) {
	s := &CorrelationState{Latest: zero, Kept: []Counted{
		{At: zero, Event: EventID{Batch: ID{1}, Ordinal: 5}, Value: "x", Told: true}, {At: zero, Event: EventID{Batch: ID{1}, Ordinal: 6}, Number: 1.5, Member: 3, Chained: true},
	}}
	f.Add(s.Encode())
	f.Add([]byte{stateVersion, 0, 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, input []byte) {
		read, err := DecodeCorrelationState(input)
		if err != nil || len(input) == 0 {
			return
		}
		again, err := DecodeCorrelationState(read.Encode())
		if err != nil || len(again.Kept) != len(read.Kept) || !again.Latest.Equal(read.Latest) {
			t.Fatalf("%v: %+v became %+v", err, read, again)
		}
	})
}
