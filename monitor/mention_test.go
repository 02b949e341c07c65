package monitor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

func TestMentionedNames(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"@ana":                      "ana",
		"see @Ana, @bob-2!":         "ana bob-2",
		"@ana @ana":                 "ana",
		"ask @ana.":                 "ana. ana",
		"mail ana@example.org":      "",
		"@ana@example.org":          "ana@example.org",
		"(@ana)\n@bob":              "ana bob",
		"@@ana and @ ana and é@bob": "",
	} {
		if got := strings.Join(monitor.MentionedNames(text), " "); got != want {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
	if n := len(monitor.MentionedNames(strings.Repeat("@a", 1) + func() (s string) {
		for i := range 200 {
			s += " @u" + strings.Repeat("x", i%60) + string(rune('a'+i%26))
		}
		return s
	}())); n > 50 {
		t.Errorf("%d names, at most 50", n)
	}
}

func TestFilterKeepsItsMeaningAsJSON(t *testing.T) {
	var since monitor.TimeInput
	if err := since.UnmarshalText([]byte("now-24h")); err != nil {
		t.Fatal(err)
	}
	net, yes := "10.0.0.0/8", true
	f := &monitor.AlertFilter{
		Or:       []*monitor.AlertFilter{{SourceIP: &monitor.IPFilter{Cidr: &net}}, {Incident: &monitor.IDFilter{Exists: &yes}}},
		LastSeen: &monitor.TimeFilter{Gte: &since},
	}
	raw, err := monitor.FilterJSON(f)
	if want := `{"lastSeen":{"gte":"now-1d"},"or":[{"sourceIp":{"cidr":"10.0.0.0/8"}},{"incident":{"exists":true}}]}`; err != nil || string(raw) != want {
		t.Fatalf("%s, %v, want %s", raw, err, want)
	}
	again, err := monitor.ParseFilter[monitor.AlertFilter](raw)
	if err != nil {
		t.Fatal(err)
	}
	round, err := monitor.FilterJSON(again)
	if err != nil || !slices.Equal(raw, round) {
		t.Errorf("read and written again: %s, %v", round, err)
	}
	if raw, err := monitor.FilterJSON[monitor.AlertFilter](nil); err != nil || string(raw) != "{}" {
		t.Errorf("nothing: %s, %v", raw, err)
	}
}
