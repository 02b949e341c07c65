package monitor

import (
	"errors"
	"time"
)

// DeliveryQueue is a consumer of the journal whose position is stored: what it is
// told becomes deliveries, which are sent until they arrive. It belongs to the noun
// that has its id, a webhook. Its state is no part of the journal, but for pauses:
// who follows the journal through a webhook would otherwise make it grow.
type DeliveryQueue struct {
	ID           ID
	Kind         Kind
	Active       bool   // somebody wants it to work
	Reached      string // cursor: all up to here is delivered or stands in the queue
	Pause        PauseReason
	PauseText    string
	PausedAt     time.Time
	FailingSince time.Time // the first failure since something arrived; zero: none
	LastSuccess  time.Time
	LastError    string
	Waiting      int   // deliveries that have not arrived yet
	WaitingBytes int64 // of their bodies
}

// PauseReason says why a queue stopped by itself; empty: it works.
type PauseReason string

// The reasons, as in the schema.
const (
	PauseFailing   PauseReason = "FAILING"   // nothing arrived for days
	PauseGone      PauseReason = "GONE"      // the receiver answered 410
	PauseOwner     PauseReason = "OWNER"     // its owner is disabled or may not see this any more
	PauseOperation PauseReason = "OPERATION" // the selection cannot be executed
	PauseExpired   PauseReason = "EXPIRED"   // the journal behind its position is gone
)

// DeliveryState is how far a delivery got.
type DeliveryState string

// The states, as in the schema.
const (
	DeliveryPending   DeliveryState = "PENDING"
	DeliveryDelivered DeliveryState = "DELIVERED"
	DeliveryFailed    DeliveryState = "FAILED"    // given up; it can be sent again by hand
	DeliveryCancelled DeliveryState = "CANCELLED" // a replay makes it anew
)

// Delivery is one message for one receiver. Its id is the idempotency key: it stays
// the same however often it is sent.
type Delivery struct {
	ID        ID
	Queue     ID
	Number    int64 // its place in the queue, from 1
	State     DeliveryState
	Test      bool
	Body      []byte // nil when it is kept no longer
	Bytes     int
	Attempts  int
	Log       []DeliveryAttempt // the latest, at most MaxDeliveryLog
	NextAt    time.Time
	Since     time.Time // from when on failing counts: made, or sent again by hand
	DoneAt    time.Time // zero: not yet
	CreatedAt time.Time
}

// DeliveryAttempt is one try to send.
type DeliveryAttempt struct {
	At       time.Time `json:"at"`
	Status   int       `json:"status,omitempty"` // of the answer; 0 without one
	Error    string    `json:"error,omitempty"`
	Response string    `json:"response,omitempty"` // the beginning of what came back
	Took     int       `json:"took"`               // milliseconds
}

// Bounds of deliveries.
const (
	MaxDeliveryLog      = 20
	MaxDeliveryResponse = 1_000   // bytes that are kept of an answer
	MaxDeliveryBody     = 2 << 20 // bytes
)

// GlobalID is the delivery's id in the graph.
func (d *Delivery) GlobalID() string { return GlobalID(KindDelivery, d.ID.String()) }

// MessageID is the idempotency key that receivers see.
func (d *Delivery) MessageID() string { return "msg_" + d.ID.String() }

// NullableDoneAt is DoneAt, nil while it is under way.
func (d *Delivery) NullableDoneAt() *time.Time { return nullableTime(d.DoneAt) }

// NullableNextAt is NextAt, nil when it is not tried again.
func (d *Delivery) NullableNextAt() *time.Time {
	if d.State != DeliveryPending {
		return nil
	}
	return nullableTime(d.NextAt)
}

// Lease is the right to work on a queue, until somebody else has it.
type Lease struct {
	Queue ID
	Kind  Kind
	Owner string
	Token int64 // grows with each holder
}

// ErrLeaseLost says that another replica works on the queue, or nobody may any more.
var ErrLeaseLost = errors.New("the queue is in other hands")

// NullableBody is Body as text, nil in lists and when it is kept no longer.
func (d *Delivery) NullableBody() *string {
	if d.Body == nil {
		return nil
	}
	text := string(d.Body)
	return &text
}

// NullableStatus is Status, nil without an answer.
func (a *DeliveryAttempt) NullableStatus() *int { return nullable(a.Status) }

// NullableError is Error, nil when it arrived.
func (a *DeliveryAttempt) NullableError() *string { return nullable(a.Error) }

// NullableResponse is Response, nil for none.
func (a *DeliveryAttempt) NullableResponse() *string { return nullable(a.Response) }
