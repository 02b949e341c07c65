// Package stix writes indicators and sightings as objects of STIX 2.1. It keeps and
// reads nothing; package intel reads such objects.
//
// https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html
package stix

import (
	"strings"

	"github.com/google/uuid"

	"github.com/security-monitor/secmon/monitor"
)

// MediaType is what objects are served as.
const MediaType = "application/stix+json;version=2.1"

// namespace is that of all identifiers, of UUIDs of version 5. The database computes
// the same ones (migration 0029). Section 2.9 keeps the specification's own namespace
// for observables.
var namespace = uuid.MustParse("e69b049a-6961-4f64-b817-1090eb8c4846")

// id gives a type's identifier of a name.
func id(kind string, name []byte) string { return kind + "--" + uuid.NewSHA1(namespace, name).String() }

// IndicatorID is an indicator's identifier. It follows from kind, value and source,
// so that it is the same wherever they are.
func IndicatorID(of monitor.ID) string { return id("indicator", of[:]) }

// SightingID is the identifier of an alert that an indicator raised.
func SightingID(alert monitor.ID) string { return id("sighting", alert[:]) }

// SourceID is the identifier of who warns.
func SourceID(source string) string { return id("identity", []byte("source "+source)) }

// HostID is the identifier of a machine that something was seen on.
func HostID(host string) string { return id("identity", []byte("host "+host)) }

// ParseID takes an identifier apart: its type, and what the database knows it by.
func ParseID(text string) (kind string, id monitor.ID, ok bool) {
	kind, name, found := strings.Cut(text, "--")
	parsed, err := uuid.Parse(name)
	return kind, monitor.ID(parsed), found && err == nil && len(name) == 36
}
