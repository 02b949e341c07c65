package monitor

import (
	"bytes"
	"encoding/json"
	"time"
)

// Webhook sends what a subscription says to an address. Its JSON form is the
// snapshot that the journal keeps; secrets and the state of deliveries are no part
// of that.
type Webhook struct {
	ID      ID     `json:"id"`
	Version int    `json:"version"`
	Name    string `json:"name"`
	URL     string `json:"url"`
	OwnerID ID     `json:"ownerId"`
	// Role is what it reads as: its maker's. It stops when the owner has less.
	Role        Role            `json:"role"`
	Document    string          `json:"document"`  // one subscription
	Variables   json.RawMessage `json:"variables"` // an object
	Concurrency int             `json:"concurrency"`
	Enabled     bool            `json:"enabled"`
	Pause       PauseReason     `json:"pause"`
	PauseText   string          `json:"pauseText"`
	SecretAt    time.Time       `json:"secretAt"` // when the secret was made
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`

	PreviousUntil time.Time     `json:"-"` // until when the secret before signs too; zero: there is none
	Queue         DeliveryQueue `json:"-"`
}

// WebhookState tells whether a webhook works.
type WebhookState string

// The states, as in the schema.
const (
	WebhookActive   WebhookState = "ACTIVE"
	WebhookFailing  WebhookState = "FAILING"  // it is tried again
	WebhookPaused   WebhookState = "PAUSED"   // it stopped by itself
	WebhookDisabled WebhookState = "DISABLED" // somebody switched it off
)

// Bounds of webhooks.
const (
	MaxWebhooks           = 200
	MaxWebhookName        = 100   // characters
	MaxWebhookURL         = 2_000 // bytes
	MaxWebhookConcurrency = 10
	MaxSecretOverlap      = 7 * 24 * time.Hour
	maxWebhookDocument    = 32 << 10 // bytes, as of variables
)

// GlobalID is the webhook's id in the graph.
func (w *Webhook) GlobalID() string { return GlobalID(KindWebhook, w.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*Webhook) IsNode() {}

// State tells whether it works.
func (w *Webhook) State() WebhookState { return queueState(w.Enabled, w.Pause, &w.Queue) }

// queueState is the state of what has a queue.
func queueState(enabled bool, pause PauseReason, q *DeliveryQueue) WebhookState {
	switch {
	case !enabled:
		return WebhookDisabled
	case pause != "":
		return WebhookPaused
	case !q.FailingSince.IsZero():
		return WebhookFailing
	default:
		return WebhookActive
	}
}

// Check gives BAD_INPUT for a webhook that cannot be. Whether the document fits the
// schema, and where the address leads, is another's to tell.
func (w *Webhook) Check() (err error) {
	if w.Name, err = checkText("name", w.Name, MaxWebhookName); err != nil {
		return err
	}
	if w.URL, err = checkAddress("url", w.URL); err != nil {
		return err
	}
	if w.Concurrency < 1 || w.Concurrency > MaxWebhookConcurrency {
		return InputErrorf("concurrency", "1 (in order) to %d at once", MaxWebhookConcurrency)
	}
	return w.CheckOperation()
}

// CheckOperation is Check of what says what is sent: a preview has nothing else.
func (w *Webhook) CheckOperation() error {
	if len(w.Document) > maxWebhookDocument {
		return InputErrorf("document", "the document has %d bytes, at most %d are kept", len(w.Document), maxWebhookDocument)
	}
	if len(w.Variables) > maxWebhookDocument {
		return InputErrorf("variables", "the variables have %d bytes, at most %d are kept", len(w.Variables), maxWebhookDocument)
	}
	var object map[string]any
	var compact bytes.Buffer
	if json.Unmarshal(w.Variables, &object) != nil || object == nil || json.Compact(&compact, w.Variables) != nil {
		return InputErrorf("variables", "the variables are no JSON object")
	}
	w.Variables = compact.Bytes()
	return nil
}

// What the schema calls null is the zero value here.

// NullablePause is Pause, nil while it did not stop by itself.
func (w *Webhook) NullablePause() *PauseReason { return nullable(w.Pause) }

// NullablePauseText is PauseText, nil while it did not stop by itself.
func (w *Webhook) NullablePauseText() *string { return nullable(w.PauseText) }

// NullablePausedAt is when it stopped by itself, nil while it did not.
func (w *Webhook) NullablePausedAt() *time.Time { return nullableTime(w.Queue.PausedAt) }

// NullableFailingSince is since when nothing has arrived, nil where the last one did.
func (w *Webhook) NullableFailingSince() *time.Time { return nullableTime(w.Queue.FailingSince) }

// NullableLastSuccess is when the latest arrived, nil for none yet.
func (w *Webhook) NullableLastSuccess() *time.Time { return nullableTime(w.Queue.LastSuccess) }

// NullableLastError is what the last try said, nil when it arrived.
func (w *Webhook) NullableLastError() *string { return nullable(w.Queue.LastError) }

// NullablePreviousUntil is until when the secret before signs too, nil when it does not.
func (w *Webhook) NullablePreviousUntil() *time.Time { return nullableTime(w.PreviousUntil) }

// Waiting is how many deliveries have not arrived yet.
func (w *Webhook) Waiting() int { return w.Queue.Waiting }

// Cursor is the webhook's place in the journal.
func (w *Webhook) Cursor() string { return w.Queue.Reached }
