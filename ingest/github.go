package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// GitHub's audit log of an organisation or an enterprise, by its API or streamed.
// https://docs.github.com/en/enterprise-cloud@latest/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/audit-log-events-for-your-enterprise

func isGitHub(v *fastjson.Value) bool {
	action := v.GetStringBytes("action")
	if len(action) == 0 || !v.Exists("@timestamp") && !v.Exists("created_at") {
		return false
	}
	return v.Exists("_document_id") || v.Exists("actor") && (v.Exists("org") || v.Exists("business") || v.Exists("actor_id"))
}

func normaliseGitHub(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	rec.LogSource = monitor.LogSource{Product: "github", Service: "audit"}
	in.occurred("@timestamp", "created_at")
	ev.Class, ev.Action, ev.Outcome = monitor.ClassAPIActivity, text(v, "action"), monitor.OutcomeSuccess
	ev.User, ev.SrcIP = text(v, "actor"), parseIP(text(v, "actor_ip"))
	ev.Message = "GitHub " + ev.Action + " by " + ev.User
	if where := text(v, "repo", "org", "business"); where != "" {
		ev.Message += " in " + strings.TrimSpace(where)
	}
}
