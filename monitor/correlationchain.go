package monitor

// link is an event in a chain, behind the one before it.
type link struct {
	at     int // in the events kept
	begin  int // of the chain
	before *link
}

// needChains marks what temporal_ordered needs of the events before the horizon: of
// every chain that later events can go on with, the one that began last (an earlier
// one leaves a window sooner and is good for nothing else), and the last event of
// each member. Of those from the horizon on all stay: others may come between them.
func (m *Correlator) needChains(kept []Counted, past int) []bool {
	needed := m.lastOf(kept, past, 1, memberName)
	for i := past; i < len(kept); i++ {
		needed[i] = true
	}
	mark := func(l *link) {
		for ; l != nil; l = l.before {
			needed[l.at] = true
		}
	}
	if m.branches == nil {
		anyChains(kept[:past], len(m.is.Rules), mark)
	}
	for _, b := range m.branches {
		chainsOf(kept[:past], b.with, mark)
	}
	return needed
}

// chainsOf gives the chain that began last for each beginning of the order of a set
// of members.
func chainsOf(kept []Counted, set uint64, mark func(*link)) {
	var order [64]int // position in the set's order, counted from 1
	n := 0
	for member := range 64 {
		if set&(1<<member) != 0 {
			n++
			order[member] = n
		}
	}
	best := make([]*link, n+1)
	eachEvent(kept, func(begin, end int) {
		for i := end - 1; i >= begin; i-- { // a later link first: one event is one link at most
			switch position := order[kept[i].Member]; {
			case position == 1:
				best[1] = &link{at: i, begin: i}
			case position > 1 && best[position-1] != nil:
				best[position] = best[position].orLater(i, best[position-1])
			}
		}
	})
	for _, l := range best {
		mark(l)
	}
}

// anyChains gives, for each length and last member, the chain that began last, where
// members may be left out.
func anyChains(kept []Counted, members int, mark func(*link)) {
	best := make([][]*link, members+1) // by length, by last member
	for i := range best {
		best[i] = make([]*link, members)
	}
	eachEvent(kept, func(begin, end int) {
		for i := end - 1; i >= begin; i-- {
			member := kept[i].Member
			for length := members; length > 1; length-- {
				for _, before := range best[length-1][:member] {
					if before != nil {
						best[length][member] = best[length][member].orLater(i, before)
					}
				}
			}
			best[1][member] = &link{at: i, begin: i}
		}
	})
	for _, of := range best {
		for _, l := range of {
			mark(l)
		}
	}
}

// orLater gives the chain that an event makes behind another, unless the chain that
// is there began later.
func (l *link) orLater(at int, before *link) *link {
	if l != nil && l.begin > before.begin {
		return l
	}
	return &link{at: at, begin: before.begin, before: before}
}

// eachEvent visits the members that one event stands for together.
func eachEvent(kept []Counted, visit func(begin, end int)) {
	for begin := 0; begin < len(kept); {
		end := begin + 1
		for end < len(kept) && kept[end].sameEvent(&kept[begin]) {
			end++
		}
		visit(begin, end)
		begin = end
	}
}
