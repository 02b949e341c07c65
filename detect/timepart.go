package detect

import (
	"strings"
	"time"
)

// timePart reads a part of a date as it is written, without conversion between
// zones: "2025-10-25T13:44:33+02:00" has hour 13. Numbers are seconds, milli-,
// micro- or nanoseconds since 1970, by their length, in UTC. week is ISO 8601's.
func timePart(s, part string) (int, bool) {
	t, hasClock, ok := readTime(s)
	if !ok || !hasClock && (part == "hour" || part == "minute") {
		return 0, false
	}
	switch part {
	case "minute":
		return t.Minute(), true
	case "hour":
		return t.Hour(), true
	case "day":
		return t.Day(), true
	case "week":
		_, week := t.ISOWeek()
		return week, true
	case "month":
		return int(t.Month()), true
	default:
		return t.Year(), true
	}
}

func readTime(s string) (t time.Time, hasClock, ok bool) {
	if digits, rest := cutDigits(s); len(digits) >= 9 && (rest == "" || rest[0] == '.') {
		return readEpoch(digits)
	}
	if len(s) < len(time.DateOnly) {
		return t, false, false
	}
	day, err := time.Parse(time.DateOnly, s[:len(time.DateOnly)])
	rest := s[len(time.DateOnly):]
	if err != nil || rest == "" {
		return day, false, err == nil
	}
	if len(rest) < len("T15:04") || !strings.ContainsRune("Tt ", rune(rest[0])) {
		return t, false, false
	}
	clock, err := time.Parse("15:04", rest[1:6])
	if err != nil {
		return t, false, false
	}
	return day.Add(time.Duration(clock.Hour())*time.Hour + time.Duration(clock.Minute())*time.Minute), true, true
}

// readEpoch takes up to 11 digits for seconds (until the year 5138), up to 14
// for milliseconds, 17 for microseconds, 19 for nanoseconds.
func readEpoch(digits string) (t time.Time, hasClock, ok bool) {
	var n int64
	if len(digits) > 19 || digits > "9223372036854775807" && len(digits) == 19 {
		return t, false, false
	}
	for _, c := range digits {
		n = 10*n + int64(c-'0')
	}
	switch {
	case len(digits) <= 11:
		t = time.Unix(n, 0)
	case len(digits) <= 14:
		t = time.UnixMilli(n)
	case len(digits) <= 17:
		t = time.UnixMicro(n)
	default:
		t = time.Unix(0, n)
	}
	return t.UTC(), true, true
}
