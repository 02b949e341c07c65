package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The example of docs/rules.md, from a rule's text to its alert, is run as it stands
// there, against a server on another address.
func TestExampleOfTheRulesGuideGivesAnAlert(t *testing.T) {
	text, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "## From a text to an alert")
	part, _, _ = strings.Cut(part, "\n## ")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(part, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks to run, want one that makes the rule and one that fires it", len(blocks))
	}
	want := regexp.MustCompile("(?m)^`(\\{\"data\".*\\})`$").FindStringSubmatch(part)
	if want == nil {
		t.Fatal("the guide does not say what the answer is")
	}
	p := startProcess(t, t.TempDir())
	work := t.TempDir()
	if err := os.Mkdir(filepath.Join(work, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary(t), filepath.Join(work, "bin", "secmon")); err != nil {
		t.Fatal(err)
	}
	// "A second later" is a wait for the rule, which a busy machine may take longer for.
	script := strings.NewReplacer("http://127.0.0.1:8000", p.base).Replace("set -euo pipefail\n" + blocks[0][1] +
		"for try in $(seq 60); do\n{ " + blocks[1][1] + "} >answer\ngrep -q Refused answer && break\nsleep 0.5\ndone\ncat answer\n")
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script) //nolint:gosec // what the guide says
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "SECMON_DATA_DIR="+p.dir, "SECMON_SERVER="+p.base)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), want[1]) {
		t.Errorf("the guide promises %s, and it is\n%s", want[1], out)
	}
}
