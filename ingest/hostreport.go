package ingest

import (
	"net/netip"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// The reports of a host agent. "report" tells which:
//
//	malware       file_path, file_name, file_size, md5, sha256, score (0-100), indicators, process, status
//	web_activity  domain, address, port, browser, url, score (0-100), category, action: blocked | allowed
//	network       port, open, service, connection_count, local_address, remote_address, process, scan_duration_ms
//
// and all have time and host. Rules find them under product secmon, category
// malware_report, web_activity and network_report. hostagent.go has those that only our own
// agent sends.

var reportKinds = map[string]func(*input){
	"malware": (*input).malwareReport, "web_activity": (*input).webReport, "network": (*input).networkReport,
	"connection": (*input).connectionReport, "process": (*input).processReport, "file": (*input).fileReport,
	"heartbeat": (*input).heartbeatReport, "inventory": (*input).inventoryReport,
}

func isHostReport(v *fastjson.Value) bool {
	return reportKinds[string(v.GetStringBytes("report"))] != nil
}

func normaliseHostReport(in *input) {
	in.rec.flatten("", in.v)
	in.occurred("time", "timestamp")
	in.ev.Host = text(in.v, "host")
	in.ev.User = text(in.v, "user")
	in.ev.Process = text(in.v, "process")
	kind := text(in.v, "report")
	in.ev.Format = kind
	reportKinds[kind](in)
}

// scoreSeverity gives the severity of a score from 0 to 100.
func scoreSeverity(score float64) monitor.Severity {
	switch {
	case score >= 90:
		return monitor.SeverityCritical
	case score >= 70:
		return monitor.SeverityHigh
	case score >= 40:
		return monitor.SeverityMedium
	case score >= 10:
		return monitor.SeverityLow
	default:
		return monitor.SeverityInformational
	}
}

func (in *input) malwareReport() {
	ev, v := in.ev, in.v
	in.rec.LogSource = monitor.LogSource{Product: "secmon", Category: "malware_report"}
	ev.Class, ev.Action = monitor.ClassDetectionFinding, "malware_"+strings.ToLower(text(v, "status"))
	ev.Severity = scoreSeverity(v.GetFloat64("score"))
	ev.FilePath, ev.FileHash = text(v, "file_path", "file_name"), text(v, "sha256", "md5")
	ev.Message = "Malware report: " + text(v, "file_name", "file_path") + " on " + ev.Host + ", score " + text(v, "score")
	if status := text(v, "status"); status != "" {
		ev.Message += ", " + status
	}
}

func (in *input) webReport() {
	ev, v := in.ev, in.v
	in.rec.LogSource = monitor.LogSource{Product: "secmon", Category: "web_activity"}
	ev.Class, ev.Action = monitor.ClassHTTPActivity, "web_"+text(v, "action")
	ev.Severity = scoreSeverity(v.GetFloat64("score"))
	ev.Outcome = monitor.OutcomeSuccess
	if text(v, "action") == "blocked" {
		ev.Outcome = monitor.OutcomeFailure
	}
	ev.Domain, ev.URL, ev.Process = text(v, "domain"), text(v, "url"), text(v, "browser", "process")
	ev.DstIP, ev.DstPort = parseIP(text(v, "address")), parsePort(text(v, "port"))
	ev.Message = text(v, "browser") + " on " + ev.Host + " asked for " + ev.Domain + " (" + text(v, "category") + "): " + text(v, "action")
}

func (in *input) networkReport() {
	ev, v := in.ev, in.v
	in.rec.LogSource = monitor.LogSource{Product: "secmon", Category: "network_report"}
	ev.Class, ev.Action = monitor.ClassNetworkActivity, "port_closed"
	if v.GetBool("open") {
		ev.Action = "port_open"
	}
	ev.SrcIP, ev.SrcPort = addressAndPort(text(v, "remote_address"))
	ev.DstIP, ev.DstPort = addressAndPort(text(v, "local_address"))
	if ev.DstPort == 0 {
		ev.DstPort = parsePort(text(v, "port"))
	}
	if image := text(v, "executable"); image != "" {
		ev.Process = image
	}
	ev.Command = text(v, "command_line")
	ev.Message = "Port " + text(v, "port") + " (" + text(v, "service") + ") on " + ev.Host + ": " + strings.TrimPrefix(ev.Action, "port_") +
		", " + text(v, "connection_count") + " connections"
	if text(v, "change") == "opened" {
		ev.Action = "port_opened"
		ev.Message = "New: " + ev.Message
	}
}

// addressAndPort reads "10.0.0.5:443", "[::1]:443" or an address alone.
func addressAndPort(s string) (netip.Addr, uint16) {
	if both, err := netip.ParseAddrPort(s); err == nil {
		return both.Addr().Unmap(), both.Port()
	}
	return parseIP(s), 0
}
