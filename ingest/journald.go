package ingest

import (
	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// systemd journal entries as `journalctl -o json` and its shippers write them.
// https://systemd.io/JOURNAL_EXPORT_FORMATS/

func isJournald(v *fastjson.Value) bool {
	return v.Exists("MESSAGE") && (v.Exists("__REALTIME_TIMESTAMP") || v.Exists("SYSLOG_IDENTIFIER") || v.Exists("_SYSTEMD_UNIT") || v.Exists("_HOSTNAME"))
}

// prioritySeverity maps syslog's priorities.
var prioritySeverity = map[string]monitor.Severity{
	"0": monitor.SeverityHigh, "1": monitor.SeverityHigh, "2": monitor.SeverityHigh, "3": monitor.SeverityMedium, "4": monitor.SeverityLow,
}

func normaliseJournald(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	message := journalText(v.Get("MESSAGE"))
	v.GetObject().Visit(func(key []byte, value *fastjson.Value) {
		if name := clean(string(key)); name != "MESSAGE" {
			rec.flatten(name, value)
		}
	})
	rec.addText("MESSAGE", message)
	if text(v, "_TRANSPORT") == "audit" { // the type stands beside the message
		if kind := text(v, "_AUDIT_TYPE_NAME"); kind != "" {
			rec.addText("type", kind)
		}
		auditPairs(rec, message)
	}
	program := text(v, "SYSLOG_IDENTIFIER", "_COMM")
	if text(v, "_TRANSPORT") == "audit" {
		program = "auditd"
	}
	in.occurred("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")
	ev.Host = text(v, "_HOSTNAME", "HOSTNAME")
	ev.Process = text(v, "_EXE", "_COMM", "SYSLOG_IDENTIFIER")
	ev.Command = text(v, "_CMDLINE")
	if severity, ok := prioritySeverity[text(v, "PRIORITY")]; ok {
		ev.Severity = severity
	}
	in.describeProgram(program, message)
}

// journalText reads a message, which is a list of bytes where it is no clean text.
func journalText(v *fastjson.Value) string {
	if v.Type() != fastjson.TypeArray {
		return scalar(v)
	}
	bytes := make([]byte, 0, len(v.GetArray()))
	for _, b := range v.GetArray() {
		bytes = append(bytes, byte(b.GetInt()))
	}
	return clean(string(bytes))
}
