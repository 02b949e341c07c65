package monitor

import (
	"encoding/json"
	"testing"
	"time"
)

func TestSuppressionFitsItsRulesAlone(t *testing.T) {
	rule, other := &Rule{ID: ID{1}}, &Rule{ID: ID{2}}
	s := &Suppression{Rules: []ID{rule.ID}, AlertFilter: json.RawMessage("{}"), EventFilter: json.RawMessage("{}")}
	if err := s.CheckFilters(); err != nil {
		t.Fatal(err)
	}
	ev, now := &Event{Host: "web-1"}, time.Now()
	if !s.Fits(NewAlert(ID{3}, rule, ev, now), ev, now) || s.Fits(NewAlert(ID{3}, other, ev, now), ev, now) {
		t.Error("it fits another rule's finding, or not its own")
	}
}

// Candidates finds every alert that has a finding to hide: what is asked of fields
// in which findings of one alert differ is left out, never turned around.
func TestCandidatesOfASuppressionMissNothing(t *testing.T) {
	ev, now := &Event{Host: "web-1", User: "root", Process: "rsync"}, time.Now()
	a := NewAlert(ID{3}, &Rule{ID: ID{1}, Level: SeverityHigh}, ev, now)
	other := *a // the same alert by its first finding, which had another process
	other.Process = "nc"
	for filter, narrows := range map[string]bool{
		`{"host":{"eq":"web-1"}}`: true, `{"process":{"eq":"rsync"}}`: false, `{"host":{"eq":"web-1"},"process":{"eq":"rsync"}}`: true,
		`{"not":{"process":{"eq":"nc"}}}`: false, `{"not":{"host":{"eq":"db-1"},"process":{"eq":"nc"}}}`: false, `{"not":{"host":{"eq":"db-1"}}}`: false,
		`{"or":[{"host":{"eq":"db-1"}},{"process":{"eq":"rsync"}}]}`: false, `{"and":[{"user":{"eq":"root"}},{"not":{"process":{"eq":"nc"}}}]}`: false,
		`{"query":"host:web-1 NOT process:nc"}`: true,
	} {
		s := &Suppression{AlertFilter: json.RawMessage(filter), EventFilter: json.RawMessage("{}")}
		if err := s.CheckFilters(); err != nil {
			t.Fatal(filter, err)
		}
		if !s.Fits(a, ev, now) {
			t.Fatalf("%s does not fit: it tests nothing", filter)
		}
		may := s.Candidates()
		if !may.Matches(&other, now) {
			t.Errorf("%s misses the alert", filter)
		}
		elsewhere := other
		elsewhere.Host = "db-2"
		if got := !may.Matches(&elsewhere, now); got != narrows {
			t.Errorf("%s narrows to a host: %t", filter, got)
		}
	}
}

func TestSuppressionEnds(t *testing.T) {
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	s := &Suppression{Enabled: true, Until: now, ExpiredAt: now}
	if s.State(now.Add(-time.Nanosecond)) != SuppressionActive || s.State(now) != SuppressionExpired {
		t.Error("it does not end to the instant")
	}
	if err := s.EndAt(now, now.Add(time.Hour)); err != nil || s.ExpiredAt.IsZero() {
		t.Errorf("an end that stays is no new one: %v", err)
	}
	if err := s.EndAt(now.Add(time.Minute), now.Add(time.Hour)); CodeOf(err) != CodeBadInput {
		t.Errorf("an end that is over: %v", err)
	}
	if err := s.EndAt(time.Time{}, now.Add(time.Hour)); err != nil || s.State(now.Add(time.Hour)) != SuppressionActive || !s.ExpiredAt.IsZero() {
		t.Errorf("without an end: %v", err)
	}
}
