package monitor

import (
	"cmp"
	"time"

	"github.com/security-monitor/secmon/page"
)

// FeedConsumer is one running subscription, as its owner and administrators see it.
type FeedConsumer struct {
	ID        string    `json:"id"` // unique over all replicas while it runs
	Replica   string    `json:"replica"`
	Operation string    `json:"operation"` // the operation's name, or its field's
	Transport string    `json:"transport"` // WEBSOCKET, SSE, SSE_SINGLE
	Address   string    `json:"address"`
	Owner     Actor     `json:"owner"`
	Since     time.Time `json:"since"`
	Position  Position  `json:"position"` // what it has been given
	Lag       int       `json:"lag"`      // entries of the journal that it has not been given
	// BehindFor is for how long it has not been at the head; 0 when it is.
	BehindFor time.Duration `json:"behindFor"`
	Delivered int           `json:"delivered"` // messages
}

// LagSeconds is BehindFor in seconds.
func (c *FeedConsumer) LagSeconds() float64 { return c.BehindFor.Seconds() }

// CompareConsumers orders the longest running first.
func CompareConsumers(a, b *FeedConsumer) int {
	return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
}

// FeedConsumerConnection is a page of running subscriptions.
type FeedConsumerConnection struct {
	page.Connection[*FeedConsumer]
	// Complete is false when a replica did not answer.
	Complete bool
}

// FeedConsumerEdge is one item of FeedConsumerConnection.
type FeedConsumerEdge = page.Edge[*FeedConsumer]
