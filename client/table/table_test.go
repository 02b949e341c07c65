package table

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

func TestVisible(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"plain": "plain", "Zoë 日本 👩‍💻": "Zoë 日本 👩‍💻", "": "",
		"\x1b[2J":           `\x1b[2J`,
		"a\tb\r\nc":         `a\tb\r\nc`,
		"\u009b31m":         `\u009b31m`,
		"\x7f\x00":          `\x7f\x00`,
		"exe\u202egpj":      `exe\u202egpj`,
		"a\u2066b\u2028":    `a\u2066b\u2028`,
		"\ufeff\u200b":      `\ufeff\u200b`,
		"\xff\xc3":          `\xff\xc3`,
		"\U000e0041":        `\U000e0041`,
		"\ufffd stays here": "\ufffd stays here",
	} {
		if got := Visible(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("\x1b]0;x\a\u202e\u009b")
	f.Fuzz(func(t *testing.T, s string) {
		got := Visible(s)
		if !utf8.ValidString(got) || Visible(got) != got {
			t.Errorf("%q: %q", s, got)
		}
		for _, r := range got {
			if hidden(r) {
				t.Errorf("%q: %U stays", s, r)
			}
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Skip()
		}
		safe := JSON(text)
		var before, after string
		if json.Unmarshal(text, &before) != nil || json.Unmarshal(safe, &after) != nil || before != after {
			t.Errorf("%q: %s is not %s", s, safe, text)
		}
		for _, r := range string(safe) {
			if hidden(r) {
				t.Errorf("%q: %U stays in JSON", s, r)
			}
		}
	})
}

func TestTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table := New(&out, 40, Column{Title: "SEVERITY"}, Column{Title: "TITLE", Wide: true}, Column{Title: "ID"})
	blocks := [][][]string{
		{{"HIGH", strings.Repeat("long ", 20), "id-1"}, {"LOW", "日本日本日本日本日本日本日本日本", "id-2"}, {"LOW", "\x1b[31m", "id-3"}},
		{{"HIGH", "short", "id-4"}},
	}
	for _, rows := range blocks {
		if err := table.Write(rows); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "SEVERITY  TITLE") {
		t.Fatalf("%s", out.String())
	}
	column := uniseg.StringWidth(lines[0][:strings.Index(lines[0], "ID")])
	for _, line := range lines {
		at := strings.LastIndex(strings.ToUpper(line), "ID")
		if width := uniseg.StringWidth(line); width > 40 || uniseg.StringWidth(line[:at]) != column {
			t.Errorf("%d columns: %q", width, line)
		}
	}
	out.Reset()
	table = New(&out, 0, Column{Title: "T", Wide: true})
	if err := table.Write(blocks[0][:1]); err != nil || strings.Contains(out.String(), "…") {
		t.Errorf("%v: a pipe gets all of it: %q", err, out.String())
	}
	out.Reset()
	if err := New(&out, 3, Column{Title: "A"}, Column{Title: "B"}).Write([][]string{{"x", "y", "more than there are"}, {}}); err != nil {
		t.Error(err)
	}
}

func TestPairsKeepLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Pairs(&out, [][2]string{{"id", "7"}, {"source", "title: x\r\n  a: \x1b\n"}}); err != nil {
		t.Fatal(err)
	}
	if want := "id      7\nsource  title: x\n          a: \\x1b\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}
