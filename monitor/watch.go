package monitor

import (
	"net/netip"
	"strings"
)

// EntityKind is what kind of thing is watched.
type EntityKind string

// The kinds, as in the schema.
const (
	EntityAddress EntityKind = "ADDRESS"
	EntityHost    EntityKind = "HOST"
	EntityHash    EntityKind = "HASH"
	EntityUser    EntityKind = "USER"
)

// Watch is what an entity looks like in events and in alerts.
type Watch struct {
	Events, Alerts Predicate
}

// NewWatch checks an entity and says how to find it: an address as source or
// destination, a host, hash or user by name, without regard to case. Anything
// that cannot be one is BAD_INPUT.
func NewWatch(kind EntityKind, value string) (Watch, error) {
	value = strings.TrimSpace(value)
	if value == "" || len(value) > maxFilterText {
		return Watch{}, &Error{Code: CodeBadInput, Message: "value: an entity has 1 to 1000 bytes", Path: []string{"value"}}
	}
	events, alerts := &EventFilter{}, &AlertFilter{}
	is := &StringFilter{Eq: &value}
	switch kind {
	case EntityAddress:
		ip, err := netip.ParseAddr(value)
		if err != nil {
			return Watch{}, &Error{Code: CodeBadInput, Message: "value: not an IP address", Path: []string{"value"}}
		}
		text := ip.Unmap().String()
		address := &IPFilter{Eq: &text}
		events.Or = []*EventFilter{{SourceIP: address}, {DestinationIP: address}}
		alerts.Or = []*AlertFilter{{SourceIP: address}, {DestinationIP: address}}
	case EntityHost:
		events.Host, alerts.Host = is, is
	case EntityUser:
		events.User, alerts.User = is, is
	case EntityHash:
		events.FileHash, alerts.FileHash = is, is
	default:
		return Watch{}, &Error{Code: CodeBadInput, Message: "kind: no kind of entity", Path: []string{"kind"}}
	}
	var w Watch
	var err error
	if w.Events, err = events.Compile(); err == nil {
		w.Alerts, err = alerts.Compile()
	}
	return w, err
}
