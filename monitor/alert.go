package monitor

import (
	"crypto/sha256"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// Alert is a rule's finding that somebody should look at. Matches of one rule
// about the same host, user and source join one open alert.
//
// Its JSON form is the snapshot that the journal keeps; no field may be left
// out of it when empty, because before-values are laid over a snapshot.
type Alert struct {
	ID             ID               `json:"id"`
	Version        int              `json:"version"`
	Title          string           `json:"title"`
	Severity       Severity         `json:"severity"`
	RuleSeverity   Severity         `json:"ruleSeverity"` // Severity until somebody overrides it
	Status         AlertStatus      `json:"status"`
	Disposition    AlertDisposition `json:"disposition"` // empty while open
	Reason         string           `json:"reason"`
	AssigneeID     ID               `json:"assigneeId"` // zero: nobody
	Count          int              `json:"count"`
	FirstSeen      time.Time        `json:"firstSeen"`
	LastSeen       time.Time        `json:"lastSeen"`
	CreatedAt      time.Time        `json:"createdAt"`
	UpdatedAt      time.Time        `json:"updatedAt"`
	AcknowledgedAt time.Time        `json:"acknowledgedAt"` // zero: never
	StartedAt      time.Time        `json:"startedAt"`      // zero: nobody has begun to work on it
	ClosedAt       time.Time        `json:"closedAt"`       // zero: open
	Host           string           `json:"host"`
	User           string           `json:"user"`
	SrcIP          netip.Addr       `json:"sourceIp"`
	SrcPort        uint16           `json:"sourcePort"`
	DstIP          netip.Addr       `json:"destinationIp"`
	DstPort        uint16           `json:"destinationPort"`
	Process        string           `json:"process"`
	FileHash       string           `json:"fileHash"`
	Techniques     []string         `json:"techniques"`
	Tags           []string         `json:"tags"`
	RuleID         ID               `json:"ruleId"`
	RuleVersion    int              `json:"ruleVersion"`
	RuleAuthor     string           `json:"ruleAuthor"`
	Comments       int              `json:"comments"`
	MergedInto     ID               `json:"mergedInto"` // zero: it stands for itself
	ClaimedBy      ID               `json:"claimedBy"`  // whoever looks at it until ClaimedUntil
	ClaimedUntil   time.Time        `json:"claimedUntil"`
	DedupKey       []byte           `json:"dedupKey"`
	IncidentID     ID               `json:"incidentId"` // zero: it belongs to none
}

// GlobalID is the alert's id in the graph.
func (a *Alert) GlobalID() string { return GlobalID(KindAlert, a.ID.String()) }

// NullableDisposition and the like are what the schema shows: null for none.
func (a *Alert) NullableDisposition() *AlertDisposition { return nullable(a.Disposition) }

// NullableReason is Reason, nil while there is none.
func (a *Alert) NullableReason() *string { return nullable(a.Reason) }

// NullableAcknowledgedAt is AcknowledgedAt, nil for never.
func (a *Alert) NullableAcknowledgedAt() *time.Time { return nullableTime(a.AcknowledgedAt) }

// NullableStartedAt is StartedAt, nil for never.
func (a *Alert) NullableStartedAt() *time.Time { return nullableTime(a.StartedAt) }

// NullableClosedAt is ClosedAt, nil while open.
func (a *Alert) NullableClosedAt() *time.Time { return nullableTime(a.ClosedAt) }

// AlertStatus is where an alert is in its life.
type AlertStatus string

// The statuses.
const (
	AlertNew          AlertStatus = "NEW"
	AlertAcknowledged AlertStatus = "ACKNOWLEDGED"
	AlertInProgress   AlertStatus = "IN_PROGRESS"
	AlertClosed       AlertStatus = "CLOSED"
)

// AlertStatuses lists all statuses.
var AlertStatuses = []AlertStatus{AlertNew, AlertAcknowledged, AlertInProgress, AlertClosed}

// AlertDisposition is what a closed alert turned out to be.
type AlertDisposition string

// The dispositions.
const (
	TruePositive  AlertDisposition = "TRUE_POSITIVE"
	Benign        AlertDisposition = "BENIGN"
	FalsePositive AlertDisposition = "FALSE_POSITIVE"
	Duplicate     AlertDisposition = "DUPLICATE"
)

// AlertDispositions lists all dispositions.
var AlertDispositions = []AlertDisposition{TruePositive, Benign, FalsePositive, Duplicate}

// Bounds of what analysts write, in characters.
const (
	MaxReason  = 2_000
	MaxComment = 10_000
)

// Acknowledge says that somebody looks after the alert.
func (a *Alert) Acknowledge(now time.Time) error {
	if a.Status == AlertClosed {
		return Errorf(CodeConflict, "the alert is closed; reopen it first")
	}
	if a.Status == AlertNew {
		a.Status, a.AcknowledgedAt = AlertAcknowledged, now
	}
	return nil
}

// Close ends the alert with a finding and a reason.
func (a *Alert) Close(d AlertDisposition, reason string, now time.Time) error {
	if a.Status == AlertClosed {
		return Errorf(CodeConflict, "the alert is closed already")
	}
	reason, err := checkText("reason", reason, MaxReason)
	if err != nil {
		return err
	}
	a.Status, a.Disposition, a.Reason, a.ClosedAt = AlertClosed, d, reason, now
	return nil
}

// Reopen takes a closed alert up again. The store refuses it while another open
// alert has the same DedupKey.
func (a *Alert) Reopen(reason string) error {
	if a.Status != AlertClosed {
		return Errorf(CodeConflict, "the alert is open")
	}
	reason, err := checkText("reason", reason, MaxReason)
	if err != nil {
		return err
	}
	if !a.MergedInto.IsZero() {
		return Errorf(CodeConflict, "the alert is merged into another; detach it first")
	}
	a.reopen(reason)
	return nil
}

// Absorb adds the matches of other, a newer finding with the same DedupKey.
func (a *Alert) Absorb(other *Alert) {
	a.Count += other.Count
	if other.FirstSeen.Before(a.FirstSeen) {
		a.FirstSeen = other.FirstSeen
	}
	if other.LastSeen.After(a.LastSeen) {
		a.LastSeen = other.LastSeen
	}
}

// Evidence is one matched event of an alert.
type Evidence struct {
	AlertID     ID
	Event       EventID
	RuleVersion int // that fired; 0: the alert's, noted by a release that did not know
	Matched     []MatchedField
}

// Comment is what somebody wrote on an alert or an incident.
type Comment struct {
	ID         ID        `json:"id"`
	AlertID    ID        `json:"alertId"`    // zero: it is on an incident
	IncidentID ID        `json:"incidentId"` // zero: it is on an alert
	AuthorID   ID        `json:"authorId"`   // zero: an API token
	Body       string    `json:"body"`
	CreatedAt  time.Time `json:"createdAt"`
}

// GlobalID is the comment's id in the graph.
func (c *Comment) GlobalID() string { return GlobalID(KindComment, c.ID.String()) }

// Check trims the body and gives an error when it is empty or too long.
func (c *Comment) Check() (err error) {
	c.Body, err = checkText("body", c.Body, MaxComment)
	return err
}

func checkText(name, text string, most int) (string, error) {
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return "", InputErrorf(name, "%s must not be empty", name)
	case n > most:
		return "", InputErrorf(name, "%s has %d characters, at most %d are allowed", name, n, most)
	}
	if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		return "", InputErrorf(name, "%s holds characters that are not text", name)
	}
	return text, nil
}

// NewAlert makes the alert that a finding about an event raises when no open
// one with the same DedupKey is there.
func NewAlert(id ID, rule *Rule, ev *Event, now time.Time) *Alert {
	return &Alert{
		ID: id, Version: 1, Title: rule.Title, Severity: rule.Level, RuleSeverity: rule.Level, Status: AlertNew, Count: 1,
		FirstSeen: ev.OccurredAt, LastSeen: ev.OccurredAt, CreatedAt: now, UpdatedAt: now,
		Host: ev.Host, User: ev.User, SrcIP: ev.SrcIP, SrcPort: ev.SrcPort, DstIP: ev.DstIP, DstPort: ev.DstPort, Process: ev.Process, FileHash: ev.FileHash,
		Techniques: nonNil(rule.Techniques), Tags: nonNil(rule.Tags),
		RuleID: rule.ID, RuleVersion: rule.Version, RuleAuthor: rule.Author, DedupKey: DedupKey(rule, ev),
	}
}

// DedupKey tells which matches belong together: those of one rule about the
// same host, user and source address.
func DedupKey(rule *Rule, ev *Event) []byte {
	h := sha256.New()
	h.Write(rule.ID[:])
	for _, part := range []string{ev.Host, ev.User, ev.SrcIP.String()} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

func nonNil(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}
