package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"archive/zip"

	"github.com/security-monitor/secmon/demo"
	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

// fires gives the titles and ids of the rules that a record makes fire.
func fires(t *testing.T, set *detect.Ruleset, n *ingest.Normaliser, raw []byte) []monitor.Match {
	t.Helper()
	var ev monitor.Event
	var rec monitor.Record
	if err := n.Normalise(raw, time.Now(), &ev, &rec); err != nil {
		t.Fatal(err)
	}
	return set.Match(&rec, nil)
}

// Every story of the demo is found by the starter pack, and its everyday noise is not.
func TestDemoStoriesFireAndNoiseDoesNot(t *testing.T) {
	set, n := detect.Compile(starterRules(t)), ingest.NewNormaliser()
	p := demo.New(1, time.Now)
	for _, story := range demo.Stories {
		rules := map[string]bool{}
		for _, raw := range story.Play(p, time.Now()) {
			for _, m := range fires(t, set, n, raw) {
				rules[m.Rule.Title] = true
			}
		}
		t.Logf("%s: %d rules", story.Name, len(rules))
		if len(rules) < 3 {
			t.Errorf("%s: only %v fire", story.Name, rules)
		}
	}
	for range 300 {
		step := p.Next()
		for _, raw := range step.Records {
			if hits := fires(t, set, n, raw); step.Story == "noise" && len(hits) > 0 {
				t.Errorf("noise fires %s: %s", hits[0].Rule.Title, raw)
			}
		}
	}
}

// The share of labelled cases whose rule fires, through the real normaliser.
func TestLabelledCasesFire(t *testing.T) {
	path := corpora(t, "sigma/labelled.jsonl")
	archive, err := zip.OpenReader(corpora(t, "sigma/sigma-rules.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close() //nolint:errcheck // only read
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read
	n := ingest.NewNormaliser()
	cases, hit := 0, 0
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c struct {
			RuleID   string            `json:"rule_id"`
			RulePath string            `json:"rule_path"`
			Events   []json.RawMessage `json:"events"`
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		source, err := readZip(archive, c.RulePath)
		if err != nil {
			t.Fatal(err)
		}
		rule, err := detect.Parse(source)
		if err != nil {
			t.Fatalf("%s: %v", c.RulePath, err)
		}
		cases++
		set := detect.Compile([]*monitor.Rule{rule})
		if slices.ContainsFunc(c.Events, func(raw json.RawMessage) bool { return len(fires(t, set, n, raw)) > 0 }) {
			hit++
		} else {
			t.Logf("does not fire: %s", c.RulePath)
		}
	}
	t.Logf("%d of %d labelled cases fire", hit, cases)
	if hit*100 < cases*95 {
		t.Errorf("%d of %d labelled cases fire, want 95 %%", hit, cases)
	}
}

func readZip(archive *zip.ReadCloser, path string) ([]byte, error) {
	file, err := archive.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, info.Size())
	for read := 0; read < len(b); {
		k, err := file.Read(b[read:])
		read += k
		if err != nil && read < len(b) {
			return nil, err
		}
	}
	return b, nil
}
