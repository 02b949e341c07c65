package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/client/contexts"
)

func TestCompletionSuggests(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	file, err := contexts.Default()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(contexts.Contexts{Current: "prod", Contexts: map[string]*contexts.Context{"prod": {Server: "https://a.example", Token: "smt_secret"}}})
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file.Path), 0o700)
	}
	if err == nil {
		err = os.WriteFile(file.Path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		words string
		want  string // words of the suggestions; ... for more
	}{
		{"al", "alerts"},
		{"alerts ", "list show ack close assign"},
		{"alerts list --con", "--config --context"},
		{"alerts list --context ", "prod"},
		{"context use ", "prod"},
		{"alerts list -o ", "table json"},
		{"export ", "alerts events incidents indicators"},
		{"export --format csv ev", "events"},
		{"completion ", "bash zsh fish"},
		{"rules check --format ", "text json github sarif junit"},
		{"rules check ", ""},
		{"__comp", ""},
		{"nonsense x", ""},
	}
	for _, tt := range tests {
		out, err := runs(t, append([]string{"__complete", "--"}, strings.Split(tt.words, " ")...)...)
		if err != nil || strings.Contains(out, "smt_secret") {
			t.Errorf("%q: %v", tt.words, err)
		}
		var got []string
		for line := range strings.Lines(out) {
			word, _, _ := strings.Cut(line, "\t")
			got = append(got, word)
		}
		if !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%q: %v, want %s", tt.words, got, tt.want)
		}
	}
}

// The scripts run in their shells: bash asks the program as a person would.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script, err := runs(t, "completion", shell)
		if err != nil || !strings.Contains(script, "secmon __complete --") {
			t.Fatalf("%s: %v", shell, err)
		}
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("%s is not installed", shell)
			continue
		}
		check := exec.CommandContext(t.Context(), path, "-n") //nolint:gosec // a shell
		check.Stdin = strings.NewReader(script)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
		if shell != "bash" {
			continue
		}
		ask := exec.CommandContext(t.Context(), path, "-c", `secmon() { printf 'alerts\tList alerts\nwords\t%s\n' "$#"; }
eval "$1"
COMP_WORDS=(secmon alerts ""); COMP_CWORD=2; _secmon; printf '%s|' "${COMPREPLY[@]}"`, "bash", script) //nolint:gosec // a shell
		if out, err := ask.CombinedOutput(); err != nil || string(out) != "alerts|words|" {
			t.Errorf("bash: %v %q", err, out)
		}
	}
}
