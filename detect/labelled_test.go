package detect_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/detect"
)

// TestLabelledEventsHitAsIngested has each labelled event read as ingest reads
// it: its rule must fire, except on those that were recorded beside the one that
// it is about. What else fires on it, and on which other records of the corpora
// the rule fires, is for people to read: in the file that DETECT_HITS names.
func TestLabelledEventsHitAsIngested(t *testing.T) {
	s := activeSide(t)
	events := logEvents(t)
	if !agreeAll {
		events = labelledEvents(t)
	}
	on := make([][]int, len(events)) // which rules fire
	where := map[string][]string{}   // by rule, on which events
	for i, e := range events {
		on[i] = s.hits(t, &e.rec)
		for _, r := range on[i] {
			where[s.names[r]] = append(where[s.names[r]], e.name)
		}
	}
	report := openReport(t)
	cases, hit := map[string]bool{}, 0
	for i, e := range events {
		if e.rule == "" {
			continue
		}
		if !cases[e.rule] {
			cases[e.rule] = true
			for _, name := range where[e.rule] {
				if !strings.HasPrefix(name, e.rule+"#") {
					fmt.Fprintf(report, "%s\tfires also on\t%s\n", e.rule, name)
				}
			}
		}
		_, place, _ := strings.Cut(e.name, "#")
		number, err := strconv.Atoi(place)
		if err != nil {
			t.Fatal(err)
		}
		fires := slices.Contains(where[e.rule], e.name)
		if want := !slices.Contains(detect.Bystanders[e.rule], number); fires != want {
			t.Errorf("%s: the rule fires %v, want %v\n%s", e.name, fires, want, showRecord(&e.rec))
		}
		if fires {
			hit++
		}
		for _, r := range on[i] {
			if s.names[r] != e.rule {
				fmt.Fprintf(report, "%s\tis hit also by\t%s\n", e.name, s.names[r])
			}
		}
	}
	t.Logf("%d cases, %d events hit by their rule", len(cases), hit)
	if len(cases) != 105 {
		t.Errorf("%d cases, want 105", len(cases))
	}
}

// openReport opens the file that DETECT_HITS names, or writes to the test's log.
func openReport(t *testing.T) *bufio.Writer {
	t.Helper()
	out := os.Stdout
	if name := os.Getenv("DETECT_HITS"); name != "" {
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		out = f
	} else if !testing.Verbose() {
		return bufio.NewWriter(io.Discard)
	}
	w := bufio.NewWriter(out)
	t.Cleanup(func() {
		_ = w.Flush()
		if out != os.Stdout {
			_ = out.Close()
		}
	})
	return w
}
