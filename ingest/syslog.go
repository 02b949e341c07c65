package ingest

import (
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Lines of syslog, as a text or taken apart by a shipper.
// https://www.rfc-editor.org/rfc/rfc5424, https://www.rfc-editor.org/rfc/rfc3164

// syslogLine is what a line's head says. Times of RFC 3164 have neither year nor zone:
// they are taken as UTC, and of the last twelve months.
type syslogLine struct {
	priority int // facility times 8 and severity; -1 where the line has none
	at       time.Time
	host     string
	program  string
	pid      string
	kind     string // MSGID of RFC 5424
	text     string

	structured string // of RFC 5424, as it stands there
}

// peerKey has the address that a line came from over the network, by ECS's name. It is the
// host where the line names none.
const peerKey = "log.source.address"

// programKeys are where shippers put the program: rsyslog, syslog-ng, Fluent Bit, Vector, Filebeat.
var programKeys = []string{"programname", "PROGRAM", "ident", "appname", "app-name", "app_name", "SYSLOG_IDENTIFIER", "log/syslog/appname", "program", "syslogtag"}

// syslogMarks are keys that such records have beside it.
var syslogMarks = []string{
	"pri", "PRIORITY", "priority", "facility", "FACILITY", "syslogfacility", "syslogfacility-text", "syslogseverity-text", "syslogpriority", "severity",
	"pid", "PID", "procid", "log/syslog", "LEVEL",
}

func isSyslog(v *fastjson.Value) bool {
	if v.Exists("product") || v.Exists("log_source") { // it says itself what it is
		return false
	}
	line := lineOf(v)
	if line == "" {
		return false
	}
	if _, ok := parseSyslog(line, time.Time{}); ok {
		return true
	}
	return shippedProgram(v) != ""
}

// shippedProgram gives the program of a line that a shipper has taken apart.
func shippedProgram(v *fastjson.Value) string {
	if set := text(v, "event/dataset"); set == "system.auth" || set == "system.syslog" {
		return text(v, "process/name")
	}
	marked := false
	for _, mark := range syslogMarks {
		marked = marked || at(v, mark) != nil
	}
	if !marked {
		return ""
	}
	program, _ := splitTag(text(v, programKeys...))
	return program
}

func normaliseSyslog(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	in.occurred("@timestamp", "timestamp", "timereported", "timegenerated", "time", "DATE", "ISODATE", "date", "eventtime")
	line := lineOf(v)
	l, ok := parseSyslog(line, in.received)
	if !ok {
		l = syslogLine{priority: -1, text: strings.TrimPrefix(line, " "), program: shippedProgram(v)}
		in.addStructured(text(v, "structured-data")) // rsyslog's name
	} else {
		in.addSyslog(&l)
	}
	if pri, err := strconv.Atoi(text(v, "pri", "log/syslog/priority")); err == nil && l.priority < 0 {
		l.priority = pri
	}
	if ev.Host = l.host; ev.Host == "" {
		ev.Host = lineHost(v)
	}
	if l.priority >= 0 {
		ev.Severity = prioritySeverity[strconv.Itoa(l.priority%8)]
	}
	if severity, ok := prioritySeverity[text(v, "PRIORITY", "severity", "syslogseverity")]; ok && l.priority < 0 {
		ev.Severity = severity
	}
	if ev.Severity == "" {
		ev.Severity = monitor.SeverityInformational
	}
	ev.Process = l.program
	in.describeProgram(l.program, l.text)
}

// addSyslog adds the parts of a line that rules may ask for by the journal's names.
func (in *input) addSyslog(l *syslogLine) {
	in.occurredAt(l.at)
	for _, part := range [][2]string{{"SYSLOG_IDENTIFIER", l.program}, {"_PID", l.pid}, {"_HOSTNAME", l.host}, {"MESSAGE", l.text}} {
		if part[1] != "" {
			in.rec.addUnlessThere(part[0], part[1])
		}
	}
	in.rec.addUnlessThere("log.syslog.msgid", l.kind)
	in.addStructured(l.structured)
}

// parseSyslog reads a line of RFC 5424 or 3164, with or without its priority, also
// with the RFC 3339 times that rsyslog writes to files.
func parseSyslog(line string, received time.Time) (l syslogLine, ok bool) {
	l.priority = -1
	rest := line
	if pri, after, found := strings.Cut(line, ">"); found && len(pri) > 1 && len(pri) < 5 && pri[0] == '<' {
		n, err := strconv.Atoi(pri[1:])
		if err != nil || n < 0 || n > 191 {
			return l, false
		}
		l.priority, rest = n, after
		if after, found := strings.CutPrefix(rest, "1 "); found {
			return l, l.parse5424(after)
		}
	}
	if rest, ok = l.parseTime(rest, received); !ok {
		return l, false
	}
	l.host, rest, ok = strings.Cut(rest, " ")
	if !ok || l.host == "" {
		return l, false
	}
	if strings.HasSuffix(l.host, ":") || strings.HasSuffix(l.host, "]:") { // no host: what a program writes to /dev/log
		rest, l.host = l.host+" "+rest, ""
	}
	tag, message, found := strings.Cut(rest, ": ")
	if !found {
		tag, message, found = rest, "", strings.HasSuffix(rest, ":")
	}
	if !found || strings.ContainsAny(strings.TrimSuffix(tag, ":"), " \t\"") || tag == "" {
		l.text = rest // without a tag
		return l, l.priority >= 0
	}
	l.program, l.pid = splitTag(tag)
	l.text = message
	return l, l.program != ""
}

// parseTime takes the time from the beginning of a line.
func (l *syslogLine) parseTime(line string, received time.Time) (rest string, ok bool) {
	if len(line) > 16 && line[3] == ' ' && line[6] == ' ' && line[9] == ':' {
		at, err := time.Parse(time.Stamp, line[:15])
		if err != nil || line[15] != ' ' {
			return line, false
		}
		year := received.Year()
		l.at = at.AddDate(year, 0, 0)
		if l.at.After(received.Add(24 * time.Hour)) {
			l.at = at.AddDate(year-1, 0, 0)
		}
		return line[16:], true
	}
	word, rest, found := strings.Cut(line, " ")
	if !found || len(word) < 19 || word[4] != '-' || word[10] != 'T' {
		return line, false
	}
	at, err := time.Parse(time.RFC3339Nano, word)
	l.at = at.UTC()
	return rest, err == nil
}

// parse5424 reads what follows the version of RFC 5424.
func (l *syslogLine) parse5424(rest string) bool {
	parts := strings.SplitN(rest, " ", 6)
	if len(parts) < 6 {
		return false
	}
	if at, err := time.Parse(time.RFC3339Nano, parts[0]); err == nil {
		l.at = at.UTC()
	} else if parts[0] != "-" {
		return false
	}
	l.host, l.program, l.pid, l.kind = nilValue(parts[1]), nilValue(parts[2]), nilValue(parts[3]), nilValue(parts[4])
	l.structured, l.text = cutStructured(parts[5])
	l.text = strings.TrimPrefix(l.text, "\ufeff")
	return true
}

func nilValue(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// splitTag takes "sshd[812]:" apart, and systemd's "(sd-pam)".
func splitTag(tag string) (program, pid string) {
	tag = strings.TrimSuffix(strings.TrimSpace(tag), ":")
	if i := strings.IndexByte(tag, '['); i > 0 && strings.HasSuffix(tag, "]") {
		return base(tag[:i]), tag[i+1 : len(tag)-1]
	}
	return base(tag), ""
}
