package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/page"

	"github.com/security-monitor/secmon/monitor"
)

// call sends one request and gives its answer.
func call(t *testing.T, method, url, authorization, body string, headers ...string) (*http.Response, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // a test
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a map[string]any
	if len(text) > 0 && json.Unmarshal(text, &a) != nil {
		t.Fatalf("%s %s: %s is no JSON", method, url, text)
	}
	return response, a
}

func basic(token string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte("shipper:"+token))
}

// storedEvents gives all events, the oldest first.
func storedEvents(t *testing.T, r *replica) []*monitor.Event {
	t.Helper()
	found, err := r.Store.Events(t.Context(), nil, monitor.EventsByReceived, page.Args{First: 500})
	if err != nil {
		t.Fatal(err)
	}
	events := found.Nodes()
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events
}

func TestShippersCredentials(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	token := ingestToken(t, r)
	session := login(t, r.URL(), "admin", testPassword)
	key := base64.StdEncoding.EncodeToString([]byte("id:" + token))
	for _, c := range []struct {
		name, authorization string
		elastic, splunk     int
		code                float64 // of the collector
	}{
		{"an API key", "ApiKey " + key, 200, 200, 0},
		{"a bare API key", "ApiKey " + token, 200, 200, 0},
		{"a password", basic(token), 200, 200, 0},
		{"Splunk's own", "Splunk " + token, 200, 200, 0},
		{"a bearer", "Bearer " + token, 200, 200, 0},
		{"none", "", 401, 401, 2},
		{"a wrong password", basic("x"), 401, 403, 4},
		{"no base64", "ApiKey !", 401, 403, 4},
		{"another scheme", "Digest x", 401, 401, 3},
		{"a session", basic(session), 403, 403, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			response, a := call(t, "GET", r.URL()+"/api/elastic", c.authorization, "")
			if response.StatusCode != c.elastic || response.Header.Get("X-Elastic-Product") != "Elasticsearch" {
				t.Errorf("Elasticsearch: %d %v", response.StatusCode, a)
			}
			response, a = call(t, "POST", r.URL()+"/api/splunk/services/collector/event", c.authorization, `{"event":"x"}`)
			if response.StatusCode != c.splunk || a["code"] != c.code {
				t.Errorf("Splunk: %d %v, want %d", response.StatusCode, a, c.splunk)
			}
		})
	}
}

func TestElasticBulk(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	auth := basic(ingestToken(t, r))
	bulk := r.URL() + "/api/elastic/_bulk"
	body := `{"create":{"_index":"logs","_id":"1"}}
{"host":"a","message":"one"}
{"index":{}}
{"host":"b","message":
{"index":{"_id":12345678901}}
{"host":"c","message":"three"}

{"delete":{"_index":"logs","_id":"1"}}
{"index":{"_index":"logs"}}
{"host":"d"}
`
	type item struct {
		Status int
		Result string
		ID     string `json:"_id"`
		Error  *struct{ Type, Reason string }
	}
	send := func(url, body string, headers ...string) (out []string) {
		t.Helper()
		response, a := call(t, "POST", url, auth, body, append([]string{"Content-Type", "application/x-ndjson"}, headers...)...)
		if response.StatusCode != http.StatusOK {
			t.Fatalf("%d %v", response.StatusCode, a)
		}
		text, _ := json.Marshal(a["items"])
		var items []map[string]item
		if err := json.Unmarshal(text, &items); err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			for op, x := range i {
				said := fmt.Sprintf("%s %d %s", op, x.Status, x.Result)
				if x.Error != nil {
					said += x.Error.Type
				}
				out = append(out, said)
			}
		}
		return out
	}
	want := func(got []string, wants ...string) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(wants) {
			t.Errorf("got  %q\nwant %q", got, wants)
		}
	}
	want(send(bulk, body), "create 201 created", "index 400 document_parsing_exception", "index 201 created", "delete 400 illegal_argument_exception", "index 201 created")
	want(send(bulk, body), "create 409 version_conflict_engine_exception", "index 400 document_parsing_exception", "index 200 noop", "delete 400 illegal_argument_exception", "index 201 created")
	if n := len(storedEvents(t, r)); n != 4 { // the last has no name, and is there twice
		t.Errorf("%d events are stored, want 4", n)
	}
	want(send(r.URL()+"/api/elastic/other/_bulk?filter_path=errors,items.*.error,items.*.status", string(gzipped(t, []byte("{\"create\":{\"_id\":\"1\"}}\n{\"host\":\"e\"}"))), "Content-Encoding", "gzip"), "create 201 ")
	two := "{\"create\":{}}\n{\"host\":\"f\"}\n{\"create\":{}}\n{\"host\":\"f\"}\n"
	want(send(bulk, two, "Idempotency-Key", "k"), "create 201 created", "create 201 created")
	want(send(bulk, two, "Idempotency-Key", "k"), "create 200 noop", "create 200 noop")
	want(send(bulk, strings.Replace(two, `"f"`, `"g"`, 1), "Idempotency-Key", "k"), "create 400 illegal_argument_exception", "create 200 noop")

	before := len(storedEvents(t, r))
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"no action":        {"{\"create\":{}}\n{\"host\":\"x\"}\nhello\n{}\n", 400},
		"no document":      {"{\"create\":{}}", 400},
		"an odd action":    {"{\"mend\":{}}\n{}\n", 400},
		"two actions":      {"{\"index\":{},\"create\":{}}\n{}\n", 400},
		"nothing":          {"\n\n", 400},
		"too many records": {strings.Repeat("{\"index\":{}}\n{}\n", 10_001), 413},
	} {
		response, a := call(t, "POST", bulk, auth, c.body)
		e, _ := a["error"].(map[string]any)
		if response.StatusCode != c.status || a["status"] != float64(c.status) || e["type"] == nil || e["reason"] == nil {
			t.Errorf("%s: %d %v, want %d", name, response.StatusCode, a, c.status)
		}
	}
	if n := len(storedEvents(t, r)); n != before {
		t.Errorf("%d events of refused requests are stored", n-before)
	}

	t.Run("single documents", func(t *testing.T) {
		for _, c := range []struct {
			method, path, body string
			status             int
		}{
			{"POST", "/falco/_doc", `{"host":"s"}`, 201},
			{"PUT", "/falco/_doc/9", `{"host":"s"}`, 201},
			{"PUT", "/falco/_create/9", `{"host":"s"}`, 201},
			{"PUT", "/falco/_create/9", `{"host":"s"}`, 409},
			{"POST", "/falco/_doc", `{"host":`, 400},
		} {
			if response, a := call(t, c.method, r.URL()+"/api/elastic"+c.path, auth, c.body); response.StatusCode != c.status {
				t.Errorf("%s %s: %d %v, want %d", c.method, c.path, response.StatusCode, a, c.status)
			}
		}
	})
	t.Run("what shippers ask before", func(t *testing.T) {
		for _, c := range []struct {
			method, path string
			status       int
			has          string
		}{
			{"GET", "", 200, "version"},
			{"HEAD", "/", 200, ""},
			{"GET", "/_license", 200, "license"},
			{"GET", "/_xpack", 200, "features"},
			{"GET", "/_cluster/health", 200, "status"},
			{"GET", "/_cluster/health/logs", 200, "status"},
			{"GET", "/_nodes/http", 200, "nodes"},
			{"HEAD", "/_index_template/filebeat-8", 200, ""},
			{"PUT", "/_index_template/filebeat-8", 200, "acknowledged"},
			{"GET", "/_template/logstash", 200, "logstash"},
			{"GET", "/_ilm/policy/filebeat", 200, "filebeat"},
			{"PUT", "/_ilm/policy/filebeat", 200, "acknowledged"},
			{"PUT", "/_ingest/pipeline/p", 200, "acknowledged"},
			{"HEAD", "/logs", 200, ""},
			{"PUT", "/logs", 200, "index"},
			{"HEAD", "/_alias/logs", 200, ""},
			{"PUT", "/_data_stream/logs", 200, "acknowledged"},
			{"GET", "/logs/_search", 400, "error"},
			{"DELETE", "/logs", 400, "error"},
			{"GET", "/_bulk", 405, "error"},
		} {
			response, a := call(t, c.method, r.URL()+"/api/elastic"+c.path, auth, "")
			if response.StatusCode != c.status || c.has != "" && a[c.has] == nil || response.Header.Get("X-Elastic-Product") == "" {
				t.Errorf("%s %s: %d %v, want %d with %s", c.method, c.path, response.StatusCode, a, c.status, c.has)
			}
		}
	})
}

const channel = "FE0ECFAD-13D5-401B-847D-77833BD77131"

func TestSplunkCollector(t *testing.T) {
	redis := startRedis(t)
	cfg := config(t, dbtest.DSN(t), redis.URL())
	r, other := startReplica(t, cfg), startReplica(t, cfg)
	auth := "Splunk " + ingestToken(t, r)
	collector := r.URL() + "/api/splunk/services/collector"
	at := time.Now().Add(-time.Hour).Truncate(time.Millisecond).UTC()
	event := fmt.Sprintf(`{"time":%d.%03d,"host":"web-9","source":"/var/log/x","sourcetype":"app","index":"main","event":"hello","fields":{"team":"blue"}}`, at.Unix(), at.Nanosecond()/1e6)
	body := event + `{"host":"outer","event":{"host":"inner","message":"two"}}` + "\n" + `{"host":"h","event":"{\"message\":\"three\"}"} {"event":{}}`
	response, a := call(t, "POST", collector+"/event/1.0", auth, string(gzipped(t, []byte(body))), "Content-Encoding", "gzip", "X-Splunk-Request-Channel", channel)
	if response.StatusCode != http.StatusOK || a["code"] != 0.0 || a["text"] != "Success" || a["ackId"] == nil {
		t.Fatalf("%d %v", response.StatusCode, a)
	}
	id := uint64(a["ackId"].(float64)) //nolint:forcetypeassert // a test
	events := storedEvents(t, r)
	if len(events) != 4 {
		t.Fatalf("%d events", len(events))
	}
	byMessage := map[string]*monitor.Event{}
	for _, e := range events {
		byMessage[e.Message] = e
	}
	first := byMessage["hello"]
	if first == nil || first.Host != "web-9" || !first.OccurredAt.Equal(at) || first.LogSource.Service != "app" || !bytes.Contains(first.Raw, []byte(`"team":"blue"`)) {
		t.Errorf("%+v", first)
	}
	if e := byMessage["two"]; e == nil || e.Host != "inner" {
		t.Errorf("the event's own host counts: %+v", e)
	}
	if e := byMessage["three"]; e == nil || e.Host != "h" {
		t.Errorf("a text that is an object is one: %+v", e)
	}

	ask := fmt.Sprintf(`{"acks":[%d,%d,7]}`, id, id^(1<<30))
	_, a = call(t, "POST", other.URL()+"/api/splunk/services/collector/ack?channel="+channel, auth, ask)
	acks, _ := a["acks"].(map[string]any)
	if len(acks) != 3 || acks[fmt.Sprint(id)] != true || acks[fmt.Sprint(id^(1<<30))] != false || acks["7"] != false {
		t.Errorf("acknowledged on another replica: %v, want %d alone", acks, id)
	}
	_, a = call(t, "POST", collector+"/ack", auth, ask, "X-Splunk-Request-Channel", "00000000-0000-0000-0000-000000000000")
	if strings.Contains(fmt.Sprint(a), "true") {
		t.Errorf("another channel's acknowledgement: %v", a)
	}

	before := len(storedEvents(t, r))
	for name, c := range map[string]struct {
		path, body string
		status     int
		code       float64
		invalid    any
		stored     int
	}{
		"no data":               {"", "  \n", 400, 5, nil, 0},
		"no JSON":               {"/event", `{"event":"ok"}{"event":"ok2"}oops`, 400, 6, 2.0, 0},
		"cut off":               {"/event", `{"event":"ok"}{"event":"x`, 400, 6, 1.0, 0},
		"no event":              {"/event", `{"host":"x"}`, 400, 12, 0.0, 0},
		"a blank event":         {"/event", `{"event":""}`, 400, 13, 0.0, 0},
		"bad fields":            {"/event", `{"event":"x","fields":[1]}`, 400, 15, 0.0, 0},
		"one bad among good":    {"/event", `{"event":"good"}{"event":null}{"event":"good"}`, 200, 0, nil, 2},
		"an array":              {"", `[{"event":"a"}, {"event":"b"}]`, 200, 0, nil, 2},
		"an array without end":  {"", `[{"event":"a"}`, 400, 6, 1.0, 0},
		"a number":              {"/event", `{"event":42}`, 200, 0, nil, 1},
		"lines":                 {"/raw?host=r&sourcetype=t", "one\r\n\ntwo \xff\n{\"message\":\"three\"}", 200, 0, nil, 3},
		"too many":              {"/event", strings.Repeat(`{"event":"x"}`, 10_001), 413, 27, nil, 0},
		"a bad channel":         {"/event?channel=x", `{"event":"x"}`, 400, 11, nil, 0},
		"ack without a channel": {"/ack", `{"acks":[1]}`, 400, 10, nil, 0},
	} {
		response, a := call(t, "POST", collector+c.path, auth, c.body)
		now := len(storedEvents(t, r))
		if response.StatusCode != c.status || a["code"] != c.code || a["invalid-event-number"] != c.invalid || now-before != c.stored {
			t.Errorf("%s: %d %v, %d stored; want %d, code %v, event %v, %d", name, response.StatusCode, a, now-before, c.status, c.code, c.invalid, c.stored)
		}
		before = now
	}
	if response, a := call(t, "GET", collector+"/health/1.0", "", ""); response.StatusCode != http.StatusOK || a["code"] != 17.0 {
		t.Errorf("health: %d %v", response.StatusCode, a)
	}
	if response, a := call(t, "POST", collector+"?token=x", "", `{"event":"x"}`); response.StatusCode != http.StatusBadRequest || a["code"] != 16.0 {
		t.Errorf("a token in the query: %d %v", response.StatusCode, a)
	}
	found := 0
	for _, e := range storedEvents(t, r) {
		if e.Host == "r" && e.LogSource.Service == "t" {
			found++
			if strings.Contains(e.Message, "two") && e.Message != `two \xff` {
				t.Errorf("%q", e.Message)
			}
		}
	}
	if found != 3 {
		t.Errorf("%d raw lines have what the query says", found)
	}
	for _, path := range []string{"/api/splunk/services/collector/nothing", "/api/splunk/services", "/api/splunk/x"} {
		if response, _ := call(t, "POST", r.URL()+path, auth, "{}"); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
}

// The bounds of /api/ingest hold for all endpoints, and each says it in its own words.
func TestShippersBadBodies(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.MaxBodyMB, cfg.MaxRecordKB = 1, 10
	r := startReplica(t, cfg)
	token := ingestToken(t, r)
	bomb := string(gzipped(t, bytes.Repeat([]byte(" "), 200<<20)))
	long := strings.Repeat("x", 11<<10)
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	elastic := func(body string) string { return "{\"create\":{}}\n" + body + "\n{\"create\":{}}\n{\"host\":\"ok\"}\n" }
	for name, c := range map[string]struct {
		path, body, encoding string
		status               int
		has                  string
		stored               int
	}{
		"bulk: a bomb":                {"/api/elastic/_bulk", bomb, "gzip", 413, `"type":"content_too_long_exception"`, 0},
		"bulk: no gzip":               {"/api/elastic/_bulk", "{}", "gzip", 400, `"status":400`, 0},
		"bulk: an unknown encoding":   {"/api/elastic/_bulk", "{}", "br", 400, `"status":400`, 0},
		"bulk: a long one":            {"/api/elastic/_bulk", elastic(`{"m":"` + long + `"}`), "", 200, "larger than 10240 bytes", 1},
		"bulk: a deep one":            {"/api/elastic/_bulk", elastic(`{"m":` + deep + `}`), "", 200, "nested deeper", 1},
		"bulk: no UTF-8":              {"/api/elastic/_bulk", elastic("{\"m\":\"\xff\"}"), "", 200, "is not UTF-8", 1},
		"bulk: a long line of action": {"/api/elastic/_bulk", `{"create":{"_id":"` + long + `"}}` + "\n{}\n", "", 400, "Malformed action", 0},
		"bulk: a long id":             {"/api/elastic/_bulk", `{"create":{"_id":"` + long[:600] + `"}}` + "\n{}\n", "", 200, "is too long", 0},
		"document: a long one":        {"/api/elastic/x/_doc", `{"m":"` + long + `"}`, "", 413, "content_too_long", 0},
		"collector: a bomb":           {"/api/splunk/services/collector", bomb, "gzip", 413, `"code":27`, 0},
		"raw: a bomb":                 {"/api/splunk/services/collector/raw", bomb, "gzip", 413, `"code":27`, 0},
		"collector: no gzip":          {"/api/splunk/services/collector", "{}", "gzip", 400, `"code":6`, 0},
		"collector: a long one":       {"/api/splunk/services/collector", `{"event":"` + long + `"}{"event":"ok"}`, "", 200, `"rejected":1`, 1},
		"collector: a deep one":       {"/api/splunk/services/collector", `{"event":` + deep + `}{"event":"ok"}`, "", 200, `"code":"TOO_DEEP"`, 1},
		"raw: a long line":            {"/api/splunk/services/collector/raw", long + "\nok", "", 200, `"rejected":1`, 1},
		"raw: a deep text":            {"/api/splunk/services/collector/raw", `{"m":` + deep + `}`, "", 200, `"code":0`, 1},
		"ack: a long question":        {"/api/splunk/services/collector/ack?channel=" + channel, `{"acks":[` + strings.Repeat("1,", 1<<20) + `1]}`, "", 413, `"code":27`, 0},
	} {
		before := len(storedEvents(t, r))
		response, a := call(t, http.MethodPost, r.URL()+c.path, "Splunk "+token, c.body, "Content-Encoding", c.encoding)
		text, _ := json.Marshal(a)
		if stored := len(storedEvents(t, r)) - before; response.StatusCode != c.status || !strings.Contains(string(text), c.has) || stored != c.stored {
			t.Errorf("%s: %d %.300s, %d stored; want %d with %s, %d", name, response.StatusCode, text, stored, c.status, c.has, c.stored)
		}
	}
}
