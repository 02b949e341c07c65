package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// The example of docs/correlations.md, over two replicas: the chain fires whichever
// replica an event comes to, its members stay silent, and the alert says which rule
// found which event. A correlation says why it does not run while a rule is missing.
func TestCorrelationFiresOverTwoReplicas(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/correlations.md")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	first := startReplica(t, cfg)
	cfg.DataDir = t.TempDir()
	second := startReplica(t, cfg)
	admin, token := userToken(t, first, "ada", monitor.RoleAdmin), ingestToken(t, first)

	sources := strings.Split(string(text), "```yaml\n")[1:]
	add := func(n int) any {
		source, _, _ := strings.Cut(sources[n], "```")
		created, codes := mutate(t, first, admin, "ruleCreate", "RuleCreateInput", "rule { id state }", map[string]any{"source": source, "enabled": true})
		if codes != "" {
			t.Fatal(codes)
		}
		return pick(t, created, "rule", "id")
	}
	reason := func(r *replica, id any) any {
		var data map[string]any
		post(t, r.URL(), admin, `query($id: ID!) { rule(id: $id) { healthReason } }`, map[string]any{"id": id}, &data)
		return pick(t, data, "rule", "healthReason")
	}
	last := add(3)
	eventually(t, "the reason why the correlation does not run", func() bool {
		return strings.Contains(fmt.Sprint(reason(second, last)), `the rule "many_failed_logins" that it counts is not there`)
	})
	for n := range 3 {
		add(n)
	}
	eventually(t, "all rules on both", func() bool { return reason(first, last) == nil && reason(second, last) == nil })

	for i := range 11 {
		id := 4625
		if i == 10 {
			id = 4624
		}
		record := fmt.Sprintf(`{"EventID": %d, "Channel": "Security", "Computer": "dc-1", "TargetUserName": "ana", "TargetDomainName": "CORP", "TimeCreated": "2026-05-04T09:30:%02dZ"}`, id, i)
		if code, body := sendEvents(t, []*replica{first, second}[i%2].URL(), token, []byte(record)); code != 200 {
			t.Fatal(code, body)
		}
	}
	var data map[string]any
	post(t, second.URL(), admin, `{ alerts(first: 50) { nodes { title count user members(first: 50) { nodes { rule { title } event { id } } } } } }`, nil, &data)
	var got []string
	for _, alert := range pick(t, data, "alerts", "nodes").([]any) {
		title := fmt.Sprint(pick(t, alert, "title"))
		if !strings.Contains(title, "ogin") {
			continue // of the starter pack
		}
		for _, member := range pick(t, alert, "members", "nodes").([]any) {
			title += fmt.Sprint(" < ", pick(t, member, "rule", "title"))
			if pick(t, member, "event", "id") == nil {
				t.Error("a member without its event")
			}
		}
		got = append(got, fmt.Sprint(title, " ", pick(t, alert, "count")))
	}
	want := "[Many failed logins, then one that succeeded (ana, corp)" + strings.Repeat(" < Failed login", 10) + " < Many failed logins < Successful login 2]"
	if fmt.Sprint(got) != want {
		t.Errorf("alerts are\n%v\nwant\n%s", got, want)
	}
}
