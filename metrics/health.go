package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Health says whether what the program needs is there, as it looks every few seconds.
type Health struct {
	up           *prometheus.GaugeVec
	seconds      *prometheus.GaugeVec
	certificates *prometheus.GaugeVec
}

func newHealth(r *prometheus.Registry) *Health {
	return &Health{
		up:           gauges(r, "secmon_dependency_up", "1 while it answered when it was asked last, 0 while not.", "dependency"),
		seconds:      gauges(r, "secmon_dependency_ping_seconds", "Time of the last answer.", "dependency"),
		certificates: gauges(r, "secmon_peer_certificate_expiry_timestamp_seconds", "When the certificate of a server that we speak to over TLS ends, in Unix seconds.", "peer"),
	}
}

// Asked notes how a dependency answered.
func (h *Health) Asked(dependency string, took time.Duration, answered bool) {
	up := 0.0
	if answered {
		up = 1
		h.seconds.WithLabelValues(dependency).Set(took.Seconds())
	}
	h.up.WithLabelValues(dependency).Set(up)
}

// Certificate notes when a peer's certificate ends.
func (h *Health) Certificate(peer string, ends time.Time) {
	h.certificates.WithLabelValues(peer).Set(float64(ends.Unix()))
}
