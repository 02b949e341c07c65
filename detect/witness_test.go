package detect_test

import (
	"math/big"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// witness makes an event that a rule's condition asks for. It goes down the
// condition's tree, picks parts where it has a choice, and collects what fields
// must have. What they must not have it only remembers where that calls for a
// field to be there; whether the event fires is for the reference to say, and
// where it does not, other choices may.
type witness struct {
	*dice
	order  []string
	fields map[string]*wanted
}

// wanted is what a field should be.
type wanted struct {
	begin, middle, end string // of texts that are put together
	whole              []monitor.Value
	absent, present    bool
}

func (w *witness) field(name string) *wanted {
	f := w.fields[name]
	if f == nil {
		if w.fields == nil {
			w.fields = map[string]*wanted{}
		}
		f = &wanted{}
		w.fields[name], w.order = f, append(w.order, name)
	}
	return f
}

// ask collects what makes a node hold, or not.
func (w *witness) ask(n *refNode, hold bool) {
	switch {
	case n.leaf != nil:
		w.askLeaf(n.leaf, hold)
		return
	case n.not:
		w.ask(n.parts[0], !hold)
		return
	}
	count := n.least
	if !hold {
		count = len(n.parts) - n.least + 1
	}
	for _, i := range w.some(len(n.parts), count) {
		w.ask(n.parts[i], hold)
	}
}

// some picks so many of the numbers below n, in order.
func (w *witness) some(n, count int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	for len(list) > count {
		at := w.below(256) * len(list) / 256
		list = slices.Delete(list, at, at+1)
	}
	return list
}

// unwanted is a value that few patterns fit.
const unwanted = "§"

func (w *witness) askLeaf(p *refPredicate, hold bool) {
	f := w.field(p.field)
	if p.keyword {
		f = w.field("message")
	}
	switch {
	case p.kind == "exists":
		f.absent, f.present = p.present != hold, p.present == hold
	case p.kind == "null":
		f.absent, f.present = hold, !hold
	case !hold && p.kind == "fieldref":
		f.present, w.field(p.other).present = true, true
		w.field(p.other).middle = "another"
	case !hold: // what a field need not be, it is not
	case p.kind == "fieldref":
		f.present = true
		text := "same"
		if f.middle+f.begin+f.end != "" {
			text = f.begin + f.middle + f.end
		} else {
			f.middle = text
		}
		w.field(p.other).whole = append(w.field(p.other).whole, monitor.Value{Text: text})
	default:
		w.askValue(f, p)
	}
}

func (w *witness) askValue(f *wanted, p *refPredicate) {
	value := monitor.Value{}
	switch p.kind {
	case "pattern":
		w.askPattern(f, p.pattern)
		return
	case "number":
		value = monitor.Value{Kind: monitor.NumberValue, Text: p.number.RatString()}
		if !p.number.IsInt() || w.oneIn(3) {
			value = monitor.Value{Text: p.text}
		}
	case "re":
		tree, err := syntax.Parse(p.regex.String(), syntax.Perl)
		if err != nil {
			panic(err)
		}
		value.Text = w.sample(tree)
	case "cidr":
		value.Text = p.network.Addr().String()
	case "part":
		value.Text = map[string]string{"hour": "2025-01-01T13:00:00Z", "year": "1700000000"}[p.part]
	case "gt":
		value = monitor.Value{Kind: monitor.NumberValue, Text: new(big.Rat).Add(p.number, big.NewRat(1, 2)).FloatString(1)}
	case "lt":
		value = monitor.Value{Kind: monitor.NumberValue, Text: new(big.Rat).Sub(p.number, big.NewRat(1, 2)).FloatString(1)}
	case "gte", "lte":
		value = monitor.Value{Kind: monitor.NumberValue, Text: p.number.FloatString(3)}
	}
	f.whole = append(f.whole, value)
}

// askPattern puts a pattern's text where its stars leave it.
func (w *witness) askPattern(f *wanted, pattern []rune) {
	free := func(at int) bool { return len(pattern) > 0 && pattern[at] == refStar }
	text := w.textOf(pattern)
	switch {
	case len(pattern) > 0 && free(0) && free(len(pattern)-1):
		f.middle += text + pick(w.dice, []string{"", " ", "x", ";"})
	case len(pattern) > 0 && free(0):
		f.end = text
	case len(pattern) > 0 && free(len(pattern)-1):
		f.begin = text
	default:
		f.whole = append(f.whole, monitor.Value{Text: text})
	}
}

func (w *witness) textOf(pattern []rune) string {
	var b strings.Builder
	for _, char := range pattern {
		switch char {
		case refStar:
			b.WriteString(pick(w.dice, []string{"", "", "x", " - "}))
		case refOne:
			b.WriteString(pick(w.dice, []string{"x", "1", "ü"}))
		case refDash:
			b.WriteString(string(pick(w.dice, []rune(refDashes))))
		default:
			b.WriteRune(char)
		}
	}
	if w.oneIn(3) {
		return otherCase(b.String())
	}
	return b.String()
}

// sample makes a text that an expression matches.
func (w *witness) sample(tree *syntax.Regexp) string {
	var b strings.Builder
	switch tree.Op {
	case syntax.OpLiteral:
		return string(tree.Rune)
	case syntax.OpCharClass:
		for i := 0; i < len(tree.Rune); i += 2 { // prefer what is readable
			if tree.Rune[i] <= '~' && tree.Rune[i+1] >= ' ' {
				low, high := max(tree.Rune[i], ' '), min(tree.Rune[i+1], '~')
				return string(low + rune(w.below(int(high-low)+1)))
			}
		}
		return string(tree.Rune[:1])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return pick(w.dice, []string{"x", " ", "1"})
	case syntax.OpConcat:
		for _, each := range tree.Sub {
			b.WriteString(w.sample(each))
		}
	case syntax.OpAlternate:
		return w.sample(pick(w.dice, tree.Sub))
	case syntax.OpCapture:
		return w.sample(tree.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		if w.oneIn(2) {
			return w.sample(tree.Sub[0])
		}
	case syntax.OpPlus:
		return w.sample(tree.Sub[0])
	case syntax.OpRepeat:
		for range max(tree.Min, 0) {
			b.WriteString(w.sample(tree.Sub[0]))
		}
	}
	return b.String()
}

// fill writes the collected fields into a record. A field that must have several
// values has an array.
func (w *witness) fill(rec *monitor.Record) {
	for _, name := range w.order {
		f := w.fields[name]
		values := f.whole
		if text := f.begin + f.middle + f.end; text != "" {
			values = append(values, monitor.Value{Text: text})
		}
		if len(values) == 0 && (f.absent || !f.present) {
			continue
		}
		if len(values) == 0 {
			values = []monitor.Value{{Text: unwanted}}
		}
		rec.Fields = append(rec.Fields, monitor.Field{Name: name, Values: values})
	}
}

// witnessOf looks for an event that makes a rule fire, by the reference. It
// gives nil where it found none.
func witnessOf(rule *refRule, random *rand.Rand, tries int) *monitor.Record {
	for range tries {
		w := &witness{dice: &dice{randomBytes(random, 4000)}}
		w.ask(rule.test, true)
		rec := &monitor.Record{LogSource: rule.logSource}
		w.fill(rec)
		if rule.fires(newRefEvent(rec)) {
			return rec
		}
	}
	return nil
}

// TestNoRuleIsDead makes an event for each active rule, from what the rule
// itself asks for, that must make it fire.
func TestNoRuleIsDead(t *testing.T) {
	s := activeSide(t)
	random := rand.New(rand.NewPCG(5, 6))
	dead, without := 0, 0
	for i, ref := range s.refs {
		rec := witnessOf(ref, random, 300)
		if rec == nil {
			without++
			t.Logf("no event was found for %s", s.names[i])
			continue
		}
		if _, fires := slices.BinarySearch(s.hits(t, rec), i); !fires {
			dead++
			t.Errorf("%s does not fire on its own event\n%s\n%s", s.names[i], s.rules[i].Source, showRecord(rec))
		}
	}
	t.Logf("%d rules: %d dead, %d without an event", len(s.rules), dead, without)
	if without > len(s.rules)/100 {
		t.Errorf("%d rules have no event: this proves too little", without)
	}
}
