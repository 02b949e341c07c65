package ingest

import (
	"errors"

	"github.com/security-monitor/secmon/monitor"
)

// Limits of one request.
type Limits struct {
	RecordBytes int   // of one record
	BodyBytes   int64 // of the decompressed body
	Records     int
	Depth       int // of nesting in one record
}

// DefaultLimits fit a pod of 256 MiB.
var DefaultLimits = Limits{RecordBytes: 1 << 20, BodyBytes: 64 << 20, Records: 10_000, Depth: 64}

// Codes of requests that are refused as a whole.
const (
	CodeBodyTooLarge   monitor.Code = "BODY_TOO_LARGE"
	CodeTooManyRecords monitor.Code = "TOO_MANY_RECORDS"
	CodeBadEncoding    monitor.Code = "BAD_ENCODING"
	CodeKeyReused      monitor.Code = "IDEMPOTENCY_KEY_REUSED"
)

// Codes of single records that are refused.
const (
	CodeMalformed      = "MALFORMED_JSON"
	CodeNotAnObject    = "NOT_AN_OBJECT"
	CodeRecordTooLarge = "RECORD_TOO_LARGE"
	CodeInvalidUTF8    = "INVALID_UTF8"
	CodeTooDeep        = "TOO_DEEP"
	CodeUnsupported    = "UNSUPPORTED" // what a protocol has, and events have not
)

// Rejection says why a record was not stored. Line counts from 1: the line of an
// NDJSON body, the element of an array.
type Rejection struct {
	Line    int    `json:"line"`
	Code    string `json:"code"`
	Message string `json:"message"`

	raw  []byte // what came, as much of it as was read
	name string // the sender's for the record, "" where it has none
}

// Raw is what came, nil where it is not known or not whole.
func (r *Rejection) Raw() []byte {
	if r.Code == CodeRecordTooLarge {
		return nil
	}
	return r.raw
}

// recordError says what is wrong with a record, with one of the codes above.
type recordError struct{ code, text string }

func (e *recordError) Error() string { return e.text }

// rejectionOf makes a Rejection of what a normaliser says; nil of nil.
func rejectionOf(line int, raw []byte, err error) *Rejection {
	if err == nil {
		return nil
	}
	code := CodeMalformed
	var known *recordError
	if errors.As(err, &known) {
		code = known.code
	}
	return &Rejection{Line: line, Code: code, Message: err.Error(), raw: raw}
}
