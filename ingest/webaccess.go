package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Access logs of web servers: lines of the common and combined formats of Apache and
// nginx, also with the virtual host before them, and JSON with nginx's variable names.
// https://httpd.apache.org/docs/2.4/logs.html, https://nginx.org/en/docs/http/ngx_http_log_module.html

func isWebAccess(v *fastjson.Value) bool {
	if v.Exists("remote_addr") && v.Exists("status") && (v.Exists("request") || v.Exists("request_uri") || v.Exists("uri")) {
		return true
	}
	_, ok := parseAccess(lineOf(v))
	return ok
}

// webRequest is what an access log says of a request.
type webRequest struct {
	client, user, time, method, target, status, bytes, referer, agent, host string
}

// parseAccess reads a line of the common or combined format:
//
//	203.0.113.20 - ana [04/May/2026:09:42:00 +0000] "GET /x?y=1 HTTP/1.1" 200 51 "https://a.example/" "curl/8"
//
// What a client sends stands between quotes, in which the servers escape quotes.
func parseAccess(line string) (r webRequest, ok bool) {
	head, rest, ok := strings.Cut(line, " [")
	if !ok || len(rest) < 30 || rest[2] != '/' || rest[6] != '/' || rest[11] != ':' {
		return r, false
	}
	r.time, rest, ok = strings.Cut(rest, "] \"")
	words := strings.Fields(head)
	if !ok || len(words) < 3 || len(words) > 4 {
		return r, false
	}
	if len(words) == 4 { // %v:%p before it
		r.host, _, _ = strings.Cut(words[0], ":")
		words = words[1:]
	}
	r.client, r.user = words[0], nilValue(words[2])
	request, rest, ok := quotedPart(rest)
	if !ok {
		return r, false
	}
	r.method, r.target = splitRequest(request)
	numbers := strings.SplitN(strings.TrimPrefix(rest, " "), " ", 3)
	if len(numbers) < 2 || len(numbers[0]) != 3 || !isNumber(numbers[0]) {
		return r, false
	}
	r.status, r.bytes = numbers[0], nilValue(numbers[1])
	if len(numbers) < 3 || !strings.HasPrefix(numbers[2], `"`) {
		return r, true
	}
	r.referer, rest, _ = quotedPart(numbers[2][1:])
	if agent, ok := strings.CutPrefix(rest, ` "`); ok {
		r.agent, _, _ = quotedPart(agent)
	}
	r.referer, r.agent = nilValue(r.referer), nilValue(r.agent)
	return r, true
}

// quotedPart gives what stands before the next quote without a backslash.
func quotedPart(s string) (part, rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return strings.ReplaceAll(s[:i], `\"`, `"`), s[i+1:], true
		}
	}
	return "", s, false
}

// splitRequest takes "GET /path HTTP/1.1" apart; the target may have spaces in it.
func splitRequest(request string) (method, target string) {
	method, target, ok := strings.Cut(strings.TrimSpace(request), " ")
	if !ok {
		return "", request
	}
	if i := strings.LastIndex(target, " HTTP/"); i >= 0 {
		target = target[:i]
	}
	return method, target
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func normaliseWebAccess(in *input) {
	rec, v := in.rec, in.v
	rec.flatten("", v)
	server := "nginx"
	hint := strings.ToLower(text(v, "server_software", "program", "fileset/module", "event/module", "service/name", "service") + " " + fileOf(v))
	if strings.Contains(hint, "apache") || strings.Contains(hint, "httpd") {
		server = "apache"
	}
	in.occurred("time_iso8601", "time", "timestamp", "@timestamp", "time_local", "msec")
	in.ev.Host = lineHost(v)
	if r, ok := parseAccess(lineOf(v)); ok && !v.Exists("remote_addr") {
		in.describeAccess(&r, server)
		return
	}
	r := webRequest{
		client: text(v, "remote_addr"), user: strings.Trim(text(v, "remote_user"), "-"), method: text(v, "request_method", "method"), target: text(v, "request_uri", "uri"),
		status: text(v, "status"), referer: nilValue(text(v, "http_referer", "referer")), agent: nilValue(text(v, "http_user_agent", "user_agent")), host: text(v, "http_host", "server_name", "host"),
	}
	if method, target := splitRequest(text(v, "request")); method != "" {
		r.method, r.target = method, target
	}
	if args := text(v, "args", "query_string"); args != "" && !strings.Contains(r.target, "?") {
		r.target += "?" + args
	}
	in.describeAccess(&r, server)
	in.ev.Domain = text(v, "http_host", "server_name")
	in.ev.SrcPort = parsePort(text(v, "remote_port"))
}

// describeAccess fills envelope and fields of a request.
func (in *input) describeAccess(r *webRequest, server string) {
	ev := in.ev
	in.rec.LogSource = monitor.LogSource{Category: "webserver", Service: server}
	if r.time != "" {
		in.occurredText(r.time)
	}
	in.addRequest(r)
	ev.Class, ev.Action, ev.Outcome = monitor.ClassHTTPActivity, "http_"+strings.ToLower(r.method), monitor.OutcomeSuccess
	if r.status >= "400" {
		ev.Outcome = monitor.OutcomeFailure
	}
	ev.Domain, ev.User, ev.URL, ev.SrcIP = r.host, r.user, r.target, parseIP(r.client)
	ev.Message = r.method + " " + r.target + " " + r.status + " from " + r.client
}

// addRequest adds a request by the names of W3C's extended log format, which Sigma's
// rules for web servers use. What they call cs-uri-query is often the path: the field
// has the query and the whole target.
func (in *input) addRequest(r *webRequest) {
	stem, query, _ := strings.Cut(r.target, "?")
	in.addFields([2]string{"c-ip", r.client}, [2]string{"cs-method", r.method}, [2]string{"cs-uri-stem", stem}, [2]string{"cs-uri", r.target},
		[2]string{"sc-status", r.status}, [2]string{"sc-bytes", r.bytes}, [2]string{"cs-user-agent", r.agent}, [2]string{"cs-referer", r.referer},
		[2]string{"cs-host", r.host}, [2]string{"cs-username", r.user})
	if r.target == "" {
		return
	}
	whole := monitor.Value{Kind: monitor.StringValue, Text: r.target}
	if query == "" {
		in.rec.add("cs-uri-query", whole)
		return
	}
	in.rec.add("cs-uri-query", monitor.Value{Kind: monitor.StringValue, Text: query}, whole)
}

// addProxy adds a request that was seen on the wire by the names of Sigma's rules for
// proxies: c-uri has the path and the whole address.
func (in *input) addProxy(r webRequest) {
	in.addRequest(&r)
	in.addFields([2]string{"c-useragent", r.agent})
	if r.target == "" {
		return
	}
	path := monitor.Value{Kind: monitor.StringValue, Text: r.target}
	if strings.Contains(r.target, "://") || r.host == "" {
		in.rec.add("c-uri", path)
	} else {
		in.rec.add("c-uri", path, monitor.Value{Kind: monitor.StringValue, Text: "http://" + r.host + r.target})
	}
	stem, query, _ := strings.Cut(r.target, "?")
	in.addFields([2]string{"c-uri-query", query})
	if name := base(stem); strings.Contains(name, ".") {
		in.addFields([2]string{"c-uri-extension", name[strings.LastIndexByte(name, '.')+1:]})
	}
}
