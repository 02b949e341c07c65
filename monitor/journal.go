package monitor

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// Entry is one row of the journal: one transaction that changed something.
type Entry struct {
	Seq  uint64
	Hash [32]byte // of the entry before and of this one's body
	Body EntryBody
}

// EntryBody is what an entry says. Its JSON form is stored and hashed as it is.
type EntryBody struct {
	At     time.Time `json:"at"`
	Actor  Actor     `json:"actor"`
	Action string    `json:"action"`
	Batch  ID        `json:"batch"`  // the batch that an ingest transaction stored; zero otherwise
	Events int       `json:"events"` // how many events the batch has
	// Suppressed says how many findings of the batch raised no alert, by suppression.
	Suppressed []SuppressedCount `json:"suppressed,omitempty"`
	Changes    []Change          `json:"changes"`
}

// Change is what happened to one entity in a transaction.
type Change struct {
	Kind Kind `json:"kind"`
	ID   ID   `json:"id"`
	// Action is what happened to this entity where it is not the entry's action:
	// an ingest entry raises some alerts and adds to others.
	Action string `json:"action,omitempty"`
	// After is the entity's snapshot behind the change, null when it was deleted.
	After json.RawMessage `json:"after"`
	// Before holds the former values of the fields that changed, null when the
	// entity was created. Laid over After it gives the former state.
	Before json.RawMessage `json:"before"`
	// Within is the incident to whose timeline the change belongs: an alert's, or
	// the incident itself. The database keeps it beside the journal.
	Within ID `json:"-"`
}

// Passing tells a change that is news for a moment and no part of an entity's
// history: feeds show it, the entity's own journal does not.
func (c Change) Passing() bool { return c.Action == ActionAlertClaim || c.Action == ActionAlertRelease }

// ActorKind tells what acted.
type ActorKind string

// The kinds of actors.
const (
	ActorUser   ActorKind = "USER"
	ActorToken  ActorKind = "TOKEN"
	ActorSystem ActorKind = "SYSTEM"
)

// Actor is who or what made a change.
type Actor struct {
	Kind ActorKind `json:"kind"`
	ID   ID        `json:"id"`
	Name string    `json:"name"`
}

// SystemActor is the program itself.
var SystemActor = Actor{Kind: ActorSystem, Name: "system"}

// Actions that stand in the journal.
const (
	ActionIngest           = "event.ingest"
	ActionAlertRaise       = "alert.raise"
	ActionAlertRepeat      = "alert.repeat"
	ActionAlertAcknowledge = "alert.acknowledge"
	ActionAlertAssign      = "alert.assign"
	ActionAlertClose       = "alert.close"
	ActionAlertReopen      = "alert.reopen"
	ActionAlertComment     = "alert.comment"
	ActionAlertStart       = "alert.start"
	ActionAlertSeverity    = "alert.severity"
	ActionAlertTag         = "alert.tag"
	ActionAlertMerge       = "alert.merge"
	ActionAlertDetach      = "alert.detach"
	ActionAlertClaim       = "alert.claim"
	ActionAlertRelease     = "alert.release"
	ActionAlertUndo        = "alert.undo"
	ActionRuleImport       = "rule.import"
	ActionRuleCreate       = "rule.create"
	ActionRuleUpdate       = "rule.update"
	ActionRuleEnable       = "rule.enable"
	ActionRuleDisable      = "rule.disable"
	ActionUserCreate       = "user.create"
	ActionUserPassword     = "user.password"
	ActionSessionLogin     = "session.login"
	ActionSessionRevoke    = "session.revoke"
	ActionIncidentCreate   = "incident.create"
	ActionIncidentClose    = "incident.close"
	ActionJobStart         = "job.start"
	ActionJobProgress      = "job.progress"
	ActionJobEnd           = "job.end"
	ActionUserUpdate       = "user.update"
	ActionUserFactor       = "user.secondFactor"
	ActionUserRecovery     = "user.recoveryCode"
	ActionAssetDiscover    = "asset.discover"
	ActionAssetUpdate      = "asset.update"
	ActionAssetSilent      = "asset.silent"
	ActionAssetHeard       = "asset.heard"
	ActionSettingsUpdate   = "settings.update"
	ActionPlaceholderSet   = "placeholder.update"
	ActionPlaceholderDrop  = "placeholder.delete"
	ActionRuleState        = "rule.state" // it runs or does not, since a list of values came or went
	ActionSavedCreate      = "saved.create"
	ActionSavedUpdate      = "saved.update"
	ActionSavedDelete      = "saved.delete"
	ActionExportCreate     = "export.create"
	ActionExportTake       = "export.take"
	ActionTokenCreate      = "token.create" //nolint:gosec // the name of an action, no credential
	ActionTokenRevoke      = "token.revoke" //nolint:gosec // the name of an action, no credential

	ActionIncidentUpdate       = "incident.update"
	ActionIncidentAssign       = "incident.assign"
	ActionIncidentReopen       = "incident.reopen"
	ActionIncidentAddAlerts    = "incident.addAlerts"
	ActionIncidentRemoveAlerts = "incident.removeAlerts"
	ActionIncidentMerge        = "incident.merge"
	ActionIncidentSplit        = "incident.split"
	ActionIncidentComment      = "incident.comment"
	ActionIncidentTaskAdd      = "incident.taskAdd"
	ActionIncidentTaskUpdate   = "incident.taskUpdate"
	ActionIncidentTaskDelete   = "incident.taskDelete"
	ActionIncidentGroup        = "incident.group"   // alerts came to it by a grouping
	ActionAlertIncident        = "alert.incident"   // it came into an incident, or left one
	ActionRestore              = "database.restore" // what follows was written after a restore from a backup
	ActionFeedEpoch            = "feed.epoch"       // cursors from before do not count any more
	ActionDeadLetterReplay     = "deadletter.replay"
	ActionDeadLetterDelete     = "deadletter.delete"
	ActionDeadLetterKeep       = "deadletter.keep" // names transactions alone: what comes is no news
	ActionMappingCreate        = "mapping.create"
	ActionMappingUpdate        = "mapping.update"
	ActionMappingDelete        = "mapping.delete"
	ActionSourceFound          = "source.found"  // it sent for the first time
	ActionSourceUpdate         = "source.update" // for how long it may be silent
	ActionSourceSilent         = "source.silent"
	ActionSourceReturn         = "source.return" // it sends again
	ActionSourceDelete         = "source.delete"
	ActionSourceCount          = "source.count" // names transactions alone: counting is not journalled
	ActionSuppressionCreate    = "suppression.create"
	ActionSuppressionUpdate    = "suppression.update"
	ActionSuppressionDelete    = "suppression.delete"
	ActionSuppressionEnable    = "suppression.enable"
	ActionSuppressionDisable   = "suppression.disable"
	ActionSuppressionExpire    = "suppression.expire" // its time has come
	ActionWebhookCreate        = "webhook.create"
	ActionWebhookUpdate        = "webhook.update"
	ActionWebhookDelete        = "webhook.delete"
	ActionWebhookRotate        = "webhook.rotateSecret"
	ActionWebhookReplay        = "webhook.replay"
	ActionWebhookTest          = "webhook.test"
	ActionWebhookRedeliver     = "webhook.redeliver"
	ActionWebhookPause         = "webhook.pause"  // it stopped by itself
	ActionWebhookResume        = "webhook.resume" // somebody let it go on
	ActionChannelCreate        = "channel.create"
	ActionChannelUpdate        = "channel.update"
	ActionChannelDelete        = "channel.delete"
	ActionChannelTest          = "channel.test"
	ActionChannelRedeliver     = "channel.redeliver"
	ActionChannelPause         = "channel.pause"  // it stopped by itself
	ActionChannelResume        = "channel.resume" // somebody let it go on
	ActionGroupingCreate       = "incidentGrouping.create"
	ActionGroupingUpdate       = "incidentGrouping.update"
	ActionGroupingDelete       = "incidentGrouping.delete"
	ActionIndicatorCreate      = "indicator.create"
	ActionIndicatorUpdate      = "indicator.update"
	ActionIndicatorDelete      = "indicator.delete"
	ActionIndicatorImport      = "indicator.import" // many at once: the entry has their number, not each
	ActionEventArchive         = "event.archive"    // events left the database
	ActionEventRestore         = "event.restore"    // they are back for a while, or gone again
)

// NewChange compares two states of an entity (before is nil when it was created)
// and keeps what changed.
func NewChange[T any](kind Kind, id ID, action string, before, after *T) (Change, error) {
	c := Change{Kind: kind, ID: id, Action: action}
	if part, ok := any(after).(interface{ within() ID }); ok && after != nil {
		c.Within = part.within()
	}
	var err error
	if c.After, err = json.Marshal(after); err != nil {
		return Change{}, fmt.Errorf("snapshot of %s %s: %w", kind, id, err)
	}
	if before == nil {
		return c, nil
	}
	was, err := json.Marshal(before)
	if err != nil {
		return Change{}, fmt.Errorf("snapshot of %s %s: %w", kind, id, err)
	}
	c.Before, err = changedFields(was, c.After)
	return c, err
}

// changedFields gives the fields of was that are different in is.
func changedFields(was, is json.RawMessage) (json.RawMessage, error) {
	var a, b map[string]json.RawMessage
	if err := json.Unmarshal(was, &a); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(is, &b); err != nil {
		return nil, err
	}
	for name := range a {
		if bytes.Equal(a[name], b[name]) {
			delete(a, name)
		}
	}
	return json.Marshal(a)
}

// States gives an entity behind a change and before it; before is nil when the
// change created it.
func States[T any](c Change) (after, before *T, err error) {
	after = new(T)
	if err := json.Unmarshal(c.After, after); err != nil {
		return nil, nil, fmt.Errorf("read snapshot of %s %s: %w", c.Kind, c.ID, err)
	}
	if len(c.Before) == 0 || bytes.Equal(c.Before, []byte("null")) {
		return after, nil, nil
	}
	before = new(T)
	for _, layer := range []json.RawMessage{c.After, c.Before} {
		if err := json.Unmarshal(layer, before); err != nil {
			return nil, nil, fmt.Errorf("read former state of %s %s: %w", c.Kind, c.ID, err)
		}
	}
	return after, before, nil
}

// FieldChange is one changed field of an entity; a nil side is absent.
type FieldChange struct {
	Field  string
	Before RawJSON
	After  RawJSON
}

// ChainHash gives an entry's hash: SHA-256 over the hash of the entry before,
// the number and the stored body, so that no entry can be changed, taken out or
// put in without all later hashes telling.
func ChainHash(before [32]byte, seq uint64, body []byte) [32]byte {
	h := sha256.New()
	h.Write(before[:])
	_ = binary.Write(h, binary.BigEndian, seq)
	h.Write(body)
	return [32]byte(h.Sum(nil))
}

// Position is a place in the journal: behind entry Seq of an epoch. The epoch
// changes when the database is restored from a backup. The tag is the beginning
// of the entry's hash: it tells when a failover lost the entry and gave its
// number to another.
type Position struct {
	Epoch uint64
	Seq   uint64
	Tag   uint32
}

const cursorVersion = 1

// TagOf gives the tag of an entry with that hash.
func TagOf(hash [32]byte) uint32 { return binary.BigEndian.Uint32(hash[:4]) }

// Cursor makes the opaque form that clients keep.
func (p Position) Cursor() string {
	b := make([]byte, 0, 21)
	b = append(b, cursorVersion)
	b = binary.BigEndian.AppendUint64(b, p.Epoch)
	b = binary.BigEndian.AppendUint64(b, p.Seq)
	b = binary.BigEndian.AppendUint32(b, p.Tag)
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseCursor reads what Cursor made. Anything else is an error with code BAD_INPUT.
func ParseCursor(s string) (Position, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != 21 || b[0] != cursorVersion {
		return Position{}, Errorf(CodeBadInput, "%q is not a feed cursor", s)
	}
	return Position{
		Epoch: binary.BigEndian.Uint64(b[1:]),
		Seq:   binary.BigEndian.Uint64(b[9:]),
		Tag:   binary.BigEndian.Uint32(b[17:]),
	}, nil
}

// JournalPage is a piece of the journal from which one message of a feed is made.
type JournalPage struct {
	Entries []Entry  // in order, without holes
	From    Position // in front of the first of them
	At      Position // behind the last of them
	// Greet asks for a message even when nothing concerns the subscribers: it
	// tells them their position.
	Greet bool
}
