package app_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/app"
)

// receiver is an ingest endpoint that fails as told and keeps what it accepts.
type receiver struct {
	t      *testing.T
	fail   func(try int, w http.ResponseWriter) bool // true when it has answered, or broken off
	tries  int
	stored []string

	letters []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.tries++
	if r.fail(r.tries, w) {
		return
	}
	body, err := gzip.NewReader(q.Body)
	if err != nil {
		r.t.Error(err)
		return
	}
	var a struct {
		Accepted int              `json:"accepted"`
		Errors   []map[string]any `json:"errors"`
	}
	line := 0
	for lines := bufio.NewScanner(body); lines.Scan(); {
		line++
		if !json.Valid(lines.Bytes()) || strings.Contains(lines.Text(), "refuse") {
			r.letters = append(r.letters, lines.Text())
			a.Errors = append(a.Errors, map[string]any{"line": line, "code": "X", "message": "refused"})
			continue
		}
		r.stored = append(r.stored, lines.Text())
		a.Accepted++
	}
	_ = json.NewEncoder(w).Encode(a)
}

// send gives what a sender reports: the last line, how many were accepted, and the rejected lines.
func send(t *testing.T, r *receiver, input string, skip int, retry time.Duration) (last, accepted int, rejected []int, err error) {
	t.Helper()
	server := httptest.NewServer(r)
	defer server.Close()
	s := &app.Sender{
		URL: server.URL, Token: "smt_x", RetryFor: retry, Client: server.Client(), Waiting: func(error, time.Duration) {},
		Stored: func(p app.Progress) {
			accepted += p.Accepted
			for _, e := range p.Rejected {
				rejected = append(rejected, e.Line)
			}
		},
	}
	last, err = s.Send(context.Background(), strings.NewReader(input), skip)
	return last, accepted, rejected, err
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"n\":%d}\n", i+1)
	}
	return b.String()
}

func never(int, http.ResponseWriter) bool { return false }

func TestSenderGoesOnAfterABrokenConnection(t *testing.T) {
	r := &receiver{t: t, fail: func(try int, w http.ResponseWriter) bool {
		switch try {
		case 2: // the connection breaks
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
			return true
		case 3:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		case 4:
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}}
	last, accepted, _, err := send(t, r, numbered(2_500), 0, time.Minute)
	if err != nil || last != 2_500 || accepted != 2_500 || len(r.stored) != 2_500 || r.stored[2_499] != `{"n":2500}` {
		t.Errorf("last %d accepted %d stored %d: %v", last, accepted, len(r.stored), err)
	}
}

func TestSenderSaysWhereItEndedAndGoesOnFromThere(t *testing.T) {
	down := &receiver{t: t, fail: func(try int, w http.ResponseWriter) bool {
		if try > 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return try > 1
	}}
	last, accepted, _, err := send(t, down, numbered(1_500), 0, 0)
	if err == nil || last != 1_000 || accepted != 1_000 {
		t.Fatalf("last %d accepted %d: %v", last, accepted, err)
	}
	up := &receiver{t: t, fail: never}
	last, accepted, _, err = send(t, up, numbered(1_500), last, 0)
	if err != nil || last != 1_500 || accepted != 500 || up.stored[0] != `{"n":1001}` {
		t.Errorf("last %d accepted %d first %s: %v", last, accepted, up.stored[0], err)
	}
}

func TestSenderNamesLinesOfTheFile(t *testing.T) {
	r := &receiver{t: t, fail: never}
	_, accepted, rejected, err := send(t, r, "{\"a\":1}\n\n{\"x\":\"refuse\"}\nno json\n{\"a\":2}\n", 0, 0)
	if err != nil || accepted != 2 || len(rejected) != 2 || rejected[0] != 3 || rejected[1] != 4 {
		t.Errorf("accepted %d, rejected lines %v, want 3 and 4: %v", accepted, rejected, err)
	}
}

// What is no record is the server's to keep, whatever it looks like; nothing that it
// would take for a list comes before what is none.
func TestSenderSendsWhatIsNoRecord(t *testing.T) {
	for _, c := range []struct {
		name, input string
		stored      string
		letters     string
		rejected    string
		tries       int
	}{
		{"lines", "{\"a\":1}\n{broken\n[refuse,\n{\"a\":2}\n", `{"a":1}|{"a":2}`, `{broken|[refuse,`, "[2 3]", 1},
		{"no line is one", "{refuse\n[1\n", "", `{refuse|[1`, "[1 2]", 1},
		{"an element that is none ends the array", "[{\"a\":\n1},\n{\"b\":\n refuse}, {\"c\":2}]", `{"a":1}`, `{"b":  refuse}`, "[2]", 1},
		{"an array that ends too early", `[{"a":1},`, `{"a":1}`, "", "[2]", 1},
		{"nothing between commas", `[{"a":1},,{"a":2}]`, `{"a":1}`, "", "[2]", 1},
	} {
		r := &receiver{t: t, fail: never}
		_, _, rejected, err := send(t, r, c.input, 0, 0)
		if err != nil || strings.Join(r.stored, "|") != c.stored || strings.Join(r.letters, "|") != c.letters || fmt.Sprint(rejected) != c.rejected || r.tries != c.tries {
			t.Errorf("%s: stored %q, letters %q, rejected %v in %d requests: %v", c.name, r.stored, r.letters, rejected, r.tries, err)
		}
	}
	// A chunk of a thousand and nothing but lines that look like lists behind it.
	r := &receiver{t: t, fail: never}
	_, accepted, rejected, err := send(t, r, numbered(1_000)+"[refuse\n[refuse again\n", 0, 0)
	if err != nil || accepted != 1_000 || fmt.Sprint(rejected) != "[1001 1002]" || r.tries != 3 {
		t.Errorf("accepted %d, rejected %v in %d requests: %v", accepted, rejected, r.tries, err)
	}
}

// One record that is too large for the server is no matter of its neighbours.
func TestSenderSendsALargeRecordAlone(t *testing.T) {
	r := &receiver{t: t, fail: func(try int, w http.ResponseWriter) bool {
		if try == 2 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			_, _ = w.Write([]byte(`{"code":"BODY_TOO_LARGE"}`))
		}
		return try == 2
	}}
	_, accepted, rejected, err := send(t, r, "{\"a\":1}\n{\"a\":\""+strings.Repeat("x", 3<<20)+"\"}\n{\"a\":3}\n", 0, 0)
	if err != nil || accepted != 2 || fmt.Sprint(rejected) != "[2]" || r.tries != 3 {
		t.Errorf("accepted %d, rejected %v in %d requests: %v", accepted, rejected, r.tries, err)
	}
}

func TestSenderDoesNotRepeatWhatIsRefused(t *testing.T) {
	r := &receiver{t: t, fail: func(_ int, w http.ResponseWriter) bool { w.WriteHeader(http.StatusUnauthorized); return true }}
	if _, _, _, err := send(t, r, numbered(1), 0, time.Minute); err == nil || r.tries != 1 {
		t.Errorf("%d tries, %v, want one and an error", r.tries, err)
	}
}
