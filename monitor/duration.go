package monitor

import (
	"io"
	"regexp"
	"strconv"
	"time"
)

// Duration is a length of time as the schema's scalar: ISO 8601, for example
// PT15M, PT24H, P7D. A day is 24 hours, a week seven days; months and years have
// no fixed length and are refused.
type Duration time.Duration

var isoDuration = regexp.MustCompile(`^P(?:(\d{1,6})W|(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6}(?:\.\d{1,9})?)S)?)?)$`)

// maxDuration bounds each part of a duration, in years of 365 days: the sum of five
// such parts does not overflow.
const maxDuration = 50 * 365 * 24 * time.Hour

// ParseDuration reads the form of ISO 8601. Anything else is BAD_INPUT.
func ParseDuration(s string) (time.Duration, error) {
	m := isoDuration.FindStringSubmatch(s)
	if m == nil || s == "P" || s[len(s)-1] == 'T' {
		return 0, Errorf(CodeBadInput, "%q is not an ISO 8601 duration such as PT15M or P7D", s)
	}
	var d time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute} {
		n, _ := strconv.Atoi("0" + m[i+1]) // at most six digits
		if n > int(maxDuration/unit) {
			return 0, Errorf(CodeBadInput, "%q is longer than 50 years", s)
		}
		d += time.Duration(n) * unit
	}
	seconds, _ := strconv.ParseFloat("0"+m[5], 64) // the pattern holds a number
	return d + time.Duration(seconds*float64(time.Second)), nil
}

// MarshalGQL writes the form of ISO 8601.
func (d Duration) MarshalGQL(w io.Writer) {
	_, _ = io.WriteString(w, strconv.Quote(ISODuration(time.Duration(d)))) // gqlgen's interface has no error
}

// UnmarshalGQL reads what ParseDuration reads.
func (d *Duration) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return Errorf(CodeBadInput, "a duration is a string, not %T", v)
	}
	parsed, err := ParseDuration(text)
	*d = Duration(parsed)
	return err
}
