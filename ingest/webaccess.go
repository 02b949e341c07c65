package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Access logs of web servers in JSON, with nginx's variable names.

func isWebAccess(v *fastjson.Value) bool {
	return v.Exists("remote_addr") && v.Exists("status") && (v.Exists("request") || v.Exists("request_uri") || v.Exists("uri"))
}

func normaliseWebAccess(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	flatten(rec, "", v)
	rec.LogSource = monitor.LogSource{Category: "webserver"}
	if strings.Contains(strings.ToLower(text(v, "server_software", "program")), "apache") {
		rec.LogSource.Service = "apache"
	} else {
		rec.LogSource.Service = "nginx"
	}
	method, target := text(v, "request_method", "method"), text(v, "request_uri", "uri")
	if parts := strings.Fields(text(v, "request")); len(parts) >= 2 { // "GET /path HTTP/1.1"
		method, target = parts[0], parts[1]
	}
	stem, query, _ := strings.Cut(target, "?")
	if args := text(v, "args", "query_string"); args != "" {
		query = args
	}
	for _, pair := range [][2]string{
		{"c-ip", text(v, "remote_addr")},
		{"cs-method", method},
		{"cs-uri-stem", stem},
		{"cs-uri-query", query},
		{"cs-uri", target},
		{"sc-status", text(v, "status")},
		{"cs-user-agent", text(v, "http_user_agent", "user_agent")},
		{"cs-referer", text(v, "http_referer", "referer")},
		{"cs-host", text(v, "http_host", "server_name", "host")},
	} {
		if pair[1] != "" {
			addText(rec, pair[0], pair[1])
		}
	}
	in.occurred("time_iso8601", "time", "timestamp", "@timestamp", "time_local", "msec")
	ev.Class, ev.Action, ev.Outcome = monitor.ClassHTTPActivity, "http_"+strings.ToLower(method), monitor.OutcomeSuccess
	if status := text(v, "status"); status >= "400" {
		ev.Outcome = monitor.OutcomeFailure
	}
	ev.Host, ev.Domain = text(v, "hostname", "host"), text(v, "http_host", "server_name")
	ev.User = strings.Trim(text(v, "remote_user"), "-")
	ev.SrcIP, ev.SrcPort = parseIP(text(v, "remote_addr")), parsePort(text(v, "remote_port"))
	ev.URL = target
	if query != "" && !strings.Contains(target, "?") {
		ev.URL += "?" + query
	}
	ev.Message = method + " " + ev.URL + " " + text(v, "status") + " from " + text(v, "remote_addr")
}
