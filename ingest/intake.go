package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/trace"
)

// Intake takes the records of requests in, of whatever protocol: normalises them, has
// the rules run on them, and has them stored. All endpoints share one, and with it
// its bounds.
type Intake struct {
	Pipeline   *Pipeline
	Detector   Detector
	Indicators Indicators // may be nil
	Normaliser *Normaliser
	Limits     Limits
	// MaxInFlight bounds the bytes that the records of all requests hold together,
	// each counted with recordOverhead.
	MaxInFlight int64
	// Authorise gives an error with code UNAUTHENTICATED or FORBIDDEN unless the
	// request may send events.
	Authorise func(ctx context.Context) error
	Log       *slog.Logger
	Meter     Meter   // may be nil
	Ledger    *Ledger // may be nil: then sources are not counted

	inFlight atomic.Int64
}

const (
	// readTime is how long a sender may take to deliver a request's body.
	readTime = 60 * time.Second
	// recordOverhead is about what an event takes beside its raw record.
	recordOverhead = 1 << 10
	// retryAfter is when to send a refused request again, in seconds.
	retryAfter = "1"
	// maxWait is how long a request waits for a committer; with commitTime it stays
	// below what shippers wait for an answer.
	maxWait = 20 * time.Second
	// maxKeyBytes bounds the name that a sender has for a request.
	maxKeyBytes = 255
)

func (in *Intake) meter() Meter {
	if in.Meter == nil {
		return noMeter{}
	}
	return in.Meter
}

// InFlight is how many bytes the records of all requests hold.
func (in *Intake) InFlight() int64 { return in.inFlight.Load() }

// Full tells whether the next request would be refused, or wait.
func (in *Intake) Full() bool {
	return in.InFlight() >= in.MaxInFlight || in.Pipeline.Waiting() >= in.Pipeline.Places()
}

var (
	errSaturated = monitor.Errorf(monitor.CodeRateLimited, "the server has as much in hand as it can hold; send the request again later")
	errNoRoom    = monitor.Errorf(CodeBodyTooLarge, "the request holds more than the server may have in hand (--max-in-flight-mb), 1 KiB counted for each record beside its bytes; send it in several requests")
	errBusy      = monitor.Errorf(monitor.CodeRateLimited, "the database is slower than events come; nothing is stored, send the request again later")
	errKeyReused = monitor.Errorf(CodeKeyReused, "something else was sent before with this Idempotency-Key; nothing of this request is stored")
)

// collection gathers the records of one request into a batch.
type collection struct {
	*Intake
	ctx      context.Context // of the request
	r        *http.Request   // nil where there is none
	sender   string          // whose names for parts are told apart from others'
	key      string          // the sender's name for the request, "" without one
	sum      hash.Hash
	batch    *monitor.Batch
	rejected int
	letters  []*monitor.DeadLetter // of what was rejected
	names    []string              // of the letters, each the sender's own or ""
	protocol string
	mapping  string // that the source names
	received time.Time
	held     int64
	full     bool
	beyond   bool // it is read already, and held whether there is room or not

	letterBytes int

	record  monitor.Record
	matches []monitor.Match
}

// begin starts to take in a request that is authorised. The caller releases the
// collection.
func (in *Intake) begin(w http.ResponseWriter, r *http.Request, protocol string) *collection {
	boundReading(w)
	return &collection{
		Intake: in, ctx: r.Context(), r: r, protocol: protocol, key: r.Header.Get("Idempotency-Key"), batch: &monitor.Batch{},
		sender: senderOf(r), received: time.Now().UTC().Truncate(time.Microsecond),
	}
}

// boundReading gives a sender readTime for a request's body.
func boundReading(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime)) // not every test's writer has deadlines
}

// senderOf names the token of a request.
func senderOf(r *http.Request) string {
	if viewer := monitor.ViewerFrom(r.Context()); viewer != nil && viewer.Token != nil {
		return viewer.Token.ID.String()
	}
	return ""
}

// release gives back what the request held.
func (c *collection) release() { c.inFlight.Add(-c.held) }

// read has split read the decompressed body.
func (c *collection) read(split func(io.Reader) error) error {
	_, span := trace.Start(c.ctx, "ingest read") // decode, normalise, match
	defer span.End()
	err := c.readBody(split)
	if err != nil {
		span.Fail(string(monitor.CodeOf(err)))
		return err
	}
	span.Count("secmon.events", len(c.batch.Events))
	span.Count("secmon.findings", len(c.batch.Findings))
	span.Count("secmon.rejected", c.rejected)
	return nil
}

func (c *collection) readBody(split func(io.Reader) error) error {
	if len(c.key) > maxKeyBytes {
		return monitor.Errorf(monitor.CodeBadInput, "an Idempotency-Key has at most %d bytes", maxKeyBytes)
	}
	body, err := Decompress(c.r.Body, c.r.Header.Get("Content-Encoding"))
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // only reads
	if c.key == "" {
		return split(body)
	}
	c.sum = sha256.New()
	whole := io.TeeReader(body, c.sum)
	if err := split(whole); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(whole, c.Limits.BodyBytes)) // what split left: the sum is of everything
	return err
}

// add normalises and matches one record. An error is about the record, which is then
// not in the batch. After it, err tells whether the request can go on.
func (c *collection) add(raw []byte) error {
	event := &monitor.Event{}
	c.record.Reset()
	if err := c.Normaliser.normaliseBy(c.mapping, raw, c.received, event, &c.record); err != nil {
		return err
	}
	if !c.hold(int64(len(raw)) + recordOverhead) {
		return nil
	}
	c.matches = c.Detector.Match(&c.record, c.matches[:0])
	if c.Indicators != nil {
		c.matches = c.Indicators.Match(event, &c.record, c.matches)
	}
	addMatches(c.batch, c.matches)
	c.batch.Events = append(c.batch.Events, event)
	return nil
}

// hold counts bytes that the request has in hand, and tells whether there is room.
func (c *collection) hold(size int64) bool {
	c.held += size
	if c.inFlight.Add(size) > c.MaxInFlight && !c.beyond {
		c.full = true
	}
	return !c.full
}

// letGo gives back some of what hold counted.
func (c *collection) letGo(size int64) {
	c.held -= size
	c.inFlight.Add(-size)
}

// err is why the request cannot go on, nil while it can. A request that does not fit
// into an idle server either is not to be sent again: it would be refused for ever.
func (c *collection) err() error {
	switch {
	case !c.full:
		return c.ctx.Err()
	case c.held > c.MaxInFlight:
		return errNoRoom
	default:
		return errSaturated
	}
}

// submit stores what was gathered. It gives the id of the batch that has it, and
// whether it came before and was stored then.
func (c *collection) submit() (id monitor.ID, repeated bool, err error) {
	count(c.meter(), c.batch, c.rejected)
	if c.Ledger != nil {
		defer func() {
			if err == nil {
				c.Ledger.note(c)
			}
		}()
	}
	if len(c.batch.Events) == 0 {
		return monitor.ID{}, false, nil
	}
	var whole *monitor.Part // the request, where its name is that of all
	if c.key != "" && c.batch.Parts == nil {
		whole = &monitor.Part{Events: len(c.batch.Events), Key: monitor.HashPart("request", c.sender, c.key), Content: monitor.PartHash(c.sum.Sum(nil)[:len(monitor.PartHash{})])}
		c.batch.Parts = []*monitor.Part{whole}
	}
	ctx, cancel := context.WithTimeoutCause(c.ctx, maxWait, errBusy)
	defer cancel()
	if id, err = c.Pipeline.Submit(ctx, c.batch); err != nil {
		return id, false, err
	}
	for _, p := range c.batch.Parts {
		if p.Outcome == monitor.PartRepeated {
			c.meter().Repeated(p.Events)
		}
	}
	switch {
	case whole == nil:
		return id, false, nil
	case whole.Outcome == monitor.PartConflict:
		return id, false, errKeyReused
	default:
		return whole.Batch, whole.Outcome == monitor.PartRepeated, nil
	}
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

// explain gives what the sender is told of an error, and logs what is our fault.
func (in *Intake) explain(r *http.Request, err error) *monitor.Error {
	var known *monitor.Error
	if errors.As(err, &known) && known != monitor.ErrAway {
		return known
	}
	unknown := errors.Is(err, monitor.ErrOutcomeUnknown)
	if !unknown && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled)) {
		return monitor.Errorf(monitor.CodeBadInput, "the request ended in the middle of its body")
	}
	in.Log.ErrorContext(r.Context(), "ingest", "error", err, "request", monitor.RequestID(r.Context()))
	switch {
	case unknown && r.Header.Get("Idempotency-Key") != "":
		return monitor.Errorf(monitor.CodeUnavailable, "the database did not tell whether the records are stored; sent again with the same Idempotency-Key, they are there once")
	case unknown:
		return monitor.Errorf(monitor.CodeUnavailable, "the database did not tell whether the records are stored; sent again, they may be there twice")
	default:
		return monitor.Errorf(monitor.CodeUnavailable, "not stored; send the request again")
	}
}
