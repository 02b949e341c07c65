package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// AWS CloudTrail records.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

func isCloudTrail(v *fastjson.Value) bool {
	if d := v.Get("detail"); d != nil && v.Exists("detail-type") {
		v = d
	}
	return v.Exists("eventSource") && v.Exists("eventName") && (v.Exists("eventVersion") || v.Exists("userIdentity"))
}

func normaliseCloudTrail(in *input) {
	ev, rec := in.ev, in.rec
	if detail := in.v.Get("detail"); detail != nil && !in.v.Exists("eventName") { // of EventBridge
		in.v = detail
	}
	rec.flatten("", in.v)
	for _, name := range []string{"requestParameters", "responseElements"} { // some rules ask for what stands anywhere in them
		if part := in.v.Get(name); part != nil && part.Type() == fastjson.TypeObject {
			rec.addText(name, clean(string(part.MarshalTo(nil))))
		}
	}
	rec.alias("src_ip", "sourceIPAddress")
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
	rec.addUnlessThere("status", strings.ToLower(string(ev.Outcome)))
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
