package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// An analyst hunts through records of real attacks: from a search over the raw
// record to what is common, to a machine, to the tree of a process.
func TestHuntThroughAttackRecords(t *testing.T) {
	packed, err := os.Open(corpora(t, "windows/otrf-sample.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close() //nolint:errcheck // only read
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	records, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	token, half := ingestToken(t, r), len(records)/2+bytes.IndexByte(records[len(records)/2:], '\n')
	for _, part := range [][]byte{records[:half], records[half:]} {
		if status, answer := sendEvents(t, r.URL(), token, part); status != 200 {
			t.Fatal(status, answer)
		}
	}
	ana := userToken(t, r, "ana", monitor.RoleAnalyst)
	ask := func(query string, variables map[string]any) (data map[string]any) {
		t.Helper()
		post(t, r.URL(), ana, query, variables, &data)
		return data
	}

	const starts = `raw.EventID:1 raw.Channel:Microsoft-Windows-Sysmon*`
	byLine := ask(`query($f: EventFilter) { eventCount(filter: $f) { count } }`, map[string]any{"f": map[string]any{"query": starts}})
	byFilter := ask(`query($f: EventFilter) { eventCount(filter: $f) { count } }`, map[string]any{"f": map[string]any{"rawFields": []any{map[string]any{"path": "EventID", "eq": "1"}, map[string]any{"path": "Channel", "startsWith": "microsoft-windows-sysmon"}}}})
	n := pick(t, byLine, "eventCount", "count")
	if n == 0.0 || n != pick(t, byFilter, "eventCount", "count") {
		t.Fatalf("%v by a line, %v by a filter", byLine, byFilter)
	}
	line := ask(`query($q: String!) { queryLine(noun: EVENTS, query: $q) { error { message } filter } }`, map[string]any{"q": starts})
	again := ask(`query($f: EventFilter) { eventCount(filter: $f) { count } }`, map[string]any{"f": pick(t, line, "queryLine", "filter")})
	if pick(t, again, "eventCount", "count") != n {
		t.Errorf("as told, it finds %v, not %v", again, n)
	}

	top := ask(`{ eventTop(field: HOST, first: 3) { total values { value count } } }`, nil)
	groups := ask(`{ eventGroups(by: [HOST, ACTION, OUTCOME], first: 100) { total isEstimate groups { values count firstSeen lastSeen } } }`, nil)
	sum := 0.0
	for _, g := range pick(t, groups, "eventGroups", "groups").([]any) {
		if len(pick(t, g, "values").([]any)) != 3 || strings.TrimSuffix(fmt.Sprint(pick(t, g, "firstSeen")), "Z") > strings.TrimSuffix(fmt.Sprint(pick(t, g, "lastSeen")), "Z") {
			t.Errorf("%v", g)
		}
		sum += pick(t, g, "count").(float64)
	}
	if total := pick(t, groups, "eventGroups", "total").(float64); total < 10_000 || sum == 0 || sum > total {
		t.Errorf("%v of %v in groups", sum, total)
	}
	series := ask(`{ eventTimeSeries(from: "2019-01-01T00:00:00Z", to: "2023-01-01T00:00:00Z", interval: "PT720H", groupBy: OUTCOME) { total series { value total counts } } }`, nil)
	if pick(t, series, "eventTimeSeries", "total").(float64) < 10_000 {
		t.Errorf("%v", pick(t, series, "eventTimeSeries", "total"))
	}
	for name, query := range map[string]string{
		"no field":    `{ eventGroups(by: []) { total } }`,
		"four fields": `{ eventGroups(by: [HOST, USER, ACTION, CLASS]) { total } }`,
		"one twice":   `{ eventGroups(by: [HOST, HOST]) { total } }`,
		"too many":    `{ eventGroups(by: [HOST], first: 101) { total } }`,
		"no address":  `{ entity(kind: ADDRESS, value: "web-1") { value } }`,
		"a bad path":  `{ eventCount(filter: {rawFields: [{path: "a..b", eq: "x"}]}) { count } }`,
		"no test":     `{ eventCount(filter: {rawFields: [{path: "a"}]}) { count } }`,
		"no event":    `{ processTree(event: "x") { truncated } }`,
	} {
		if a := post(t, r.URL(), ana, query, nil, nil); a.code() != "BAD_INPUT" {
			t.Errorf("%s: %+v", name, a)
		}
	}

	host := pick(t, top, "eventTop", "values", 0, "value")
	entity := ask(`query($h: String!) { entity(kind: HOST, value: $h) { value asset { name kind } seen { count firstSeen lastSeen }
		related(field: USER, first: 5) { values { value count } } events(first: 5, filter: {class: {eq: PROCESS_ACTIVITY}}) { nodes { host observables { kind value field } } } alerts(first: 5) { nodes { host } } } }`, map[string]any{"h": strings.ToUpper(fmt.Sprint(host))})
	if pick(t, entity, "entity", "value") != host || pick(t, entity, "entity", "seen", "count") != pick(t, top, "eventTop", "values", 0, "count") || len(pick(t, entity, "entity", "related", "values").([]any)) == 0 {
		t.Errorf("%v is %v", host, entity)
	}
	for _, e := range pick(t, entity, "entity", "events", "nodes").([]any) {
		if first := pick(t, e, "observables", 0); pick(t, e, "host") != host || pick(t, first, "kind") != "HOST" || pick(t, first, "value") != host {
			t.Errorf("%v", e)
		}
	}

	// Of all processes that were started, some have a tree of three generations.
	found := ask(`query($f: EventFilter) { events(first: 200, filter: $f) { nodes { id process } } }`, map[string]any{"f": map[string]any{"query": starts}})
	deepest := 0.0
	for _, e := range pick(t, found, "events", "nodes").([]any) {
		tree := ask(`query($id: ID!) { processTree(event: $id) { truncated processes { key parent depth image command pid focus startedAt event { id } } } }`, map[string]any{"id": pick(t, e, "id")})
		focus, keys := 0, map[any]float64{nil: -1}
		for _, p := range pick(t, tree, "processTree", "processes").([]any) {
			depth := pick(t, p, "depth").(float64)
			if above, ok := keys[pick(t, p, "parent")]; !ok || above != depth-1 {
				t.Fatalf("%v stands below nothing", p)
			}
			keys[pick(t, p, "key")] = depth
			if pick(t, p, "focus") == true {
				focus++
				if pick(t, p, "image") != pick(t, e, "process") {
					t.Errorf("the tree of %v is about %v", e, p)
				}
			}
			deepest = max(deepest, depth)
		}
		if focus != 1 {
			t.Errorf("%d processes are in the focus", focus)
		}
	}
	if deepest < 2 {
		t.Errorf("the deepest tree has %v generations above its last", deepest)
	}
	t.Logf("%v process starts, the deepest at generation %v", n, deepest)
}
