package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// Structured data that are not of the form leave the message whole, and what of them
// can be read is there.
func TestStructuredData(t *testing.T) {
	many := "[a" + strings.Repeat(` n="v"`, 2*maxStructured) + "]"
	for _, c := range []struct {
		reason, after, message string
		fields                 []string
	}{
		{"none", "- hello", "hello", nil},
		{"none, and no message: the event has a summary", "-", "app app web-1", nil},
		{"no message", `[a b="c"]`, "app app web-1", []string{"a.b=c"}},
		{"an element without parameters", "[a] hello", "hello", nil},
		{"several", `[a b="c"][d e="f" g=""] hello`, "hello", []string{"a.b=c", "d.e=f", "d.g="}},
		{"a bracket in the message", `[a b="c"] hello ] x`, "hello ] x", []string{"a.b=c"}},
		{"a backslash before another character", `[a b="\n\\\"\]"] x`, "x", []string{`a.b=\n\"]`}},
		{"a backslash outside of values", `[a\] x`, "x", nil},
		{"no end", `[a b="c" hello`, `[a b="c" hello`, nil},
		{"a value without an end", `[a b="c] hello`, `[a b="c] hello`, nil},
		{"no dash", "hello ] x", "hello ] x", nil},
		{"no quotes", `[a b=c d="e"] hello`, "hello", nil},
		{"no space behind a value", `[a b="c"x] hello`, "hello", []string{"a.b=c"}},
		{"a byte order mark", "[a b=\"c\"] \ufeffhello", "hello", []string{"a.b=c"}},
	} {
		record, event := structuredOf(t, c.after)
		if event.Message != c.message {
			t.Errorf("%s: the message is %q, want %q", c.reason, event.Message, c.message)
		}
		if !slices.Equal(record, c.fields) {
			t.Errorf("%s: %q, want %q", c.reason, record, c.fields)
		}
	}
	if fields, _ := structuredOf(t, many+" hello"); len(fields) != maxStructured {
		t.Errorf("%d fields of very many", len(fields))
	}
}

// structuredOf gives the parameters of a line, and its event.
func structuredOf(t *testing.T, after string) (fields []string, event *monitor.Event) {
	t.Helper()
	raw := appendText([]byte(`{"message":`), "<34>1 2026-05-04T09:30:00Z web-1 app - - "+after)
	event, record := &monitor.Event{}, &monitor.Record{}
	if err := NewNormaliser().Normalise(append(raw, '}'), received, event, record); err != nil {
		t.Fatal(err)
	}
	for _, f := range record.Fields {
		if name, ok := strings.CutPrefix(f.Name, structuredKey); ok {
			for _, v := range f.Values {
				fields = append(fields, fmt.Sprintf("%s=%s", name, v.Text))
			}
		}
	}
	return fields, event
}
