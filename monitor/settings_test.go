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
