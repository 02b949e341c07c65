package monitor

import "time"

// Observable is something in an event that can be asked about: what else names it?
type Observable struct {
	Kind  EntityKind
	Value string
	Field string // of the event, where it stands
}

// Observables are what an event names, without what is empty.
func (e *Event) Observables() []*Observable {
	out := []*Observable{}
	for _, o := range []Observable{
		{EntityHost, e.Host, "host"}, {EntityUser, e.User, "user"}, {EntityHash, e.FileHash, "fileHash"},
	} {
		if o.Value != "" {
			out = append(out, &o)
		}
	}
	if e.SrcIP.IsValid() {
		out = append(out, &Observable{EntityAddress, e.SrcIP.Unmap().String(), "source.ip"})
	}
	if e.DstIP.IsValid() {
		out = append(out, &Observable{EntityAddress, e.DstIP.Unmap().String(), "destination.ip"})
	}
	return out
}

// Entity is an address, host, file hash or user, with the filters that find what
// names it.
type Entity struct {
	Kind   EntityKind
	Value  string
	Events *EventFilter
	Alerts *AlertFilter
}

// EventSpan is how many events match, and from when to when.
type EventSpan struct {
	Count               int
	IsEstimate          bool       // there are more: these are the latest
	FirstSeen, LastSeen *time.Time // nil without any
}
