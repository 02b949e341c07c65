package ingest

import (
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Results of osquery's scheduled queries: a row that was added or removed, and
// snapshots. A snapshot's rows are one record, whose fields have the values of all
// rows: where there are several it is no event of a process or a connection, since a
// rule could take its fields from different rows.
// https://osquery.readthedocs.io/en/stable/deployment/logging/

func isOsquery(v *fastjson.Value) bool {
	if !v.Exists("name") || !v.Exists("hostIdentifier") && !v.Exists("host_identifier") {
		return false
	}
	return v.Exists("columns") || v.Exists("snapshot") || v.Exists("diffResults")
}

// osqueryAliases gives the columns of the tables of events Sigma's names.
// https://osquery.io/schema: process_events, bpf_process_events, es_process_events,
// socket_events, file_events, dns_lookup_events
var osqueryAliases = map[string][][2]string{
	"process_creation":   {{"Image", "path"}, {"CommandLine", "cmdline"}, {"CurrentDirectory", "cwd"}, {"ProcessId", "pid"}, {"ParentProcessId", "parent"}, {"User", "username"}},
	"network_connection": {{"Image", "path"}, {"DestinationIp", "remote_address"}, {"DestinationPort", "remote_port"}, {"SourceIp", "local_address"}, {"SourcePort", "local_port"}, {"ProcessId", "pid"}},
	"file_event":         {{"TargetFilename", "target_path"}, {"Image", "executable"}},
	"dns_query":          {{"QueryName", "domain_name"}, {"Image", "path"}},
}

func normaliseOsquery(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	for _, rows := range []string{"columns", "snapshot", "diffResults"} { // by the columns' own names
		if child := v.Get(rows); child != nil {
			rec.flatten("", child)
		}
	}
	v.GetObject().Visit(func(key []byte, child *fastjson.Value) {
		name := clean(string(key))
		switch name {
		case "columns", "snapshot", "diffResults":
			return
		case "name", "action":
			name = "osquery." + name // columns have these names too
		}
		rec.flatten(name, child)
	})
	if !in.occurredText(rec.Text("unixTime")) {
		in.occurredText(osqueryTime(rec.Text("calendarTime")))
	}
	kind := in.osqueryKind()
	for _, pair := range osqueryAliases[kind] {
		rec.alias(pair[0], pair[1])
	}
	rec.LogSource = monitor.LogSource{Product: in.osqueryProduct(), Category: kind, Service: "osquery"}
	ev.Class = osqueryClass[kind]
	if ev.Class == "" {
		ev.Class = monitor.ClassBase
	}
	ev.Host, ev.User = rec.Text("hostIdentifier", "host_identifier"), rec.Text("username", "user", "decorations.username")
	ev.Process, ev.Command = rec.Text("path", "executable", "process_name"), rec.Text("cmdline")
	ev.FilePath, ev.FileHash = rec.Text("target_path", "file_path"), rec.Text("sha256", "sha1", "md5")
	ev.SrcIP, ev.SrcPort = parseIP(rec.Text("local_address")), parsePort(rec.Text("local_port"))
	ev.DstIP, ev.DstPort = parseIP(rec.Text("remote_address")), parsePort(rec.Text("remote_port"))
	ev.Domain = rec.Text("domain_name")
	what := rec.Text("osquery.action")
	if what == "" {
		what = "result"
	}
	ev.Action = "osquery_" + what
	ev.Message = "osquery " + rec.Text("osquery.name") + " " + what + " on " + ev.Host
	if about := rec.Text("cmdline", "target_path", "path", "remote_address", "display_name"); about != "" {
		ev.Message += ": " + about
	}
}

var osqueryClass = map[string]monitor.EventClass{
	"process_creation": monitor.ClassProcessActivity, "network_connection": monitor.ClassNetworkActivity, "file_event": monitor.ClassFileActivity, "dns_query": monitor.ClassDNSActivity,
}

// osqueryKind tells a table of events by its columns: queries have names of their
// own. Only what has a time of the event in it is one; rows of the table processes
// say what runs, not what was started.
func (in *input) osqueryKind() string {
	rec := in.rec
	if rec.Text("osquery.action") == "removed" || len(in.v.GetArray("snapshot")) > 1 {
		return ""
	}
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := rec.Get(name); !ok {
				return false
			}
		}
		return true
	}
	events := strings.Contains(rec.Text("osquery.name"), "events") || has("eid") || has("time")
	kind := rec.Text("event_type", "syscall")
	switch {
	case !events:
		return ""
	case has("remote_address", "remote_port"):
		return "network_connection"
	case has("domain_name"):
		return "dns_query"
	case has("target_path"):
		if action := rec.Text("action"); action == "DELETED" || action == "UNLINK" {
			return "file_delete"
		}
		return "file_event"
	case has("cmdline", "path") && (kind == "" || strings.HasPrefix(kind, "exec")):
		return "process_creation"
	}
	return ""
}

// osqueryProduct names the system: the decoration platform, or what only one has.
func (in *input) osqueryProduct() string {
	rec := in.rec
	switch platform := strings.ToLower(rec.Text("decorations.platform", "platform")); platform {
	case "windows", "linux":
		return platform
	case "darwin", "macos":
		return "macos"
	}
	path := rec.Text("path", "target_path")
	switch {
	case len(path) > 2 && path[1] == ':' && path[2] == '\\':
		return "windows"
	case rec.Text("team_id", "signing_id", "codesigning_flags", "cdhash") != "":
		return "macos"
	default:
		return "linux"
	}
}

// osqueryTime reads "Tue Sep 30 17:37:30 2014 UTC".
func osqueryTime(s string) string {
	at, err := time.Parse("Mon Jan _2 15:04:05 2006 UTC", s)
	if err != nil {
		return ""
	}
	return at.Format(time.RFC3339)
}
