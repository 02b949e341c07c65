package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Ingest sends chunks of records to a server's ingest endpoint, one request each.
type Ingest struct {
	URL  string // of the server, such as https://secmon.example
	HTTP *http.Client
	// Token gives a token with the scope ingest; it is asked for every request.
	Token func(ctx context.Context) (string, error)
}

// Stored is what became of a chunk that the server has stored.
type Stored struct {
	Accepted int
	Rejected []Rejection
	Repeated bool // it came before, under the same name
}

// Rejection is a record that was not stored.
type Rejection struct {
	Line    int    `json:"line"` // of the chunk, from 1
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Refused is an answer that another try would not change, as long as token and
// chunk are the same.
type Refused struct {
	Status  int
	Code    string // "" where it was not the server that answered, but something before it
	Message string
}

// Error gives the server's words.
func (e *Refused) Error() string { return e.Message }

// OfChunk tells whether it is the chunk that the server will never take; otherwise
// it is the token, the address, or something on the way.
func (e *Refused) OfChunk() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge:
		return e.Code != ""
	}
	return false
}

// sendTime is the deadline of one request.
const sendTime = time.Minute

// Send sends a chunk once: NDJSON, packed with gzip. Under the same key the server
// stores it once, however often it is sent (for a day). Refused means that it
// will not be stored; after any other error it may be there already, and is to be sent
// again under the same key, not before wait has passed.
func (i *Ingest) Send(ctx context.Context, key string, packed []byte) (stored Stored, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	token, err := i.Token(ctx)
	if err != nil {
		return stored, 0, fmt.Errorf("token: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(i.URL, "/")+"/api/ingest", bytes.NewReader(packed))
	if err != nil {
		return stored, 0, &Refused{Message: err.Error()}
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("Idempotency-Key", key)
	response, err := i.HTTP.Do(r)
	if err != nil {
		return stored, 0, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	var a struct {
		Accepted      int         `json:"accepted"`
		Repeated      bool        `json:"repeated"`
		Errors        []Rejection `json:"errors"`
		Code, Message string
	}
	unread := json.NewDecoder(io.LimitReader(response.Body, 8<<20)).Decode(&a)
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	switch {
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= http.StatusInternalServerError:
		return stored, time.Duration(max(seconds, 0)) * time.Second, errors.New(strings.TrimSuffix(response.Status+": "+a.Message, ": "))
	case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusUnprocessableEntity:
		return stored, 0, &Refused{Status: response.StatusCode, Code: a.Code, Message: strings.TrimSpace(fmt.Sprintf("%s: %s %s", response.Status, a.Code, a.Message))}
	case unread != nil:
		return stored, 0, fmt.Errorf("the answer broke off: %w", unread)
	}
	return Stored{Accepted: a.Accepted, Rejected: a.Errors, Repeated: a.Repeated}, 0, nil
}
