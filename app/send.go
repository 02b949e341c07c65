package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/ingest"
)

// A request of the sender carries at most this much; a record that is larger goes alone.
const (
	sendRecords = 1_000
	sendBytes   = 2 << 20
	sendRecord  = 64 << 20 // of one record; servers take less, and keep the beginning of what they refuse
)

// Sender sends records to a server's ingest endpoint, chunk after chunk, each under a
// name, so that a server that has it already does not store it again, and
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
	Rejected []ingest.Rejection // since the last report, by line of the file
}

// chunk is one request on its way.
type chunk struct {
	records []sendable
	bytes   int
	last    int                // line of the file that it reaches to
	local   []ingest.Rejection // what nothing is there to send of
}

// sendable is a record with its line of the file. What is no record is sent as well: the
// server keeps it as a dead letter.
type sendable struct {
	line int
	raw  []byte
}

// add takes in a record, in one line: an element of an array may have several. Where
// it is no JSON, their ends become spaces.
func (c *chunk) add(r sendable) {
	if bytes.ContainsAny(r.raw, "\r\n") {
		var compact bytes.Buffer
		if json.Compact(&compact, r.raw) == nil {
			r.raw = compact.Bytes()
		} else {
			r.raw = bytes.ReplaceAll(bytes.ReplaceAll(r.raw, []byte("\n"), []byte(" ")), []byte("\r"), []byte(" "))
		}
	}
	c.records = append(c.records, r)
	c.bytes += len(r.raw) + 1
}

func (c *chunk) full(next int) bool {
	return len(c.records) >= sendRecords || len(c.records) > 0 && c.bytes+next > sendBytes
}

// requests gives what is sent together. The first record of a body tells how the server
// reads it: lines that it would take for the beginning of a list go behind others, or
// where there are no others alone.
func (c *chunk) requests() [][]sendable {
	if len(c.records) == 0 {
		return nil
	}
	slices.SortStableFunc(c.records, func(a, b sendable) int { return rank(a) - rank(b) })
	if rank(c.records[0]) == 0 {
		return [][]sendable{c.records}
	}
	var alone [][]sendable
	for i := range c.records {
		alone = append(alone, c.records[i:i+1])
	}
	return alone
}

func rank(r sendable) int {
	if ingest.OpensList(r.raw) {
		return 1
	}
	return 0
}

// Send sends the records of r (NDJSON or a JSON array), leaving out those up to
// the line skip. It gives the last line that was answered for, so that a later
// call can go on behind it.
func (s *Sender) Send(ctx context.Context, r io.Reader, skip int) (last int, err error) {
	last = skip
	run := rand.Text()
	c := &chunk{}
	flush := func() error {
		p := Progress{Line: c.last, Rejected: c.local}
		for _, records := range c.requests() {
			if err := s.sendRecords(ctx, run+"-"+strconv.Itoa(records[0].line), records, &p); err != nil {
				return err
			}
		}
		last, c = c.last, &chunk{}
		s.Stored(p)
		return nil
	}
	limits := ingest.DefaultLimits
	limits.RecordBytes, limits.BodyBytes, limits.Records = sendRecord, math.MaxInt64, math.MaxInt
	err = ingest.Split(r, limits, func(line int, raw []byte, problem *ingest.Rejection) error {
		if line <= skip {
			return nil
		}
		if problem != nil {
			raw = problem.Raw()
		}
		// Only between lines: a CloudTrail document gives many records of one line,
		// and a later run goes on behind a line.
		if c.last != line && c.full(len(raw)) {
			if err := flush(); err != nil {
				return err
			}
		}
		if c.last = line; len(raw) == 0 {
			c.local = append(c.local, *problem)
			return nil
		}
		c.add(sendable{line: line, raw: raw})
		return nil
	})
	if err == nil && c.last > 0 {
		err = flush()
	}
	return last, err
}

// sendRecords sends until the server has answered for every record.
func (s *Sender) sendRecords(ctx context.Context, key string, records []sendable, p *Progress) error {
	packed, err := pack(records)
	if err != nil {
		return err
	}
	endpoint := &client.Ingest{URL: s.URL, HTTP: s.Client, Token: func(context.Context) (string, error) { return s.Token, nil }}
	deadline := time.Now().Add(s.RetryFor)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		stored, after, err := endpoint.Send(ctx, key, packed)
		if err == nil {
			p.add(stored, records)
			return nil
		}
		var refused *client.Refused
		if errors.As(err, &refused) && len(records) == 1 && refused.Status == http.StatusRequestEntityTooLarge && refused.OfChunk() {
			p.Rejected = append(p.Rejected, ingest.Rejection{Line: records[0].line, Code: refused.Code, Message: "the server takes no record of this size"})
			return nil
		}
		if refused != nil || ctx.Err() != nil || time.Now().After(deadline) {
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

// pack makes a body of records, a line each.
func pack(records []sendable) ([]byte, error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	for _, r := range records {
		_, _ = zip.Write(r.raw) // into memory
		_, _ = zip.Write([]byte{'\n'})
	}
	err := zip.Close()
	return packed.Bytes(), err
}

// add takes in what became of a request, by the lines of the file.
func (p *Progress) add(stored client.Stored, records []sendable) {
	p.Accepted += stored.Accepted
	for _, r := range stored.Rejected {
		if len(records) == 1 {
			r.Line = records[0].line
		} else if r.Line >= 1 && r.Line <= len(records) {
			r.Line = records[r.Line-1].line
		}
		p.Rejected = append(p.Rejected, ingest.Rejection{Line: r.Line, Code: r.Code, Message: r.Message})
	}
}
