package detect

import (
	"cmp"
	"slices"
)

// witnesses is a set of tests of which at least one is true wherever the
// expression that it was made from is true: the index finds a rule by it, and
// tries no other rule. An empty set belongs to an expression that never holds.
type witnesses struct {
	tests []*test
	cost  int
}

// witnessesOf finds the cheapest set for x being true, or with want false for x
// being false. ok is false where there is none, as for "not A".
func witnessesOf(x expr, want bool) (w witnesses, ok bool) {
	switch x := x.(type) {
	case *test:
		if cost, ok := x.findable(); ok && want {
			return witnesses{[]*test{x}, cost}, true
		}
	case notOf:
		return witnessesOf(x.of, !want)
	case allOf:
		return witnessesOfMany(x, want, want)
	case anyOf:
		return witnessesOfMany(x, want, !want)
	case atLeast:
		if want {
			return witnessesOfCount(x)
		}
	}
	return witnesses{}, false
}

// witnessesOfMany: where all parts come out as wanted, one part's set will do;
// where any may, it takes the union.
func witnessesOfMany(parts []expr, want, all bool) (witnesses, bool) {
	sets, missing := witnessSets(parts, want)
	switch {
	case !all && missing == 0:
		return union(sets), true
	case all && len(sets) > 0:
		return sets[0], true
	default:
		return witnesses{}, false
	}
}

// witnessesOfCount: n of the parts hold, so one of any len-n+1 of them does.
func witnessesOfCount(x atLeast) (witnesses, bool) {
	sets, _ := witnessSets(x.of, true)
	enough := max(len(x.of)-x.n+1, 0)
	if len(sets) < enough {
		return witnesses{}, false
	}
	return union(sets[:enough]), true
}

// witnessSets gives the parts' sets, the cheapest first, and how many parts have none.
func witnessSets(parts []expr, want bool) (sets []witnesses, missing int) {
	for _, part := range parts {
		if w, ok := witnessesOf(part, want); ok {
			sets = append(sets, w)
		} else {
			missing++
		}
	}
	slices.SortStableFunc(sets, func(a, b witnesses) int { return cmp.Compare(a.cost, b.cost) })
	return sets, missing
}

func union(sets []witnesses) witnesses {
	var all witnesses
	for _, s := range sets {
		all.tests = append(all.tests, s.tests...)
		all.cost += s.cost
	}
	return all
}

// findable tells whether an index can find the test's being true, and at what cost.
func (t *test) findable() (cost int, ok bool) {
	switch t.asks {
	case askThere:
		return costPresent, true
	case askValue:
		if len(t.handles) == 0 {
			return costPresent, true
		}
		for _, h := range t.handles {
			cost += h.cost()
		}
		return cost, true
	default:
		return 0, false
	}
}
