// Package metrics owns what Prometheus sees of the program: the names, the
// labels and what bounds them (docs/metrics.md lists them all). It measures
// nothing by itself: package app joins it to what happens elsewhere.
//
// A label's values are few and known beforehand. What a user can choose, such as
// an operation's name or an event's product, passes through a list of known
// values first; the rest is "other".
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// other stands for all values of a label that are not known beforehand.
const other = "other"

// Set is all metrics of one running program. It is safe for concurrent use.
type Set struct {
	HTTP    *HTTP
	GraphQL *GraphQL
	Ingest  *Ingest
	Detect  *Detect
	Store   *Store
	Feed    *Feed
	Jobs    *Jobs
	Health  *Health
	Notify  *Notify
	Archive *Archive

	registry *prometheus.Registry
}

// New makes the metrics of a program of this version.
func New(version string) *Set {
	r := prometheus.NewRegistry()
	s := &Set{
		registry: r, HTTP: newHTTP(r), GraphQL: newGraphQL(r), Ingest: newIngest(r), Detect: newDetect(r), Store: newStore(r),
		Feed: newFeed(r), Jobs: newJobs(r), Health: newHealth(r), Notify: newNotify(r), Archive: newArchive(r),
	}
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	build := gauges(r, "secmon_build_info", "Always 1; the labels say which build this is.", "version", "goversion")
	build.WithLabelValues(version, runtime.Version()).Set(1)
	return s
}

// Handler answers Prometheus.
func (s *Set) Handler() http.Handler { return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}) }

// Counter shows a count that somebody else keeps. labels are pairs of name and
// value, which are fixed.
func (s *Set) Counter(name, help string, value func() int64, labels ...string) {
	s.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: pairs(labels)},
		func() float64 { return float64(value()) }))
}

// Seconds shows a time that somebody else adds up.
func (s *Set) Seconds(name, help string, value func() time.Duration) {
	s.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return value().Seconds() }))
}

// Gauge shows a figure that somebody else keeps.
func (s *Set) Gauge(name, help string, value func() float64, labels ...string) {
	s.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: pairs(labels)}, value))
}

func pairs(labels []string) prometheus.Labels {
	m := prometheus.Labels{}
	for i := 0; i+1 < len(labels); i += 2 {
		m[labels[i]] = labels[i+1]
	}
	return m
}

func counters(r *prometheus.Registry, name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func gauges(r *prometheus.Registry, name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func histograms(r *prometheus.Registry, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	r.MustRegister(v)
	return v
}

func histogram(r *prometheus.Registry, name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	r.MustRegister(h)
	return h
}

func counter(r *prometheus.Registry, name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	r.MustRegister(c)
	return c
}

// known is a list of the values that a label may have.
type known map[string]bool

func knownOf(values ...string) known {
	k := make(known, len(values))
	for _, v := range values {
		k[v] = true
	}
	return k
}

// or gives the value where it is known, "other" else.
func (k known) or(value string) string {
	if k[value] {
		return value
	}
	return other
}

// latencies are the buckets of what a person waits for, in seconds. 0.2 is the
// objective of docs/slo.md.
var latencies = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10}
