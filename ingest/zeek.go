package ingest

import (
	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Zeek's logs in JSON, with the log's name in _path.
// https://docs.zeek.org/en/master/log-formats.html

func isZeek(v *fastjson.Value) bool {
	return v.Exists("_path") && (v.Exists("uid") || v.Exists("id.orig_h") || v.Exists("ts"))
}

var zeekClass = map[string]monitor.EventClass{
	"dns": monitor.ClassDNSActivity, "http": monitor.ClassHTTPActivity, "files": monitor.ClassFileActivity, "smb_files": monitor.ClassFileActivity,
	"notice": monitor.ClassDetectionFinding, "weird": monitor.ClassDetectionFinding, "kerberos": monitor.ClassAuthentication, "ntlm": monitor.ClassAuthentication,
}

func normaliseZeek(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	flatten(rec, "", v)
	log := text(v, "_path")
	rec.LogSource = monitor.LogSource{Product: "zeek", Service: log}
	in.occurred("ts", "_write_ts", "@timestamp")
	ev.Class, ev.Action = monitor.ClassNetworkActivity, log
	if class, ok := zeekClass[log]; ok {
		ev.Class = class
	}
	ev.Host = text(v, "_system_name", "peer_descr", "hostname")
	ev.User = text(v, "username", "user", "client")
	ev.SrcIP, ev.SrcPort = parseIP(text(v, "id.orig_h", "src")), parsePort(text(v, "id.orig_p"))
	ev.DstIP, ev.DstPort = parseIP(text(v, "id.resp_h", "dst")), parsePort(text(v, "id.resp_p"))
	ev.Domain = text(v, "query", "server_name", "host")
	ev.URL, ev.FilePath = text(v, "uri"), text(v, "path", "filename")
	ev.FileHash = text(v, "sha256", "sha1", "md5")
	ev.Message = "Zeek " + log
	if from := text(v, "id.orig_h"); from != "" {
		ev.Message += ": " + from + " → " + text(v, "id.resp_h")
	}
	if about := text(v, "note", "query", "uri", "filename", "server_name", "service", "name"); about != "" {
		ev.Message += ", " + about
	}
}
