package main

import "strings"

// in narrows the metrics of an expression to what is chosen: it stands for the
// label matchers of namespace and pod.
func in(expr string) string {
	return strings.ReplaceAll(expr, "$in", `namespace=~"$namespace",pod=~"$pod"`)
}

func q(expr, legend string) query { return query{in(expr), legend} }

// quantiles gives the 50th, 95th and 99th percentile of a histogram.
func quantiles(name, matchers string) []query {
	var all []query
	for _, p := range []string{"0.5", "0.95", "0.99"} {
		all = append(all, q("histogram_quantile("+p+", sum by (le) (rate("+name+"_bucket{"+matchers+"$in}[$__rate_interval])))", "p"+strings.TrimPrefix(p, "0.")))
	}
	all[0].legend = "p50"
	return all
}

var mustBeUp = []threshold{{0, "red"}, {1, "green"}}

// left is the share of a month's budget that is left, by the last 30 days.
func left(slo, budget string) query {
	return query{`1 - sum_over_time(secmon:` + slo + `_failed:rate5m{namespace=~"$namespace"}[30d]) / sum_over_time(secmon:` + slo + `_total:rate5m{namespace=~"$namespace"}[30d]) / ` + budget, "{{namespace}}"}
}

func burn(slo, budget string) []query {
	var all []query
	for _, w := range []string{"5m", "1h", "6h", "3d"} {
		all = append(all, query{`secmon:` + slo + `_errors:ratio_rate` + w + `{namespace=~"$namespace"} / ` + budget, w + " {{namespace}}"})
	}
	return all
}

var budgetLeft = []threshold{{-1_000, "red"}, {0.25, "orange"}, {0.5, "green"}}

var dashboards = []dashboard{
	{uid: "secmon-overview", title: "Overview", about: "Objectives, what is left of their budgets, and whether everything is there.", rows: []row{
		{"What is left of the month's budget", []panel{
			{title: "Availability 99.9 %", kind: "stat", unit: "percentunit", zones: budgetLeft, queries: []query{left("availability", "0.001")}},
			{title: "Latency: 99 % in 200 ms", kind: "stat", unit: "percentunit", zones: budgetLeft, queries: []query{left("latency", "0.01")}},
			{title: "Feed delay: 99 % in 1 s", kind: "stat", unit: "percentunit", zones: budgetLeft, queries: []query{left("feed_delay", "0.01")}},
			{title: "Ingest acceptance 99.9 %", kind: "stat", unit: "percentunit", zones: budgetLeft, queries: []query{left("ingest", "0.001")}},
		}},
		{"Now", []panel{
			{title: "Replicas", kind: "stat", unit: "short", zones: []threshold{{0, "red"}, {1, "orange"}, {2, "green"}}, queries: []query{q(`count(secmon_build_info{$in})`, "")}},
			{title: "Database", kind: "stat", unit: "short", zones: mustBeUp, queries: []query{q(`min(secmon_dependency_up{dependency="database",$in})`, "")}},
			{title: "Redis", kind: "stat", unit: "short", zones: mustBeUp, queries: []query{q(`min(secmon_dependency_up{dependency="redis",$in})`, "")}},
			{title: "Events a second", kind: "stat", unit: "ops", queries: []query{q(`sum(rate(secmon_ingest_records_total{$in}[$__rate_interval]))`, "")}},
			{title: "Hits a minute", kind: "stat", unit: "short", queries: []query{q(`sum(rate(secmon_detect_hits_total{$in}[$__rate_interval])) * 60`, "")}},
			{title: "Live connections", kind: "stat", unit: "short", queries: []query{q(`sum(secmon_live_connections{$in})`, "")}},
		}},
		{"How fast budgets burn (1: as fast as they may; 14.4 wakes somebody)", []panel{
			{title: "Availability", unit: "short", queries: burn("availability", "0.001")},
			{title: "Latency", unit: "short", queries: burn("latency", "0.01")},
			{title: "Feed delay", unit: "short", queries: burn("feed_delay", "0.01")},
			{title: "Ingest acceptance", unit: "short", queries: burn("ingest", "0.001")},
		}},
		{"Requests", []panel{
			{title: "Requests by route", unit: "reqps", stack: true, queries: []query{q(`sum by (route) (rate(secmon_http_requests_total{$in}[$__rate_interval]))`, "{{route}}")}},
			{title: "Answers from 400 on", unit: "reqps", stack: true, queries: []query{q(`sum by (route, status) (rate(secmon_http_requests_total{status=~"[45]..",$in}[$__rate_interval]))`, "{{route}} {{status}}")}},
			{title: "Versions", kind: "table", unit: "short", queries: []query{q(`sum by (namespace, pod, version, goversion) (secmon_build_info{$in})`, "")}},
		}},
	}},
	{uid: "secmon-ingest", title: "Ingest and detection", about: "What comes in, what becomes of it, and what the rules make of it.", rows: []row{
		{"What comes in", []panel{
			{title: "Events by format", unit: "ops", stack: true, queries: []query{q(`sum by (format) (rate(secmon_ingest_records_total{$in}[$__rate_interval]))`, "{{format}}")}},
			{title: "Events by product", unit: "ops", stack: true, queries: []query{q(`sum by (product) (rate(secmon_ingest_records_total{$in}[$__rate_interval]))`, "{{product}}")}},
			{title: "Bytes by format", unit: "Bps", stack: true, queries: []query{q(`sum by (format) (rate(secmon_ingest_bytes_total{$in}[$__rate_interval]))`, "{{format}}")}},
		}},
		{"What becomes of it", []panel{
			{title: "Requests by outcome", unit: "reqps", stack: true, queries: []query{q(`sum by (outcome) (rate(secmon_ingest_requests_total{$in}[$__rate_interval]))`, "{{outcome}}")}},
			{title: "Records that could not be read", unit: "ops", queries: []query{q(`sum by (pod) (rate(secmon_ingest_rejected_total{$in}[$__rate_interval]))`, "{{pod}}")}},
			{title: "Records that came again", unit: "ops", queries: []query{q(`sum by (pod) (rate(secmon_ingest_repeated_total{$in}[$__rate_interval]))`, "{{pod}}")}},
			{title: "Time of a request", unit: "s", queries: quantiles("secmon_http_request_seconds", `route="ingest",`)},
		}},
		{"Syslog", []panel{
			{title: "Connections of syslog", unit: "short", queries: []query{q(`sum by (pod) (secmon_syslog_connections{$in})`, "{{pod}}")}},
			{title: "Connections refused or ended, by reason", unit: "ops", queries: []query{q(`sum by (reason) (rate(secmon_syslog_refused_total{$in}[$__rate_interval]))`, "{{reason}}")}},
			{title: "Messages that were cut", unit: "ops", queries: []query{q(`sum by (pod) (rate(secmon_syslog_cut_total{$in}[$__rate_interval]))`, "{{pod}}")}},
		}},
		{"Transactions", []panel{
			{title: "Time of a transaction", unit: "s", queries: quantiles("secmon_ingest_commit_seconds", `outcome="stored",`)},
			{title: "Events and requests in one", unit: "short", queries: []query{
				q(`sum(rate(secmon_ingest_batch_events_sum{$in}[$__rate_interval])) / sum(rate(secmon_ingest_batch_events_count{$in}[$__rate_interval]))`, "events"),
				q(`sum(rate(secmon_ingest_batch_requests_sum{$in}[$__rate_interval])) / sum(rate(secmon_ingest_batch_requests_count{$in}[$__rate_interval]))`, "requests"),
			}},
			{title: "Requests that wait", unit: "short", queries: []query{q(`sum by (pod) (secmon_ingest_waiting{$in})`, "{{pod}}")}},
			{title: "Bytes in hand", unit: "bytes", queries: []query{q(`sum by (pod) (secmon_ingest_in_flight_bytes{$in})`, "{{pod}}")}},
		}},
		{"Detection", []panel{
			{title: "Time of all rules for one event, p99 by class", unit: "s", queries: []query{q(`histogram_quantile(0.99, sum by (class, le) (rate(secmon_detect_seconds_bucket{$in}[$__rate_interval])))`, "{{class}}")}},
			{title: "Events by class", unit: "ops", stack: true, queries: []query{q(`sum by (class) (rate(secmon_detect_seconds_count{$in}[$__rate_interval]))`, "{{class}}")}},
			{title: "Hits by level", unit: "ops", stack: true, queries: []query{q(`sum by (level) (rate(secmon_detect_hits_total{$in}[$__rate_interval]))`, "{{level}}")}},
			{title: "Correlations", unit: "ops", queries: []query{
				q(`sum(rate(secmon_correlation_events_total{$in}[$__rate_interval]))`, "events counted"),
				q(`sum(rate(secmon_correlation_fired_total{$in}[$__rate_interval]))`, "fired"),
			}},
			{title: "What correlations did not count or forgot", unit: "short", stack: true, queries: []query{q(`sum by (reason) (increase(secmon_correlation_evicted_total{$in}[$__rate_interval]))`, "{{reason}}")}},
			{title: "Indicators in force", unit: "short", queries: []query{q(`max by (kind) (secmon_indicators{$in})`, "{{kind}}")}},
			{title: "Time since indicators changed", unit: "s", queries: []query{q(`secmon_indicators_age_seconds{$in}`, "{{pod}}")}},
			{title: "Rules in force", unit: "short", queries: []query{q(`secmon_detect_rules{$in}`, "{{pod}}")}},
		}},
	}},
	{uid: "secmon-feeds", title: "Feeds", about: "How live the feeds are, who listens, and who does not keep up.", rows: []row{
		{"Delay", []panel{
			{title: "From a change to its message", unit: "s", queries: quantiles("secmon_feed_delay_seconds", "")},
			{title: "Journal entries a second, by what each replica has seen", unit: "ops", queries: []query{q(`rate(secmon_feed_head_seq{$in}[$__rate_interval])`, "{{pod}}")}},
			{title: "Entries behind the first replica", unit: "short", queries: []query{q(`scalar(max(secmon_feed_head_seq{$in})) - secmon_feed_head_seq{$in}`, "{{pod}}")}},
		}},
		{"Who listens", []panel{
			{title: "Live connections", unit: "short", stack: true, queries: []query{q(`secmon_live_connections{$in}`, "{{pod}}")}},
			{title: "Subscriptions and groups", unit: "short", queries: []query{q(`sum(secmon_feed_members{$in})`, "subscriptions"), q(`sum(secmon_feed_groups{$in})`, "groups")}},
			{title: "Connections opened and ended", unit: "ops", queries: []query{
				q(`sum(rate(secmon_live_opened_total{$in}[$__rate_interval]))`, "opened"), q(`sum(rate(secmon_live_slow_closed_total{$in}[$__rate_interval]))`, "did not read"),
				q(`sum(rate(secmon_live_revoked_closed_total{$in}[$__rate_interval]))`, "lost a right"), q(`sum(rate(secmon_live_refused_total{$in}[$__rate_interval]))`, "refused"),
			}},
			{title: "Messages from clients", unit: "ops", queries: []query{q(`sum by (pod) (rate(secmon_live_messages_total{$in}[$__rate_interval]))`, "{{pod}}")}},
		}},
		{"What is made and handed over", []panel{
			{title: "Executions", unit: "ops", queries: []query{q(`sum by (pod) (rate(secmon_feed_executions_total{$in}[$__rate_interval]))`, "{{pod}}")}},
			{title: "Deliveries", unit: "ops", queries: []query{q(`sum by (pod) (rate(secmon_feed_deliveries_total{$in}[$__rate_interval]))`, "{{pod}}")}},
			{title: "Pages for those who are behind", unit: "ops", queries: []query{q(`sum(rate(secmon_feed_replayed_pages_total{$in}[$__rate_interval]))`, "rendered"), q(`sum(rate(secmon_feed_cached_pages_total{$in}[$__rate_interval]))`, "from memory")}},
		}},
		{"Who does not keep up", []panel{
			{title: "Subscriptions behind", unit: "short", queries: []query{q(`secmon_feed_behind{$in}`, "{{pod}}")}},
			{title: "Behind for, at most", unit: "s", queries: []query{q(`secmon_feed_lag_seconds{$in}`, "{{pod}}")}},
			{title: "Fell behind, refused", unit: "ops", queries: []query{q(`sum(rate(secmon_feed_lagged_total{$in}[$__rate_interval]))`, "fell behind"), q(`sum(rate(secmon_feed_refused_total{$in}[$__rate_interval]))`, "refused")}},
		}},
		{"Redis", []panel{
			{title: "Listening (1) or polling (0)", unit: "short", queries: []query{q(`secmon_feed_listening{$in}`, "{{pod}}")}},
			{title: "Entries told", unit: "ops", queries: []query{q(`sum(rate(secmon_feed_published_total{$in}[$__rate_interval]))`, "told"), q(`sum(rate(secmon_feed_unpublished_total{$in}[$__rate_interval]))`, "not told")}},
			{title: "Journal not readable", unit: "ops", queries: []query{q(`sum by (pod) (rate(secmon_feed_journal_unreadable_total{$in}[$__rate_interval]))`, "{{pod}}")}},
		}},
	}},
	{uid: "secmon-graphql", title: "GraphQL", about: "Operations by name: how many, how fast, how dear, and what is refused.", rows: []row{
		{"Operations", []panel{
			{title: "By type", unit: "reqps", stack: true, queries: []query{q(`sum by (type) (rate(secmon_graphql_operations_total{$in}[$__rate_interval]))`, "{{type}}")}},
			{title: "Time", unit: "s", queries: quantiles("secmon_graphql_operation_seconds", "")},
			{title: "Not OK", unit: "reqps", stack: true, queries: []query{q(`sum by (code) (rate(secmon_graphql_operations_total{code!="OK",$in}[$__rate_interval]))`, "{{code}}")}},
		}},
		{"By name", []panel{
			{title: "Most often", unit: "reqps", queries: []query{q(`topk(10, sum by (operation) (rate(secmon_graphql_operations_total{$in}[$__rate_interval])))`, "{{operation}}")}},
			{title: "Slowest, p99", unit: "s", queries: []query{q(`topk(10, histogram_quantile(0.99, sum by (operation, le) (rate(secmon_graphql_operation_seconds_bucket{$in}[$__rate_interval]))))`, "{{operation}}")}},
			{title: "Most time altogether", unit: "percentunit", about: "Seconds of work in a second", queries: []query{q(`topk(10, sum by (operation) (rate(secmon_graphql_operation_seconds_sum{$in}[$__rate_interval])))`, "{{operation}}")}},
		}},
		{"Cost and refusals", []panel{
			{title: "Points a second", unit: "short", queries: []query{q(`sum by (type) (rate(secmon_graphql_cost_points_sum{$in}[$__rate_interval]))`, "{{type}}")}},
			{title: "Points of an operation, p99", unit: "short", queries: []query{q(`histogram_quantile(0.99, sum by (type, le) (rate(secmon_graphql_cost_points_bucket{$in}[$__rate_interval])))`, "{{type}}")}},
			{title: "Refused by limit", unit: "reqps", stack: true, queries: []query{q(`sum by (limit) (rate(secmon_graphql_refused_total{$in}[$__rate_interval]))`, "{{limit}}")}},
			{title: "Refused by budget", unit: "reqps", queries: []query{q(`sum by (budget) (rate(secmon_rate_limit_refused_total{$in}[$__rate_interval]))`, "{{budget}}"), q(`sum(rate(secmon_rate_limit_local_total{$in}[$__rate_interval]))`, "kept by replicas alone")}},
		}},
		{"Logins", []panel{
			{title: "Logins", unit: "ops", queries: []query{q(`sum(rate(secmon_logins_total{$in}[$__rate_interval]))`, "succeeded"), q(`sum by (reason) (rate(secmon_login_failures_total{$in}[$__rate_interval]))`, "failed: {{reason}}")}},
			{title: "Requests that are being answered", unit: "short", queries: []query{q(`secmon_http_in_flight{$in}`, "{{pod}}")}},
		}},
	}},
	{uid: "secmon-database", title: "Database and runtime", about: "The database and Redis as the replicas see them, work in the background, and the processes.", rows: []row{
		{"Database", []panel{
			{title: "Answer to a ping", unit: "s", queries: []query{q(`max by (dependency) (secmon_dependency_ping_seconds{$in})`, "{{dependency}}")}},
			{title: "Time of a statement", unit: "s", queries: quantiles("secmon_db_statement_seconds", "")},
			{title: "Slowest tables, p99", unit: "s", queries: []query{q(`topk(10, histogram_quantile(0.99, sum by (verb, table, le) (rate(secmon_db_statement_seconds_bucket{$in}[$__rate_interval]))))`, "{{verb}} {{table}}")}},
			{title: "Statements", unit: "ops", stack: true, queries: []query{q(`sum by (verb) (rate(secmon_db_statement_seconds_count{$in}[$__rate_interval]))`, "{{verb}}")}},
		}},
		{"Transactions and connections", []panel{
			{title: "Time of a transaction, p99 by action", unit: "s", queries: []query{q(`topk(10, histogram_quantile(0.99, sum by (action, le) (rate(secmon_db_transaction_seconds_bucket{$in}[$__rate_interval]))))`, "{{action}}")}},
			{title: "Failures", unit: "ops", stack: true, queries: []query{q(`sum by (kind) (rate(secmon_db_errors_total{$in}[$__rate_interval]))`, "{{kind}}")}},
			{title: "Connections", unit: "short", queries: []query{q(`sum by (state) (secmon_db_connections{$in})`, "{{state}}"), q(`sum(secmon_db_connections_max{$in})`, "at most")}},
			{title: "Waits for a connection", unit: "s", about: "Seconds waited in a second", queries: []query{q(`sum by (pod) (rate(secmon_db_connection_wait_seconds_total{$in}[$__rate_interval]))`, "{{pod}}")}},
		}},
		{"Redis, others, background", []panel{
			{title: "Errors of Redis", unit: "ops", queries: []query{q(`sum by (use) (rate(secmon_redis_errors_total{$in}[$__rate_interval]))`, "{{use}}")}},
			{title: "Certificates end in", unit: "s", queries: []query{q(`min by (peer) (secmon_peer_certificate_expiry_timestamp_seconds{$in}) - time()`, "{{peer}}")}},
			{title: "Jobs", unit: "short", queries: []query{q(`sum by (kind) (secmon_jobs_running{$in})`, "running: {{kind}}"), q(`sum by (kind, state) (increase(secmon_jobs_ended_total{$in}[$__rate_interval]))`, "{{kind}} {{state}}")}},
			{title: "Upkeep that failed", unit: "short", queries: []query{q(`sum by (task) (increase(secmon_upkeep_failed_total{$in}[$__rate_interval]))`, "{{task}}")}},
		}},
		{"Archive", []panel{
			{title: "Oldest events wait to be archived and deleted", unit: "s", queries: []query{q(`max(secmon_archive_waiting_seconds{$in})`, "")}},
			{title: "Archiving and restoring that failed", unit: "short", stack: true, queries: []query{q(`sum by (work, reason) (increase(secmon_archive_failed_total{$in}[$__rate_interval]))`, "{{work}}: {{reason}}")}},
			{title: "Archiving and restoring that runs", unit: "short", queries: []query{q(`sum by (kind) (secmon_jobs_running{kind=~"EVENT_ARCHIVE|EVENT_RESTORE",$in})`, "{{kind}}")}},
		}},
		{"Webhooks", []panel{
			{title: "Tries to send", unit: "ops", stack: true, queries: []query{q(`sum by (outcome) (rate(secmon_deliveries_total{$in}[$__rate_interval]))`, "{{outcome}}")}},
			{title: "Time of a try", unit: "s", queries: quantiles("secmon_delivery_seconds", "")},
			{title: "Stopped by themselves", unit: "short", queries: []query{q(`sum by (reason) (increase(secmon_delivery_pauses_total{$in}[$__rate_interval]))`, "{{reason}}")}},
			{title: "Worked on", unit: "short", queries: []query{q(`secmon_delivery_queues{$in}`, "{{pod}}")}},
		}},
		{"Processes", []panel{
			{title: "CPU (cores)", unit: "short", queries: []query{q(`rate(process_cpu_seconds_total{$in}[$__rate_interval]) and on (instance) secmon_build_info{$in}`, "{{pod}}")}},
			{title: "Memory", unit: "bytes", queries: []query{q(`process_resident_memory_bytes{$in} and on (instance) secmon_build_info{$in}`, "{{pod}}")}},
			{title: "Goroutines", unit: "short", queries: []query{q(`go_goroutines{$in} and on (instance) secmon_build_info{$in}`, "{{pod}}")}},
			{title: "Open files", unit: "short", queries: []query{q(`process_open_fds{$in} and on (instance) secmon_build_info{$in}`, "{{pod}}")}},
		}},
		{"Go and disk", []panel{
			{title: "Heap", unit: "bytes", queries: []query{q(`go_memstats_heap_alloc_bytes{$in} and on (instance) secmon_build_info{$in}`, "{{pod}}")}},
			{title: "Allocated", unit: "Bps", queries: []query{q(`rate(go_memstats_alloc_bytes_total{$in}[$__rate_interval]) and on (instance) secmon_build_info{$in}`, "{{pod}}")}},
			{title: "Longest pause of the garbage collector", unit: "s", queries: []query{q(`go_gc_duration_seconds{quantile="1",$in} and on (instance) secmon_build_info{$in}`, "{{pod}}")}},
			{title: "Disk free", unit: "bytes", queries: []query{q(`secmon_disk_free_bytes{$in}`, "{{pod}}"), q(`secmon_disk_size_bytes{$in}`, "{{pod}} size")}},
		}},
	}},
}
