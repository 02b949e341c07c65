package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Zeek's logs in JSON. Its JSON streaming writer puts the log's name into _path; the
// plain one does not: then the file's name or the fields tell. Its own format, TSV, is
// read by zeektsv.go.
// https://docs.zeek.org/en/master/log-formats.html

func isZeek(v *fastjson.Value) bool {
	if v.Exists("_path") {
		return v.Exists("uid") || v.Exists("id.orig_h") || v.Exists("ts")
	}
	return v.Exists("ts") && (v.Exists("uid") && v.Exists("id.orig_h") || zeekOwn(v) != "")
}

// zeekMarks are fields that only one log has, in the order in which they are asked.
// https://docs.zeek.org/en/master/script-reference/log-files.html
var zeekMarks = [][2]string{
	{"conn_state", "conn"},
	{"qtype_name", "dns"},
	{"rcode_name", "dns"},
	{"trans_depth", "http"},
	{"dce_rpc", "dce_rpc"},
	{"endpoint", "dce_rpc"},
	{"operation", "dce_rpc"},
	{"cipher_alg", "ssh"},
	{"host_key_alg", "ssh"},
	{"auth_attempts", "ssh"},
	{"request_type", "kerberos"},
	{"ntlmssp", "ntlm"},
	{"server_nb_computer_name", "ntlm"},
	{"ssl_history", "ssl"},
	{"established", "ssl"},
	{"security_protocol", "rdp"},
	{"mailfrom", "smtp"},
	{"helo", "smtp"},
	{"share_type", "smb_mapping"},
	{"native_file_system", "smb_mapping"},
	{"failure_reason", "dpd"},
	{"analyzer", "dpd"},
	{"note", "notice"},
	{"notice", "weird"},
	{"msg_types", "dhcp"},
	{"tunnel_type", "tunnel"},
}

// zeekOwn are the logs whose records are of no one connection.
func zeekOwn(v *fastjson.Value) string {
	switch {
	case v.Exists("certificate.serial"):
		return "x509"
	case v.Exists("fuid") && v.Exists("source") && v.Exists("analyzers"):
		return "files"
	case v.Exists("note") && v.Exists("actions"):
		return "notice"
	case v.Exists("machine") && v.Exists("subsystem") && v.Exists("compile_ts"):
		return "pe"
	}
	return ""
}

// zeekLog names the log that a record is of.
func zeekLog(v *fastjson.Value) string {
	if log := text(v, "_path"); log != "" {
		return log
	}
	if file := base(text(v, "log/file/path", "filename", "file_path", "filePath", "file")); strings.HasSuffix(file, ".log") {
		name, _, _ := strings.Cut(file, ".") // conn.log, conn.09:00:00-10:00:00.log
		return name
	}
	if log := zeekOwn(v); log != "" {
		return log
	}
	if action := text(v, "action"); strings.HasPrefix(action, "SMB::") {
		return "smb_files"
	}
	for _, mark := range zeekMarks {
		if v.Exists(mark[0]) {
			return mark[1]
		}
	}
	return ""
}

var zeekClass = map[string]monitor.EventClass{
	"dns": monitor.ClassDNSActivity, "http": monitor.ClassHTTPActivity, "files": monitor.ClassFileActivity, "smb_files": monitor.ClassFileActivity,
	"notice": monitor.ClassDetectionFinding, "weird": monitor.ClassDetectionFinding, "kerberos": monitor.ClassAuthentication, "ntlm": monitor.ClassAuthentication,
}

func normaliseZeek(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	log := zeekLog(v)
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
	if log == "smb_files" {
		ev.FilePath = strings.TrimRight(text(v, "path"), `\`) + `\` + text(v, "name")
	}
	ev.FileHash = text(v, "sha256", "sha1", "md5")
	in.aliasZeek(log)
	ev.Message = "Zeek " + log
	if from := text(v, "id.orig_h"); from != "" {
		ev.Message += ": " + from + " → " + text(v, "id.resp_h")
	}
	if about := text(v, "note", "query", "uri", "filename", "server_name", "service", "name"); about != "" {
		ev.Message += ", " + about
	}
}

// aliasZeek makes records of http and dns such that Sigma's rules for proxies and for
// DNS look at them too.
func (in *input) aliasZeek(log string) {
	rec, v := in.rec, in.v
	rec.alias("src_ip", "id.orig_h")
	rec.alias("src_port", "id.orig_p")
	rec.alias("dst_ip", "id.resp_h")
	rec.alias("dst_port", "id.resp_p")
	switch log {
	case "dns":
		rec.LogSource.Category = "dns"
		rec.alias("record_type", "qtype_name")
		rec.alias("answer", "answers")
	case "http":
		rec.LogSource.Category = "proxy"
		in.addProxy(webRequest{
			client: text(v, "id.orig_h"), method: text(v, "method"), target: text(v, "uri"), host: text(v, "host"), agent: text(v, "user_agent"),
			referer: text(v, "referrer"), status: text(v, "status_code"), user: text(v, "username"),
		})
	}
}
