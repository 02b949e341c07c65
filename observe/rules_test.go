package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	rulesFile   = "../helm/security-monitor/files/alerts.yaml"
	runbookFile = "../docs/runbook.md"
	runbookURL  = "https://github.com/security-monitor/secmon/blob/main/docs/runbook.md#"
)

type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	if err := yaml.Unmarshal(text(t, rulesFile), &file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) < 50 {
		t.Fatalf("only %d rules", len(all))
	}
	return all
}

func alerts(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, r := range rules(t) {
		if r.Alert != "" {
			names = append(names, r.Alert)
		}
	}
	return names
}

// Whoever is woken finds what to do: each alert has an entry in the runbook, and
// no entry is about an alert that there is not.
func TestEveryAlertHasAnEntryInTheRunbook(t *testing.T) {
	entries := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^### (Secmon\w+)$`).FindAllStringSubmatch(string(text(t, runbookFile)), -1) {
		if entries[m[1]] {
			t.Errorf("%s has two entries", m[1])
		}
		entries[m[1]] = true
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		if !entries[r.Alert] {
			t.Errorf("%s has no entry in docs/runbook.md", r.Alert)
		}
		delete(entries, r.Alert)
		if want := runbookURL + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook_url is %q, want %q", r.Alert, r.Annotations["runbook_url"], want)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.For == "" {
			t.Errorf("%s needs a summary, a description and a time", r.Alert)
		}
		if s := r.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s: the severity is %q: page or ticket", r.Alert, s)
		}
	}
	for name := range entries {
		t.Errorf("the runbook's entry %s is about no alert", name)
	}
}

// Every metric that a rule asks for is one that the program shows, with those labels.
func TestRulesAskForMetricsThatThereAre(t *testing.T) {
	known := described(t)
	for _, r := range rules(t) {
		if r.Record != "" {
			known[r.Record] = []string{"namespace"}
		}
	}
	for _, r := range rules(t) {
		for _, problem := range unknown(r.Expr, known) {
			t.Errorf("%s%s: %s", r.Alert, r.Record, problem)
		}
	}
}

func TestUnknownMetricsAreFound(t *testing.T) {
	known := map[string][]string{"secmon_good_total": {"route"}, "secmon_time_seconds_bucket": {"le"}}
	for expr, want := range map[string]int{
		`rate(secmon_good_total{route="x"}[5m])`: 0, `secmon_time_seconds_bucket{le="1"}`: 0, `up`: 0,
		`secmon_bad_total`: 1, `secmon_good_total{path="x"}`: 1, `secmon_good_total_bucket`: 1, `sum(secmon:nothing:rate5m)`: 1, `made_up_metric{a="b"}`: 1,
	} {
		if got := unknown(expr, known); len(got) != want {
			t.Errorf("%s: %v, want %d", expr, got, want)
		}
	}
}

func text(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// promtool gives Prometheus's own checker, or skips the test.
func promtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("promtool is not installed")
	}
	t.Skip("promtool is not installed: run scripts/install-deps.sh promtool")
	return ""
}

func TestPromtoolAcceptsTheRules(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), promtool(t), "check", "rules", rulesFile).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// pod is where the series of the tests come from.
const pod = `namespace="n",pod="p",instance="p:9090",job="secmon"`

// healthy is a program on which all is well: 10 operations and 5 messages a second,
// 100 events. The numbers are per minute.
var healthy = map[string]string{
	`secmon_build_info{` + pod + `,version="1"}`:                                                       "1x520",
	`secmon_graphql_operations_total{` + pod + `,operation="A",type="query",code="OK"}`:                "0+600x520",
	`secmon_graphql_operations_total{` + pod + `,operation="A",type="query",code="INTERNAL"}`:          "0+0x520",
	`secmon_graphql_operation_seconds_count{` + pod + `,operation="A",type="query"}`:                   "0+600x520",
	`secmon_graphql_operation_seconds_bucket{` + pod + `,operation="A",type="query",le="0.2"}`:         "0+599x520",
	`secmon_http_requests_total{` + pod + `,route="export",status="200"}`:                              "0+60x520",
	`secmon_feed_delay_seconds_count{` + pod + `}`:                                                     "0+300x520",
	`secmon_feed_delay_seconds_bucket{` + pod + `,le="1"}`:                                             "0+299x520",
	`secmon_ingest_requests_total{` + pod + `,outcome="stored"}`:                                       "0+600x520",
	`secmon_ingest_requests_total{` + pod + `,outcome="failed"}`:                                       "0+0x520",
	`secmon_ingest_requests_total{` + pod + `,outcome="saturated"}`:                                    "0+0x520",
	`secmon_ingest_records_total{` + pod + `,format="evtx",product="windows"}`:                         "0+6000x520",
	`secmon_ingest_records_total{` + pod + `,format="journald",product="linux"}`:                       "0+60x520",
	`secmon_ingest_rejected_total{` + pod + `}`:                                                        "0+6x520",
	`secmon_dependency_up{` + pod + `,dependency="database"}`:                                          "1x520",
	`secmon_dependency_up{` + pod + `,dependency="redis"}`:                                             "1x520",
	`secmon_db_errors_total{` + pod + `,kind="other"}`:                                                 "0+0x520",
	`secmon_db_statement_seconds_bucket{` + pod + `,verb="SELECT",table="alerts",le="0.1"}`:            "0+600x520",
	`secmon_db_statement_seconds_bucket{` + pod + `,verb="SELECT",table="alerts",le="1"}`:              "0+600x520",
	`secmon_db_statement_seconds_bucket{` + pod + `,verb="SELECT",table="alerts",le="+Inf"}`:           "0+600x520",
	`secmon_db_connections{` + pod + `,state="in_use"}`:                                                "3x520",
	`secmon_db_connections_max{` + pod + `}`:                                                           "16x520",
	`secmon_db_connection_waits_total{` + pod + `}`:                                                    "0+1x520",
	`secmon_feed_listening{` + pod + `}`:                                                               "1x520",
	`secmon_feed_head_seq{` + pod + `}`:                                                                "0+300x520",
	`secmon_feed_head_seq{` + pod2 + `}`:                                                               "0+300x520",
	`secmon_feed_journal_unreadable_total{` + pod + `}`:                                                "0+0x520",
	`secmon_feed_lag_seconds{` + pod + `}`:                                                             "0x520",
	`secmon_live_slow_closed_total{` + pod + `}`:                                                       "0+0x520",
	`secmon_feed_refused_total{` + pod + `}`:                                                           "0+0x520",
	`secmon_detect_rules{` + pod + `}`:                                                                 "56x520",
	`secmon_detect_rules{` + pod2 + `}`:                                                                "56x520",
	`secmon_detect_seconds_bucket{` + pod + `,class="security",le="0.0001"}`:                           "0+6000x520",
	`secmon_detect_seconds_bucket{` + pod + `,class="security",le="0.1"}`:                              "0+6000x520",
	`secmon_detect_seconds_bucket{` + pod + `,class="security",le="+Inf"}`:                             "0+6000x520",
	`secmon_correlation_events_total{` + pod + `}`:                                                     "0+600x520",
	`secmon_correlation_evicted_total{` + pod + `,reason="late"}`:                                      "0+6x520",
	`secmon_correlation_evicted_total{` + pod + `,reason="events"}`:                                    "0x520",
	`secmon_correlation_evicted_total{` + pod + `,reason="groups"}`:                                    "0x520",
	`secmon_correlation_evicted_total{` + pod + `,reason="unreadable"}`:                                "0x520",
	`secmon_jobs_ended_total{` + pod + `,kind="ALERT_BULK",state="FAILED"}`:                            "0+0x520",
	`secmon_delivery_pauses_total{` + pod + `,kind="Webhook",reason="FAILING"}`:                        "0+0x520",
	`secmon_archive_waiting_seconds{` + pod + `}`:                                                      "0+60x300 0+60x220",
	`secmon_archive_failed_total{` + pod + `,work="archive",reason="failed"}`:                          "0x520",
	`secmon_archive_failed_total{` + pod + `,work="archive",reason="damaged"}`:                         "0x520",
	`secmon_archive_failed_total{` + pod + `,work="restore",reason="failed"}`:                          "0x520",
	`secmon_jobs_ended_total{` + pod + `,kind="EVENT_ARCHIVE",state="FAILED"}`:                         "0x520",
	`secmon_upkeep_failed_total{` + pod + `,task="events"}`:                                            "0x520",
	`secmon_upkeep_failed_total{` + pod + `,task="journal"}`:                                           "0+0x520",
	`secmon_disk_free_bytes{` + pod + `}`:                                                              "50000000000-100000x520",
	`secmon_disk_size_bytes{` + pod + `}`:                                                              "100000000000x520",
	`secmon_peer_certificate_expiry_timestamp_seconds{` + pod + `,peer="redis"}`:                       "8000000x520",
	`process_open_fds{` + pod + `}`:                                                                    "100x520",
	`process_max_fds{` + pod + `}`:                                                                     "1024x520",
	`secmon_login_failures_total{` + pod + `,reason="password"}`:                                       "0+2x520",
	`kube_deployment_spec_replicas{namespace="n",deployment="x-security-monitor-backend"}`:             "2x520",
	`kube_deployment_status_replicas_available{namespace="n",deployment="x-security-monitor-backend"}`: "2x520",
}

const pod2 = `namespace="n",pod="p2",instance="p2:9090",job="secmon"`

// planted are things that go wrong: what changes, and which alerts then fire after
// a time.
var planted = []struct {
	name   string
	change map[string]string // values of series; "" takes one away
	after  string
	want   []string
}{
	{"all is well", nil, "500m", nil},
	{"nobody asks anything at night, and one of three fails", map[string]string{
		`secmon_graphql_operations_total{` + pod + `,operation="A",type="query",code="OK"}`: "0x520", `secmon_http_requests_total{` + pod + `,route="export",status="200"}`: "0x520",
		`secmon_graphql_operations_total{` + pod + `,operation="A",type="query",code="INTERNAL"}`: "0x110 1x520",
	}, "120m", nil},
	{"2 % fail, which is twenty times the budget", map[string]string{`secmon_graphql_operations_total{` + pod + `,operation="A",type="query",code="INTERNAL"}`: "0+14x520"}, "90m", []string{"SecmonAvailabilityBurnsFast", "SecmonAvailabilityBurnsSlowly"}},
	{"0.4 % fail", map[string]string{`secmon_graphql_operations_total{` + pod + `,operation="A",type="query",code="INTERNAL"}`: "0+3x520"}, "400m", []string{"SecmonAvailabilityBurnsSlowly"}},
	{"exports fail", map[string]string{`secmon_http_requests_total{` + pod + `,route="export",status="500"}`: "0+20x520"}, "90m", []string{"SecmonAvailabilityBurnsFast", "SecmonAvailabilityBurnsSlowly"}},
	{"it failed for an hour, and does not any more", map[string]string{`secmon_graphql_operations_total{` + pod + `,operation="A",type="query",code="INTERNAL"}`: "0+60x60 3600+0x520"}, "500m", []string{}},
	{"a fifth is slow", map[string]string{`secmon_graphql_operation_seconds_bucket{` + pod + `,operation="A",type="query",le="0.2"}`: "0+480x520"}, "90m", []string{"SecmonLatencyBurnsFast", "SecmonLatencyBurnsSlowly"}},
	{"4 % are slow", map[string]string{`secmon_graphql_operation_seconds_bucket{` + pod + `,operation="A",type="query",le="0.2"}`: "0+576x520"}, "400m", []string{"SecmonLatencyBurnsSlowly"}},
	{"a third of the messages is late", map[string]string{`secmon_feed_delay_seconds_bucket{` + pod + `,le="1"}`: "0+200x520"}, "90m", []string{"SecmonFeedDelayBurnsFast", "SecmonFeedDelayBurnsSlowly"}},
	{"4 % of the messages are late", map[string]string{`secmon_feed_delay_seconds_bucket{` + pod + `,le="1"}`: "0+288x520"}, "400m", []string{"SecmonFeedDelayBurnsSlowly"}},
	{"ingest fails", map[string]string{`secmon_ingest_requests_total{` + pod + `,outcome="failed"}`: "0+30x520"}, "90m", []string{"SecmonIngestAcceptanceBurnsFast", "SecmonIngestAcceptanceBurnsSlowly"}},
	{"ingest is saturated now and then", map[string]string{`secmon_ingest_requests_total{` + pod + `,outcome="saturated"}`: "0+2x520"}, "400m", []string{"SecmonIngestAcceptanceBurnsSlowly", "SecmonIngestSaturated"}},
	{"nothing is measured", map[string]string{`secmon_build_info{` + pod + `,version="1"}`: ""}, "30m", []string{"SecmonAbsent"}},
	{"a pod does not start", map[string]string{`kube_deployment_status_replicas_available{namespace="n",deployment="x-security-monitor-backend"}`: "1x520"}, "30m", []string{"SecmonReplicaMissing"}},
	{"a rollout hangs", map[string]string{`secmon_build_info{` + pod2 + `,version="2"}`: "1x520"}, "90m", []string{"SecmonVersionsDiffer"}},
	{"the database is down", map[string]string{`secmon_dependency_up{` + pod + `,dependency="database"}`: "1x60 0x520"}, "70m", []string{"SecmonDatabaseDown"}},
	{"one replica does not reach it", map[string]string{`secmon_dependency_up{` + pod2 + `,dependency="database"}`: "0x520"}, "30m", []string{"SecmonDatabaseUnreachable"}},
	{"statements fail", map[string]string{`secmon_db_errors_total{` + pod + `,kind="other"}`: "0+60x520"}, "30m", []string{"SecmonDatabaseErrors"}},
	{"statements are slow", map[string]string{`secmon_db_statement_seconds_bucket{` + pod + `,verb="SELECT",table="alerts",le="0.1"}`: "0+300x520"}, "60m", []string{"SecmonDatabaseSlow"}},
	{"the pool is used up", map[string]string{`secmon_db_connections{` + pod + `,state="in_use"}`: "16x520", `secmon_db_connection_waits_total{` + pod + `}`: "0+600x520"}, "30m", []string{"SecmonDatabasePoolExhausted"}},
	{"Redis is down", map[string]string{`secmon_dependency_up{` + pod + `,dependency="redis"}`: "0x520", `secmon_feed_listening{` + pod + `}`: "0x520"}, "30m", []string{"SecmonFeedPolls", "SecmonRedisDown"}},
	{"a replica stands still", map[string]string{`secmon_feed_head_seq{` + pod2 + `}`: "0+300x60 18000x520"}, "70m", []string{"SecmonJournalLag"}},
	{"the journal cannot be read", map[string]string{`secmon_feed_journal_unreadable_total{` + pod + `}`: "0+10x520"}, "30m", []string{"SecmonJournalUnreadable"}},
	{"a consumer lags", map[string]string{`secmon_feed_lag_seconds{` + pod + `}`: "300x520"}, "30m", []string{"SecmonSlowConsumers"}},
	{"consumers are closed", map[string]string{`secmon_live_slow_closed_total{` + pod + `}`: "0+1x520"}, "60m", []string{"SecmonSlowConsumers"}},
	{"subscriptions are refused", map[string]string{`secmon_feed_refused_total{` + pod + `}`: "0+1x520"}, "60m", []string{"SecmonFeedRefuses"}},
	{"no events come", map[string]string{`secmon_ingest_records_total{` + pod + `,format="evtx",product="windows"}`: "0+6000x60 360000x520", `secmon_ingest_records_total{` + pod + `,format="journald",product="linux"}`: "0+60x60 3600x520", `secmon_ingest_rejected_total{` + pod + `}`: "0x520"}, "90m", []string{"SecmonNoEvents"}},
	{"one source is silent", map[string]string{`secmon_ingest_records_total{` + pod + `,format="journald",product="linux"}`: "0+60x60 3600x520"}, "180m", []string{"SecmonSourceSilent"}},
	{"one source is silent, and the pod was replaced", map[string]string{`secmon_ingest_records_total{` + pod + `,format="journald",product="linux"}`: "0+60x60"}, "180m", []string{"SecmonSourceSilent"}},
	{"a shipper sends nonsense", map[string]string{`secmon_ingest_rejected_total{` + pod + `}`: "0+1000x520"}, "60m", []string{"SecmonIngestRejects"}},
	{"a replica did not get the new rules", map[string]string{`secmon_detect_rules{` + pod2 + `}`: "55x520"}, "30m", []string{"SecmonRulesDiffer"}},
	{"a rule is slow", map[string]string{`secmon_detect_seconds_bucket{` + pod + `,class="security",le="0.0001"}`: "0+5000x520"}, "90m", []string{"SecmonDetectionSlow"}},
	{"a correlation has too many groups", map[string]string{`secmon_correlation_evicted_total{` + pod + `,reason="groups"}`: "0x20 40x520"}, "30m", []string{"SecmonCorrelationsForget"}},
	{"a group has too many events", map[string]string{`secmon_correlation_evicted_total{` + pod + `,reason="events"}`: "0+1x520"}, "30m", []string{"SecmonCorrelationsForget"}},
	{"a state cannot be read", map[string]string{`secmon_correlation_evicted_total{` + pod + `,reason="unreadable"}`: "0x20 1x520"}, "30m", []string{"SecmonCorrelationsForget"}},
	{"a correlation forgot something, yesterday", map[string]string{`secmon_correlation_evicted_total{` + pod + `,reason="groups"}`: "0x20 40x520"}, "90m", nil},
	{"events come too late to be counted", map[string]string{`secmon_correlation_evicted_total{` + pod + `,reason="late"}`: "0+100x520"}, "90m", []string{"SecmonCorrelationsMissLateEvents"}},
	{"a job fails", map[string]string{`secmon_jobs_ended_total{` + pod + `,kind="ALERT_BULK",state="FAILED"}`: "0x20 1x520"}, "30m", []string{"SecmonJobsFail"}},
	{"a webhook stops", map[string]string{`secmon_delivery_pauses_total{` + pod + `,kind="Webhook",reason="FAILING"}`: "0x20 1x520"}, "30m", []string{"SecmonDeliveryPaused"}},
	{"a day waits to be archived", map[string]string{`secmon_archive_waiting_seconds{` + pod + `}`: "86460+60x520"}, "480m", []string{"SecmonArchiveWaits"}},
	{"retention was shortened by a month, and the backlog is worked off in six hours", map[string]string{`secmon_archive_waiting_seconds{` + pod + `}`: "2592000x360 0x160"}, "500m", nil},
	{"the archive is away, each ten minutes", map[string]string{
		`secmon_archive_failed_total{` + pod + `,work="archive",reason="failed"}`: "0+0.1x520", `secmon_jobs_ended_total{` + pod + `,kind="EVENT_ARCHIVE",state="FAILED"}`: "0+0.1x520",
		`secmon_upkeep_failed_total{` + pod + `,task="events"}`: "0+0.1x520",
	}, "90m", []string{"SecmonArchiveFails"}},
	{"the archive was away once", map[string]string{`secmon_archive_failed_total{` + pod + `,work="archive",reason="failed"}`: "0x20 1x520"}, "60m", nil},
	{"removing gives way to a backup, each five minutes", map[string]string{`secmon_upkeep_failed_total{` + pod + `,task="events"}`: "0+0.2x520"}, "90m", nil},
	{"a finished archive is damaged", map[string]string{`secmon_archive_failed_total{` + pod + `,work="archive",reason="damaged"}`: "0x20 1x520"}, "60m", []string{"SecmonArchiveDamaged"}},
	{"a restore fails", map[string]string{`secmon_archive_failed_total{` + pod + `,work="restore",reason="failed"}`: "0x20 1x520"}, "60m", []string{"SecmonRestoreFails"}},
	{"the upkeep fails", map[string]string{`secmon_upkeep_failed_total{` + pod + `,task="journal"}`: "0+1x520"}, "30m", []string{"SecmonUpkeepFails"}},
	{"the disk is full", map[string]string{`secmon_disk_free_bytes{` + pod + `}`: "5000000000x520"}, "30m", []string{"SecmonDiskFull"}},
	{"the disk fills", map[string]string{`secmon_disk_free_bytes{` + pod + `}`: "35000000000-50000000x520"}, "200m", []string{"SecmonDiskFills"}},
	{"a certificate ends", map[string]string{`secmon_peer_certificate_expiry_timestamp_seconds{` + pod + `,peer="redis"}`: "1000000x520"}, "90m", []string{"SecmonPeerCertificateEnds"}},
	{"files run out", map[string]string{`process_open_fds{` + pod + `}`: "900x520"}, "30m", []string{"SecmonFilesNearLimit"}},
	{"somebody guesses passwords", map[string]string{`secmon_login_failures_total{` + pod + `,reason="password"}`: "0+100x520"}, "30m", []string{"SecmonLoginsFail"}},
}

// Each alert fires on what it is for, nothing else does, and all are silent when
// all is well.
func TestAlertsFireOnWhatTheyAreFor(t *testing.T) {
	tool := promtool(t)
	path, err := filepath.Abs(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	type sample struct {
		Labels string  `yaml:"labels"`
		Value  float64 `yaml:"value"`
	}
	type query struct {
		Expr string   `yaml:"expr"`
		Eval string   `yaml:"eval_time"`
		Want []sample `yaml:"exp_samples"`
	}
	type series struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	}
	type unit struct {
		Name     string   `yaml:"name"`
		Interval string   `yaml:"interval"`
		Input    []series `yaml:"input_series"`
		Queries  []query  `yaml:"promql_expr_test"`
	}
	never := map[string]bool{}
	for _, name := range alerts(t) {
		never[name] = true
	}
	var units []unit
	for _, c := range planted {
		u := unit{Name: c.name, Interval: "1m"}
		values := map[string]string{}
		for s, v := range healthy {
			values[s] = v
		}
		for s, v := range c.change {
			values[s] = v
		}
		for s, v := range values {
			if v != "" {
				u.Input = append(u.Input, series{s, v})
			}
		}
		slices.SortFunc(u.Input, func(a, b series) int { return strings.Compare(a.Series, b.Series) })
		q := query{Expr: `count by (alertname) (ALERTS{alertstate="firing"})`, Eval: c.after}
		for _, name := range c.want {
			delete(never, name)
			q.Want = append(q.Want, sample{`{alertname="` + name + `"}`, 1})
		}
		u.Queries = []query{q}
		units = append(units, u)
	}
	for name := range never {
		t.Errorf("no test has %s fire", name)
	}
	file, err := yaml.Marshal(map[string]any{"rule_files": []string{path}, "evaluation_interval": "5m", "tests": units})
	if err != nil {
		t.Fatal(err)
	}
	tests := filepath.Join(t.TempDir(), "tests.yaml")
	if err := os.WriteFile(tests, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "test", "rules", tests).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
