package ingest

import "strings"

// renamed are the fields that modules of Winlogbeat and Elastic Agent take away and
// give an ECS name that means something else elsewhere: Sigma's name and ECS's, by
// service or by service and event id.
// https://www.elastic.co/docs/reference/beats/winlogbeat/winlogbeat-modules
var renamed = map[string][][2]string{
	"security":      {{"IpAddress", "source.ip"}, {"IpPort", "source.port"}, {"WorkstationName", "source.domain"}, {"ProcessName", "process.executable"}},
	"security/4688": {{"NewProcessName", "process.executable"}, {"ParentProcessName", "process.parent.executable"}},
	"powershell":    {{"Payload", "Message"}, {"ContextInfo", "Message"}}, // the text is made of both
	"sysmon/3":      {{"SourceHostname", "source.domain"}},
	"sysmon/6":      signedFile,
	"sysmon/7":      signedFile,
	"sysmon/8":      {{"SourceImage", "process.executable"}},
	"sysmon/10":     {{"SourceImage", "process.executable"}},
	"sysmon/17":     {{"PipeName", "file.name"}},
	"sysmon/18":     {{"PipeName", "file.name"}},
	"sysmon/22":     {{"QueryStatus", "sysmon.dns.status"}, {"QueryResults", "dns.resolved_ip"}},
}

var signedFile = [][2]string{
	{"ImageLoaded", "file.path"},
	{"Signed", "file.code_signature.signed"},
	{"Signature", "file.code_signature.subject_name"},
	{"SignatureStatus", "file.code_signature.status"},
}

// directions tell Sysmon's Initiated.
var directions = map[string]string{"egress": "true", "outbound": "true", "ingress": "false", "inbound": "false"}

// eventLevels are the numbers that an event's own record has.
var eventLevels = map[string]string{"critical": "1", "error": "2", "warning": "3", "information": "4", "verbose": "5"}

// restoreRenamed gives back what modules renamed.
func restoreRenamed(rec *record) {
	service := windowsService(strings.ToLower(rec.Text("Channel")), strings.ToLower(rec.Text("Provider_Name")))
	id := service + "/" + rec.Text("EventID")
	for _, list := range [][][2]string{renamed[service], renamed[id]} {
		for _, pair := range list {
			rec.alias(pair[0], pair[1])
		}
	}
	if id == "sysmon/3" {
		rec.addUnlessThere("Initiated", directions[rec.Text("network.direction")])
	}
	rec.addUnlessThere("Level", eventLevels[strings.ToLower(rec.Text("log.level"))])
}

// gatherData makes one field Data of an event's nameless texts, which shippers
// number: param1 (Winlogbeat), or Data_1 beside Data (NXLog).
func gatherData(rec *record) {
	for i, n := 0, len(rec.Fields); i < n; i++ {
		f := &rec.Fields[i]
		for _, prefix := range []string{"param", "Data_"} {
			if number, ok := strings.CutPrefix(f.Name, prefix); ok && isNumber(number) {
				rec.add("Data", f.Values...)
				break
			}
		}
	}
}

// hashSources are where ECS has the parts of Sysmon's Hashes.
var hashSources = []struct{ kind, process, file string }{
	{"MD5", "process.hash.md5", "file.hash.md5"},
	{"SHA1", "process.hash.sha1", "file.hash.sha1"},
	{"SHA256", "process.hash.sha256", "file.hash.sha256"},
	{"IMPHASH", "process.pe.imphash", "file.pe.imphash"},
}

// joinHashes makes Sysmon's field of ECS's, for the rules that ask for
// Hashes|contains: 'IMPHASH=...'.
func joinHashes(rec *record) {
	var parts []string
	for _, source := range hashSources {
		if value := rec.Text(source.process, source.file); value != "" {
			parts = append(parts, source.kind+"="+value)
		}
	}
	rec.addUnlessThere("Hashes", strings.Join(parts, ","))
}
