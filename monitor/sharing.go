package monitor

import "time"

// SharedAsk says which of the things that are shared with others, in the order in which
// they changed, the longest ago first.
type SharedAsk struct {
	IDs []ID // by the identifiers that others know (package stix); nil: all
	// After and AfterID are a place: what changed later, and of the same instant what
	// has a greater id.
	After   time.Time
	AfterID ID
	Until   time.Time // what changed later is left out
	First   int
}

// Sighting is that an indicator was seen: the alert that it raised.
type Sighting struct {
	ID                  ID // of the alert
	Indicator           ID
	Host                string
	Count               int
	FirstSeen, LastSeen time.Time
	CreatedAt           time.Time
	UpdatedAt           time.Time
	Merged              bool // into another alert, which counts it now
}
