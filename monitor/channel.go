package monitor

import (
	"strings"
	"time"
)

// Channel tells people, or the tools they work with, of alerts in words. Its JSON
// form is the snapshot that the journal keeps; the secret and the state of
// deliveries are no part of that.
type Channel struct {
	ID       ID              `json:"id"`
	Version  int             `json:"version"`
	Name     string          `json:"name"`
	Kind     ChannelKind     `json:"kind"`
	Settings ChannelSettings `json:"settings"`
	OwnerID  ID              `json:"ownerId"`
	// Role is what it reads as: its maker's. It stops when the owner has less.
	Role    Role           `json:"role"`
	Query   string         `json:"query"` // a query line of alerts; empty: all
	Trigger ChannelTrigger `json:"trigger"`
	// AfterMinutes is how long an alert may go unacknowledged, for TriggerUnacknowledged.
	AfterMinutes int `json:"afterMinutes"`
	// GroupMinutes is how far apart messages are at least: what comes between is
	// summed up in the next. 0: each alert is a message of its own.
	GroupMinutes int          `json:"groupMinutes"`
	Quiet        *QuietHours  `json:"quiet,omitempty"`
	Template     NoticeFormat `json:"template"`
	Enabled      bool         `json:"enabled"`
	Pause        PauseReason  `json:"pause"`
	PauseText    string       `json:"pauseText"`
	SecretAt     time.Time    `json:"secretAt"` // when the secret was given; zero: there is none
	CreatedAt    time.Time    `json:"createdAt"`
	UpdatedAt    time.Time    `json:"updatedAt"`

	Queue DeliveryQueue `json:"-"`
}

// ChannelKind is where a channel leads.
type ChannelKind string

// The kinds, as in the schema.
const (
	ChannelSlack     ChannelKind = "SLACK"
	ChannelTeams     ChannelKind = "TEAMS"
	ChannelEmail     ChannelKind = "EMAIL"
	ChannelPagerDuty ChannelKind = "PAGERDUTY"
	ChannelJira      ChannelKind = "JIRA"
	ChannelGitHub    ChannelKind = "GITHUB"
	ChannelGeneric   ChannelKind = "GENERIC"
)

// ChannelTrigger is what a channel tells of.
type ChannelTrigger string

// The triggers, as in the schema.
const (
	TriggerAlert          ChannelTrigger = "ALERT"          // an alert came to match
	TriggerUnacknowledged ChannelTrigger = "UNACKNOWLEDGED" // it did, and nobody has looked after it since
)

// NoticeFormat are templates of what a channel says; empty: the usual words.
type NoticeFormat struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// Bounds of channels.
const (
	MaxChannels          = 200
	MaxChannelSecret     = 2_000       // bytes
	MaxChannelAfter      = 7 * 24 * 60 // minutes
	MaxChannelGroup      = 24 * 60     // minutes
	maxNoticeSubject     = 500         // bytes of a template
	maxNoticeText        = 8 << 10     // likewise
	maxChannelRecipients = 50
)

// GlobalID is the channel's id in the graph.
func (c *Channel) GlobalID() string { return GlobalID(KindChannel, c.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*Channel) IsNode() {}

// State tells whether it works.
func (c *Channel) State() WebhookState { return queueState(c.Enabled, c.Pause, &c.Queue) }

// Check gives BAD_INPUT for a channel that cannot be. Whether its templates can be
// executed is another's to tell.
func (c *Channel) Check() (err error) {
	if c.Name, err = checkText("name", c.Name, MaxWebhookName); err != nil {
		return err
	}
	if err := c.Settings.check(c.Kind); err != nil {
		return err
	}
	return c.CheckNotice()
}

// CheckNotice is Check of what says what is told, and when: a preview has nothing else.
func (c *Channel) CheckNotice() error {
	if err := CheckLine(LineAlerts, c.Query); err != nil {
		return err
	}
	switch c.Trigger {
	case TriggerAlert:
		c.AfterMinutes = 0
	case TriggerUnacknowledged:
		if c.AfterMinutes < 1 || c.AfterMinutes > MaxChannelAfter {
			return InputErrorf("afterMinutes", "1 to %d minutes, not %d", MaxChannelAfter, c.AfterMinutes)
		}
	default:
		return InputErrorf("trigger", "there is no trigger %q", c.Trigger)
	}
	if c.GroupMinutes < 0 || c.GroupMinutes > MaxChannelGroup {
		return InputErrorf("groupMinutes", "0 (each alert by itself) to %d minutes, not %d", MaxChannelGroup, c.GroupMinutes)
	}
	if len(c.Template.Subject) > maxNoticeSubject || strings.ContainsAny(c.Template.Subject, "\r\n") {
		return InputErrorf("template.subject", "one line of at most %d bytes", maxNoticeSubject)
	}
	if len(c.Template.Text) > maxNoticeText {
		return InputErrorf("template.text", "the template has %d bytes, at most %d are kept", len(c.Template.Text), maxNoticeText)
	}
	if c.Quiet != nil {
		return c.Quiet.check()
	}
	return nil
}

// Cursor is its place: all up to here was told or waits.
func (c *Channel) Cursor() string { return c.Queue.Reached }

// Waiting is how many messages have not arrived yet.
func (c *Channel) Waiting() int { return c.Queue.Waiting }

// What the schema calls null is the zero value here.

// NullablePause is Pause, nil while it did not stop by itself.
func (c *Channel) NullablePause() *PauseReason { return nullable(c.Pause) }

// NullablePauseText is PauseText, nil while it did not stop by itself.
func (c *Channel) NullablePauseText() *string { return nullable(c.PauseText) }

// NullablePausedAt is when it stopped by itself, nil while it did not.
func (c *Channel) NullablePausedAt() *time.Time { return nullableTime(c.Queue.PausedAt) }

// NullableFailingSince is since when nothing has arrived, nil where the last one did.
func (c *Channel) NullableFailingSince() *time.Time { return nullableTime(c.Queue.FailingSince) }

// NullableLastSuccess is when the latest arrived, nil for none yet.
func (c *Channel) NullableLastSuccess() *time.Time { return nullableTime(c.Queue.LastSuccess) }

// NullableLastError is what the last try said, nil when it arrived.
func (c *Channel) NullableLastError() *string { return nullable(c.Queue.LastError) }

// NullableSecretAt is SecretAt, nil without a secret.
func (c *Channel) NullableSecretAt() *time.Time { return nullableTime(c.SecretAt) }
