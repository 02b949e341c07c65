package monitor

import (
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// Incident is what analysts work on: alerts that belong together. Its JSON form
// is the snapshot that the journal keeps.
type Incident struct {
	ID         ID             `json:"id"`
	Version    int            `json:"version"`
	Title      string         `json:"title"`
	Severity   Severity       `json:"severity"`
	Status     IncidentStatus `json:"status"`
	AssigneeID ID             `json:"assigneeId"` // zero: nobody
	Reason     string         `json:"reason"`     // why it was closed
	AlertCount int            `json:"alertCount"` // how many alerts belong to it
	CreatedAt  time.Time      `json:"createdAt"`
	UpdatedAt  time.Time      `json:"updatedAt"`
	ClosedAt   time.Time      `json:"closedAt"` // zero: open
}

// GlobalID is the incident's id in the graph.
func (i *Incident) GlobalID() string { return GlobalID(KindIncident, i.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*Incident) IsNode() {}

// NullableReason is Reason, nil while there is none.
func (i *Incident) NullableReason() *string { return nullable(i.Reason) }

// NullableClosedAt is ClosedAt, nil while open.
func (i *Incident) NullableClosedAt() *time.Time { return nullableTime(i.ClosedAt) }

// IncidentStatus is where an incident is in its life.
type IncidentStatus string

// The statuses.
const (
	IncidentOpen   IncidentStatus = "OPEN"
	IncidentClosed IncidentStatus = "CLOSED"
)

// Bounds of an incident.
const (
	MaxIncidentTitle  = 200 // characters
	MaxIncidentAlerts = 500 // of one change
)

// Check gives BAD_INPUT for an incident that cannot be.
func (i *Incident) Check() error {
	i.Title = strings.TrimSpace(i.Title)
	if n := utf8.RuneCountInString(i.Title); n < 1 || n > MaxIncidentTitle {
		return InputErrorf("title", "a title has 1 to %d characters, not %d", MaxIncidentTitle, n)
	}
	return nil
}

// Close ends the work on an open incident.
func (i *Incident) Close(reason string, now time.Time) error {
	reason = strings.TrimSpace(reason)
	switch n := utf8.RuneCountInString(reason); {
	case i.Status == IncidentClosed:
		return Errorf(CodeConflict, "the incident is closed already")
	case n < 1 || n > MaxReason:
		return InputErrorf("reason", "a reason has 1 to %d characters, not %d", MaxReason, n)
	}
	i.Status, i.Reason, i.ClosedAt = IncidentClosed, reason, now
	return nil
}

// IncidentFilter says which incidents, in the query and the feed alike.
type IncidentFilter struct {
	And, Or   []*IncidentFilter
	Not       *IncidentFilter
	Status    *IncidentStatusFilter
	Severity  *SeverityFilter
	Title     *StringFilter
	Assignee  *IDFilter
	CreatedAt *TimeFilter
	UpdatedAt *TimeFilter
}

// IncidentStatusFilter compares a status.
type IncidentStatusFilter struct {
	Eq *IncidentStatus
	In []IncidentStatus
}

// Compile checks the filter and gives its predicate. A nil filter holds for
// everything. Errors have code BAD_INPUT and name the field.
func (f *IncidentFilter) Compile() (Predicate, error) {
	b := &filterBuilder{}
	p := buildTree(b, f, 0, b.incidentTests, func(f *IncidentFilter) (and, or []*IncidentFilter, not *IncidentFilter) {
		return f.And, f.Or, f.Not
	})
	return p, b.err
}

func (b *filterBuilder) incidentTests(p *Predicate, f *IncidentFilter) {
	if f.Status != nil {
		addEnum(b, p, "status", f.Status.Eq, f.Status.In)
	}
	b.severity(p, "severity", f.Severity)
	b.text(p, "title", f.Title)
	b.id(p, "assignee", KindUser, f.Assignee)
	b.time(p, "createdAt", f.CreatedAt)
	b.time(p, "updatedAt", f.UpdatedAt)
}

func (i *Incident) filterTexts(f FilterField) []string {
	if f == "title" {
		return []string{Fold(i.Title)}
	}
	panic(unknownField(f))
}

func (i *Incident) filterEnum(f FilterField) string {
	switch f {
	case "status":
		return string(i.Status)
	case "severity":
		return string(i.Severity)
	}
	panic(unknownField(f))
}

func (*Incident) filterNumber(f FilterField) int64 { panic(unknownField(f)) }

func (i *Incident) filterTime(f FilterField) time.Time {
	switch f {
	case "createdAt":
		return i.CreatedAt
	case "updatedAt":
		return i.UpdatedAt
	}
	panic(unknownField(f))
}

func (*Incident) filterIP(f FilterField) netip.Addr { panic(unknownField(f)) }

func (i *Incident) filterID(f FilterField) ID {
	if f == "assignee" {
		return i.AssigneeID
	}
	panic(unknownField(f))
}
