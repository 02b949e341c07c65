package ingest

import (
	"regexp"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// What OpenSSH's server says; the texts are those of auth.c, auth2.c, packet.c and
// sshd.c of https://github.com/openssh/openssh-portable.
//
// The user's name is the other side's own words and may read "x from 192.0.2.1":
// the address is the last one, which the server wrote itself.

// sshMessage is a form of words with what it means. Its expression may have groups
// named user, addr, port and method.
type sshMessage struct {
	begin   string // what the message begins with, asked before the expression
	form    *regexp.Regexp
	action  string
	outcome monitor.Outcome
}

const (
	sshFrom = ` from (?P<addr>\S+)(?: port (?P<port>\d+))?`
	sshAt   = ` (?P<addr>[0-9a-fA-F.:]+)(?:%\S+)? port (?P<port>\d+)`
	sshEnd  = `(?: ssh2?)?(?: \[preauth\])?$`
)

var sshMessages = []sshMessage{
	{"Accepted ", regexp.MustCompile(`^Accepted (?P<method>\S+) for (?P<user>.*)` + sshFrom + `(?: ssh2(?:: .*)?)?$`), "ssh_login", monitor.OutcomeSuccess},
	{"Failed ", regexp.MustCompile(`^Failed (?P<method>\S+) for (?:invalid user )?(?P<user>.*)` + sshFrom + `(?: ssh2(?:: .*)?)?(?: \[preauth\])?$`), "ssh_login_failed", monitor.OutcomeFailure},
	{"Postponed ", regexp.MustCompile(`^Postponed (?P<method>\S+) for (?:invalid user )?(?P<user>.*)` + sshFrom + sshEnd), "ssh_login_failed", monitor.OutcomeFailure},
	{"Partial ", regexp.MustCompile(`^Partial (?P<method>\S+) for (?P<user>.*)` + sshFrom + `(?: ssh2(?:: .*)?)?(?: \[preauth\])?$`), "ssh_login_partial", monitor.OutcomeUnknown},
	{"Invalid user ", regexp.MustCompile(`^Invalid user (?P<user>.*)` + sshFrom + `$`), "ssh_invalid_user", monitor.OutcomeFailure},
	{"Illegal user ", regexp.MustCompile(`^Illegal user (?P<user>.*)` + sshFrom + `$`), "ssh_invalid_user", monitor.OutcomeFailure},
	{"User ", regexp.MustCompile(`^User (?P<user>.*) from (?P<addr>\S+) not allowed because .*$`), "ssh_user_not_allowed", monitor.OutcomeFailure},
	{"ROOT LOGIN REFUSED ", regexp.MustCompile(`^ROOT LOGIN REFUSED FROM (?P<addr>\S+)(?: port (?P<port>\d+))?`), "ssh_login_failed", monitor.OutcomeFailure},
	{"error: maximum ", regexp.MustCompile(`^error: maximum authentication attempts exceeded for (?:invalid user )?(?P<user>.*)` + sshFrom + sshEnd), "ssh_too_many_attempts", monitor.OutcomeFailure},
	{"error: PAM: ", regexp.MustCompile(`^error: PAM: .* for (?:illegal user )?(?P<user>.*) from (?P<addr>\S+)$`), "ssh_login_failed", monitor.OutcomeFailure},
	{"Disconnecting ", regexp.MustCompile(`^Disconnecting (?:authenticating |invalid )?user (?P<user>.*)` + sshAt + `: .*$`), "ssh_disconnected", monitor.OutcomeUnknown},
	{"Disconnected from ", regexp.MustCompile(`^Disconnected from (?:authenticating user |invalid user |user )?(?P<user>.*?)` + sshAt + sshEnd), "ssh_disconnected", monitor.OutcomeUnknown},
	{"Connection closed by ", regexp.MustCompile(`^Connection closed by (?:authenticating user |invalid user )?(?P<user>.*?)` + sshAt + sshEnd), "ssh_disconnected", monitor.OutcomeUnknown},
	{"Connection reset by ", regexp.MustCompile(`^Connection reset by (?:authenticating user |invalid user )?(?P<user>.*?)` + sshAt + sshEnd), "ssh_disconnected", monitor.OutcomeUnknown},
	{"Received disconnect ", regexp.MustCompile(`^Received disconnect from (?P<addr>\S+) port (?P<port>\d+):`), "ssh_disconnected", monitor.OutcomeUnknown},
	{"Connection from ", regexp.MustCompile(`^Connection from (?P<addr>\S+) port (?P<port>\d+)`), "ssh_connected", monitor.OutcomeUnknown},
	{"Did not receive ", regexp.MustCompile(`^Did not receive identification string` + sshFrom), "ssh_no_identification", monitor.OutcomeFailure},
	{"Bad protocol version ", regexp.MustCompile(`^Bad protocol version identification .*` + sshFrom + `$`), "ssh_no_identification", monitor.OutcomeFailure},
	{"banner exchange: ", regexp.MustCompile(`^banner exchange: Connection from (?P<addr>\S+) port (?P<port>\d+):`), "ssh_no_identification", monitor.OutcomeFailure},
	{"Unable to negotiate ", regexp.MustCompile(`^Unable to negotiate with (?P<addr>\S+) port (?P<port>\d+):`), "ssh_no_agreement", monitor.OutcomeFailure},
	{"reverse mapping ", regexp.MustCompile(`^reverse mapping checking getaddrinfo for .* \[(?P<addr>[^\]]+)\] failed`), "ssh_reverse_mapping_failed", monitor.OutcomeUnknown},
}

func (in *input) describeSSH(message string) {
	ev := in.ev
	for i := range sshMessages {
		m := &sshMessages[i]
		if !strings.HasPrefix(message, m.begin) {
			continue
		}
		found := m.form.FindStringSubmatch(message)
		if found == nil {
			continue
		}
		ev.Class, ev.Action, ev.Outcome = monitor.ClassAuthentication, m.action, m.outcome
		if m.outcome == monitor.OutcomeFailure {
			ev.Severity = monitor.SeverityLow
		}
		for group, name := range m.form.SubexpNames() {
			switch name {
			case "user":
				ev.User = found[group]
			case "addr":
				ev.SrcIP = parseIP(found[group])
			case "port":
				ev.SrcPort = parsePort(found[group])
			case "method":
				in.addFields([2]string{"AuthMethod", found[group]})
			}
		}
		in.addUser()
		return
	}
}

// describeSudo reads "ana : TTY=pts/0 ; PWD=/home/ana ; USER=root ; COMMAND=/bin/sh"
// by the names of sudo's own log, and "ana : user NOT in sudoers ; TTY=...".
// https://www.sudo.ws/docs/man/sudoers.man/#EVENT_LOGGING
func (in *input) describeSudo(message string) {
	who, rest, ok := strings.Cut(strings.TrimSpace(message), " : ")
	if !ok || strings.ContainsAny(who, " ;") {
		return
	}
	ev := in.ev
	var target, fault string
	for rest != "" {
		command, last := strings.CutPrefix(rest, "COMMAND=") // the rest, whatever stands in it
		if last {
			ev.Command = command
			in.addFields([2]string{"COMMAND", command}, [2]string{"CommandLine", command})
			break
		}
		var part string
		part, rest, _ = strings.Cut(rest, " ; ")
		key, value, pair := strings.Cut(part, "=")
		switch {
		case pair && (key == "TTY" || key == "PWD" || key == "USER" || key == "GROUP" || key == "HOST" || key == "CHROOT" || key == "TSID" || key == "ENV"):
			in.addFields([2]string{key, value})
			if key == "USER" {
				target = value
			}
		default:
			fault = part
		}
	}
	if ev.Command == "" && fault == "" {
		return
	}
	ev.Class, ev.Action, ev.Outcome, ev.User = monitor.ClassProcessActivity, "sudo", monitor.OutcomeSuccess, who
	ev.Message = who + " ran " + ev.Command + " as " + target
	if fault != "" {
		ev.Action, ev.Outcome, ev.Severity = "sudo_failed", monitor.OutcomeFailure, monitor.SeverityLow
		ev.Message = who + " was kept from " + ev.Command + ": " + fault
	}
	in.addUser()
}
