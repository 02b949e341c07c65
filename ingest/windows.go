package ingest

import (
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// channelService names Sigma's service of a Windows event log channel.
// https://github.com/SigmaHQ/sigma-specification, appendix taxonomy
var channelService = map[string]string{
	"security":                             "security",
	"system":                               "system",
	"application":                          "application",
	"microsoft-windows-sysmon/operational": "sysmon",
	"microsoft-windows-powershell/operational":       "powershell",
	"powershellcore/operational":                     "powershell",
	"windows powershell":                             "powershell-classic",
	"microsoft-windows-windows defender/operational": "windefend",
	"microsoft-windows-taskscheduler/operational":    "taskscheduler",
	"microsoft-windows-wmi-activity/operational":     "wmi",
	"dns server":                                                               "dns-server",
	"microsoft-windows-dns-server/audit":                                       "dns-server-audit",
	"microsoft-windows-dns-server/analytical":                                  "dns-server-analytic",
	"microsoft-windows-dns client events/operational":                          "dns-client",
	"microsoft-windows-dns-client/operational":                                 "dns-client",
	"microsoft-windows-bits-client/operational":                                "bits-client",
	"microsoft-windows-codeintegrity/operational":                              "codeintegrity-operational",
	"microsoft-windows-windows firewall with advanced security/firewall":       "firewall-as",
	"microsoft-windows-printservice/admin":                                     "printservice-admin",
	"microsoft-windows-printservice/operational":                               "printservice-operational",
	"microsoft-windows-smbclient/security":                                     "smbclient-security",
	"microsoft-windows-smbclient/connectivity":                                 "smbclient-connectivity",
	"microsoft-windows-smbserver/connectivity":                                 "smbserver-connectivity",
	"microsoft-windows-ntlm/operational":                                       "ntlm",
	"microsoft-windows-terminalservices-localsessionmanager/operational":       "terminalservices-localsessionmanager",
	"microsoft-windows-applocker/msi and script":                               "applocker",
	"microsoft-windows-applocker/exe and dll":                                  "applocker",
	"microsoft-windows-applocker/packaged app-deployment":                      "applocker",
	"microsoft-windows-applocker/packaged app-execution":                       "applocker",
	"msexchange management":                                                    "msexchange-management",
	"microsoft-windows-driverframeworks-usermode/operational":                  "driver-framework",
	"microsoft-windows-security-mitigations/kernelmode":                        "security-mitigations",
	"microsoft-windows-security-mitigations/usermode":                          "security-mitigations",
	"microsoft-windows-lsa/operational":                                        "lsa-server",
	"microsoft-windows-ldap-client/debug":                                      "ldap",
	"microsoft-windows-diagnosis-scripted/operational":                         "diagnosis-scripted",
	"microsoft-windows-shell-core/operational":                                 "shell-core",
	"openssh/operational":                                                      "openssh",
	"microsoft-servicebus-client":                                              "microsoft-servicebus-client",
	"microsoft-windows-appxdeploymentserver/operational":                       "appxdeployment-server",
	"microsoft-windows-appxpackaging/operational":                              "appxpackaging-om",
	"microsoft-windows-appmodel-runtime/admin":                                 "appmodel-runtime",
	"microsoft-windows-capi2/operational":                                      "capi2",
	"microsoft-windows-certificateservicesclient-lifecycle-system/operational": "certificateservicesclient-lifecycle-system",
	"microsoft-iis-configuration/operational":                                  "iis-configuration",
}

// sysmonCategory names Sigma's category of a Sysmon event.
var sysmonCategory = map[string]string{
	"1": "process_creation", "2": "file_change", "3": "network_connection", "4": "sysmon_status", "5": "process_termination", "6": "driver_load",
	"7": "image_load", "8": "create_remote_thread", "9": "raw_access_thread", "10": "process_access", "11": "file_event", "12": "registry_add",
	"13": "registry_set", "14": "registry_rename", "15": "create_stream_hash", "16": "sysmon_status", "17": "pipe_created", "18": "pipe_created", "19": "wmi_event",
	"20": "wmi_event", "21": "wmi_event", "22": "dns_query", "23": "file_delete", "24": "clipboard_capture", "25": "process_tampering",
	"26": "file_delete", "27": "file_block_executable", "28": "file_block_shredding", "29": "file_executable_detected", "255": "sysmon_error",
}

// otherCategory names the category of events of other channels, by service and id.
var otherCategory = map[string]string{
	"security/4688":          "process_creation",
	"powershell/4103":        "ps_module",
	"powershell/4104":        "ps_script",
	"powershell-classic/400": "ps_classic_start",
	"powershell-classic/600": "ps_classic_provider_start",
}

// aliases4688 gives process creation by the Security log the names of Sysmon's.
var aliases4688 = [][2]string{
	{"Image", "NewProcessName"}, {"ParentImage", "ParentProcessName"}, {"CommandLine", "ProcessCommandLine"}, {"User", "SubjectUserName"},
}

// finishWindows derives log source, aliases and envelope of a Windows event whose
// fields are in the record: Channel, EventID, Provider_Name, Computer and those
// of the event itself.
func (in *input) finishWindows() {
	rec, ev := in.rec, in.ev
	channel, id := strings.ToLower(rec.Text("Channel")), rec.Text("EventID")
	service := channelService[channel]
	if service == "" && strings.Contains(rec.Text("Provider_Name"), "Sysmon") {
		service = "sysmon"
	}
	rec.LogSource = monitor.LogSource{Product: "windows", Service: service, Category: windowsCategory(service, id, rec)}
	if id == "4688" && service == "security" {
		for _, pair := range aliases4688 {
			alias(rec, pair[0], pair[1])
		}
	}
	splitHashes(rec)
	if service == "" {
		rec.LogSource.Service = channel[strings.LastIndex(channel, "/")+1:]
		if rec.LogSource.Service == "operational" || rec.LogSource.Service == "admin" {
			rec.LogSource.Service = strings.TrimPrefix(strings.TrimSuffix(strings.TrimSuffix(channel, "/operational"), "/admin"), "microsoft-windows-")
		}
	}
	ev.Host = rec.Text("Computer", "Hostname")
	ev.User = windowsUser(rec)
	ev.Process = rec.Text("Image", "NewProcessName", "ProcessName", "SourceImage", "Application")
	ev.Command = rec.Text("CommandLine", "ProcessCommandLine")
	ev.FileHash = rec.Text("sha256", "sha1", "md5")
	ev.FilePath = rec.Text("TargetFilename", "ImageLoaded", "ObjectName", "Path")
	ev.Domain = rec.Text("QueryName", "DestinationHostname")
	ev.SrcIP, ev.SrcPort = parseIP(rec.Text("SourceIp", "SourceAddress", "IpAddress")), parsePort(rec.Text("SourcePort", "IpPort"))
	ev.DstIP, ev.DstPort = parseIP(rec.Text("DestinationIp", "DestAddress")), parsePort(rec.Text("DestinationPort", "DestPort"))
	ev.Action = windowsAction(rec.LogSource, id)
	in.describeWindows(id)
}

func windowsCategory(service, id string, rec *monitor.Record) string {
	if service != "sysmon" {
		return otherCategory[service+"/"+id]
	}
	if id == "12" && strings.HasPrefix(rec.Text("EventType"), "Delete") {
		return "registry_delete"
	}
	return sysmonCategory[id]
}

func windowsUser(rec *monitor.Record) string {
	if user := rec.Text("User", "AccountName"); user != "" && strings.Contains(user, `\`) {
		return user
	}
	for _, who := range []string{"Target", "Subject"} {
		name, domain := rec.Text(who+"UserName"), rec.Text(who+"DomainName")
		switch {
		case name == "" || name == "-":
		case domain == "" || domain == "-":
			return name
		default:
			return domain + `\` + name
		}
	}
	return rec.Text("User", "AccountName", "SourceUser")
}

// splitHashes adds "MD5=...,SHA256=..." of Sysmon as fields of their own.
func splitHashes(rec *monitor.Record) {
	for _, part := range strings.Split(rec.Text("Hashes", "Hash"), ",") {
		kind, value, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		switch strings.ToUpper(strings.TrimSpace(kind)) {
		case "MD5":
			addText(rec, "md5", value)
		case "SHA1":
			addText(rec, "sha1", value)
		case "SHA256":
			addText(rec, "sha256", value)
		case "IMPHASH":
			addText(rec, "Imphash", value)
		}
	}
}

// windowsActions names the events that people meet most.
var windowsActions = map[string]string{
	"security/4624": "logon", "security/4625": "logon_failed", "security/4634": "logoff", "security/4648": "logon_explicit", "security/4672": "privileges_assigned",
	"security/4688": "process_created", "security/4689": "process_ended", "security/4697": "service_installed", "security/4698": "task_created",
	"security/4720": "account_created", "security/4722": "account_enabled", "security/4724": "password_reset", "security/4726": "account_deleted",
	"security/4728": "group_member_added", "security/4732": "group_member_added", "security/4756": "group_member_added", "security/4738": "account_changed",
	"security/4740": "account_locked", "security/4768": "kerberos_ticket_requested", "security/4769": "kerberos_service_ticket", "security/4776": "credentials_validated",
	"security/1102": "log_cleared", "system/104": "log_cleared", "system/7045": "service_installed", "security/5156": "connection_allowed", "security/5140": "share_accessed",
	"powershell/4103": "script_pipeline", "powershell/4104": "script_block",
}

func windowsAction(ls monitor.LogSource, id string) string {
	if action := windowsActions[ls.Service+"/"+id]; action != "" {
		return action
	}
	if ls.Category != "" {
		return ls.Category
	}
	return strings.Trim(ls.Service+"_"+id, "_")
}

// describeWindows sets class, outcome and the line for people.
func (in *input) describeWindows(id string) {
	rec, ev := in.rec, in.ev
	by := ""
	if ev.User != "" {
		by = " as " + ev.User
	}
	name := base(ev.Process)
	switch category := rec.LogSource.Category; {
	case category == "process_creation":
		ev.Class = monitor.ClassProcessActivity
		ev.Message = name + " started"
		if parent := base(rec.Text("ParentImage", "ParentProcessName")); parent != "" {
			ev.Message += " by " + parent
		}
		ev.Message += " on " + ev.Host + by
	case category == "network_connection" || id == "5156" && rec.LogSource.Service == "security":
		ev.Class = monitor.ClassNetworkActivity
		ev.Message = name + " connected to " + rec.Text("DestinationIp", "DestAddress") + ":" + rec.Text("DestinationPort", "DestPort") + by
	case category == "dns_query":
		ev.Class = monitor.ClassDNSActivity
		ev.Message = name + " looked up " + rec.Text("QueryName")
	case strings.HasPrefix(category, "file_") || category == "create_stream_hash":
		ev.Class = monitor.ClassFileActivity
		ev.Message = name + " " + strings.ReplaceAll(category, "_", " ") + ": " + ev.FilePath
	case strings.HasPrefix(category, "registry_"):
		ev.Class = monitor.ClassRegistryActivity
		ev.Message = name + " " + strings.ReplaceAll(category, "_", " ") + ": " + rec.Text("TargetObject")
	case category == "image_load" || category == "driver_load":
		ev.Class = monitor.ClassModuleActivity
		ev.Message = name + " loaded " + rec.Text("ImageLoaded")
	case category == "process_access" || category == "create_remote_thread":
		ev.Class = monitor.ClassProcessActivity
		ev.Message = base(rec.Text("SourceImage")) + " " + strings.ReplaceAll(category, "_", " ") + " " + base(rec.Text("TargetImage"))
	case category == "ps_script" || category == "ps_module" || strings.HasPrefix(category, "ps_classic"):
		ev.Class = monitor.ClassScriptActivity
		ev.Message = "PowerShell: " + firstLine(rec.Text("ScriptBlockText", "Payload", "Data", "Message"))
	case rec.LogSource.Service == "security":
		in.describeSecurity(id)
	}
	if ev.Message == "" {
		ev.Message = firstLine(rec.Text("Message"))
	}
	if ev.Message == "" {
		ev.Message = strings.ReplaceAll(ev.Action, "_", " ") + " on " + ev.Host
	}
}

func (in *input) describeSecurity(id string) {
	ev, rec := in.ev, in.rec
	switch id {
	case "4624", "4648", "4672", "4768", "4769", "4776":
		ev.Class, ev.Outcome = monitor.ClassAuthentication, monitor.OutcomeSuccess
		if status := rec.Text("Status"); id == "4776" && status != "" && status != "0x0" {
			ev.Outcome = monitor.OutcomeFailure
		}
	case "4625", "4771":
		ev.Class, ev.Outcome = monitor.ClassAuthentication, monitor.OutcomeFailure
		ev.Severity = monitor.SeverityLow
	case "4720", "4722", "4724", "4726", "4728", "4732", "4738", "4740", "4756":
		ev.Class, ev.Outcome = monitor.ClassAccountChange, monitor.OutcomeSuccess
	default:
		return
	}
	ev.Message = strings.ReplaceAll(ev.Action, "_", " ") + ": " + ev.User + " on " + ev.Host
	if ev.SrcIP.IsValid() {
		ev.Message += " from " + ev.SrcIP.String()
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}
