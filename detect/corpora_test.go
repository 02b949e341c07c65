package detect

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// corpus gives the path of a file among the corpora, or skips the test.
func corpus(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("SECMON_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpora")
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("skipped: no corpora here (%v); set SECMON_CORPORA to their folder", err)
	}
	return path
}

// sigmaRules reads all rule sources of sigma-rules.zip, by path.
func sigmaRules(t testing.TB) map[string][]byte {
	t.Helper()
	archive, err := zip.OpenReader(corpus(t, "sigma/sigma-rules.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	sources := make(map[string][]byte)
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, ".yml") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		source, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		sources[f.Name] = source
	}
	return sources
}

// activeFolders are those whose rules SigmaHQ means to be used.
var activeFolders = []string{"rules/", "rules-emerging-threats/", "rules-threat-hunting/", "rules-compliance/"}

func activePath(path string) bool {
	for _, folder := range activeFolders {
		if strings.HasPrefix(path, folder) {
			return true
		}
	}
	return false
}

// activeRules parses the active rules in the order of their paths.
func activeRules(t testing.TB) []*monitor.Rule {
	t.Helper()
	var rules []*monitor.Rule
	sources := sigmaRules(t)
	for _, path := range sortedKeys(sources) {
		if !activePath(path) {
			continue
		}
		rule, err := Parse(sources[path])
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		rule.Path = path
		rules = append(rules, rule)
	}
	return rules
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func TestAllOfSigmaHQLoads(t *testing.T) {
	count := map[string]map[monitor.RuleState]int{}
	sources := sigmaRules(t)
	for _, path := range sortedKeys(sources) {
		folder := path[:strings.IndexByte(path, '/')]
		if count[folder] == nil {
			count[folder] = map[monitor.RuleState]int{}
		}
		rule, err := Parse(sources[path])
		switch {
		case err != nil:
			count[folder][monitor.RuleInvalid]++
			t.Logf("refused: %s: %v", path, err)
			if activePath(path) {
				t.Errorf("%s: an active rule is refused: %v", path, err)
			}
			var where *SyntaxError
			if !errors.As(err, &where) || where.Line < 1 || where.Column < 1 {
				t.Errorf("%s: the error has no position: %v", path, err)
			}
		case rule.State == monitor.RuleInactive:
			count[folder][rule.State]++
			t.Logf("inactive: %s: %s", path, rule.StateReason)
			if rule.StateReason == "" {
				t.Errorf("%s: inactive without a reason", path)
			}
		default:
			count[folder][rule.State]++
		}
	}
	for _, folder := range sortedKeys(count) {
		t.Logf("%-24s %v", folder, count[folder])
	}
}

func TestCompileAllRulesInTime(t *testing.T) {
	rules := activeRules(t)
	start := time.Now()
	rs := Compile(rules)
	t.Logf("%d rules compiled in %v, %d fields", rs.Len(), time.Since(start).Round(time.Millisecond), len(rs.slots))
	for _, p := range rs.Problems() {
		if !strings.Contains(p.Err.Error(), "placeholder") {
			t.Errorf("%s: %v", p.Rule.Path, p.Err)
		}
	}
	if rs.Len()+len(rs.Problems()) != len(rules) || rs.Len() < len(rules)-2 {
		t.Errorf("%d of %d rules run, want all but two with placeholders", rs.Len(), len(rules))
	}
}

// bystanders are events of labelled cases that do not fit their rule, by
// position: they were recorded beside the one that does. A case hits when its
// rule fires on all others.
var bystanders = map[string][]int{
	// service.conf is not among the file names of the rule
	"rules/windows/file/file_event/file_event_win_anydesk_artefact.yml": {0, 1},
	// cmd.exe and tasklist.exe around findstr.exe
	"rules/windows/process_creation/proc_creation_win_findstr_security_keyword_lookup.yml": {0, 1},
	// cmd.exe before bun.exe
	"rules-emerging-threats/2025/Malware/Shai-Hulud/proc_creation_win_mal_shai_hulud_malicious_node_bun_execution.yml": {0, 1, 2, 3, 4},
	// procdump.exe:Zone.Identifier does not end in procdump.exe
	"rules/windows/file/file_event/file_event_win_cred_dump_tools_dropped_files.yml": {1, 3, 5},
}

// labelled is a case of SigmaHQ's regression data: its events make its rule fire.
type labelled struct {
	RuleID   string            `json:"rule_id"`
	RulePath string            `json:"rule_path"`
	Events   []json.RawMessage `json:"events"`
}

func TestLabelledCasesHit(t *testing.T) {
	rs := Compile(activeRules(t))
	f, err := os.Open(corpus(t, "sigma/labelled.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases, hits, other := 0, 0, map[string]int{}
	for lines := newLines(f); lines.Scan(); {
		var c labelled
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases++
		hit := true
		for i, source := range c.Events {
			found := fires(t, rs, source, c.RuleID, other)
			if want := !slices.Contains(bystanders[c.RulePath], i); found != want {
				hit = false
				t.Errorf("%s, event %d: fires %v, want %v", c.RulePath, i, found, want)
			}
		}
		if hit {
			hits++
		}
	}
	t.Logf("%d of %d labelled cases hit", hits, cases)
	for _, title := range sortedKeys(other) {
		t.Logf("also fires: %3d %s", other[title], title)
	}
}

// fires tells whether the rule is among those that fire, and counts the others.
func fires(t *testing.T, rs *Ruleset, source []byte, ruleID string, other map[string]int) bool {
	t.Helper()
	var rec monitor.Record
	readEVTX(t, source, &rec)
	found := false
	for _, m := range rs.Match(&rec, nil) {
		if m.Rule.ID.String() != ruleID {
			other[m.Rule.Title]++
			continue
		}
		found = true
		if len(m.Matched) == 0 {
			t.Errorf("%s fires without evidence", m.Rule.Path)
		}
	}
	return found
}

func TestAttackRunsSpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: measures speed")
	}
	rs := Compile(activeRules(t))
	records := otrfRecords(t)
	byCategory := map[string]int{}
	start, hits := time.Now(), 0
	var dst []monitor.Match
	for i := range records {
		dst = rs.Match(&records[i], dst[:0])
		hits += len(dst)
		byCategory[records[i].LogSource.Category]++
	}
	took := time.Since(start)
	t.Logf("%d records, %d hits, %.0f events/s in all", len(records), hits, float64(len(records))/took.Seconds())
	start = time.Now()
	for i := range records {
		if records[i].LogSource.Category == "process_creation" {
			dst = rs.Match(&records[i], dst[:0])
		}
	}
	n := byCategory["process_creation"]
	t.Logf("%d process_creation records, %.0f events/s", n, float64(n)/time.Since(start).Seconds())
}

func otrfRecords(t testing.TB) []monitor.Record {
	t.Helper()
	f, err := os.Open(corpus(t, "windows/otrf-sample.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var records []monitor.Record
	for lines := newLines(unzipped); lines.Scan(); {
		var rec monitor.Record
		readFlat(t, lines.Bytes(), &rec)
		records = append(records, rec)
	}
	return records
}

func newLines(r io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	return lines
}
