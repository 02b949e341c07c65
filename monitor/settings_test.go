package monitor

import (
	"testing"
	"time"
)

func TestISODuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                     "PT0S",
		720 * time.Hour:                       "PT720H",
		time.Hour + time.Second:               "PT1H1S",
		90 * time.Second:                      "PT1M30S",
		30*time.Second + 500*time.Millisecond: "PT30.5S",
		time.Nanosecond:                       "PT0.000000001S",
		-time.Minute:                          "-PT1M",
	} {
		if got := ISODuration(d); got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT30M": 30 * time.Minute, "P1DT12H": 36 * time.Hour, "P2W": 14 * 24 * time.Hour, "PT90S": 90 * time.Second, "PT0S": 0, "PT1.5S": 1500 * time.Millisecond,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "P", "PT", "30M", "PT-1M", "P1M", "P1DT", "P1Y", "P999999W", "P200000D"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}
