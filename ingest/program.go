package ingest

import (
	"strconv"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// What programs of Linux say in the journal and in syslog. Each adds the fields that
// docs/ingest.md names.

// authPrograms write to auth.log, which is Sigma's service auth, where they have no
// service of their own.
var authPrograms = map[string]bool{
	"su": true, "login": true, "pkexec": true, "polkitd": true, "polkit": true, "systemd-logind": true, "passwd": true, "chpasswd": true, "useradd": true,
	"userdel": true, "usermod": true, "groupadd": true, "groupdel": true, "groupmod": true, "gpasswd": true, "chage": true, "chsh": true, "chfn": true,
}

// syslogPrograms are those of which SigmaHQ's rules for the service syslog ask.
var syslogPrograms = map[string]bool{"systemd": true, "named": true, "rsyslogd": true, "syslog-ng": true}

// linuxService names Sigma's service of a program; one that Sigma does not know is
// its own service.
func linuxService(program string) string {
	switch {
	case strings.HasPrefix(program, "sshd"):
		return "sshd"
	case strings.EqualFold(program, "cron") || program == "crond" || program == "crontab" || program == "anacron":
		return "cron"
	case strings.HasPrefix(program, "clam") || program == "freshclam":
		return "clamav"
	case program == "audit" || program == "auditd" || program == "audispd" || program == "audisp-syslog":
		return "auditd"
	case program == "httpd" || program == "apache2" || program == "apache":
		return "apache"
	case program == "guacd":
		return "guacamole"
	case authPrograms[program]:
		return "auth"
	case syslogPrograms[program]:
		return "syslog"
	default:
		return program
	}
}

// describeProgram derives log source, envelope and fields from what a program said.
func (in *input) describeProgram(program, message string) {
	ev, rec := in.ev, in.rec
	rec.LogSource = monitor.LogSource{Product: "linux", Service: linuxService(program)}
	ev.Action, ev.Message = program, message
	if in.describePAM(message) {
		return
	}
	switch rec.LogSource.Service {
	case "sshd":
		in.describeSSH(message)
	case "sudo":
		in.describeSudo(message)
	case "cron":
		in.describeCron(message)
	case "auth":
		in.describeAuth(program, message)
	case "syslog":
		in.describeSystemd(message)
	case "clamav":
		in.describeClamAV(program, message)
	case "nginx", "apache":
		if access, ok := parseAccess(message); ok {
			in.describeAccess(&access, rec.LogSource.Service)
		}
	case "auditd":
		in.describeAuditLine(message)
	}
}

// describePAM reads what PAM's modules say within a program:
//
//	pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.5  user=root
//	pam_unix(sudo:session): session opened for user root(uid=0) by ana(uid=1000)
//
// The names pam_message, pam_user and pam_rhost are those of SigmaHQ's rules.
func (in *input) describePAM(message string) bool {
	module, rest, ok := strings.Cut(message, "): ")
	if !ok || !strings.HasPrefix(module, "pam_") || strings.Contains(module, " ") {
		return false
	}
	ev := in.ev
	name, service, ok := strings.Cut(module, "(")
	if !ok {
		return false
	}
	what, pairs, _ := strings.Cut(rest, ";")
	in.addFields([2]string{"pam_module", name}, [2]string{"pam_service", service}, [2]string{"pam_message", what})
	ev.Class = monitor.ClassAuthentication
	switch {
	case strings.HasPrefix(what, "session opened for user "), strings.HasPrefix(what, "session closed for user "):
		user := strings.Fields(what)[4:]
		ev.Action, ev.Outcome = "session_"+strings.Fields(what)[1], monitor.OutcomeSuccess
		if len(user) > 0 {
			ev.User, _, _ = strings.Cut(user[0], "(")
		}
	case strings.HasPrefix(what, "authentication failure"):
		ev.Action, ev.Outcome, ev.Severity = "authentication_failed", monitor.OutcomeFailure, monitor.SeverityLow
		in.pamFailure(pairs)
	case strings.HasPrefix(what, "check pass"), strings.HasPrefix(what, "conversation failed"), strings.HasPrefix(what, "auth could not identify"):
		ev.Action, ev.Outcome = "authentication_failed", monitor.OutcomeFailure
	case strings.HasPrefix(what, "password changed for "):
		ev.Class, ev.Action, ev.Outcome = monitor.ClassAccountChange, "password_changed", monitor.OutcomeSuccess
		ev.User = strings.TrimPrefix(what, "password changed for ")
	}
	in.addUser()
	return true
}

// pamFailure reads the pairs behind an authentication failure. The user's name is the
// last, and the other side's own words: what looks like a pair in it is none.
func (in *input) pamFailure(pairs string) {
	ev := in.ev
	pairs, user, _ := strings.Cut(pairs, " user=")
	for _, pair := range strings.Fields(pairs) {
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "rhost":
			ev.SrcIP = parseIP(value)
			in.addFields([2]string{"pam_rhost", value})
		case "ruser", "tty", "logname", "uid", "euid":
			in.addFields([2]string{"pam_" + key, value})
		}
	}
	ev.User = strings.TrimSpace(user)
	in.addFields([2]string{"pam_user", ev.User})
}

// addFields adds the fields that have a value, unless the record has them.
func (in *input) addFields(fields ...[2]string) {
	for _, field := range fields {
		if field[1] != "" {
			in.rec.addUnlessThere(field[0], field[1])
		}
	}
}

// addUser gives rules who acted and from where by Sigma's general names.
func (in *input) addUser() {
	ev := in.ev
	in.addFields([2]string{"User", ev.User})
	if ev.SrcIP.IsValid() {
		in.addFields([2]string{"SourceIp", ev.SrcIP.String()})
	}
	if ev.SrcPort != 0 {
		in.addFields([2]string{"SourcePort", strconv.Itoa(int(ev.SrcPort))})
	}
}

// describeCron reads "(root) CMD (/usr/local/bin/backup)".
func (in *input) describeCron(message string) {
	ev := in.ev
	user, rest, ok := strings.Cut(strings.TrimPrefix(message, "("), ") ")
	if !ok || !strings.HasPrefix(message, "(") {
		return
	}
	verb, command, _ := strings.Cut(rest, " (")
	command = strings.TrimSuffix(command, ")")
	ev.User, ev.Action = user, "cron_"+strings.ReplaceAll(strings.ToLower(verb), " ", "_")
	if verb == "CMD" {
		ev.Class, ev.Command = monitor.ClassProcessActivity, command
		in.addFields([2]string{"CommandLine", command})
	}
	in.addUser()
}

// accountWords are how the programs of the shadow suite begin.
var accountWords = []struct{ begin, action string }{
	{"new user: name=", "account_created"},
	{"new group: name=", "group_created"},
	{"delete user '", "account_deleted"},
	{"add '", "group_member_added"},
	{"delete '", "group_member_removed"},
	{"lock user '", "account_locked"},
	{"unlock user '", "account_unlocked"},
	{"change user '", "account_changed"},
}

// describeAuth reads what login, su, pkexec and the shadow suite say.
func (in *input) describeAuth(program, message string) {
	ev := in.ev
	for _, w := range accountWords {
		if name, ok := strings.CutPrefix(message, w.begin); ok {
			if end := strings.IndexAny(name, "',"); end >= 0 {
				name = name[:end]
			}
			ev.Class, ev.Action, ev.Outcome, ev.User = monitor.ClassAccountChange, w.action, monitor.OutcomeSuccess, name
			in.addUser()
			return
		}
	}
	switch {
	case program == "su" && strings.Contains(message, "(to "): // "FAILED SU (to root) ana on pts/0", "(to root) ana on pts/0"
		_, after, _ := strings.Cut(message, "(to ")
		target, rest, _ := strings.Cut(after, ") ")
		ev.Class, ev.Action, ev.Outcome = monitor.ClassAuthentication, "su", monitor.OutcomeSuccess
		if strings.HasPrefix(message, "FAILED") || strings.HasPrefix(message, "- ") {
			ev.Action, ev.Outcome, ev.Severity = "su_failed", monitor.OutcomeFailure, monitor.SeverityLow
		}
		ev.User, _, _ = strings.Cut(rest, " on ")
		in.addFields([2]string{"USER", target})
		in.addUser()
	case program == "pkexec": // "ana: Executing command [USER=root] [TTY=/dev/pts/0] [CWD=/home/ana] [COMMAND=/bin/id]"
		who, rest, _ := strings.Cut(message, ": ")
		ev.Class, ev.User = monitor.ClassProcessActivity, who
		for _, part := range strings.Split(rest, "[")[1:] {
			key, value, ok := strings.Cut(strings.TrimRight(part, "] "), "=")
			if ok && (key == "USER" || key == "TTY" || key == "CWD" || key == "COMMAND") {
				in.addFields([2]string{key, value})
			}
			if key == "COMMAND" {
				ev.Command = value
			}
		}
		in.addUser()
	}
}

// describeSystemd reads "Started ssh.service - OpenBSD Secure Shell server." The
// journal has the unit in a field of that name.
func (in *input) describeSystemd(message string) {
	verb, rest, _ := strings.Cut(message, " ")
	switch verb {
	case "Starting", "Started", "Stopping", "Stopped", "Reloading", "Reloaded", "Failed", "Finished":
	default:
		return
	}
	in.ev.Action = "unit_" + strings.ToLower(verb)
	if verb == "Failed" {
		in.ev.Outcome = monitor.OutcomeFailure
		rest = strings.TrimPrefix(rest, "to start ")
	}
	if unit, _, ok := strings.Cut(rest, " - "); ok && strings.Contains(unit, ".") && !strings.Contains(unit, " ") {
		in.addFields([2]string{"UNIT", unit})
	}
}
