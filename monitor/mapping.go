package monitor

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Mapping says how to read records of a product that no normaliser knows: where its
// values stand, and what Sigma calls them. It is for the records that its tests
// recognise, and for those of a webhook of its name. Its JSON form is the snapshot that
// the journal keeps, with every version; the secret is no part of it.
type Mapping struct {
	ID      ID     `json:"id"`
	Version int    `json:"version"`
	Name    string `json:"name"` // also of the webhook
	Enabled bool   `json:"enabled"`
	MappingRules
	// SignatureHeader has the HMAC-SHA-256 of a webhook's body, in hexadecimal, with or
	// without "sha256=" before it; empty: none is asked for.
	SignatureHeader string    `json:"signatureHeader"`
	Secret          []byte    `json:"-"` // of the signature, sealed
	CreatedBy       Actor     `json:"createdBy"`
	CreatedAt       time.Time `json:"createdAt"`
	UpdatedAt       time.Time `json:"updatedAt"`
}

// MappingRules is what a mapping does. Paths are names joined by dots.
type MappingRules struct {
	Tests      []MappingTest     `json:"tests"` // all hold of a record it is for; none: of those of its webhook alone
	LogSource  LogSource         `json:"logSource"`
	Class      EventClass        `json:"class"`    // empty: as guessed
	Fields     []MappingField    `json:"fields"`   // of the envelope
	Severities []MappingSeverity `json:"severity"` // what the value at severity's path means
	Renames    []MappingRename   `json:"renames"`  // of the fields that rules see
}

// MappingTest recognises records: by a value at a path, or by that there is one.
type MappingTest struct {
	Path   string  `json:"path"`
	Equals *string `json:"equals,omitempty"`
}

// MappingField says where a value of the envelope stands. A record without one that is
// required is rejected.
type MappingField struct {
	Target   MappingTarget `json:"target"`
	Path     string        `json:"path"`
	Required bool          `json:"required"`
}

// MappingSeverity says what a product's word for a severity means.
type MappingSeverity struct {
	Value    string   `json:"value"`
	Severity Severity `json:"severity"`
}

// MappingRename gives a field the name by which Sigma's rules look for it.
type MappingRename struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// MappingTarget is a value of the envelope.
type MappingTarget string

// The targets, as in the schema.
const (
	TargetTime     MappingTarget = "TIME"
	TargetSeverity MappingTarget = "SEVERITY"
	TargetHost     MappingTarget = "HOST"
	TargetUser     MappingTarget = "USER"
	TargetSrcIP    MappingTarget = "SOURCE_IP"
	TargetSrcPort  MappingTarget = "SOURCE_PORT"
	TargetDstIP    MappingTarget = "DESTINATION_IP"
	TargetDstPort  MappingTarget = "DESTINATION_PORT"
	TargetProcess  MappingTarget = "PROCESS"
	TargetCommand  MappingTarget = "COMMAND"
	TargetFilePath MappingTarget = "FILE_PATH"
	TargetFileHash MappingTarget = "FILE_HASH"
	TargetDomain   MappingTarget = "DOMAIN"
	TargetURL      MappingTarget = "URL"
	TargetAction   MappingTarget = "ACTION"
	TargetMessage  MappingTarget = "MESSAGE"
)

// MappingTargets are all of them.
var MappingTargets = []MappingTarget{
	TargetTime, TargetSeverity, TargetHost, TargetUser, TargetSrcIP, TargetSrcPort, TargetDstIP, TargetDstPort, TargetProcess, TargetCommand,
	TargetFilePath, TargetFileHash, TargetDomain, TargetURL, TargetAction, TargetMessage,
}

// WebhookPath is where products post that can do nothing but post JSON; the name of a
// mapping follows.
const WebhookPath = "/api/ingest/webhook/"

// Bounds of mappings.
const (
	MaxMappings       = 100
	MaxMappingTests   = 10
	MaxMappingRenames = 100
	MaxMappingValues  = 50  // of severity
	MaxMappingPath    = 300 // bytes
	MaxMappingSamples = 20  // of a preview
)

// mappingName is short enough for an event's format, "map:" before it.
var mappingName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,27}$`)

// Format is the format of events that it reads.
func (m *Mapping) Format() string { return "map:" + m.Name }

// GlobalID is the mapping's id in the graph.
func (m *Mapping) GlobalID() string { return GlobalID(KindMapping, m.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*Mapping) IsNode() {}

// Signed tells whether a webhook's requests have to be signed.
func (m *Mapping) Signed() bool { return len(m.Secret) > 0 }

// Empty tells whether it says nothing about records: then they are read as those of
// /api/ingest are.
func (r *MappingRules) Empty() bool {
	return len(r.Fields)+len(r.Renames)+len(r.Severities) == 0 && r.LogSource == (LogSource{}) && r.Class == ""
}

// Check gives BAD_INPUT for a mapping that cannot be.
func (m *Mapping) Check() error {
	if !mappingName.MatchString(m.Name) {
		return InputErrorf("name", "1 to 28 of a-z, 0-9, dot, dash and underscore, a letter or digit first")
	}
	if m.SignatureHeader == "" {
		m.Secret = nil
	} else if len(m.SignatureHeader) > 64 || strings.Trim(strings.ToLower(m.SignatureHeader), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return InputErrorf("signatureHeader", "%q is no name of a header", m.SignatureHeader)
	}
	return m.MappingRules.Check()
}

// Check gives BAD_INPUT for rules that cannot be.
func (r *MappingRules) Check() error {
	if len(r.Tests) > MaxMappingTests || len(r.Renames) > MaxMappingRenames || len(r.Severities) > MaxMappingValues || len(r.Fields) > len(MappingTargets) {
		return InputErrorf("tests", "at most %d tests, %d fields, %d severities and %d renames", MaxMappingTests, len(MappingTargets), MaxMappingValues, MaxMappingRenames)
	}
	for _, t := range r.Tests {
		if err := checkPath("tests", t.Path); err != nil {
			return err
		}
		if t.Equals != nil && len(*t.Equals) > MaxMappingPath {
			return InputErrorf("tests", "a value has at most %d bytes", MaxMappingPath)
		}
	}
	var targets []MappingTarget
	for _, f := range r.Fields {
		if err := checkPath("fields", f.Path); err != nil {
			return err
		}
		if !slices.Contains(MappingTargets, f.Target) || slices.Contains(targets, f.Target) {
			return InputErrorf("fields", "%q is no field, or stands twice", f.Target)
		}
		targets = append(targets, f.Target)
	}
	for _, s := range r.Severities {
		if s.Value == "" || len(s.Value) > MaxMappingPath {
			return InputErrorf("severities", "a value has 1 to %d bytes", MaxMappingPath)
		}
	}
	for _, n := range r.Renames {
		if err := checkPath("renames", n.From); err != nil {
			return err
		}
		if err := checkPath("renames", n.To); err != nil {
			return err
		}
	}
	if r.Class != "" && !slices.Contains(EventClasses, r.Class) {
		return InputErrorf("class", "%q is no class", r.Class)
	}
	for _, text := range []string{r.LogSource.Product, r.LogSource.Category, r.LogSource.Service} {
		if len(text) > 64 || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return InputErrorf("logSource", "at most 64 bytes each")
		}
	}
	return nil
}

func checkPath(field, path string) error {
	if path == "" || len(path) > MaxMappingPath || !utf8.ValidString(path) || strings.ContainsRune(path, 0) || strings.Count(path, ".") > 20 {
		return InputErrorf(field, "a path has 1 to %d bytes and at most 20 dots", MaxMappingPath)
	}
	return nil
}

// MappingPreview is what a mapping makes of a record.
type MappingPreview struct {
	Recognised                                                                                bool   // its tests hold
	Problem                                                                                   string // why it would be rejected; empty: it would not
	Time                                                                                      time.Time
	Severity                                                                                  Severity
	Class                                                                                     EventClass
	Product, Category, Service, Host, User, SourceIP, DestinationIP, Process, Action, Message string

	Fields []*PreviewField // that rules see, at most 100
}

// PreviewField is a field that rules see.
type PreviewField struct{ Name, Value string }

// UnknownShape is a kind of record that no normaliser knows: of one set of names.
type UnknownShape struct {
	Names      []string // sorted
	Events     int      // of the latest that were looked at
	LastSeen   time.Time
	Confidence int      // of what is read of it as it is, from 0 to 100
	Guess      string   // what was found, for people
	Samples    []*Event // the latest, at most 5
}
