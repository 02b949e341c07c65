package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Findings of AWS Security Hub in the AWS Security Finding Format (ASFF), alone or
// inside of an EventBridge event. Of an event with several the first counts; the
// endpoints of AWS make a record of each (aws.go).
// https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html

func isSecurityHub(v *fastjson.Value) bool { return securityHubFinding(v) != nil }

// securityHubFinding gives the finding of a record, nil where it has none.
func securityHubFinding(v *fastjson.Value) *fastjson.Value {
	if first := v.Get("detail", "findings", "0"); first != nil {
		v = first
	}
	if v.Exists("ProductArn") && v.Exists("GeneratorId") && v.Exists("AwsAccountId") && v.Exists("Severity") {
		return v
	}
	return nil
}

// securityHubSeverity is AWS's: a label, or a number from 0 to 100 in older findings.
func securityHubSeverity(rec *record) monitor.Severity {
	if label := monitor.Severity(strings.ToUpper(rec.Text("Severity.Label"))); label.Rank() >= 0 {
		return label
	}
	score, ok := parseNumber(rec.Text("Severity.Normalized"))
	switch {
	case !ok || score < 1:
		return monitor.SeverityInformational
	case score < 40:
		return monitor.SeverityLow
	case score < 70:
		return monitor.SeverityMedium
	case score < 90:
		return monitor.SeverityHigh
	default:
		return monitor.SeverityCritical
	}
}

func normaliseSecurityHub(in *input) {
	ev, rec, v := in.ev, in.rec, securityHubFinding(in.v)
	rec.flatten("", v)
	rec.LogSource = monitor.LogSource{Product: "aws", Service: "securityhub"}
	for _, name := range []string{"LastObservedAt", "UpdatedAt", "CreatedAt"} {
		if in.occurredText(rec.Text(name)) {
			break
		}
	}
	ev.Class, ev.Severity = monitor.ClassDetectionFinding, securityHubSeverity(rec)
	if ev.Action = rec.Text("Types"); ev.Action == "" {
		ev.Action = rec.Text("GeneratorId")
	}
	switch rec.Text("Compliance.Status") {
	case "PASSED":
		ev.Outcome = monitor.OutcomeSuccess
	case "FAILED":
		ev.Outcome = monitor.OutcomeFailure
	}
	if kind := text(v, "Resources/0/Type"); !strings.HasPrefix(kind, "AwsIam") && kind != "AwsAccount" { // those are nobody's machine
		ev.Host = resourceName(text(v, "Resources/0/Id"))
	}
	ev.User = rec.Text("Resources.Details.AwsIamAccessKey.PrincipalName", "Resources.Details.AwsIamAccessKey.UserName", "Resources.Details.AwsIamUser.UserName")
	ev.SrcIP = parseIP(rec.Text("Network.SourceIpV4", "Network.SourceIpV6", "Action.NetworkConnectionAction.RemoteIpDetails.IpAddressV4",
		"Action.AwsApiCallAction.RemoteIpDetails.IpAddressV4", "Action.PortProbeAction.PortProbeDetails.RemoteIpDetails.IpAddressV4"))
	ev.SrcPort = parsePort(rec.Text("Network.SourcePort"))
	ev.DstIP = parseIP(rec.Text("Network.DestinationIpV4", "Network.DestinationIpV6"))
	ev.DstPort = parsePort(rec.Text("Network.DestinationPort"))
	if rec.Text("Action.NetworkConnectionAction.ConnectionDirection") == "OUTBOUND" && !ev.DstIP.IsValid() {
		ev.SrcIP, ev.DstIP = ev.DstIP, ev.SrcIP
		ev.DstPort = parsePort(rec.Text("Action.NetworkConnectionAction.RemotePortDetails.Port"))
	}
	ev.Domain = rec.Text("Network.DestinationDomain", "Action.DnsRequestAction.Domain", "Network.SourceDomain")
	ev.Process = rec.Text("Process.Path", "Process.Name")
	ev.FilePath = rec.Text("Malware.Path", "Threats.FilePaths.FilePath")
	ev.FileHash = rec.Text("Threats.FilePaths.Hash")
	if ev.SrcIP.IsValid() {
		rec.addUnlessThere("src_ip", ev.SrcIP.String())
	}
	if ev.Message = rec.Text("Title"); ev.Message == "" {
		ev.Message = ev.Action
	}
	if status := rec.Text("Workflow.Status"); status == "SUPPRESSED" || status == "RESOLVED" || rec.Text("RecordState") == "ARCHIVED" || ev.Outcome == monitor.OutcomeSuccess {
		ev.Severity = monitor.SeverityInformational // somebody has seen to it, or there is nothing to see to
	}
}

// resourceName gives the last part of an ARN: what the resource is called.
func resourceName(arn string) string {
	if at := strings.LastIndexAny(arn, "/:"); at >= 0 {
		return arn[at+1:]
	}
	return arn
}
