package ingest

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Records of the Linux audit system, one a record: as JSON with type and msg, or
// as its own lines in a message.
// https://github.com/linux-audit/audit-documentation/wiki/SPEC-Audit-Record-Format

func isAuditd(v *fastjson.Value) bool {
	if strings.HasPrefix(text(v, "message", "log", "MESSAGE"), "type=") {
		return strings.Contains(text(v, "message", "log", "MESSAGE"), " msg=audit(")
	}
	return v.Exists("type") && strings.HasPrefix(text(v, "msg"), "audit(")
}

func normaliseAuditd(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	flatten(rec, "", v)
	rec.LogSource = monitor.LogSource{Product: "linux", Service: "auditd"}
	in.occurred("@timestamp", "timestamp", "time")
	if line := text(v, "message", "log", "MESSAGE"); strings.HasPrefix(line, "type=") {
		auditPairs(rec, line)
	}
	if stamp, ok := strings.CutPrefix(rec.Text("msg"), "audit("); ok { // audit(1591757454.631:42):
		stamp, _, _ = strings.Cut(stamp, ":")
		in.occurredText(stamp)
	}
	ev.Host = text(v, "node", "hostname", "host/name", "host", "_HOSTNAME")
	in.describeAudit(rec.Text("type"))
}

// maxAuditPairs bounds what is read of one line; the kernel writes far fewer.
const maxAuditPairs = 500

// auditPairs adds the key=value pairs of an audit line; those within msg='...'
// too. Names and paths with unusual characters come in hexadecimal.
func auditPairs(rec *monitor.Record, line string) {
	line = strings.TrimSpace(line)
	for range maxAuditPairs {
		line = strings.TrimLeft(line, " \x1d")
		key, rest, ok := strings.Cut(line, "=")
		if i := strings.LastIndexAny(key, " \x1d"); i >= 0 { // words without a value
			key = key[i+1:]
		}
		if !ok {
			return
		}
		if inner, quoted := strings.CutPrefix(rest, "'"); quoted {
			line = strings.Replace(inner, "'", " ", 1)
			continue
		}
		var value string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			value, line, _ = strings.Cut(quoted, `"`)
		} else if i := strings.IndexAny(rest, " \x1d"); i >= 0 {
			value, line = auditHex(key, rest[:i]), rest[i:]
		} else {
			value, line = auditHex(key, rest), ""
		}
		if key != "" {
			addText(rec, cutRunes(key, maxName), value)
		}
	}
}

// auditHex reads a value that was written in hexadecimal because of spaces or
// quotes in it. Only arguments and names are.
func auditHex(key, value string) string {
	isText := key == "comm" || key == "exe" || key == "name" || key == "cwd" || key == "proctitle" || key == "cmd" ||
		len(key) > 1 && key[0] == 'a' && strings.Trim(key[1:], "0123456789") == "" && len(value) > 8 // a0 to a3 of SYSCALL are numbers
	if !isText || len(value) < 4 {
		return value
	}
	raw, err := hex.DecodeString(value)
	if err != nil || !utf8.Valid(raw) {
		return value
	}
	return strings.TrimRight(strings.ReplaceAll(string(raw), "\x00", " "), " ")
}

func (in *input) describeAudit(kind string) {
	ev, rec := in.ev, in.rec
	ev.Action = strings.ToLower(kind)
	ev.Process = strings.Trim(rec.Text("exe", "comm"), `"`)
	ev.User = strings.Trim(rec.Text("acct", "AUID", "auid"), `"`)
	if ev.User == "4294967295" { // nobody has logged in
		ev.User = ""
	}
	ev.SrcIP = parseIP(rec.Text("addr"))
	switch strings.Trim(rec.Text("res", "success"), `"`) {
	case "success", "yes", "1":
		ev.Outcome = monitor.OutcomeSuccess
	case "failed", "no", "0":
		ev.Outcome = monitor.OutcomeFailure
	}
	switch kind {
	case "EXECVE", "PROCTITLE", "USER_CMD", "SYSCALL":
		ev.Class = monitor.ClassProcessActivity
	case "PATH", "CWD":
		ev.Class, ev.FilePath = monitor.ClassFileActivity, strings.Trim(rec.Text("name"), `"`)
	case "USER_AUTH", "USER_LOGIN", "USER_START", "CRED_ACQ", "USER_ERR":
		ev.Class = monitor.ClassAuthentication
	case "ADD_USER", "DEL_USER", "ADD_GROUP", "DEL_GROUP", "USER_CHAUTHTOK", "USER_MGMT":
		ev.Class = monitor.ClassAccountChange
	case "SOCKADDR":
		ev.Class = monitor.ClassNetworkActivity
	}
	ev.Command = auditCommand(rec)
	about := ev.Command
	if about == "" {
		about = strings.TrimSpace(ev.Process + " " + ev.FilePath)
	}
	ev.Message = strings.TrimSpace("audit " + kind + " " + about)
	if ev.User != "" {
		ev.Message += " by " + ev.User
	}
	if ev.Host != "" {
		ev.Message += " on " + ev.Host
	}
}

// auditCommand puts the arguments of an EXECVE record together.
func auditCommand(rec *monitor.Record) string {
	if rec.Text("type") != "EXECVE" {
		return rec.Text("proctitle", "cmd")
	}
	var args []string
	for _, name := range []string{"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"} {
		values, ok := rec.Get(name)
		if !ok || len(values) == 0 {
			break
		}
		args = append(args, strings.Trim(values[0].Text, `"`))
	}
	return strings.Join(args, " ")
}
