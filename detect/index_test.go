package detect

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/security-monitor/secmon/monitor"
)

func TestMatchMakesNoGarbage(t *testing.T) {
	rs := Compile(activeRules(t))
	var quiet []monitor.Record // records that no rule fires on: findings are kept, so they cost memory
	for _, rec := range otrfRecords(t) {
		if len(rs.Match(&rec, nil)) == 0 {
			quiet = append(quiet, rec)
		}
	}
	matchAll := func() {
		for i := range quiet {
			rs.Match(&quiet[i], nil)
		}
	}
	testing.AllocsPerRun(5, matchAll) // what is kept of values has its room then
	allocations := testing.AllocsPerRun(3, matchAll)
	// The pool may lose a scratch to the garbage collector, and a value that takes
	// another's place may need more room than that did.
	if allocations > float64(len(quiet))/50 {
		t.Errorf("%.0f allocations for %d records, want next to none", allocations, len(quiet))
	}
}

// Without an index every rule would be tried on every event.
func TestFewRulesAreTried(t *testing.T) {
	rs := Compile(activeRules(t))
	tried, processes := 0, 0
	for _, rec := range otrfRecords(t) {
		if rec.LogSource.Category != "process_creation" {
			continue
		}
		processes++
		e := rs.events.Get().(*event)
		from := rs.sourceOf(e, rec.LogSource)
		e.load(&rec, from, rs.slots)
		rs.match(e, from.plan, nil)
		tried += len(e.candidates)
		rs.events.Put(e)
	}
	average := float64(tried) / float64(processes)
	t.Logf("%.1f rules tried on a process_creation event", average)
	if average > 30 {
		t.Errorf("%.1f rules tried on an event, want about a dozen of 1,400", average)
	}
}

// A rule must be found whatever its patterns look like: short, foreign, with
// wildcards in the middle, as a number, by alternatives, without any witness.
func TestIndexFindsEveryPattern(t *testing.T) {
	for _, c := range []struct{ key, pattern, value string }{
		{"A", "x", "X"},
		{"A", "''", ""},
		{"A", "4688", "4688.0"},
		{"A", "'4688'", "4688"},
		{"A|contains", "x", "axb"},
		{"A|contains", "xy", "aXYb"},
		{"A|contains", "xyz", "aXYZb"},
		{"A|contains", "wxyz", "WXYZ"},
		{"A|contains", "ˣ", "aˣb"},
		{"A|contains", "straße", "die STRAßE"},
		{"A|contains", "kelvin", "\u212aelvin"},
		{"A|contains", "'a?cdefg'", "xabcdefgx"},
		{"A|contains", "'*ab*cd*'", "xxabxxcdxx"},
		{"A|startswith", "a", "Abc"},
		{"A|startswith", "abcdefghij", "ABCDEFGHIJK"},
		{"A|startswith", "'?bcd'", "abcde"},
		{"A|endswith", ".exe", "C:\\a.EXE"},
		{"A|endswith", "\\x.exe", "C:\\X.exe"},
		{"A|endswith", "'b?d'", "abcd"},
		{"A", "'ab*yz'", "abcxyz"},
		{"A", "'*ab*yz'", "0abcxyz"},
		{"A|cased", "AbC", "AbC"},
		{"A|contains|cased", "AbCdE", "xAbCdEx"},
		{"A|windash|contains", "' -enc'", "a /enc"},
		{"A|re", "'(foo|barbaz)+\\d'", "xfoobarbaz1"},
		{"A|re|i", "'inv[o0]ke'", "INV0KE"},
		{"A|re", "'^..$'", "ab"},
		{"A|re", "'.{5,}'", "abcdef"},
		{"A|re", "'[Ii][Ee][Xx]\\s'", "IeX "},
		{"A|cidr", "10.0.0.0/8", "10.1.2.3"},
		{"A|gt", "5", "6"},
		{"A|exists", "true", "x"},
		{"A|wide|base64offset|contains", "'ping'", "xxcABpAG4AZwyy"},
	} {
		rules := []*monitor.Rule{ruleNamed(t, "it", fmt.Sprintf("s:\n  %s: %s\ncondition: s", c.key, c.pattern))}
		for i := range 50 {
			rules = append(rules, ruleNamed(t, fmt.Sprint(i), fmt.Sprintf("s:\n  A|contains: other%d\n  B|endswith: \\%d.exe\ncondition: s", i, i)))
		}
		rs := Compile(rules)
		if len(rs.Problems()) > 0 {
			t.Fatalf("%s: %v", c.key, rs.Problems()[0].Err)
		}
		rec := monitor.Record{LogSource: rules[0].LogSource}
		rec.Add("A", monitor.Value{Text: c.value})
		alone := Compile(rules[:1]).Match(&rec, nil)
		if found := rs.Match(&rec, nil); len(found) != len(alone) {
			t.Errorf("%s: %s on %q: fires %d times among others, %d times alone", c.key, c.pattern, c.value, len(found), len(alone))
		}
		if c.key != "A|wide|base64offset|contains" && len(alone) != 1 {
			t.Errorf("%s: %s does not find %q", c.key, c.pattern, c.value)
		}
	}
}

func ruleNamed(t *testing.T, title, detection string) *monitor.Rule {
	t.Helper()
	rule, err := Parse([]byte(strings.Replace(ruleWith(detection), "title: ", "title: "+title+" ", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// FuzzFold compares with folding rune by rune.
func FuzzFold(f *testing.F) {
	f.Add("Kelvin \u212a ſ İ ABC", "arena")
	f.Add("ABCDEFGHIJKLMNOP@[`{\x7f", "")
	f.Add("\xff\xfeAB", "x")
	f.Fuzz(func(t *testing.T, s, before string) {
		want := make([]byte, 0, len(s))
		for i := 0; i < len(s); {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				want = append(want, s[i])
			} else {
				want = utf8.AppendRune(want, foldRune(r))
			}
			i += n
		}
		arena := append([]byte(nil), before...)
		got, arena := foldInto(arena, s)
		if got != string(want) || string(arena[:len(before)]) != before {
			t.Errorf("%q folds to %q, want %q", s, got, want)
		}
		if isASCII(s) != !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
			t.Errorf("isASCII(%q) is %v", s, isASCII(s))
		}
	})
}
