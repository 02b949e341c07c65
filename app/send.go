package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/security-monitor/secmon/ingest"
)

// A request of the sender carries at most this much.
const (
	sendRecords = 1_000
	sendBytes   = 2 << 20
)

// Sender sends records to a server's ingest endpoint, chunk after chunk, and
// tries a chunk again for as long as RetryFor when the connection breaks or the
// server is busy.
type Sender struct {
	URL      string // of the server
	Token    string // with the scope ingest
	RetryFor time.Duration
	Client   *http.Client
	// Stored hears of every stored chunk: how far the file is, and what happened.
	Stored func(Progress)
	// Waiting hears why a chunk is tried again.
	Waiting func(err error, pause time.Duration)
}

// Progress is how far a file is sent.
type Progress struct {
	Line     int // the last line that the server has answered for
	Accepted int
	Rejected []ingest.Rejection // of this chunk, by line of the file
}

// chunk is one request on its way.
type chunk struct {
	key   string // its name, so that a server that has it already does not store it again
	body  bytes.Buffer
	lines []int // of the file, one a record
}

// Send sends the records of r (NDJSON or a JSON array), leaving out those up to
// the line skip. It gives the last line that was answered for, so that a later
// call can go on behind it.
func (s *Sender) Send(ctx context.Context, r io.Reader, skip int) (last int, err error) {
	last = skip
	run := rand.Text()
	c := &chunk{}
	var local []ingest.Rejection // what need not be sent to be refused
	flush := func(line int) error {
		p := Progress{Line: line, Rejected: local}
		if len(c.lines) > 0 {
			c.key = run + "-" + strconv.Itoa(c.lines[0])
			if err := s.sendChunk(ctx, c, &p); err != nil {
				return err
			}
		}
		last, c, local = line, &chunk{}, nil
		s.Stored(p)
		return nil
	}
	limits := ingest.DefaultLimits
	limits.BodyBytes, limits.Records = math.MaxInt64, math.MaxInt
	err = ingest.Split(r, limits, func(line int, raw []byte, problem *ingest.Rejection) error {
		if line <= skip {
			return nil
		}
		// Only between lines: a CloudTrail document gives many records of one line,
		// and a later run goes on behind a line.
		if n := len(c.lines); n > 0 && c.lines[n-1] != line && (n >= sendRecords || c.body.Len() >= sendBytes) {
			if err := flush(c.lines[n-1]); err != nil {
				return err
			}
		}
		if problem != nil {
			local = append(local, *problem)
			return nil
		}
		c.body.Write(raw)
		c.body.WriteByte('\n')
		c.lines = append(c.lines, line)
		return nil
	})
	if err == nil && (len(c.lines) > 0 || len(local) > 0) {
		line := last
		if len(c.lines) > 0 {
			line = c.lines[len(c.lines)-1]
		}
		err = flush(line)
	}
	return last, err
}

// sendChunk sends until the server has answered for every record.
func (s *Sender) sendChunk(ctx context.Context, c *chunk, p *Progress) error {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write(c.body.Bytes()) // into memory
	if err := zip.Close(); err != nil {
		return err
	}
	deadline := time.Now().Add(s.RetryFor)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		after, err := s.try(ctx, packed.Bytes(), c, p)
		if err == nil {
			return nil
		}
		var final *finalError
		if errors.As(err, &final) || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		pause = max(pause, after)
		s.Waiting(err, pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// finalError is an answer that another try would not change.
type finalError struct{ message string }

func (e *finalError) Error() string { return e.message }

type ingestAnswer struct {
	Accepted int                `json:"accepted"`
	Errors   []ingest.Rejection `json:"errors"`
	Code     string             `json:"code"`
	Message  string             `json:"message"`
}

// try sends a chunk once. An error that is no finalError is worth another try,
// not before retryAfter has passed.
func (s *Sender) try(ctx context.Context, packed []byte, c *chunk, p *Progress) (retryAfter time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(s.URL, "/")+"/api/ingest", bytes.NewReader(packed))
	if err != nil {
		return 0, &finalError{err.Error()}
	}
	r.Header.Set("Authorization", "Bearer "+s.Token)
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("Idempotency-Key", c.key)
	response, err := s.Client.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	var a ingestAnswer
	decodeErr := json.NewDecoder(io.LimitReader(response.Body, 8<<20)).Decode(&a)
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	switch {
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 500:
		return time.Duration(seconds) * time.Second, fmt.Errorf("%s: %s", response.Status, a.Message)
	case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusUnprocessableEntity:
		return 0, &finalError{fmt.Sprintf("%s: %s %s", response.Status, a.Code, a.Message)}
	case decodeErr != nil:
		return 0, fmt.Errorf("the answer broke off: %w", decodeErr)
	}
	p.Accepted = a.Accepted
	for _, e := range a.Errors {
		if e.Line >= 1 && e.Line <= len(c.lines) {
			e.Line = c.lines[e.Line-1]
		}
		p.Rejected = append(p.Rejected, e)
	}
	return 0, nil
}
