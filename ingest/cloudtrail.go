package ingest

import (
	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// AWS CloudTrail records.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

func isCloudTrail(v *fastjson.Value) bool {
	return v.Exists("eventSource") && v.Exists("eventName") && (v.Exists("eventVersion") || v.Exists("userIdentity"))
}

func normaliseCloudTrail(in *input) {
	ev, rec := in.ev, in.rec
	flatten(rec, "", in.v)
	rec.LogSource = monitor.LogSource{Product: "aws", Service: "cloudtrail"}
	in.occurred("eventTime")
	ev.Class, ev.Outcome = monitor.ClassAPIActivity, monitor.OutcomeSuccess
	ev.Action = text(in.v, "eventName")
	ev.User = text(in.v, "userIdentity/userName", "userIdentity/arn", "userIdentity/sessionContext/sessionIssuer/userName", "userIdentity/invokedBy", "userIdentity/type")
	ev.SrcIP = parseIP(text(in.v, "sourceIPAddress"))
	fault := text(in.v, "errorCode")
	if fault != "" || text(in.v, "responseElements/ConsoleLogin") == "Failure" {
		ev.Outcome = monitor.OutcomeFailure
		ev.Severity = monitor.SeverityLow
	}
	if ev.Action == "ConsoleLogin" {
		ev.Class = monitor.ClassAuthentication
	}
	ev.Message = ev.Action + " by " + ev.User
	if from := text(in.v, "sourceIPAddress"); from != "" {
		ev.Message += " from " + from
	}
	if fault != "" {
		ev.Message += ": " + fault
	}
}
