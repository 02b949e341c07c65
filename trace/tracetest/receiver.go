// Package tracetest is a receiver of OTLP over HTTP for tests: it keeps the spans
// that it gets.
package tracetest

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// Receiver keeps what it gets. It is safe for concurrent use.
type Receiver struct {
	URL string

	mu    sync.Mutex
	spans []Span
}

// Span is one span that was received.
type Span struct {
	Name, Trace, ID, Parent string // ids in hexadecimal; Parent "" of the first
	Attributes              map[string]string
	Resource                map[string]string
	Links                   []string // ids of spans
	Failed                  string   // why, "" where it did not
}

// New starts a receiver that ends with the test.
func New(tb testing.TB) *Receiver {
	r := &Receiver{}
	server := httptest.NewServer(r)
	r.URL = server.URL
	tb.Cleanup(server.Close)
	return r
}

// ServeHTTP takes an export.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(plain(request))
	var export collector.ExportTraceServiceRequest
	if err != nil || request.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range export.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				span := Span{
					Name: s.GetName(), Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
					Attributes: texts(s.GetAttributes()), Resource: texts(resource.GetResource().GetAttributes()),
				}
				for _, l := range s.GetLinks() {
					span.Links = append(span.Links, hex.EncodeToString(l.GetSpanId()))
				}
				if s.GetStatus().GetCode() == 2 {
					span.Failed = s.GetStatus().GetMessage()
				}
				r.spans = append(r.spans, span)
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func plain(r *http.Request) io.Reader {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return r.Body
	}
	unpacked, err := gzip.NewReader(r.Body)
	if err != nil {
		return r.Body
	}
	return unpacked
}

func texts(of []*common.KeyValue) map[string]string {
	all := map[string]string{}
	for _, kv := range of {
		switch v := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			all[kv.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			all[kv.GetKey()] = strconv.FormatInt(v.IntValue, 10)
		}
	}
	return all
}

// Spans gives what was received so far.
func (r *Receiver) Spans() []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Span(nil), r.spans...)
}
