package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

const draftRule = `title: Whoami by a Web Server
id: 5f0c1a4e-6b1f-4f0e-9d1a-0d3c3b1f7a11
logsource:
    product: windows
    category: process_creation
detection:
    sel:
        Image|endswith: '\whoami.exe'
    condition: sel
level: high
tags:
    - attack.discovery
    - attack.t1033
`

func whoami(host string) string {
	record, _ := json.Marshal(map[string]any{ //nolint:errchkjson // a map of strings
		"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Computer": host, "User": `CORP\iis`,
		"Image": `C:\Windows\System32\whoami.exe`, "CommandLine": "whoami /all",
	})
	return string(record)
}

// A rule is written, checked, tried, stored, enabled, and fires; then changed and
// brought back. Each step sees what the one before left.
func TestRuleIsWrittenTriedAndEnabledUntilItFires(t *testing.T) {
	t.Parallel()
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin, viewer := userToken(t, r, "ada", monitor.RoleAdmin), userToken(t, r, "vera", monitor.RoleViewer)

	ask := func(query string, variables map[string]any) map[string]any {
		t.Helper()
		var data map[string]map[string]any
		post(t, r.URL(), viewer, query, variables, &data)
		for _, only := range data {
			return only
		}
		return nil
	}
	const check = `query($s: String!) { ruleCheck(source: $s) { problem { message line column } state title level techniques existing { id } } }`
	broken := strings.Replace(draftRule, "endswith", "endwith", 1)
	if c := ask(check, map[string]any{"s": broken}); pick(t, c, "problem", "line") != 8.0 || c["state"] != "INVALID" {
		t.Errorf("a misspelt modifier: %v", c)
	}
	if c := ask(check, map[string]any{"s": draftRule}); c["problem"] != nil || c["state"] != "ACTIVE" || c["existing"] != nil || c["title"] != "Whoami by a Web Server" {
		t.Errorf("check: %v", c)
	}
	const try = `query($s: String!, $r: String, $f: EventFilter) { ruleTest(source: $s, records: $r, filter: $f) {
		problem { message } tried matched results { line matches sameLogSource format error fields { field value } event { host } } } }`
	records := whoami("web-1") + "\n" + `{"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Image": "C:\\a.exe"}` + "\nno json\n" + `{"hello": "world"}`
	test := ask(try, map[string]any{"s": draftRule, "r": records})
	if test["tried"] != 4.0 || test["matched"] != 1.0 || pick(t, test, "results", 0, "matches") != true ||
		pick(t, test, "results", 1, "sameLogSource") != true || pick(t, test, "results", 2, "error") == nil || pick(t, test, "results", 3, "sameLogSource") != false {
		t.Errorf("tried on records: %v", test)
	}

	created, codes := mutate(t, r, admin, "ruleCreate", "RuleCreateInput", "rule { id version enabled state }", map[string]any{"source": draftRule})
	if codes != "" || pick(t, created, "rule", "enabled") != false {
		t.Fatalf("create: %v %s", created, codes)
	}
	id := pick(t, created, "rule", "id")
	if _, codes := mutate(t, r, admin, "ruleCreate", "RuleCreateInput", "rule { id }", map[string]any{"source": draftRule}); codes != "CONFLICT" {
		t.Errorf("created twice: %q", codes)
	}
	if c := ask(check, map[string]any{"s": draftRule}); pick(t, c, "existing", "id") != id {
		t.Errorf("check of a known rule: %v", c)
	}
	token := ingestToken(t, r)
	if code, body := sendEvents(t, r.URL(), token, []byte(whoami("web-1"))); code != 200 {
		t.Fatal(code, body)
	}
	if test := ask(try, map[string]any{"s": draftRule, "f": map[string]any{"host": map[string]any{"eq": "web-1"}}}); test["matched"] != 1.0 || pick(t, test, "results", 0, "event", "host") != "web-1" {
		t.Errorf("tried on stored events: %v", test)
	}
	if _, codes := mutate(t, r, admin, "ruleEnable", "RuleEnableInput", "rule { enabled }", map[string]any{"id": id}); codes != "" {
		t.Fatal(codes)
	}
	eventually(t, "an alert of the rule", func() bool {
		sendEvents(t, r.URL(), token, []byte(whoami("web-2")))
		rule := ask(`query($id: ID!) { rule(id: $id) { activity { alertsLastDay alerts closed lastFired } } }`, map[string]any{"id": id})
		return pick(t, rule, "activity", "alertsLastDay") == 1.0 && pick(t, rule, "activity", "lastFired") != nil
	})

	changed := strings.Replace(draftRule, "level: high", "level: low", 1)
	if _, codes := mutate(t, r, admin, "ruleUpdate", "RuleUpdateInput", "rule { version }", map[string]any{"id": id, "source": changed, "expectedVersion": 7}); codes != "CONFLICT" {
		t.Errorf("decided on another version: %q", codes)
	}
	updated, codes := mutate(t, r, admin, "ruleUpdate", "RuleUpdateInput", "rule { version level enabled }", map[string]any{"id": id, "source": changed, "expectedVersion": 1})
	if codes != "" || pick(t, updated, "rule", "version") != 2.0 || pick(t, updated, "rule", "level") != "LOW" || pick(t, updated, "rule", "enabled") != true {
		t.Errorf("update: %v %s", updated, codes)
	}
	for what, source := range map[string]string{"another rule's id": strings.Replace(draftRule, "5f0c1a4e", "00000000", 1), "no rule": "title: x"} {
		if _, codes := mutate(t, r, admin, "ruleUpdate", "RuleUpdateInput", "rule { version }", map[string]any{"id": id, "source": source}); codes != "BAD_INPUT" {
			t.Errorf("%s: %q", what, codes)
		}
	}
	rule := ask(`query($id: ID!) { rule(id: $id) { versions(first: 5) { nodes { version source } } journal(first: 9) { nodes { action } } } }`, map[string]any{"id": id})
	if pick(t, rule, "versions", "nodes", 0, "source") != changed || pick(t, rule, "versions", "nodes", 1, "source") != draftRule || pick(t, rule, "journal", "nodes", 0, "action") != "rule.update" {
		t.Errorf("versions: %v", rule)
	}

	files := []map[string]any{{"path": "a.yml", "source": draftRule}, {"path": "b.yml", "source": draftRule}, {"path": "c.yml", "source": "title: ["}, {"path": "d.yml", "source": strings.Replace(draftRule, "5f0c1a4e", "5f0c1a4f", 1)}}
	report, codes := mutate(t, r, admin, "ruleImport", "RuleImportInput", "added updated unchanged refused { path message }", map[string]any{"files": files, "enable": true})
	refused, _ := report["refused"].([]any)
	if codes != "" || report["added"] != 1.0 || report["updated"] != 1.0 || len(refused) != 2 {
		t.Errorf("import: %v %s", report, codes)
	}
	coverage := ask(`{ attackCoverage { version tactics { id techniques { id name rules enabled alerts } } } }`, nil)
	seen := false
	tactics, _ := coverage["tactics"].([]any)
	for _, tactic := range tactics {
		techniques, _ := pick(t, tactic, "techniques").([]any)
		for _, c := range techniques {
			if pick(t, c, "id") == "T1033" {
				enabled, _ := pick(t, c, "enabled").(float64)
				seen = enabled >= 2 && pick(t, c, "alerts") == 1.0 && pick(t, c, "name") == "System Owner/User Discovery"
			}
		}
	}
	if !seen {
		t.Error("the coverage does not show the rule and its alert")
	}
	times := ask(`{ alertTimes { acknowledged { count meanSeconds } resolved { count medianSeconds } } }`, nil)
	if pick(t, times, "acknowledged", "count") != 0.0 {
		t.Errorf("waiting times: %v", times)
	}
}
