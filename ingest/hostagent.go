package ingest

import (
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// What `secmon agent` reports besides ports (hostreport.go): package agent writes the
// records, docs/agent.md names their fields. Connections, processes and files get the log
// sources and names of Sigma for the system that "os" names, so that its rules fit.

// agentAliases are Sigma's names for the agent's own.
var agentAliases = map[string][][2]string{
	"network_connection": {
		{"Image", "executable"},
		{"CommandLine", "command_line"},
		{"User", "user"},
		{"ProcessId", "pid"},
		{"Protocol", "protocol"},
		{"Initiated", "initiated"},
		{"SourceIp", "source_ip"},
		{"SourcePort", "source_port"},
		{"DestinationIp", "destination_ip"},
		{"DestinationPort", "destination_port"},
	},
	"process_creation": {
		{"Image", "executable"},
		{"CommandLine", "command_line"},
		{"User", "user"},
		{"ProcessId", "pid"},
		{"ParentProcessId", "parent_pid"},
		{"CurrentDirectory", "current_directory"},
		{"ParentImage", "parent_executable"},
		{"ParentCommandLine", "parent_command_line"},
	},
	"file_event": {{"TargetFilename", "file_path"}},
}

// agentSource sets the log source of a report that Sigma has a category for.
func (in *input) agentSource(category string) {
	product := text(in.v, "os")
	if product == "" {
		product = "linux"
	}
	in.rec.LogSource = monitor.LogSource{Product: product, Category: category}
	for _, pair := range agentAliases[category] {
		in.rec.alias(pair[0], pair[1])
	}
}

func (in *input) connectionReport() {
	ev, v := in.ev, in.v
	in.agentSource("network_connection")
	ev.Class, ev.Action = monitor.ClassNetworkActivity, "connection_"+text(v, "change")
	ev.SrcIP, ev.SrcPort = parseIP(text(v, "source_ip")), parsePort(text(v, "source_port"))
	ev.DstIP, ev.DstPort = parseIP(text(v, "destination_ip")), parsePort(text(v, "destination_port"))
	if image := text(v, "executable"); image != "" {
		ev.Process = image
	}
	ev.Command = text(v, "command_line")
	who := text(v, "process")
	if who == "" {
		who = "A process"
	}
	if v.GetBool("initiated") {
		ev.Message = who + " on " + ev.Host + " is connected to " + text(v, "destination_ip") + " port " + text(v, "destination_port")
	} else {
		ev.Message = who + " on " + ev.Host + " is connected to from " + text(v, "source_ip") + " on port " + text(v, "destination_port")
	}
}

func (in *input) processReport() {
	ev, v := in.ev, in.v
	in.agentSource("process_creation")
	ev.Class, ev.Action = monitor.ClassProcessActivity, "process_started"
	if image := text(v, "executable"); image != "" {
		ev.Process = image
	}
	ev.Command = text(v, "command_line")
	ev.Message = ev.User + " started " + ev.Command + " on " + ev.Host
	if ev.User == "" {
		ev.Message = "Started on " + ev.Host + ": " + ev.Command
	}
}

func (in *input) fileReport() {
	ev, v := in.ev, in.v
	in.agentSource("file_event")
	ev.Class, ev.Action = monitor.ClassFileActivity, "file_"+text(v, "change")
	ev.FilePath, ev.FileHash = text(v, "file_path"), text(v, "sha256", "sha1", "md5")
	what := "New file "
	if text(v, "change") == "changed" {
		what = "Changed file "
	}
	ev.Message = what + ev.FilePath + " on " + ev.Host
}

func (in *input) heartbeatReport() {
	ev, v := in.ev, in.v
	in.rec.LogSource = monitor.LogSource{Product: "secmon", Category: "agent_heartbeat"}
	ev.Action = "agent_heartbeat"
	ev.Message = "Agent on " + ev.Host + " is up"
	if lost := v.GetFloat64("lost"); lost > 0 {
		ev.Action, ev.Severity = "agent_lost_records", monitor.SeverityMedium
		ev.Message = "Agent on " + ev.Host + " lost " + text(v, "lost") + " records"
	} else if faults := v.GetArray("faults"); len(faults) > 0 {
		ev.Action, ev.Severity = "agent_fault", monitor.SeverityLow
		ev.Message = "Agent on " + ev.Host + ": " + scalar(faults[0])
	}
}

func (in *input) inventoryReport() {
	ev, v := in.ev, in.v
	in.rec.LogSource = monitor.LogSource{Product: "secmon", Category: "host_inventory"}
	ev.Class, ev.Action = monitor.ClassNetworkActivity, "host_inventory"
	ev.Message = strings.Join([]string{ev.Host, "has", text(v, "port_count"), "open ports and", text(v, "connection_count"), "connections"}, " ")
}
