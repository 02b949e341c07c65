package ingest

import (
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// Records as modules of Winlogbeat and NXLog leave them: rules ask for the event's own names.
func TestRenamedFieldsComeBack(t *testing.T) {
	sysmon := func(id, rest string) string {
		return `{"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","event_id":` + id + `},"log":{"level":"information"},` + rest + `}`
	}
	security := func(id, rest string) string {
		return `{"winlog":{"channel":"Security","event_id":` + id + `},` + rest + `}`
	}
	nxlog := func(id, kind string) string {
		return `{"EventID":` + id + `,"Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventType":"INFO",` +
			`"Message":"Registry value set:\r\nRuleName: -\r\nEventType: ` + kind + `\r\nUtcTime: x"}`
	}
	cases := []struct{ name, record, field, value string }{
		{"hashes of processes", sysmon("1", `"process":{"hash":{"sha1":"aa"},"pe":{"imphash":"bb"}}`), "Hashes", "SHA1=aa,IMPHASH=bb"},
		{"hashes of files", sysmon("7", `"file":{"hash":{"md5":"cc"}}`), "Hashes", "MD5=cc"},
		{"import hashes of files", sysmon("7", `"file":{"pe":{"imphash":"cc"}}`), "Imphash", "cc"},
		{"direction", sysmon("3", `"network":{"direction":"egress"}`), "Initiated", "true"},
		{"drivers", sysmon("6", `"file":{"path":"C:\\d.sys"}`), "ImageLoaded", `C:\d.sys`},
		{"signatures", sysmon("7", `"file":{"code_signature":{"signed":false,"status":"Expired"}}`), "SignatureStatus", "Expired"},
		{"signed", sysmon("7", `"file":{"code_signature":{"signed":false}}`), "Signed", "false"},
		{"who opens", sysmon("10", `"process":{"executable":"C:\\a.exe"}`), "SourceImage", `C:\a.exe`},
		{"pipes", sysmon("17", `"file":{"name":"\\mojo.1"}`), "PipeName", `\mojo.1`},
		{"levels", sysmon("5", `"a":1`), "Level", "4"},
		{"logons", security("4624", `"source":{"ip":"192.0.2.1","port":5,"domain":"WS1"}`), "IpAddress", "192.0.2.1"},
		{"stations", security("4624", `"source":{"ip":"192.0.2.1","port":5,"domain":"WS1"}`), "WorkstationName", "WS1"},
		{"objects", security("4663", `"process":{"executable":"C:\\a.exe"}`), "ProcessName", `C:\a.exe`},
		{"processes", security("4688", `"process":{"executable":"C:\\a.exe"}`), "NewProcessName", `C:\a.exe`},
		{"classic PowerShell", `{"winlog":{"channel":"Windows PowerShell","event_id":400},"message":"HostApplication=x"}`, "Data", "HostApplication=x"},
		{"modules", `{"winlog":{"channel":"Microsoft-Windows-PowerShell/Operational","event_id":4103},"message":"CommandInvocation(x)"}`, "Payload", "CommandInvocation(x)"},
		{"nameless", `{"winlog":{"channel":"Application","event_id":1000,"event_data":{"param1":"a","param2":"b"}}}`, "Data", "b"},
		{"nameless of NXLog", `{"EventID":1000,"Channel":"Application","Data":"a","Data_1":"b"}`, "Data", "b"},
		{"what happened", nxlog("13", "SetValue"), "EventType", "SetValue"},
		{"what was renamed", nxlog("14", "RenameKey"), "EventType", "RenameKey"},
		{"what was deleted", nxlog("12", "DeleteKey"), "EventType", "DeleteKey"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var ev monitor.Event
			var rec monitor.Record
			if err := NewNormaliser().Normalise([]byte(c.record), received, &ev, &rec); err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, f := range rec.Fields {
				for _, v := range f.Values {
					if f.Name == c.field {
						all = append(all, v.Text)
						if v.Text == c.value {
							return
						}
					}
				}
			}
			t.Errorf("%s is %q, want %q among them", c.field, all, c.value)
		})
	}
}
