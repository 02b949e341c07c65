package detect

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Of one Ruleset several may be made, and what one of them does with a filter that
// had no rule before is nothing to the others.
func TestRecompileBranches(t *testing.T) {
	parse := func(source string) *monitor.Rule {
		rule, err := Parse([]byte(source))
		if err != nil {
			t.Fatal(err)
		}
		return rule
	}
	filter := parse("title: f\nlogsource: {product: windows}\nfilter:\n  rules: any\n  sel: {Z: q}\n  condition: not sel")
	elsewhere := parse("title: a\nlogsource: {product: linux}\ndetection:\n  s: {A: b}\n  condition: s")
	plain := parse("title: w\nlogsource: {product: windows}\ndetection:\n  s: {A: b}\n  condition: s")
	wide := parse("title: w2\nlogsource: {product: windows}\ndetection:\n  s: {Q: b, W: c, E: d, R: f, Z: r}\n  condition: s")
	base := Compile([]*monitor.Rule{filter, elsewhere})
	base.Recompile([]*monitor.Rule{filter, wide, plain})
	rs := base.Recompile([]*monitor.Rule{filter, elsewhere, plain})
	rec := monitor.Record{LogSource: monitor.LogSource{Product: "windows"}}
	rec.Add("A", monitor.Value{Kind: monitor.StringValue, Text: "b"})
	if n := len(rs.Match(&rec, nil)); n != 1 {
		t.Errorf("%d rules fire, want 1", n)
	}
	rec.Add("Z", monitor.Value{Kind: monitor.StringValue, Text: "q"})
	if n := len(rs.Match(&rec, nil)); n != 0 {
		t.Errorf("%d rules fire, want none: they are filtered", n)
	}
}

// Questions that nobody asks any more are forgotten before they are many.
func TestRecompileForgetsPredicates(t *testing.T) {
	var rs *Ruleset
	for i := range 60 {
		var b strings.Builder
		b.WriteString("title: x\nlogsource: {product: windows}\ndetection:\n  s:\n    A:\n")
		for n := range 4000 {
			fmt.Fprintf(&b, "      - v%d-%d\n", i, n)
		}
		b.WriteString("  condition: s\n")
		rule, err := Parse([]byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		rs = rs.Recompile([]*monitor.Rule{rule})
		if n := len(rs.predicates); n > 2*rs.begun+maxLeftOver+4000 {
			t.Fatalf("%d predicates after %d changes", n, i)
		}
	}
}

// An encoded value has a spelling for each combination of dashes; long values and
// many of them are no way to gigabytes.
func TestEncodedBombs(t *testing.T) {
	long, short := strings.Repeat("b", 60_000), " -a -b -c -d"
	for name, c := range map[string]struct{ key, value, want string }{
		"long dashes": {"A|windash|base64offset|contains", "      - '" + short + long + "'\n", "too long for windash"},
		"many dashes": {"A|windash|wide|base64offset|contains", strings.Repeat("      - '"+short+"'\n", 2000), "more than 10000 values"},
		"long values": {"A|wide|base64offset|contains", strings.Repeat("      - '"+long+"'\n", 16), ""},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			_, err := Parse([]byte("title: x\nlogsource: {product: windows}\ndetection:\n  s:\n    " + c.key + ":\n" + c.value + "  condition: s"))
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			var where *SyntaxError
			switch {
			case c.want == "" && err == nil:
			case !errors.As(err, &where) || c.want == "" || !strings.Contains(err.Error(), c.want) || where.Line < 6:
				t.Errorf("got %v, want %q with its place", err, c.want)
			}
		})
	}
}
