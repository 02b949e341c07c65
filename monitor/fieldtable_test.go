package monitor

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of fields into docs/hunting.md")

// The table of fields in the documentation is what query lines have.
func TestFieldTableIsTrue(t *testing.T) {
	const path, begin, end = "../docs/hunting.md", "-run FieldTable -update` -->\n", "<!-- /fields -->"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(raw), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatal("docs/hunting.md has no place for the table")
	}
	var table strings.Builder
	table.WriteString("| Of | Field | Also | Values |\n| --- | --- | --- | --- |\n")
	for _, noun := range []LineNoun{LineEvents, LineAlerts, LineIncidents, LineRules, LineIndicators} {
		for _, f := range LineFields(noun) {
			values := strings.ToLower(string(f.Kind))
			if len(f.Values) > 0 {
				values = strings.ToLower(strings.Join(f.Values, ", "))
			}
			fmt.Fprintf(&table, "| %s | `%s` | %s | %s |\n", lineNouns[noun].plural, f.Name, strings.Join(f.Aliases, ", "), values)
		}
	}
	want := head + begin + table.String() + end + tail
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if want != string(raw) {
		t.Error("docs/hunting.md tells other fields than there are: go test ./monitor -run FieldTable -update")
	}
}
