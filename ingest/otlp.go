package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	codepb "google.golang.org/genproto/googleapis/rpc/code"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/security-monitor/secmon/monitor"
)

// OTLPPath is where OTLP answers; exporters append /v1/logs to the base they are given.
const OTLPPath = "/api/otlp/v1/logs"

// OTLP is OTLP/HTTP for logs, in protobuf and in JSON. Log records become records
// (otlprecord.go) and go the way of all events.
//
// https://opentelemetry.io/docs/specs/otlp/#otlphttp
type OTLP struct{ *Intake }

// maxOTLPBytes bounds a decompressed body, as the Collector's own receiver does:
// protobuf is read whole, not record by record.
const maxOTLPBytes = 20 << 20

// The two encodings of OTLP/HTTP.
const (
	otlpProtobuf = "application/x-protobuf"
	otlpJSON     = "application/json"
)

// otlpProblem says what is wrong with the records that are not stored.
type otlpProblem struct {
	rejected int64
	first    string
}

func (p *otlpProblem) add(n int, message string) {
	if p.rejected++; p.rejected == 1 {
		p.first = fmt.Sprintf("log record %d: %s", n, message)
	}
}

// ServeHTTP takes one request.
func (h *OTLP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	encoding, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		h.fail(w, r, encoding, http.StatusMethodNotAllowed, monitor.Errorf(monitor.CodeBadInput, "send logs with POST"))
		return
	case encoding != otlpProtobuf && encoding != otlpJSON:
		h.fail(w, r, encoding, http.StatusUnsupportedMediaType, monitor.Errorf(monitor.CodeBadInput, "the content type is %q; send %s or %s", clip(encoding), otlpProtobuf, otlpJSON))
		return
	}
	if err := h.Authorise(r.Context()); err != nil {
		h.fail(w, r, encoding, 0, err)
		return
	}
	c := h.begin(w, r, protocolOTLP)
	defer c.release()
	var problem otlpProblem
	if err := c.read(func(body io.Reader) error { return h.take(c, body, encoding, &problem) }); err != nil {
		h.fail(w, r, encoding, 0, err)
		return
	}
	if _, _, err := c.submit(); err != nil {
		h.fail(w, r, encoding, 0, err)
		return
	}
	if len(c.batch.Events) == 0 && problem.rejected > 0 {
		h.meter().Request(protocolOTLP, "rejected")
		h.refuse(w, encoding, http.StatusBadRequest, codepb.Code_INVALID_ARGUMENT, "no log record is stored; "+problem.first)
		return
	}
	h.meter().Request(protocolOTLP, "stored")
	answer := &collectorpb.ExportLogsServiceResponse{}
	if problem.rejected > 0 {
		answer.PartialSuccess = &collectorpb.ExportLogsPartialSuccess{RejectedLogRecords: problem.rejected, ErrorMessage: problem.first}
	}
	h.write(w, encoding, http.StatusOK, answer)
}

// take reads the log records of a body into a collection.
func (h *OTLP) take(c *collection, from io.Reader, encoding string, problem *otlpProblem) error {
	body, err := c.readAll(from, min(maxOTLPBytes, h.Limits.BodyBytes))
	if err != nil {
		return err
	}
	size := int64(len(body))
	defer c.letGo(size) // what is kept of it is counted record by record
	each, records := eachLogProtobuf, 0
	if encoding == otlpJSON {
		each = eachLogJSON
	}
	writer := &logWriter{limits: h.Limits}
	return each(body, func(in *logScope, raw []byte) error {
		if records++; records > h.Limits.Records {
			return (&splitter{limits: h.Limits}).tooMany()
		}
		record, err := writer.record(in, raw)
		if err == nil {
			err = c.add(record)
		}
		if err != nil {
			if record == nil {
				record = writer.kept(in, raw, encoding)
			}
			c.reject(rejectionOf(records, record, err))
			problem.add(records, err.Error())
		}
		return c.err()
	})
}

// readAll reads a body whole, and counts its bytes as in hand while it grows. Its caller
// lets them go.
func (c *collection) readAll(from io.Reader, most int64) ([]byte, error) {
	bounded := &boundedReader{r: from, left: most}
	body := make([]byte, 0, 16<<10)
	for {
		before := len(body)
		n, err := bounded.Read(body[before:cap(body)])
		body = body[:before+n]
		if !c.hold(int64(n)) {
			return nil, c.err()
		}
		switch {
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		case len(body) == cap(body):
			grown := make([]byte, len(body), 2*cap(body))
			copy(grown, body)
			body = grown
		}
	}
}

// fail answers a request of which nothing was stored. A status of 0 is derived from
// the error's code.
func (h *OTLP) fail(w http.ResponseWriter, r *http.Request, encoding string, status int, err error) {
	known := h.explain(r, err)
	if status == 0 {
		status = statusOf(known.Code)
	}
	h.meter().Request(protocolOTLP, outcomeOf(status))
	h.refuse(w, encoding, status, otlpCodes[status], known.Message)
}

// otlpCodes are gRPC's codes of what is answered.
var otlpCodes = map[int]codepb.Code{
	http.StatusBadRequest: codepb.Code_INVALID_ARGUMENT, http.StatusUnauthorized: codepb.Code_UNAUTHENTICATED, http.StatusForbidden: codepb.Code_PERMISSION_DENIED,
	http.StatusMethodNotAllowed: codepb.Code_UNIMPLEMENTED, http.StatusConflict: codepb.Code_ALREADY_EXISTS, http.StatusRequestEntityTooLarge: codepb.Code_RESOURCE_EXHAUSTED,
	http.StatusUnsupportedMediaType: codepb.Code_INVALID_ARGUMENT, http.StatusTooManyRequests: codepb.Code_RESOURCE_EXHAUSTED, http.StatusServiceUnavailable: codepb.Code_UNAVAILABLE,
}

// refuse answers with a google.rpc.Status, as the protocol has it.
func (h *OTLP) refuse(w http.ResponseWriter, encoding string, status int, code codepb.Code, message string) {
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="secmon"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	}
	h.write(w, encoding, status, &statuspb.Status{Code: int32(code), Message: message})
}

// write answers in the encoding of the request; in JSON where that is unknown.
func (h *OTLP) write(w http.ResponseWriter, encoding string, status int, message proto.Message) {
	encode := proto.Marshal
	if encoding != otlpProtobuf {
		encode, encoding = protojson.Marshal, otlpJSON
	}
	body, err := encode(message)
	if err != nil { // the sender's words in a message may be no UTF-8
		h.Log.Error("ingest: answer", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", encoding)
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		h.Log.Debug("ingest: sender left before the answer", "error", err)
	}
}

// otlpRequest is a request in JSON down to what is read by the protocol's own package.
type otlpRequest struct {
	ResourceLogs []struct {
		Resource  json.RawMessage `json:"resource"`
		ScopeLogs []struct {
			Scope      json.RawMessage   `json:"scope"`
			LogRecords []json.RawMessage `json:"logRecords"`
		} `json:"scopeLogs"`
	} `json:"resourceLogs"`
}
