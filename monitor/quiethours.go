package monitor

import (
	"slices"
	"time"
	_ "time/tzdata" // an image of the program alone has no time zones
)

// QuietHours are when a channel keeps still: what comes then is told at their
// end. They may go over midnight; Days are those on which they begin.
type QuietHours struct {
	TimeZone string    `json:"timeZone"` // of the IANA database, such as Europe/Berlin
	From     string    `json:"from"`     // 22:00
	To       string    `json:"to"`       // 07:00; as From: the whole day
	Days     []Weekday `json:"days"`     // empty: every day
	// Unless is the severity from which on an alert is told at once even so; empty: none is.
	Unless Severity `json:"unless,omitempty"`
}

// Weekday is a day of the week, as in the schema.
type Weekday string

// Weekdays are all, in the order of time.Weekday.
var Weekdays = []Weekday{"SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"}

// NullableUnless is Unless, nil where everything waits.
func (q *QuietHours) NullableUnless() *Severity { return nullable(q.Unless) }

func (q *QuietHours) check() error {
	if _, err := time.LoadLocation(q.TimeZone); err != nil || q.TimeZone == "" || q.TimeZone == "Local" {
		return InputErrorf("quiet.timeZone", "%q is no time zone such as Europe/Berlin or UTC", q.TimeZone)
	}
	for path, text := range map[string]string{"quiet.from": q.From, "quiet.to": q.To} {
		if _, err := time.Parse("15:04", text); err != nil {
			return InputErrorf(path, "%q is no time of day such as 22:00", text)
		}
	}
	for i, day := range q.Days {
		if !slices.Contains(Weekdays, day) || slices.Contains(q.Days[:i], day) {
			return InputErrorf("quiet.days", "%q is no day of the week, or named twice", day)
		}
	}
	if q.From == q.To && len(q.Days) == 0 && q.Unless == "" {
		return InputErrorf("quiet.to", "that is always: nothing would ever be told")
	}
	if q.Unless != "" && !slices.Contains(Severities, q.Unless) {
		return InputErrorf("quiet.unless", "there is no severity %q", q.Unless)
	}
	return nil
}

// Until gives when the quiet that holds at a time ends; ok is false when none does.
func (q *QuietHours) Until(now time.Time) (end time.Time, ok bool) {
	zone, err := time.LoadLocation(q.TimeZone)
	if err != nil {
		return end, false // a zone that this release does not know silences nothing
	}
	from, errFrom := time.Parse("15:04", q.From)
	to, errTo := time.Parse("15:04", q.To)
	if errFrom != nil || errTo != nil {
		return end, false
	}
	local := now.In(zone)
	for _, back := range []int{1, 0} { // those of yesterday may still hold
		day := local.AddDate(0, 0, -back)
		if len(q.Days) > 0 && !slices.Contains(q.Days, Weekdays[day.Weekday()]) {
			continue
		}
		at := func(clock time.Time, days int) time.Time {
			return time.Date(day.Year(), day.Month(), day.Day()+days, clock.Hour(), clock.Minute(), 0, 0, zone)
		}
		begin, stop := at(from, 0), at(to, 0)
		if !stop.After(begin) {
			stop = at(to, 1)
		}
		if !now.Before(begin) && now.Before(stop) && stop.After(end) {
			end, ok = stop, true
		}
	}
	return end, ok
}
