package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Feed measures how live the feeds are.
type Feed struct {
	delay prometheus.Histogram
}

func newFeed(r *prometheus.Registry) *Feed {
	return &Feed{delay: histogram(r, "secmon_feed_delay_seconds", "Time from a change's transaction to the handing over of its message to the subscriptions that are at the head.",
		[]float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30})}
}

// Delay counts a message. Clocks of replicas differ: it is never below 0.
func (f *Feed) Delay(d time.Duration) { f.delay.Observe(max(0, d).Seconds()) }
