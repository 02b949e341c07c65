package demo

import (
	"fmt"
	"time"
)

// ordinary are the things that happen all day; the starter pack's rules find
// nothing in them.
var ordinary = []func(p *Player, at time.Time, who person) Moment{
	func(p *Player, at time.Time, who person) Moment {
		return journal(at, pick(p, linuxServers), "sshd", fmt.Sprintf("Accepted publickey for %s from %s port %d ssh2: ED25519 SHA256:hVbF9", who.name, who.address, 50_000+p.r.IntN(9_000)))
	},
	func(p *Player, at time.Time, who person) Moment { // mistyped
		return journal(at, "bastion-1", "sshd", fmt.Sprintf("Failed password for %s from %s port %d ssh2", who.name, who.address, 50_000+p.r.IntN(9_000)))
	},
	func(p *Player, at time.Time, who person) Moment {
		return journal(at, pick(p, linuxServers), "sudo", "    "+who.name+" : TTY=pts/1 ; PWD=/home/"+who.name+" ; USER=root ; COMMAND=/usr/bin/systemctl restart shop")
	},
	func(p *Player, at time.Time, _ person) Moment {
		return journal(at, pick(p, linuxServers), "CRON", "(root) CMD (/usr/local/bin/rotate-logs)")
	},
	func(p *Player, at time.Time, _ person) Moment {
		return journal(at, pick(p, linuxServers), "systemd", "Started Daily apt download activities.")
	},
	func(p *Player, at time.Time, _ person) Moment {
		return p.startedOnLinux(at, pick(p, linuxServers), "backup", "/usr/bin/rsync", "rsync -a /srv/shop/ backup@10.0.2.20:/backup/shop/", "/bin/sh")
	},
	func(p *Player, at time.Time, who person) Moment {
		return p.started(at, who.host, who.account(), `C:\Program Files\Mozilla Firefox\firefox.exe`, `"C:\Program Files\Mozilla Firefox\firefox.exe" -osint -url https://intranet.corp.example/`, explorer)
	},
	func(p *Player, at time.Time, who person) Moment {
		return p.started(at, who.host, who.account(), word, `"`+word+`" /n "C:\Users\`+who.name+`\Documents\offer.docx"`, explorer)
	},
	func(p *Player, at time.Time, who person) Moment {
		return p.started(at, who.host, localOS, system32+"svchost.exe", system32+"svchost.exe -k netsvcs -p -s wuauserv", services)
	},
	func(p *Player, at time.Time, who person) Moment {
		return p.started(at, who.host, who.account(), powershell, `powershell.exe -File \\files-1\scripts\map-drives.ps1`, explorer)
	},
	func(p *Player, at time.Time, who person) Moment {
		name := pick(p, []string{"intranet.corp.example", "mail.corp.example", "updates.example", "news.example", "maps.example"})
		return sysmon(at, who.host, 22, object{"Image": `C:\Program Files\Mozilla Firefox\firefox.exe`, "QueryName": name, "QueryStatus": "0", "QueryResults": "10.0.2.10;", "User": who.account()})
	},
	func(p *Player, at time.Time, who person) Moment {
		return sysmon(at, who.host, 3, object{
			"Image": `C:\Program Files\Mozilla Firefox\firefox.exe`, "User": who.account(), "Protocol": "tcp", "Initiated": "true",
			"SourceIp": who.address, "SourcePort": 49_000 + p.r.IntN(9_000), "DestinationIp": "10.0.2.10", "DestinationPort": 443, "DestinationHostname": "intranet.corp.example",
		})
	},
	func(_ *Player, at time.Time, who person) Moment {
		return sysmon(at, who.host, 11, object{"Image": word, "TargetFilename": `C:\Users\` + who.name + `\Documents\~$offer.docx`, "User": who.account()})
	},
	func(p *Player, at time.Time, who person) Moment {
		return security(at, "dc-1", 4624, object{"TargetUserName": who.name, "TargetDomainName": "CORP", "LogonType": "3", "IpAddress": who.address, "IpPort": fmt.Sprint(50_000 + p.r.IntN(9_000)), "AuthenticationPackageName": "Kerberos"})
	},
	func(_ *Player, at time.Time, who person) Moment {
		return security(at, who.host, 4625, object{"TargetUserName": who.name, "TargetDomainName": "CORP", "LogonType": "2", "IpAddress": "127.0.0.1", "Status": "0xc000006d", "SubStatus": "0xc000006a"})
	},
	func(p *Player, at time.Time, _ person) Moment {
		name := pick(p, []string{"ListObjects", "GetObject", "HeadBucket"})
		return cloudTrail(at, "s3", name, "reporting", "10.0.3.7", object{"requestParameters": object{"bucketName": "shop-reports"}})
	},
	func(p *Player, at time.Time, who person) Moment {
		return cloudTrail(at, "ec2", pick(p, []string{"DescribeInstances", "DescribeSecurityGroups"}), who.name, "198.51.100.10", object{"userAgent": "console.amazonaws.com", "readOnly": true})
	},
	func(p *Player, at time.Time, _ person) Moment {
		return webRequest(at, pick(p, []string{"web-1", "web-2"}), p.outsider(), fmt.Sprintf("GET /shop/item/%d HTTP/1.1", p.r.IntN(500)), "200", "Mozilla/5.0 (X11; Linux x86_64)")
	},
	func(p *Player, at time.Time, _ person) Moment {
		return webRequest(at, pick(p, []string{"web-1", "web-2"}), p.outsider(), fmt.Sprintf("POST /shop/cart?item=%d HTTP/1.1", p.r.IntN(500)), "302", "Mozilla/5.0 (iPhone)")
	},
	func(p *Player, at time.Time, _ person) Moment {
		return webRequest(at, "web-1", p.outsider(), "GET /favicon.ico HTTP/1.1", "404", "Mozilla/5.0 (Windows NT 10.0)")
	},
	func(p *Player, at time.Time, _ person) Moment {
		return kubernetes(at, "10.0.4.11", "get", "configmaps", "", pick(p, []string{"settings", "prices"}), 200)
	},
	func(p *Player, at time.Time, _ person) Moment {
		return suricata(at, "http", p.outsider(), "10.0.2.30", 80, object{"http": object{"hostname": "shop.example", "url": fmt.Sprintf("/shop/item/%d", p.r.IntN(500)), "http_method": "GET", "status": 200}})
	},
	func(p *Player, at time.Time, who person) Moment {
		return suricata(at, "alert", who.address, p.outsider(), 443, object{"alert": object{"action": "allowed", "signature": "DEMO INFO TLS client without SNI", "signature_id": 1_000_001, "severity": 3, "category": "Not Suspicious Traffic"}})
	},
	func(p *Player, at time.Time, who person) Moment {
		site := pick(p, []string{"news.example", "maps.example", "docs.example"})
		return report(at, "web_activity", who.host, object{"domain": site, "address": p.outsider(), "port": 443, "browser": "firefox", "url": "https://" + site + "/", "score": p.r.IntN(8), "category": "news", "action": "allowed", "user": who.name})
	},
	func(p *Player, at time.Time, who person) Moment { // an advertiser, kept out
		return report(at, "web_activity", who.host, object{"domain": "ads.example", "address": p.outsider(), "port": 443, "browser": "firefox", "url": "https://ads.example/pixel", "score": 22, "category": "advertising", "action": "blocked", "user": who.name})
	},
	func(p *Player, at time.Time, _ person) Moment {
		return report(at, "network", pick(p, linuxServers), object{"port": 22, "open": true, "service": "ssh", "connection_count": p.r.IntN(4), "local_address": "10.0.2.30:22", "remote_address": "10.0.1.11:51022", "process": "sshd", "scan_duration_ms": 40 + p.r.IntN(90)})
	},
	func(p *Player, at time.Time, who person) Moment {
		return report(at, "malware", who.host, object{"file_path": `C:\Users\` + who.name + `\Downloads\setup.msi`, "file_name": "setup.msi", "file_size": 4_194_304, "sha256": p.hash(), "score": p.r.IntN(6), "indicators": []string{}, "process": "firefox.exe", "status": "clean"})
	},
}

// noise is n records of an ordinary day, in the few seconds up to a time.
func (p *Player) noise(until time.Time, n int) []Moment {
	moments := make([]Moment, n)
	for i := n - 1; i >= 0; i-- {
		moments[i] = pick(p, ordinary)(p, until, pick(p, people))
		until = until.Add(-time.Duration(p.r.IntN(900)) * time.Millisecond)
	}
	return moments
}
