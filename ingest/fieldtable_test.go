package ingest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// What docs/rules.md says that a rule sees is what the golden records have: every
// format has a row, no row names a field that no record of its format has, and the
// log sources are those of the records.
func TestDocumentedFieldsAreThoseOfTheRecords(t *testing.T) {
	text, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		source string
		fields []string
	}
	rows := map[string]row{}
	quoted := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 4 || !strings.HasPrefix(cells[1], "`") {
			continue
		}
		r := row{source: cells[2]}
		for _, m := range quoted.FindAllStringSubmatch(cells[3], -1) {
			r.fields = append(r.fields, m[1])
		}
		rows[strings.Trim(cells[1], "`")] = r
	}
	seen := map[string]map[string]bool{}
	paths, err := filepath.Glob("testdata/*/event.json")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d cases, %v", len(paths), err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path) //nolint:gosec // of testdata
		if err != nil {
			t.Fatal(err)
		}
		var ev monitor.Event
		var rec monitor.Record
		if err := NewNormaliser().Normalise(raw, received, &ev, &rec); err != nil {
			t.Fatal(err)
		}
		var is struct {
			Format    string
			Fields    map[string][]string
			LogSource monitor.LogSource
		}
		encoded, err := json.Marshal(show(&ev, &rec))
		if err == nil {
			err = json.Unmarshal(encoded, &is)
		}
		if err != nil {
			t.Fatal(err)
		}
		if seen[is.Format] == nil {
			seen[is.Format] = map[string]bool{}
		}
		for name := range is.Fields {
			seen[is.Format][name] = true
		}
		if is.Format == "generic" {
			continue // its log source is what the record says
		}
		if r, ok := rows[is.Format]; !ok || !strings.Contains(r.source, is.LogSource.Product) {
			if is.Format != "ecs" && is.Format != "winlog" { // "the same", "of host.os.type"
				t.Errorf("%s is of %+v; docs/rules.md says %q", path, is.LogSource, r.source)
			}
		}
	}
	for format, fields := range seen {
		if len(rows[format].fields) == 0 {
			t.Errorf("docs/rules.md does not say what a rule sees of the format %s", format)
		}
		for _, name := range rows[format].fields {
			if !fields[name] {
				t.Errorf("docs/rules.md: no record of the format %s has the field %s", format, name)
			}
		}
	}
}
