package ingest

import (
	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Okta's System Log, as its API gives it.
// https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/

func isOkta(v *fastjson.Value) bool {
	return v.Exists("eventType") && v.Exists("published") && (v.Exists("actor") || v.Exists("legacyEventType"))
}

var oktaSeverity = map[string]monitor.Severity{"WARN": monitor.SeverityLow, "ERROR": monitor.SeverityMedium}

func normaliseOkta(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	rec.LogSource = monitor.LogSource{Product: "okta", Service: "okta"}
	in.occurred("published")
	ev.Class, ev.Action = monitor.ClassAPIActivity, text(v, "eventType")
	switch ev.Action {
	case "user.session.start", "user.authentication.sso", "user.authentication.auth_via_mfa", "user.session.end":
		ev.Class = monitor.ClassAuthentication
	}
	if severity, ok := oktaSeverity[text(v, "severity")]; ok {
		ev.Severity = severity
	}
	switch text(v, "outcome/result") {
	case "SUCCESS", "ALLOW":
		ev.Outcome = monitor.OutcomeSuccess
	case "FAILURE", "DENY":
		ev.Outcome = monitor.OutcomeFailure
	}
	ev.User, ev.SrcIP = text(v, "actor/alternateId", "actor/displayName"), parseIP(text(v, "client/ipAddress"))
	ev.Message = text(v, "displayMessage") + ": " + ev.Action + " by " + ev.User
}
