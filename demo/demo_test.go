package demo

import (
	"bytes"
	"context"
	"encoding/json"
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

// What a live step holds has happened when it is sent, and not long before: events
// that lie ahead stand above those that are new, and charts end in the middle of now.
func TestNothingLiesInTheFuture(t *testing.T) {
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	p := New(3, func() time.Time { return now })
	check := func(m Moment) {
		t.Helper()
		if m.At.After(now) || m.At.Before(now.Add(-10*time.Second)) {
			t.Fatalf("sent at %s: of %s: %s", now, m.At, m.Record)
		}
	}
	for range 2_000 {
		rest := p.rest
		step := p.Next()
		if step.Delay < time.Second || step.Delay > time.Minute {
			t.Fatalf("%s: a step after %s", step.Story, step.Delay)
		}
		now = now.Add(step.Delay)
		if len(rest) > 0 {
			for _, m := range rest[:len(step.Records)] {
				check(m)
			}
		}
		for _, record := range step.Records {
			if at := sysmonTime(t, record); !at.IsZero() {
				check(Moment{at, record})
			}
		}
	}
	for _, step := range p.History() {
		for _, record := range step.Records {
			if at := sysmonTime(t, record); at.After(now) {
				t.Fatalf("history at %s: %s", now, record)
			}
		}
	}
}

type windowsRecord struct {
	Event struct {
		System struct {
			Computer    string
			TimeCreated struct {
				Attributes struct{ SystemTime time.Time } `json:"#attributes"`
			}
		}
	}
}

// sysmonTime is when a Windows event says that it happened; zero of another record.
func sysmonTime(t *testing.T, record json.RawMessage) time.Time {
	t.Helper()
	var r windowsRecord
	if err := json.Unmarshal(record, &r); err != nil {
		t.Fatal(err)
	}
	return r.Event.System.TimeCreated.Attributes.SystemTime
}

// A host has one name in all the logs that tell of it.
func TestHostsHaveOneName(t *testing.T) {
	p := New(5, time.Now)
	names := map[string]bool{}
	for range 3_000 {
		for _, record := range p.Next().Records {
			var r windowsRecord
			var other struct {
				Journal string `json:"_HOSTNAME"`
				Web     string `json:"hostname"`
				Report  string `json:"host"`
				Node    string `json:"node"`
			}
			if err := errors.Join(json.Unmarshal(record, &r), json.Unmarshal(record, &other)); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{r.Event.System.Computer, other.Journal, other.Web, other.Report, other.Node} {
				names[name] = true
			}
		}
	}
	if len(names) < 10 {
		t.Fatalf("only %v: the test says nothing", names)
	}
	for name := range names {
		if short, _, full := strings.Cut(name, "."); full && names[short] {
			t.Errorf("%s is %s, too", short, name)
		}
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
