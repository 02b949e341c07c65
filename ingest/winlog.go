package ingest

import (
	"strings"

	"github.com/valyala/fastjson"
)

// Windows events as NXLog writes them, flat with the event's own names, and as
// Winlogbeat and Elastic Agent do, with winlog.event_data and ECS names.

func isWinlog(v *fastjson.Value) bool {
	if v.Exists("winlog") || v.Exists("winlog.channel") || v.Exists("winlog.event_id") {
		return true
	}
	return v.Exists("EventID") && (v.Exists("Channel") || v.Exists("SourceName") || v.Exists("Provider_Name") || v.Exists("ProviderGuid"))
}

// ecsWindows gives ECS fields the names that Sigma's Windows rules use.
var ecsWindows = [][2]string{
	{"Image", "process.executable"}, {"CommandLine", "process.command_line"}, {"ParentImage", "process.parent.executable"},
	{"ParentCommandLine", "process.parent.command_line"}, {"CurrentDirectory", "process.working_directory"}, {"OriginalFileName", "process.pe.original_file_name"},
	{"User", "user.name"}, {"SourceIp", "source.ip"}, {"SourcePort", "source.port"}, {"DestinationIp", "destination.ip"},
	{"DestinationPort", "destination.port"}, {"DestinationHostname", "destination.domain"}, {"QueryName", "dns.question.name"},
	{"TargetFilename", "file.path"}, {"TargetObject", "registry.path"}, {"md5", "process.hash.md5"}, {"sha256", "process.hash.sha256"},
	{"ScriptBlockText", "powershell.file.script_block_text"},
}

func normaliseWinlog(in *input) {
	rec, v := in.rec, in.v
	flatten(rec, "", v)
	for i := range rec.Fields { // the prefix is the shipper's, the rest the event's own name
		for _, prefix := range []string{"winlog.event_data.", "winlog.user_data."} {
			rec.Fields[i].Name = strings.TrimPrefix(rec.Fields[i].Name, prefix)
		}
	}
	alias(rec, "EventID", "winlog.event_id", "event.code")
	alias(rec, "Channel", "winlog.channel")
	alias(rec, "Provider_Name", "winlog.provider_name", "SourceName", "ProviderName")
	alias(rec, "Computer", "winlog.computer_name", "Hostname", "host.name", "ComputerName")
	for _, pair := range ecsWindows {
		alias(rec, pair[0], pair[1])
	}
	for _, name := range []string{"UtcTime", "@timestamp", "TimeCreated", "EventTime"} {
		if in.occurredText(rec.Text(name)) {
			break
		}
	}
	in.finishWindows()
}
