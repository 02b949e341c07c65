package monitor

import (
	"net/netip"
	"strings"
	"time"
)

// AlertMember says which rule found which event of an alert that a correlation raised.
type AlertMember struct {
	Rule       ID
	Event      EventID
	OccurredAt time.Time
	Value      string // what value_count looked at, empty otherwise
}

// MemberID gives the id of a rule that the correlation counts; the zero ID where
// nobody has linked it.
func (c *Correlation) MemberID(member int) []byte {
	var id ID
	if member < len(c.Members) {
		id = c.Members[member]
	}
	return id[:]
}

// Matched shows in which group an event was counted.
func (c *Correlation) Matched(group []string) []MatchedField {
	out := make([]MatchedField, 0, len(group))
	for i, value := range group {
		if i < len(c.GroupBy) {
			out = append(out, MatchedField{Field: c.GroupBy[i], Value: value, Selection: "group-by"})
		}
	}
	return out
}

const maxGroupTitle = 200 // characters of a group's values in an alert's title

// NewCorrelationAlert makes the alert that a correlation raises by an event. It is
// about what all events of the group have in common: of host, user and addresses it
// has those that are values of the group. Its DedupKey is the rule's and the group's.
func NewCorrelationAlert(id ID, rule *Rule, group []string, ev *Event, now time.Time) *Alert {
	a := NewAlert(id, rule, ev, now)
	a.Host, a.User, a.SrcIP, a.DstIP, a.SrcPort, a.DstPort, a.Process, a.FileHash = "", "", netip.Addr{}, netip.Addr{}, 0, 0, "", ""
	for _, value := range group {
		addr, err := netip.ParseAddr(value)
		switch {
		case strings.EqualFold(value, ev.Host):
			a.Host = ev.Host
		case strings.EqualFold(value, ev.User):
			a.User = ev.User
		case err == nil && addr.Unmap() == ev.DstIP.Unmap():
			a.DstIP = ev.DstIP
		case err == nil && !a.SrcIP.IsValid():
			a.SrcIP = addr.Unmap()
		case strings.EqualFold(value, ev.Process):
			a.Process = ev.Process
		case strings.EqualFold(value, ev.FileHash):
			a.FileHash = ev.FileHash
		}
	}
	if len(group) > 0 {
		a.Title = rule.Title + " (" + clip(strings.Join(group, ", "), maxGroupTitle) + ")"
	}
	key := keyOf(append([]string{rule.ID.String()}, group...))
	a.DedupKey = key[:]
	return a
}
