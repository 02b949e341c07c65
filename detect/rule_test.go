package detect

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

const fullRule = `title: Encoded PowerShell
id: 0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31
status: Experimental
description: |
    Two lines
    of text
references:
    - https://example.org/a
author: Ann, Bob
tags:
    - attack.execution
    - attack.t1059.001
    - attack.T1027
    - attack.t1059.001
logsource:
    product: Windows
    category: process_creation
    definition: anything
detection:
    selection:
        Image|endswith: '\powershell.exe'
    condition: selection
fields: CommandLine
falsepositives:
    - Admins
level: high
custom: {a: [b]}
`

func TestParseReadsWhatPeopleSee(t *testing.T) {
	r, err := Parse([]byte(fullRule))
	if err != nil {
		t.Fatal(err)
	}
	checks := []struct{ name, got, want string }{
		{"id", r.ID.String(), "0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31"},
		{"title", r.Title, "Encoded PowerShell"},
		{"description", r.Description, "Two lines\nof text"},
		{"status", r.Status, "experimental"},
		{"author", r.Author, "Ann, Bob"},
		{"level", string(r.Level), "HIGH"},
		{"tags", strings.Join(r.Tags, " "), "attack.execution attack.t1059.001 attack.T1027 attack.t1059.001"},
		{"techniques", strings.Join(r.Techniques, " "), "T1059.001 T1027"},
		{"references", strings.Join(r.References, " "), "https://example.org/a"},
		{"fields", strings.Join(r.FieldsShown, " "), "CommandLine"},
		{"false positives", strings.Join(r.FalsePos, " "), "Admins"},
		{"log source", r.LogSource.Product + "/" + r.LogSource.Category + "/" + r.LogSource.Service, "windows/process_creation/"},
		{"state", string(r.State) + r.StateReason, "ACTIVE"},
		{"source", r.Source, fullRule},
	}
	for _, c := range checks {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestRuleWithoutIDKeepsItsID(t *testing.T) {
	source := []byte(ruleWith("s:\n  A: 1\ncondition: s"))
	a, err := Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Parse(source)
	c, _ := Parse(append(source, '\n'))
	if a.ID.IsZero() || a.ID != b.ID || a.ID == c.ID {
		t.Errorf("ids are %s, %s, %s", a.ID, b.ID, c.ID)
	}
	if a.Level != monitor.SeverityMedium {
		t.Errorf("the level is %s, want MEDIUM where none is given", a.Level)
	}
}

func TestInactiveRulesSayWhy(t *testing.T) {
	tests := []struct{ name, source, reason string }{
		{"placeholder", ruleWith("s:\n  A|expand: '%Servers%'\ncondition: s"), "placeholder %Servers%"},
		{"placeholder in contains", ruleWith("s:\n  A|contains|expand: ['x', 'a%dc_ips%b']\ncondition: s"), "placeholder %dc_ips%"},
		{"count", ruleWith("s:\n  A: 1\ncondition: s | count() by B > 5"), "aggregation"},
		{"near", ruleWith("s:\n  A: 1\ncondition: s | near s"), "aggregation"},
		{"filter", "title: t\nlogsource: {product: p}\nfilter:\n  rules: []\n", "later version"},
		{"several documents", ruleWith("s:\n  A: 1\ncondition: s") + "---\ntitle: u\n", "several documents"},
		{"taxonomy", ruleWith("s:\n  A: 1\ncondition: s") + "taxonomy: ecs\n", "taxonomy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Parse([]byte(tt.source))
			if err != nil {
				t.Fatal(err)
			}
			if r.State != monitor.RuleInactive || !strings.Contains(r.StateReason, tt.reason) {
				t.Errorf("state %s, reason %q, want INACTIVE for %q", r.State, r.StateReason, tt.reason)
			}
			if p := Compile([]*monitor.Rule{r}).Problems(); len(p) != 1 || p[0].Rule != r {
				t.Errorf("Compile has problems %v, want the rule", p)
			}
		})
	}
}

func TestActiveInSpiteOfAppearance(t *testing.T) {
	tests := []struct{ name, source string }{
		{"percent without expand", ruleWith("s:\n  A: '%TEMP%'\ncondition: s")},
		{"escaped placeholder", ruleWith("s:\n  A|expand: '\\%TEMP%'\ncondition: s")},
		{"empty second document", ruleWith("s:\n  A: 1\ncondition: s") + "---\n"},
		{"names like operators", ruleWith("an:\n  A: 1\nnota:\n  A: 1\norx:\n  A: 1\ncondition: an and nota or orx")},
		{"an alias", ruleWith("s:\n  A: &x [1, 2]\n  B: *x\ncondition: s")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if r, err := Parse([]byte(tt.source)); err != nil || r.State != monitor.RuleActive {
				t.Errorf("%v, %v, want ACTIVE", r, err)
			}
		})
	}
}

// TestWrongRules checks that each mistake is named and located.
func TestWrongRules(t *testing.T) {
	// The detection begins in line 5, column 5.
	in := func(detection string) string { return ruleWith(detection) }
	values := "s:\n  A:\n" + strings.Repeat("    - x\n", maxValues+1) + "condition: s"
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		before := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+before+", ", 9) + "*" + before + "]\n"
	}
	flatBomb := in("s:\n  A: &a [" + strings.Repeat("x,", 999) + "x]\n" + strings.Repeat("  B?: *a\n", 11) + "condition: s")
	for i := range 11 {
		flatBomb = strings.Replace(flatBomb, "B?", "B"+string(rune('a'+i)), 1)
	}
	tests := []struct {
		name, source, message string
		line, column          int
	}{
		{"empty", "", "empty", 1, 1},
		{"a list", "- a\n", "a rule is a mapping", 1, 1},
		{"broken YAML", "title: t\nlogsource: [\n", "YAML", 0, 0},
		{"a tab", "title: t\n\tx: y\n", "YAML", 0, 0},
		{"not UTF-8", "title: a\nx: \xff\n", "UTF-8", 2, 4},
		{"NUL", "title: a\x00\n", "NUL", 1, 9},
		{"too large", strings.Repeat("#", maxSource+1), "bytes", 1, 1},
		{"deep brackets", "title: " + strings.Repeat("[", 200), "nested too deeply", 1, 108},
		{"deep lists", strings.Repeat("- ", 5000), "nested too deeply", 1, 1001},
		{"alias bomb in custom keys and title", bomb + "title: *j\n", "title must be a text", 0, 0},
		{"alias bomb", flatBomb, "more than 10000 values", 0, 0},
		{"alias of itself", in("s: &a\n  - *a\ncondition: s"), "", 0, 0},
		{"100,000 values", in(values), "more than 10000 values", 0, 0},
		{"no title", "logsource: {product: p}\n", "needs a title", 1, 1},
		{"long title", "title: " + strings.Repeat("x", 300) + "\n", "title must have", 1, 8},
		{"no log source", "title: t\ndetection: {}\n", "needs a logsource", 1, 1},
		{"empty log source", "title: t\nlogsource: {}\n", "logsource must name", 2, 12},
		{"bad id", "title: t\nid: 12\n", "not a UUID", 2, 5},
		{"bad level", "title: t\nlevel: fatal\n", "level \"fatal\"", 2, 8},
		{"no detection", "title: t\nlogsource: {product: p}\n", "needs a detection", 1, 1},
		{"no condition", in("s:\n  A: 1"), "needs a condition", 4, 1},
		{"duplicate key", in("s:\n  A: 1\n  A: 2\ncondition: s"), "stands here twice", 7, 7},
		{"unknown modifier", in("s:\n  Abc|contain: x\ncondition: s"), `unknown modifier "contain"`, 6, 11},
		{"missing modifier", in("s:\n  A|: x\ncondition: s"), "modifier is missing", 6, 9},
		{"two anchors", in("s:\n  A|contains|endswith: x\ncondition: s"), "exclude each other", 6, 18},
		{"re and contains", in("s:\n  A|re|contains: x\ncondition: s"), "exclude each other", 6, 7},
		{"re and cased", in("s:\n  A|cased|re: x\ncondition: s"), "exclude each other", 6, 7},
		{"cidr and windash", in("s:\n  A|cidr|windash: 10.0.0.0/8\ncondition: s"), "exclude each other", 6, 7},
		{"gt and lt", in("s:\n  A|gt|lt: 1\ncondition: s"), "exclude each other", 6, 12},
		{"gt and contains", in("s:\n  A|gt|contains: 1\ncondition: s"), "exclude each other", 6, 7},
		{"twice", in("s:\n  A|all|all: [x]\ncondition: s"), "twice", 6, 13},
		{"flag without re", in("s:\n  A|i: x\ncondition: s"), "must follow re", 6, 9},
		{"base64 after contains", in("s:\n  A|contains|base64: x\ncondition: s"), "must stand before contains", 6, 18},
		{"wide after base64", in("s:\n  A|base64|wide: x\ncondition: s"), "must stand before base64", 6, 16},
		{"look-ahead", in("s:\n  A|re: 'ab(?=c)'\ncondition: s"), "look-around", 6, 16},
		{"look-behind", in("s:\n  A|re: 'x(?<!c)'\ncondition: s"), "look-around", 6, 15},
		{"back reference", in("s:\n  A|re: '(a)\\1'\ncondition: s"), "invalid escape sequence", 6, 17},
		{"open bracket", in("s:\n  A|re: '(a'\ncondition: s"), "missing closing )", 0, 0},
		{"long regex", in("s:\n  A|re: '" + strings.Repeat("a", 1<<19) + "'\ncondition: s"), "bytes, more than", 6, 0},
		{"exploding regex", in("s:\n  A|re: '" + strings.Repeat("a{1000}", 100) + "'\ncondition: s"), "too large", 0, 0},
		{"nested repetition", in("s:\n  A|re: '((a{100}){100}){100}'\ncondition: s"), "", 0, 0},
		{"bad network", in("s:\n  A|cidr: 10.0.0.0/33\ncondition: s"), "CIDR", 6, 15},
		{"base64 of wildcard", in("s:\n  A|base64: 'a*'\ncondition: s"), "wildcards", 0, 0},
		{"base64offset too short", in("s:\n  A|base64offset|contains: 'a'\ncondition: s"), "too short", 0, 0},
		{"wide of Unicode", in("s:\n  A|wide: 'ü'\ncondition: s"), "not ASCII", 0, 0},
		{"gt of text", in("s:\n  A|gt: x\ncondition: s"), "decimal number", 6, 13},
		{"exists of text", in("s:\n  A|exists: x\ncondition: s"), "true or false", 0, 0},
		{"exists of list", in("s:\n  A|exists: [true, false]\ncondition: s"), "one value", 0, 0},
		{"exists without field", in("s:\n  '|exists': true\ncondition: s"), "needs a field", 0, 0},
		{"contains null", in("s:\n  A|contains: null\ncondition: s"), "null cannot have", 0, 0},
		{"null keyword", in("s:\n  - null\ncondition: s"), "null cannot be searched", 0, 0},
		{"empty list of values", in("s:\n  A: []\ncondition: s"), "empty list", 6, 10},
		{"empty search", in("s: {}\ncondition: s"), "is empty", 0, 0},
		{"list in list", in("s:\n  - [a]\ncondition: s"), "list in a list", 6, 9},
		{"mapping as value", in("s:\n  A: {b: c}\ncondition: s"), "a value must be", 6, 10},
		{"binary", in("s:\n  A: !!binary aGk=\ncondition: s"), "not supported", 0, 0},
		{"merge key", in("s: &x\n  A: 1\nt:\n  <<: *x\ncondition: s"), "merge keys", 0, 0},
		{"unknown search", in("s:\n  A: 1\ncondition: s and not filter"), `no search named "filter"`, 7, 26},
		{"unknown pattern", in("s:\n  A: 1\ncondition: s and 1 of filter_*"), "no search has a name like", 7, 27},
		{"unclosed", in("s:\n  A: 1\ncondition: (s and s"), "closing bracket", 7, 24},
		{"dangling", in("s:\n  A: 1\ncondition: s and"), "ends where", 7, 21},
		{"two names", in("s:\n  A: 1\ncondition: s s"), "stands where", 7, 18},
		{"zero of", in("s:\n  A: 1\ncondition: 0 of s*"), "number", 7, 16},
		{"unknown pipe", in("s:\n  A: 1\ncondition: s | sort"), "no aggregation", 7, 18},
		{"deep condition", in("s:\n  A: 1\ncondition: " + strings.Repeat("(", 60) + "s" + strings.Repeat(")", 60)), "nests deeper", 7, 16},
		{"many nots", in("s:\n  A: 1\ncondition: " + strings.Repeat("not ", 60) + "s"), "nests deeper", 7, 16},
		{"long condition", in("s:\n  A: 1\ncondition: s" + strings.Repeat(" and s", 5000)), "words", 7, 16},
		{"multiplied tests", in("s:\n  A: [" + strings.Repeat("x,", 5000) + "x]\ncondition: s" + strings.Repeat(" and s", 500)), "tests", 7, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			r, err := Parse([]byte(tt.source))
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("takes %v", took)
			}
			var e *SyntaxError
			if !errors.As(err, &e) {
				t.Fatalf("gives %v and %v, want a SyntaxError", r, err)
			}
			if r != nil || !strings.Contains(e.Message, tt.message) {
				t.Errorf("says %q, want %q", e.Message, tt.message)
			}
			if tt.line != 0 && e.Line != tt.line || tt.column != 0 && e.Column != tt.column || e.Line < 1 || e.Column < 1 {
				t.Errorf("says %v, want line %d, column %d", e, tt.line, tt.column)
			}
			if len(e.Message) > 1000 {
				t.Errorf("the message has %d bytes", len(e.Message))
			}
		})
	}
}

func TestFieldsOfModifiersAreKnown(t *testing.T) {
	for word, slot := range modifierSlots {
		if len(slot) == 1 && !slices.Contains([]string{"i", "m", "s"}, slot) {
			t.Errorf("the modifier %s has the group %s, which is no flag", word, slot)
		}
	}
}
