package ingest

import (
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// line is what a kind of Windows event is and how it is told in one line. {Name}
// is a field, {Name~} its last path element, {@host}, {@user} and {@from} come
// from the envelope; what stands in [] is left out when a field in it is empty.
type line struct {
	class   monitor.EventClass
	outcome monitor.Outcome
	text    string
}

// windowsLines are found by category, or by service/id.
var windowsLines = map[string]line{
	"process_creation":         {monitor.ClassProcessActivity, "", "{@process~} started[ by {ParentImage~}] on {@host}[ as {@user}]"},
	"process_termination":      {monitor.ClassProcessActivity, "", "{Image~} ended on {@host}[ as {@user}]"},
	"process_access":           {monitor.ClassProcessActivity, "", "{SourceImage~} opened {TargetImage~}[ with {GrantedAccess}] on {@host}"},
	"process_tampering":        {monitor.ClassProcessActivity, "", "{Image~} was tampered with[ ({Type})] on {@host}"},
	"create_remote_thread":     {monitor.ClassProcessActivity, "", "{SourceImage~} started a thread in {TargetImage~} on {@host}"},
	"raw_access_thread":        {monitor.ClassFileActivity, "", "{Image~} read {Device} as a raw disk on {@host}"},
	"network_connection":       {monitor.ClassNetworkActivity, "", "{@process~} connected to {DestinationIp}[:{DestinationPort}][ ({DestinationHostname})] from {@host}[ as {@user}]"},
	"dns_query":                {monitor.ClassDNSActivity, "", "{Image~} looked up {QueryName} on {@host}"},
	"file_event":               {monitor.ClassFileActivity, "", "{Image~} created {TargetFilename} on {@host}"},
	"file_change":              {monitor.ClassFileActivity, "", "{Image~} changed the times of {TargetFilename} on {@host}"},
	"file_delete":              {monitor.ClassFileActivity, "", "{Image~} deleted {TargetFilename} on {@host}"},
	"file_block_executable":    {monitor.ClassFileActivity, monitor.OutcomeFailure, "{Image~} was kept from writing {TargetFilename} on {@host}"},
	"file_block_shredding":     {monitor.ClassFileActivity, monitor.OutcomeFailure, "{Image~} was kept from shredding {TargetFilename} on {@host}"},
	"file_executable_detected": {monitor.ClassFileActivity, "", "{Image~} wrote the program {TargetFilename} on {@host}"},
	"create_stream_hash":       {monitor.ClassFileActivity, "", "{Image~} wrote the stream {TargetFilename} on {@host}"},
	"registry_add":             {monitor.ClassRegistryActivity, "", "{Image~} created {TargetObject} on {@host}"},
	"registry_delete":          {monitor.ClassRegistryActivity, "", "{Image~} deleted {TargetObject} on {@host}"},
	"registry_set":             {monitor.ClassRegistryActivity, "", "{Image~} set {TargetObject}[ to {Details}] on {@host}"},
	"registry_rename":          {monitor.ClassRegistryActivity, "", "{Image~} renamed {TargetObject}[ to {NewName}] on {@host}"},
	"image_load":               {monitor.ClassModuleActivity, "", "{Image~} loaded {ImageLoaded} on {@host}"},
	"driver_load":              {monitor.ClassModuleActivity, "", "Driver {ImageLoaded} loaded on {@host}"},
	"pipe_created":             {monitor.ClassFileActivity, "", "{Image~} opened the pipe {PipeName} on {@host}"},
	"clipboard_capture":        {monitor.ClassProcessActivity, "", "{Image~} changed the clipboard on {@host}"},

	"security/1102": {"", "", "Security log cleared on {@host}[ by {@user}]"},
	"security/4624": {monitor.ClassAuthentication, monitor.OutcomeSuccess, "{@user} logged on to {@host}[ from {@from}]"},
	"security/4625": {monitor.ClassAuthentication, monitor.OutcomeFailure, "Logon failed: {@user} on {@host}[ from {@from}]"},
	"security/4634": {monitor.ClassAuthentication, monitor.OutcomeSuccess, "{@user} logged off from {@host}"},
	"security/4648": {monitor.ClassAuthentication, monitor.OutcomeSuccess, "Credentials of {@user} used on {@host}[ by {SubjectUserName}][ from {@from}]"},
	"security/4656": {monitor.ClassFileActivity, "", "{ProcessName~} asked for {ObjectName} on {@host}[ as {@user}]"},
	"security/4663": {monitor.ClassFileActivity, "", "{ProcessName~} accessed {ObjectName} on {@host}[ as {@user}]"},
	"security/4672": {monitor.ClassAuthentication, monitor.OutcomeSuccess, "{@user} got administrative privileges on {@host}"},
	"security/4689": {monitor.ClassProcessActivity, "", "{ProcessName~} ended on {@host}[ as {@user}]"},
	"security/4697": {"", "", "Service {ServiceName} installed on {@host}[: {ServiceFileName}]"},
	"security/4698": {"", "", "Task {TaskName} created on {@host}[ by {SubjectUserName}]"},
	"security/4699": {"", "", "Task {TaskName} deleted on {@host}[ by {SubjectUserName}]"},
	"security/4702": {"", "", "Task {TaskName} changed on {@host}[ by {SubjectUserName}]"},
	"security/4719": {"", "", "Audit policy changed on {@host}[ by {SubjectUserName}]"},
	"security/4720": {monitor.ClassAccountChange, monitor.OutcomeSuccess, "Account {@user} created on {@host}[ by {SubjectUserName}]"},
	"security/4722": {monitor.ClassAccountChange, monitor.OutcomeSuccess, "Account {@user} enabled on {@host}[ by {SubjectUserName}]"},
	"security/4724": {monitor.ClassAccountChange, monitor.OutcomeSuccess, "Password of {@user} reset on {@host}[ by {SubjectUserName}]"},
	"security/4726": {monitor.ClassAccountChange, monitor.OutcomeSuccess, "Account {@user} deleted on {@host}[ by {SubjectUserName}]"},
	"security/4728": {monitor.ClassAccountChange, monitor.OutcomeSuccess, "[{MemberName} ]added to the group {@user} on {@host}[ by {SubjectUserName}]"},
	"security/4732": {monitor.ClassAccountChange, monitor.OutcomeSuccess, "[{MemberName} ]added to the group {@user} on {@host}[ by {SubjectUserName}]"},
	"security/4738": {monitor.ClassAccountChange, monitor.OutcomeSuccess, "Account {@user} changed on {@host}[ by {SubjectUserName}]"},
	"security/4740": {monitor.ClassAccountChange, monitor.OutcomeSuccess, "Account {@user} locked on {@host}"},
	"security/4756": {monitor.ClassAccountChange, monitor.OutcomeSuccess, "[{MemberName} ]added to the group {@user} on {@host}[ by {SubjectUserName}]"},
	"security/4768": {monitor.ClassAuthentication, monitor.OutcomeSuccess, "Kerberos ticket asked for by {@user} at {@host}[ from {@from}]"},
	"security/4769": {monitor.ClassAuthentication, monitor.OutcomeSuccess, "Kerberos ticket for {ServiceName} asked for by {@user} at {@host}[ from {@from}]"},
	"security/4771": {monitor.ClassAuthentication, monitor.OutcomeFailure, "Kerberos logon failed: {@user} at {@host}[ from {@from}]"},
	"security/4776": {monitor.ClassAuthentication, monitor.OutcomeSuccess, "Credentials of {@user} checked by {@host}[ for {Workstation}]"},
	"security/5140": {monitor.ClassFileActivity, "", "{@user} opened the share {ShareName} of {@host}[ from {@from}]"},
	"security/5145": {monitor.ClassFileActivity, "", "{@user} asked for {RelativeTargetName} in the share {ShareName} of {@host}[ from {@from}]"},
	"security/5156": {monitor.ClassNetworkActivity, monitor.OutcomeSuccess, "{Application~} connected to {DestAddress}[:{DestPort}] from {@host}"},
	"security/5157": {monitor.ClassNetworkActivity, monitor.OutcomeFailure, "{Application~} was kept from {DestAddress}[:{DestPort}] on {@host}"},
	"system/7045":   {"", "", "Service {ServiceName} installed on {@host}[: {ImagePath}]"},

	"windefend/1116": {monitor.ClassDetectionFinding, "", "Defender found {Threat Name} on {@host}[: {Path}]"},
	"windefend/1117": {monitor.ClassDetectionFinding, "", "Defender acted on {Threat Name} on {@host}[: {Path}]"},
	"windefend/5001": {"", "", "Defender's real-time protection switched off on {@host}"},
}

// describeWindows sets class, outcome and the line for people. Where a field of
// the line is missing, the event's own message stands in.
func (in *input) describeWindows(id string) {
	rec, ev := in.rec, in.ev
	l, known := windowsLines[rec.LogSource.Category]
	if !known {
		l = windowsLines[rec.LogSource.Service+"/"+id]
	}
	if l.class != "" {
		ev.Class = l.class
	}
	if l.outcome != "" {
		ev.Outcome = l.outcome
	}
	message, whole := in.tell(l.text)
	if strings.HasPrefix(rec.LogSource.Service, "powershell") {
		ev.Class = monitor.ClassScriptActivity
		message, whole = "PowerShell: "+firstLine(rec.Text("ScriptBlockText", "Payload", "Message", "Data")), true
	}
	if own := firstLine(rec.Text("Message")); !whole && own != "" {
		message = own
	}
	if message == "" {
		message = strings.ReplaceAll(ev.Action, "_", " ") + " on " + ev.Host
	}
	ev.Message = message
	in.judgeWindows(id)
}

// judgeWindows sets what depends on more than the kind of event.
func (in *input) judgeWindows(id string) {
	ev, rec := in.ev, in.rec
	status := rec.Text("Status")
	switch {
	case rec.LogSource.Service == "windefend" && ev.Class == monitor.ClassDetectionFinding:
		ev.Severity = monitor.SeverityHigh
	case rec.LogSource.Service != "security":
		return
	case (id == "4768" || id == "4769" || id == "4776") && status != "" && status != "0x0":
		ev.Outcome = monitor.OutcomeFailure
	case ev.Outcome != monitor.OutcomeUnknown:
	case strings.Contains(rec.Text("EventType", "Keywords", "winlog.keywords"), "AUDIT_FAILURE"):
		ev.Outcome = monitor.OutcomeFailure
	case strings.Contains(rec.Text("EventType", "Keywords", "winlog.keywords"), "AUDIT_SUCCESS"):
		ev.Outcome = monitor.OutcomeSuccess
	}
	if ev.Class == monitor.ClassAuthentication && ev.Outcome == monitor.OutcomeFailure {
		ev.Severity = monitor.SeverityLow
	}
}

// tell fills a template. whole tells whether every field outside of brackets was there.
func (in *input) tell(template string) (text string, whole bool) {
	told, whole := in.appendTold(in.line[:0], template)
	in.line = told
	return in.rec.keep(told), whole
}

func (in *input) appendTold(b []byte, template string) (told []byte, whole bool) {
	whole = template != ""
	for template != "" {
		i := strings.IndexAny(template, "[{")
		if i < 0 {
			return append(b, template...), whole
		}
		b = append(b, template[:i]...)
		closing := byte('}')
		if template[i] == '[' {
			closing = ']'
		}
		end := strings.IndexByte(template, closing)
		inner := template[i+1 : end]
		if closing == ']' {
			before := len(b)
			var all bool
			if b, all = in.appendTold(b, inner); !all {
				b = b[:before]
			}
		} else {
			value := in.told(inner)
			whole = whole && value != ""
			b = append(b, value...)
		}
		template = template[end+1:]
	}
	return b, whole
}

func (in *input) told(name string) (value string) {
	name, last := strings.CutSuffix(name, "~")
	switch name {
	case "@host":
		value = in.ev.Host
	case "@user":
		value = in.ev.User
	case "@process":
		value = in.ev.Process
	case "@from":
		if in.ev.SrcIP.IsValid() {
			value = in.ev.SrcIP.String()
		}
	default:
		value = firstLine(in.rec.Text(name))
	}
	if last {
		value = base(value)
	}
	if value == "-" {
		return ""
	}
	return value
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}
