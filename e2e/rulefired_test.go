package e2e

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

const shopRule = `title: Shop login %[1]s
name: shop_login
id: 6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a90
author: Author %[1]s
description: Text %[1]s
references: [https://example.com/%[1]s]
falsepositives: [Harmless %[1]s]
fields: [field_%[1]s]
logsource: {product: shop}
detection: {selection: {event: login}, condition: selection}
level: low
tags: [attack.t1110]
`

func shopLogin(host string) string {
	return fmt.Sprintf(`{"product":"shop","event":"login","host":%q,"user":"ana","field_one":"1","field_two":"2"}`, host)
}

func importRule(t *testing.T, r *replica, source string, enable bool) {
	t.Helper()
	report, err := app.ImportRules(t.Context(), r.Store, fstest.MapFS{"r.yml": {Data: []byte(source)}}, monitor.SystemActor, enable)
	if err != nil || len(report.Refused) > 0 {
		t.Fatal(err, report)
	}
}

// What an alert says of its rule is what the rule said when it fired, whatever has
// become of it since; and each match says by which version.
func TestAlertKeepsTheRuleThatFired(t *testing.T) {
	t.Parallel()
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	vera, token := userToken(t, r, "vera", monitor.RoleViewer), ingestToken(t, r)
	id := monitor.GlobalID(monitor.KindRule, "6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a90")
	runs := func(version int) {
		t.Helper()
		eventually(t, "the rule to run", func() bool {
			var data struct {
				Rule *struct {
					Version int
					Health  string
				}
			}
			post(t, r.URL(), vera, `query($id: ID!) { rule(id: $id) { version health } }`, map[string]any{"id": id}, &data)
			return data.Rule != nil && data.Rule.Version == version && data.Rule.Health == "RUNNING"
		})
	}
	send := func(hosts ...string) {
		t.Helper()
		for _, host := range hosts {
			if code, body := sendEvents(t, r.URL(), token, []byte(shopLogin(host))); code != 200 {
				t.Fatal(code, body)
			}
		}
	}
	importRule(t, r, fmt.Sprintf(shopRule, "one"), true)
	runs(1)
	send("old")
	importRule(t, r, fmt.Sprintf(shopRule, "two"), true)
	runs(2)
	send("old", "new")
	type shown struct{ Field, Value string }
	var data struct {
		Alerts struct {
			Nodes []struct {
				Host        string
				RuleVersion int
				FiredRule   struct {
					Version                            int
					Title, Author, Description, Level  string
					References, FalsePositives, Fields []string
					Source                             string
				}
				Rule     struct{ References []string }
				Evidence struct {
					Nodes []struct {
						RuleVersion int
						Shown       []shown
						Matched     []struct{ Field, Value string }
					}
				}
			}
		}
	}
	post(t, r.URL(), vera, `{ alerts(first: 10, orderBy: CREATED_AT_DESC, filter: {host: {in: ["old", "new"]}}) { nodes { host ruleVersion rule { references }
		firedRule { version title author description level references falsePositives fields source }
		evidence(first: 5) { nodes { ruleVersion shown { field value } matched { field value } } } } } }`, nil, &data)
	if len(data.Alerts.Nodes) != 2 {
		t.Fatalf("%+v", data)
	}
	for i, word := range []string{"two", "one"} {
		alert := data.Alerts.Nodes[i]
		fired := alert.FiredRule
		if alert.RuleVersion != 2-i || fired.Version != 2-i || fired.Title != "Shop login "+word || fired.Author != "Author "+word || fired.Description != "Text "+word || fired.Level != "LOW" ||
			fmt.Sprint(fired.References, fired.FalsePositives, fired.Fields) != fmt.Sprintf("[https://example.com/%[1]s] [Harmless %[1]s] [field_%[1]s]", word) || !strings.Contains(fired.Source, "Author "+word) {
			t.Errorf("%s: %+v", alert.Host, fired)
		}
		if fmt.Sprint(alert.Rule.References) != "[https://example.com/two]" {
			t.Errorf("the rule as it is: %+v", alert.Rule)
		}
	}
	// The open alert took in what the second version found.
	old := data.Alerts.Nodes[1].Evidence.Nodes
	if len(old) != 2 || old[0].RuleVersion != 2 || old[1].RuleVersion != 1 || fmt.Sprint(old[0].Shown, old[1].Shown) != "[{field_two 2}] [{field_one 1}]" || fmt.Sprint(old[1].Matched) != "[{event login}]" {
		t.Errorf("evidence: %+v", old)
	}
}

// A backtest finds what the rule would have done: filters in force take part, what
// suppressions hide is told. Coverage counts neither filters nor what only feeds
// correlations, and lists find the busy and the harmless.
func TestBacktestAndCoverageAreAsTheEngineRuns(t *testing.T) {
	t.Parallel()
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	ana, token := userToken(t, r, "ana", monitor.RoleAnalyst), ingestToken(t, r)
	importRule(t, r, "title: The lab\nid: 6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a91\nlogsource: {product: shop}\ntags: [attack.t1110]\nfilter: {rules: [shop_login, other], selection: {host: lab}, condition: not selection}\n", true)
	importRule(t, r, "title: Many logins\nid: 6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a92\ntags: [attack.t1110]\ncorrelation: {type: event_count, rules: [shop_fed], group-by: [user], timespan: 5m, condition: {gte: 50}}\n", true)
	importRule(t, r, strings.NewReplacer("shop_login", "shop_fed", "8a90", "8a93").Replace(fmt.Sprintf(shopRule, "fed")), true)
	importRule(t, r, fmt.Sprintf(shopRule, "one"), true)
	rule := monitor.GlobalID(monitor.KindRule, "6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a90")
	var lines []string
	for _, host := range []string{"shop-1", "shop-2", "shop-3", "lab", "lab"} {
		lines = append(lines, shopLogin(host))
	}
	coverage := func() (rules, enabled int) {
		t.Helper()
		var data struct {
			AttackCoverage struct {
				Version string
				Tactics []struct {
					Techniques []struct {
						ID             string
						Rules, Enabled int
					}
				}
			}
		}
		post(t, r.URL(), ana, `{ attackCoverage { version tactics { techniques { id rules enabled } } } }`, nil, &data)
		for _, tactic := range data.AttackCoverage.Tactics {
			for _, technique := range tactic.Techniques {
				if technique.ID == "T1110" {
					return technique.Rules, technique.Enabled
				}
			}
		}
		return 0, 0
	}
	var bare int // of the starter pack
	{
		var data struct{ Rules struct{ TotalCount int } }
		post(t, r.URL(), ana, `{ rules(first: 1, filter: {kind: {eq: DETECTION}, techniques: {hasAny: ["T1110", "T1110.001", "T1110.003"]}}) { totalCount } }`, nil, &data)
		bare = data.Rules.TotalCount - 2 // the two of here
	}
	eventually(t, "coverage without what is silent", func() bool { rules, _ := coverage(); return rules >= 2 && rules <= bare+2 })
	importRule(t, r, "title: Many logins, told\nid: 6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a94\ncorrelation: {type: event_count, rules: [shop_fed], group-by: [user], timespan: 5m, condition: {gte: 60}, generate: true}\n", true)
	before, _ := coverage()
	eventually(t, "the rule counts once a correlation generates", func() bool { rules, _ := coverage(); return rules == before+1 || rules > bare+2 })

	if code, body := sendEvents(t, r.URL(), token, []byte(strings.Join(lines, "\n"))); code != 200 {
		t.Fatal(code, body)
	}
	input := map[string]any{"source": fmt.Sprintf(shopRule, "one"), "from": time.Now().Add(-24 * time.Hour).Format(time.RFC3339)}
	query := strings.Replace(backtestQuery, "backtest { ", "backtest { suppressed filters { title } ", 1)
	begun := func() (found struct {
		Job struct {
			State, Message string
			Backtest       struct {
				Tried, Matched, Alerts, Suppressed int
				Filters                            []struct{ Title string }
			}
		}
	},
	) {
		t.Helper()
		var job struct {
			RuleBacktest struct{ Job struct{ ID string } }
		}
		post(t, r.URL(), ana, beginBacktest, map[string]any{"i": input}, &job)
		eventually(t, "the backtest to end", func() bool {
			post(t, r.URL(), ana, query, map[string]any{"id": job.RuleBacktest.Job.ID}, &found)
			return found.Job.State == "DONE"
		})
		return found
	}
	if b := begun().Job.Backtest; b.Tried != 5 || b.Matched != 3 || b.Alerts != 3 || b.Suppressed != 0 || len(b.Filters) != 1 || b.Filters[0].Title != "The lab" {
		t.Errorf("with a filter in force: %+v", b)
	}
	if _, codes := mutate(t, r, ana, "suppressionCreate", "SuppressionCreateInput", "suppression { id }", map[string]any{
		"name": "Known", "reason": "known", "rules": []string{rule}, "alertFilter": map[string]any{"query": "host:shop-3"},
	}); codes != "" {
		t.Fatal(codes)
	}
	if job := begun().Job; job.Backtest.Matched != 3 || job.Backtest.Alerts != 2 || job.Backtest.Suppressed != 1 || !strings.Contains(job.Message, "suppressions hide 1") {
		t.Errorf("with a suppression in force: %+v", job)
	}
	var tried struct {
		RuleTest struct {
			Matched int
			Filters []struct{ Title string }
		}
	}
	post(t, r.URL(), ana, `query($s: String!, $r: String) { ruleTest(source: $s, records: $r) { matched filters { title } } }`,
		map[string]any{"s": fmt.Sprintf(shopRule, "one"), "r": strings.Join(lines, "\n")}, &tried)
	if tried.RuleTest.Matched != 3 || len(tried.RuleTest.Filters) != 1 {
		t.Errorf("a test on records: %+v", tried)
	}

	// By how many alerts, and by how many of the closed ones were harmless.
	other := monitor.GlobalID(monitor.KindRule, "6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a93")
	var alerts struct {
		Alerts struct {
			Nodes []struct {
				ID, Host string
				Rule     struct{ ID string }
			}
		}
	}
	post(t, r.URL(), ana, `{ alerts(first: 50) { nodes { id host rule { id } } } }`, nil, &alerts)
	for _, alert := range alerts.Alerts.Nodes {
		disposition := map[string]string{rule + "shop-1": "FALSE_POSITIVE", rule + "shop-2": "TRUE_POSITIVE", other + "lab": "BENIGN"}[alert.Rule.ID+alert.Host]
		if disposition == "" {
			continue
		}
		if _, codes := mutate(t, r, ana, "alertClose", "AlertCloseInput", "alert { id }", map[string]any{"id": alert.ID, "disposition": disposition, "reason": "x"}); codes != "" {
			t.Fatal(codes)
		}
	}
	first := func(order string) string {
		t.Helper()
		var data struct {
			Rules struct{ Nodes []struct{ ID string } }
		}
		post(t, r.URL(), ana, `query($o: RuleOrder) { rules(first: 2, orderBy: $o, filter: {product: {eq: "shop"}}) { nodes { id } } }`, map[string]any{"o": order}, &data)
		if len(data.Rules.Nodes) != 2 {
			t.Fatalf("%s: %+v", order, data)
		}
		return data.Rules.Nodes[0].ID
	}
	if first("ALERTS") != other || first("FALSE_POSITIVES") != other {
		t.Errorf("by alerts %s, by harmless ones %s; want %s", first("ALERTS"), first("FALSE_POSITIVES"), other)
	}
}

// A change of a rule, a match of a draft and a suppression are on the other replica
// soon: how soon is logged, and stands in docs/evidence.md.
func TestChangesReachTheOtherReplicaSoon(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	a, b := startReplica(t, cfg), startReplica(t, cfg)
	admin, token := userToken(t, a, "ada", monitor.RoleAdmin), ingestToken(t, a)
	id := monitor.GlobalID(monitor.KindRule, "6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a90")
	measured := map[string][]time.Duration{}
	const rounds = 10
	took := func(what string, change func(), there func() bool) {
		t.Helper()
		begun := time.Now()
		change()
		committed := time.Now()
		eventually(t, what, there)
		measured[what] = append(measured[what], time.Since(committed))
		if since := time.Since(begun); since > 10*time.Second {
			t.Errorf("%s took %s", what, since)
		}
	}
	for round := range rounds {
		took("rule", func() { importRule(t, a, fmt.Sprintf(shopRule, fmt.Sprintf("v%d", round)), true) }, func() bool {
			var data struct {
				Rule *struct {
					Version int
					Health  string
				}
			}
			post(t, b.URL(), admin, `query($id: ID!) { rule(id: $id) { version health } }`, map[string]any{"id": id}, &data)
			return data.Rule != nil && data.Rule.Version == round+1 && data.Rule.Health == "RUNNING"
		})
	}
	if code, body := sendEvents(t, b.URL(), token, []byte(shopLogin("known"))); code != 200 {
		t.Fatal(code, body)
	}
	covered := func() int {
		var data struct {
			Alerts struct {
				Nodes []struct{ Suppressions []struct{ ID string } }
			}
		}
		post(t, b.URL(), admin, `{ alerts(first: 1, filter: {host: {eq: "known"}}) { nodes { suppressions { id } } } }`, nil, &data)
		if len(data.Alerts.Nodes) == 0 {
			t.Fatal("the changed rule did not fire on the other replica")
		}
		return len(data.Alerts.Nodes[0].Suppressions)
	}
	for range rounds {
		var made any
		took("suppression made", func() {
			p, codes := mutate(t, a, admin, "suppressionCreate", "SuppressionCreateInput", "suppression { id }", map[string]any{"name": "Known", "reason": "known", "alertFilter": map[string]any{"query": "host:known"}})
			if codes != "" {
				t.Fatal(codes)
			}
			made = pick(t, p, "suppression", "id")
		}, func() bool { return covered() == 1 })
		took("suppression ended", func() {
			if _, codes := mutate(t, a, admin, "suppressionDelete", "SuppressionDeleteInput", "suppression { id }", map[string]any{"id": made}); codes != "" {
				t.Fatal(codes)
			}
		}, func() bool { return covered() == 0 })
	}
	s := subscribed(t, b, admin, `subscription($s: String!) { ruleMatches(source: $s) { matched matches { event { host } } } }`, map[string]any{"s": fmt.Sprintf(shopRule, "draft")})
	for round := range rounds {
		host := fmt.Sprintf("live-%d", round)
		took("match of a draft", func() {
			if code, body := sendEvents(t, a.URL(), token, []byte(shopLogin(host))); code != 200 {
				t.Fatal(code, body)
			}
		}, func() bool {
			type batch struct {
				Matches []struct{ Event struct{ Host string } }
			}
			for _, m := range read[batch](t, s, "ruleMatches").Matches {
				if m.Event.Host == host {
					return true
				}
			}
			return false
		})
	}
	for what, all := range measured {
		var most, sum time.Duration
		for _, each := range all {
			most, sum = max(most, each), sum+each
		}
		t.Logf("%s: mean %s, longest %s, of %d", what, (sum / time.Duration(len(all))).Round(time.Millisecond), most.Round(time.Millisecond), len(all))
	}
}

// As many drafts as may be watched, each of them slow, keep no event from being
// stored; what they had no time for is counted. How much the ingest slows is logged.
func TestSlowDraftsDoNotStopTheIngest(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	vera, token := userToken(t, r, "vera", monitor.RoleViewer), ingestToken(t, r)
	const records, requests = 100, 10
	line := fmt.Sprintf(`{"product":"shop","event":"login","host":"h","text":%q}`, strings.Repeat("abcabd ", 600))
	body := []byte(strings.Repeat(line+"\n", records))
	ingested := func() time.Duration {
		t.Helper()
		begun := time.Now()
		for range requests {
			if code, answer := sendEvents(t, r.URL(), token, body); code != 200 {
				t.Fatal(code, answer)
			}
		}
		return time.Since(begun)
	}
	ingested() // once, so that both are of a server that is warm
	alone := ingested()
	slow := func(n int) string {
		var list strings.Builder
		for i := range 100 {
			fmt.Fprintf(&list, "\n      - '(a|b|ab|ba|c)*(d|e)?[^z]{1,40}z%d'", i)
		}
		return fmt.Sprintf("title: Slow %d\nlogsource: {product: shop}\ndetection:\n  s:\n    text|re:%s\n  condition: s\nlevel: low\n", n, list.String())
	}
	s := subscribed(t, r, vera, `subscription($s: String!) { ruleMatches(source: $s) { tried skipped } }`, map[string]any{"s": slow(0)})
	for n := 1; n < monitor.MaxWatchedRules; n++ {
		one := subscribed(t, r, vera, `subscription($s: String!) { ruleMatches(source: $s) { tried skipped } }`, map[string]any{"s": slow(n)})
		go func() { // its messages are read, or it would be slow for another reason
			for {
				if _, err := one.next(); err != nil {
					return
				}
			}
		}()
	}
	beside := ingested()
	tried, skipped := 0, 0
	for tried+skipped < records*requests {
		b := read[struct{ Tried, Skipped int }](t, s, "ruleMatches")
		tried, skipped = tried+b.Tried, skipped+b.Skipped
	}
	if tried+skipped != records*requests {
		t.Errorf("%d events were tried and %d left out, of %d", tried, skipped, records*requests)
	}
	t.Logf("%d events: %s alone, %s beside %d slow drafts; the first of them tried %d and left out %d", records*requests, alone.Round(time.Millisecond), beside.Round(time.Millisecond), monitor.MaxWatchedRules, tried, skipped)
}
