package transport

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Consumer is one running subscription, as its owner and administrators see it.
type Consumer struct {
	ID        string // unique on this replica
	Operation string // the operation's name, or its field's
	Transport string
	Address   string
	Owner     monitor.Actor
	Since     time.Time
	Position  monitor.Position
	// Lag is how many entries of the journal it has not been given yet.
	Lag uint64
	// Behind is since when it has not been at the head, zero when it is.
	Behind    time.Time
	Delivered int64 // messages
}

// Consumers lists the running subscriptions of a user or token, all where of is
// zero, the longest first.
func (s *Server) Consumers(of monitor.ID) []Consumer {
	head := s.Hub.Head()
	var all []Consumer
	for _, c := range s.connections() {
		viewer := c.who()
		if viewer == nil || !of.IsZero() && viewer.Actor().ID != of {
			continue
		}
		all = append(all, c.consumers(head)...)
	}
	slices.SortFunc(all, func(a, b Consumer) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	return all
}

func (c *connection) consumers(head monitor.Position) []Consumer {
	var all []Consumer
	for op, membership := range c.subscriptions() {
		consumer := Consumer{
			ID: strconv.FormatUint(c.id, 36) + "." + op.id, Operation: op.name, Transport: c.kind, Address: c.address,
			Owner: op.viewer.Actor(), Since: op.begun, Position: head, Delivered: op.delivered.Load(),
		}
		if !op.latest {
			consumer.Position, consumer.Behind = membership.Position()
			if consumer.Position.Seq < head.Seq {
				consumer.Lag = head.Seq - consumer.Position.Seq
			}
		}
		all = append(all, consumer)
	}
	return all
}

// watchLag raises the alarm, once, about a subscription that has been behind for
// too long.
func (c *connection) watchLag(now time.Time) {
	if c.server.Lagging == nil {
		return
	}
	for op, membership := range c.subscriptions() {
		_, behind := membership.Position()
		if behind.IsZero() || now.Sub(behind) < c.server.LagBound || op.alarmed {
			continue
		}
		op.alarmed = true
		head := c.server.Hub.Head()
		for _, consumer := range c.consumers(head) {
			if consumer.ID == strconv.FormatUint(c.id, 36)+"."+op.id {
				c.server.Lagging(consumer)
			}
		}
	}
}
