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
	"windefend/1116":         "antivirus", // of any vendor: the service has Defender's own rules
	"windefend/1117":         "antivirus",
}

// providerService names the service of records that come without their channel.
var providerService = map[string]string{
	"microsoft-windows-security-auditing": "security", "microsoft-windows-sysmon": "sysmon", "linux-sysmon": "sysmon",
	"microsoft-windows-powershell": "powershell", "powershell": "powershell-classic", "service control manager": "system",
	"microsoft-windows-windows defender": "windefend", "microsoft-windows-taskscheduler": "taskscheduler", "microsoft-windows-wmi-activity": "wmi",
	"microsoft-windows-bits-client": "bits-client",
}

// integrityLevels gives the labels of 4688 the names that Sysmon uses.
var integrityLevels = map[string]string{
	"S-1-16-4096": "Low", "S-1-16-8192": "Medium", "S-1-16-12288": "High", "S-1-16-16384": "System",
}

// finishWindows derives log source, aliases and envelope of a Windows event whose
// fields are in the record: Channel, EventID, Provider_Name, Computer and those
// of the event itself.
func (in *input) finishWindows() {
	rec, ev := in.rec, in.ev
	channel, provider, id := rec.lower(rec.Text("Channel")), rec.lower(rec.Text("Provider_Name")), rec.Text("EventID")
	service := windowsService(channel, provider)
	rec.LogSource = monitor.LogSource{Product: "windows", Service: service, Category: windowsCategory(service, id, rec)}
	if strings.HasPrefix(channel, "linux-sysmon") || provider == "linux-sysmon" {
		rec.LogSource.Product = "linux"
	}
	switch {
	case id == "4688" && service == "security":
		alias4688(rec)
	case service == "powershell-classic":
		rec.alias("Data", "Message") // shippers that read the text alone
	case rec.LogSource.Category == "antivirus":
		rec.alias("Signature", "Threat Name", "ThreatName")
		rec.addUnlessThere("Filename", strings.TrimPrefix(rec.Text("Path"), "file:_"))
	}
	splitHashes(rec)
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

// windowsService names Sigma's service: by the table, or else the channel's own
// name without what all channels have.
func windowsService(channel, provider string) string {
	if service := channelService[channel]; service != "" {
		return service
	}
	if strings.Contains(channel, "sysmon") {
		return "sysmon"
	}
	if channel == "" {
		return providerService[provider]
	}
	last := channel[strings.LastIndex(channel, "/")+1:]
	if last == "operational" || last == "admin" {
		return strings.TrimPrefix(strings.TrimSuffix(channel, "/"+last), "microsoft-windows-")
	}
	return last
}

// alias4688 gives process creation by the Security log the names of Sysmon's.
func alias4688(rec *record) {
	rec.alias("Image", "NewProcessName")
	rec.alias("ParentImage", "ParentProcessName")
	rec.alias("CommandLine", "ProcessCommandLine")
	if _, there := rec.Get("User"); !there {
		if user := account(rec, "SubjectUserName", "SubjectDomainName"); user != "" {
			rec.addText("User", user)
		}
	}
	if level := integrityLevels[rec.Text("MandatoryLabel")]; level != "" {
		rec.addText("IntegrityLevel", level)
	}
}

func windowsCategory(service, id string, rec *record) string {
	if service != "sysmon" {
		return otherCategory[service+"/"+id]
	}
	kind := sysmonEventType(rec)
	if id == "12" && strings.HasPrefix(kind, "Delete") {
		return "registry_delete"
	}
	return sysmonCategory[id]
}

// sysmonEventType gives what a registry event did. NXLog has a field of the same
// name, which may have displaced Sysmon's: then its text still tells, and the
// record gets the value back.
func sysmonEventType(rec *record) string {
	kind := rec.Text("EventType")
	if kind != "INFO" && kind != "" {
		return kind
	}
	_, after, found := strings.Cut(rec.Text("Message"), "EventType: ")
	if !found {
		return kind
	}
	kind = firstLine(after)
	rec.addText("EventType", kind)
	return kind
}

// windowsUser gives DOMAIN\name of who acted, or of the account concerned.
func windowsUser(rec *record) string {
	if user := rec.Text("User"); strings.Contains(user, `\`) {
		return user
	}
	if user := account(rec, "TargetUserName", "TargetDomainName"); user != "" {
		return user
	}
	if user := account(rec, "SubjectUserName", "SubjectDomainName"); user != "" {
		return user
	}
	if user := rec.Text("User", "SourceUser", "Detection User"); user != "" || rec.LogSource.Service == "sysmon" {
		return user // Sysmon's AccountName is that of its own service
	}
	name, domain := rec.Text("AccountName"), rec.Text("Domain")
	if name == "" || domain == "" || strings.Contains(name, `\`) {
		return name
	}
	return rec.join(domain, `\`, name)
}

// account joins the two fields in which the Security log names an account.
func account(rec *record, nameField, domainField string) string {
	name, domain := rec.Text(nameField), rec.Text(domainField)
	switch {
	case name == "-":
		return ""
	case name == "" || domain == "" || domain == "-":
		return name
	default:
		return rec.join(domain, `\`, name)
	}
}

// splitHashes adds "MD5=...,SHA256=..." of Sysmon as fields of their own.
func splitHashes(rec *record) {
	for part := range strings.SplitSeq(rec.Text("Hashes", "Hash"), ",") {
		kind, value, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		switch strings.ToUpper(strings.TrimSpace(kind)) {
		case "MD5":
			rec.addText("md5", value)
		case "SHA1":
			rec.addText("sha1", value)
		case "SHA256":
			rec.addText("sha256", value)
		case "IMPHASH":
			rec.addText("Imphash", value)
		}
	}
}

// windowsActions names the events that people meet most.
var windowsActions = map[string]string{
	"security/4624": "logon", "security/4625": "logon_failed", "security/4634": "logoff", "security/4648": "logon_explicit", "security/4672": "privileges_assigned",
	"security/4688": "process_created", "security/4689": "process_ended", "security/4697": "service_installed", "security/4698": "task_created",
	"security/4720": "account_created", "security/4722": "account_enabled", "security/4724": "password_reset", "security/4726": "account_deleted",
	"security/4728": "group_member_added", "security/4732": "group_member_added", "security/4756": "group_member_added", "security/4738": "account_changed",
	"security/4740": "account_locked", "security/4699": "task_deleted", "security/4702": "task_changed", "security/4656": "object_requested", "security/4663": "object_accessed", "security/4768": "kerberos_ticket_requested", "security/4769": "kerberos_service_ticket", "security/4776": "credentials_validated",
	"security/1102": "log_cleared", "system/104": "log_cleared", "system/7045": "service_installed", "security/5156": "connection_allowed", "security/5140": "share_accessed", "security/5145": "share_file_accessed",
	"security/4719": "audit_policy_changed", "security/4771": "kerberos_failed", "windefend/1116": "malware_detected", "windefend/1117": "malware_handled",
	"windefend/5001": "protection_disabled", "taskscheduler/106": "task_created", "taskscheduler/200": "task_started",
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
