// Package ingest takes security events in: it reads what shippers send,
// normalises each record to the envelope and to Sigma's field names, has the
// detection rules run on it, and answers only when everything is stored.
//
//	http.go → split.go → normalise.go and one file a format → Detector → pipeline.go → Store
package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/trace"
)

// Handler is POST /api/ingest: NDJSON or a JSON array, plain, gzip or zstd.
//
// It answers 200 when every accepted record is committed, with the rejected ones
// by line and reason; 422 when all were rejected; 4xx for a request that is
// wrong as a whole and 429 or 503 for one to be sent again, and then nothing of
// it is stored, but where a 503 says that the database did not tell.
type Handler struct {
	Pipeline   *Pipeline
	Detector   Detector
	Indicators Indicators // may be nil
	Normaliser *Normaliser
	Limits     Limits
	// MaxInFlight bounds the bytes of records that all requests hold together.
	MaxInFlight int64
	// Authorise gives an error with code UNAUTHENTICATED or FORBIDDEN unless the
	// request may send events.
	Authorise func(ctx context.Context) error
	Log       *slog.Logger
	Meter     Meter // may be nil

	inFlight atomic.Int64
}

// maxShownErrors bounds the list of rejected records in an answer; the counts are whole.
const maxShownErrors = 1_000

// readTime is how long a sender may take to deliver a request's body.
const readTime = 60 * time.Second

// answer is the body of every response.
type answer struct {
	Accepted int         `json:"accepted"`
	Rejected int         `json:"rejected"`
	Batch    string      `json:"batch,omitempty"`
	Errors   []Rejection `json:"errors,omitempty"`
	Code     string      `json:"code,omitempty"` // of a request that failed as a whole
	Message  string      `json:"message,omitempty"`
	Request  string      `json:"requestId,omitempty"`
}

// ServeHTTP takes one request from its bytes to the committed transaction.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.fail(w, r, http.StatusMethodNotAllowed, monitor.Errorf(monitor.CodeBadInput, "send events with POST"))
		return
	}
	if err := h.Authorise(r.Context()); err != nil {
		h.fail(w, r, 0, err)
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime)) // not every test's writer has deadlines
	batch, rejected, bytes, err := h.readTraced(r)
	defer h.inFlight.Add(-bytes)
	if err != nil {
		h.fail(w, r, 0, err)
		return
	}
	a := answer{Accepted: len(batch.Events), Rejected: len(rejected), Errors: rejected[:min(len(rejected), maxShownErrors)]}
	status := http.StatusOK
	if a.Accepted == 0 && a.Rejected > 0 {
		status = http.StatusUnprocessableEntity
	}
	count(h.meter(), batch, len(rejected))
	if a.Accepted > 0 {
		id, err := h.Pipeline.Submit(r.Context(), batch)
		if err != nil {
			h.fail(w, r, 0, err)
			return
		}
		a.Batch = id.String()
	}
	h.write(w, r, status, a)
}

func (h *Handler) readTraced(r *http.Request) (*monitor.Batch, []Rejection, int64, error) {
	_, span := trace.Start(r.Context(), "ingest read") // decode, normalise, match
	defer span.End()
	batch, rejected, bytes, err := h.read(r)
	if err != nil {
		span.Fail(string(monitor.CodeOf(err)))
		return batch, rejected, bytes, err
	}
	span.Count("secmon.events", len(batch.Events))
	span.Count("secmon.findings", len(batch.Findings))
	span.Count("secmon.rejected", len(rejected))
	return batch, rejected, bytes, err
}

// read decodes, normalises and matches the records of a request. The bytes that
// it counted as in flight are given back by the caller.
func (h *Handler) read(r *http.Request) (*monitor.Batch, []Rejection, int64, error) {
	body, err := Decompress(r.Body, r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, nil, 0, err
	}
	defer body.Close() //nolint:errcheck // only reads
	received := time.Now().UTC().Truncate(time.Microsecond)
	batch := &monitor.Batch{}
	var rejected []Rejection
	var held int64
	var record monitor.Record
	var matches []monitor.Match
	err = Split(body, h.Limits, func(line int, raw []byte, problem *Rejection) error {
		if problem == nil {
			event := &monitor.Event{}
			record.Reset()
			if err := h.Normaliser.Normalise(raw, received, event, &record); err != nil {
				problem = rejectionOf(line, err)
			} else {
				held += int64(len(raw))
				if h.inFlight.Add(int64(len(raw))) > h.MaxInFlight {
					return errSaturated
				}
				matches = h.Detector.Match(&record, matches[:0])
				if h.Indicators != nil {
					matches = h.Indicators.Match(event, &record, matches)
				}
				addMatches(batch, matches)
				batch.Events = append(batch.Events, event)
			}
		}
		if problem != nil {
			rejected = append(rejected, *problem)
		}
		return r.Context().Err()
	})
	return batch, rejected, held, err
}

// addMatches takes in what the rules say of the event that comes next.
func addMatches(batch *monitor.Batch, matches []monitor.Match) {
	for _, m := range matches {
		if !m.Silent {
			batch.Findings = append(batch.Findings, monitor.Finding{Event: len(batch.Events), Rule: m.Rule, Matched: m.Matched})
		}
		for _, s := range m.Samples {
			s.Event = len(batch.Events)
			batch.Samples = append(batch.Samples, s)
		}
	}
}

var errSaturated = monitor.Errorf(monitor.CodeRateLimited, "the server has as much in hand as it can hold; send the request again later")

// fail answers a request of which nothing was stored. A status of 0 is derived
// from the error's code.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	var known *monitor.Error
	if !errors.As(err, &known) || known == monitor.ErrAway {
		known = &monitor.Error{Code: monitor.CodeUnavailable, Message: "not stored; send the request again"}
		unknown := errors.Is(err, monitor.ErrOutcomeUnknown)
		if unknown {
			known.Message = "the database did not tell whether the records are stored; sent again, they may be there twice"
		}
		if !unknown && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled)) {
			known = &monitor.Error{Code: monitor.CodeBadInput, Message: "the request ended in the middle of its body"}
		} else {
			h.Log.ErrorContext(r.Context(), "ingest", "error", err, "request", monitor.RequestID(r.Context()))
		}
	}
	if status == 0 {
		status = statusOf(known.Code)
	}
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="secmon"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	}
	h.write(w, r, status, answer{Code: string(known.Code), Message: known.Message})
}

func statusOf(code monitor.Code) int {
	switch code {
	case monitor.CodeUnauthenticated:
		return http.StatusUnauthorized
	case monitor.CodeForbidden:
		return http.StatusForbidden
	case monitor.CodeRateLimited:
		return http.StatusTooManyRequests
	case CodeBodyTooLarge, CodeTooManyRecords:
		return http.StatusRequestEntityTooLarge
	case CodeBadEncoding, monitor.CodeBadInput:
		return http.StatusBadRequest
	default:
		return http.StatusServiceUnavailable
	}
}

func (h *Handler) write(w http.ResponseWriter, r *http.Request, status int, a answer) {
	a.Request = monitor.RequestID(r.Context())
	h.meter().Request(outcomeOf(status))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Ingest-Accepted", strconv.Itoa(a.Accepted))
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(a); err != nil {
		h.Log.Debug("ingest: sender left before the answer", "error", err)
	}
}
