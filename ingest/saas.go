package ingest

import (
	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Audit events of OneLogin, Bitbucket Data Center and Duo, and what OpenCanary's decoys
// saw: small formats whose fields SigmaHQ's rules use as they are.

// https://developers.onelogin.com/api-docs/1/events/event-resource
func isOneLogin(v *fastjson.Value) bool {
	return v.Exists("event_type_id") && (v.Exists("account_id") || v.Exists("event_timestamp") || v.Exists("actor_user_id"))
}

func normaliseOneLogin(in *input) {
	ev, v := in.ev, in.v
	in.saas("onelogin", "onelogin.events", "event_type_id")
	in.occurred("event_timestamp", "created_at")
	ev.User, ev.SrcIP = text(v, "actor_user_name", "user_name"), parseIP(text(v, "ipaddr"))
	ev.Message = "OneLogin event " + ev.Action + " by " + ev.User
}

// https://confluence.atlassian.com/bitbucketserver/audit-log-events-776640423.html
func isBitbucket(v *fastjson.Value) bool {
	return v.Exists("auditType", "action") && v.Exists("auditType", "category")
}

func normaliseBitbucket(in *input) {
	ev, v := in.ev, in.v
	in.saas("bitbucket", "audit", "auditType/action")
	if seconds := v.GetInt64("timestamp", "epochSecond"); seconds > 0 { // as the audit log's file has it
		in.occurredText(text(v, "timestamp/epochSecond"))
	} else {
		in.occurred("timestamp")
	}
	ev.Host, ev.User, ev.SrcIP = text(v, "node"), text(v, "author/name"), parseIP(text(v, "source"))
	ev.Message = text(v, "auditType/category") + ": " + ev.Action + " by " + ev.User
}

// https://duo.com/docs/adminapi#authentication-logs
func isDuo(v *fastjson.Value) bool {
	return v.Exists("txid") && v.Exists("factor") && v.Exists("result")
}

func normaliseDuo(in *input) {
	ev, v := in.ev, in.v
	in.saas("cisco", "duo", "event_type")
	in.occurred("isotimestamp", "timestamp")
	ev.Class, ev.User, ev.SrcIP = monitor.ClassAuthentication, text(v, "user/name"), parseIP(text(v, "access_device/ip"))
	switch text(v, "result") {
	case "success":
		ev.Outcome = monitor.OutcomeSuccess
	case "denied", "failure", "fraud":
		ev.Outcome, ev.Severity = monitor.OutcomeFailure, monitor.SeverityLow
	}
	ev.Message = "Duo " + ev.Action + " of " + ev.User + ": " + text(v, "result") + ", " + text(v, "reason")
}

// https://docs.opencanary.org/en/latest/services/webserver.html, https://github.com/thinkst/opencanary/blob/master/opencanary/logger.py
func isOpenCanary(v *fastjson.Value) bool {
	return v.Exists("logtype") && v.Exists("node_id") && v.Exists("logdata")
}

func normaliseOpenCanary(in *input) {
	ev, v := in.ev, in.v
	in.saas("opencanary", "", "logtype")
	in.rec.LogSource.Category = "application"
	in.occurred("utc_time", "local_time")
	ev.Class, ev.Action, ev.Severity = monitor.ClassDetectionFinding, "decoy_"+ev.Action, monitor.SeverityMedium // nobody has to do with a decoy
	ev.Host, ev.User = text(v, "node_id"), text(v, "logdata/USERNAME")
	ev.SrcIP, ev.SrcPort = parseIP(text(v, "src_host")), parsePort(text(v, "src_port"))
	ev.DstIP, ev.DstPort = parseIP(text(v, "dst_host")), parsePort(text(v, "dst_port"))
	ev.Message = "OpenCanary " + ev.Host + ": log type " + text(v, "logtype") + " from " + text(v, "src_host")
}

// saas begins a record whose fields stay as they are.
func (in *input) saas(product, service, action string) {
	in.rec.flatten("", in.v)
	in.rec.LogSource = monitor.LogSource{Product: product, Service: service}
	in.ev.Class, in.ev.Action = monitor.ClassAPIActivity, text(in.v, action)
}
