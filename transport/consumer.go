package transport

import (
	"slices"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// Consumers lists the subscriptions of a user or token that run on this replica,
// all where of is zero, the longest first.
func (s *Server) Consumers(of monitor.ID) []*monitor.FeedConsumer {
	var all []*monitor.FeedConsumer
	for _, c := range s.connections() {
		viewer := c.who()
		if viewer == nil || !of.IsZero() && viewer.Actor().ID != of {
			continue
		}
		for op, membership := range c.subscriptions() {
			all = append(all, op.consumer(membership))
		}
	}
	slices.SortFunc(all, monitor.CompareConsumers)
	return all
}

func (o *operation) consumer(m *feed.Membership) *monitor.FeedConsumer {
	c, head := o.conn, o.conn.server.Hub.Head()
	out := &monitor.FeedConsumer{
		ID: c.server.Replica + "." + strconv.FormatUint(c.id, 36) + "." + o.id, Replica: c.server.Replica,
		Operation: o.name, Transport: c.kind, Address: c.address, Owner: o.viewer.Actor(), Since: o.begun.UTC().Truncate(time.Microsecond),
		Position: head, Delivered: int(o.delivered.Load()),
	}
	if o.latest {
		return out // it has no position: only the newest counts
	}
	var behind time.Time
	out.Position, behind = m.Position()
	if out.Position.Seq < head.Seq {
		out.Lag = int(head.Seq - out.Position.Seq) //nolint:gosec // within retention
	}
	if !behind.IsZero() {
		out.BehindFor = time.Since(behind)
	}
	return out
}

// watchLag raises the alarm, once, about a subscription that has been behind for
// too long.
func (c *connection) watchLag() {
	if c.server.Lagging == nil {
		return
	}
	for op, membership := range c.subscriptions() {
		if op.alarmed {
			continue
		}
		if consumer := op.consumer(membership); consumer.BehindFor > c.server.LagBound {
			op.alarmed = true
			c.server.Lagging(consumer)
		}
	}
}
