package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// What macOS's Endpoint Security tells, as eslogger(1) writes it: processes and files.
// https://developer.apple.com/documentation/endpointsecurity/es_message_t

func isESLogger(v *fastjson.Value) bool {
	return v.Exists("event") && v.Exists("process", "audit_token") && v.Exists("event_type")
}

func normaliseESLogger(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	rec.LogSource = monitor.LogSource{Product: "macos"}
	in.occurred("time")
	ev.Process = text(v, "process/executable/path")
	kind := ""
	v.GetObject("event").Visit(func(key []byte, _ *fastjson.Value) { kind = clean(string(key)) })
	ev.Action, ev.Outcome = kind, monitor.OutcomeSuccess
	switch kind {
	case "exec":
		rec.LogSource.Category, ev.Class = "process_creation", monitor.ClassProcessActivity
		parent := ev.Process // the process that is replaced: what forked and execs, mostly the shell
		ev.Process, ev.Command = text(v, "event/exec/target/executable/path"), joined(v.Get("event", "exec", "args"))
		in.addFields([2]string{"Image", ev.Process}, [2]string{"CommandLine", ev.Command}, [2]string{"ParentImage", parent},
			[2]string{"ProcessId", text(v, "event/exec/target/audit_token/pid")}, [2]string{"ParentProcessId", text(v, "event/exec/target/ppid")},
			[2]string{"CurrentDirectory", text(v, "event/exec/cwd/path")})
	case "create", "close", "rename":
		rec.LogSource.Category, ev.Class = "file_event", monitor.ClassFileActivity
		ev.FilePath = text(v, "event/create/destination/existing_file/path", "event/close/target/path", "event/rename/destination/existing_file/path")
		if name := text(v, "event/"+kind+"/destination/new_path/filename"); name != "" {
			ev.FilePath = strings.TrimSuffix(text(v, "event/"+kind+"/destination/new_path/dir/path"), "/") + "/" + name
		}
		in.addFields([2]string{"Image", ev.Process}, [2]string{"TargetFilename", ev.FilePath})
	}
	ev.Message = strings.TrimSpace("macOS " + kind + " " + ev.Process + " " + ev.Command + ev.FilePath)
}
