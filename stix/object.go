package stix

import (
	"encoding/json"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Object is an object of STIX 2.1: what all have, and what it is written as.
type Object struct {
	ID       string
	Type     string
	Modified time.Time // which is its version
	value    any
}

// MarshalJSON writes the object.
func (o Object) MarshalJSON() ([]byte, error) { return json.Marshal(o.value) }

// common is what all objects have. Section 3.2.
type common struct {
	Type        string `json:"type"`
	SpecVersion string `json:"spec_version"`
	ID          string `json:"id"`
	CreatedBy   string `json:"created_by_ref,omitempty"`
	Created     string `json:"created"`
	Modified    string `json:"modified"`
	Revoked     bool   `json:"revoked,omitempty"`
}

func commonOf(id, kind string, created, modified time.Time) common {
	return common{Type: kind, SpecVersion: "2.1", ID: id, Created: Time(created), Modified: Time(modified)}
}

// Time writes a time with microseconds, which is how exact versions are.
func Time(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000Z") }

// ExtensionID names what indicators say beside the specification: whose warning it is
// and how bad, in the words that an import of another Security Monitor takes over.
const ExtensionID = "extension-definition--19c07642-c4c2-436c-af7d-9580dd8eaaef"

// definedAt is when the extension and its identities came to be: they do not change.
var definedAt = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// Extension is the extension's definition, which its users carry with them.
func Extension() Object {
	const author = "Security Monitor"
	return Object{ID: ExtensionID, Type: "extension-definition", Modified: definedAt, value: struct {
		common
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Schema      string   `json:"schema"`
		Version     string   `json:"version"`
		Types       []string `json:"extension_types"`
	}{
		withAuthor(commonOf(ExtensionID, "extension-definition", definedAt, definedAt), SourceID(author)), "secmon",
		"What Security Monitor says of an indicator: its source, its severity, a reference.",
		"https://github.com/security-monitor/secmon/blob/main/docs/taxii.md", "1.0.0",
		[]string{"property-extension"},
	}}
}

func withAuthor(c common, author string) common {
	c.CreatedBy = author
	return c
}

// Author is who defines the extension.
func Author() Object { return identity(SourceID("Security Monitor"), "Security Monitor", "system") }

// Source is the identity of who warns.
func Source(name string) Object { return identity(SourceID(name), name, "unknown") }

// Host is the identity of a machine.
func Host(name string) Object { return identity(HostID(name), name, "system") }

func identity(id, name, class string) Object {
	if id == SourceID("Security Monitor") {
		class = "system" // one object, whoever asks for it
	}
	return Object{ID: id, Type: "identity", Modified: definedAt, value: struct {
		common
		Name  string `json:"name"`
		Class string `json:"identity_class"`
	}{commonOf(id, "identity", definedAt, definedAt), name, class}}
}

// extension is what the extension says of an indicator.
type extension struct {
	Kind      string           `json:"extension_type"`
	Source    string           `json:"source"`
	Severity  monitor.Severity `json:"severity"`
	Reference string           `json:"reference,omitempty"`
}

type reference struct {
	Source string `json:"source_name"`
	URL    string `json:"url,omitempty"`
}

// Indicator writes an indicator.
func Indicator(i *monitor.Indicator) Object {
	o := struct {
		common
		Name        string               `json:"name"`
		Description string               `json:"description,omitempty"`
		Pattern     string               `json:"pattern"`
		PatternType string               `json:"pattern_type"`
		Version     string               `json:"pattern_version"`
		ValidFrom   string               `json:"valid_from"`
		ValidUntil  string               `json:"valid_until,omitempty"`
		Confidence  int                  `json:"confidence"`
		Labels      []string             `json:"labels,omitempty"`
		References  []reference          `json:"external_references"`
		Extensions  map[string]extension `json:"extensions"`
	}{
		common: withAuthor(commonOf(IndicatorID(i.ID), "indicator", i.CreatedAt, i.UpdatedAt), SourceID(i.Source)),
		Name:   i.Pattern(), Description: i.Description, Pattern: Pattern(i), PatternType: "stix", Version: "2.1",
		ValidFrom: Time(i.ValidFrom), Confidence: i.Confidence, Labels: i.Tags, References: []reference{{i.Source, i.Reference}},
		Extensions: map[string]extension{ExtensionID: {"property-extension", i.Source, i.Severity, i.Reference}},
	}
	o.Revoked = !i.RevokedAt.IsZero()
	if !i.ValidUntil.IsZero() {
		o.ValidUntil = Time(i.ValidUntil)
	}
	return Object{ID: o.ID, Type: "indicator", Modified: i.UpdatedAt, value: o}
}

// maxSighted is the largest count that a sighting may have.
const maxSighted = 999_999_999

// Sighting writes that an indicator was seen. One that was merged into another alert
// is revoked: the other counts it.
func Sighting(s *monitor.Sighting) Object {
	o := struct {
		common
		FirstSeen  string   `json:"first_seen"`
		LastSeen   string   `json:"last_seen"`
		Count      int      `json:"count"`
		SightingOf string   `json:"sighting_of_ref"`
		Where      []string `json:"where_sighted_refs,omitempty"`
	}{
		common:    commonOf(SightingID(s.ID), "sighting", s.CreatedAt, s.UpdatedAt),
		FirstSeen: Time(s.FirstSeen), LastSeen: Time(s.LastSeen), Count: min(s.Count, maxSighted), SightingOf: IndicatorID(s.Indicator),
	}
	o.Revoked = s.Merged
	if s.Host != "" {
		o.Where = []string{HostID(s.Host)}
	}
	return Object{ID: o.ID, Type: "sighting", Modified: s.UpdatedAt, value: o}
}
