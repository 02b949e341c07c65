package monitor

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// DeadLetter is a record that was sent and could not be taken in: what came, why not,
// and from whom. Its JSON form is the snapshot that the journal keeps; the record itself
// is no part of it.
type DeadLetter struct {
	ID ID        `json:"id"`
	At time.Time `json:"at"` // when it came
	SourceKey
	Code    string `json:"code"`
	Message string `json:"message"`
	Line    int    `json:"line"`
	Raw     []byte `json:"-"`
	Size    int    `json:"size"` // of what is kept of it
	Cut     bool   `json:"cut"`  // Raw is but its beginning: it cannot be replayed
	// Mapping is the mapping that the source named; empty: none.
	Mapping    string          `json:"mapping"`
	State      DeadLetterState `json:"state"`
	ReplayedAt time.Time       `json:"replayedAt"` // zero: never
	Result     string          `json:"result"`     // of the latest replay
	Batch      ID              `json:"batch"`      // that has its event since; zero: none
}

// DeadLetterState tells what became of a dead letter.
type DeadLetterState string

// The states, as in the schema.
const (
	LetterWaiting  DeadLetterState = "WAITING"
	LetterReplayed DeadLetterState = "REPLAYED" // its event is stored
	LetterFailed   DeadLetterState = "FAILED"   // a replay was refused too
)

// Bounds of dead letters.
const (
	// MaxDeadLetters and MaxDeadLetterBytes are how much is kept of them, the latest.
	MaxDeadLetters     = 20_000
	MaxDeadLetterBytes = 256 << 20
	DeadLetterLife     = 30 * 24 * time.Hour
	// MaxLetterBytes is how much is kept of one.
	MaxLetterBytes = 256 << 10
	// MaxLetterChange is how many one mutation replays or deletes.
	MaxLetterChange = 500
)

// GlobalID is the dead letter's id in the graph.
func (l *DeadLetter) GlobalID() string { return GlobalID(KindDeadLetter, l.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*DeadLetter) IsNode() {}

// NullableReplayedAt is ReplayedAt, nil for never.
func (l *DeadLetter) NullableReplayedAt() *time.Time { return nullableTime(l.ReplayedAt) }

// PartOf names the replay of a letter, so that its event is stored once however often it
// is replayed.
func (l *DeadLetter) PartOf() *Part {
	return &Part{Events: 1, Key: HashPart("dead letter", l.ID.String()), Content: HashPart(l.ID.String())}
}

// DeadLetterFilter says which dead letters. All that is given must hold.
type DeadLetterFilter struct {
	State  *DeadLetterState
	Code   *string
	Source *string // its id in the graph
	Text   *string // stands in the record or in the reason
}

// LetterReplay is what became of one dead letter that was replayed.
type LetterReplay struct {
	Letter *DeadLetter
	Stored bool   // its event is stored, now or since an earlier replay
	Again  bool   // since an earlier one
	Result string // for people
}

// Text gives the record as UTF-8: bytes that are none as \xNN.
func (l *DeadLetter) Text() string {
	if utf8.Valid(l.Raw) {
		return string(l.Raw)
	}
	var out strings.Builder
	for rest := l.Raw; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&out, `\x%02x`, rest[0])
		} else {
			out.Write(rest[:size])
		}
		rest = rest[size:]
	}
	return out.String()
}
