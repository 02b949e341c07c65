package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Ingest counts what shippers send and what becomes of it.
type Ingest struct {
	requests *prometheus.CounterVec
	records  *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	rejected prometheus.Counter
	repeated prometheus.Counter
	events   prometheus.Histogram
	joined   prometheus.Histogram
	commit   *prometheus.HistogramVec

	formats known
}

// What becomes of a request that sends events.
var outcomes = []string{"stored", "rejected", "refused", "saturated", "failed"}

// What requests that send events are sent by.
var protocols = []string{"json", "elastic", "splunk", "aws", "otlp", "syslog", "webhook"}

var outcomeNames, protocolNames = knownOf(outcomes...), knownOf(protocols...)

func newIngest(r *prometheus.Registry) *Ingest {
	i := &Ingest{
		requests: counters(r, "secmon_ingest_requests_total", "Requests that sent events, by protocol and by what became of them.", "protocol", "outcome"),
		records:  counters(r, "secmon_ingest_records_total", "Records that were read, by format and by the product that they come from.", "format", "product"),
		bytes:    counters(r, "secmon_ingest_bytes_total", "Bytes of those records, decompressed.", "format"),
		rejected: counter(r, "secmon_ingest_rejected_total", "Records that could not be read."),
		repeated: counter(r, "secmon_ingest_repeated_total", "Records that had come before under the same name, and were not stored again."),
		events:   histogram(r, "secmon_ingest_batch_events", "Events stored in one transaction.", []float64{1, 10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000}),
		joined:   histogram(r, "secmon_ingest_batch_requests", "Requests stored in one transaction.", []float64{1, 2, 4, 8, 16, 32, 64, 128}),
		commit:   histograms(r, "secmon_ingest_commit_seconds", "Time of one transaction that stores events, with its alerts and its journal entry.", latencies, "outcome"),
	}
	for _, protocol := range protocols {
		for _, outcome := range outcomes {
			i.requests.WithLabelValues(protocol, outcome)
		}
	}
	i.commit.WithLabelValues("stored")
	i.commit.WithLabelValues("failed")
	return i
}

// Know sets the formats that may stand in a label. Call it before the first request.
func (i *Ingest) Know(formats []string) { i.formats = knownOf(formats...) }

// Request counts a request: stored, rejected (all of its records were), refused
// (its fault), saturated (429) or failed (503).
func (i *Ingest) Request(protocol, outcome string) {
	i.requests.WithLabelValues(protocolNames.or(protocol), outcomeNames.or(outcome)).Inc()
}

// Repeated counts records that had come before.
func (i *Ingest) Repeated(records int) { i.repeated.Add(float64(records)) }

// Records counts what one request had, by format and product.
func (i *Ingest) Records(format, product string, records, bytes int) {
	format = i.formats.or(format)
	i.records.WithLabelValues(format, products.or(product)).Add(float64(records))
	i.bytes.WithLabelValues(format).Add(float64(bytes))
}

// Rejected counts records that could not be read.
func (i *Ingest) Rejected(records int) { i.rejected.Add(float64(records)) }

// Committed counts a transaction.
func (i *Ingest) Committed(events, requests int, took time.Duration, stored bool) {
	if !stored {
		i.commit.WithLabelValues("failed").Observe(took.Seconds())
		return
	}
	i.commit.WithLabelValues("stored").Observe(took.Seconds())
	i.events.Observe(float64(events))
	i.joined.Observe(float64(requests))
}
