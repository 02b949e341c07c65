package ingest

import (
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Findings of AWS GuardDuty: as exported to S3 (camel case), inside of an EventBridge
// event, and as the API gives them (Pascal case).
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html

func isGuardDuty(v *fastjson.Value) bool {
	if string(v.GetStringBytes("source")) == "aws.guardduty" && v.Get("detail").Exists("type") {
		return true
	}
	return guardDutyFinding(v)
}

func guardDutyFinding(v *fastjson.Value) bool {
	if string(v.GetStringBytes("service", "serviceName")) == "guardduty" {
		return true
	}
	return string(v.GetStringBytes("Service", "ServiceName")) == "guardduty" ||
		v.Exists("service", "detectorId") && v.Exists("resource") && v.Exists("type") ||
		v.Exists("Service", "DetectorId") && v.Exists("Resource") && v.Exists("Type")
}

// guardDutySeverity is AWS's: critical from 9, high from 7, medium from 4, low from 1.
// https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
func guardDutySeverity(score float64) monitor.Severity {
	switch {
	case score >= 9:
		return monitor.SeverityCritical
	case score >= 7:
		return monitor.SeverityHigh
	case score >= 4:
		return monitor.SeverityMedium
	default:
		return monitor.SeverityLow
	}
}

// guardDutyActions are where an action has who was on the other side.
var guardDutyActions = []string{
	"service/action/awsApiCallAction", "service/action/networkConnectionAction", "service/action/kubernetesApiCallAction", "service/action/rdsLoginAttemptAction",
	"service/action/portProbeAction/portProbeDetails",
}

func normaliseGuardDuty(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	if detail := v.Get("detail"); detail != nil && !guardDutyFinding(v) {
		v = detail
	}
	flattenCamel(rec, "", v)
	rec.LogSource = monitor.LogSource{Product: "aws", Service: "guardduty"}
	for _, name := range []string{"service.eventLastSeen", "updatedAt", "createdAt"} {
		if in.occurredText(rec.Text(name)) {
			break
		}
	}
	ev.Class, ev.Action = monitor.ClassDetectionFinding, rec.Text("type")
	if score, err := strconv.ParseFloat(rec.Text("severity"), 64); err == nil {
		ev.Severity = guardDutySeverity(score)
	}
	ev.Host = rec.Text("resource.instanceDetails.instanceId", "resource.eksClusterDetails.name", "resource.ecsClusterDetails.name", "resource.lambdaDetails.functionName", "resource.s3BucketDetails.name", "resource.rdsDbInstanceDetails.dbInstanceIdentifier")
	ev.User = rec.Text("resource.accessKeyDetails.userName", "resource.kubernetesDetails.kubernetesUserDetails.username", "resource.rdsDbUserDetails.user")
	for _, action := range guardDutyActions {
		action = strings.ReplaceAll(action, "/", ".")
		if ev.SrcIP = parseIP(rec.Text(action + ".remoteIpDetails.ipAddressV4")); ev.SrcIP.IsValid() {
			break
		}
	}
	if strings.EqualFold(rec.Text("service.action.networkConnectionAction.connectionDirection"), "OUTBOUND") {
		ev.SrcIP, ev.DstIP = parseIP(rec.Text("resource.instanceDetails.networkInterfaces.privateIpAddress")), ev.SrcIP
		ev.DstPort = parsePort(rec.Text("service.action.networkConnectionAction.remotePortDetails.port"))
	}
	ev.Domain = rec.Text("service.action.dnsRequestAction.domain")
	ev.Process = rec.Text("service.runtimeDetails.process.executablePath")
	ev.FilePath = rec.Text("service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames.filePaths.filePath")
	ev.FileHash = rec.Text("service.runtimeDetails.process.executableSha256")
	rec.alias("src_ip", "service.action.awsApiCallAction.remoteIpDetails.ipAddressV4", "service.action.networkConnectionAction.remoteIpDetails.ipAddressV4", "service.action.kubernetesApiCallAction.remoteIpDetails.ipAddressV4")
	if ev.Message = rec.Text("title"); ev.Message == "" {
		ev.Message = ev.Action
	}
	if rec.Text("service.archived") == "true" {
		ev.Severity = monitor.SeverityInformational // somebody has seen to it, or a rule suppresses it
	}
}

// flattenCamel is flatten with names that begin in lower case, as exports have them.
func flattenCamel(rec *record, prefix string, v *fastjson.Value) {
	switch v.Type() {
	case fastjson.TypeObject:
		v.GetObject().Visit(func(key []byte, child *fastjson.Value) {
			name := clean(string(key))
			if name != "" && 'A' <= name[0] && name[0] <= 'Z' {
				name = strings.ToLower(name[:1]) + name[1:]
			}
			if prefix != "" {
				name = prefix + "." + name
			}
			flattenCamel(rec, name, child)
		})
	case fastjson.TypeArray:
		for _, item := range v.GetArray() {
			flattenCamel(rec, prefix, item)
		}
	default:
		rec.add(prefix, rec.value(v))
	}
}
