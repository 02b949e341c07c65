package monitor

import (
	"net/netip"
	"time"
)

// EventFilter says which events, in the query and the feed alike.
type EventFilter struct {
	And, Or         []*EventFilter
	Not             *EventFilter
	Query           *string // see line
	OccurredAt      *TimeFilter
	ReceivedAt      *TimeFilter
	Class           *EventClassFilter
	Action          *StringFilter
	Outcome         *OutcomeFilter
	Severity        *SeverityFilter
	Product         *StringFilter
	Category        *StringFilter
	Service         *StringFilter
	Format          *StringFilter
	Host            *StringFilter
	User            *StringFilter
	SourceIP        *IPFilter
	SourcePort      *IntFilter
	DestinationIP   *IPFilter
	DestinationPort *IntFilter
	Process         *StringFilter
	Command         *StringFilter
	FileHash        *StringFilter
	FilePath        *StringFilter
	Domain          *StringFilter
	URL             *StringFilter
	Message         *StringFilter
	Raw             *StringFilter
	RawFields       []*RawFieldFilter
}

// EventOrder is an order of the list of events.
type EventOrder string

// The orders, as in the schema.
const (
	EventsByOccurred EventOrder = "OCCURRED_AT_DESC"
	EventsByReceived EventOrder = "RECEIVED_AT_DESC"
)

// EventOrders lists all orders.
var EventOrders = []EventOrder{EventsByOccurred, EventsByReceived}

// EventClassFilter compares a class.
type EventClassFilter struct {
	Eq *EventClass
	In []EventClass
}

// OutcomeFilter compares an outcome.
type OutcomeFilter struct {
	Eq *Outcome
	In []Outcome
}

// Compile checks the filter and gives its predicate. A nil filter holds for
// everything. Errors have code BAD_INPUT and name the field.
func (f *EventFilter) Compile() (Predicate, error) {
	b := &filterBuilder{}
	p := buildTree(b, f, 0, b.eventTests, func(f *EventFilter) (and, or []*EventFilter, not *EventFilter) { return f.And, f.Or, f.Not })
	return p, b.err
}

func (b *filterBuilder) eventTests(p *Predicate, f *EventFilter) {
	b.line(p, lineNouns[LineEvents], f.Query)
	b.time(p, "occurredAt", f.OccurredAt)
	b.time(p, "receivedAt", f.ReceivedAt)
	if f.Class != nil {
		addEnum(b, p, "class", f.Class.Eq, f.Class.In)
	}
	b.text(p, "action", f.Action)
	if f.Outcome != nil {
		addEnum(b, p, "outcome", f.Outcome.Eq, f.Outcome.In)
	}
	b.severity(p, "severity", f.Severity)
	b.text(p, "product", f.Product)
	b.text(p, "category", f.Category)
	b.text(p, "service", f.Service)
	b.text(p, "format", f.Format)
	b.text(p, "host", f.Host)
	b.text(p, "user", f.User)
	b.ip(p, "sourceIp", f.SourceIP)
	b.number(p, "sourcePort", f.SourcePort)
	b.ip(p, "destinationIp", f.DestinationIP)
	b.number(p, "destinationPort", f.DestinationPort)
	b.text(p, "process", f.Process)
	b.text(p, "command", f.Command)
	b.text(p, "fileHash", f.FileHash)
	b.text(p, "filePath", f.FilePath)
	b.text(p, "domain", f.Domain)
	b.text(p, "url", f.URL)
	b.text(p, "message", f.Message)
	b.text(p, "raw", f.Raw)
	for _, field := range f.RawFields {
		b.rawField(p, field)
	}
}

func (e *Event) filterTexts(f FilterField) []string {
	if path, ok := RawPath(f); ok {
		return e.Raw.at(path)
	}
	return []string{Fold(e.text(f))}
}

func (e *Event) text(f FilterField) string {
	switch f {
	case "action":
		return e.Action
	case "product":
		return e.LogSource.Product
	case "category":
		return e.LogSource.Category
	case "service":
		return e.LogSource.Service
	case "format":
		return e.Format
	case "host":
		return e.Host
	case "user":
		return e.User
	case "process":
		return e.Process
	case "command":
		return e.Command
	case "fileHash":
		return e.FileHash
	case "filePath":
		return e.FilePath
	case "domain":
		return e.Domain
	case "url":
		return e.URL
	case "message":
		return e.Message
	case "raw":
		return string(e.Raw)
	}
	panic(unknownField(f))
}

func (e *Event) filterEnum(f FilterField) string {
	switch f {
	case "class":
		return string(e.Class)
	case "outcome":
		return string(e.Outcome)
	case "severity":
		return string(e.Severity)
	}
	panic(unknownField(f))
}

func (e *Event) filterNumber(f FilterField) int64 {
	switch f {
	case "sourcePort":
		return int64(e.SrcPort)
	case "destinationPort":
		return int64(e.DstPort)
	}
	panic(unknownField(f))
}

func (e *Event) filterTime(f FilterField) time.Time {
	switch f {
	case "occurredAt":
		return e.OccurredAt
	case "receivedAt":
		return e.ReceivedAt
	}
	panic(unknownField(f))
}

func (e *Event) filterIP(f FilterField) netip.Addr {
	switch f {
	case "sourceIp":
		return e.SrcIP
	case "destinationIp":
		return e.DstIP
	}
	panic(unknownField(f))
}

func (e *Event) filterID(f FilterField) ID { panic(unknownField(f)) }
