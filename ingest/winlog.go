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
	alias(rec, "Message", "message")
	if v.Exists("winlog") || !v.Exists("EventID") {
		aliasECS(rec)
		restoreRenamed(rec)
	}
	gatherData(rec)
	for _, name := range []string{"UtcTime", "@timestamp", "TimeCreated", "EventTime"} {
		if in.occurredText(rec.Text(name)) {
			break
		}
	}
	in.finishWindows()
}
