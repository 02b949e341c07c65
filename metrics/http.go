package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// HTTP counts requests by the route that answered them.
type HTTP struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

// Routes are the values of the label route, whatever paths clients ask for.
var Routes = []string{"graphql", "ingest", "export", "taxii", "login", "health", "api", "playground", "dashboard"}

var routes = knownOf(Routes...)

func newHTTP(r *prometheus.Registry) *HTTP {
	h := &HTTP{
		requests: counters(r, "secmon_http_requests_total", "Requests over HTTP that were answered.", "route", "status"),
		seconds:  histograms(r, "secmon_http_request_seconds", "Time from a request's headers to its answer's end. Live connections are not in it.", latencies, "route"),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "secmon_http_in_flight", Help: "Requests that are being answered, without live connections."}),
	}
	r.MustRegister(h.inFlight)
	for _, route := range Routes {
		h.seconds.WithLabelValues(route)
	}
	return h
}

// Begun counts a request as being answered.
func (h *HTTP) Begun() { h.inFlight.Inc() }

// Ended counts an answer; took is negative for a live connection, whose length
// says nothing about speed.
func (h *HTTP) Ended(route string, status int, took time.Duration) {
	h.inFlight.Dec()
	if status < 100 || status > 599 {
		status = 599 // no answer of ours
	}
	route = routes.or(route)
	h.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if took >= 0 {
		h.seconds.WithLabelValues(route).Observe(took.Seconds())
	}
}
