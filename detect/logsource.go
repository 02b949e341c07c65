package detect

import (
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// supersets maps categories of records to the wider categories whose rules
// apply to them too. Sigma's taxonomy has one: registry_event is Sysmon's 12,
// 13 and 14, of which the others are parts.
// https://github.com/SigmaHQ/sigma-specification, appendix "Taxonomy" 2.1
var supersets = map[string]string{
	"registry_add":    "registry_event",
	"registry_delete": "registry_event",
	"registry_set":    "registry_event",
	"registry_rename": "registry_event",
}

// partOf maps a product and a service of records to the wider service whose rules apply
// to them too. SigmaHQ has rules for Microsoft 365's audit log as a whole and for parts of it.
var partOf = map[[2]string]string{
	{"m365", "exchange"}:         "audit",
	{"m365", "threat_detection"}: "threat_management",
}

// addresses lists the log sources of rules that apply to a record: each part
// either the record's or left open. A rule that names a part which the record
// does not have does not apply. There are at most 18.
func addresses(of monitor.LogSource, list []monitor.LogSource) []monitor.LogSource {
	category := strings.ToLower(of.Category)
	products := [...]string{strings.ToLower(of.Product), ""}
	categories := [...]string{category, supersets[category], ""}
	service := strings.ToLower(of.Service)
	services := [...]string{service, partOf[[2]string{products[0], service}], ""}
	for i, p := range products {
		for j, c := range categories {
			for k, s := range services {
				if p == "" && i == 0 || c == "" && j < 2 || s == "" && k < 2 {
					continue
				}
				list = append(list, monitor.LogSource{Product: p, Category: c, Service: s})
			}
		}
	}
	return list
}
