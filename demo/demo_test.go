package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a server that gives these one after the other, then 200.
type answers struct {
	list   []answer
	bodies []string
	times  []time.Time
}

type answer struct {
	status     int // 0: the connection breaks
	retryAfter string
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a.bodies, a.times = append(a.bodies, string(body)), append(a.times, time.Now())
	next := answer{status: 200}
	if len(a.list) > 0 {
		next, a.list = a.list[0], a.list[1:]
	}
	if next.status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: next.status, Status: http.StatusText(next.status), Header: http.Header{"Retry-After": {next.retryAfter}}, Body: io.NopCloser(bytes.NewReader(nil))}, nil
}

func TestSendTriesUntilStored(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []answer
		waits   []time.Duration
		fails   bool
		reason  string
	}{
		{"at once", nil, nil, false, "200 is stored"},
		{"saturated", []answer{{429, "7"}}, []time.Duration{7 * time.Second}, false, "Retry-After is honoured"},
		{"far away", []answer{{503, "86400"}}, []time.Duration{lastPause}, false, "a demo does not wait for a day"},
		{"no server yet", []answer{{}, {}, {502, ""}}, []time.Duration{firstPause, 2 * firstPause, 4 * firstPause}, false, "pauses grow"},
		{"token revoked", []answer{{401, ""}}, nil, true, "another try would not help"},
		{"all rejected", []answer{{422, ""}}, nil, true, "the demo's own records are wrong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &answers{list: c.answers}
				s := &sender{client: &http.Client{Transport: server}, url: "http://server/api/ingest", token: "t", lg: slog.New(slog.DiscardHandler)}
				err := s.send(t.Context(), New(1, time.Now).Next())
				if (err != nil) != c.fails {
					t.Errorf("error %v because %s", err, c.reason)
				}
				var waits []time.Duration
				for i := 1; i < len(server.times); i++ {
					waits = append(waits, server.times[i].Sub(server.times[i-1]))
					if server.bodies[i] != server.bodies[0] {
						t.Errorf("try %d sends something else", i)
					}
				}
				if !reflect.DeepEqual(waits, c.waits) {
					t.Errorf("waits %v, want %v because %s", waits, c.waits, c.reason)
				}
			})
		})
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		s := &sender{client: &http.Client{Transport: &answers{list: []answer{{429, "60"}}}}, url: "http://server", lg: slog.New(slog.DiscardHandler)}
		if err := s.send(ctx, New(1, time.Now).Next()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestSameSeedSameRecords(t *testing.T) {
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	play := func(seed int64) (all []Step) {
		p := New(seed, func() time.Time { return now })
		all = p.History()
		for range 200 {
			all = append(all, p.Next())
		}
		return all
	}
	if !reflect.DeepEqual(play(7), play(7)) {
		t.Error("the same seed gives other records")
	}
	if reflect.DeepEqual(play(7), play(8)) {
		t.Error("another seed gives the same records")
	}
}

// Nobody outside of the documentation networks is named.
func TestOutsidersAreFromDocumentationNetworks(t *testing.T) {
	p := New(1, time.Now)
	for range 1_000 {
		address := p.outsider()
		if !strings.HasPrefix(address, "192.0.2.") && !strings.HasPrefix(address, "198.51.100.") && !strings.HasPrefix(address, "203.0.113.") {
			t.Fatal(address)
		}
	}
}
