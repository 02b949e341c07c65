package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

const helloRule = `title: Hello
id: 5d5a6a0e-3b0f-4e5a-9a55-0a4c1f2b7d10
status: test
description: Fires on a greeting.
logsource:
  product: greeter
detection:
  selection:
    message: hello
  condition: selection
level: low
`

// Scripts that import rules see by the exit code whether all of them are stored.
func TestImportTellsByItsExitCodeOfRefusedRules(t *testing.T) {
	dsn := dbtest.DSN(t)
	inactive := strings.NewReplacer("5d5a6a0e-3b0f-4e5a-9a55-0a4c1f2b7d10", "5d5a6a0e-3b0f-4e5a-9a55-0a4c1f2b7d11", "message: hello", "message|expand: '%greetings%'").Replace(helloRule)
	cases := []struct {
		name   string
		files  map[string]string
		code   int
		said   string // on standard error
		told   string // on standard output
		reason string
	}{
		{"all stored", map[string]string{"a.yml": helloRule}, 0, "", "1 file: 1 added", "nothing is wrong"},
		{"one inactive", map[string]string{"a.yml": helloRule, "b.yml": inactive}, 0, "", "1 inactive, 0 converted; 0 refused", "an inactive rule is stored"},
		{"one refused", map[string]string{"a.yml": helloRule, "c.yml": "title: no rule\n"}, 2, "1 of 2 files refused; the rules of the others are stored", "refused: c.yml", "the others are stored, and the script has to know"},
		{"nothing there", map[string]string{"readme.txt": "x"}, 1, "no .yml", "", "the wrong directory is no success"},
	}
	for _, c := range cases {
		dir := t.TempDir()
		for name, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), binary(t), "rules", "import", "--database-dsn", dsn, dir) //nolint:gosec // our own program
		var out, said strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &said
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(said.String(), c.said) || c.said == "" && said.Len() > 0 || !strings.Contains(out.String(), c.told) {
			t.Errorf("%s: it leaves with %d, want %d, as %s; it said\n%s%s", c.name, code, c.code, c.reason, out.String(), said.String())
		}
	}
}

// A rule that is imported, disabled and enabled on one replica fires, and stops
// firing, on the other, without a restart.
func TestRuleChangesReachEveryReplica(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	a, b := startReplica(t, cfg), startReplica(t, cfg)
	token, bearer := ingestToken(t, a), login(t, a.URL(), "admin", testPassword)
	if _, err := app.ImportRules(t.Context(), a.Store, fstest.MapFS{"hello.yml": {Data: []byte(helloRule)}}, monitor.SystemActor, true); err != nil {
		t.Fatal(err)
	}
	matches := func() int {
		t.Helper()
		if status, answer := sendEvents(t, b.URL(), token, []byte(`{"product":"greeter","message":"hello","host":"h"}`)); status != 200 {
			t.Fatal(answer)
		}
		var data struct {
			Alerts struct{ Nodes []struct{ Count int } }
		}
		post(t, b.URL(), bearer, `{ alerts(first: 1, filter: {title: {eq: "Hello"}}) { nodes { count } } }`, nil, &data)
		if len(data.Alerts.Nodes) == 0 {
			return 0
		}
		return data.Alerts.Nodes[0].Count
	}
	until := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	until("the imported rule never fires on the other replica", func() bool { return matches() > 0 })
	id := map[string]any{"id": monitor.GlobalID(monitor.KindRule, "5d5a6a0e-3b0f-4e5a-9a55-0a4c1f2b7d10")}
	post(t, a.URL(), bearer, `mutation($id: ID!) { ruleDisable(input: {id: $id}) { rule { enabled } errors { code } } }`, id, &struct{}{})
	until("the disabled rule goes on firing", func() bool { first := matches(); return matches() == first })
	post(t, a.URL(), bearer, `mutation($id: ID!) { ruleEnable(input: {id: $id}) { rule { enabled } errors { code } } }`, id, &struct{}{})
	before := matches()
	until("the enabled rule never fires again", func() bool { return matches() > before })
}
