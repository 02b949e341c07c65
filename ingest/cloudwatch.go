package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Alarms of Amazon CloudWatch, as it tells SNS and as EventBridge has them.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html

func isCloudWatch(v *fastjson.Value) bool {
	return string(v.GetStringBytes("source")) == "aws.cloudwatch" && v.Exists("detail", "alarmName") ||
		v.Exists("AlarmName") && v.Exists("NewStateValue") && v.Exists("AWSAccountId")
}

func normaliseCloudWatch(in *input) {
	ev, rec := in.ev, in.rec
	rec.flatten("", in.v)
	rec.LogSource = monitor.LogSource{Product: "aws", Service: "cloudwatch"}
	in.occurred("StateChangeTime", "detail/state/timestamp", "time")
	ev.Class, ev.Action = monitor.ClassDetectionFinding, text(in.v, "NewStateValue", "detail/state/value")
	if ev.Action == "ALARM" {
		ev.Severity = monitor.SeverityMedium
	}
	for _, dimension := range in.v.GetArray("Trigger", "Dimensions") {
		if text(dimension, "name") == "InstanceId" {
			ev.Host = text(dimension, "value")
		}
	}
	rec.addUnlessThere("alarm", text(in.v, "AlarmName", "detail/alarmName"))
	rec.addUnlessThere("state", ev.Action)
	ev.Message = text(in.v, "AlarmName", "detail/alarmName") + ": " + ev.Action
	if reason := text(in.v, "NewStateReason", "detail/state/reason"); reason != "" {
		ev.Message += ", " + reason
	}
}

// Events of Amazon EventBridge that no other format knows.
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html

func isEventBridge(v *fastjson.Value) bool {
	return v.Exists("detail-type") && v.Exists("source") && v.Exists("detail")
}

func normaliseEventBridge(in *input) {
	ev, rec := in.ev, in.rec
	rec.flatten("", in.v)
	service, _ := strings.CutPrefix(text(in.v, "source"), "aws.")
	rec.LogSource = monitor.LogSource{Product: "aws", Service: service}
	in.occurred("time")
	ev.Class, ev.Action = monitor.ClassAPIActivity, text(in.v, "detail-type")
	ev.Host = text(in.v, "detail/instance-id", "detail/instanceId", "detail/EC2InstanceId")
	ev.User = text(in.v, "detail/userIdentity/userName", "detail/userIdentity/arn")
	ev.SrcIP = parseIP(text(in.v, "detail/sourceIPAddress", "detail/source-ip-address"))
	ev.Message = strings.TrimSpace(ev.Action + " of " + service + " " + resourceName(text(in.v, "resources/0")))
}
