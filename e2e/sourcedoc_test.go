package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
)

// The examples of docs/sources.md are run as they stand there, against a server on another
// address.
func TestExamplesOfTheSourcesGuideWork(t *testing.T) {
	text, err := os.ReadFile("../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "## To copy")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(part, -1)
	wants := [][]string{
		{"MALFORMED_JSON", "left with 2"},
		{"FAILING", "{broken door-7", `"stored":true`},
		{`"product":"gatekeeper"`, `"webhookPath":"/api/ingest/webhook/door"`},
		{`"accepted":1`, "door-1"},
	}
	if len(blocks) != len(wants) {
		t.Fatalf("%d blocks to run, want %d", len(blocks), len(wants))
	}
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	p := newTerminal(t)
	p.does(testPassword+"\n", "login", r.URL(), "--user", "admin")
	if err := os.Mkdir(filepath.Join(p.home, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary(t), filepath.Join(p.home, "bin", "secmon")); err != nil {
		t.Fatal(err)
	}
	for i, want := range wants {
		script := strings.ReplaceAll(blocks[i][1], "http://127.0.0.1:8000", r.URL())
		var out []byte
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("%s\nwant %q of\n%s", out, want, script)
			}
		})
		// "Three seconds later" and "a second later" may take a busy machine longer.
		eventually(t, want[0], func() bool {
			cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script) //nolint:gosec // what the guide says
			cmd.Dir, cmd.Env = p.home, p.env
			out, err = cmd.CombinedOutput()
			return err == nil && !slices.ContainsFunc(want, func(text string) bool { return !strings.Contains(string(out), text) })
		})
	}
}
