package detect_test

import (
	"archive/zip"
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

// The tests on real rules and logs ask about a sample of the pairs of rule and
// event. `make detect/agree` asks about all of them.
var agreeAll = os.Getenv("DETECT_AGREE") == "all"

// every gives how many a sample skips: n, or none in the whole run.
func every(n int) int {
	if agreeAll {
		return 1
	}
	return n
}

// openCorpus opens a file among the corpora, or skips the test.
func openCorpus(t testing.TB, name string) string {
	t.Helper()
	dir := cmp.Or(os.Getenv("SECMON_CORPORA"), filepath.Join("..", "..", "shared", "corpora"))
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("skipped: no corpora here (%v); set SECMON_CORPORA to their folder", err)
	}
	return path
}

// activeSources reads SigmaHQ's active rules, in the order of their paths.
func activeSources(t testing.TB) (paths, sources []string) {
	t.Helper()
	archive, err := zip.OpenReader(openCorpus(t, "sigma/sigma-rules.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	files := slices.Clone(archive.File)
	slices.SortFunc(files, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range files {
		folder, _, _ := strings.Cut(f.Name, "/")
		if !slices.Contains([]string{"rules", "rules-emerging-threats", "rules-threat-hunting", "rules-compliance"}, folder) || !strings.HasSuffix(f.Name, ".yml") {
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
		paths, sources = append(paths, f.Name), append(sources, string(source))
	}
	if len(sources) < 3000 {
		t.Fatalf("%d rules", len(sources))
	}
	return paths, sources
}

// logEvent is a record of a log with where it is from.
type logEvent struct {
	name string
	raw  []byte
	rec  monitor.Record
	rule string // of a labelled event: the path of the rule that it must make fire
}

// logEvents reads the corpora's records as ingest does.
func logEvents(t testing.TB) []*logEvent {
	t.Helper()
	var list []*logEvent
	for _, name := range []string{"windows/otrf-sample.jsonl.gz", "cloud/cloudtrail-stratus.jsonl", "network/suricata-eve.jsonl"} {
		for i, line := range corpusLines(t, name) {
			list = append(list, normalised(t, fmt.Sprintf("%s:%d", name, i+1), line))
		}
	}
	return append(list, labelledEvents(t)...)
}

// labelledEvents reads the events of SigmaHQ's regression data.
func labelledEvents(t testing.TB) []*logEvent {
	t.Helper()
	var list []*logEvent
	for _, line := range corpusLines(t, "sigma/labelled.jsonl") {
		var c struct {
			Path   string            `json:"rule_path"`
			Events []json.RawMessage `json:"events"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		for i, raw := range c.Events {
			e := normalised(t, fmt.Sprintf("%s#%d", c.Path, i), raw)
			e.rule = c.Path
			list = append(list, e)
		}
	}
	return list
}

func normalised(t testing.TB, name string, raw []byte) *logEvent {
	t.Helper()
	e := &logEvent{name: name, raw: raw}
	var about monitor.Event
	if err := ingest.NewNormaliser().Normalise(raw, time.Unix(1_790_000_000, 0), &about, &e.rec); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return e
}

func corpusLines(t testing.TB, name string) [][]byte {
	t.Helper()
	f, err := os.Open(openCorpus(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var list [][]byte
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		list = append(list, slices.Clone(lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// side is a set of rules as both have it: the engine and the reference.
type side struct {
	names  []string
	rules  []*monitor.Rule
	refs   []*refRule
	engine *detect.Ruleset
	place  map[*monitor.Rule]int
	differ int // pairs so far
}

// maxDiffer is how many pairs are shown before a test gives up.
const maxDiffer = 10

// newSide takes in those rules that the engine runs, and fails where the
// reference cannot read one of them.
func newSide(t testing.TB, names, sources []string) *side {
	t.Helper()
	s := &side{place: map[*monitor.Rule]int{}}
	for i, source := range sources {
		rule, err := detect.Parse([]byte(source))
		if err != nil || rule.State != monitor.RuleActive {
			continue
		}
		ref, err := readReference(source)
		if err != nil {
			t.Fatalf("%s: %v\n%s", names[i], err, source)
		}
		s.place[rule] = len(s.rules)
		s.names, s.rules, s.refs = append(s.names, names[i]), append(s.rules, rule), append(s.refs, ref)
	}
	s.engine = detect.Compile(s.rules)
	if p := s.engine.Problems(); len(p) > 0 || s.engine.Len() != len(s.rules) {
		t.Fatalf("Parse takes what Compile refuses: %v", p)
	}
	return s
}

// activeOnes are the active rules, read once.
var activeOnes *side

func activeSide(t testing.TB) *side {
	t.Helper()
	if activeOnes == nil {
		paths, sources := activeSources(t)
		activeOnes = newSide(t, paths, sources)
	}
	return activeOnes
}

// hits gives the places of the rules that fire, by the engine. They come in
// order, once each, and with evidence that is in the record.
func (s *side) hits(t testing.TB, rec *monitor.Record) []int {
	t.Helper()
	var list []int
	for _, m := range s.engine.Match(rec, nil) {
		at, known := s.place[m.Rule]
		if !known {
			t.Fatalf("a rule fires that was not given: %s", m.Rule.Title)
		}
		if len(list) > 0 && list[len(list)-1] >= at {
			t.Errorf("%s comes behind %s", s.names[at], s.names[list[len(list)-1]])
		}
		list = append(list, at)
		for _, f := range m.Matched {
			if !evident(rec, f) {
				t.Errorf("%s: the evidence %+v is not in %s", s.names[at], f, showRecord(rec))
			}
		}
	}
	return list
}

// evident tells whether a piece of evidence is a value of the record. The value
// of what is absent or null is empty, and long ones are cut.
func evident(rec *monitor.Record, m monitor.MatchedField) bool {
	for _, f := range rec.Fields {
		if m.Field != "" && refField(f.Name) != m.Field {
			continue
		}
		for _, v := range f.Values {
			if v.Text == m.Value || len(v.Text) > 4096 && strings.HasPrefix(v.Text, strings.TrimSuffix(m.Value, "…")) {
				return true
			}
		}
	}
	return m.Value == ""
}

// agree asks both about an event, and reports each rule on which they differ.
// It gives the number of rules that fire.
func (s *side) agree(t testing.TB, name string, rec *monitor.Record) int {
	t.Helper()
	e := newRefEvent(rec)
	hits := s.hits(t, rec)
	for i, ref := range s.refs {
		_, got := slices.BinarySearch(hits, i)
		if want := ref.fires(e); got != want {
			s.differ++
			t.Errorf("%s on %s: the engine says %v, the reference %v\n%s\n%s", s.names[i], name, got, want, s.rules[i].Source, showRecord(rec))
		}
	}
	if s.differ >= maxDiffer {
		t.Fatalf("and so on")
	}
	return len(hits)
}

func showRecord(rec *monitor.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v\n", rec.LogSource)
	for _, f := range rec.Fields {
		fmt.Fprintf(&b, "  %q:", f.Name)
		for _, v := range f.Values {
			fmt.Fprintf(&b, " %s %.300q", [...]string{"text", "number", "boolean", "null"}[v.Kind], v.Text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestEngineAgreesOnRealLogs asks about the active rules and the records of the
// corpora, each rule on its log source.
func TestEngineAgreesOnRealLogs(t *testing.T) {
	agreeOnLogs(t, activeSide(t), every(60))
}

// TestEngineAgreesWithoutLogSources asks about every rule on every record,
// whatever log it is of: most rules are for logs that the corpora do not have.
func TestEngineAgreesWithoutLogSources(t *testing.T) {
	paths, sources := activeSources(t)
	for i, source := range sources {
		sources[i] = withLogSource(t, source, monitor.LogSource{Product: "any"})
	}
	s := newSide(t, paths, sources)
	agreeOnLogs(t, s, every(400), monitor.LogSource{Product: "any"})
}

// agreeOnLogs asks about one of so many records, but about labelled ones always.
func agreeOnLogs(t *testing.T, s *side, step int, as ...monitor.LogSource) {
	t.Helper()
	records, hits := 0, 0
	for i, e := range logEvents(t) {
		if i%step != 0 && (e.rule == "" || len(as) > 0) {
			continue
		}
		if len(as) > 0 {
			e.rec.LogSource = as[0]
		}
		records++
		hits += s.agree(t, e.name, &e.rec)
	}
	t.Logf("%d rules and %d records: %d pairs, %d hits", len(s.rules), records, len(s.rules)*records, hits)
	if hits == 0 {
		t.Error("nothing fires: this compares nothing")
	}
}

// withLogSource gives a rule another log source.
func withLogSource(t testing.TB, source string, ls monitor.LogSource) string {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(source), &doc); err != nil {
		t.Fatal(err)
	}
	for i, root := 0, doc.Content[0]; i < len(root.Content); i += 2 {
		if root.Content[i].Value == "logsource" {
			fields := map[string]string{"product": ls.Product, "category": ls.Category, "service": ls.Service}
			for name, value := range fields {
				if value == "" {
					delete(fields, name)
				}
			}
			if err := root.Content[i+1].Encode(fields); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := yaml.Marshal(&doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
