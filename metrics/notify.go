package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Notify counts what leaves the server by itself.
type Notify struct {
	sent   *prometheus.CounterVec
	took   *prometheus.HistogramVec
	paused *prometheus.CounterVec
	held   prometheus.Gauge
}

var (
	notifyKinds    = []string{"Webhook", "Channel"}
	notifyOutcomes = []string{"delivered", "failed", "gone", "given_up"}
	notifyPauses   = []string{"FAILING", "GONE", "OWNER", "OPERATION", "EXPIRED"}
	notifyKind     = knownOf(notifyKinds...)
	notifyOutcome  = knownOf(notifyOutcomes...)
	notifyPause    = knownOf(notifyPauses...)
)

func newNotify(r *prometheus.Registry) *Notify {
	n := &Notify{
		sent:   counters(r, "secmon_deliveries_total", "Tries to send, by what became of them.", "kind", "outcome"),
		paused: counters(r, "secmon_delivery_pauses_total", "Receivers that were paused, by why.", "kind", "reason"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "secmon_delivery_seconds", Help: "How long tries to send took.", Buckets: []float64{.01, .05, .1, .5, 1, 5, 15},
		}, []string{"kind"}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{Name: "secmon_delivery_queues", Help: "Receivers that this replica sends to."}),
	}
	r.MustRegister(n.took, n.held)
	for _, kind := range notifyKinds {
		n.took.WithLabelValues(kind)
		for _, outcome := range notifyOutcomes {
			n.sent.WithLabelValues(kind, outcome)
		}
		for _, reason := range notifyPauses {
			n.paused.WithLabelValues(kind, reason)
		}
	}
	return n
}

// Sent counts a try to send.
func (n *Notify) Sent(kind, outcome string, took time.Duration) {
	n.sent.WithLabelValues(notifyKind.or(kind), notifyOutcome.or(outcome)).Inc()
	n.took.WithLabelValues(notifyKind.or(kind)).Observe(took.Seconds())
}

// Paused counts a receiver that was paused.
func (n *Notify) Paused(kind, reason string) {
	n.paused.WithLabelValues(notifyKind.or(kind), notifyPause.or(reason)).Inc()
}

// Holding tells how many receivers this replica sends to.
func (n *Notify) Holding(count int) { n.held.Set(float64(count)) }
