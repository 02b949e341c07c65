package ingest

import (
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// LAUREL is auditd's plugin that makes one record of the several of an event, and so
// has a program's path, its arguments and its parent together.
// https://github.com/threathunters-io/laurel

func isLaurel(v *fastjson.Value) bool {
	return v.Exists("ID") && v.Exists("SYSCALL") && v.Get("SYSCALL").Type() == fastjson.TypeObject
}

func (in *input) describeLaurel() {
	ev, rec, v := in.ev, in.rec, in.v
	stamp, _, _ := strings.Cut(text(v, "ID"), ":")
	in.occurredText(stamp)
	if ev.Host = text(v, "NODE"); ev.Host == "" {
		ev.Host = lineHost(v)
	}
	rec.alias("exe", "SYSCALL.exe")
	rec.alias("comm", "SYSCALL.comm")
	rec.alias("key", "SYSCALL.key")
	rec.alias("name", "PATH.name")
	rec.addText("type", "SYSCALL")
	ev.Class, ev.Action = monitor.ClassProcessActivity, strings.ToLower(text(v, "SYSCALL/SYSCALL", "SYSCALL/syscall"))
	ev.Process, ev.User = text(v, "SYSCALL/exe"), text(v, "SYSCALL/AUID", "SYSCALL/UID")
	ev.Outcome = monitor.OutcomeSuccess
	if text(v, "SYSCALL/success") == "no" {
		ev.Outcome = monitor.OutcomeFailure
	}
	if argv := joined(v.Get("EXECVE", "ARGV")); argv != "" {
		rec.LogSource.Category = "process_creation"
		ev.Command = argv
		in.addFields([2]string{"Image", ev.Process}, [2]string{"CommandLine", argv}, [2]string{"CurrentDirectory", text(v, "CWD/cwd")},
			[2]string{"ParentImage", text(v, "PARENT_INFO/exe")}, [2]string{"ParentCommandLine", joined(v.Get("PARENT_INFO", "ARGV"))}, [2]string{"User", ev.User},
			[2]string{"ProcessId", text(v, "SYSCALL/pid")}, [2]string{"ParentProcessId", text(v, "SYSCALL/ppid")})
		for i, argument := range v.GetArray("EXECVE", "ARGV") {
			if i >= maxAuditArguments {
				break
			}
			rec.addText("a"+strconv.Itoa(i), scalar(argument))
		}
		rec.addText("type", "EXECVE")
	}
	about := ev.Command
	if about == "" {
		about = ev.Process
	}
	ev.Message = strings.TrimSpace("audit " + ev.Action + " " + about)
	if ev.User != "" {
		ev.Message += " by " + ev.User
	}
	if ev.Host != "" {
		ev.Message += " on " + ev.Host
	}
}

// joined puts the texts of a list together with spaces.
func joined(v *fastjson.Value) string {
	if v == nil {
		return ""
	}
	var all []string
	for _, item := range v.GetArray() {
		all = append(all, scalar(item))
	}
	return strings.Join(all, " ")
}
