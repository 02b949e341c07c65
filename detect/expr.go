package detect

// expr is a rule's test, or a part of it.
type expr interface {
	// holds tells whether the event passes.
	holds(e *event) bool
	// explain collects the tests that were true and made the outcome what it
	// is. It is called only where holds gives want.
	explain(e *event, want bool, out *evidence)
	// size counts tests, those that are used twice counted twice.
	size() int
}

type (
	allOf   []expr // an empty one holds
	anyOf   []expr // an empty one does not
	notOf   struct{ of expr }
	atLeast struct {
		n  int
		of []expr
	}
)

func (a allOf) holds(e *event) bool {
	for _, x := range a {
		if !x.holds(e) {
			return false
		}
	}
	return true
}

func (a allOf) explain(e *event, want bool, out *evidence) { explainThose(a, e, want, out) }
func (a allOf) size() int                                  { return sizeOf(a) }

func (a anyOf) holds(e *event) bool {
	for _, x := range a {
		if x.holds(e) {
			return true
		}
	}
	return false
}

func (a anyOf) explain(e *event, want bool, out *evidence) { explainThose(a, e, want, out) }
func (a anyOf) size() int                                  { return sizeOf(a) }

func (x notOf) holds(e *event) bool                        { return !x.of.holds(e) }
func (x notOf) explain(e *event, want bool, out *evidence) { x.of.explain(e, !want, out) }
func (x notOf) size() int                                  { return x.of.size() }

func (x atLeast) holds(e *event) bool {
	missing := x.n
	for _, each := range x.of {
		if each.holds(e) {
			missing--
		}
		if missing <= 0 {
			return true
		}
	}
	return false
}

func (x atLeast) explain(e *event, want bool, out *evidence) { explainThose(x.of, e, want, out) }
func (x atLeast) size() int                                  { return sizeOf(x.of) }

// explainThose asks the parts that came out as wanted.
func explainThose(list []expr, e *event, want bool, out *evidence) {
	for _, x := range list {
		if out.full() {
			return
		}
		if x.holds(e) == want {
			x.explain(e, want, out)
		}
	}
}

// eachTest visits all tests of an expression.
func eachTest(x expr, visit func(*test)) {
	var parts []expr
	switch x := x.(type) {
	case *test:
		visit(x)
	case notOf:
		eachTest(x.of, visit)
	case allOf:
		parts = x
	case anyOf:
		parts = x
	case atLeast:
		parts = x.of
	}
	for _, part := range parts {
		eachTest(part, visit)
	}
}

func sizeOf(list []expr) int {
	n := 0
	for _, x := range list {
		n += x.size()
	}
	return n
}

// flat gives the only one of the parts itself.
func flat(list []expr, all bool) expr {
	switch {
	case len(list) == 1:
		return list[0]
	case all:
		return allOf(list)
	default:
		return anyOf(list)
	}
}

// test asks one question about one field, or about all values where field is "".
type test struct {
	field     string
	slot      int32
	predicate int32 // the number of the question; rules share it
	bound     bool  // slot and predicate are known
	asks      question
	handles   []handle // what the index can look for instead of asking is
	is        matcher  // of asks == askValue
	pattern   string   // for people
	selection string
}

type question uint8

const (
	askValue   question = iota // does any value match
	askNull                    // is the field absent, null, or without values
	askThere                   // does the field exist, be it null or empty
	askMissing                 // does it not
)

func (t *test) holds(e *event) bool {
	if is, known := e.recall(t.predicate); known {
		return is
	}
	if e.plan != nil && e.plan.answers(t.predicate) {
		return false // it would have been found
	}
	_, is := t.find(e)
	e.remember(t.predicate, is)
	if v := e.only(t.slot); v != nil && v.place != nil && t.lasting() {
		v.place.keep(v.key, t.predicate, is)
	}
	return is
}

// lasting tells whether the answer depends on nothing but the value.
func (t *test) lasting() bool {
	_, relative := t.is.(*refMatcher)
	return t.asks == askValue && !relative
}

func (t *test) explain(e *event, want bool, out *evidence) {
	if !want {
		return // a test that is false is no evidence
	}
	v, _ := t.find(e)
	out.add(t, v)
}

// bind gives each field that is asked for its slot.
func (t *test) bind(slot func(field string) int32) {
	t.bound = true
	if t.field != "" {
		t.slot = slot(t.field)
	} else {
		t.slot = anywhere
	}
	if ref, ok := t.is.(*refMatcher); ok {
		ref.slot = slot(ref.field)
	}
}

func (t *test) size() int { return 1 }

// find answers, with the value that made it so where there is one.
func (t *test) find(e *event) (*value, bool) {
	if t.field == "" {
		return t.findAnywhere(e)
	}
	at, there := e.first(t.slot)
	switch t.asks {
	case askMissing:
		return nil, !there
	case askThere:
		if at == 0 {
			return nil, there
		}
		return &e.values[at-1], true
	case askNull:
		if at == 0 {
			return nil, true
		}
	}
	for ; at != 0; at = e.values[at-1].next {
		if v := &e.values[at-1]; t.matches(e, v) {
			return v, true
		}
	}
	return nil, false
}

func (t *test) findAnywhere(e *event) (*value, bool) {
	for i := range e.values {
		if v := &e.values[i]; t.matches(e, v) {
			return v, true
		}
	}
	return nil, false
}
