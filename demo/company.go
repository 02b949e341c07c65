package demo

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The company: eight people with a workstation each, a few servers, an account
// at a cloud provider, and a small cluster.

type person struct{ name, host, address string }

var people = []person{
	{"ana", "ws-ana", "10.0.1.11"},
	{"bob", "ws-bob", "10.0.1.12"},
	{"carol", "ws-carol", "10.0.1.13"},
	{"dan", "ws-dan", "10.0.1.14"},
	{"erin", "ws-erin", "10.0.1.15"},
	{"farid", "ws-farid", "10.0.1.16"},
	{"grace", "ws-grace", "10.0.1.17"},
	{"hugo", "ws-hugo", "10.0.1.18"},
}

var linuxServers = []string{"web-1", "web-2", "db-1", "bastion-1", "ci-1"}

const (
	system32   = `C:\Windows\System32\`
	powershell = system32 + `WindowsPowerShell\v1.0\powershell.exe`
	cmd        = system32 + `cmd.exe`
	explorer   = `C:\Windows\explorer.exe`
	services   = system32 + `services.exe`
	word       = `C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE`
	localOS    = `NT AUTHORITY\SYSTEM`
)

func (w person) account() string { return `CORP\` + w.name }

func (p *Player) outsider() string {
	return fmt.Sprintf("%s.%d", pick(p, []string{"192.0.2", "198.51.100", "203.0.113"}), 1+p.r.IntN(250))
}

// hash makes up a SHA-256.
func (p *Player) hash() string {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = byte(p.r.IntN(256))
	}
	return strings.ToUpper(hex.EncodeToString(raw))
}

type object = map[string]any

func encode(at time.Time, record object) Moment {
	raw, err := json.Marshal(record)
	if err != nil {
		panic(fmt.Sprintf("demo: a record has no JSON: %v", err)) // maps of strings and numbers
	}
	return Moment{at, raw}
}

func journal(at time.Time, host, program, message string) Moment {
	return encode(at, object{
		"__REALTIME_TIMESTAMP": fmt.Sprint(at.UnixMicro()), "_HOSTNAME": host, "SYSLOG_IDENTIFIER": program,
		"_SYSTEMD_UNIT": program + ".service", "_PID": fmt.Sprint(700 + at.UnixMilli()%9_000), "MESSAGE": message, "PRIORITY": "6",
	})
}

// windows makes an event as EVTX is written in JSON. The computer has the name that
// it has in every other log: a second one would be a second host.
func windows(at time.Time, host, channel, provider string, id int, data object) Moment {
	return encode(at, object{"Event": object{
		"System": object{
			"Provider": object{"#attributes": object{"Name": provider}}, "EventID": id, "Channel": channel, "Computer": host,
			"TimeCreated": object{"#attributes": object{"SystemTime": at.UTC().Format(time.RFC3339Nano)}},
		},
		"EventData": data,
	}})
}

func sysmon(at time.Time, host string, id int, data object) Moment {
	data["UtcTime"] = at.UTC().Format("2006-01-02 15:04:05.000")
	return windows(at, host, "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon", id, data)
}

// started is Sysmon's event 1.
func (p *Player) started(at time.Time, host, user, image, command, parent string) Moment {
	level := "Medium"
	if strings.HasPrefix(user, "NT AUTHORITY") {
		level = "System"
	}
	return sysmon(at, host, 1, object{
		"Image": image, "CommandLine": command, "ParentImage": parent, "User": user, "IntegrityLevel": level,
		"ProcessId": 1_000 + p.r.IntN(20_000), "ParentProcessId": 1_000 + p.r.IntN(20_000), "CurrentDirectory": `C:\Windows\system32\`,
		"Hashes": "SHA256=" + p.hash(),
	})
}

// startedOnLinux is the same of Sysmon for Linux.
func (p *Player) startedOnLinux(at time.Time, host, user, image, command, parent string) Moment {
	return windows(at, host, "Linux-Sysmon/Operational", "Linux-Sysmon", 1, object{
		"UtcTime": at.UTC().Format("2006-01-02 15:04:05.000"), "Image": image,
		"CommandLine": command, "ParentImage": parent, "User": user, "ProcessId": 1_000 + p.r.IntN(20_000),
	})
}

func security(at time.Time, host string, id int, data object) Moment {
	return windows(at, host, "Security", "Microsoft-Windows-Security-Auditing", id, data)
}

func serviceInstalled(at time.Time, host, name, path string) Moment {
	return windows(at, host, "System", "Service Control Manager", 7045, object{
		"ServiceName": name, "ImagePath": path, "ServiceType": "user mode service",
		"StartType": "demand start", "AccountName": "LocalSystem",
	})
}

func cloudTrail(at time.Time, source, name, user, address string, more object) Moment {
	record := object{
		"eventVersion": "1.08", "eventTime": at.UTC().Format(time.RFC3339), "eventSource": source + ".amazonaws.com", "eventName": name,
		"awsRegion": "eu-central-1", "sourceIPAddress": address, "userAgent": "aws-cli/2.15.30", "eventType": "AwsApiCall", "recipientAccountId": "111122223333",
		"userIdentity": object{"type": "IAMUser", "userName": user, "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:user/" + user},
	}
	for k, v := range more {
		record[k] = v
	}
	return encode(at, record)
}

func webRequest(at time.Time, host, from, request, status, agent string) Moment {
	return encode(at, object{
		"time_iso8601": at.UTC().Format(time.RFC3339), "hostname": host, "remote_addr": from, "request": request, "status": status,
		"body_bytes_sent": "1834", "request_time": "0.012", "http_host": "shop.example", "http_user_agent": agent,
	})
}

// kubernetes is a request of the shop's own service account.
func kubernetes(at time.Time, from, verb, resource, subresource, name string, code int) Moment {
	about := object{"resource": resource, "namespace": "shop", "name": name, "apiVersion": "v1"}
	if subresource != "" {
		about["subresource"] = subresource
	}
	return encode(at, object{
		"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete", "verb": verb,
		"user": object{"username": "system:serviceaccount:shop:web"}, "sourceIPs": []string{from}, "objectRef": about, "responseStatus": object{"code": code},
		"requestURI": "/api/v1/namespaces/shop/" + resource + "/" + name, "stageTimestamp": at.UTC().Format("2006-01-02T15:04:05.000000Z"),
	})
}

func suricata(at time.Time, kind, from, to string, port int, more object) Moment {
	record := object{
		"timestamp": at.UTC().Format("2006-01-02T15:04:05.000000-0700"), "event_type": kind, "flow_id": at.UnixNano(), "in_iface": "eth1",
		"src_ip": from, "src_port": 40_000 + port%20_000, "dest_ip": to, "dest_port": port, "proto": "TCP",
	}
	for k, v := range more {
		record[k] = v
	}
	return encode(at, record)
}

// report makes one of the host agent's reports.
func report(at time.Time, kind, host string, fields object) Moment {
	fields["report"], fields["time"], fields["host"] = kind, at.UTC().Format(time.RFC3339Nano), host
	return encode(at, fields)
}
