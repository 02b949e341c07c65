package ingest

import (
	"strings"

	"github.com/valyala/fastjson"
)

// lineKeys are where shippers put a line of text: Filebeat, Vector and Logstash
// (message), Fluent Bit, Docker and containerd (log), the journal (MESSAGE), rsyslog
// (msg), Splunk (_raw), OpenTelemetry (body).
var lineKeys = []string{"message", "log", "MESSAGE", "msg", "_raw", "line", "body"}

// lineOf gives the line of text that a record is about, "" where it is about none.
func lineOf(v *fastjson.Value) string {
	for _, key := range lineKeys {
		if found := v.Get(key); found != nil && found.Type() == fastjson.TypeString {
			return strings.TrimRight(clean(string(found.GetStringBytes())), "\r\n")
		}
	}
	return ""
}

// lineHost gives the host that a line is from, as its shipper says it.
func lineHost(v *fastjson.Value) string {
	return text(v, "host/name", "host/hostname", "hostname", "host", "agent/hostname", "_HOSTNAME", "HOST", "computer")
}

// fileOf gives the file that a line was read from.
func fileOf(v *fastjson.Value) string {
	return text(v, "log/file/path", "log.file.path", "filename", "file", "file_path", "filePath", "source", "path")
}
