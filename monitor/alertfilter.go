package monitor

import (
	"net/netip"
	"time"
)

// AlertFilter says which alerts, in the query, the counts and the feed alike.
type AlertFilter struct {
	And, Or       []*AlertFilter
	Not           *AlertFilter
	Query         *string // see line
	Status        *AlertStatusFilter
	Disposition   *AlertDispositionFilter
	Severity      *SeverityFilter
	Title         *StringFilter
	Rule          *IDFilter
	Assignee      *IDFilter
	Incident      *IDFilter
	Host          *StringFilter
	User          *StringFilter
	SourceIP      *IPFilter
	DestinationIP *IPFilter
	Process       *StringFilter
	FileHash      *StringFilter
	MergedInto    *IDFilter
	Techniques    *StringListFilter
	Tags          *StringListFilter
	Count         *IntFilter
	FirstSeen     *TimeFilter
	LastSeen      *TimeFilter
	CreatedAt     *TimeFilter
	UpdatedAt     *TimeFilter
	Text          *StringFilter
}

// AlertOrder is an order of the list of alerts.
type AlertOrder string

// The orders, as in the schema.
const (
	AlertsByLastSeen AlertOrder = "LAST_SEEN_DESC"
	AlertsByCreated  AlertOrder = "CREATED_AT_DESC"
	AlertsBySeverity AlertOrder = "SEVERITY_DESC"
)

// AlertOrders lists all orders.
var AlertOrders = []AlertOrder{AlertsByLastSeen, AlertsByCreated, AlertsBySeverity}

// AlertGroup is how many alerts have this status and severity.
type AlertGroup struct {
	Status   AlertStatus
	Severity Severity
	Count    int
}

// AlertStatusFilter compares a status.
type AlertStatusFilter struct {
	Eq *AlertStatus
	In []AlertStatus
}

// AlertDispositionFilter compares a finding.
type AlertDispositionFilter struct {
	Eq     *AlertDisposition
	In     []AlertDisposition
	Exists *bool
}

// Compile checks the filter and gives its predicate. A nil filter holds for
// everything. Errors have code BAD_INPUT and name the field.
func (f *AlertFilter) Compile() (Predicate, error) {
	b := &filterBuilder{}
	p := buildTree(b, f, 0, b.alertTests, func(f *AlertFilter) (and, or []*AlertFilter, not *AlertFilter) { return f.And, f.Or, f.Not })
	return p, b.err
}

func (b *filterBuilder) alertTests(p *Predicate, f *AlertFilter) {
	b.line(p, lineNouns[LineAlerts], f.Query)
	if f.Status != nil {
		addEnum(b, p, "status", f.Status.Eq, f.Status.In)
	}
	if f.Disposition != nil {
		addEnum(b, p, "disposition", f.Disposition.Eq, f.Disposition.In)
		b.text(p, "disposition", &StringFilter{Exists: f.Disposition.Exists})
	}
	b.severity(p, "severity", f.Severity)
	b.text(p, "title", f.Title)
	b.id(p, "rule", KindRule, f.Rule)
	b.id(p, "assignee", KindUser, f.Assignee)
	b.id(p, "incident", KindIncident, f.Incident)
	b.text(p, "host", f.Host)
	b.text(p, "user", f.User)
	b.ip(p, "sourceIp", f.SourceIP)
	b.ip(p, "destinationIp", f.DestinationIP)
	b.text(p, "process", f.Process)
	b.text(p, "fileHash", f.FileHash)
	b.id(p, "mergedInto", KindAlert, f.MergedInto)
	b.list(p, "techniques", f.Techniques)
	b.list(p, "tags", f.Tags)
	b.number(p, "count", f.Count)
	b.time(p, "firstSeen", f.FirstSeen)
	b.time(p, "lastSeen", f.LastSeen)
	b.time(p, "createdAt", f.CreatedAt)
	b.time(p, "updatedAt", f.UpdatedAt)
	b.text(p, "text", f.Text)
}

func (a *Alert) filterTexts(f FilterField) []string {
	switch f {
	case "disposition":
		return []string{Fold(string(a.Disposition))}
	case "title":
		return []string{Fold(a.Title)}
	case "host":
		return []string{Fold(a.Host)}
	case "user":
		return []string{Fold(a.User)}
	case "process":
		return []string{Fold(a.Process)}
	case "fileHash":
		return []string{Fold(a.FileHash)}
	case "techniques":
		return mapEach(a.Techniques, Fold)
	case "tags":
		return mapEach(a.Tags, Fold)
	case "text":
		return []string{Fold(a.Title), Fold(a.Host), Fold(a.User), Fold(a.Process)}
	}
	panic(unknownField(f))
}

func (a *Alert) filterEnum(f FilterField) string {
	switch f {
	case "status":
		return string(a.Status)
	case "disposition":
		return string(a.Disposition)
	case "severity":
		return string(a.Severity)
	}
	panic(unknownField(f))
}

func (a *Alert) filterNumber(f FilterField) int64 {
	if f == "count" {
		return int64(a.Count)
	}
	panic(unknownField(f))
}

func (a *Alert) filterTime(f FilterField) time.Time {
	switch f {
	case "firstSeen":
		return a.FirstSeen
	case "lastSeen":
		return a.LastSeen
	case "createdAt":
		return a.CreatedAt
	case "updatedAt":
		return a.UpdatedAt
	}
	panic(unknownField(f))
}

func (a *Alert) filterIP(f FilterField) netip.Addr {
	switch f {
	case "sourceIp":
		return a.SrcIP
	case "destinationIp":
		return a.DstIP
	}
	panic(unknownField(f))
}

func (a *Alert) filterID(f FilterField) ID {
	switch f {
	case "rule":
		return a.RuleID
	case "assignee":
		return a.AssigneeID
	case "mergedInto":
		return a.MergedInto
	case "incident":
		return a.IncidentID
	}
	panic(unknownField(f))
}

// unknownField is the text of a panic: only a programming error leads there.
func unknownField(f FilterField) string {
	return "monitor: filter field " + string(f) + " is not mapped"
}
