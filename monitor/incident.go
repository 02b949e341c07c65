package monitor

import (
	"net/netip"
	"strings"
	"time"
)

// Incident is what analysts work on: alerts that belong together. Its JSON form
// is the snapshot that the journal keeps.
type Incident struct {
	ID           ID               `json:"id"`
	Version      int              `json:"version"`
	Title        string           `json:"title"`
	Description  string           `json:"description"`
	Severity     Severity         `json:"severity"`
	Status       IncidentStatus   `json:"status"`
	Disposition  AlertDisposition `json:"disposition"` // empty while open
	AssigneeID   ID               `json:"assigneeId"`  // zero: nobody
	Reason       string           `json:"reason"`      // why it was closed, or taken up again
	AlertCount   int              `json:"alertCount"`  // how many alerts belong to it
	TaskCount    int              `json:"taskCount"`
	TasksDone    int              `json:"tasksDone"`
	CommentCount int              `json:"commentCount"`
	MergedIntoID ID               `json:"mergedIntoId"` // zero: it stands for itself
	GroupingID   ID               `json:"groupingId"`   // zero: somebody opened it
	CreatedAt    time.Time        `json:"createdAt"`
	UpdatedAt    time.Time        `json:"updatedAt"`
	ClosedAt     time.Time        `json:"closedAt"` // zero: open
}

// GlobalID is the incident's id in the graph.
func (i *Incident) GlobalID() string { return GlobalID(KindIncident, i.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*Incident) IsNode() {}

// An incident's and its alerts' changes stand in its timeline.
func (i *Incident) within() ID { return i.ID }
func (a *Alert) within() ID    { return a.IncidentID }

// NullableReason is Reason, nil while there is none.
func (i *Incident) NullableReason() *string { return nullable(i.Reason) }

// NullableClosedAt is ClosedAt, nil while open.
func (i *Incident) NullableClosedAt() *time.Time { return nullableTime(i.ClosedAt) }

// NullableDisposition is Disposition, nil while there is none.
func (i *Incident) NullableDisposition() *AlertDisposition { return nullable(i.Disposition) }

// IncidentStatus is where an incident is in its life.
type IncidentStatus string

// The statuses.
const (
	IncidentOpen       IncidentStatus = "OPEN"
	IncidentInProgress IncidentStatus = "IN_PROGRESS"
	IncidentClosed     IncidentStatus = "CLOSED"
)

// IncidentStatuses lists all statuses in their order.
var IncidentStatuses = []IncidentStatus{IncidentOpen, IncidentInProgress, IncidentClosed}

// Bounds of an incident.
const (
	MaxIncidentTitle       = 200 // characters
	MaxIncidentDescription = 10_000
	MaxIncidentAlerts      = 500     // of one change by ids
	MaxIncidentMatching    = 50_000  // of one change by a filter
	MaxIncidentSize        = 100_000 // alerts of one incident
	MaxIncidentMerge       = 20      // incidents in one merge
	MaxIncidentTasks       = 200
)

// Check gives BAD_INPUT for an incident that cannot be.
func (i *Incident) Check() (err error) {
	if i.Title, err = checkText("title", i.Title, MaxIncidentTitle); err != nil {
		return err
	}
	if strings.TrimSpace(i.Description) == "" {
		i.Description = ""
		return nil
	}
	i.Description, err = checkText("description", i.Description, MaxIncidentDescription)
	return err
}

// Begin says whether somebody works on it. Closing and reopening have reasons and
// methods of their own.
func (i *Incident) Begin(status IncidentStatus) error {
	switch {
	case status == IncidentClosed:
		return InputErrorf("status", "close an incident with incidentClose: that asks for a reason")
	case i.Status == IncidentClosed:
		return Errorf(CodeConflict, "the incident is closed; reopen it first")
	}
	i.Status = status
	return nil
}

// Close ends the work on an open incident. Without a disposition it says nothing
// of what the incident was.
func (i *Incident) Close(d AlertDisposition, reason string, now time.Time) error {
	if i.Status == IncidentClosed {
		return Errorf(CodeConflict, "the incident is closed already")
	}
	reason, err := checkText("reason", reason, MaxReason)
	if err != nil {
		return err
	}
	i.Status, i.Disposition, i.Reason, i.ClosedAt = IncidentClosed, d, reason, now
	return nil
}

// Reopen takes a closed incident up again. One that was merged into another has
// nothing left to work on.
func (i *Incident) Reopen(reason string) error {
	switch {
	case i.Status != IncidentClosed:
		return Errorf(CodeConflict, "the incident is open")
	case !i.MergedIntoID.IsZero():
		return Errorf(CodeConflict, "the incident was merged into another; work on that one")
	}
	reason, err := checkText("reason", reason, MaxReason)
	if err != nil {
		return err
	}
	i.Status, i.Disposition, i.Reason, i.ClosedAt = IncidentOpen, "", reason, time.Time{}
	if !i.AssigneeID.IsZero() {
		i.Status = IncidentInProgress
	}
	return nil
}

// Take adds n alerts.
func (i *Incident) Take(n int) error {
	switch {
	case i.Status == IncidentClosed:
		return Errorf(CodeConflict, "the incident is closed; reopen it first")
	case i.AlertCount+n > MaxIncidentSize:
		return Errorf(CodeConflict, "an incident has at most %d alerts", MaxIncidentSize)
	}
	i.AlertCount += n
	return nil
}

// IncidentSpan is when an incident's alerts saw something; zero without alerts.
type IncidentSpan struct {
	ID                  ID
	FirstSeen, LastSeen time.Time
}

// IncidentGroups is how many of an incident's alerts have which status and severity.
type IncidentGroups struct {
	ID     ID
	Groups []AlertGroup
}

// IncidentEntities are the things that an incident's alerts name most often.
type IncidentEntities struct {
	ID         ID
	Hosts      []EntityCount
	Users      []EntityCount
	Addresses  []EntityCount
	Hashes     []EntityCount
	Techniques []EntityCount
	// Alerts is how many alerts, the latest, were read for it.
	Alerts     int
	IsEstimate bool // not all alerts, or not all of their events, were read
}

// EntityCount is how many alerts name something; for a hash, how many matched events.
type EntityCount struct {
	Value string
	Count int
}

// IncidentTimelineEntry is what one journal entry says of an incident or of one
// of its alerts.
type IncidentTimelineEntry struct {
	Entry   Entry
	Subject ID // the incident or the alert
}

// Changes gives what the entry did to the incident or alert.
func (e *IncidentTimelineEntry) Changes() []Change {
	var out []Change
	for _, c := range e.Entry.Body.Changes {
		if c.ID == e.Subject {
			out = append(out, c)
		}
	}
	return out
}

// Action is what was done to the incident or alert.
func (e *IncidentTimelineEntry) Action() string {
	for _, c := range e.Changes() {
		if c.Action != "" && c.Action != ActionAlertIncident {
			return c.Action
		}
	}
	return e.Entry.Body.Action
}

// Comment gives the comment that was written on the incident or alert, nil for none.
func (e *IncidentTimelineEntry) Comment() (*Comment, error) {
	for _, c := range e.Entry.Body.Changes {
		if c.Kind != KindComment || c.Action == ActionIncidentMerge {
			continue
		}
		comment, _, err := States[Comment](c)
		if err != nil || comment.AlertID == e.Subject || comment.IncidentID == e.Subject {
			return comment, err
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// IncidentFilter says which incidents, in the query and the feed alike.
type IncidentFilter struct {
	And, Or   []*IncidentFilter
	Not       *IncidentFilter
	Query     *string // see line
	Status    *IncidentStatusFilter
	Severity  *SeverityFilter
	Title     *StringFilter
	Assignee  *IDFilter
	CreatedAt *TimeFilter
	UpdatedAt *TimeFilter

	Description *StringFilter
	Disposition *AlertDispositionFilter
	Grouping    *IDFilter
	AlertCount  *IntFilter
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
	b.line(p, lineNouns[LineIncidents], f.Query)
	if f.Status != nil {
		addEnum(b, p, "status", f.Status.Eq, f.Status.In)
	}
	b.severity(p, "severity", f.Severity)
	b.text(p, "title", f.Title)
	b.id(p, "assignee", KindUser, f.Assignee)
	b.time(p, "createdAt", f.CreatedAt)
	b.time(p, "updatedAt", f.UpdatedAt)
	b.text(p, "description", f.Description)
	if f.Disposition != nil {
		addEnum(b, p, "disposition", f.Disposition.Eq, f.Disposition.In)
		b.text(p, "disposition", &StringFilter{Exists: f.Disposition.Exists})
	}
	b.id(p, "grouping", KindIncidentGrouping, f.Grouping)
	b.number(p, "alertCount", f.AlertCount)
}

func (i *Incident) filterTexts(f FilterField) []string {
	switch f {
	case "title":
		return []string{Fold(i.Title)}
	case "description":
		return []string{Fold(i.Description)}
	case "disposition":
		return []string{Fold(string(i.Disposition))}
	}
	panic(unknownField(f))
}

func (i *Incident) filterEnum(f FilterField) string {
	switch f {
	case "status":
		return string(i.Status)
	case "severity":
		return string(i.Severity)
	case "disposition":
		return string(i.Disposition)
	}
	panic(unknownField(f))
}

func (i *Incident) filterNumber(f FilterField) int64 {
	if f == "alertCount" {
		return int64(i.AlertCount)
	}
	panic(unknownField(f))
}

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
	switch f {
	case "assignee":
		return i.AssigneeID
	case "grouping":
		return i.GroupingID
	}
	panic(unknownField(f))
}
