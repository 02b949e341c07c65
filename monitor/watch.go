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

// NewWatch says how to find an entity; errors are NewEntity's.
func NewWatch(kind EntityKind, value string) (Watch, error) {
	e, err := NewEntity(kind, value)
	if err != nil {
		return Watch{}, err
	}
	var w Watch
	if w.Events, err = e.Events.Compile(); err == nil {
		w.Alerts, err = e.Alerts.Compile()
	}
	return w, err
}

// NewEntity checks an entity and says how to find it: an address as source or
// destination, a host, hash or user by name, without regard to case. Anything
// that cannot be one is BAD_INPUT.
func NewEntity(kind EntityKind, value string) (*Entity, error) {
	value = strings.TrimSpace(value)
	if value == "" || len(value) > maxFilterText {
		return nil, &Error{Code: CodeBadInput, Message: "value: an entity has 1 to 1000 bytes", Path: []string{"value"}}
	}
	if kind != EntityAddress {
		value = Fold(value)
	}
	e := &Entity{Kind: kind, Value: value, Events: &EventFilter{}, Alerts: &AlertFilter{}}
	is := &StringFilter{Eq: &e.Value}
	switch kind {
	case EntityAddress:
		ip, err := netip.ParseAddr(value)
		if err != nil {
			return nil, &Error{Code: CodeBadInput, Message: "value: not an IP address", Path: []string{"value"}}
		}
		e.Value = ip.Unmap().WithZone("").String()
		address := &IPFilter{Eq: &e.Value}
		e.Events.Or = []*EventFilter{{SourceIP: address}, {DestinationIP: address}}
		e.Alerts.Or = []*AlertFilter{{SourceIP: address}, {DestinationIP: address}}
	case EntityHost:
		e.Events.Host, e.Alerts.Host = is, is
	case EntityUser:
		e.Events.User, e.Alerts.User = is, is
	case EntityHash:
		e.Events.FileHash, e.Alerts.FileHash = is, is
	default:
		return nil, &Error{Code: CodeBadInput, Message: "kind: no kind of entity", Path: []string{"kind"}}
	}
	return e, nil
}
