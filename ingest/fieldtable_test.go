package ingest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// What docs/ingest.md says is added is there in a record of its format; where it names
// the one field that a value is from, the values are the same.
func TestDocumentedFieldsAreAdded(t *testing.T) {
	text, err := os.ReadFile("../docs/ingest.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Fields that are added")
	table, _, _ = strings.Cut(table, "\n## ")
	goldens := goldenFields(t)
	quoted := regexp.MustCompile("`([^`]+)`")
	rows := 0
	var formats [][]string
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 3 || !strings.Contains(cells[1], "`") {
			continue
		}
		rows++
		if named := quoted.FindAllStringSubmatch(cells[0], -1); named != nil {
			formats = named
		}
		var records []map[string][]string
		for _, format := range formats {
			records = append(records, goldens[format[1]]...)
		}
		for _, field := range quoted.FindAllStringSubmatch(cells[1], -1) {
			from := ""
			if m := quoted.FindStringSubmatch(strings.TrimSpace(cells[2])); m != nil && m[0] == strings.TrimSpace(cells[2]) {
				from = m[1]
			}
			if !slices.ContainsFunc(records, func(fields map[string][]string) bool {
				values, there := fields[field[1]]
				return there && (from == "" || slices.Equal(values, fields[from]))
			}) {
				t.Errorf("no record of %v has %s from %q", formats, field[1], from)
			}
		}
	}
	if rows < 40 {
		t.Errorf("only %d rows", rows)
	}
}

// goldenFields gives the fields of the golden records by format.
func goldenFields(t *testing.T) map[string][]map[string][]string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*/event.json")
	if err != nil {
		t.Fatal(err)
	}
	goldens := map[string][]map[string][]string{}
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
		goldens[ev.Format] = append(goldens[ev.Format], show(&ev, &rec).Fields)
	}
	return goldens
}
