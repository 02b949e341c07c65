package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Falco's alerts in JSON. https://falco.org/docs/concepts/outputs/formatting/

func isFalco(v *fastjson.Value) bool {
	return v.Exists("output_fields") && v.Exists("rule") && v.Exists("priority")
}

var falcoSeverity = map[string]monitor.Severity{
	"emergency": monitor.SeverityCritical, "alert": monitor.SeverityCritical, "critical": monitor.SeverityCritical, "error": monitor.SeverityHigh,
	"warning": monitor.SeverityMedium, "notice": monitor.SeverityLow,
}

func normaliseFalco(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	flatten(rec, "", v)
	fields := v.Get("output_fields")
	rec.LogSource = monitor.LogSource{Product: "falco", Service: text(v, "source")}
	in.occurred("time", "output_fields/evt.time")
	ev.Class, ev.Action = monitor.ClassDetectionFinding, text(v, "rule")
	if severity, ok := falcoSeverity[strings.ToLower(text(v, "priority"))]; ok {
		ev.Severity = severity
	}
	ev.Host, ev.User = text(v, "hostname"), text(fields, "user.name", "ka.user.name")
	ev.Process, ev.Command = text(fields, "proc.exepath", "proc.name"), text(fields, "proc.cmdline")
	ev.FilePath = text(fields, "fd.name")
	ev.Message = text(v, "rule") + ": " + text(v, "output")
}
