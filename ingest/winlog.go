package ingest

import (
	"strings"

	"github.com/valyala/fastjson"
)

// Windows events as NXLog writes them, flat with the event's own names, and as
// Winlogbeat and Elastic Agent do, with winlog.event_data and ECS names.

func isWinlog(v *fastjson.Value) bool {
	if v.Exists("EventID") && (v.Exists("Channel") || v.Exists("SourceName") || v.Exists("Provider_Name") || v.Exists("ProviderGuid")) {
		return true
	}
	return v.Exists("winlog") || v.Exists("winlog.channel") || v.Exists("winlog.event_id")
}

func normaliseWinlog(in *input) {
	rec, v := in.rec, in.v
	rec.flatten("", v)
	if !v.Exists("Channel") { // NXLog's has no prefixes
		rec.rename(withoutPrefix)
	}
	rec.alias("EventID", "winlog.event_id", "event.code")
	rec.alias("Channel", "winlog.channel")
	rec.alias("Provider_Name", "winlog.provider_name", "SourceName", "ProviderName")
	rec.alias("Computer", "winlog.computer_name", "Hostname", "host.name", "ComputerName")
	rec.alias("Message", "message")
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

// withoutPrefix gives the event's own name: the prefix is the shipper's.
func withoutPrefix(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(name, "winlog.event_data."), "winlog.user_data.")
}
