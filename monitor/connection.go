package monitor

import (
	"io"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/page"
)

// The lists of the schema, by the names that they have there: GraphQL has no generics.
type (
	// EventConnection is a page of events.
	EventConnection = page.Connection[*Event]
	// EventEdge is one item of EventConnection.
	EventEdge = page.Edge[*Event]
	// AlertConnection is a page of alerts.
	AlertConnection = page.Connection[*Alert]
	// AlertEdge is one item of AlertConnection.
	AlertEdge = page.Edge[*Alert]
	// EvidenceConnection is a page of evidence.
	EvidenceConnection = page.Connection[*Evidence]
	// EvidenceEdge is one item of EvidenceConnection.
	EvidenceEdge = page.Edge[*Evidence]
	// AlertMemberConnection is a page of which rules found which events of an alert.
	AlertMemberConnection = page.Connection[*AlertMember]
	// AlertMemberEdge is one item of AlertMemberConnection.
	AlertMemberEdge = page.Edge[*AlertMember]
	// CommentConnection is a page of comments.
	CommentConnection = page.Connection[*Comment]
	// CommentEdge is one item of CommentConnection.
	CommentEdge = page.Edge[*Comment]
	// RuleConnection is a page of rules.
	RuleConnection = page.Connection[*Rule]
	// RuleEdge is one item of RuleConnection.
	RuleEdge = page.Edge[*Rule]
	// RuleVersionConnection is a page of a rule's versions.
	RuleVersionConnection = page.Connection[*RuleVersion]
	// RuleVersionEdge is one item of RuleVersionConnection.
	RuleVersionEdge = page.Edge[*RuleVersion]
	// ChannelConnection is a page of channels.
	ChannelConnection = page.Connection[*Channel]
	// ChannelEdge is one item of ChannelConnection.
	ChannelEdge = page.Edge[*Channel]
	// WebhookConnection is a page of webhooks.
	WebhookConnection = page.Connection[*Webhook]
	// WebhookEdge is one item of WebhookConnection.
	WebhookEdge = page.Edge[*Webhook]
	// DeliveryConnection is a page of deliveries.
	DeliveryConnection = page.Connection[*Delivery]
	// DeliveryEdge is one item of DeliveryConnection.
	DeliveryEdge = page.Edge[*Delivery]
	// SuppressionConnection is a page of suppressions.
	SuppressionConnection = page.Connection[*Suppression]
	// SuppressionEdge is one item of SuppressionConnection.
	SuppressionEdge = page.Edge[*Suppression]
	// DeadLetterConnection is a page of dead letters.
	DeadLetterConnection = page.Connection[*DeadLetter]
	// DeadLetterEdge is one item of DeadLetterConnection.
	DeadLetterEdge = page.Edge[*DeadLetter]
	// MappingConnection is a page of mappings.
	MappingConnection = page.Connection[*Mapping]
	// MappingEdge is one item of MappingConnection.
	MappingEdge = page.Edge[*Mapping]
	// SourceConnection is a page of sources.
	SourceConnection = page.Connection[*Source]
	// SourceEdge is one item of SourceConnection.
	SourceEdge = page.Edge[*Source]
	// SuppressedFindingConnection is a page of findings that a suppression hid.
	SuppressedFindingConnection = page.Connection[*SuppressedFinding]
	// SuppressedFindingEdge is one item of SuppressedFindingConnection.
	SuppressedFindingEdge = page.Edge[*SuppressedFinding]
	// UserConnection is a page of users.
	UserConnection = page.Connection[*User]
	// UserEdge is one item of UserConnection.
	UserEdge = page.Edge[*User]
	// IncidentConnection is a page of incidents.
	IncidentConnection = page.Connection[*Incident]
	// IncidentEdge is one item of IncidentConnection.
	IncidentEdge = page.Edge[*Incident]
	// JobItemConnection is a page of what a job works on.
	JobItemConnection = page.Connection[*JobItem]
	// JobItemEdge is one item of JobItemConnection.
	JobItemEdge = page.Edge[*JobItem]
	// SessionConnection is a page of sessions.
	SessionConnection = page.Connection[*Session]
	// SessionEdge is one item of SessionConnection.
	SessionEdge = page.Edge[*Session]
	// APITokenConnection is a page of API tokens.
	APITokenConnection = page.Connection[*APIToken]
	// APITokenEdge is one item of APITokenConnection.
	APITokenEdge = page.Edge[*APIToken]
	// IncidentTimelineConnection is a page of an incident's timeline.
	IncidentTimelineConnection = page.Connection[*IncidentTimelineEntry]
	// IncidentTimelineEdge is one item of IncidentTimelineConnection.
	IncidentTimelineEdge = page.Edge[*IncidentTimelineEntry]
	// JobConnection is a page of jobs.
	JobConnection = page.Connection[*Job]
	// JobEdge is one item of JobConnection.
	JobEdge = page.Edge[*Job]
	// AssetConnection is a page of assets.
	AssetConnection = page.Connection[*Asset]
	// AssetEdge is one item of AssetConnection.
	AssetEdge = page.Edge[*Asset]
	// IndicatorConnection is a page of indicators.
	IndicatorConnection = page.Connection[*Indicator]
	// IndicatorEdge is one item of IndicatorConnection.
	IndicatorEdge = page.Edge[*Indicator]
	// JournalConnection is a page of journal entries.
	JournalConnection = page.Connection[*JournalEntry]
	// JournalEdge is one item of JournalConnection.
	JournalEdge = page.Edge[*JournalEntry]

	// SavedViewConnection is a page of saved views.
	SavedViewConnection = page.Connection[*SavedView]
	// SavedViewEdge is one item of SavedViewConnection.
	SavedViewEdge = page.Edge[*SavedView]

	// SavedOperationConnection is a page of saved operations.
	SavedOperationConnection = page.Connection[*SavedOperation]
	// SavedOperationEdge is one item of SavedOperationConnection.
	SavedOperationEdge = page.Edge[*SavedOperation]
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
