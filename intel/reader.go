package intel

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Format is a form in which indicators are published.
type Format string

// The formats, as in the schema.
const (
	CSV  Format = "CSV"
	STIX Format = "STIX"
)

// Options say what a list leaves unsaid.
type Options struct {
	Source     string            // of those that name none
	Severity   monitor.Severity  // MEDIUM where empty
	Confidence *int              // monitor.DefaultConfidence where nil
	ValidFor   time.Duration     // of those that name no end, from Now on; 0: for ever
	Subdomains bool              // domains stand for what is below them too
	Tags       []string          // for all, besides their own
	Columns    map[string]string // of CSV: the name of a column by its field (see Fields)
	Now        time.Time
	// First is the position of the first line or object, for a list that comes in
	// parts; 1 where 0.
	First int
}

// Problem is a piece of a list that is no indicator, and why.
type Problem struct {
	Position int    // its line in a CSV file, its place among a bundle's objects; from 1
	ID       string // of a STIX object
	Message  string
}

// Taker is told what a list has. An error of Take ends the reading.
type Taker interface {
	Take(i *monitor.Indicator) error
	Refuse(p Problem)
}

// maxPiece bounds one line or object, in bytes: a list of any length is read in so
// much memory.
const maxPiece = 4 << 20

// Read reads a list to its end. It fails with BAD_INPUT where the list as a whole is
// none of its format, and with what Take fails with. What was taken before stays so.
func Read(format Format, r io.Reader, o Options, to Taker) error {
	if o.Severity == "" {
		o.Severity = monitor.SeverityMedium
	}
	if o.Confidence == nil {
		usual := monitor.DefaultConfidence
		o.Confidence = &usual
	}
	if o.First == 0 {
		o.First = 1
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	switch format {
	case CSV:
		return readCSV(r, o, to)
	case STIX:
		return readSTIX(r, o, to)
	default:
		return monitor.InputErrorf("format", "%q is no format of indicators", format)
	}
}

// FormatOf tells by the first characters of a list which format it is.
func FormatOf(r *bufio.Reader) Format {
	head, _ := r.Peek(512)
	if text := strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), " \t\r\n"); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[{") {
		return STIX
	}
	return CSV
}

// usual gives an indicator with what the options say of all.
func (o *Options) usual() *monitor.Indicator {
	i := &monitor.Indicator{Source: o.Source, Severity: o.Severity, Confidence: *o.Confidence, Subdomains: o.Subdomains, Tags: append([]string{}, o.Tags...)}
	if o.ValidFor > 0 {
		i.ValidUntil = o.Now.Add(o.ValidFor)
	}
	return i
}

// pieces reads through to r, and fails when more than maxPiece bytes are asked for
// between two calls of next.
type pieces struct {
	r    io.Reader
	left int
}

var errPiece = fmt.Errorf("a line or object is larger than %d MiB", maxPiece>>20)

func (p *pieces) next() { p.left = maxPiece }

func (p *pieces) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, errPiece
	}
	n, err := p.r.Read(b[:min(len(b), p.left)])
	p.left -= n
	return n, err
}

// messageOf is what people are told of an error.
func messageOf(err error) string {
	var known *monitor.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return err.Error()
}

// timeOf reads a time as lists have it; the empty text is none.
func timeOf(field, text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "-" || strings.EqualFold(text, "null") || strings.EqualFold(text, "none") {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, monitor.InputErrorf(field, "%s is a time such as 2026-05-04T09:30:00Z, not %q", field, text[:min(len(text), 60)])
}
