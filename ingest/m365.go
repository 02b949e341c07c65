package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Microsoft 365's unified audit log, as the Management Activity API gives it.
// https://learn.microsoft.com/en-us/office/office-365-management-api/office-365-management-activity-api-schema

func isM365(v *fastjson.Value) bool {
	return v.Exists("Operation") && v.Exists("Workload") && (v.Exists("RecordType") || v.Exists("CreationTime"))
}

// normaliseM365 gives alerts of the Security & Compliance Center the names that SigmaHQ's
// rules for alerts use: the alert's own name is eventName. The log sources threat_detection
// and exchange get the rules of threat_management and of audit too (detect/logsource.go).
func normaliseM365(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	rec.LogSource = monitor.LogSource{Product: "m365", Service: "audit"}
	workload := text(v, "Workload")
	for _, name := range []string{"Parameters", "OperationProperties"} { // lists of names and values: rules look for words anywhere in them
		if list := v.Get(name); list != nil && list.Type() == fastjson.TypeArray {
			rec.addText(name, clean(string(list.MarshalTo(nil))))
		}
	}
	ev.Action = text(v, "Operation")
	event := ev.Action
	ev.Class, ev.Outcome = monitor.ClassAPIActivity, monitor.OutcomeSuccess
	switch workload {
	case "SecurityComplianceCenter":
		rec.LogSource.Service = "threat_detection"
		if strings.HasPrefix(event, "Alert") {
			ev.Class = monitor.ClassDetectionFinding
			ev.Severity = m365Severity[text(v, "Severity")]
			if name := text(v, "Name"); name != "" {
				event = name
			}
		}
		rec.alias("Payload", "Parameters")
	case "Exchange":
		rec.LogSource.Service = "exchange"
	case "AzureActiveDirectory":
		if strings.HasPrefix(event, "UserLog") {
			ev.Class = monitor.ClassAuthentication
		}
	}
	if ev.Severity == "" {
		ev.Severity = monitor.SeverityInformational
	}
	switch strings.ToLower(text(v, "ResultStatus")) {
	case "failed", "failure", "false":
		ev.Outcome = monitor.OutcomeFailure
	}
	in.addFields([2]string{"eventSource", workload}, [2]string{"eventName", event}, [2]string{"status", strings.ToLower(string(ev.Outcome))})
	in.occurred("CreationTime")
	ev.User, ev.SrcIP = text(v, "UserId"), parseIP(text(v, "ClientIP", "ClientIPAddress", "ActorIpAddress"))
	ev.Message = workload + ": " + event + " by " + ev.User
}

var m365Severity = map[string]monitor.Severity{
	"Low": monitor.SeverityLow, "Medium": monitor.SeverityMedium, "High": monitor.SeverityHigh, "Informational": monitor.SeverityInformational,
}
