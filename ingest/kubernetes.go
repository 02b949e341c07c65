package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Audit events of Kubernetes' API server.
// https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/

func isKubernetes(v *fastjson.Value) bool {
	return strings.HasPrefix(string(v.GetStringBytes("apiVersion")), "audit.k8s.io/") && v.Exists("verb")
}

func normaliseKubernetes(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	rec.LogSource = monitor.LogSource{Product: "kubernetes", Category: "application", Service: "audit"}
	rec.alias("apiGroup", "objectRef.apiGroup")
	rec.alias("hostPath", "requestObject.spec.volumes.hostPath.path", "requestObject.spec.template.spec.volumes.hostPath.path")
	rec.alias("capabilities", "requestObject.spec.containers.securityContext.capabilities.add", "requestObject.spec.template.spec.containers.securityContext.capabilities.add")
	in.occurred("stageTimestamp", "requestReceivedTimestamp")
	ev.Class, ev.Outcome = monitor.ClassAPIActivity, monitor.OutcomeSuccess
	ev.Action = strings.TrimSpace(text(v, "verb") + " " + text(v, "objectRef/resource"))
	if sub := text(v, "objectRef/subresource"); sub != "" {
		ev.Action += "/" + sub
	}
	code := text(v, "responseStatus/code")
	if len(code) == 3 && code >= "400" {
		ev.Outcome, ev.Severity = monitor.OutcomeFailure, monitor.SeverityLow
	}
	ev.User, ev.URL = text(v, "user/username"), text(v, "requestURI")
	ev.SrcIP = parseIP(text(v, "sourceIPs"))
	ev.Message = ev.Action
	if name := text(v, "objectRef/name"); name != "" {
		ev.Message += " " + strings.TrimPrefix(text(v, "objectRef/namespace")+"/"+name, "/")
	}
	ev.Message += " by " + ev.User
	if code != "" {
		ev.Message += ": " + code
	}
}
