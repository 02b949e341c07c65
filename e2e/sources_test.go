package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// Who sends, and what of it could not be read, over two replicas: an analyst finds the
// rejected records, replays them once on each replica, and an administrator deletes the rest.
func TestAnalystSeesSourcesAndReplaysDeadLetters(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r, other := startReplica(t, cfg), startReplica(t, cfg)
	user(t, r, "ana", monitor.RoleAnalyst)
	user(t, r, "vic", monitor.RoleViewer)
	admin, ana, vic := login(t, r.URL(), "admin", testPassword), login(t, r.URL(), "ana", testPassword), login(t, r.URL(), "vic", testPassword)
	token := ingestToken(t, r)
	for _, each := range []*replica{r, other} {
		if status, said := sendEvents(t, each.URL(), token, []byte("{\"message\":\"fine\"}\n{broken mimikatz\n{\"message\":\"fine too\"}\n")); status != 200 || fmt.Sprint(said["accepted"], said["rejected"]) != "2 1" {
			t.Fatal(status, said)
		}
	}
	var sources struct {
		Sources struct{ Nodes []map[string]any }
	}
	eventually(t, "both replicas' counts", func() bool {
		post(t, other.URL(), vic, `{ sources(first: 10) { nodes { id version name protocol format state records rejected errorRate rate lagSeconds patience silentSince alert { id } minutes { at records } journal(first: 5) { nodes { action } } } } }`, nil, &sources)
		return len(sources.Sources.Nodes) == 1 && fmt.Sprint(sources.Sources.Nodes[0]["records"], sources.Sources.Nodes[0]["rejected"]) == "4 2"
	})
	source := sources.Sources.Nodes[0]
	if source["state"] != "FAILING" || source["protocol"] != "json" || source["format"] != "generic" || pick(t, source, "journal", "nodes", 0, "action") != "source.found" {
		t.Errorf("the source: %+v", source)
	}
	id := source["id"].(string)
	changed, codes := mutate(t, r, ana, "sourceUpdate", "SourceUpdateInput", "source { version patience expectEvery }", map[string]any{"id": id, "expectedVersion": 1, "expectEvery": "PT1H"})
	if codes != "" || pick(t, changed, "source", "patience") != "PT1H" {
		t.Errorf("%+v %s", changed, codes)
	}
	if _, codes := mutate(t, r, ana, "sourceUpdate", "SourceUpdateInput", "source { version }", map[string]any{"id": id, "expectEvery": "PT1S"}); codes != "BAD_INPUT" {
		t.Errorf("a second: %s", codes)
	}

	const list = `query($f: DeadLetterFilter) { deadLetters(filter: $f, first: 10) { nodes { id code message line raw state result sourceId token } } }`
	if a := post(t, r.URL(), vic, list, nil, nil); a.code() != "FORBIDDEN" {
		t.Errorf("a viewer's look: %+v", a)
	}
	var letters struct {
		DeadLetters struct{ Nodes []map[string]any }
	}
	find := func(base string, filter map[string]any) []map[string]any {
		letters.DeadLetters.Nodes = nil
		post(t, base, ana, list, map[string]any{"f": filter}, &letters)
		return letters.DeadLetters.Nodes
	}
	eventually(t, "both letters", func() bool { return len(find(r.URL(), map[string]any{"text": "MIMIKATZ", "source": id})) == 2 })
	letter := letters.DeadLetters.Nodes[0]
	if letter["raw"] != "{broken mimikatz" || letter["code"] != "MALFORMED_JSON" || fmt.Sprint(letter["line"]) != "2" || letter["state"] != "WAITING" {
		t.Errorf("the letter: %+v", letter)
	}
	const replayed = `replays { stored repeated result letter { id state } }`
	input := map[string]any{"ids": []any{letter["id"]}}
	if said, codes := mutate(t, r, ana, "deadLetterReplay", "DeadLetterReplayInput", replayed, input); codes != "" || pick(t, said, "replays", 0, "stored") != false || pick(t, said, "replays", 0, "letter", "state") != "FAILED" {
		t.Errorf("as it is: %+v %s", said, codes)
	}
	input["asText"] = true
	for i, each := range []*replica{r, other} {
		said, codes := mutate(t, each, ana, "deadLetterReplay", "DeadLetterReplayInput", replayed, input)
		if codes != "" || pick(t, said, "replays", 0, "stored") != true || pick(t, said, "replays", 0, "repeated") != (i > 0) {
			t.Errorf("replay %d: %+v %s", i, said, codes)
		}
	}
	var events struct {
		Events struct{ Nodes []map[string]any }
	}
	post(t, r.URL(), vic, `{ events(filter: {query: "mimikatz"}, first: 10) { nodes { message } } }`, nil, &events)
	if len(events.Events.Nodes) != 1 {
		t.Errorf("events of the letter: %+v", events.Events.Nodes)
	}
	ids := map[string]any{"ids": []any{letter["id"]}}
	if a := post(t, r.URL(), ana, `mutation($i: DeadLetterDeleteInput!) { deadLetterDelete(input: $i) { deletedIds } }`, map[string]any{"i": ids}, nil); a.code() != "FORBIDDEN" {
		t.Errorf("an analyst's delete: %+v", a)
	}
	if said, codes := mutate(t, r, admin, "deadLetterDelete", "DeadLetterDeleteInput", "deletedIds", ids); codes != "" || pick(t, said, "deletedIds", 0) != letter["id"] || len(find(other.URL(), nil)) != 1 {
		t.Errorf("deleted: %+v %s", said, codes)
	}
}

// A webhook is in force on the other replica at once; what its mapping lacks is mended and
// replayed.
func TestAdministratorMapsAnUnknownProduct(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r, other := startReplica(t, cfg), startReplica(t, cfg)
	user(t, r, "ana", monitor.RoleAnalyst)
	admin, ana := login(t, r.URL(), "admin", testPassword), login(t, r.URL(), "ana", testPassword)
	token := ingestToken(t, r)
	rules := func(path string) map[string]any {
		return map[string]any{"product": "gatekeeper", "fields": []any{map[string]any{"target": "HOST", "path": path, "required": true}}}
	}
	input := map[string]any{"name": "gate", "rules": rules("wrong"), "signatureHeader": "X-Signature"}
	if _, codes := mutate(t, r, admin, "mappingCreate", "MappingCreateInput", "mapping { id }", input); codes != "BAD_INPUT" {
		t.Errorf("a signature without a secret: %s", codes)
	}
	delete(input, "signatureHeader")
	if a := post(t, r.URL(), ana, `mutation($i: MappingCreateInput!) { mappingCreate(input: $i) { errors { code } } }`, map[string]any{"i": input}, nil); a.code() != "FORBIDDEN" {
		t.Errorf("an analyst's mapping: %+v", a)
	}
	made, codes := mutate(t, r, admin, "mappingCreate", "MappingCreateInput", "mapping { id version webhookPath signed product }", input)
	if codes != "" || pick(t, made, "mapping", "webhookPath") != "/api/ingest/webhook/gate" {
		t.Fatalf("%+v %s", made, codes)
	}
	hook := func() int {
		rq, err := http.NewRequestWithContext(t.Context(), http.MethodPost, other.URL()+"/api/ingest/webhook/gate", strings.NewReader(`{"node":"door-1","x":1}`))
		if err != nil {
			t.Fatal(err)
		}
		rq.Header.Set("X-Api-Key", token)
		answer, err := http.DefaultClient.Do(rq)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	eventually(t, "the webhook on the other replica", func() bool { return hook() == http.StatusUnprocessableEntity })
	var letters struct {
		DeadLetters struct{ Nodes []map[string]any }
	}
	eventually(t, "the letter", func() bool {
		post(t, r.URL(), ana, `{ deadLetters(filter: {code: "MAPPING_FAILED"}, first: 5) { nodes { id protocol } } }`, nil, &letters)
		return len(letters.DeadLetters.Nodes) == 1
	})
	var preview struct{ MappingPreview []map[string]any }
	post(t, r.URL(), ana, `query($r: MappingRulesInput!) { mappingPreview(rules: $r, samples: ["{\"node\":\"door-1\"}", "[]"]) { recognised problem host product fields { name value } } }`, map[string]any{"r": rules("node")}, &preview)
	if p := preview.MappingPreview; len(p) != 2 || p[0]["host"] != "door-1" || p[0]["problem"] != "" || p[1]["problem"] == "" {
		t.Errorf("the preview: %+v", p)
	}
	if said, codes := mutate(t, r, admin, "mappingUpdate", "MappingUpdateInput", "mapping { version }", map[string]any{"id": pick(t, made, "mapping", "id"), "rules": rules("node")}); codes != "" {
		t.Errorf("%+v %s", said, codes)
	}
	eventually(t, "the mended mapping", func() bool { return hook() == http.StatusOK })
	said, codes := mutate(t, other, ana, "deadLetterReplay", "DeadLetterReplayInput", "replays { stored result }", map[string]any{"ids": []any{letters.DeadLetters.Nodes[0]["id"]}})
	if codes != "" || pick(t, said, "replays", 0, "result") != "stored as map:gate" {
		t.Errorf("%+v %s", said, codes)
	}
}
