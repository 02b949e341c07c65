package detect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// This file reads just enough of Windows records for the corpora. The real
// normaliser is in package ingest, which detect may not import.

// readEVTX reads EVTX as JSON: Event.System, Event.EventData or Event.UserData,
// with and without #attributes.
func readEVTX(t testing.TB, source []byte, rec *monitor.Record) {
	t.Helper()
	var record struct {
		Event struct {
			System    map[string]any
			EventData map[string]any
			UserData  map[string]any
		}
	}
	decode(t, source, &record)
	for name, v := range record.Event.System {
		addAttributes(rec, name, v)
	}
	for name, v := range record.Event.EventData {
		addNested(rec, name, v)
	}
	for _, v := range record.Event.UserData { // one element named by the provider
		if fields, ok := v.(map[string]any); ok {
			for name, v := range fields {
				addNested(rec, name, v)
			}
		}
	}
	rec.LogSource = windowsLogSource(rec)
}

// readFlat reads a flat NXLog or Winlogbeat record.
func readFlat(t testing.TB, source []byte, rec *monitor.Record) {
	t.Helper()
	var record map[string]any
	decode(t, source, &record)
	for name, v := range record {
		addNested(rec, name, v)
	}
	rec.LogSource = windowsLogSource(rec)
}

func decode(t testing.TB, source []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%v in %.200s", err, source)
	}
}

// addAttributes names an element's attributes as Sigma does: Provider_Name.
func addAttributes(rec *monitor.Record, name string, v any) {
	element, ok := v.(map[string]any)
	if !ok {
		addNested(rec, name, v)
		return
	}
	if text, ok := element["#text"]; ok {
		addNested(rec, name, text)
	}
	if attributes, ok := element["#attributes"].(map[string]any); ok {
		for a, v := range attributes {
			addNested(rec, name+"_"+a, v)
		}
	}
}

// addNested flattens objects with dots and adds up arrays.
func addNested(rec *monitor.Record, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if name == "#attributes" {
			return
		}
		if len(v) == 0 {
			rec.Fields = append(rec.Fields, monitor.Field{Name: name})
		}
		for key, each := range v {
			addNested(rec, name+"."+key, each)
		}
	case []any:
		if len(v) == 0 {
			rec.Fields = append(rec.Fields, monitor.Field{Name: name})
		}
		for _, each := range v {
			addNested(rec, name, each)
		}
	default:
		rec.Add(name, scalar(v))
	}
}

func scalar(v any) monitor.Value {
	switch v := v.(type) {
	case nil:
		return monitor.Value{Kind: monitor.NullValue}
	case bool:
		return monitor.Value{Kind: monitor.BoolValue, Text: fmt.Sprint(v)}
	case json.Number:
		return monitor.Value{Kind: monitor.NumberValue, Text: v.String()}
	default:
		return monitor.Value{Kind: monitor.StringValue, Text: fmt.Sprint(v)}
	}
}

// windowsServices maps channels to Sigma's services.
// https://github.com/SigmaHQ/sigma-specification, appendix "Taxonomy" 2.1
var windowsServices = map[string]string{
	"security":           "security",
	"system":             "system",
	"application":        "application",
	"windows powershell": "powershell-classic",
	"microsoft-windows-powershell/operational":                           "powershell",
	"powershellcore/operational":                                         "powershell",
	"microsoft-windows-sysmon/operational":                               "sysmon",
	"microsoft-windows-taskscheduler/operational":                        "taskscheduler",
	"microsoft-windows-windows defender/operational":                     "windefend",
	"microsoft-windows-wmi-activity/operational":                         "wmi",
	"microsoft-windows-codeintegrity/operational":                        "codeintegrity-operational",
	"microsoft-windows-bits-client/operational":                          "bits-client",
	"microsoft-windows-dns-client/operational":                           "dns-client",
	"microsoft-windows-ntlm/operational":                                 "ntlm",
	"microsoft-windows-appxdeploymentserver/operational":                 "appxdeployment-server",
	"microsoft-windows-windows firewall with advanced security/firewall": "firewall-as",
}

// sysmonCategories maps Sysmon's event ids to Sigma's categories.
var sysmonCategories = map[string]string{
	"1": "process_creation", "2": "file_change", "3": "network_connection", "4": "sysmon_status",
	"5": "process_termination", "6": "driver_load", "7": "image_load", "8": "create_remote_thread",
	"9": "raw_access_thread", "10": "process_access", "11": "file_event", "12": "registry_event",
	"13": "registry_set", "14": "registry_rename", "15": "create_stream_hash", "16": "sysmon_status",
	"17": "pipe_created", "18": "pipe_created", "19": "wmi_event", "20": "wmi_event", "21": "wmi_event",
	"22": "dns_query", "23": "file_delete", "24": "clipboard_capture", "25": "process_tampering",
	"26": "file_delete_detected", "27": "file_block_executable", "28": "file_block_shredding",
	"29": "file_executable_detected", "255": "sysmon_error",
}

func windowsLogSource(rec *monitor.Record) monitor.LogSource {
	ls := monitor.LogSource{Product: "windows", Service: windowsServices[strings.ToLower(rec.Text("Channel"))]}
	id := rec.Text("EventID", "EventId", "event_id")
	switch ls.Service {
	case "sysmon":
		ls.Category = sysmonCategories[id]
		if id == "12" {
			ls.Category = "registry_add"
			if strings.HasPrefix(rec.Text("EventType"), "Delete") {
				ls.Category = "registry_delete"
			}
		}
	case "security":
		if id == "4688" {
			ls.Category = "process_creation"
		}
	case "powershell":
		ls.Category = map[string]string{"4103": "ps_module", "4104": "ps_script"}[id]
	case "powershell-classic":
		ls.Category = map[string]string{"400": "ps_classic_start", "600": "ps_classic_provider_start"}[id]
	}
	return ls
}
