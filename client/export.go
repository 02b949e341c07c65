package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// File is a file that a server writes: what one of the export mutations gave.
type File struct {
	URL      string // path and query on the server; a secret
	Complete func(lastLine []byte) (more bool, rows int, err error)
}

// Broken says that a file came only in part. Another try takes it from the
// beginning.
type Broken struct {
	Err   error
	After time.Duration // not before
}

// Error gives the reason.
func (e *Broken) Error() string { return fmt.Sprintf("the file broke off: %v", e.Err) }

// Unwrap gives the reason.
func (e *Broken) Unwrap() error { return e.Err }

// EndOfLines reads the last line of an NDJSON export, which says that it is whole.
func EndOfLines(line []byte) (more bool, rows int, err error) {
	var end struct {
		End, More bool
		Rows      int
	}
	if json.Unmarshal(line, &end) != nil || !end.End {
		return false, 0, errors.New("the last line does not say that it is the end")
	}
	return end.More, end.Rows, nil
}

// Download writes a file to w. Broken and Unreachable are worth another try, with
// another w. more tells that the bound of rows left something out, where the
// format says so; rows is 0 where it does not.
func (c *Client) Download(ctx context.Context, f File, w io.Writer) (more bool, rows int, err error) {
	if !strings.HasPrefix(f.URL, "/") || strings.HasPrefix(f.URL, "//") {
		return false, 0, errors.New("the server gave no path to a file on it")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address(f.URL), nil)
	if err != nil {
		return false, 0, errors.New("the server gave an address that cannot be used")
	}
	response, err := c.send(r) // without a credential: the address is one
	if err != nil {
		return false, 0, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return false, 0, &Broken{refusalOf(response, c.Server), retryAfter(response)}
	default:
		return false, 0, refusalOf(response, c.Server)
	}
	return c.copyFile(f, w, response.Body)
}

// readError tells a fault of the connection from one of the disk.
type readError struct{ error }

type faulty struct{ io.Reader }

func (f faulty) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = readError{err}
	}
	return n, err
}

func (c *Client) copyFile(f File, w io.Writer, body io.Reader) (more bool, rows int, err error) {
	last := &lastLine{}
	buffered := bufio.NewWriterSize(w, 1<<16)
	_, err = io.Copy(io.MultiWriter(buffered, last), faulty{body})
	err = errors.Join(err, buffered.Flush())
	switch {
	case errors.As(err, &readError{}):
		return false, 0, &Broken{err, 0}
	case err != nil:
		return false, 0, err
	case f.Complete == nil:
		return false, 0, nil
	}
	if more, rows, err = f.Complete(last.line); err != nil {
		return false, 0, &Broken{err, 0}
	}
	return more, rows, nil
}

// lastLine keeps the last line of what is written, as far as an end can be long.
type lastLine struct{ line []byte }

const longestEnd = 1 << 10

func (l *lastLine) Write(p []byte) (int, error) {
	n := len(p)
	if len(p) > longestEnd {
		l.line, p = l.line[:0], p[len(p)-longestEnd:]
	}
	l.line = append(l.line, p...)
	text := bytes.TrimRight(l.line, "\n")
	if at := bytes.LastIndexByte(text, '\n'); at >= 0 {
		l.line = append([]byte(nil), l.line[at+1:]...)
	} else if len(l.line) > longestEnd {
		l.line = append([]byte(nil), l.line[len(l.line)-longestEnd:]...)
	}
	return n, nil
}
