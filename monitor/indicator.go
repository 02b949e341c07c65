package monitor

import (
	"crypto/sha256"
	"strings"
	"time"
	"unicode/utf8"
)

// Indicator is an address, name or hash that a source of threat intelligence warns
// of. Its JSON form is the snapshot that the journal keeps.
type Indicator struct {
	ID          ID            `json:"id"` // follows from Kind, Value and Source: see IndicatorID
	Version     int           `json:"version"`
	Kind        IndicatorKind `json:"kind"`
	Value       string        `json:"value"` // in the form that NormalIndicator gives
	Subdomains  bool          `json:"includeSubdomains"`
	Source      string        `json:"source"`
	Confidence  int           `json:"confidence"` // 0 to 100
	Severity    Severity      `json:"severity"`
	ValidFrom   time.Time     `json:"validFrom"`
	ValidUntil  time.Time     `json:"validUntil"` // zero: for ever
	RevokedAt   time.Time     `json:"revokedAt"`  // zero: its source stands by it
	Tags        []string      `json:"tags"`
	Description string        `json:"description"`
	Reference   string        `json:"reference"`
	CreatedAt   time.Time     `json:"createdAt"`
	CreatedBy   string        `json:"createdBy"`
	UpdatedAt   time.Time     `json:"updatedAt"`
	UpdatedBy   string        `json:"updatedBy"`
}

// IndicatorKind is what an indicator's value is.
type IndicatorKind string

// The kinds, as in the schema.
const (
	IndicatorAddress IndicatorKind = "ADDRESS"
	IndicatorNetwork IndicatorKind = "NETWORK"
	IndicatorDomain  IndicatorKind = "DOMAIN"
	IndicatorURL     IndicatorKind = "URL"
	IndicatorMD5     IndicatorKind = "MD5"
	IndicatorSHA1    IndicatorKind = "SHA1"
	IndicatorSHA256  IndicatorKind = "SHA256"
	IndicatorEmail   IndicatorKind = "EMAIL"
)

// IndicatorKinds lists all kinds.
var IndicatorKinds = []IndicatorKind{
	IndicatorAddress, IndicatorNetwork, IndicatorDomain, IndicatorURL, IndicatorMD5, IndicatorSHA1, IndicatorSHA256, IndicatorEmail,
}

// IndicatorState is whether events are looked through for an indicator.
type IndicatorState string

// The states, as in the schema. They follow from the clock.
const (
	IndicatorPending IndicatorState = "PENDING" // not yet valid
	IndicatorActive  IndicatorState = "ACTIVE"
	IndicatorExpired IndicatorState = "EXPIRED"
	IndicatorRevoked IndicatorState = "REVOKED"
)

// Bounds of an indicator.
const (
	MaxIndicatorValue       = 2_048 // bytes
	MaxIndicatorSource      = 128
	MaxIndicatorDescription = 2_000
	MaxIndicatorReference   = 1_000
	DefaultConfidence       = 50
)

// IndicatorID names an indicator. It follows from what makes it unique, so that an
// import finds what is there without asking, and a match can be verified by the id
// alone: UUID version 8 (RFC 9562, section 5.8) over a SHA-256.
func IndicatorID(kind IndicatorKind, value, source string) ID {
	return idOf("indicator", string(kind), value, source)
}

// IndicatorKey names a value whatever its source: all that warn of it have it.
func IndicatorKey(kind IndicatorKind, value string) ID {
	return idOf("indicator value", string(kind), value)
}

func idOf(parts ...string) ID {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	id := ID(h.Sum(nil)[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// GlobalID is the indicator's id in the graph.
func (i *Indicator) GlobalID() string { return GlobalID(KindIndicator, i.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*Indicator) IsNode() {}

// NullableValidUntil is ValidUntil, nil for ever.
func (i *Indicator) NullableValidUntil() *time.Time { return nullableTime(i.ValidUntil) }

// NullableRevokedAt is RevokedAt, nil for never.
func (i *Indicator) NullableRevokedAt() *time.Time { return nullableTime(i.RevokedAt) }

// State is the indicator's state at an instant.
func (i *Indicator) State(now time.Time) IndicatorState {
	switch {
	case !i.RevokedAt.IsZero():
		return IndicatorRevoked
	case !i.ValidUntil.IsZero() && !i.ValidUntil.After(now):
		return IndicatorExpired
	case i.ValidFrom.After(now):
		return IndicatorPending
	default:
		return IndicatorActive
	}
}

// Pattern is how an alert's evidence names what was compared: the value, with a star
// where it stands for subdomains too.
func (i *Indicator) Pattern() string {
	if i.Subdomains {
		return "*." + i.Value
	}
	return i.Value
}

// Rule is what findings of the indicator are kept under: a rule that stands in no
// list of rules, with the indicator's id.
func (i *Indicator) Rule() *Rule {
	return &Rule{
		ID: i.ID, Version: 1, Kind: DetectionRule, Level: i.Severity, Author: i.Source, Tags: []string{"secmon.indicator"},
		Title: "Indicator: " + cutText(i.Value, 200) + " (" + i.Source + ")",
	}
}

// cutText cuts a text to so many bytes, at the end of a character.
func cutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "..."
}

// Check brings an indicator into its normal form, its id included, and gives
// BAD_INPUT for what cannot be one. Times are cut to seconds: so exact is matching.
func (i *Indicator) Check() error {
	kind, value, err := NormalIndicator(i.Kind, i.Value)
	if err != nil {
		return err
	}
	if i.Kind, i.Value = kind, value; kind != IndicatorDomain {
		i.Subdomains = false
	}
	for _, text := range []struct {
		field string
		value *string
		most  int
	}{
		{"source", &i.Source, MaxIndicatorSource}, {"description", &i.Description, MaxIndicatorDescription}, {"reference", &i.Reference, MaxIndicatorReference},
	} {
		*text.value = strings.TrimSpace(*text.value)
		if utf8.RuneCountInString(*text.value) > text.most || !isText(*text.value) {
			return InputErrorf(text.field, "%s is text of at most %d characters", text.field, text.most)
		}
	}
	if i.Source == "" {
		return InputErrorf("source", "an indicator says who warns of it")
	}
	if i.Confidence < 0 || i.Confidence > 100 {
		return InputErrorf("confidence", "confidence is 0 to 100, not %d", i.Confidence)
	}
	if i.Severity.Rank() < 0 {
		return InputErrorf("severity", "%q is no severity", i.Severity)
	}
	if i.Tags, err = indicatorTags(i.Tags); err != nil {
		return err
	}
	if err := i.checkTimes(); err != nil {
		return err
	}
	i.ID = IndicatorID(i.Kind, i.Value, i.Source)
	return nil
}

// The years that a validity may name: what the database and the index in memory keep.
const (
	firstYear = 1990
	lastYear  = 2100
)

func (i *Indicator) checkTimes() error {
	for field, at := range map[string]*time.Time{"validFrom": &i.ValidFrom, "validUntil": &i.ValidUntil} {
		if at.IsZero() {
			continue
		}
		if *at = at.UTC().Truncate(time.Second); at.Year() < firstYear || at.Year() > lastYear {
			return InputErrorf(field, "a time between the years %d and %d", firstYear, lastYear)
		}
	}
	if !i.ValidUntil.IsZero() && !i.ValidUntil.After(i.ValidFrom) {
		return InputErrorf("validUntil", "it would end before it begins")
	}
	return nil
}

func indicatorTags(tags []string) ([]string, error) {
	if len(tags) > MaxTags {
		return nil, InputErrorf("tags", "an indicator has at most %d tags, not %d", MaxTags, len(tags))
	}
	out := make([]string, len(tags))
	for i := range tags {
		var err error
		if out[i], err = CheckTag(tags[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// IndicatorSightings is what has been seen of an indicator: the matches that its
// alerts stand for.
type IndicatorSightings struct {
	ID                  ID  // of the indicator
	Count               int // matches
	Alerts              int
	FirstSeen, LastSeen *time.Time // nil without any
}

// IndicatorImport is one transaction of an import: what the journal says of it.
// The indicators that it changed have its id.
type IndicatorImport struct {
	ID        ID     `json:"id"`
	Format    string `json:"format"`
	Source    string `json:"source"` // that is given to those that name none
	Name      string `json:"name"`   // of the file, for people
	Revive    bool   `json:"revive,omitempty"`
	Added     int    `json:"added"`
	Updated   int    `json:"updated"`
	Unchanged int    `json:"unchanged"`
	Revoked   int    `json:"revoked"`
}

// IndicatorList is a list of indicators to import, or a part of one. Its options are
// for what the list leaves unsaid.
type IndicatorList struct {
	Format     string // CSV, STIX
	Name       string // of the file, for people
	Source     string
	Severity   Severity      // empty: MEDIUM
	Confidence *int          // nil: DefaultConfidence
	ValidFor   time.Duration // 0: for ever
	Subdomains bool
	Tags       []string
	Columns    map[string]string // of CSV: the name of a column by its field
	First      int               // the position of the part's first line or object
	Revive     bool              // what was revoked here, and the list still names, is valid again
}

// IndicatorReport says what became of a list.
type IndicatorReport struct {
	Read                               int // indicators
	Added, Updated, Unchanged, Revoked int
	Refused                            int                 // lines or objects
	Problems                           []*IndicatorProblem // of what was refused, the first MaxIndicatorProblems
}

// MaxIndicatorProblems bounds the problems that a report names; it counts all.
const MaxIndicatorProblems = 100

// IndicatorProblem is a line or an object that is no indicator, and why.
type IndicatorProblem struct {
	Position int
	ObjectID string // of a STIX object; empty for a line
	Message  string
}
