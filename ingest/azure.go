package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Logs of Azure and Entra ID: as Azure Monitor streams them to an Event Hub, as Log
// Analytics exports them (names begin in upper case) and as Microsoft Graph gives them.
// https://learn.microsoft.com/en-us/azure/azure-monitor/platform/resource-logs-schema
// https://learn.microsoft.com/en-us/azure/azure-monitor/platform/activity-log-schema
// https://learn.microsoft.com/en-us/graph/api/resources/azure-ad-auditlog-overview

// azureServices names Sigma's service of a category of Azure Monitor and of a table of
// Log Analytics, in lower case.
var azureServices = map[string]string{
	"administrative": "activitylogs", "security": "activitylogs", "servicehealth": "activitylogs", "resourcehealth": "activitylogs", "alert": "activitylogs",
	"recommendation": "activitylogs", "policy": "activitylogs", "autoscale": "activitylogs", "azureactivity": "activitylogs",
	"auditlogs":  "auditlogs",
	"signinlogs": "signinlogs", "noninteractiveusersigninlogs": "signinlogs", "serviceprincipalsigninlogs": "signinlogs", "managedidentitysigninlogs": "signinlogs",
	"aadnoninteractiveusersigninlogs": "signinlogs", "aadserviceprincipalsigninlogs": "signinlogs", "aadmanagedidentitysigninlogs": "signinlogs", "adfssigninlogs": "signinlogs",
	"userriskevents": "riskdetection", "serviceprincipalriskevents": "riskdetection", "aaduserriskevents": "riskdetection", "aadserviceprincipalriskevents": "riskdetection",
}

// azureService tells which log a record is of, "" where it is none of Azure's.
func azureService(v *fastjson.Value) string {
	switch {
	case v.Exists("operationName") && v.Exists("category") && (v.Exists("resourceId") || v.Exists("tenantId")):
		return azureServices[strings.ToLower(text(v, "category"))]
	case v.Exists("TimeGenerated") && v.Exists("Type"):
		return azureServices[strings.ToLower(text(v, "Type"))]
	case v.Exists("riskEventType") && (v.Exists("riskState") || v.Exists("riskLevel")):
		return "riskdetection"
	case v.Exists("conditionalAccessStatus") && v.Exists("appDisplayName"):
		return "signinlogs"
	case v.Exists("activityDisplayName") && v.Exists("loggedByService"):
		return "auditlogs"
	case azureRoleAlert(v) != "":
		return "pim"
	}
	return ""
}

// azureRoleAlert gives the type of an alert of Privileged Identity Management.
// https://learn.microsoft.com/en-us/graph/api/resources/unifiedrolemanagementalertincident
func azureRoleAlert(v *fastjson.Value) string {
	kind := strings.TrimPrefix(string(v.GetStringBytes("@odata.type")), "#microsoft.graph.")
	if strings.HasSuffix(kind, "AlertIncident") || strings.HasSuffix(kind, "AlertConfiguration") {
		return kind
	}
	return ""
}

func isAzure(v *fastjson.Value) bool { return azureService(v) != "" }

// azureNames are the names that SigmaHQ's rules use, which mix those of all three ways,
// and where each has the value. "properties." stands before a name in Azure Monitor's.
var azureNames = map[string][][2]string{
	"activitylogs": {
		{"operationName", "OperationNameValue"},
		{"OperationNameValue", "operationName"},
		{"CategoryValue", "category"},
		{"ResourceId", "resourceId"},
		{"ResourceId", "_ResourceId"},
	},
	"auditlogs": {
		{"operationName", "OperationName"},
		{"operationName", "activityDisplayName"},
		{"OperationName", "operationName"},
		{"ActivityDisplayName", "activityDisplayName"},
		{"ActivityDisplayName", "operationName"},
		{"LoggedByService", "loggedByService"},
		{"activityType", "operationName"},
		{"ActivityType", "operationName"},
		{"Status", "result"},
		{"Status", "Result"},
		{"properties.result", "result"},
		{"properties.result", "Result"},
		{"properties.message", "operationName"},
		{"targetResources.type", "TargetResources.type"},
		{"TargetResources.modifiedProperties", "targetResources.modifiedProperties.displayName"},
		{"TargetResources.modifiedProperties.newValue", "targetResources.modifiedProperties.newValue"},
		{"TargetResources.ModifiedProperties.DisplayName", "targetResources.modifiedProperties.displayName"},
		{"TargetResources.ModifiedProperties.NewValue", "targetResources.modifiedProperties.newValue"},
		{"ResultReason", "resultReason"},
		{"failure_status_reason", "resultReason"},
		{"failure_status_reason", "ResultReason"},
	},
	"signinlogs": {
		{"ResultType", "resultType"},
		{"ResultType", "status.errorCode"},
		{"resultType", "ResultType"},
		{"ResultDescription", "resultDescription"},
		{"ResultDescription", "status.failureReason"},
		{"Resultdescription", "ResultDescription"},
		{"AuthenticationRequirement", "authenticationRequirement"},
		{"properties.authenticationRequirement", "AuthenticationRequirement"},
		{"userAgent", "UserAgent"},
		{"DeviceDetail.deviceId", "deviceDetail.deviceId"},
		{"DeviceDetail.trusttype", "deviceDetail.trustType"},
		{"DeviceDetail.trusttype", "DeviceDetail.trustType"},
		{"DeviceDetail.isCompliant", "deviceDetail.isCompliant"},
		{"properties.deviceDetail.deviceId", "DeviceDetail.deviceId"},
		{"properties.appId", "appId"},
		{"properties.appId", "AppId"},
		{"homeTenantId", "HomeTenantId"},
		{"resourceTenantId", "ResourceTenantId"},
		{"RiskState", "riskState"},
		{"ResourceDisplayName", "resourceDisplayName"},
		{"conditionalAccessStatus", "ConditionalAccessStatus"},
		{"ClientApp", "clientAppUsed"},
		{"ClientApp", "ClientAppUsed"},
		{"Username", "userPrincipalName"},
		{"Username", "UserPrincipalName"},
		{"callerIpAddress", "ipAddress"},
		{"callerIpAddress", "IPAddress"},
		{"NetworkLocationDetails", "networkLocationDetails"},
		{"location", "location.countryOrRegion"},
		{"location", "Location"},
	},
	"riskdetection": {{"riskEventType", "RiskEventType"}},
}

func normaliseAzure(in *input) {
	rec, v := in.rec, in.v
	service := azureService(v)
	rec.flatten("", v)
	rec.LogSource = monitor.LogSource{Product: "azure", Service: service}
	in.occurred("time", "TimeGenerated", "activityDateTime", "createdDateTime", "activity_date_time", "detectedDateTime")
	if kind := azureRoleAlert(v); kind != "" {
		rec.addText("riskEventType", kind)
	}
	in.azureParts(service)
	for _, pair := range azureNames[service] {
		rec.alias(pair[0], "properties."+pair[1], pair[1])
	}
	in.azureEnvelope(service)
}

// azureParts adds what the rules ask for in other words than the record's.
func (in *input) azureParts(service string) {
	rec, v := in.rec, in.v
	switch service {
	case "activitylogs":
		if provider, _, ok := strings.Cut(rec.Text("operationName", "OperationNameValue"), "/"); ok {
			rec.addUnlessThere("ResourceProviderValue", provider)
		}
	case "auditlogs":
		// The category of what was done, such as UserManagement: "category" says which log it is.
		kind := rec.Text("properties.category", "Category", "category")
		rec.addUnlessThere("Category", kind)
		if kind != "" && rec.Text("category") != kind {
			rec.addText("category", kind)
		}
		for _, path := range []string{"properties/targetResources", "targetResources", "TargetResources"} {
			targets := at(v, path)
			if targets == nil || targets.Type() != fastjson.TypeArray {
				continue
			}
			whole := clean(string(targets.MarshalTo(nil)))
			rec.addText("TargetResources", whole)
			rec.addText("properties.targetResources", whole)
			in.azureMessage(targets)
			break
		}
	case "signinlogs":
		switch rec.Text("properties.authenticationProtocol", "authenticationProtocol", "AuthenticationProtocol") {
		case "deviceCode":
			rec.addUnlessThere("properties.message", "Device Code")
		case "ropc":
			rec.addUnlessThere("properties.message", "ROPC")
		}
	}
}

// azureMessage adds properties.message, by which rules ask for what was done and for one
// changed property in the record's own words: "displayName":"UserType","oldValue":…
func (in *input) azureMessage(targets *fastjson.Value) {
	var values []monitor.Value
	if name := in.rec.Text("properties.activityDisplayName", "activityDisplayName", "operationName", "OperationName"); name != "" {
		values = append(values, monitor.Value{Kind: monitor.StringValue, Text: name})
	}
	for _, target := range targets.GetArray() {
		for _, changed := range target.GetArray("modifiedProperties") {
			inner := strings.TrimSuffix(strings.TrimPrefix(string(changed.MarshalTo(nil)), "{"), "}")
			values = append(values, monitor.Value{Kind: monitor.StringValue, Text: clean(inner)})
		}
	}
	if len(values) > 0 && !in.rec.has("properties.message") {
		in.rec.add("properties.message", values...)
	}
}

func (in *input) azureEnvelope(service string) {
	ev, rec, v := in.ev, in.rec, in.v
	ev.Class, ev.Outcome = monitor.ClassAPIActivity, monitor.OutcomeSuccess
	ev.Action = rec.Text("operationName", "riskEventType")
	ev.User = text(v, "properties/userPrincipalName", "userPrincipalName", "UserPrincipalName", "properties/initiatedBy/user/userPrincipalName", "initiatedBy/user/userPrincipalName",
		"properties/initiatedBy/app/displayName", "initiatedBy/app/displayName", "Caller", "caller", "identity/claims/name", "identity")
	ev.SrcIP = parseIP(text(v, "callerIpAddress", "CallerIpAddress", "properties/ipAddress", "ipAddress", "IPAddress"))
	result := strings.ToLower(rec.Text("properties.result", "result", "Result", "resultType", "ActivityStatusValue"))
	switch service {
	case "signinlogs":
		ev.Class, ev.Action = monitor.ClassAuthentication, "sign_in"
		code := rec.Text("ResultType")
		if code != "" && code != "0" {
			ev.Outcome, ev.Severity = monitor.OutcomeFailure, monitor.SeverityLow
		}
		status := "Success"
		if ev.Outcome == monitor.OutcomeFailure {
			status = "Failure"
		}
		rec.addUnlessThere("Status", status)
	case "riskdetection", "pim":
		ev.Class, ev.Severity = monitor.ClassDetectionFinding, azureRisk[strings.ToLower(rec.Text("properties.riskLevel", "riskLevel", "RiskLevel"))]
		if ev.Severity == "" {
			ev.Severity = monitor.SeverityMedium
		}
	default:
		if strings.HasPrefix(result, "fail") {
			ev.Outcome, ev.Severity = monitor.OutcomeFailure, monitor.SeverityLow
		}
	}
	ev.Message = strings.TrimSpace("Azure " + service + ": " + ev.Action)
	if ev.User != "" {
		ev.Message += " by " + ev.User
	}
	if ev.SrcIP.IsValid() {
		ev.Message += " from " + ev.SrcIP.String()
	}
}

var azureRisk = map[string]monitor.Severity{"low": monitor.SeverityLow, "medium": monitor.SeverityMedium, "high": monitor.SeverityHigh}
