package monitor

import (
	"io"
	"net/netip"
	"time"
)

// Event is one record that a shipper sent: a typed envelope for search, and
// the record as it came.
//
// Host, User, Domain and FileHash are stored in lower case, so that they can be
// looked up by an index without regard to case; Raw keeps the original spelling.
type Event struct {
	ID         EventID
	OccurredAt time.Time // what the record says, in UTC; the time of receipt where it says nothing
	ReceivedAt time.Time
	Class      EventClass
	Action     string // in the source's own words, for example "ssh_login_failed", "GetPasswordData"
	Outcome    Outcome
	Severity   Severity
	LogSource  LogSource
	Format     string // which normaliser read it, for example "evtx", "cloudtrail", "generic"
	Host       string
	User       string
	SrcIP      netip.Addr // the zero Addr where there is none
	SrcPort    uint16
	DstIP      netip.Addr
	DstPort    uint16
	Process    string // path or name of the executable
	Command    string // command line
	FileHash   string // the strongest hash known, in hexadecimal
	FilePath   string
	Domain     string
	URL        string
	Message    string  // one line for people
	Raw        RawJSON // as it came
}

// GlobalID is the event's id in the graph.
func (e *Event) GlobalID() string { return GlobalID(KindEvent, e.ID.String()) }

// EventClass is the OCSF class that an event belongs to. https://schema.ocsf.io
type EventClass string

// The classes in use; BASE_EVENT is OCSF's own name for the unclassified.
const (
	ClassBase             EventClass = "BASE_EVENT"
	ClassProcessActivity  EventClass = "PROCESS_ACTIVITY"
	ClassFileActivity     EventClass = "FILE_ACTIVITY"
	ClassModuleActivity   EventClass = "MODULE_ACTIVITY"
	ClassRegistryActivity EventClass = "REGISTRY_ACTIVITY"
	ClassNetworkActivity  EventClass = "NETWORK_ACTIVITY"
	ClassHTTPActivity     EventClass = "HTTP_ACTIVITY"
	ClassDNSActivity      EventClass = "DNS_ACTIVITY"
	ClassAuthentication   EventClass = "AUTHENTICATION"
	ClassAccountChange    EventClass = "ACCOUNT_CHANGE"
	ClassAPIActivity      EventClass = "API_ACTIVITY"
	ClassScriptActivity   EventClass = "SCRIPT_ACTIVITY"
	ClassDetectionFinding EventClass = "DETECTION_FINDING"
)

// EventClasses lists all classes.
var EventClasses = []EventClass{
	ClassBase, ClassProcessActivity, ClassFileActivity, ClassModuleActivity, ClassRegistryActivity,
	ClassNetworkActivity, ClassHTTPActivity, ClassDNSActivity, ClassAuthentication, ClassAccountChange,
	ClassAPIActivity, ClassScriptActivity, ClassDetectionFinding,
}

// Outcome tells whether what the event reports succeeded.
type Outcome string

// The outcomes.
const (
	OutcomeUnknown Outcome = "UNKNOWN"
	OutcomeSuccess Outcome = "SUCCESS"
	OutcomeFailure Outcome = "FAILURE"
)

// Outcomes lists all outcomes.
var Outcomes = []Outcome{OutcomeUnknown, OutcomeSuccess, OutcomeFailure}

// Severity orders events and alerts. Its names are Sigma's levels.
type Severity string

// The severities, from the least.
const (
	SeverityInformational Severity = "INFORMATIONAL"
	SeverityLow           Severity = "LOW"
	SeverityMedium        Severity = "MEDIUM"
	SeverityHigh          Severity = "HIGH"
	SeverityCritical      Severity = "CRITICAL"
)

// Severities lists all severities, from the least.
var Severities = []Severity{SeverityInformational, SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical}

// Rank gives 0 for informational to 4 for critical, -1 for anything else.
func (s Severity) Rank() int {
	for i, each := range Severities {
		if s == each {
			return i
		}
	}
	return -1
}

// RawJSON is a valid JSON value in bytes. It is what the schema calls JSON.
type RawJSON []byte

// MarshalGQL writes the value into a GraphQL answer.
func (r RawJSON) MarshalGQL(w io.Writer) {
	if len(r) == 0 {
		r = RawJSON("null")
	}
	_, _ = w.Write(r) // the writer is a buffer in memory
}

// UnmarshalGQL refuses: the schema takes no JSON as input.
func (r *RawJSON) UnmarshalGQL(any) error {
	return Errorf(CodeBadInput, "JSON is no input type")
}
