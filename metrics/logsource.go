package metrics

// products are those of Sigma's taxonomy that we read or have rules for. A
// generic record can name any product: it is "other" then.
var products = knownOf("windows", "linux", "macos", "aws", "azure", "gcp", "m365", "okta", "github", "kubernetes", "suricata", "zeek", "falco",
	"secmon", "cisco", "fortios", "paloalto", "juniper", "opencanary", "bitbucket", "onelogin", "rpc_firewall")

// classes are the categories and services of Sigma's taxonomy.
// https://sigmahq.io/docs/basics/log-sources.html
var classes = knownOf(
	"process_creation", "process_access", "process_termination", "process_tampering", "create_remote_thread", "create_stream_hash",
	"dns_query", "dns", "driver_load", "file_access", "file_change", "file_delete", "file_event", "file_executable_detected", "file_rename",
	"image_load", "network_connection", "pipe_created", "ps_classic_start", "ps_module", "ps_script", "raw_access_thread",
	"registry_add", "registry_delete", "registry_event", "registry_rename", "registry_set", "sysmon_error", "sysmon_status", "wmi_event",
	"webserver", "proxy", "firewall", "antivirus", "application", "database", "malware_report", "web_activity", "network_report",
	"agent_heartbeat", "host_inventory",
	"security", "system", "sysmon", "windefend", "powershell", "powershell-classic", "taskscheduler", "wmi", "bits-client", "applocker",
	"auditd", "auth", "sshd", "sudo", "cron", "syslog", "vsftpd", "clamav", "guacamole",
	"cloudtrail", "audit", "activitylogs", "signinlogs", "auditlogs", "apache", "nginx",
)

// Class names the class of a log source in one word: its category, else its
// service, else its product.
func Class(product, category, service string) string {
	for _, name := range []string{category, service} {
		if classes[name] {
			return name
		}
	}
	return products.or(product)
}
