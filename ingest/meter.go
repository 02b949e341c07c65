package ingest

import (
	"net/http"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Meter is told of what comes in. It must not wait, and is called from many
// goroutines.
type Meter interface {
	// Request says what became of a request: stored, rejected (all of its records
	// were), refused (its own fault), saturated (send it again later) or failed.
	// The protocol is one of Protocols.
	Request(protocol, outcome string)
	// Records says what a request had. The product is what records say of
	// themselves: anything.
	Records(format, product string, records, bytes int)
	// Rejected says how many records of a request could not be read.
	Rejected(records int)
	// Repeated says how many records had come before, and were not stored again.
	Repeated(records int)
	// Committed says how long a transaction took, and whether it was committed.
	Committed(events, requests int, took time.Duration, stored bool)
}

type noMeter struct{}

func (noMeter) Request(string, string)                  {}
func (noMeter) Repeated(int)                            {}
func (noMeter) Records(string, string, int, int)        {}
func (noMeter) Rejected(int)                            {}
func (noMeter) Committed(int, int, time.Duration, bool) {}

// The protocols by which events come.
const (
	protocolJSON    = "json"
	protocolElastic = "elastic"
	protocolSplunk  = "splunk"
	protocolAWS     = "aws"
	protocolOTLP    = "otlp"
	protocolSyslog  = "syslog"
	protocolWebhook = "webhook"
)

// Protocols are all values of Meter.Request's protocol.
func Protocols() []string {
	return []string{protocolJSON, protocolElastic, protocolSplunk, protocolAWS, protocolOTLP, protocolSyslog, protocolWebhook}
}

// Formats are all values of monitor.Event.Format that a Normaliser gives.
func Formats() []string {
	var all []string
	for _, f := range formats {
		if f.name != "hostreport" { // these have their kind for a format
			all = append(all, f.name)
		}
	}
	for kind := range reportKinds {
		all = append(all, kind)
	}
	return all
}

func outcomeOf(status int) string {
	switch {
	case status == http.StatusOK || status == http.StatusCreated:
		return "stored"
	case status == http.StatusUnprocessableEntity:
		return "rejected"
	case status == http.StatusTooManyRequests:
		return "saturated"
	case status >= http.StatusInternalServerError:
		return "failed"
	default:
		return "refused"
	}
}

// count tells a meter of the records of a request, once for each run of the same
// format and product: a shipper's records are mostly of one kind.
func count(m Meter, b *monitor.Batch, rejected int) {
	if rejected > 0 {
		m.Rejected(rejected)
	}
	for from := 0; from < len(b.Events); {
		format, product, to, bytes := b.Events[from].Format, b.Events[from].LogSource.Product, from, 0
		for ; to < len(b.Events) && b.Events[to].Format == format && b.Events[to].LogSource.Product == product; to++ {
			bytes += len(b.Events[to].Raw)
		}
		m.Records(format, product, to-from, bytes)
		from = to
	}
}
