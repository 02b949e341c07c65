// Package ingest takes security events in: it reads what shippers send,
// normalises each record to the envelope and to Sigma's field names, has the
// detection rules run on it, and answers only when everything is stored.
//
//	http.go, elastic.go, splunk.go, aws.go, sns.go → intake.go → split.go → normalise.go and one file a format → Detector → pipeline.go → Store
package ingest

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"github.com/security-monitor/secmon/monitor"
)

// Handler is POST /api/ingest: NDJSON or a JSON array, plain, gzip or zstd.
//
// It answers 200 when every accepted record is committed, with the rejected ones
// by line and reason; 422 when all were rejected; 4xx for a request that is
// wrong as a whole and 429 or 503 for one to be sent again, and then nothing of
// it is stored, but where a 503 says that the database did not tell.
//
// A request with the header Idempotency-Key is stored once, however often it is
// sent (docs/ingest.md).
type Handler struct{ *Intake }

// maxShownErrors bounds the list of rejected records in an answer; the counts are whole.
const maxShownErrors = 1_000

// answer is the body of every response.
type answer struct {
	Accepted int         `json:"accepted"`
	Rejected int         `json:"rejected"`
	Batch    string      `json:"batch,omitempty"`
	Repeated bool        `json:"repeated,omitempty"` // it came before, and was stored then
	Errors   []Rejection `json:"errors,omitempty"`
	Code     string      `json:"code,omitempty"` // of a request that failed as a whole
	Message  string      `json:"message,omitempty"`
	Request  string      `json:"requestId,omitempty"`
}

// ServeHTTP takes one request from its bytes to the committed transaction.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.allowed(w, r, protocolJSON) {
		h.take(w, h.begin(w, r, protocolJSON))
	}
}

// allowed tells whether a request may send events, and answers where not.
func (h *Handler) allowed(w http.ResponseWriter, r *http.Request, protocol string) bool {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.fail(w, r, protocol, http.StatusMethodNotAllowed, monitor.Errorf(monitor.CodeBadInput, "send events with POST"))
		return false
	}
	if err := h.Authorise(r.Context()); err != nil {
		h.fail(w, r, protocol, 0, err)
		return false
	}
	return true
}

// take takes the records of a request in, and answers it.
func (h *Handler) take(w http.ResponseWriter, c *collection) {
	defer c.release()
	r := c.r
	var rejected []Rejection
	err := c.read(func(body io.Reader) error {
		return Split(body, h.Limits, func(line int, raw []byte, problem *Rejection) error {
			if problem == nil {
				problem = rejectionOf(line, raw, c.add(raw))
			}
			if problem != nil {
				c.reject(problem)
				rejected = append(rejected, *problem)
			}
			return c.err()
		})
	})
	if err != nil {
		h.fail(w, r, c.protocol, 0, err)
		return
	}
	a := answer{Accepted: len(c.batch.Events), Rejected: len(rejected), Errors: rejected[:min(len(rejected), maxShownErrors)]}
	status := http.StatusOK
	if a.Accepted == 0 && a.Rejected > 0 {
		status = http.StatusUnprocessableEntity
	}
	id, repeated, err := c.submit()
	if err != nil {
		h.fail(w, r, c.protocol, 0, err)
		return
	}
	if a.Repeated = repeated; a.Accepted > 0 {
		a.Batch = id.String()
	}
	h.answer(w, r, c.protocol, status, a)
}

// fail answers a request of which nothing was stored. A status of 0 is derived
// from the error's code.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, protocol string, status int, err error) {
	h.refuse(w, r, protocol, status, err)
}

func (in *Intake) refuse(w http.ResponseWriter, r *http.Request, protocol string, status int, err error) {
	known := in.explain(r, err)
	if status == 0 {
		status = statusOf(known.Code)
	}
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="secmon"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	}
	in.answer(w, r, protocol, status, answer{Code: string(known.Code), Message: known.Message})
}

func statusOf(code monitor.Code) int {
	switch code {
	case monitor.CodeUnauthenticated:
		return http.StatusUnauthorized
	case monitor.CodeForbidden:
		return http.StatusForbidden
	case monitor.CodeNotFound:
		return http.StatusNotFound
	case monitor.CodeRateLimited:
		return http.StatusTooManyRequests
	case CodeBodyTooLarge, CodeTooManyRecords:
		return http.StatusRequestEntityTooLarge
	case CodeBadEncoding, monitor.CodeBadInput:
		return http.StatusBadRequest
	case CodeKeyReused:
		return http.StatusConflict
	default:
		return http.StatusServiceUnavailable
	}
}

func (in *Intake) answer(w http.ResponseWriter, r *http.Request, protocol string, status int, a answer) {
	a.Request = monitor.RequestID(r.Context())
	in.meter().Request(protocol, outcomeOf(status))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Ingest-Accepted", strconv.Itoa(a.Accepted))
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(a); err != nil {
		in.Log.Debug("ingest: sender left before the answer", "error", err)
	}
}
