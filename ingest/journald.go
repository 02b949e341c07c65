package ingest

import (
	"regexp"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// systemd journal entries as `journalctl -o json` and its shippers write them.
// https://systemd.io/JOURNAL_EXPORT_FORMATS/

func isJournald(v *fastjson.Value) bool {
	return v.Exists("MESSAGE") && (v.Exists("__REALTIME_TIMESTAMP") || v.Exists("SYSLOG_IDENTIFIER") || v.Exists("_SYSTEMD_UNIT") || v.Exists("_HOSTNAME"))
}

// prioritySeverity maps syslog's priorities.
var prioritySeverity = map[string]monitor.Severity{
	"0": monitor.SeverityHigh, "1": monitor.SeverityHigh, "2": monitor.SeverityHigh, "3": monitor.SeverityMedium, "4": monitor.SeverityLow,
}

func normaliseJournald(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	message := journalText(v.Get("MESSAGE"))
	v.GetObject().Visit(func(key []byte, value *fastjson.Value) {
		if name := clean(string(key)); name != "MESSAGE" {
			flatten(rec, name, value)
		}
	})
	addText(rec, "MESSAGE", message)
	if text(v, "_TRANSPORT") == "audit" { // the type stands beside the message
		if kind := text(v, "_AUDIT_TYPE_NAME"); kind != "" {
			addText(rec, "type", kind)
		}
		auditPairs(rec, message)
	}
	program := text(v, "SYSLOG_IDENTIFIER", "_COMM")
	if text(v, "_TRANSPORT") == "audit" {
		program = "auditd"
	}
	rec.LogSource = monitor.LogSource{Product: "linux", Service: linuxService(program)}
	in.occurred("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")
	ev.Host = text(v, "_HOSTNAME", "HOSTNAME")
	ev.Process = text(v, "_EXE", "_COMM", "SYSLOG_IDENTIFIER")
	ev.Command = text(v, "_CMDLINE")
	ev.Action = program
	ev.Message = message
	if severity, ok := prioritySeverity[text(v, "PRIORITY")]; ok {
		ev.Severity = severity
	}
	switch rec.LogSource.Service {
	case "sshd":
		in.describeSSH(message)
	case "sudo":
		in.describeSudo(message)
	case "auditd":
		in.describeAudit(rec.Text("type"))
	}
}

// journalText reads a message, which is a list of bytes where it is no clean text.
func journalText(v *fastjson.Value) string {
	if v.Type() != fastjson.TypeArray {
		return scalar(v)
	}
	bytes := make([]byte, 0, len(v.GetArray()))
	for _, b := range v.GetArray() {
		bytes = append(bytes, byte(b.GetInt()))
	}
	return clean(string(bytes))
}

// linuxService names Sigma's service of a program.
func linuxService(program string) string {
	switch {
	case strings.HasPrefix(program, "sshd"):
		return "sshd"
	case strings.EqualFold(program, "cron") || program == "crond":
		return "cron"
	case strings.HasPrefix(program, "clam") || program == "freshclam":
		return "clamav"
	case program == "audit" || program == "auditd":
		return "auditd"
	default:
		return program
	}
}

// sshLogin reads what OpenSSH's server says of a login.
//
// The user's name is the other side's own words and may read "x from 192.0.2.1":
// the address is the last one, which the server wrote itself.
var sshLogin = regexp.MustCompile(`^(Failed|Accepted|Postponed) (\S+) for (invalid user )?(.*) from (\S+) port (\d+)(?: ssh2(?:: .*)?)?$`)

// sshInvalid reads what it says of a user that does not exist.
var sshInvalid = regexp.MustCompile(`^Invalid user (.*) from (\S+)(?: port (\d+))?$`)

func (in *input) describeSSH(message string) {
	ev := in.ev
	if m := sshLogin.FindStringSubmatch(message); m != nil {
		ev.Class, ev.User, ev.SrcIP, ev.SrcPort = monitor.ClassAuthentication, m[4], parseIP(m[5]), parsePort(m[6])
		ev.Action, ev.Outcome = "ssh_login", monitor.OutcomeSuccess
		if m[1] != "Accepted" {
			ev.Action, ev.Outcome, ev.Severity = "ssh_login_failed", monitor.OutcomeFailure, monitor.SeverityLow
		}
		return
	}
	if m := sshInvalid.FindStringSubmatch(message); m != nil {
		ev.Class, ev.User, ev.SrcIP, ev.SrcPort = monitor.ClassAuthentication, m[1], parseIP(m[2]), parsePort(m[3])
		ev.Action, ev.Outcome, ev.Severity = "ssh_invalid_user", monitor.OutcomeFailure, monitor.SeverityLow
	}
}

// sudoRun reads "ana : TTY=pts/0 ; PWD=/home/ana ; USER=root ; COMMAND=/bin/sh".
var sudoRun = regexp.MustCompile(`^\s*(\S+) : (.*?)(?:TTY=\S+ ; )?PWD=(\S+) ; USER=(\S+) ; COMMAND=(.*)$`)

func (in *input) describeSudo(message string) {
	m := sudoRun.FindStringSubmatch(message)
	if m == nil {
		return
	}
	ev := in.ev
	ev.Class, ev.Action, ev.Outcome = monitor.ClassProcessActivity, "sudo", monitor.OutcomeSuccess
	ev.User, ev.Command = m[1], m[5]
	if strings.Contains(m[2], "NOT in sudoers") || strings.Contains(m[2], "incorrect password") {
		ev.Outcome = monitor.OutcomeFailure
	}
	ev.Message = m[1] + " ran " + m[5] + " as " + m[4]
}
