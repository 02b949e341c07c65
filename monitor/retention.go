package monitor

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Bounds of the rules of retention.
const (
	MaxRetentionRules    = 32
	maxRetentionRuleText = 128
)

// RetentionRule says how long the events of some sources are kept. Of several that fit
// an event the first counts; an event that none fits is kept as long as EventRetention.
type RetentionRule struct {
	Name     string        `json:"name"`
	Product  string        `json:"product"` // of the log source; "" fits any, as in the next three
	Category string        `json:"category"`
	Service  string        `json:"service"`
	Format   string        `json:"format"`
	Keep     time.Duration `json:"keep"` // 0: for ever
}

// Keeps is Keep as the graph has it.
func (r *RetentionRule) Keeps() Duration { return Duration(r.Keep) }

// Fits tells whether the rule is about the event's source. Texts are compared exactly,
// as the database does.
func (r *RetentionRule) Fits(e *Event) bool {
	for _, pair := range [][2]string{
		{r.Product, e.LogSource.Product},
		{r.Category, e.LogSource.Category},
		{r.Service, e.LogSource.Service},
		{r.Format, e.Format},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	return true
}

func (r *RetentionRule) check() error {
	if r.Product+r.Category+r.Service+r.Format == "" {
		return InputErrorf("retentionRules", "the rule %q names no source: eventRetention is for all others", r.Name)
	}
	for _, text := range []string{r.Name, r.Product, r.Category, r.Service, r.Format} {
		if len(text) > maxRetentionRuleText {
			return InputErrorf("retentionRules", "a text of a rule has %d bytes at most", maxRetentionRuleText)
		}
	}
	if r.Keep != 0 && r.Keep < MinRetention {
		return InputErrorf("retentionRules", "it takes %s at least, or PT0S for ever, not %s", ISODuration(MinRetention), ISODuration(r.Keep))
	}
	return nil
}

func checkRetentionRules(rules []RetentionRule) error {
	if len(rules) > MaxRetentionRules {
		return InputErrorf("retentionRules", "there can be %d rules, not %d", MaxRetentionRules, len(rules))
	}
	for i := range rules {
		if err := rules[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// EventKeeping is how long events are kept, by their source.
type EventKeeping struct {
	Rules   []RetentionRule
	Default time.Duration // 0: for ever
}

// Due says which classes of a day's events have ended by now: one for each rule, and
// at last one for all other events. day is a day's beginning in UTC.
func (k *EventKeeping) Due(day, now time.Time) DueClasses {
	due := DueClasses{Rules: k.Rules, Ended: make([]bool, len(k.Rules)+1)}
	for i := range due.Ended {
		keep := k.Default
		if i < len(k.Rules) {
			keep = k.Rules[i].Keep
		}
		// The youngest event of the day may be a day younger than its beginning.
		due.Ended[i] = keep > 0 && day.Before(now.Add(-keep).Truncate(24*time.Hour))
	}
	return due
}

// DueSince is the time at which the last of the classes ended that Due gives.
func (k *EventKeeping) DueSince(day time.Time, due DueClasses) time.Time {
	var since time.Time
	for i, ended := range due.Ended {
		if !ended {
			continue
		}
		keep := k.Default
		if i < len(k.Rules) {
			keep = k.Rules[i].Keep
		}
		// Whole days: a class that is kept for 36 hours ends with the next one.
		if end := day.Add(24*time.Hour + keep); end.After(since) {
			since = end
		}
	}
	return since
}

// DueClasses are the classes of a day's events: the i-th is of what Rules[i] is the
// first to fit, the last of what none fits.
type DueClasses struct {
	Rules []RetentionRule
	Ended []bool
}

// Any tells whether a class has ended.
func (d *DueClasses) Any() bool {
	for _, ended := range d.Ended {
		if ended {
			return true
		}
	}
	return false
}

// All tells whether the whole day has ended.
func (d *DueClasses) All() bool {
	for _, ended := range d.Ended {
		if !ended {
			return false
		}
	}
	return true
}

// Has tells whether the event's class has ended.
func (d *DueClasses) Has(e *Event) bool {
	for i := range d.Rules {
		if d.Rules[i].Fits(e) {
			return d.Ended[i]
		}
	}
	return d.Ended[len(d.Rules)]
}

// Scope names what has ended: the same text for the same events of a day. Empty for
// the whole day.
func (d *DueClasses) Scope() string {
	if d.All() {
		return ""
	}
	h := sha256.New()
	for i, ended := range d.Ended {
		if i < len(d.Rules) {
			r := &d.Rules[i]
			_, _ = fmt.Fprintf(h, "%q %q %q %q ", r.Product, r.Category, r.Service, r.Format) // a hash never fails
		}
		_, _ = fmt.Fprintf(h, "%t\n", ended)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
