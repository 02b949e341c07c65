package monitor

import (
	"io"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/page"
)

// The lists of the schema. GraphQL has no generics: these are their names there.
type (
	EventConnection    = page.Connection[*Event]
	EventEdge          = page.Edge[*Event]
	AlertConnection    = page.Connection[*Alert]
	AlertEdge          = page.Edge[*Alert]
	EvidenceConnection = page.Connection[*Evidence]
	EvidenceEdge       = page.Edge[*Evidence]
	CommentConnection  = page.Connection[*Comment]
	CommentEdge        = page.Edge[*Comment]
	RuleConnection     = page.Connection[*Rule]
	RuleEdge           = page.Edge[*Rule]
	UserConnection     = page.Connection[*User]
	UserEdge           = page.Edge[*User]
	JournalConnection  = page.Connection[*JournalEntry]
	JournalEdge        = page.Edge[*JournalEntry]
)

// Node is anything that has a global id.
type Node interface{ IsNode() }

// IsNode marks the types of the schema's interface Node.
func (*Event) IsNode() {}

// IsNode marks the types of the schema's interface Node.
func (*Alert) IsNode() {}

// IsNode marks the types of the schema's interface Node.
func (*Rule) IsNode() {}

// IsNode marks the types of the schema's interface Node.
func (*User) IsNode() {}

// IsNode marks the types of the schema's interface Node.
func (*Comment) IsNode() {}

// JournalEntry is what one entry says of one entity.
type JournalEntry struct {
	Cursor  string // the feed's position behind the entry
	Seq     uint64
	At      time.Time
	Actor   Actor
	Action  string
	Changes []*FieldChange
}

// MarshalGQL writes the instant as the filter was given it. Filters are input
// only; gqlgen asks for it all the same.
func (t TimeInput) MarshalGQL(w io.Writer) {
	_, _ = io.WriteString(w, strconv.Quote(t.fixed.Format("2006-01-02T15:04:05.999999Z07:00")))
}

// UnmarshalGQL reads what ParseTimeInput reads.
func (t *TimeInput) UnmarshalGQL(v any) (err error) {
	text, ok := v.(string)
	if !ok {
		return Errorf(CodeBadInput, "a time is a string, not %T", v)
	}
	*t, err = ParseTimeInput(text)
	return err
}
