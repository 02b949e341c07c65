package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Elastic Common Schema, from endpoints' agents and Beats on any system.
// https://www.elastic.co/docs/reference/ecs

func isECS(v *fastjson.Value) bool {
	if !v.Exists("@timestamp") && !v.Exists("ecs") {
		return false
	}
	return at(v, "event/category") != nil && (at(v, "host/os/type") != nil || at(v, "host/os/family") != nil || at(v, "host/os/platform") != nil)
}

// ecsAliases gives ECS fields the names that Sigma's rules for hosts use.
var ecsAliases = [][2]string{
	{"Image", "process.executable"},
	{"CommandLine", "process.command_line"},
	{"ParentImage", "process.parent.executable"},
	{"ParentCommandLine", "process.parent.command_line"},
	{"CurrentDirectory", "process.working_directory"},
	{"OriginalFileName", "process.pe.original_file_name"},
	{"ProcessId", "process.pid"},
	{"ParentProcessId", "process.parent.pid"},
	{"Company", "process.pe.company"},
	{"Description", "process.pe.description"},
	{"Product", "process.pe.product"},
	{"Imphash", "process.pe.imphash"},
	{"IntegrityLevel", "process.Ext.token.integrity_level_name"},
	{"SourceIp", "source.ip"},
	{"SourcePort", "source.port"},
	{"DestinationIp", "destination.ip"},
	{"DestinationPort", "destination.port"},
	{"DestinationHostname", "destination.domain"},
	{"Protocol", "network.transport"},
	{"QueryName", "dns.question.name"},
	{"ImageLoaded", "dll.path"},
	{"TargetFilename", "file.path"},
	{"TargetObject", "registry.path"},
	{"Details", "registry.data.strings"},
	{"ScriptBlockText", "powershell.file.script_block_text"},
	{"md5", "process.hash.md5"},
	{"sha1", "process.hash.sha1"},
	{"sha256", "process.hash.sha256"},
	{"md5", "file.hash.md5"},
	{"sha1", "file.hash.sha1"},
	{"sha256", "file.hash.sha256"},
	{"Imphash", "file.pe.imphash"},
	{"FileVersion", "process.pe.file_version"},
}

// aliasECS adds Sigma's names where the record has only those of ECS.
func aliasECS(rec *record) {
	for _, pair := range ecsAliases {
		rec.alias(pair[0], pair[1])
	}
	if _, there := rec.Get("CommandLine"); !there { // Auditbeat has the arguments alone
		if args, ok := rec.Get("process.args"); ok {
			var all []string
			for _, argument := range args {
				all = append(all, argument.Text)
			}
			rec.addText("CommandLine", strings.Join(all, " "))
		}
	}
	joinHashes(rec)
	if _, there := rec.Get("User"); there {
		return
	}
	name, domain := rec.Text("user.name"), rec.Text("user.domain")
	switch {
	case name == "":
	case domain == "":
		rec.addText("User", name)
	default:
		rec.addText("User", domain+`\`+name)
	}
}

// ecsCategory names Sigma's category of an ECS category and type; a type of ""
// stands for all others.
var ecsCategory = map[string]string{
	"process/start": "process_creation", "process/end": "process_termination", "network/": "network_connection", "dns/": "dns_query",
	"network/protocol": "dns_query", "file/creation": "file_event", "file/deletion": "file_delete", "file/access": "file_access",
	"file/change": "file_change", "file/": "file_event", "registry/deletion": "registry_delete", "registry/creation": "registry_add", "registry/": "registry_set",
	"library/": "image_load", "driver/": "driver_load",
}

var ecsClass = map[string]monitor.EventClass{
	"process": monitor.ClassProcessActivity, "network": monitor.ClassNetworkActivity, "dns": monitor.ClassDNSActivity, "file": monitor.ClassFileActivity,
	"registry": monitor.ClassRegistryActivity, "library": monitor.ClassModuleActivity, "driver": monitor.ClassModuleActivity,
	"authentication": monitor.ClassAuthentication, "session": monitor.ClassAuthentication, "iam": monitor.ClassAccountChange, "web": monitor.ClassHTTPActivity,
	"malware": monitor.ClassDetectionFinding, "intrusion_detection": monitor.ClassDetectionFinding, "api": monitor.ClassAPIActivity,
}

func normaliseECS(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	normaliseGeneric(in)
	aliasECS(rec)
	categories, _ := rec.Get("event.category")
	kinds, _ := rec.Get("event.type")
	rec.LogSource = monitor.LogSource{Product: strings.ToLower(text(v, "host/os/type", "host/os/family", "host/os/platform"))}
	if rec.LogSource.Product != "windows" && rec.LogSource.Product != "macos" {
		rec.LogSource.Product = "linux"
	}
	for _, category := range categories {
		for _, kind := range kinds {
			if rec.LogSource.Category == "" {
				rec.LogSource.Category = ecsCategory[category.Text+"/"+kind.Text]
			}
		}
		if rec.LogSource.Category == "" {
			rec.LogSource.Category = ecsCategory[category.Text+"/"]
		}
	}
	if rec.LogSource.Category == "dns_query" && rec.Text("QueryName") == "" {
		rec.LogSource.Category = "network_connection"
	}
	if rec.LogSource.Category == "file_change" && text(v, "event/action") == "rename" { // Elastic Defend: ECS has no type for it
		rec.LogSource.Category = "file_rename"
		rec.alias("SourceFilename", "file.Ext.original.path")
	}
	ev.User = rec.Text("User")
	if ev.Message == "" {
		ev.Message, _ = in.tell(windowsLines[rec.LogSource.Category].text)
	}
}
