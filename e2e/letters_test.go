package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// Each protocol brings a good record and one that its mapping cannot read, and brings
// both again: the good ones are stored once, each bad one is one letter with its source
// and body, and when the mapping is mended all are replayed, once.
func TestDeadLettersOfEveryProtocol(t *testing.T) {
	r := startReplica(t, syslogConfig(t, newAuthority(t)))
	user(t, r, "ana", monitor.RoleAnalyst)
	admin, ana := login(t, r.URL(), "admin", testPassword), login(t, r.URL(), "ana", testPassword)
	token := ingestToken(t, r)
	rules := func(test map[string]any, path string) map[string]any {
		return map[string]any{"tests": []any{test}, "fields": []any{map[string]any{"target": "HOST", "path": path, "required": true}}}
	}
	gate, box := map[string]any{"path": "vendor", "equals": "gate"}, map[string]any{"path": "log.source.address", "equals": "127.0.0.1"}
	ids := map[string]any{}
	for name, test := range map[string]map[string]any{"gate": gate, "box": box} {
		made, codes := mutate(t, r, admin, "mappingCreate", "MappingCreateInput", "mapping { id }", map[string]any{"name": name, "rules": rules(test, "wrong")})
		if codes != "" {
			t.Fatalf("%+v %s", made, codes)
		}
		ids[name] = pick(t, made, "mapping", "id")
	}

	good := func(protocol string) string { return fmt.Sprintf(`{"host":"fine","message":"fine %s"}`, protocol) }
	bad := func(protocol string) string { return fmt.Sprintf(`{"vendor":"gate","node":"node-%s"}`, protocol) }
	bodies := map[string]struct{ path, body, content string }{
		"json":   {"/api/ingest", good("json") + "\n" + bad("json") + "\n", ""},
		"splunk": {"/api/splunk/services/collector/event", `{"event":` + good("splunk") + `}{"event":` + bad("splunk") + `}`, ""},
		"otlp":   {"/api/otlp/v1/logs", fmt.Sprintf(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":%q}},{"body":{"stringValue":%q}}]}]}]}`, good("otlp"), bad("otlp")), "application/json"},
		"aws":    {"/api/aws/eventbridge", "[" + good("aws") + "," + bad("aws") + "]", ""},
		"elastic": {"/api/elastic/_bulk", `{"create":{"_index":"logs","_id":"1"}}` + "\n" + good("elastic") + "\n" +
			`{"create":{"_index":"logs","_id":"2"}}` + "\n" + bad("elastic") + "\n", ""},
	}
	sendAll := func(round int) {
		for protocol, c := range bodies {
			headers := []string{"Content-Type", c.content}
			if protocol != "elastic" { // its documents have ids
				headers = append(headers, "Idempotency-Key", "batch "+protocol)
			}
			response, a := call(t, "POST", r.URL()+c.path, "Bearer "+token, c.body, headers...)
			if response.StatusCode != http.StatusOK {
				t.Errorf("%s, round %d: %d %v", protocol, round, response.StatusCode, a)
			}
		}
	}
	sendAll(1)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.SyslogAddresses()[1])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // a test
	if _, err := io.WriteString(conn, "<34>1 2026-05-04T09:30:00Z fine app - - - fine syslog\nnode-syslog has no form\n"); err != nil {
		t.Fatal(err)
	}

	const list = `query($f: DeadLetterFilter) { deadLetters(filter: $f, first: 50) { nodes { id protocol code raw state sourceId } } }`
	find := func(filter map[string]any) []map[string]any {
		var letters struct {
			DeadLetters struct{ Nodes []map[string]any }
		}
		post(t, r.URL(), ana, list, map[string]any{"f": filter}, &letters)
		return letters.DeadLetters.Nodes
	}
	unmapped := map[string]any{"code": "MAPPING_FAILED"}
	eventually(t, "a letter of each protocol", func() bool { return len(find(unmapped)) == len(bodies)+1 })
	sendAll(2)
	if status, said := sendEvents(t, r.URL(), token, []byte("{sentinel\n")); status != http.StatusUnprocessableEntity {
		t.Fatal(status, said)
	}
	eventually(t, "what came behind the second round", func() bool { return len(find(map[string]any{"text": "sentinel"})) == 1 })
	letters := find(unmapped)
	if len(letters) != len(bodies)+1 {
		t.Errorf("%d letters behind the second round: %v", len(letters), letters)
	}
	var all []any
	for _, l := range letters {
		protocol, _ := l["protocol"].(string)
		if raw, _ := l["raw"].(string); !strings.Contains(raw, "node-"+protocol) || l["state"] != "WAITING" {
			t.Errorf("the letter of %s: %v", protocol, l)
		}
		if of := find(map[string]any{"source": l["sourceId"], "text": "NODE-" + protocol}); len(of) != 1 {
			t.Errorf("%d letters of the source of %s", len(of), protocol)
		}
		all = append(all, l["id"])
	}

	for name, path := range map[string]string{"gate": "node", "box": "log.source.address"} {
		test := map[string]map[string]any{"gate": gate, "box": box}[name]
		if said, codes := mutate(t, r, admin, "mappingUpdate", "MappingUpdateInput", "mapping { version }", map[string]any{"id": ids[name], "rules": rules(test, path)}); codes != "" {
			t.Fatalf("%+v %s", said, codes)
		}
	}
	const selection = `replays { stored repeated result letter { state } }`
	eventually(t, "the mended mappings", func() bool {
		said, codes := mutate(t, r, ana, "deadLetterReplay", "DeadLetterReplayInput", selection, map[string]any{"ids": all})
		stored := 0
		for i := range all {
			if pick(t, said, "replays", i, "stored") == true && pick(t, said, "replays", i, "letter", "state") == "REPLAYED" {
				stored++
			}
		}
		return codes == "" && stored == len(all)
	})
	counted := map[string]int{}
	for _, e := range storedEvents(t, r) {
		if e.Host == "fine" {
			counted[e.Message]++
			continue
		}
		counted[e.Format+" "+e.Host]++
	}
	for protocol := range bodies {
		if counted["fine "+protocol] != 1 {
			t.Errorf("the good record of %s is there %d times", protocol, counted["fine "+protocol])
		}
		if counted["map:gate node-"+protocol] != 1 {
			t.Errorf("the mended record of %s is there %d times", protocol, counted["map:gate node-"+protocol])
		}
	}
	if counted["fine syslog"] != 1 || counted["map:box 127.0.0.1"] != 1 {
		t.Errorf("of syslog: %v", counted)
	}
}
