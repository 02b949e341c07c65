package ingest

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Records of the Linux audit system, one a record: as JSON with type and msg, or
// as its own lines in a message.
// https://github.com/linux-audit/audit-documentation/wiki/SPEC-Audit-Record-Format

func isAuditd(v *fastjson.Value) bool {
	if auditLine(lineOf(v)) != "" || isLaurel(v) {
		return true
	}
	return v.Exists("type") && strings.HasPrefix(text(v, "msg"), "audit(")
}

func normaliseAuditd(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	rec.LogSource = monitor.LogSource{Product: "linux", Service: "auditd"}
	in.occurred("@timestamp", "timestamp", "time")
	if isLaurel(v) {
		in.describeLaurel()
		return
	}
	if line := auditLine(lineOf(v)); line != "" {
		auditPairs(rec, line)
	}
	if stamp, ok := strings.CutPrefix(rec.Text("msg"), "audit("); ok { // audit(1591757454.631:42):
		stamp, _, _ = strings.Cut(stamp, ":")
		in.occurredText(stamp)
	}
	if ev.Host = rec.Text("node"); ev.Host == "" {
		ev.Host = lineHost(v)
	}
	in.describeAudit(rec.Text("type"))
}

// auditLine gives the audit record of a line, which auditd begins with the node's name
// where it has one; "" where the line is none.
func auditLine(line string) string {
	head, _, ok := strings.Cut(line, " msg=audit(")
	if !ok {
		return ""
	}
	if _, kind, ok := strings.Cut(head, "type="); !ok || strings.Contains(kind, " ") {
		return ""
	}
	if strings.HasPrefix(head, "type=") || strings.HasPrefix(head, "node=") {
		return line
	}
	return ""
}

// describeAuditLine reads an audit record that came by the journal or by syslog.
func (in *input) describeAuditLine(message string) {
	if line := auditLine(message); line != "" {
		if _, there := in.rec.Get("type"); !there {
			auditPairs(in.rec, line)
		}
	}
	if kind := in.rec.Text("type"); kind != "" {
		in.describeAudit(kind)
	}
}

// maxAuditPairs bounds what is read of one line; the kernel writes far fewer.
const maxAuditPairs = 500

// auditPairs adds the key=value pairs of an audit line; those within msg='...'
// too. Names and paths with unusual characters come in hexadecimal.
func auditPairs(rec *record, line string) {
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
			rec.addText(cutRunes(key, maxName), value)
		}
	}
}

// auditHex reads a value that was written in hexadecimal because of spaces or
// quotes in it. Only arguments and names are.
func auditHex(key, value string) string {
	if i := strings.IndexByte(key, '['); i > 0 {
		key = key[:i]
	}
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
	if ev.Command = auditCommand(rec); kind == "EXECVE" {
		// The program's path is in the SYSCALL record of the same event: rules that
		// ask for the command line alone can look at this one.
		rec.LogSource.Category = "process_creation"
		in.addFields([2]string{"CommandLine", ev.Command})
		if program := rec.Text("a0"); strings.HasPrefix(program, "/") {
			in.addFields([2]string{"Image", program})
		}
	}
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

// maxAuditArguments bounds the arguments that are put together; rules see all.
const maxAuditArguments = 100

// auditCommand puts the arguments of an EXECVE record together. The kernel cuts long
// ones: a1_len=9000 a1[0]=... a1[1]=...
func auditCommand(rec *record) string {
	if rec.Text("type") != "EXECVE" {
		return rec.Text("proctitle", "cmd")
	}
	var command strings.Builder
	for n := range maxAuditArguments {
		name := "a" + strconv.Itoa(n)
		argument, ok := auditArgument(rec, name)
		if !ok {
			break
		}
		if n > 0 {
			command.WriteByte(' ')
		}
		command.WriteString(argument)
	}
	return command.String()
}

func auditArgument(rec *record, name string) (argument string, ok bool) {
	if values, ok := rec.Get(name); ok && len(values) > 0 {
		return strings.Trim(values[0].Text, `"`), true
	}
	if _, long := rec.Get(name + "_len"); !long {
		return "", false
	}
	for part := range maxAuditArguments {
		text := rec.Text(name + "[" + strconv.Itoa(part) + "]")
		if text == "" {
			break
		}
		argument += text
	}
	rec.addText(name, argument)
	return argument, true
}
