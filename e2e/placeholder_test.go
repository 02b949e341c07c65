package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// A rule that waits for a list of values begins to run on every replica when an
// administrator gives it one, and stops when the list goes.
func TestPlaceholdersReachEveryReplica(t *testing.T) {
	dsn, redis := dbtest.DSN(t), startRedis(t).URL()
	cfg := config(t, dsn, redis)
	channel := cfg.RedisChannel
	a := startReplica(t, cfg)
	cfg = config(t, dsn, redis)
	cfg.RedisChannel = channel
	b := startReplica(t, cfg)
	admin, ana := login(t, a.URL(), "admin", testPassword), userToken(t, a, "ana", monitor.RoleAnalyst)
	token := ingestToken(t, b)

	rule := strings.Replace(draftRule, "    condition:", "        Computer|expand: '%Test_Hosts%'\n    condition:", 1)
	if rule == draftRule {
		t.Fatal("the draft has another form")
	}
	files := []map[string]any{{"path": "a.yml", "source": rule + "---\n" + strings.NewReplacer("5f0c1a4e", "5f0c1a4f", "Test_Hosts", "Others").Replace(rule)}}
	report, codes := mutate(t, a, admin, "ruleImport", "RuleImportInput", "added inactive { path message } refused { message } converted { message }", map[string]any{"files": files, "enable": true})
	if codes != "" || report["added"] != 2.0 || len(report["inactive"].([]any)) != 2 || !strings.Contains(pick(t, report, "inactive", 0, "message").(string), "%Test_Hosts%") {
		t.Fatalf("import: %v %s", report, codes)
	}
	fires := func(r *replica, host string) bool {
		t.Helper()
		if code, body := sendEvents(t, r.URL(), token, []byte(whoami(host))); code != 200 {
			t.Fatal(code, body)
		}
		var data struct{ Alerts struct{ TotalCount int } }
		post(t, r.URL(), admin, `query($h: String!) { alerts(first: 1, filter: {host: {eq: $h}, title: {eq: "Whoami by a Web Server"}}) { totalCount } }`, map[string]any{"h": host}, &data)
		return data.Alerts.TotalCount > 0
	}
	states := func() string {
		t.Helper()
		var data struct {
			Rules struct {
				Nodes []struct{ State, StateReason string }
			}
		}
		post(t, b.URL(), admin, `{ rules(first: 5, filter: {title: {eq: "Whoami by a Web Server"}}) { nodes { state stateReason } } }`, nil, &data)
		var all []string
		for _, rule := range data.Rules.Nodes {
			all = append(all, rule.State+" "+rule.StateReason)
		}
		slices.Sort(all)
		return strings.Join(all, "; ")
	}
	const waits = "INACTIVE the placeholder %Others% needs a list of values in the settings"
	if fires(a, "web-1") || fires(b, "web-2") || !strings.HasPrefix(states(), waits) {
		t.Fatalf("before there is a list: %s", states())
	}

	update := func(input map[string]any) (map[string]any, string) {
		t.Helper()
		return mutate(t, a, admin, "placeholderUpdate", "PlaceholderUpdateInput", "placeholder { name values version }", input)
	}
	p, codes := update(map[string]any{"name": "test_hosts", "values": []string{"web-*"}, "expectedVersion": 0})
	if codes != "" || pick(t, p, "placeholder", "version") != 1.0 || pick(t, p, "placeholder", "values", 0) != "web-*" {
		t.Fatalf("%v %s", p, codes)
	}
	for i, r := range []*replica{a, b} {
		eventually(t, "the rule with a list fires", func() bool { return fires(r, fmt.Sprintf("web-with-%d", i)) })
		if fires(r, fmt.Sprintf("db-%d", i)) {
			t.Error("it fires on a host that is not in the list")
		}
	}
	if got := states(); got != "ACTIVE ; "+waits {
		t.Errorf("with the list of one rule: %s", got)
	}
	for _, wrong := range []struct {
		input map[string]any
		code  string
	}{
		{map[string]any{"name": "Test_Hosts", "values": []string{"x"}, "expectedVersion": 0}, "CONFLICT"},
		{map[string]any{"name": "%Test%", "values": []string{"x"}}, "BAD_INPUT"},
		{map[string]any{"name": "Empty", "values": []string{}}, "BAD_INPUT"},
	} {
		if _, codes := update(wrong.input); codes != wrong.code {
			t.Errorf("%v: %q, want %s", wrong.input, codes, wrong.code)
		}
	}
	if code := post(t, a.URL(), ana, `mutation { placeholderUpdate(input: {name: "X", values: ["x"]}) { errors { code } } }`, nil, nil).code(); code != "FORBIDDEN" {
		t.Errorf("an analyst sets a list: %q", code)
	}

	if _, codes := mutate(t, a, admin, "placeholderDelete", "PlaceholderDeleteInput", "placeholder { name }", map[string]any{"name": "TEST_HOSTS", "expectedVersion": 1}); codes != "" {
		t.Errorf("delete: %s", codes)
	}
	for i, r := range []*replica{a, b} {
		n := 0
		eventually(t, "no rule runs without its list", func() bool { n++; return !fires(r, fmt.Sprintf("web-without-%d-%d", i, n)) })
	}
	if got := states(); !strings.Contains(got, "INACTIVE the placeholder %Test_Hosts%") {
		t.Errorf("without a list: %s", got)
	}
	if _, codes := mutate(t, a, admin, "placeholderDelete", "PlaceholderDeleteInput", "placeholder { name }", map[string]any{"name": "Test_Hosts"}); codes != "NOT_FOUND" {
		t.Errorf("delete once more: %s", codes)
	}
}
