package ingest

import (
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// normaliseGeneric keeps a record of unknown shape whole, and finds what it can
// under the names that ECS, OCSF and common loggers use.
func normaliseGeneric(in *input) {
	ev, v := in.ev, in.v
	in.rec.flatten("", v)
	in.rec.LogSource = monitor.LogSource{
		Product: text(v, "product", "event/module", "log_source/product"), Category: text(v, "category", "log_source/category"),
		Service: text(v, "service/name", "service", "program", "appname", "log_source/service"),
	}
	in.occurred("@timestamp", "timestamp", "time", "ts", "datetime", "date", "eventTime", "event/created", "created_at")
	ev.Host = text(v, "host/name", "host/hostname", "hostname", "host", "device/hostname", "computer", "agent/hostname")
	ev.User = text(v, "user/name", "username", "user", "actor/user/name", "account")
	ev.Action = text(v, "event/action", "action", "event_type", "event", "activity_name", "type")
	ev.Message = text(v, "message", "msg", "log", "summary", "description")
	ev.SrcIP, ev.SrcPort = parseIP(text(v, "source/ip", "src_endpoint/ip", "src_ip", "source_ip", "client_ip", "remote_addr", "id.orig_h")), parsePort(text(v, "source/port", "src_endpoint/port", "src_port", "id.orig_p"))
	ev.DstIP, ev.DstPort = parseIP(text(v, "destination/ip", "dst_endpoint/ip", "dst_ip", "dest_ip", "destination_ip", "id.resp_h")), parsePort(text(v, "destination/port", "dst_endpoint/port", "dst_port", "dest_port", "id.resp_p"))
	ev.Process = text(v, "process/executable", "process/file/path", "process/name", "process", "exe")
	ev.Command = text(v, "process/command_line", "process/cmd_line", "command_line", "cmdline", "command")
	ev.FilePath = text(v, "file/path", "file_path", "path")
	ev.FileHash = text(v, "file/hash/sha256", "process/hash/sha256", "sha256", "file/hash/md5", "md5")
	ev.Domain = text(v, "url/domain", "dns/question/name", "domain", "query", "server_name")
	ev.URL = text(v, "url/full", "url/original", "url", "uri")
	switch strings.ToLower(text(v, "event/outcome", "outcome", "result", "status")) {
	case "success", "ok", "succeeded", "allowed":
		ev.Outcome = monitor.OutcomeSuccess
	case "failure", "failed", "fail", "denied", "blocked", "error":
		ev.Outcome = monitor.OutcomeFailure
	}
	if severity, ok := genericSeverity[strings.ToLower(text(v, "severity", "log/level", "level", "priority"))]; ok {
		ev.Severity = severity
	}
	if class, ok := ocsfClass[text(v, "class_uid")]; ok {
		ev.Class = class
	} else if class, ok := ecsClass[text(v, "event/category")]; ok {
		ev.Class = class
	}
}

// genericSeverity understands the words of loggers and of OCSF; numbers mean
// something else in each source.
var genericSeverity = map[string]monitor.Severity{
	"low": monitor.SeverityLow, "warning": monitor.SeverityLow, "warn": monitor.SeverityLow,
	"medium": monitor.SeverityMedium, "moderate": monitor.SeverityMedium, "error": monitor.SeverityMedium, "err": monitor.SeverityMedium,
	"high": monitor.SeverityHigh, "critical": monitor.SeverityHigh, "crit": monitor.SeverityHigh, "alert": monitor.SeverityHigh,
	"fatal": monitor.SeverityCritical, "emergency": monitor.SeverityCritical,
}

// ocsfClass maps class_uid of OCSF 1.x. https://schema.ocsf.io
var ocsfClass = map[string]monitor.EventClass{
	"1001": monitor.ClassFileActivity, "1005": monitor.ClassModuleActivity, "1007": monitor.ClassProcessActivity,
	"201001": monitor.ClassRegistryActivity, "201002": monitor.ClassRegistryActivity, "2004": monitor.ClassDetectionFinding, "3001": monitor.ClassAccountChange,
	"3002": monitor.ClassAuthentication, "4001": monitor.ClassNetworkActivity, "4002": monitor.ClassHTTPActivity, "4003": monitor.ClassDNSActivity,
	"6003": monitor.ClassAPIActivity,
}
