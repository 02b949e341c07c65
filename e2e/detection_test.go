package e2e

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

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

// Every story of the demo makes the rules fire that it is about, and the
// everyday noise none. All of it is read by a format of its own.
func TestDemoStoriesFireAndNoiseDoesNot(t *testing.T) {
	set, n := detect.Compile(starterRules(t)), ingest.NewNormaliser()
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	for seed := range int64(3) {
		p := demo.New(seed, func() time.Time { return now })
		for _, story := range demo.Stories {
			fired := map[string]bool{}
			last := now
			for _, m := range story.Play(p, now) {
				if m.At.Before(last) || m.At.After(now.Add(time.Minute)) {
					t.Errorf("%s: a moment at %s", story.Name, m.At)
				}
				last = m.At
				for _, match := range fires(t, set, n, m.Record) {
					fired[match.Rule.Title] = true
				}
			}
			for _, title := range story.Rules {
				if !fired[title] {
					t.Errorf("%s: %q does not fire", story.Name, title)
				}
			}
		}
	}
	p := demo.New(1, func() time.Time { return now })
	stories := map[string]bool{}
	for range 2_000 {
		step := p.Next()
		stories[step.Story] = true
		now = now.Add(step.Delay)
		for _, raw := range step.Records {
			hits := fires(t, set, n, raw)
			if step.Story == "noise" && len(hits) > 0 {
				t.Errorf("noise fires %s: %s", hits[0].Rule.Title, raw)
			}
			var ev monitor.Event
			if err := n.Normalise(raw, now, &ev, &monitor.Record{}); err != nil || ev.Format == "generic" || now.Sub(ev.OccurredAt).Abs() > 2*time.Minute || ev.Message == "" {
				t.Errorf("%v %s %s: %s", err, ev.Format, ev.OccurredAt, raw)
			}
		}
	}
	if len(stories) != len(demo.Stories)+1 {
		t.Errorf("%d of %d stories are played", len(stories)-1, len(demo.Stories))
	}
}

// The history fills the last day and none of the future, a few hundred records.
func TestDemoHistoryIsYesterday(t *testing.T) {
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	n, count, first, last := ingest.NewNormaliser(), 0, now, time.Time{}
	for _, step := range demo.New(1, func() time.Time { return now }).History() {
		for _, raw := range step.Records {
			var ev monitor.Event
			if err := n.Normalise(raw, now, &ev, &monitor.Record{}); err != nil {
				t.Fatal(err)
			}
			count++
			if ev.OccurredAt.Before(last.Add(-time.Second)) || ev.OccurredAt.After(now) {
				t.Errorf("%s after %s: %s", ev.OccurredAt, last, raw)
			}
			if ev.OccurredAt.Before(first) {
				first = ev.OccurredAt
			}
			last = ev.OccurredAt
		}
	}
	if count < 300 || count > 700 || now.Sub(first) < 20*time.Hour || now.Sub(first) > 25*time.Hour || now.Sub(last) > 2*time.Hour {
		t.Errorf("%d records from %s to %s", count, first, last)
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
