package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/app"
)

const goodRule = `title: Whoami
id: 0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31
logsource:
    product: windows
    category: process_creation
detection:
    s:
        Image|endswith: '\whoami.exe'
    condition: s
`

var ruleFiles = map[string]string{
	"good.yml":     goodRule,
	"wrong.yml":    strings.NewReplacer("endswith", "endwith", "0b39ec2d", "1b39ec2d").Replace(goodRule),
	"waits.yaml":   strings.NewReplacer("endswith", "expand", `'\whoami.exe'`, "'%Tools%'", "0b39ec2d", "2b39ec2d").Replace(goodRule),
	"old.yml":      strings.NewReplacer("condition: s", "timeframe: 5m\n    condition: s | count() by User > 5", "0b39ec2d", "3b39ec2d").Replace(goodRule),
	"two.yml":      strings.Replace(goodRule, "0b39ec2d", "4b39ec2d", 1) + "---\n" + goodRule,
	"filter.yml":   "title: f\nlogsource: {product: windows}\nfilter:\n  rules: [nobody]\n  s: {User: x}\n  condition: not s\n",
	"readme.txt":   "no rule",
	".hidden.yml":  "no rule",
	"sub/good.yml": strings.Replace(goodRule, "0b39ec2d", "5b39ec2d", 1),
}

// ruleFolder makes a folder of some of the files.
func ruleFolder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(ruleFiles[name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runs gives what a command prints on standard output.
func runs(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return printed(t, func() error { return run(t.Context(), args) })
}

// printed gives what f writes to standard output.
func printed(t *testing.T, f func() error) (string, error) {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // a temporary file
	was := os.Stdout
	os.Stdout = file
	err = f()
	os.Stdout = was
	out, readErr := os.ReadFile(file.Name())
	if readErr != nil {
		t.Fatal(readErr)
	}
	return string(out), err
}

func TestRulesCheckSaysWhatIsTheMatter(t *testing.T) {
	all := ruleFolder(t, "good.yml", "wrong.yml", "waits.yaml", "old.yml", "two.yml", "filter.yml", "readme.txt", ".hidden.yml", "sub/good.yml")
	out, err := runs(t, "rules", "check", all)
	if !errors.Is(err, errRefused) {
		t.Errorf("a folder with a wrong rule leaves with %v", err)
	}
	for _, line := range []string{
		`/wrong.yml:8:15: refused: unknown modifier "endwith"`,
		`/waits.yaml:1:1: inactive: the placeholder %Tools% needs a list`,
		`/old.yml:1:1: converted: "s | count() by User > 5" of Sigma 1 became a correlation event_count within 5m`,
		`/two.yml:11:1: refused: has the same id as ` + all + `/good.yml`,
		`/filter.yml:1:1: inactive: the filter names the rule "nobody"`,
		"7 files: 7 rules (5 detections, 1 correlation, 1 filter); 2 inactive, 2 refused, 1 converted\n",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("prints no line %q in\n%s", line, out)
		}
	}
}

func TestRulesCheckLeaves(t *testing.T) {
	lists := filepath.Join(t.TempDir(), "lists.yml")
	if err := os.WriteFile(lists, []byte("tools: ['*\\whoami.exe']\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good, waits := ruleFolder(t, "good.yml"), ruleFolder(t, "waits.yaml")
	tests := []struct {
		name string
		args []string
		want error
	}{
		{"a good folder", []string{good}, nil},
		{"a good file", []string{filepath.Join(good, "good.yml")}, nil},
		{"strictly", []string{good, "--strict"}, nil},
		{"an inactive rule", []string{good, waits}, nil},
		{"an inactive rule, strictly", []string{good, waits, "--strict"}, errInactive},
		{"with its list", []string{waits, "--strict", "--placeholders", lists}, nil},
		{"a wrong rule", []string{ruleFolder(t, "wrong.yml")}, errRefused},
	}
	for _, tt := range tests {
		if _, err := runs(t, append([]string{"rules", "check"}, tt.args...)...); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: leaves with %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := runs(t, "rules", "check", ruleFolder(t, "readme.txt")); err == nil {
		t.Error("a folder without rules is fine")
	}
}

func TestRulesCheckReadsArchives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.zip")
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	for _, name := range []string{"wrong.yml", "sub/good.yml"} {
		w, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(ruleFiles[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := runs(t, "rules", "check", path)
	if !errors.Is(err, errRefused) || !strings.Contains(out, "rules.zip/wrong.yml:8:15:") || !strings.Contains(out, "2 files: 1 rule ") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestRulesCheckForMachines(t *testing.T) {
	dir := ruleFolder(t, "wrong.yml", "waits.yaml", "old.yml")
	out, _ := runs(t, "rules", "check", dir, "--format", "json")
	var report app.RuleCheckReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Refused != 1 || report.Inactive != 1 || report.Converted != 1 || len(report.Findings) != 3 ||
		report.Findings[2].Line != 8 || report.Findings[2].Column != 15 {
		t.Errorf("json: %v\n%s", err, out)
	}
	out, _ = runs(t, "rules", "check", dir, "--format", "github")
	for _, line := range []string{"::error file=" + dir + "/wrong.yml,line=8,col=15,title=Sigma rule refused::unknown modifier", "::warning file=", "the placeholder %25Tools%25 needs", "::notice file="} {
		if !strings.Contains(out, line) {
			t.Errorf("github: no %q in\n%s", line, out)
		}
	}
	out, _ = runs(t, "rules", "check", dir, "--format", "sarif")
	var log sarifLog
	if err := json.Unmarshal([]byte(out), &log); err != nil || log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != 3 {
		t.Fatalf("sarif: %v\n%s", err, out)
	}
	if r := log.Runs[0].Results[2]; r.Level != "error" || r.Locations[0].Physical.Region.StartLine != 8 || !strings.HasSuffix(r.Locations[0].Physical.Artifact.URI, "/wrong.yml") {
		t.Errorf("sarif: %+v", r)
	}
}

const events = `{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"web-1","Image":"C:\\Windows\\System32\\whoami.exe","User":"x"}
{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"web-1","Image":"C:\\Windows\\System32\\cmd.exe"}
no json
{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"web-2","Image":"C:\\whoami.exe","User":"y"}
`

func TestRulesTest(t *testing.T) {
	dir := ruleFolder(t, "good.yml", "sub/good.yml", "old.yml")
	file, expect := filepath.Join(t.TempDir(), "events.ndjson"), filepath.Join(t.TempDir(), "expect.yml")
	for path, text := range map[string]string{file: events, expect: "0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31: 2\n'*': 4\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	id, absent := "0B39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31", "00000000-7a3c-4d0e-9c71-8a9a0f1f2a31"
	out, err := runs(t, "rules", "test", "--rules", dir, "--events", file, "--expect", expect)
	if err != nil {
		t.Errorf("as expected, but leaves with %v", err)
	}
	for _, line := range []string{
		"event in line 3: MALFORMED_JSON", "0b39ec2d-7a3c-4d0e-9c71-8a9a0f1f2a31  Whoami  (" + dir + "/good.yml)\n  fires on 2 events\n  line 1: Image=",
		`(s: *\whoami.exe)`, "\n  line 4: ", "4 events, 1 not readable; 3 of 3 rules fire\n", "1 correlations were not tried",
	} {
		if !strings.Contains(out, line) {
			t.Errorf("no %q in\n%s", line, out)
		}
	}
	tests := []struct{ expect, says string }{
		{id + "=2", ""},
		{id + "=3", "fires on 2 events, want 3"},
		{absent + "=0", "there is no such rule"},
		{"*=6", ""},
		{"*=0", "fire 6 times, want 0"},
	}
	for _, tt := range tests {
		out, err := runs(t, "rules", "test", "--rules", dir, "--events", file, "--expect", tt.expect)
		if (err == nil) != (tt.says == "") || !errors.Is(err, errUnexpected) && err != nil || !strings.Contains(out, tt.says) {
			t.Errorf("%s: %v\n%s", tt.expect, err, out)
		}
	}
	for _, wrong := range []string{"x=1", id + "=many", id + "=-1", "/nowhere"} {
		if _, err := runs(t, "rules", "test", "--rules", dir, "--events", file, "--expect", wrong); err == nil || errors.Is(err, errUnexpected) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	out, err = runs(t, "rules", "test", "--rules", dir, "--events", file, "--format", "json", "--expect", id+"=0")
	var report trialJSON
	if jsonErr := json.Unmarshal([]byte(out), &report); jsonErr != nil || !errors.Is(err, errUnexpected) || report.Events != 4 || len(report.Fired) != 3 || len(report.Unexpected) != 1 || report.Fired[0].Hits[0].Line != 1 {
		t.Errorf("json: %v, %v\n%s", jsonErr, err, out)
	}
	if _, err := runs(t, "rules", "test", "--rules", ruleFolder(t, "wrong.yml"), "--events", file); !errors.Is(err, errRefused) {
		t.Errorf("a wrong rule: %v", err)
	}
}
