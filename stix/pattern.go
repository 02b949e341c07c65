package stix

import (
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// paths are the object paths of the kinds; addresses follow from their family.
var paths = map[monitor.IndicatorKind]string{
	monitor.IndicatorDomain: "domain-name:value", monitor.IndicatorURL: "url:value", monitor.IndicatorEmail: "email-addr:value",
	monitor.IndicatorMD5: "file:hashes.MD5", monitor.IndicatorSHA1: "file:hashes.'SHA-1'", monitor.IndicatorSHA256: "file:hashes.'SHA-256'",
}

// Pattern is the pattern of an indicator: section 9.
func Pattern(i *monitor.Indicator) string {
	path, value := paths[i.Kind], quoted(i.Value)
	switch i.Kind {
	case monitor.IndicatorAddress, monitor.IndicatorNetwork:
		path = "ipv4-addr:value"
		if strings.Contains(i.Value, ":") {
			path = "ipv6-addr:value"
		}
		if i.Kind == monitor.IndicatorNetwork {
			return "[" + path + " ISSUBSET " + value + "]"
		}
	case monitor.IndicatorDomain:
		if i.Subdomains {
			return "[" + path + " = " + value + " OR " + path + " LIKE " + quoted("%."+i.Value) + "]"
		}
	}
	return "[" + path + " = " + value + "]"
}

// quoted writes a text as patterns have it.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
