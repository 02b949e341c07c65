package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The files in the chart are those that make dashboards writes.
func TestDashboardsAreCurrent(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", dashboardDir, "*.json"))
	if err != nil || len(files) != len(dashboards) {
		t.Errorf("%d files, want %d: %v", len(files), len(dashboards), err)
	}
	for _, d := range dashboards {
		want, err := d.json()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text(t, filepath.Join("..", dashboardDir, d.uid+".json")), want) {
			t.Errorf("%s.json is not what make dashboards writes", d.uid)
		}
	}
}

type shownPanel struct {
	ID          int
	Type, Title string
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct{ Expr, RefID string }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Datasource  *struct{ Type, UID string }
}

type shownDashboard struct {
	UID, Title    string
	SchemaVersion int
	Templating    struct{ List []struct{ Name, Type string } }
	Panels        []shownPanel
}

// units that Grafana knows, of those that we use.
var units = []string{"s", "Bps", "bytes", "percentunit", "ops", "reqps", "short"}

// What Grafana needs is there, panels do not overlap, and every metric exists.
func TestDashboardsAreWhole(t *testing.T) {
	known := described(t)
	for _, r := range rules(t) {
		if r.Record != "" {
			known[r.Record] = []string{"namespace"}
		}
	}
	used := map[string]bool{}
	for _, d := range dashboards {
		raw := text(t, filepath.Join("..", dashboardDir, d.uid+".json"))
		var is shownDashboard
		if err := json.Unmarshal(raw, &is); err != nil {
			t.Fatal(err)
		}
		if is.UID == "" || len(is.UID) > 40 || is.Title == "" || is.SchemaVersion < 36 {
			t.Errorf("%s: uid %q, title %q, schema %d", d.uid, is.UID, is.Title, is.SchemaVersion)
		}
		var variables []string
		for _, v := range is.Templating.List {
			variables = append(variables, v.Name)
		}
		if !slices.Equal(variables, []string{"datasource", "namespace", "pod"}) {
			t.Errorf("%s: the variables are %v", d.uid, variables)
		}
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range is.Panels {
			if ids[p.ID] {
				t.Errorf("%s: two panels have the id %d", d.uid, p.ID)
			}
			ids[p.ID] = true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %s is where %q is", d.uid, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			if p.Type == "row" {
				continue
			}
			if !slices.Contains(units, p.FieldConfig.Defaults.Unit) || p.Datasource == nil || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
				t.Errorf("%s: %s: unit %q, data source %v, %d queries", d.uid, p.Title, p.FieldConfig.Defaults.Unit, p.Datasource, len(p.Targets))
			}
			for _, target := range p.Targets {
				if !strings.Contains(target.Expr, `namespace=~"$namespace"`) {
					t.Errorf("%s: %s does not heed the variable namespace", d.uid, p.Title)
				}
				for _, problem := range unknown(target.Expr, known) {
					t.Errorf("%s: %s: %s", d.uid, p.Title, problem)
				}
				for _, m := range regexp.MustCompile(`secmon_\w+`).FindAllString(target.Expr, -1) {
					used[m] = true
				}
			}
		}
	}
	for name := range known {
		if strings.HasPrefix(name, "secmon:") || strings.HasSuffix(name, "_sum") || strings.HasSuffix(name, "_count") {
			continue
		}
		if base := strings.TrimSuffix(name, "_bucket"); !used[name] && !used[base+"_sum"] && !used[base+"_count"] && name != "secmon_db_connection_waits_total" {
			t.Errorf("%s is on no dashboard", name)
		}
	}
}

// What is written about metrics is about metrics that there are.
func TestDocumentsNameMetricsThatThereAre(t *testing.T) {
	known := described(t)
	for _, file := range []string{runbookFile, "../docs/slo.md"} {
		for _, name := range regexp.MustCompile("`(secmon_[a-z_]+)[`{]").FindAllStringSubmatch(string(text(t, file)), -1) {
			if known[name[1]] == nil && known[name[1]+"_bucket"] == nil {
				if _, ok := known[name[1]]; !ok {
					t.Errorf("%s names %s, which is no metric", file, name[1])
				}
			}
		}
	}
}

// Prometheus reads every expression.
func TestPromtoolReadsTheDashboards(t *testing.T) {
	tool := promtool(t)
	type record struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var all []record
	for _, d := range dashboards {
		for _, r := range d.rows {
			for _, p := range r.panels {
				for _, q := range p.queries {
					all = append(all, record{"panel:" + strings.Repeat("x", len(all)+1), strings.ReplaceAll(q.expr, "$__rate_interval", "5m")})
				}
			}
		}
	}
	file, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "panels", "rules": all}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "panels.yaml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "check", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
