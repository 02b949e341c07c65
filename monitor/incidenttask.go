package monitor

import "time"

// IncidentTask is one thing to do in an incident. Its JSON form is the snapshot
// that the journal keeps.
type IncidentTask struct {
	ID         ID        `json:"id"`
	IncidentID ID        `json:"incidentId"`
	Version    int       `json:"version"`
	Title      string    `json:"title"`
	Done       bool      `json:"done"`
	AssigneeID ID        `json:"assigneeId"` // zero: nobody
	DueAt      time.Time `json:"dueAt"`      // zero: no hurry
	CreatedAt  time.Time `json:"createdAt"`
	UpdatedAt  time.Time `json:"updatedAt"`
	DoneAt     time.Time `json:"doneAt"` // zero: it is to do
}

// GlobalID is the task's id in the graph.
func (t *IncidentTask) GlobalID() string { return GlobalID(KindIncidentTask, t.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*IncidentTask) IsNode() {}

// Check trims the title and gives an error when it is empty or too long.
func (t *IncidentTask) Check() (err error) {
	t.Title, err = checkText("title", t.Title, MaxIncidentTitle)
	return err
}

// SetDone says whether it is done.
func (t *IncidentTask) SetDone(done bool, now time.Time) {
	switch {
	case t.Done == done:
	case done:
		t.Done, t.DoneAt = true, now
	default:
		t.Done, t.DoneAt = false, time.Time{}
	}
}
