package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/security-monitor/secmon/monitor"
)

var update = flag.Bool("update", false, "write the flags into the chart's schema")

// chartSchema is the chart's; CHART_SCHEMA names another to check.
var chartSchema = cmp.Or(os.Getenv("CHART_SCHEMA"), "../../helm/security-monitor/values.schema.json")

// setByChart are the flags that the chart sets from other values, or that have no
// place in a pod. Its value config does not take them.
var setByChart = []string{
	"agent", "data-dir", "database-dsn", "grace", "drain-delay", "help", "listen", "log-json", "metrics-listen",
	"jwt-keys", "jwt-keys-file", "sealing-keys", "sealing-keys-file", "admin-password", "oidc-client-secret", "oidc-client-secret-file",
	"archive", "archive-recipients-file", "archive-identity-file", "archive-s3-endpoint", "archive-s3-region",
	"syslog-listen", "syslog-networks", "syslog-tls-listen", "syslog-tls-cert-file", "syslog-tls-key-file", "syslog-tls-client-ca-file", "syslog-tls-client-names",
	"redis-url", "redis-cluster", "redis-ca-file", "redis-password-file", "config", "version",
}

// The chart's value config is what operators set flags by. A flag that the schema
// does not know cannot be set; a key that the program does not know keeps it from
// starting.
func TestChartTakesEveryFlagOfServe(t *testing.T) {
	raw, err := os.ReadFile(chartSchema)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	config := schema["properties"].(map[string]any)["config"].(map[string]any)
	want := flagsOfServe(t)
	if *update {
		config["properties"] = want
		writeSchema(t, schema)
		return
	}
	got := config["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !sameJSON(got[name], want[name]) {
			t.Errorf("flag %s: the chart's schema has %v, want %v: run go test ./cmd/secmon -run Chart -update", name, got[name], want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if want[name] == nil {
			t.Errorf("the chart's schema takes config.%s, which is no flag of secmon serve, or one that the chart sets itself", name)
		}
	}
	if config["additionalProperties"] != false {
		t.Error("the chart's schema lets unknown keys into config")
	}
}

// flagsOfServe gives the JSON schema of each flag that operators may set.
func flagsOfServe(t *testing.T) map[string]any {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Vars{"version": "", "datadir": ""}, kong.DefaultEnvars("SECMON"))
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]any{}
	for _, command := range parser.Model.Children {
		if command.Name != "serve" {
			continue
		}
		for _, f := range command.Flags {
			if slices.Contains(setByChart, f.Name) {
				continue
			}
			schema := schemaOf(f.Target.Type())
			if schema == nil {
				t.Fatalf("flag %s: no JSON schema for %s", f.Name, f.Target.Type())
			}
			schema["description"] = f.Help
			types[f.Name] = schema
		}
	}
	return types
}

// durations are those of Go: 90s, 1h30m.
const durations = `^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$|^0$`

func schemaOf(typ reflect.Type) map[string]any {
	switch typ {
	case reflect.TypeFor[time.Duration]():
		return map[string]any{"type": "string", "pattern": durations}
	case reflect.TypeFor[slog.Level]():
		return map[string]any{"enum": []string{"debug", "info", "warn", "error"}}
	case reflect.TypeFor[monitor.Audience]():
		return map[string]any{"enum": []string{"VIEWER", "ANALYST", "ADMIN", "nobody"}}
	}
	switch typ.Kind() { //nolint:exhaustive // what flags are
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(typ.Elem())}
	case reflect.Map: // of roles
		return map[string]any{
			"type": "object", "additionalProperties": false,
			"patternProperties": map[string]any{"^(VIEWER|ANALYST|ADMIN)$": schemaOf(typ.Elem())},
		}
	}
	return nil
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func writeSchema(t *testing.T, schema map[string]any) {
	t.Helper()
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(chartSchema, []byte(text.String()), 0o644); err != nil { //nolint:gosec // a file of the repository
		t.Fatal(err)
	}
}

// The configuration files that the chart writes are read by the program itself.
// scripts/helm-test.sh renders them for every environment.
func TestRenderedChartIsTaken(t *testing.T) {
	dir := os.Getenv("CHART_CONFIGS")
	if dir == "" {
		t.Skip("CHART_CONFIGS names no directory of rendered configuration files: make helm/test does")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, file := range files {
		var c commands
		parser, err := kong.New(&c, kong.Vars{"version": "", "datadir": ""}, kong.DefaultEnvars("SECMON"))
		if err != nil {
			t.Fatal(err)
		}
		values, err := readConfigFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := kong.Resolvers(values).Apply(parser); err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse([]string{"serve"}); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		if c.Serve.Listen != ":8000" || c.Serve.MetricsListen != ":9090" || !c.Serve.LogJSON || c.Serve.Grace <= 0 {
			t.Errorf("%s: listens on %q, metrics on %q, JSON %t, grace %v", filepath.Base(file), c.Serve.Listen, c.Serve.MetricsListen, c.Serve.LogJSON, c.Serve.Grace)
		}
	}
}
