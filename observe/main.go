// Command observe writes the Grafana dashboards of the chart from the short
// descriptions in this package: make dashboards. Its tests hold dashboards, alerts
// and runbook to the metrics that docs/metrics.md lists.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const dashboardDir = "helm/security-monitor/files/dashboards"

func main() {
	for _, d := range dashboards {
		text, err := d.json()
		if err == nil {
			err = os.WriteFile(filepath.Join(dashboardDir, d.uid+".json"), text, 0o644) //nolint:gosec // to be read by all
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "observe:", err)
			os.Exit(1)
		}
	}
}

// json gives the dashboard as Grafana imports it.
func (d dashboard) json() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(d.build())
	return b.Bytes(), err
}
