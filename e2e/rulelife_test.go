package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

type backtestAnswer struct {
	Job struct {
		ID, Kind, State, Message string
		Done, Total              int
		Backtest                 *struct {
			Tried, Matched, Unreadable, Alerts int
			Complete, AlertsAreMore            bool
			Histogram                          struct{ Total int }
			Hosts                              struct {
				Values []struct {
					Value string
					Count int
				}
			}
			Matches []struct {
				Matches bool
				Fields  []struct{ Field, Value string }
				Event   *struct{ Host string }
			}
		}
	}
}

const backtestQuery = `query($id: ID!) { job(id: $id) { id kind state message done total backtest { tried matched unreadable alerts complete alertsAreMore
	histogram { total } hosts { values { value count } } matches { matches fields { field value } event { host } } } } }`

const beginBacktest = `mutation($i: RuleBacktestInput!) { ruleBacktest(input: $i) { job { id } errors { code message } } }`

// backtested begins a backtest and waits until it has ended.
func backtested(t *testing.T, r *replica, bearer string, input map[string]any) (got backtestAnswer) {
	t.Helper()
	var begun struct {
		RuleBacktest struct {
			Job    *struct{ ID string }
			Errors []struct{ Code, Message string }
		}
	}
	post(t, r.URL(), bearer, beginBacktest, map[string]any{"i": input}, &begun)
	if begun.RuleBacktest.Job == nil {
		t.Fatalf("no backtest: %+v", begun)
	}
	eventually(t, "the backtest to end", func() bool {
		post(t, r.URL(), bearer, backtestQuery, map[string]any{"id": begun.RuleBacktest.Job.ID}, &got)
		return got.Job.State != "RUNNING"
	})
	return got
}

// An analyst tries a draft on all that is stored; an administrator stores it, enables
// it, and can tell drafts from what was enabled once, and who wrote which version.
func TestDraftIsBacktestedAndEnabled(t *testing.T) {
	t.Parallel()
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin, ana, viewer := userToken(t, r, "ada", monitor.RoleAdmin), userToken(t, r, "ana", monitor.RoleAnalyst), userToken(t, r, "vera", monitor.RoleViewer)
	token := ingestToken(t, r)
	var lines []string
	for i := range 1_203 { // three pages
		lines = append(lines, whoami(fmt.Sprintf("web-%d", i%3)))
	}
	for range 40 {
		lines = append(lines, `{"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Image": "C:\\a.exe"}`)
	}
	if code, body := sendEvents(t, r.URL(), token, []byte(strings.Join(lines, "\n"))); code != 200 {
		t.Fatal(code, body)
	}
	yesterday := time.Now().Add(-24 * time.Hour).Format(time.RFC3339)
	input := map[string]any{"source": draftRule, "from": yesterday}
	if a := post(t, r.URL(), viewer, beginBacktest, map[string]any{"i": input}, nil); a.code() != "FORBIDDEN" {
		t.Errorf("a viewer begins a backtest: %+v", a)
	}
	got := backtested(t, r, ana, input)
	b := got.Job.Backtest
	if got.Job.State != "DONE" || got.Job.Kind != "RULE_BACKTEST" || got.Job.Done != got.Job.Total || got.Job.Total == 0 {
		t.Errorf("job: %+v", got.Job)
	}
	if b == nil || b.Tried != 1_243 || b.Matched != 1_203 || !b.Complete || b.Alerts != 3 || b.AlertsAreMore || b.Histogram.Total != 1_203 ||
		len(b.Hosts.Values) != 3 || b.Hosts.Values[0].Count != 401 || len(b.Matches) != monitor.MaxBacktestShown {
		t.Fatalf("backtest: %+v", b)
	}
	if m := b.Matches[0]; !m.Matches || m.Event == nil || !strings.HasPrefix(m.Event.Host, "web-") || len(m.Fields) == 0 || m.Fields[0].Field != "Image" {
		t.Errorf("first match: %+v", m)
	}
	narrowed := backtested(t, r, ana, map[string]any{"source": draftRule, "from": yesterday, "filter": map[string]any{"query": "host:web-1"}})
	if b := narrowed.Job.Backtest; b.Tried != 401 || b.Matched != 401 || b.Alerts != 1 {
		t.Errorf("narrowed: %+v", b)
	}
	for what, input := range map[string]map[string]any{
		"no rule":      {"source": "title: x", "from": yesterday},
		"ends before":  {"source": draftRule, "from": yesterday, "to": "2020-01-01T00:00:00Z"},
		"too long":     {"source": draftRule, "from": "2020-01-01T00:00:00Z"},
		"wrong filter": {"source": draftRule, "from": yesterday, "filter": map[string]any{"query": "nofield:("}},
	} {
		var refused struct {
			RuleBacktest struct {
				Job    *struct{ ID string }
				Errors []struct{ Code string }
			}
		}
		post(t, r.URL(), ana, beginBacktest, map[string]any{"i": input}, &refused)
		if p := refused.RuleBacktest; p.Job != nil || len(p.Errors) != 1 || p.Errors[0].Code != "BAD_INPUT" {
			t.Errorf("%s: %+v", what, p)
		}
	}

	stage := func(id any) (stage, health string) {
		t.Helper()
		var rule struct {
			Rule struct{ Stage, Health string }
		}
		post(t, r.URL(), viewer, `query($id: ID!) { rule(id: $id) { stage health } }`, map[string]any{"id": id}, &rule)
		return rule.Rule.Stage, rule.Rule.Health
	}
	created, codes := mutate(t, r, admin, "ruleCreate", "RuleCreateInput", "rule { id }", map[string]any{"source": draftRule})
	if codes != "" {
		t.Fatal(codes)
	}
	id := pick(t, created, "rule", "id")
	listed := func(which string) bool {
		t.Helper()
		var list struct {
			Rules struct{ Nodes []struct{ ID string } }
		}
		post(t, r.URL(), viewer, `query($f: RuleFilter) { rules(filter: $f, first: 500) { nodes { id } } }`,
			map[string]any{"f": map[string]any{"stage": map[string]any{"eq": which}}}, &list)
		for _, rule := range list.Rules.Nodes {
			if rule.ID == id {
				return true
			}
		}
		return false
	}
	if s, h := stage(id); s != "DRAFT" || h != "OFF" || !listed("DRAFT") || listed("DISABLED") || listed("ENABLED") {
		t.Errorf("new: %s %s", s, h)
	}
	if _, codes := mutate(t, r, admin, "ruleEnable", "RuleEnableInput", "rule { id }", map[string]any{"id": id}); codes != "" {
		t.Fatal(codes)
	}
	eventually(t, "the rule to run", func() bool { s, h := stage(id); return s == "ENABLED" && h == "RUNNING" })
	if listed("DRAFT") || !listed("ENABLED") {
		t.Error("an enabled rule is listed as a draft")
	}
	for range 3 { // one of 64 events is measured
		sendEvents(t, r.URL(), token, []byte(strings.Join(lines[:300], "\n")))
	}
	var slow struct {
		Rules struct {
			Nodes []struct {
				ID   string
				Cost *struct {
					NanosecondsPerEvent float64
					Events, Tried, Hits int
				}
			}
		}
	}
	post(t, r.URL(), viewer, `{ rules(orderBy: COST, first: 100) { nodes { id cost { nanosecondsPerEvent events tried hits } } } }`, nil, &slow)
	found := false
	for i, rule := range slow.Rules.Nodes {
		if rule.Cost == nil || i > 0 && rule.Cost.NanosecondsPerEvent > slow.Rules.Nodes[i-1].Cost.NanosecondsPerEvent {
			t.Fatalf("place %d of the slowest: %+v", i, rule)
		}
		found = found || rule.ID == id && rule.Cost.Hits > 0 && rule.Cost.NanosecondsPerEvent > 0
	}
	if !found {
		t.Errorf("the rule has no cost: %+v", slow.Rules.Nodes)
	}
	if _, codes := mutate(t, r, admin, "ruleDisable", "RuleDisableInput", "rule { id }", map[string]any{"id": id}); codes != "" {
		t.Fatal(codes)
	}
	if s, h := stage(id); s != "DISABLED" || h != "OFF" || listed("DRAFT") || !listed("DISABLED") {
		t.Errorf("disabled: %s %s", s, h)
	}
	var versions struct {
		Rule struct {
			Versions struct {
				Nodes []struct {
					CreatedBy *struct{ Name string }
				}
			}
		}
	}
	post(t, r.URL(), viewer, `query($id: ID!) { rule(id: $id) { versions(first: 5) { nodes { createdBy { name } } } } }`, map[string]any{"id": id}, &versions)
	if by := versions.Rule.Versions.Nodes[0].CreatedBy; by == nil || by.Name != "ada" {
		t.Errorf("written by %+v", by)
	}
}

// A backtest whose server has died is gone on with by another, where it was.
func TestBacktestOutlivesItsServer(t *testing.T) {
	t.Parallel()
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r := startReplica(t, cfg)
	if code, body := sendEvents(t, r.URL(), ingestToken(t, r), []byte(whoami("web-1")+"\n"+whoami("web-2"))); code != 200 {
		t.Fatal(code, body)
	}
	now := time.Now().UTC()
	spec := monitor.BacktestSpec{Source: draftRule, Filter: []byte("{}"), From: now.Add(-time.Hour), To: now.Add(time.Hour)}
	job, err := r.Store.CreateBacktest(t.Context(), monitor.SystemActor, spec) // nobody works on it
	if err != nil {
		t.Fatal(err)
	}
	b := &monitor.Backtest{Job: job.ID, Spec: spec, Tried: 1_000, Matched: 10}
	if job, err = r.Store.SaveBacktest(t.Context(), b, func(j *monitor.Job) { j.Done = 7 }); err != nil || job.Done != 7 {
		t.Fatal(job, err)
	}
	r.GoOnWith(job)
	kept, err := r.Store.BacktestsByJob(t.Context(), []monitor.ID{job.ID})
	if err != nil || len(kept) != 1 || kept[0].Tried != 1_002 || kept[0].Matched != 12 || !kept[0].Complete {
		t.Fatalf("it does not go on where it was: %+v %v", kept, err)
	}
	cancelled, err := r.Store.CreateBacktest(t.Context(), monitor.SystemActor, spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Store.CancelJob(t.Context(), monitor.SystemActor, cancelled.ID); err != nil {
		t.Fatal(err)
	}
	job, err = r.Store.SaveBacktest(t.Context(), &monitor.Backtest{Job: cancelled.ID, Tried: 5}, func(j *monitor.Job) { j.State = monitor.JobDone })
	if err != nil || job.State != monitor.JobCancelled {
		t.Errorf("a cancelled backtest ended as %+v %v", job, err)
	}
	if kept, _ = r.Store.BacktestsByJob(t.Context(), []monitor.ID{cancelled.ID}); len(kept) != 1 || kept[0].Tried != 0 {
		t.Errorf("a cancelled backtest went on: %+v", kept)
	}
}

// Whoever writes a rule sees what it would fire on as it comes in, before it is
// stored, and how much was looked at.
func TestDraftShowsItsMatchesAsTheyComeIn(t *testing.T) {
	t.Parallel()
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	vera := userToken(t, r, "vera", monitor.RoleViewer)
	const query = `subscription($s: String!) { ruleMatches(source: $s) { cursor tried skipped matched matches { matches fields { field value } event { host } } } }`
	s := subscribed(t, r, vera, query, map[string]any{"s": draftRule})
	records := []string{whoami("web-1"), whoami("web-2")}
	for range monitor.MaxWatchedShown {
		records = append(records, whoami("web-3"))
	}
	for range monitor.MaxWatchedEvents {
		records = append(records, `{"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Image": "C:\\a.exe"}`)
	}
	if code, body := sendEvents(t, r.URL(), ingestToken(t, r), []byte(strings.Join(records, "\n"))); code != 200 {
		t.Fatal(code, body)
	}
	type batch struct {
		Cursor                  string
		Tried, Skipped, Matched int
		Matches                 []struct {
			Matches bool
			Fields  []struct{ Field, Value string }
			Event   struct{ Host string }
		}
	}
	var sum batch
	for sum.Tried+sum.Skipped < len(records) {
		b := read[batch](t, s, "ruleMatches")
		if b.Tried > monitor.MaxWatchedEvents || len(b.Matches) > monitor.MaxWatchedShown || b.Cursor == "" {
			t.Errorf("beyond the bounds: %d tried, %d shown", b.Tried, len(b.Matches))
		}
		sum.Tried, sum.Skipped, sum.Matched, sum.Matches = sum.Tried+b.Tried, sum.Skipped+b.Skipped, sum.Matched+b.Matched, append(sum.Matches, b.Matches...)
	}
	if sum.Matched != monitor.MaxWatchedShown+2 || len(sum.Matches) < monitor.MaxWatchedShown || sum.Matches[0].Event.Host != "web-1" || sum.Matches[0].Fields[0].Field != "Image" {
		t.Errorf("%d tried, %d skipped, %d matched, %d shown", sum.Tried, sum.Skipped, sum.Matched, len(sum.Matches))
	}
	broken, err := dial(t.Context(), r.URL(), vera)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broken.close)
	if err := broken.subscribe(query, map[string]any{"s": "title: x"}); err != nil {
		t.Fatal(err)
	}
	if m, err := broken.next(); err != nil || !strings.Contains(string(m.Payload), "BAD_INPUT") {
		t.Errorf("no rule: %s %s, %v", m.Type, m.Payload, err)
	}
}
