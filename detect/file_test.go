package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

const idA, idB = "0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31", "5638f7c0-ac70-491d-8465-2a65075e0d86"

// document makes a rule with a title and an id for a file of several.
func documentOf(title, id string) string {
	return "title: " + title + "\nid: " + id + "\nlogsource:\n    product: test\ndetection:\n    s:\n        A: 1\n    condition: s\n"
}

func TestParseAllCutsFiles(t *testing.T) {
	a, b := documentOf("a", idA), documentOf("b", idB)
	tests := []struct {
		name, reason, file string
		sources            []string
		lines              []int
	}{
		{"one", "a single document is the whole file", "# head\n---\n" + a, []string{"# head\n---\n" + a}, []int{1}},
		{"two", "each gets its own text", a + "---\n" + b, []string{a, b}, []int{1, 10}},
		{"comments", "a comment stays with the document below it", "# of a\n" + a + "---\n# of b\n" + b, []string{"# of a\n" + a, "# of b\n" + b}, []int{1, 11}},
		{"empty documents", "what has only comments is none", "---\n" + a + "---\n# nothing\n---\n" + b + "---\n", []string{a, b}, []int{2, 13}},
		{"ends", "... ends a document too", a + "...\n---\n" + b + "...\n", []string{a, b}, []int{1, 11}},
		{"directive", "a directive is no document", "%YAML 1.2\n---\n" + a + "---\n" + b, []string{a, b}, []int{3, 12}},
		{"marker with comment", "a comment may stand behind a marker", a + "--- # next\n" + b, []string{a, b}, []int{1, 10}},
		{"Windows", "lines may end in CR LF", strings.ReplaceAll(a+"---\n"+b, "\n", "\r\n"), []string{strings.ReplaceAll(a, "\n", "\r\n"), strings.ReplaceAll(b, "\n", "\r\n")}, []int{1, 10}},
		{"dashes in a text", "only a line that begins with the marker is one", strings.Replace(a, "A: 1", "A: |\n            x\n            ---\n            y", 1) + "---\n" + b, []string{strings.Replace(a, "A: 1", "A: |\n            x\n            ---\n            y", 1), b}, []int{1, 13}},
		{"more dashes", "---- is a text", strings.Replace(a, "title: a", "title: a\ndescription: |\n    ---- \n    x", 1) + "---\n" + b, []string{strings.Replace(a, "title: a", "title: a\ndescription: |\n    ---- \n    x", 1), b}, []int{1, 13}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := ParseAll([]byte(tt.file))
			if len(f.Problems) > 0 || len(f.Rules) != len(tt.sources) {
				t.Fatalf("%d rules, problems %v: %s", len(f.Rules), f.Problems, tt.reason)
			}
			for i, r := range f.Rules {
				if r.Source != tt.sources[i] || r.Line != tt.lines[i] {
					t.Errorf("rule %d is of line %d, want %d, and of the text\n%s\nwant\n%s\n%s", i, r.Line, tt.lines[i], r.Source, tt.sources[i], tt.reason)
				}
				if again, err := Parse([]byte(r.Source)); err != nil || again.ID != r.ID {
					t.Errorf("alone it is %v, %v", again, err)
				}
			}
		})
	}
}

func TestParseAllTellsWhereInTheFile(t *testing.T) {
	a, b := documentOf("a", idA), documentOf("b", idB)
	tests := []struct {
		name, file, message string
		rules, line, column int
	}{
		{"unknown modifier in the second", a + "---\n" + strings.Replace(b, "A: 1", "A|contain: 1", 1), "unknown modifier", 1, 16, 11},
		{"broken YAML in the first", strings.Replace(a, "product: test", "product: [", 1) + "---\n" + b, "YAML", 1, 0, 0},
		{"not UTF-8 in the second", a + "---\ntitle: \xff\n", "UTF-8", 1, 10, 8},
		{"a list between", a + "---\n- x\n---\n" + b, "a rule is a mapping", 2, 10, 1},
		{"an unknown action", a + "---\n# x\naction: delete\n", "global, reset or repeat", 1, 11, 9},
		{"nothing to repeat", "action: repeat\ntitle: x\n---\n" + a, "no rule before", 1, 1, 1},
		{"wrong in a global document", "action: global\nlevel: fatal\n---\n" + a, "level \"fatal\"", 0, 2, 8},
		{"wrong in a merged document", "action: global\nlevel: low\n---\n" + a + "---\n" + strings.Replace(b, "condition: s", "condition: t", 1), "no search named", 1, 20, 16},
		{"an empty file", "# nothing\n", "empty", 0, 1, 1},
		{"only a global document", "action: global\nlevel: low\n", "no rule", 0, 1, 1},
		{"a document that is too large", a + "---\n#" + strings.Repeat("x", maxSource) + "\n" + b, "bytes, more than", 1, 10, 1},
		{"too large a file", strings.Repeat("#", MaxFile+1), "bytes, more than", 0, 1, 1},
		{"too many documents", strings.Repeat("a\n---\n", maxDocuments+1), "documents, more than", 0, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := ParseAll([]byte(tt.file))
			if len(f.Rules) != tt.rules || len(f.Problems) != 1 {
				t.Fatalf("%d rules, want %d; problems %v", len(f.Rules), tt.rules, f.Problems)
			}
			e := f.Problems[0]
			if !strings.Contains(e.Message, tt.message) || tt.line != 0 && (e.Line != tt.line || e.Column != tt.column) || e.Line < 1 {
				t.Errorf("says %v, want line %d, column %d: %s", e, tt.line, tt.column, tt.message)
			}
		})
	}
}

func TestCollections(t *testing.T) {
	global := "action: global\ntitle: g\nid: " + idA + "\nlevel: high\ntags: [attack.t1059]\ndetection:\n    s:\n        A: 1\n    condition: s and t\n"
	part := func(product, value string) string {
		return "logsource:\n    product: " + product + "\nlevel: low\ndetection:\n    t:\n        B: " + value + "\n"
	}
	f := ParseAll([]byte(global + "---\n" + part("p", "2") + "---\n" + part("q", "3") + "---\naction: repeat\ntitle: again\ndetection:\n    t:\n        B: 4\n---\naction: reset\n---\n" + documentOf("b", idB)))
	if len(f.Problems) > 0 || len(f.Rules) != 4 {
		t.Fatalf("%d rules, problems %v", len(f.Rules), f.Problems)
	}
	want := []struct{ title, product, level, fires string }{
		{"g", "p", "HIGH", "2"}, {"g", "q", "HIGH", "3"}, {"again", "q", "HIGH", "4"}, {"b", "test", "MEDIUM", ""},
	}
	ids := map[monitor.ID]bool{}
	for i, r := range f.Rules {
		if r.Title != want[i].title || r.LogSource.Product != want[i].product || string(r.Level) != want[i].level {
			t.Errorf("rule %d is %q of %q with level %s, want %v", i, r.Title, r.LogSource.Product, r.Level, want[i])
		}
		if ids[r.ID] {
			t.Errorf("rule %d has the id of another", i)
		}
		ids[r.ID] = true
		again, err := Parse([]byte(r.Source))
		if err != nil || again.ID != r.ID || again.Title != r.Title {
			t.Errorf("rule %d alone is %v, %v:\n%s", i, again, err, r.Source)
		}
		for _, b := range []string{"2", "3", "4"} {
			rec := record(t, `{"A":1,"B":`+b+`}`)
			rec.LogSource.Product = want[i].product
			fires := len(Compile([]*monitor.Rule{r.Rule}).Match(rec, nil)) == 1
			if fires != (want[i].fires == "" || b == want[i].fires) {
				t.Errorf("rule %d on B=%s: fires %v", i, b, fires)
			}
		}
	}
	if f.Rules[0].ID.String() != idA || f.Rules[3].Source != documentOf("b", idB) {
		t.Errorf("the first has the id %s, the last the text\n%s", f.Rules[0].ID, f.Rules[3].Source)
	}
	again := ParseAll([]byte(global + "---\n" + part("p", "2") + "---\n" + part("q", "3")))
	if again.Rules[1].ID != f.Rules[1].ID {
		t.Error("an id changes from one reading to the next")
	}
}

func TestRepeatOfAPlainRule(t *testing.T) {
	f := ParseAll([]byte(documentOf("a", idA) + "---\naction: repeat\nlogsource:\n    service: x\n"))
	if len(f.Problems) > 0 || len(f.Rules) != 2 || f.Rules[1].LogSource != (monitor.LogSource{Product: "test", Service: "x"}) {
		t.Fatalf("rules %v, problems %v", f.Rules, f.Problems)
	}
	if f.Rules[0].Source != documentOf("a", idA) || f.Rules[1].ID == f.Rules[0].ID {
		t.Errorf("the first is\n%s\nthe ids are %s and %s", f.Rules[0].Source, f.Rules[0].ID, f.Rules[1].ID)
	}
}

// TestBombsInFiles checks that files made to hurt are refused quickly.
func TestBombsInFiles(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), c-1)
	}
	tests := []struct{ name, file, message string }{
		{"aliases in a global document", "action: global\n" + bomb + "---\n" + documentOf("a", idA), "values"},
		{"aliases in a repetition", documentOf("a", idA) + "---\naction: repeat\n" + bomb, "values"},
		{"aliases in an aggregation", strings.Replace(documentOf("a", idA), "condition: s", "timeframe: 1m\n    condition: s | count() > 5", 1) + bomb, ""},
		{"an alias of itself", "action: global\nx: &x\n  - *x\n---\n" + documentOf("a", idA), ""},
		{"thousands of global documents", strings.Repeat("action: global\ndetection: {s: {A: 1}}\n---\n", 3_000) + documentOf("a", idA), ""},
		{"thousands of documents", strings.Repeat("title: [\n---\n", 3_000), "YAML"},
		{"thousands of merged rules", "action: global\nlevel: low\n---\n" + strings.Repeat(documentOf("a", idA)+"---\n", 1_000), ""},
		{"a growing collection", growing(1_000), "values"},
		{"a large regular expression", documentOf("a", idA) + "---\n" + strings.Replace(documentOf("b", idB), "A: 1", "A|re: '"+strings.Repeat("a", 900_000)+"'", 1), "bytes, more than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			f := ParseAll([]byte(tt.file))
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("takes %v", took)
			}
			if tt.message != "" && (len(f.Problems) == 0 || !strings.Contains(f.Problems[0].Message, tt.message)) {
				t.Errorf("problems %v, want %q", f.Problems, tt.message)
			}
		})
	}
}

// growing is a collection whose merged rule gets larger with each document.
func growing(n int) string {
	var out strings.Builder
	out.WriteString(documentOf("a", idA))
	for i := range n {
		fmt.Fprintf(&out, "---\naction: repeat\ndetection:\n    s:\n        F%d: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n", i)
	}
	return out.String()
}
