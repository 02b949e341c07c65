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

// addresses lists the log sources of rules that apply to a record: each part
// either the record's or left open. A rule that names a part which the record
// does not have does not apply. There are at most 12.
func addresses(of monitor.LogSource, list []monitor.LogSource) []monitor.LogSource {
	category := strings.ToLower(of.Category)
	products := [...]string{strings.ToLower(of.Product), ""}
	categories := [...]string{category, supersets[category], ""}
	services := [...]string{strings.ToLower(of.Service), ""}
	for i, p := range products {
		for j, c := range categories {
			for k, s := range services {
				if p == "" && i == 0 || c == "" && j < 2 || s == "" && k == 0 {
					continue
				}
				list = append(list, monitor.LogSource{Product: p, Category: c, Service: s})
			}
		}
	}
	return list
}
