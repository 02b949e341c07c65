package monitor

import (
	"encoding/json"
	"fmt"
	"time"
)

// SilentSourceRule stands in for a rule in the alerts about sources that send no more.
var SilentSourceRule = Rule{
	ID: ID{'s', 'o', 'u', 'r', 'c', 'e', '.', 's', 'i', 'l', 'e', 'n', 't'}, Version: 1, Title: "A source has fallen silent",
	Level: SeverityMedium, Author: "Security Monitor", Tags: []string{"secmon.health"},
}

// TagSourceReturned marks an alert about a silence that is over, where somebody works on
// it.
const TagSourceReturned = "source-returned"

// Silence gives the event that tells of a source's silence, and the name by which it is
// stored once: that of the source and its latest record.
func Silence(s *Source, now time.Time) (*Event, *Part, error) {
	raw, err := json.Marshal(struct {
		Action   string    `json:"action"`
		Source   string    `json:"source"`
		Protocol string    `json:"protocol"`
		Token    string    `json:"token"`
		Format   string    `json:"format"`
		LastSeen time.Time `json:"lastSeen"`
		Expected string    `json:"expectedEvery"`
	}{"source.silent", s.GlobalID(), s.Protocol, s.TokenName, s.Format, s.LastSeen, s.Patience().String()})
	if err != nil {
		return nil, nil, fmt.Errorf("record of a silence: %w", err)
	}
	event := &Event{
		OccurredAt: now, Class: ClassDetectionFinding, Action: "source.silent", Severity: SeverityMedium, Format: "secmon", Raw: raw,
		Outcome: OutcomeFailure, // so that the name is not learned as that of a person
		User:    s.Name(),       // tells the alerts of sources apart
		Message: fmt.Sprintf("%s has sent nothing since %s; it is expected every %s", s.Name(), s.LastSeen.Format(time.RFC3339), s.Patience().Round(time.Second)),
	}
	last := s.LastSeen.UTC().Format(time.RFC3339Nano)
	return event, &Part{Events: 1, Key: HashPart("source silent", s.ID.String(), last), Content: HashPart(last)}, nil
}

// SourceFilter says which sources. All that is given must hold.
type SourceFilter struct {
	Silent   *bool
	Protocol *string
	Format   *string
}
