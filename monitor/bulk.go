package monitor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// MaxBulk is how many alerts one bulk job changes at most.
const MaxBulk = 10_000

// BulkAction is what a bulk job does to each alert.
type BulkAction string

// The actions, as in the schema; each does what the mutation of one alert does.
const (
	BulkAcknowledge BulkAction = "ACKNOWLEDGE"
	BulkStart       BulkAction = "START"
	BulkAssign      BulkAction = "ASSIGN"
	BulkClose       BulkAction = "CLOSE"
	BulkReopen      BulkAction = "REOPEN"
	BulkSetSeverity BulkAction = "SET_SEVERITY"
	BulkTag         BulkAction = "TAG"
	bulkUndo        BulkAction = "UNDO"
)

// Bulk is what a bulk job does. Its JSON form is stored with the job.
type Bulk struct {
	Action      BulkAction       `json:"action"`
	AssigneeID  ID               `json:"assigneeId"` // zero: nobody
	Disposition AlertDisposition `json:"disposition,omitempty"`
	Reason      string           `json:"reason,omitempty"`
	Severity    Severity         `json:"severity,omitempty"`
	AddTags     []string         `json:"addTags,omitempty"`
	RemoveTags  []string         `json:"removeTags,omitempty"`
}

// UndoBulk undoes what another bulk job did.
var UndoBulk = Bulk{Action: bulkUndo}

// Check says what is missing, before anything is changed.
func (b *Bulk) Check() error {
	trial := &Alert{Status: AlertNew, Severity: SeverityLow}
	switch b.Action {
	case BulkSetSeverity:
		if b.Severity == "" {
			return InputErrorf("severity", "a severity is needed")
		}
		return nil
	case BulkTag:
		if len(b.AddTags)+len(b.RemoveTags) == 0 {
			return InputErrorf("addTags", "there are no tags to add or remove")
		}
	case BulkClose:
		if b.Disposition == "" {
			return InputErrorf("disposition", "a disposition is needed")
		}
	case BulkReopen:
		trial.Status = AlertClosed
	}
	return b.Apply(trial, time.Now())
}

// Apply does to an alert what the mutation of one alert does.
func (b *Bulk) Apply(a *Alert, now time.Time) error {
	switch b.Action {
	case BulkAcknowledge:
		if !b.AssigneeID.IsZero() {
			a.AssigneeID = b.AssigneeID
		}
		return a.Acknowledge(now)
	case BulkStart:
		return a.Start(now)
	case BulkAssign:
		a.AssigneeID = b.AssigneeID
		return nil
	case BulkClose:
		return a.Close(b.Disposition, b.Reason, now)
	case BulkReopen:
		return a.Reopen(b.Reason)
	case BulkSetSeverity:
		a.SetSeverity(b.Severity)
		return nil
	case BulkTag:
		return a.Tag(b.AddTags, b.RemoveTags)
	default:
		return Errorf(CodeBadInput, "%q is no bulk action", b.Action)
	}
}

// Undo tells whether it undoes another one.
func (b *Bulk) Undo() bool { return b.Action == bulkUndo }

// JournalAction is under which name a change stands in the journal.
func (b *Bulk) JournalAction() string {
	return map[BulkAction]string{
		BulkAcknowledge: ActionAlertAcknowledge, BulkStart: ActionAlertStart, BulkAssign: ActionAlertAssign, BulkClose: ActionAlertClose,
		BulkReopen: ActionAlertReopen, BulkSetSeverity: ActionAlertSeverity, BulkTag: ActionAlertTag, bulkUndo: ActionAlertUndo,
	}[b.Action]
}

// JobItem is one of the things that a job works on.
type JobItem struct {
	Ordinal  int
	EntityID ID
	State    JobItemState
	Code     Code   // why not
	Message  string // the same for people
	// Of a change that was made: the fields that it changed, before and after.
	Was, Became json.RawMessage
}

// JobItemState is what became of an item.
type JobItemState string

// The states, as in the schema.
const (
	JobItemPending JobItemState = "PENDING"
	JobItemDone    JobItemState = "DONE"
	JobItemFailed  JobItemState = "FAILED"
)

// Changed gives the fields in which an alert differs, before and after, without
// those that every change touches.
func Changed(was, is *Alert) (before, after json.RawMessage, err error) {
	a, err := alertFields(was)
	if err != nil {
		return nil, nil, err
	}
	b, err := alertFields(is)
	if err != nil {
		return nil, nil, err
	}
	for name := range a {
		if bytes.Equal(a[name], b[name]) || name == "version" || name == "updatedAt" {
			delete(a, name)
			delete(b, name)
		}
	}
	if before, err = json.Marshal(a); err != nil {
		return nil, nil, err
	}
	after, err = json.Marshal(b)
	return before, after, err
}

// Restore gives the alert the former values of the fields that a bulk job changed.
// CONFLICT where one of them has been changed again since.
func (i *JobItem) Restore(a *Alert) error {
	now, err := alertFields(a)
	if err != nil {
		return err
	}
	var became map[string]json.RawMessage
	if err := json.Unmarshal(i.Became, &became); err != nil {
		return err
	}
	for name, left := range became {
		if !bytes.Equal(now[name], left) {
			return Errorf(CodeConflict, "somebody has changed %s since", name)
		}
	}
	return json.Unmarshal(i.Was, a)
}

func alertFields(a *Alert) (map[string]json.RawMessage, error) {
	raw, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("alert %s: %w", a.ID, err)
	}
	var fields map[string]json.RawMessage
	return fields, json.Unmarshal(raw, &fields)
}
