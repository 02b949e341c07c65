package ingest

import (
	"regexp"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Lines of network devices and proxies: FortiGate, Cisco IOS, Squid.

// https://docs.fortinet.com/document/fortigate/latest/fortios-log-message-reference
func isFortiGate(v *fastjson.Value) bool {
	if v.Exists("logid") && v.Exists("devid") && v.Exists("type") {
		return true
	}
	line := lineOf(v)
	return strings.Contains(line, "logid=") && strings.Contains(line, "devid=")
}

func normaliseFortiGate(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	if line := lineOf(v); !v.Exists("logid") {
		if i := strings.Index(line, "date="); i > 0 { // behind the priority and what relays put before
			line = line[i:]
		}
		auditPairs(rec, line)
	}
	kind := rec.Text("type")
	rec.LogSource = monitor.LogSource{Product: "fortigate", Service: kind}
	if !in.occurredText(rec.Text("eventtime")) && !in.occurredText(strings.TrimSpace(rec.Text("date")+" "+rec.Text("time"))) {
		in.occurred("@timestamp")
	}
	ev.Action, ev.Host, ev.User = strings.ToLower(rec.Text("action")), rec.Text("devname", "devid"), rec.Text("user")
	ev.SrcIP, ev.SrcPort = parseIP(rec.Text("srcip")), parsePort(rec.Text("srcport"))
	ev.DstIP, ev.DstPort = parseIP(rec.Text("dstip")), parsePort(rec.Text("dstport"))
	if kind == "traffic" {
		rec.LogSource.Category, ev.Class = "firewall", monitor.ClassNetworkActivity
		rec.alias("src_ip", "srcip")
		rec.alias("dst_ip", "dstip")
		rec.alias("src_port", "srcport")
		rec.alias("dst_port", "dstport")
		ev.Outcome = monitor.OutcomeSuccess
		if ev.Action == "deny" {
			ev.Outcome = monitor.OutcomeFailure
		}
	}
	ev.Message = strings.TrimSpace("FortiGate " + kind + "/" + rec.Text("subtype") + " " + ev.Action + " " + rec.Text("logdesc") + " " + rec.Text("msg"))
}

// ciscoMessage is how IOS, NX-OS and ASA mark what they say: %FACILITY-SEVERITY-MNEMONIC: text.
// https://www.cisco.com/c/en/us/td/docs/ios-xml/ios/config-mgmt/configuration/xe-16/config-mgmt-xe-16-book/cm-config-logger.html
var ciscoMessage = regexp.MustCompile(`%([A-Z][A-Z0-9_]*(?:-[A-Z][A-Z0-9_]*)*)-([0-7])-([A-Z0-9_]+): `)

func isCisco(v *fastjson.Value) bool {
	line := lineOf(v)
	return strings.Contains(line, "%") && ciscoMessage.MatchString(line)
}

// normaliseCisco gives what operators typed and how they logged in Sigma's service aaa.
func normaliseCisco(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	line := lineOf(v)
	found := ciscoMessage.FindStringSubmatchIndex(line)
	facility, severity, mnemonic, said := line[found[2]:found[3]], line[found[4]:found[5]], line[found[6]:found[7]], line[found[1]:]
	in.addFields([2]string{"facility", facility}, [2]string{"severity", severity}, [2]string{"mnemonic", mnemonic}, [2]string{"text", said})
	service := "syslog"
	switch {
	case mnemonic == "CFGLOG_LOGGEDCMD" || mnemonic == "CMD" || strings.HasPrefix(facility, "AAA") || facility == "SEC_LOGIN" || facility == "TAC":
		service = "aaa"
	case facility == "BGP" || mnemonic == "BADAUTH" && strings.Contains(said, ":179") || mnemonic == "BADAUTH" && strings.Contains(said, "(179)"):
		service = "bgp"
	case facility == "LDP" || facility == "TDP":
		service = "ldp"
	}
	rec.LogSource = monitor.LogSource{Product: "cisco", Service: service}
	if head, ok := parseSyslog(line, in.received); ok && !head.at.IsZero() {
		in.occurredAt(head.at)
		ev.Host = head.host
	} else {
		in.occurred("@timestamp", "timestamp", "time")
	}
	if host := lineHost(v); host != "" {
		ev.Host = host
	}
	if _, user, ok := strings.Cut(said, "User:"); ok {
		ev.User, _, _ = strings.Cut(user, " ")
		in.addUser()
	}
	if _, command, ok := strings.Cut(said, "logged command:"); ok {
		ev.Command = command
		in.addFields([2]string{"CommandLine", command})
	}
	ev.Action, ev.Message = strings.ToLower(facility+"_"+mnemonic), said
	if severity <= "3" {
		ev.Severity = monitor.SeverityLow
	}
}

// squidLine is Squid's native format:
//
//	1777887000.123     45 10.0.0.5 TCP_MISS/200 5120 GET http://a.example/x - HIER_DIRECT/203.0.113.9 text/html
//
// https://wiki.squid-cache.org/Features/LogFormat
var squidLine = regexp.MustCompile(`^(\d{9,10}\.\d{3}) +\d+ (\S+) ([A-Z_]+)/(\d{3}) (\d+) ([A-Z]+) (\S+) (\S+) [A-Z_]+/(\S+) \S+`)

func isSquid(v *fastjson.Value) bool {
	line := lineOf(v)
	return len(line) > 20 && line[0] == '1' && squidLine.MatchString(line)
}

func normaliseSquid(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	m := squidLine.FindStringSubmatch(lineOf(v))
	rec.LogSource = monitor.LogSource{Product: "squid", Category: "proxy", Service: "access"}
	in.occurredText(m[1])
	host := m[7]
	if _, after, ok := strings.Cut(host, "://"); ok {
		host, _, _ = strings.Cut(after, "/")
	}
	if name, _, ok := strings.Cut(host, ":"); ok && !strings.HasPrefix(host, "[") { // CONNECT a.example:443
		host = name
	}
	in.addProxy(webRequest{client: m[2], status: m[4], bytes: m[5], method: m[6], target: m[7], user: nilValue(m[8]), host: host})
	in.addFields([2]string{"dst_ip", nilValue(m[9])}, [2]string{"action", m[3]})
	ev.Class, ev.Action, ev.Outcome = monitor.ClassHTTPActivity, "http_"+strings.ToLower(m[6]), monitor.OutcomeSuccess
	if strings.Contains(m[3], "DENIED") || m[4] >= "400" {
		ev.Outcome = monitor.OutcomeFailure
	}
	ev.Host, ev.User, ev.SrcIP, ev.DstIP, ev.Domain, ev.URL = lineHost(v), nilValue(m[8]), parseIP(m[2]), parseIP(m[9]), host, m[7]
	ev.Message = m[6] + " " + m[7] + " " + m[4] + " from " + m[2]
}
