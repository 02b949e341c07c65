package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
)

// A shipper that sends each batch until it is acknowledged, through a server that is
// killed again and again, has every record there once when it names its batches, or
// its documents.
func TestRetriedBatchIsStoredOnceThroughKills(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, dir)
	token := p.run("token", "create", "--name", "retry", "--scope", "ingest")
	var base atomic.Value
	base.Store(p.base)
	var serial, retried, repeated atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for sender := range 8 {
		send := sendNamed
		if sender%2 == 1 {
			send = sendDocuments
		}
		senders.Go(func() {
			for ctx.Err() == nil {
				n := serial.Add(1)
				var body strings.Builder
				for i := range 20 {
					fmt.Fprintf(&body, `{"host":"retry","marker":"m%d.%d","pad":"%s"}`+"\n", n, i, strings.Repeat("x", 200))
				}
				for try := 0; ; try++ {
					status, again := send(t.Context(), base.Load().(string), token, fmt.Sprintf("batch-%d", n), body.String())
					if status == http.StatusOK {
						if again {
							repeated.Add(1)
						}
						break
					}
					if status != 0 && status != http.StatusServiceUnavailable && status != http.StatusTooManyRequests {
						t.Errorf("batch %d, try %d: status %d", n, try, status)
						return
					}
					retried.Add(1)
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	for range 3 {
		time.Sleep(700 * time.Millisecond) // load before the blow
		p.end(syscall.SIGKILL)
		p = startProcess(t, dir)
		base.Store(p.base)
	}
	time.Sleep(300 * time.Millisecond)
	cancel()
	senders.Wait()
	stored := markersOf(t, p.base)
	t.Logf("%d batches, %d tries again, %d of them found it stored", serial.Load(), retried.Load(), repeated.Load())
	for n := int64(1); n <= serial.Load(); n++ {
		for i := range 20 {
			if m := fmt.Sprintf("m%d.%d", n, i); stored[m] != 1 {
				t.Fatalf("%s is there %d times", m, stored[m])
			}
		}
	}
	if serial.Load() < 50 || retried.Load() == 0 {
		t.Errorf("%d batches, %d tries again: the test says little", serial.Load(), retried.Load())
	}
}

func sendNamed(ctx context.Context, base, token, key, body string) (status int, repeated bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/ingest", strings.NewReader(body))
	if err != nil {
		return 0, false
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, false
	}
	defer response.Body.Close() //nolint:errcheck // a test
	var a struct{ Repeated bool }
	if json.NewDecoder(response.Body).Decode(&a) != nil {
		return 0, false
	}
	return response.StatusCode, a.Repeated
}

// sendDocuments sends the records of a body as documents with ids.
func sendDocuments(ctx context.Context, base, token, key, body string) (status int, repeated bool) {
	var bulk strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(body), "\n") {
		fmt.Fprintf(&bulk, "{\"create\":{\"_index\":\"logs\",\"_id\":\"%s.%d\"}}\n%s\n", key, i, line)
	}
	status, _, answer := sendOnce(ctx, base+"/api/elastic/_bulk", basic(token), bulk.String())
	var a struct {
		Items []struct{ Create struct{ Status int } }
	}
	if status != http.StatusOK || json.Unmarshal(answer, &a) != nil || len(a.Items) != 20 {
		return status, false
	}
	for _, i := range a.Items {
		if i.Create.Status != http.StatusCreated && i.Create.Status != http.StatusConflict {
			return i.Create.Status, false
		}
		repeated = repeated || i.Create.Status == http.StatusConflict
	}
	return status, repeated
}

func TestIdempotencyKey(t *testing.T) {
	redis := startRedis(t)
	cfg := config(t, dbtest.DSN(t), redis.URL())
	first, second := startReplica(t, cfg), startReplica(t, cfg)
	token := ingestToken(t, first)
	record := []byte(`{"host":"once","message":"a"}` + "\n" + `not JSON` + "\n")
	status, a := sendEvents(t, first.URL(), token, record, "Idempotency-Key", "k1")
	if status != http.StatusOK || a["repeated"] != nil {
		t.Fatalf("%d %v", status, a)
	}
	batch := a["batch"]
	status, a = sendEvents(t, second.URL(), token, record, "Idempotency-Key", "k1")
	if status != http.StatusOK || a["repeated"] != true || a["batch"] != batch || a["accepted"] != 1.0 || a["rejected"] != 1.0 {
		t.Errorf("sent again to another replica: %d %v, want the same batch %v", status, a, batch)
	}
	packed := gzipped(t, record)
	if status, a = sendEvents(t, first.URL(), token, packed, "Idempotency-Key", "k1", "Content-Encoding", "gzip"); status != http.StatusOK || a["repeated"] != true {
		t.Errorf("sent again, compressed: %d %v", status, a)
	}
	if status, a = sendEvents(t, first.URL(), token, bytes.Replace(record, []byte(`"a"`), []byte(`"b"`), 1), "Idempotency-Key", "k1"); status != http.StatusConflict || a["code"] != "IDEMPOTENCY_KEY_REUSED" {
		t.Errorf("another body under the same key: %d %v, want 409", status, a)
	}
	if status, a = sendEvents(t, first.URL(), token, record, "Idempotency-Key", strings.Repeat("k", 300)); status != http.StatusBadRequest {
		t.Errorf("a long key: %d %v, want 400", status, a)
	}
	other, err := first.IngestToken(t.Context(), "other", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if status, a = sendEvents(t, first.URL(), other, record, "Idempotency-Key", "k1"); status != http.StatusOK || a["repeated"] != nil {
		t.Errorf("another sender's key: %d %v: it is no matter of the first", status, a)
	}
}

// An acknowledgement that was given holds after a kill, and what it is of is stored; an
// id that was not given is never acknowledged.
func TestAcknowledgementsOutliveAKill(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, dir)
	token := p.run("token", "create", "--name", "hec", "--scope", "ingest")
	var mu sync.Mutex
	given := map[string]string{} // marker by id
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				marker := fmt.Sprintf("a%d.%d", sender, n)
				status, _, answer := sendOnce(ctx, p.base+"/api/splunk/services/collector?channel="+channel, "Splunk "+token, `{"event":{"host":"ack","marker":"`+marker+`"}}`)
				var a struct{ AckID json.Number }
				if status == http.StatusOK && json.Unmarshal(answer, &a) == nil && a.AckID != "" {
					mu.Lock()
					given[a.AckID.String()] = marker
					mu.Unlock()
				}
			}
		})
	}
	eventually(t, "acknowledgements", func() bool { mu.Lock(); defer mu.Unlock(); return len(given) > 200 })
	p.end(syscall.SIGKILL)
	cancel()
	senders.Wait()
	p = startProcess(t, dir)
	ids := []string{"1", "4242424242424242"}
	for id := range given {
		ids = append(ids, id)
	}
	_, _, answer := sendOnce(t.Context(), p.base+"/api/splunk/services/collector/ack?channel="+channel, "Splunk "+token, `{"acks":[`+strings.Join(ids, ",")+`]}`)
	var a struct{ Acks map[string]bool }
	if err := json.Unmarshal(answer, &a); err != nil || len(a.Acks) != len(ids) {
		t.Fatalf("%s: %v", answer, err)
	}
	stored := markersOf(t, p.base)
	for id, is := range a.Acks {
		if marker, was := given[id]; is != was || was && stored[marker] != 1 {
			t.Errorf("id %s: given %t, acknowledged %t, stored %d times", id, was, is, stored[marker])
		}
	}
}
