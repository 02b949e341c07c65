package monitor

import (
	"crypto/sha256"
	"time"
)

// SourceKey tells sources of events apart: a token, the protocol it sends by and the
// format of what it sends. Hosts are no part of it: each is an asset, with a silence of
// its own.
type SourceKey struct {
	Protocol  string `json:"protocol"`
	TokenID   ID     `json:"tokenId"` // zero: no token of the database
	TokenName string `json:"tokenName"`
	Format    string `json:"format"` // UnreadableFormat of a request of which nothing could be read
}

// UnreadableFormat stands for the format where no record of a request could be read.
const UnreadableFormat = "unreadable"

// ID follows from the key, so that replicas count into one row without asking.
func (k SourceKey) ID() ID {
	sum := sha256.Sum256([]byte("source\x00" + k.Protocol + "\x00" + k.Format + "\x00" + string(k.TokenID[:])))
	return ID(sum[:len(ID{})])
}

// SourceCount is what a replica counted of a source since it wrote the last time.
type SourceCount struct {
	Key         SourceKey
	First, Last time.Time
	Records     int64 // accepted
	Rejected    int64
	Bytes       int64
	Lag         time.Duration // the sum over Lagged records
	Lagged      int64         // records that tell when they happened
	LagMax      time.Duration
	Minutes     map[time.Time]SourceMinute // by the minute's beginning
}

// SourceMinute counts what came in a minute.
type SourceMinute struct {
	At                       time.Time
	Records, Rejected, Bytes int64
}

// Source is who sends events: what came of it, and for how long it may be silent. Its
// JSON form is the snapshot that the journal keeps; counts are no part of it.
type Source struct {
	ID      ID  `json:"id"`
	Version int `json:"version"`
	SourceKey
	FirstSeen time.Time     `json:"firstSeen"`
	LastSeen  time.Time     `json:"-"`
	Records   int64         `json:"-"`
	Rejected  int64         `json:"-"`
	Bytes     int64         `json:"-"`
	Lag       time.Duration `json:"-"` // of the latest records, on average
	LagMax    time.Duration `json:"-"` // of all
	Sightings int64         `json:"-"`
	Gap       time.Duration `json:"-"` // the longest pause that is usual
	// Expect is for how long it may be silent; nil: as learned, zero: for ever.
	Expect      *time.Duration `json:"expect"`
	SilentSince time.Time      `json:"silentSince"` // zero: it is not
	AlertID     ID             `json:"alertId"`     // about its silence
	UpdatedAt   time.Time      `json:"updatedAt"`
}

// Bounds of sources.
const (
	MaxSources      = 2_000
	MinSourceExpect = time.Minute
	MaxSourceExpect = 90 * 24 * time.Hour
	// SourceMinutes is for how many minutes rates are kept.
	SourceMinutes = 60
)

// How a pause is learned. A source that was heard of learnedSightings times may be
// silent for learnedFactor times the longest usual pause, at least minLearned; the
// longest pause counts 2 % less with each that is shorter.
const (
	learnedSightings = 10
	learnedFactor    = 4
	minLearned       = 10 * time.Minute
	maxLearned       = 7 * 24 * time.Hour
)

// GlobalID is the source's id in the graph.
func (s *Source) GlobalID() string { return GlobalID(KindSource, s.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*Source) IsNode() {}

// Name is what people know it by.
func (s *Source) Name() string {
	name := s.TokenName
	if name == "" {
		name = "without a token"
	}
	return name + " · " + s.Protocol + " · " + s.Format
}

// Patience is for how long it may be silent; zero: for ever. A source that never sent
// a record that could be read is not waited for unless people say so.
func (s *Source) Patience() time.Duration {
	switch {
	case s.Expect != nil:
		return *s.Expect
	case s.Records == 0 || s.Sightings < learnedSightings:
		return 0
	default:
		return min(max(learnedFactor*s.Gap, minLearned), maxLearned)
	}
}

// SilentAt is when its silence is noted; zero: never.
func (s *Source) SilentAt() time.Time {
	if s.Patience() == 0 {
		return time.Time{}
	}
	return s.LastSeen.Add(s.Patience())
}

// SourceState tells how a source is.
type SourceState string

// The states, as in the schema.
const (
	SourceHealthy SourceState = "HEALTHY"
	SourceFailing SourceState = "FAILING" // a part of its latest records was rejected
	SourceSilent  SourceState = "SILENT"
)

// failingShare is which part of a source's records has to be rejected to call it
// failing: one in a hundred.
const failingShare = 100

// State tells how it is, by what came in the latest minutes.
func (s *Source) State(minutes []SourceMinute) SourceState {
	var records, rejected int64
	for _, m := range minutes {
		records, rejected = records+m.Records, rejected+m.Rejected
	}
	switch {
	case !s.SilentSince.IsZero():
		return SourceSilent
	case rejected > 0 && rejected*failingShare >= records+rejected:
		return SourceFailing
	default:
		return SourceHealthy
	}
}

// Count takes in what a replica has counted. A count that comes late from a slower
// replica adds, and does not turn the clock back.
func (s *Source) Count(c *SourceCount) {
	if s.FirstSeen.IsZero() || c.First.Before(s.FirstSeen) {
		s.FirstSeen = c.First
	}
	if pause := c.First.Sub(s.LastSeen); !s.LastSeen.IsZero() && pause > 0 && s.SilentSince.IsZero() {
		// The pause of a source that was noted as silent is no usual one.
		s.Gap = max(pause, s.Gap-s.Gap/50)
	}
	s.Sightings++
	if c.Last.After(s.LastSeen) {
		s.LastSeen = c.Last
	}
	s.Records, s.Rejected, s.Bytes = s.Records+c.Records, s.Rejected+c.Rejected, s.Bytes+c.Bytes
	if c.Lagged > 0 {
		s.Lag = c.Lag / time.Duration(c.Lagged)
		s.LagMax = max(s.LagMax, c.LagMax)
	}
}

// SetExpect says for how long it may be silent: nil as learned, zero for ever.
func (s *Source) SetExpect(expect *time.Duration) error {
	if expect != nil && *expect != 0 && (*expect < MinSourceExpect || *expect > MaxSourceExpect) {
		return InputErrorf("expectEvery", "PT1M to P90D; PT0S: its silence is no news; null: as learned")
	}
	s.Expect = expect
	return nil
}
