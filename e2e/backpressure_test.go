package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
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
	}
}

// Ten times what the server may hold comes at once, by every protocol, and nobody
// sends again: what is acknowledged is there once, and what is not is not there.
func TestTenTimesWhatItCanTake(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.MaxInFlightMB = 1
	r := startReplica(t, cfg)
	senders := protocolSenders(ingestToken(t, r))
	const (
		together = 30 // requests under way
		each     = 120
		rounds   = 10
	) // 30 × 120 × 3 kB: ten times the bound
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

func sendOnce(ctx context.Context, url, authorization, body string) (int, http.Header, []byte) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, []byte(err.Error())
	}
	request.Header.Set("Authorization", authorization)
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
