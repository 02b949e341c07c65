package monitor

import (
	"fmt"
	"strings"
	"time"
)

// Setup is what can be set while the server runs: by the configuration, and over
// it by administrators.
type Setup struct {
	Offers
	SessionLifetime time.Duration // of a login that is not used
	EventRetention  time.Duration // how long events are kept; 0: for ever
	RetentionRules  []RetentionRule
	Journal         JournalBounds
}

// Keeping is how long events are kept, by their source.
func (s *Setup) Keeping() *EventKeeping {
	return &EventKeeping{Rules: s.RetentionRules, Default: s.EventRetention}
}

// Overrides are what administrators have set; nil leaves it to the configuration.
// Its JSON form is the snapshot that the journal keeps.
type Overrides struct {
	Version         int            `json:"version"`
	Introspection   *Audience      `json:"introspectionFor"`
	Playground      *Audience      `json:"playgroundFor"`
	SessionLifetime *time.Duration `json:"sessionLifetime"` // nanoseconds, as the next two
	EventRetention  *time.Duration `json:"eventRetention"`
	JournalMaxAge   *time.Duration `json:"journalMaxAge"`
	JournalMaxBytes *int64         `json:"journalMaxBytes"`

	RetentionRules []RetentionRule `json:"retentionRules,omitempty"` // over EventRetention

	UpdatedAt time.Time `json:"updatedAt"`
}

// Bounds of settings.
const (
	MinSessionLifetime = time.Hour
	MaxSessionLifetime = 90 * 24 * time.Hour
	MinRetention       = 24 * time.Hour
	minJournalBytes    = 16 << 20
)

// Check gives BAD_INPUT for settings that cannot be.
func (o *Overrides) Check() error {
	if l := o.SessionLifetime; l != nil && (*l < MinSessionLifetime || *l > MaxSessionLifetime) {
		return InputErrorf("sessionLifetime", "a login lasts %s to %s, not %s", ISODuration(MinSessionLifetime), ISODuration(MaxSessionLifetime), ISODuration(*l))
	}
	for name, keep := range map[string]*time.Duration{"eventRetention": o.EventRetention, "journalMaxAge": o.JournalMaxAge} {
		if keep != nil && *keep != 0 && *keep < MinRetention {
			return InputErrorf(name, "it takes %s at least, or PT0S for no bound, not %s", ISODuration(MinRetention), ISODuration(*keep))
		}
	}
	if b := o.JournalMaxBytes; b != nil && *b != 0 && *b < minJournalBytes {
		return InputErrorf("journalMaxBytes", "it takes %d at least, or 0 for no bound, not %d", minJournalBytes, *b)
	}
	return checkRetentionRules(o.RetentionRules)
}

// Over gives what counts: the overrides, and what the configuration says of the rest.
func (o *Overrides) Over(base Setup) Setup {
	override(&base.Introspection, o.Introspection)
	override(&base.Playground, o.Playground)
	override(&base.SessionLifetime, o.SessionLifetime)
	override(&base.EventRetention, o.EventRetention)
	override(&base.Journal.MaxAge, o.JournalMaxAge)
	override(&base.Journal.MaxBytes, o.JournalMaxBytes)
	base.RetentionRules = o.RetentionRules
	return base
}

// Names are the settings that are overridden, as in the schema.
func (o *Overrides) Names() []string {
	names := []string{}
	for _, each := range []struct {
		name string
		set  bool
	}{
		{"introspectionFor", o.Introspection != nil},
		{"playgroundFor", o.Playground != nil},
		{"sessionLifetime", o.SessionLifetime != nil},
		{"eventRetention", o.EventRetention != nil},
		{"journalMaxAge", o.JournalMaxAge != nil},
		{"journalMaxBytes", o.JournalMaxBytes != nil},
		{"retentionRules", len(o.RetentionRules) > 0},
	} {
		if each.set {
			names = append(names, each.name)
		}
	}
	return names
}

func override[T any](field, wanted *T) {
	if wanted != nil {
		*field = *wanted
	}
}

// Offers say from which role on the schema can be read and the playground is
// offered. The playground is of no use to those who cannot read the schema.
type Offers struct{ Introspection, Playground Audience }

// ToIntrospect tells whether somebody with the role may read the schema.
func (o Offers) ToIntrospect(r Role) bool { return o.Introspection.Includes(r) }

// ToPlay tells whether somebody with the role is offered the playground.
func (o Offers) ToPlay(r Role) bool { return o.Playground.Includes(r) && o.ToIntrospect(r) }

// JournalBounds say how long the journal is kept, and how much of it; 0 is no bound.
type JournalBounds struct {
	MaxAge   time.Duration
	MaxBytes int64
}

// JournalExtent is what is kept of the journal now.
type JournalExtent struct {
	Earliest Position  // before the oldest entry
	Oldest   time.Time // when the oldest entry was made; zero without any
	Entries  int
	Bytes    int64 // of the bodies, about
}

// JournalRetention is the bounds and what is kept, as clients see it.
type JournalRetention struct {
	MaxAge   string // ISO 8601
	MaxBytes float64
	Entries  int
	Bytes    float64
	Oldest   *time.Time
	Earliest string
	Note     string
}

// ISODuration writes a duration in the form of ISO 8601, for example PT720H or
// PT1M30.5S; zero is PT0S. Days are left to hours: a day is not always 24 of them.
func ISODuration(d time.Duration) string {
	if d == 0 {
		return "PT0S"
	}
	var out strings.Builder
	if d < 0 {
		out.WriteByte('-')
		d = -d
	}
	out.WriteString("PT")
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{time.Hour, "H"}, {time.Minute, "M"}} {
		if n := d / unit.length; n > 0 {
			fmt.Fprintf(&out, "%d%s", n, unit.name)
			d -= n * unit.length
		}
	}
	if d > 0 {
		seconds := fmt.Sprintf("%d.%09d", d/time.Second, d%time.Second)
		out.WriteString(strings.TrimRight(strings.TrimRight(seconds, "0"), ".") + "S")
	}
	return out.String()
}
