package detect_test

import (
	"slices"
	"testing"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/monitor"
)

// BenchmarkMatch matches real records against all active rules: an event is one
// op. `make bench/detect-profile` says where the time goes, `make bench/detect`
// how that compares.
func BenchmarkMatch(b *testing.B) {
	_, sources := activeSources(b)
	var rules []*monitor.Rule
	for _, source := range sources {
		rule, err := detect.Parse([]byte(source))
		if err != nil {
			b.Fatal(err)
		}
		rules = append(rules, rule)
	}
	rs := detect.Compile(rules)
	var natural []*logEvent
	for _, line := range corpusLines(b, "windows/otrf-sample.jsonl.gz") {
		natural = append(natural, normalised(b, "", line))
	}
	processes := slices.DeleteFunc(slices.Clone(natural), func(e *logEvent) bool { return e.rec.LogSource.Category != "process_creation" })
	for _, set := range []struct {
		name   string
		events []*logEvent
	}{{"process_creation", processes}, {"natural_mix", natural}} {
		b.Run(set.name, func(b *testing.B) {
			var hits []monitor.Match
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				hits = rs.Match(&set.events[i%len(set.events)].rec, hits[:0])
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
