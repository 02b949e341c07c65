package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// What a protocol's sender sends, and how it understands the answer.
type protocolSender struct {
	name, path, authorization string
	body                      func(markers []string) string
	// stored says which of the markers an answer acknowledges; later that it says to
	// send again.
	stored func(status int, answer []byte, markers []string) []string
	later  func(status int, answer []byte) bool
}

func lineOf(marker string) string {
	return fmt.Sprintf(`{"host":"pressure","marker":%q,"pad":%q}`, marker, strings.Repeat("x", 2_000))
}

func protocolSenders(token string) []protocolSender {
	all := func(status int, _ []byte, markers []string) []string {
		if status == http.StatusOK {
			return markers
		}
		return nil
	}
	return []protocolSender{
		{"json", "/api/ingest", "Bearer " + token, func(markers []string) string {
			var b strings.Builder
			for _, m := range markers {
				b.WriteString(lineOf(m) + "\n")
			}
			return b.String()
		}, all, func(status int, answer []byte) bool {
			return status == http.StatusTooManyRequests && strings.Contains(string(answer), "RATE_LIMITED")
		}},
		{"elastic", "/api/elastic/logs/_bulk", basic(token), func(markers []string) string {
			var b strings.Builder
			for _, m := range markers {
				b.WriteString("{\"create\":{}}\n" + lineOf(m) + "\n")
			}
			return b.String()
		}, func(status int, answer []byte, markers []string) (stored []string) {
			var a struct {
				Items []map[string]struct{ Status int }
			}
			if status != http.StatusOK || json.Unmarshal(answer, &a) != nil {
				return nil
			}
			for n, i := range a.Items {
				if i["create"].Status == http.StatusCreated {
					stored = append(stored, markers[n])
				}
			}
			return stored
		}, func(status int, answer []byte) bool {
			return status == http.StatusTooManyRequests && strings.Contains(string(answer), "es_rejected_execution_exception")
		}},
		{"splunk", "/api/splunk/services/collector", "Splunk " + token, func(markers []string) string {
			var b strings.Builder
			for _, m := range markers {
				b.WriteString(`{"event":` + lineOf(m) + `}`)
			}
			return b.String()
		}, all, func(status int, answer []byte) bool {
			return status == http.StatusServiceUnavailable && strings.Contains(string(answer), `"code":9`)
		}},
		{"otlp", "/api/otlp/v1/logs", "Bearer " + token, func(markers []string) string {
			var logs []string
			for _, m := range markers {
				logs = append(logs, fmt.Sprintf(`{"body":{"stringValue":%q}}`, lineOf(m)))
			}
			return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Join(logs, ",") + `]}]}]}`
		}, all, func(status int, answer []byte) bool {
			return status == http.StatusTooManyRequests && strings.Contains(string(answer), `"code":8`) // RESOURCE_EXHAUSTED
		}},
	}
}

// Ten times what the server may hold comes at once, by every protocol, and nobody
// sends again: what is acknowledged is there once, and what is not is not there. Who
// sends syslog meanwhile is refused nothing, and held up instead.
func TestTenTimesWhatItCanTake(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.MaxInFlightMB = 1
	cfg.Syslog = app.Syslog{Listen: "127.0.0.1:0", Networks: []string{"127.0.0.0/8"}, MaxConnections: 16, MaxLineKB: 64}
	r := startReplica(t, cfg)
	held := sendSyslog(t, r.SyslogAddresses()[0], 2_000)
	senders := protocolSenders(ingestToken(t, r))
	const (
		together = 32 // requests under way
		each     = 120
		rounds   = 10
	) // 32 × 120 × 3 kB: ten times the bound
	var mu sync.Mutex
	acknowledged, sent := map[string]bool{}, 0
	refused := map[string]int{}
	var all sync.WaitGroup
	for n := range together {
		s := senders[n%len(senders)]
		all.Go(func() {
			for round := range rounds {
				markers := make([]string, each)
				for i := range markers {
					markers[i] = fmt.Sprintf("p%d.%d.%d", n, round, i)
				}
				status, header, answer := sendOnce(t.Context(), r.URL()+s.path, s.authorization, s.body(markers))
				mu.Lock()
				sent += each
				stored := s.stored(status, answer, markers)
				for _, m := range stored {
					acknowledged[m] = true
				}
				if len(stored) == 0 {
					refused[s.name]++
					if !s.later(status, answer) || header.Get("Retry-After") == "" {
						t.Errorf("%s: %d %v %s: want to be told to send again later", s.name, status, header, answer)
					}
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	eventually(t, "all lines of syslog", func() bool { return len(syslogOf(t, r)) == held() })
	for line, n := range syslogOf(t, r) {
		if n != 1 {
			t.Errorf("%s of syslog is there %d times", line, n)
		}
	}
	stored := markersOf(t, r.URL())
	t.Logf("%d of %d records acknowledged, %d stored; refused requests: %v", len(acknowledged), sent, len(stored), refused)
	for m := range acknowledged {
		if stored[m] != 1 {
			t.Fatalf("%s was acknowledged and is there %d times", m, stored[m])
		}
	}
	if len(stored) != len(acknowledged) {
		t.Errorf("%d records are stored and %d acknowledged", len(stored), len(acknowledged))
	}
	for _, s := range senders {
		if refused[s.name] == 0 {
			t.Errorf("%s was never refused: the test says little", s.name)
		}
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was taken")
	}
	eventually(t, "an empty server", func() bool {
		status, _, answer := sendOnce(t.Context(), r.URL()+"/api/ingest", senders[0].authorization, lineOf("last"))
		return status == http.StatusOK && strings.Contains(string(answer), `"accepted":1`)
	})
}

// sendSyslog sends so many lines beside a test, and gives what waits until they are sent
// and says how many they are.
func sendSyslog(t *testing.T, address string, lines int) func() int {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		defer conn.Close() //nolint:errcheck // a test
		for n := range lines {
			if _, err := fmt.Fprintf(conn, "<34>1 2026-05-04T09:30:00Z pressure app - line%d - %s\n", n, strings.Repeat("x", 2_000)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	return sync.OnceValue(func() int {
		if err := <-sent; err != nil {
			t.Errorf("syslog: %v", err)
		}
		return lines
	})
}

// syslogOf counts the lines of syslog that are stored, by their MSGID.
func syslogOf(t *testing.T, r *replica) map[string]int {
	t.Helper()
	found, args := map[string]int{}, page.Args{First: 500}
	for {
		events, err := r.Store.Events(t.Context(), nil, monitor.EventsByReceived, args)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events.Nodes() {
			if e.Format == "syslog" {
				_, after, _ := strings.Cut(string(e.Raw), " app - ")
				id, _, _ := strings.Cut(after, " ")
				found[id]++
			}
		}
		if !events.PageInfo.HasNextPage {
			return found
		}
		args.After = *events.PageInfo.EndCursor
	}
}

func sendOnce(ctx context.Context, url, authorization, body string) (int, http.Header, []byte) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	request.Header.Set("Authorization", authorization)
	request.Header.Set("Content-Type", "application/json") // OTLP asks for it
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	defer response.Body.Close() //nolint:errcheck // a test
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	return response.StatusCode, response.Header, answer
}
