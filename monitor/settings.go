package monitor

import (
	"fmt"
	"strings"
	"time"
)

// Settings are what a client may want to know of how the server is set up.
type Settings struct {
	JournalRetention JournalRetention
	Playground       bool // whether it is offered to whoever asks
	Introspection    bool // whether whoever asks may read the schema
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
