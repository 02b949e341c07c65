package ingest

import (
	"archive/zip"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

// Every log source that a rule of SigmaHQ names is in one of the two tables of
// docs/rules.md: those that a format produces, with a format that does, and those that
// nothing produces, with why. None is missed in silence.
func TestLogSourcesOfSigmaHQAreDocumented(t *testing.T) {
	rules := sigmaSources(t)
	producers := producedSources(t)
	text, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Log sources of SigmaHQ's rules\n")
	section, _, _ = strings.Cut(section, "\n## ")
	covered, open, _ := strings.Cut(section, "\nNot covered:\n")
	coveredRows, openRows := tableRows(covered), tableRows(open)
	for _, ls := range slices.SortedFunc(maps.Keys(rules), func(a, b monitor.LogSource) int { return strings.Compare(sourceName(a), sourceName(b)) }) {
		var formats []string
		for format, produced := range producers {
			if slices.ContainsFunc(produced, func(of monitor.LogSource) bool { return asks(ls, of) }) {
				formats = append(formats, "`"+format+"`")
			}
		}
		slices.Sort(formats)
		name := sourceName(ls)
		told, isCovered := coveredRows[name]
		switch _, isOpen := openRows[name]; {
		case len(formats) > 0 && ls.Product == "windows": // all by one row
		case len(formats) > 0 && told != strings.Join(formats, ", "):
			t.Errorf("docs/rules.md: | %s | %d | %s |", name, rules[ls], strings.Join(formats, ", "))
		case len(formats) == 0 && (!isOpen || isCovered):
			t.Errorf("docs/rules.md, not covered: | %s | %d |", name, rules[ls])
		}
		delete(coveredRows, name)
		if len(formats) == 0 {
			delete(openRows, name)
		}
	}
	delete(coveredRows, "windows / all others / all others")
	for name := range coveredRows {
		t.Errorf("docs/rules.md: no rule is for %s", name)
	}
	for name := range openRows {
		t.Errorf("docs/rules.md says that %s is not covered: it is, or no rule is for it", name)
	}
}

func sourceName(ls monitor.LogSource) string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s / %s / %s", ls.Product, ls.Category, ls.Service)), " ")
}

// tableRows gives the third cell of a table's rows by the first.
func tableRows(text string) map[string]string {
	rows := map[string]string{}
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) == 3 && strings.Contains(cells[0], "/") && cells[1] != "rules" {
			rows[strings.TrimSpace(cells[0])] = strings.TrimSpace(cells[2])
		}
	}
	return rows
}

// asks tells whether a rule for a log source is asked about records of another, as
// detect/logsource.go does.
func asks(rule, of monitor.LogSource) bool {
	fits := func(rule string, of ...string) bool { return rule == "" || slices.Contains(of, rule) }
	category, service := of.Category, of.Service
	if strings.HasPrefix(category, "registry_") {
		category = "registry_event"
	}
	switch of.Product + "/" + service {
	case "m365/exchange":
		service = "audit"
	case "m365/threat_detection":
		service = "threat_management"
	}
	return fits(rule.Product, of.Product) && fits(rule.Category, of.Category, category) && fits(rule.Service, of.Service, service)
}

// sigmaSources counts the active rules of SigmaHQ by their log source.
func sigmaSources(t *testing.T) map[monitor.LogSource]int {
	t.Helper()
	root := os.Getenv("SECMON_CORPORA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "corpora")
	}
	archive, err := zip.OpenReader(filepath.Join(root, "sigma", "sigma-rules.zip"))
	if err != nil {
		t.Skip("the corpora are not here: set SECMON_CORPORA")
	}
	defer archive.Close()
	sources := map[monitor.LogSource]int{}
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, ".yml") || strings.HasPrefix(f.Name, "unsupported/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var rule struct {
			LogSource monitor.LogSource `yaml:"logsource"`
		}
		if err := yaml.Unmarshal(text, &rule); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		sources[rule.LogSource]++
	}
	if len(sources) < 100 {
		t.Fatalf("only %d log sources", len(sources))
	}
	return sources
}

// producedSources gives the log sources of the golden records by format, and those of the
// tables of which not each line has a golden record.
func producedSources(t *testing.T) map[string][]monitor.LogSource {
	t.Helper()
	produced := map[string][]monitor.LogSource{}
	paths, err := filepath.Glob("testdata/*/event.json")
	if err != nil {
		t.Fatal(err)
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
		if ev.Format != "generic" { // says itself what it is
			produced[ev.Format] = append(produced[ev.Format], rec.LogSource)
		}
	}
	for _, service := range slices.Concat(slices.Collect(maps.Values(channelService)), slices.Collect(maps.Values(providerService))) {
		produced["evtx"] = append(produced["evtx"], monitor.LogSource{Product: "windows", Service: service})
	}
	for _, category := range slices.Concat(slices.Collect(maps.Values(sysmonCategory)), slices.Collect(maps.Values(otherCategory))) {
		produced["evtx"] = append(produced["evtx"], monitor.LogSource{Product: "windows", Category: category})
	}
	for _, program := range []string{"sshd", "sudo", "cron", "su", "systemd", "clamd", "guacd", "vsftpd", "audispd"} {
		produced["syslog"] = append(produced["syslog"], monitor.LogSource{Product: "linux", Service: linuxService(program)})
	}
	return produced
}
