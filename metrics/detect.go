package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Detect measures the rules at work, by the class of log source that events and
// rules have in common.
type Detect struct {
	seconds *prometheus.HistogramVec
	hits    *prometheus.CounterVec
}

var levels = knownOf("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")

func newDetect(r *prometheus.Registry) *Detect {
	d := &Detect{
		seconds: histograms(r, "secmon_detect_seconds", "Time that all rules of its log source took for one event.",
			[]float64{0.000001, 0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.01, 0.1}, "class"),
		hits: counters(r, "secmon_detect_hits_total", "Times that a rule fired on an event.", "class", "level"),
	}
	for level := range levels {
		d.hits.WithLabelValues(other, level)
	}
	d.seconds.WithLabelValues(other)
	return d
}

// Event counts an event that the rules have seen.
func (d *Detect) Event(class string, took time.Duration) {
	d.seconds.WithLabelValues(class).Observe(took.Seconds())
}

// Hit counts a rule that fired.
func (d *Detect) Hit(class, level string) { d.hits.WithLabelValues(class, levels.or(level)).Inc() }
