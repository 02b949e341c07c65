package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/client"
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
	endpoint := &client.Ingest{URL: s.URL, HTTP: s.Client, Token: func(context.Context) (string, error) { return s.Token, nil }}
	deadline := time.Now().Add(s.RetryFor)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		stored, after, err := endpoint.Send(ctx, c.key, packed.Bytes())
		if err == nil {
			c.tell(stored, p)
			return nil
		}
		var refused *client.Refused
		if errors.As(err, &refused) || ctx.Err() != nil || time.Now().After(deadline) {
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

// tell adds what became of the chunk, by the lines of the file.
func (c *chunk) tell(stored client.Stored, p *Progress) {
	p.Accepted = stored.Accepted
	for _, r := range stored.Rejected {
		if r.Line >= 1 && r.Line <= len(c.lines) {
			r.Line = c.lines[r.Line-1]
		}
		p.Rejected = append(p.Rejected, ingest.Rejection{Line: r.Line, Code: r.Code, Message: r.Message})
	}
}
