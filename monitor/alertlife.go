package monitor

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of what analysts do with alerts.
const (
	MaxTags      = 50 // of one alert
	MaxTag       = 100
	MaxMerge     = 100 // alerts of one merge
	ClaimLease   = 2 * time.Minute
	claimRenewal = ClaimLease / 2 // an earlier renewal changes nothing
)

// Start says that work on the alert has begun.
func (a *Alert) Start(now time.Time) error {
	if err := a.Acknowledge(now); err != nil {
		return err
	}
	if a.Status != AlertInProgress {
		a.Status, a.StartedAt = AlertInProgress, now
	}
	return nil
}

// reopen gives a closed alert the status that it had.
func (a *Alert) reopen(reason string) {
	a.Status, a.Disposition, a.Reason, a.ClosedAt = AlertNew, "", reason, time.Time{}
	switch {
	case !a.StartedAt.IsZero():
		a.Status = AlertInProgress
	case !a.AcknowledgedAt.IsZero():
		a.Status = AlertAcknowledged
	}
}

// SetSeverity overrides the rule's severity; the empty one takes the override back.
func (a *Alert) SetSeverity(s Severity) {
	if s == "" {
		s = a.RuleSeverity
	}
	a.Severity = s
}

// Tag adds tags and takes others off, without regard to case. It gives BAD_INPUT
// for tags that cannot be.
func (a *Alert) Tag(add, remove []string) error {
	tags := slices.DeleteFunc(slices.Clone(a.Tags), func(t string) bool {
		return slices.ContainsFunc(remove, func(r string) bool { return Fold(strings.TrimSpace(r)) == Fold(t) })
	})
	for _, tag := range add {
		tag, err := CheckTag(tag)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(tags, func(t string) bool { return Fold(t) == tag }) {
			tags = append(tags, tag)
		}
	}
	if len(tags) > MaxTags {
		return InputErrorf("add", "an alert has at most %d tags, this would make %d", MaxTags, len(tags))
	}
	a.Tags = tags
	return nil
}

// CheckTag gives a tag in the form that is kept: in lower case, without blanks
// around it. One that is empty, too long or not printable is BAD_INPUT.
func CheckTag(tag string) (string, error) {
	tag, err := checkText("tag", Fold(tag), MaxTag)
	if err == nil && strings.ContainsFunc(tag, func(r rune) bool { return r < ' ' || r == utf8.RuneError }) {
		err = InputErrorf("tag", "a tag is one line of text")
	}
	return tag, err
}

// Merge takes another alert in: it counts for this one from now on, and is closed
// as a duplicate. Both are changed.
func (a *Alert) Merge(other *Alert, now time.Time) error {
	switch {
	case other.ID == a.ID:
		return InputErrorf("from", "an alert cannot be merged into itself")
	case !a.MergedInto.IsZero():
		return Errorf(CodeConflict, "the alert is merged into another itself; merge into that one")
	case !other.MergedInto.IsZero():
		return Errorf(CodeConflict, "the alert %q is merged into another already; detach it first", other.Title)
	}
	a.Absorb(other)
	if other.Status != AlertClosed {
		other.ClosedAt = now
	}
	other.Status, other.Disposition, other.Reason, other.MergedInto = AlertClosed, Duplicate, "merged into "+a.GlobalID(), a.ID
	return nil
}

// Detach takes an alert that was merged into a out of it again, and opens it. The
// window of a (FirstSeen, LastSeen) is for the caller to mend: it takes the evidence.
func (a *Alert) Detach(other *Alert) error {
	if other.MergedInto.IsZero() || other.MergedInto != a.ID {
		return Errorf(CodeConflict, "the alert is not merged into another")
	}
	a.Count -= other.Count
	other.MergedInto = ID{}
	other.reopen("detached from " + a.GlobalID())
	return nil
}

// Claim says that a person looks at the alert for the next ClaimLease. While the
// lease of somebody else runs it is a CONFLICT, unless takeOver. It tells
// whether there is something to store: a renewal in the first half of a lease
// changes nothing.
func (a *Alert) Claim(by ID, takeOver bool, now time.Time) (bool, error) {
	held := a.ClaimedBy != by && a.ClaimAt(now) != nil
	switch {
	case held && !takeOver:
		return false, Errorf(CodeConflict, "somebody else is looking at the alert")
	case a.ClaimedBy == by && a.ClaimedUntil.After(now.Add(claimRenewal)):
		return false, nil
	}
	a.ClaimedBy, a.ClaimedUntil = by, now.Add(ClaimLease)
	return true, nil
}

// ClaimAt tells who looks at the alert, nil for nobody.
func (a *Alert) ClaimAt(now time.Time) *AlertClaim {
	if a.ClaimedBy.IsZero() || !a.ClaimedUntil.After(now) {
		return nil
	}
	return &AlertClaim{UserID: a.ClaimedBy, Until: a.ClaimedUntil}
}

// Release ends a claim; that of somebody else stays.
func (a *Alert) Release(by ID) bool {
	if a.ClaimedBy != by || by.IsZero() {
		return false
	}
	a.ClaimedBy, a.ClaimedUntil = ID{}, time.Time{}
	return true
}

// AlertClaim is somebody who looks at an alert until then.
type AlertClaim struct {
	UserID ID
	Until  time.Time
}
