package monitor

import (
	"testing"
	"time"
)

func TestQuietHours(t *testing.T) {
	night := QuietHours{TimeZone: "Europe/Berlin", From: "22:00", To: "07:00"}
	weekend := QuietHours{TimeZone: "Europe/Berlin", From: "18:00", To: "08:00", Days: []Weekday{"FRIDAY"}}
	lunch := QuietHours{TimeZone: "America/New_York", From: "12:00", To: "13:00"}
	always := QuietHours{TimeZone: "UTC", From: "09:00", To: "09:00", Unless: SeverityCritical}
	for _, c := range []struct {
		what, now, end string
		quiet          QuietHours
	}{
		{"before midnight", "2026-06-10T23:30:00+02:00", "2026-06-11T07:00:00+02:00", night},
		{"behind midnight", "2026-06-11T06:59:59+02:00", "2026-06-11T07:00:00+02:00", night},
		{"at its beginning", "2026-06-10T22:00:00+02:00", "2026-06-11T07:00:00+02:00", night},
		{"at its end", "2026-06-11T07:00:00+02:00", "", night},
		{"by day", "2026-06-11T12:00:00+02:00", "", night},
		{"seen from elsewhere", "2026-06-10T20:30:00Z", "2026-06-11T05:00:00Z", night},
		{"clocks go forward", "2026-03-28T23:00:00+01:00", "2026-03-29T07:00:00+02:00", night},
		{"clocks go back", "2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00", night},
		{"on its day", "2026-06-12T19:00:00+02:00", "2026-06-13T08:00:00+02:00", weekend},
		{"the night behind its day", "2026-06-13T07:00:00+02:00", "2026-06-13T08:00:00+02:00", weekend},
		{"on another day", "2026-06-11T19:00:00+02:00", "", weekend},
		{"within a day", "2026-06-11T12:30:00-04:00", "2026-06-11T13:00:00-04:00", lunch},
		{"the whole day", "2026-06-11T08:59:59Z", "2026-06-11T09:00:00Z", always},
		{"the whole day again", "2026-06-11T09:00:00Z", "2026-06-12T09:00:00Z", always},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.quiet.check(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		end, ok := c.quiet.Until(now)
		if (c.end != "") != ok {
			t.Errorf("%s: quiet is %t", c.what, ok)
			continue
		}
		if want, _ := time.Parse(time.RFC3339, c.end); ok && !end.Equal(want) {
			t.Errorf("%s: until %s, want %s", c.what, end, want)
		}
	}
	for _, bad := range []QuietHours{
		{TimeZone: "Moon/Sea", From: "22:00", To: "07:00"},
		{TimeZone: "", From: "22:00", To: "07:00"},
		{TimeZone: "UTC", From: "24:00", To: "07:00"},
		{TimeZone: "UTC", From: "22:00", To: "7"},
		{TimeZone: "UTC", From: "22:00", To: "07:00", Days: []Weekday{"SUNDAY", "SUNDAY"}},
		{TimeZone: "UTC", From: "22:00", To: "07:00", Days: []Weekday{"SOMEDAY"}},
		{TimeZone: "UTC", From: "22:00", To: "07:00", Unless: "BAD"},
		{TimeZone: "UTC", From: "00:00", To: "00:00"}, // for ever
	} {
		if err := bad.check(); CodeOf(err) != CodeBadInput {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
