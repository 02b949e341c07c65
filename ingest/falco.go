package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Falco's alerts in JSON. https://falco.org/docs/concepts/outputs/formatting/

func isFalco(v *fastjson.Value) bool {
	return v.Exists("rule") && v.Exists("priority") && (v.Exists("output_fields") || v.Exists("output"))
}

var falcoSeverity = map[string]monitor.Severity{
	"emergency": monitor.SeverityCritical, "alert": monitor.SeverityCritical, "critical": monitor.SeverityCritical, "error": monitor.SeverityHigh,
	"warning": monitor.SeverityMedium, "notice": monitor.SeverityLow,
}

// falcoAliases gives Falco's fields the names of Sigma's rules for processes.
// https://falco.org/docs/reference/rules/supported-fields/
var falcoAliases = [][2]string{
	{"Image", "proc.exepath"},
	{"CommandLine", "proc.cmdline"},
	{"ParentImage", "proc.pexepath"},
	{"ParentCommandLine", "proc.pcmdline"},
	{"CurrentDirectory", "proc.cwd"},
	{"User", "user.name"},
	{"ProcessId", "proc.pid"},
	{"ParentProcessId", "proc.ppid"},
	{"TargetFilename", "fs.path.name"},
}

func normaliseFalco(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	fields := v.Get("output_fields")
	for _, pair := range falcoAliases {
		rec.alias(pair[0], "output_fields."+pair[1])
	}
	rec.LogSource = monitor.LogSource{Product: "falco", Service: text(v, "source")}
	in.occurred("time", "output_fields/evt.time")
	ev.Class, ev.Action = monitor.ClassDetectionFinding, text(v, "rule")
	if severity, ok := falcoSeverity[strings.ToLower(text(v, "priority"))]; ok {
		ev.Severity = severity
	}
	ev.Host, ev.User = text(v, "hostname"), text(fields, "user.name", "ka.user.name")
	ev.Process, ev.Command = text(fields, "proc.exepath", "proc.name"), text(fields, "proc.cmdline")
	ev.SrcIP, ev.SrcPort = parseIP(text(fields, "fd.cip")), parsePort(text(fields, "fd.cport"))
	ev.DstIP, ev.DstPort = parseIP(text(fields, "fd.sip")), parsePort(text(fields, "fd.sport"))
	if ev.FilePath = text(fields, "fs.path.name", "fd.name"); ev.DstIP.IsValid() {
		ev.FilePath = "" // fd.name is the connection
	}
	ev.Message = text(v, "rule")
	if output := text(v, "output"); output != "" {
		ev.Message += ": " + output
	}
}
