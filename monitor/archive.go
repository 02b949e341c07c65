package monitor

import (
	"time"

	"github.com/security-monitor/secmon/page"
)

// ArchiveState is how far the events of a day, or some classes of them, are on their
// way out of the database.
type ArchiveState string

// The states, as in the schema.
const (
	ArchiveWriting  ArchiveState = "WRITING"  // objects are written; stopped, it goes on behind the last one
	ArchiveWritten  ArchiveState = "WRITTEN"  // and verified: what it holds may go
	ArchiveRemoved  ArchiveState = "REMOVED"  // the events are gone from the database
	ArchiveDisabled ArchiveState = "DISABLED" // they are gone, and there was no archive to write them to
)

// EventArchive is what became of the events of a day that are kept no longer. A day may
// have several: one each time that a class of its events has ended.
type EventArchive struct {
	ID         ID
	Day        time.Time // whose partition it is
	Generation int       // 1 for the first of that day
	Scope      string    // DueClasses.Scope
	State      ArchiveState
	Objects    []ArchiveObject
	Events     int
	Bytes      int64  // of the objects
	Manifest   string // name; empty until it is written
	Error      string // of the last try; empty when that was well
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// ArchiveObject is one object of an archive. First and Last are in the order of
// storing. Its JSON form stands in manifests.
type ArchiveObject struct {
	Name        string    `json:"name"`
	Bytes       int64     `json:"bytes"`  // as it is stored
	SHA256      string    `json:"sha256"` // of these
	Events      int       `json:"events"`
	First       EventID   `json:"first"`
	Last        EventID   `json:"last"`
	OccurredMin time.Time `json:"occurredMin"`
	OccurredMax time.Time `json:"occurredMax"`
}

type (
	// EventArchiveConnection is a page of archives.
	EventArchiveConnection = page.Connection[*EventArchive]
	// EventArchiveEdge is one item of EventArchiveConnection.
	EventArchiveEdge = page.Edge[*EventArchive]
)

// RestoreState is how far a restore of archived events is.
type RestoreState string

// The states, as in the schema.
const (
	RestoreRunning RestoreState = "RUNNING"
	RestoreDone    RestoreState = "DONE"
	RestoreFailed  RestoreState = "FAILED"
	RestoreExpired RestoreState = "EXPIRED" // its events are gone again
)

// Bounds of restores.
const (
	DefaultRestoreHold = 7 * 24 * time.Hour
	MaxRestoreHold     = 90 * 24 * time.Hour
	MaxRestoredEvents  = 2_000_000
	MaxRestoreDays     = 366
)

// EventRestore brings archived events back for a while.
type EventRestore struct {
	ID        ID           `json:"id"`
	From      time.Time    `json:"from"` // days on which the events came in
	To        time.Time    `json:"to"`
	Query     string       `json:"query"` // a query line; empty for all
	Until     time.Time    `json:"until"` // when they go again
	State     RestoreState `json:"state"`
	Position  string       `json:"position"` // the last object that is done
	Restored  int          `json:"restored"`
	Objects   int          `json:"objects"` // done
	Total     int          `json:"total"`
	Error     string       `json:"error"`
	CreatedBy Actor        `json:"createdBy"`
	CreatedAt time.Time    `json:"createdAt"`
	UpdatedAt time.Time    `json:"updatedAt"`
}

type (
	// EventRestoreConnection is a page of restores.
	EventRestoreConnection = page.Connection[*EventRestore]
	// EventRestoreEdge is one item of EventRestoreConnection.
	EventRestoreEdge = page.Edge[*EventRestore]
)

// Check gives BAD_INPUT for a restore that cannot be.
func (r *EventRestore) Check(now time.Time) error {
	if r.To.Before(r.From) {
		return InputErrorf("to", "it is before from")
	}
	if r.To.Sub(r.From) > MaxRestoreDays*24*time.Hour {
		return InputErrorf("to", "a restore is of %d days at most", MaxRestoreDays)
	}
	if held := r.Until.Sub(now); held < time.Hour || held > MaxRestoreHold+time.Hour {
		return InputErrorf("hold", "restored events are held for PT1H to %s", ISODuration(MaxRestoreHold))
	}
	_, err := r.Filter().Compile()
	return err
}

// Filter says which events come back.
func (r *EventRestore) Filter() *EventFilter {
	if r.Query == "" {
		return nil
	}
	return &EventFilter{Query: &r.Query}
}

// EventDay is a day of stored events. Sizes are what the database estimates.
type EventDay struct {
	Day    time.Time // in UTC
	Events int
	Bytes  float64
}

// Size is Bytes as the graph has it.
func (a *EventArchive) Size() float64 { return float64(a.Bytes) }

// Pieces is how many objects there are, as the graph has it.
func (a *EventArchive) Pieces() int { return len(a.Objects) }

// Whole tells whether it has all that was left of the day.
func (a *EventArchive) Whole() bool { return a.Scope == "" }
