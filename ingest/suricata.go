package ingest

import (
	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Suricata EVE. https://docs.suricata.io/en/latest/output/eve/eve-json-format.html

func isSuricata(v *fastjson.Value) bool {
	return v.Exists("event_type") && (v.Exists("flow_id") || v.Exists("alert") || v.Exists("stats"))
}

// suricataSeverity maps alert.severity, where 1 is the worst.
var suricataSeverity = map[string]monitor.Severity{
	"1": monitor.SeverityHigh, "2": monitor.SeverityMedium, "3": monitor.SeverityLow, "4": monitor.SeverityInformational,
}

var suricataClass = map[string]monitor.EventClass{
	"alert": monitor.ClassDetectionFinding, "dns": monitor.ClassDNSActivity, "http": monitor.ClassHTTPActivity, "fileinfo": monitor.ClassFileActivity,
	"flow": monitor.ClassNetworkActivity, "tls": monitor.ClassNetworkActivity, "ssh": monitor.ClassNetworkActivity, "smb": monitor.ClassNetworkActivity,
}

func normaliseSuricata(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	kind := text(v, "event_type")
	rec.LogSource = monitor.LogSource{Product: "suricata", Service: kind}
	switch kind {
	case "dns":
		rec.LogSource.Category = "dns"
		rec.alias("query", "dns.rrname", "dns.queries.rrname") // version 3 of the format has lists
		rec.alias("record_type", "dns.rrtype", "dns.queries.rrtype")
		rec.alias("answer", "dns.answers.rdata")
	case "http":
		rec.LogSource.Category = "proxy"
		in.addProxy(webRequest{
			client: text(v, "src_ip"), method: text(v, "http/http_method"), target: text(v, "http/url"), host: text(v, "http/hostname"),
			agent: text(v, "http/http_user_agent"), referer: text(v, "http/http_refer"), status: text(v, "http/status"),
		})
	}
	rec.alias("dst_ip", "dest_ip")
	rec.alias("dst_port", "dest_port")
	in.occurred("timestamp")
	ev.Action = kind
	if class, ok := suricataClass[kind]; ok {
		ev.Class = class
	}
	ev.Host = text(v, "host", "sensor_name")
	ev.SrcIP, ev.SrcPort = parseIP(text(v, "src_ip")), parsePort(text(v, "src_port"))
	ev.DstIP, ev.DstPort = parseIP(text(v, "dest_ip")), parsePort(text(v, "dest_port"))
	ev.Domain = text(v, "http/hostname", "tls/sni", "dns/rrname")
	if ev.Domain == "" {
		ev.Domain = rec.Text("query")
	}
	ev.URL = text(v, "http/url")
	ev.FileHash = text(v, "fileinfo/sha256", "fileinfo/md5")
	ev.Message = kind + " " + text(v, "proto") + " " + text(v, "src_ip") + " → " + text(v, "dest_ip")
	if kind == "alert" {
		ev.Severity = monitor.SeverityMedium
		if severity, ok := suricataSeverity[text(v, "alert/severity")]; ok {
			ev.Severity = severity
		}
		if text(v, "alert/action") == "blocked" {
			ev.Outcome = monitor.OutcomeFailure
		}
		ev.Message = text(v, "alert/signature") + ": " + text(v, "src_ip") + " → " + text(v, "dest_ip")
	}
}
