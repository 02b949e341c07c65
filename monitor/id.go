package monitor

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ID is a UUID (RFC 9562) in binary. New ones are version 7, so that they sort
// by the millisecond in which they were made.
type ID [16]byte

var errBadID = errors.New("not a UUID")

// NewID makes a version 7 UUID for the time now (RFC 9562, section 5.7).
func NewID(now time.Time) ID {
	var id ID
	if _, err := rand.Read(id[6:]); err != nil {
		panic(fmt.Sprintf("monitor: no random numbers: %v", err)) // crypto/rand never fails since Go 1.24
	}
	ms := uint64(now.UnixMilli()) //nolint:gosec // after 1970
	binary.BigEndian.PutUint16(id[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(id[2:], uint32(ms))
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// FirstID is not above any version 7 UUID of the millisecond of at and later, and
// above all earlier ones.
func FirstID(at time.Time) ID {
	var id ID
	ms := uint64(at.UnixMilli()) //nolint:gosec // after 1970
	binary.BigEndian.PutUint16(id[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(id[2:], uint32(ms))
	return id
}

// Time gives the time that a version 7 UUID carries, in UTC, to the millisecond.
func (id ID) Time() time.Time {
	ms := uint64(binary.BigEndian.Uint16(id[0:]))<<32 | uint64(binary.BigEndian.Uint32(id[2:]))
	return time.UnixMilli(int64(ms)).UTC() //nolint:gosec // 48 bits
}

// IsZero tells whether the ID was never set.
func (id ID) IsZero() bool { return id == ID{} }

// String gives the usual form, 8-4-4-4-12 hexadecimal digits.
func (id ID) String() string {
	b := make([]byte, 36)
	hex.Encode(b, id[0:4])
	b[8] = '-'
	hex.Encode(b[9:], id[4:6])
	b[13] = '-'
	hex.Encode(b[14:], id[6:8])
	b[18] = '-'
	hex.Encode(b[19:], id[8:10])
	b[23] = '-'
	hex.Encode(b[24:], id[10:])
	return string(b)
}

// ParseID reads the form that String gives; case does not matter.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, errBadID
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(raw) != len(id) {
		return ID{}, errBadID
	}
	copy(id[:], raw)
	return id, nil
}

// MarshalText and UnmarshalText let IDs stand in JSON as strings.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (id *ID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseID(string(b))
	return err
}

// EventID names an event: the batch (one ingest transaction) that stored it and
// its place in that batch.
type EventID struct {
	Batch   ID
	Ordinal uint32
}

// Day is the UTC day on which the event was received: the partition it is in.
func (e EventID) Day() time.Time { return e.Batch.Time().Truncate(24 * time.Hour) }

// String gives "batch.ordinal".
func (e EventID) String() string { return fmt.Sprintf("%s.%d", e.Batch, e.Ordinal) }

// ParseEventID reads what String wrote.
func ParseEventID(s string) (EventID, error) {
	batch, ordinal, ok := strings.Cut(s, ".")
	if !ok {
		return EventID{}, errBadID
	}
	var e EventID
	var err error
	if e.Batch, err = ParseID(batch); err != nil {
		return EventID{}, err
	}
	if _, err := fmt.Sscanf(ordinal, "%d", &e.Ordinal); err != nil {
		return EventID{}, errBadID
	}
	return e, nil
}

// MarshalText and UnmarshalText let event ids stand in JSON as strings.
func (e EventID) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (e *EventID) UnmarshalText(b []byte) (err error) {
	*e, err = ParseEventID(string(b))
	return err
}

// Kind names a type of entity, as in the schema.
type Kind string

// The kinds that have a global id or stand in the journal.
const (
	KindEvent    Kind = "Event"
	KindAlert    Kind = "Alert"
	KindRule     Kind = "Rule"
	KindUser     Kind = "User"
	KindComment  Kind = "Comment"
	KindSession  Kind = "Session"
	KindAPIToken Kind = "APIToken"
	KindIncident Kind = "Incident"
	KindJob      Kind = "Job"
	KindAsset    Kind = "Asset"
	KindExport   Kind = "Export"
	KindSettings Kind = "Settings" // there is one, with the zero id

	KindSavedView        Kind = "SavedView"
	KindSavedOperation   Kind = "SavedOperation"
	KindIncidentTask     Kind = "IncidentTask"
	KindIncidentGrouping Kind = "IncidentGrouping"
	KindSuppression      Kind = "Suppression"
	KindIndicator        Kind = "Indicator"
	KindWebhook          Kind = "Webhook"
	KindChannel          Kind = "Channel"
	KindDelivery         Kind = "Delivery"        // never in the journal
	KindIndicatorImport  Kind = "IndicatorImport" // in the journal alone, as the next two
	KindEventArchive     Kind = "EventArchive"
	KindEventRestore     Kind = "EventRestore"
	KindSource           Kind = "Source"
	KindDeadLetter       Kind = "DeadLetter"
	KindMapping          Kind = "Mapping"
)

// GlobalID makes the opaque id of the Relay Node interface.
func GlobalID(kind Kind, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(kind) + ":" + id))
}

// ParseGlobalID splits an opaque id into kind and key. A damaged one is an
// error with code BAD_INPUT.
func ParseGlobalID(global string) (Kind, string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(global)
	kind, id, ok := strings.Cut(string(raw), ":")
	if err != nil || !ok {
		return "", "", Errorf(CodeBadInput, "%q is not an id", global)
	}
	return Kind(kind), id, nil
}

// Object names one entity of any kind that the journal keeps.
type Object struct {
	Kind Kind
	ID   ID
}

// ParseObject reads a global id. Anything else, and an event's, is BAD_INPUT.
func ParseObject(global string) (*Object, error) {
	kind, key, err := ParseGlobalID(global)
	if err != nil {
		return nil, err
	}
	id, err := ParseID(key)
	if err != nil {
		return nil, Errorf(CodeBadInput, "%q names nothing that the journal keeps", global)
	}
	return &Object{kind, id}, nil
}

// ParseIDOf gives the key of a global id that must be of the given kind.
func ParseIDOf(kind Kind, global string) (ID, error) {
	got, key, err := ParseGlobalID(global)
	if err != nil {
		return ID{}, err
	}
	id, err := ParseID(key)
	if got != kind || err != nil {
		return ID{}, Errorf(CodeBadInput, "%q is not the id of a %s", global, kind)
	}
	return id, nil
}
