package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Audit logs of Google Cloud, among them those of Workspace that are shared with it, and
// Workspace's own Reports API.
// https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog
// https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities

const workspaceKind = "admin#reports#activity"

func isGoogleCloud(v *fastjson.Value) bool {
	return v.Exists("protoPayload", "methodName") || string(v.GetStringBytes("kind")) == workspaceKind
}

func normaliseGoogleCloud(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	ev.Class, ev.Outcome = monitor.ClassAPIActivity, monitor.OutcomeSuccess
	if string(v.GetStringBytes("kind")) == workspaceKind {
		in.workspaceActivity()
		return
	}
	in.occurred("timestamp", "receiveTimestamp")
	service := text(v, "protoPayload/serviceName")
	ev.Action = text(v, "protoPayload/methodName")
	ev.User = text(v, "protoPayload/authenticationInfo/principalEmail")
	ev.SrcIP = parseIP(text(v, "protoPayload/requestMetadata/callerIp"))
	if code := text(v, "protoPayload/status/code"); code != "" && code != "0" {
		ev.Outcome, ev.Severity = monitor.OutcomeFailure, monitor.SeverityLow
	}
	switch service {
	case "login.googleapis.com", "admin.googleapis.com":
		in.workspaceEvent(service, rec.Text("protoPayload.metadata.event.eventName"), v.GetArray("protoPayload", "metadata", "event", "0", "parameter"))
	default:
		rec.LogSource = monitor.LogSource{Product: "gcp", Service: "gcp.audit"}
		in.cloudNames()
	}
	ev.Message = service + " " + ev.Action + " by " + ev.User
}

// cloudNames adds the names of SigmaHQ's rules, which come from other collectors.
func (in *input) cloudNames() {
	rec := in.rec
	rec.alias("gcp.audit.method_name", "protoPayload.methodName")
	rec.alias("data.protoPayload.methodName", "protoPayload.methodName")
	rec.alias("data.protoPayload.serviceName", "protoPayload.serviceName")
	rec.alias("data.protoPayload.authorizationInfo.permission", "protoPayload.authorizationInfo.permission")
	rec.alias("data.protoPayload.authorizationInfo.granted", "protoPayload.authorizationInfo.granted")
	rec.alias("data.protoPayload.resource.type", "resource.type")
	if name := rec.Text("logName"); name != "" {
		rec.addUnlessThere("data.protoPayload.logName", name[strings.Index(name, "/logs/")+len("/logs/"):])
	}
}

// workspaceActivity reads an activity of the Reports API. Of several events in one
// activity the fields have all values.
func (in *input) workspaceActivity() {
	ev, rec, v := in.ev, in.rec, in.v
	in.occurred("id/time")
	ev.User, ev.SrcIP = text(v, "actor/email"), parseIP(text(v, "ipAddress"))
	ev.Action = rec.Text("events.name")
	service := text(v, "id/applicationName")
	var parameters []*fastjson.Value
	for _, event := range v.GetArray("events") {
		parameters = append(parameters, event.GetArray("parameters")...)
	}
	in.workspaceEvent(service+".googleapis.com", ev.Action, parameters)
	rec.alias("eventName", "events.name")
	ev.Message = "Workspace " + service + ": " + ev.Action + " by " + ev.User
}

// workspaceEvent adds the names that SigmaHQ's rules have: those for logins are of Cloud
// Logging, those for administrators have the parameters by lower-case names.
func (in *input) workspaceEvent(service, name string, parameters []*fastjson.Value) {
	rec := in.rec
	rec.LogSource = monitor.LogSource{Product: "gcp", Service: "google_workspace." + strings.TrimSuffix(service, ".googleapis.com")}
	if strings.HasPrefix(service, "login.") {
		in.ev.Class = monitor.ClassAuthentication
	}
	in.addFields([2]string{"eventService", service}, [2]string{"eventName", name}, [2]string{"protoPayload.serviceName", service},
		[2]string{"protoPayload.Servicename", service}, [2]string{"protoPayload.metadata.event.eventName", name})
	for _, p := range parameters {
		if key := strings.ToLower(text(p, "name")); key != "" {
			in.addFields([2]string{key, text(p, "value", "boolValue", "intValue", "multiValue")})
		}
	}
}
