package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// docs/cli.md has every command and no other, and every exit code.
func TestCommandsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	parser, err := kong.New(&commands{}, kong.Vars{"version": "", "datadir": ""})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ := strings.Cut(rest, "`")
			told[name] = true
		}
	}
	for _, leaf := range parser.Model.Leaves(true) {
		name := leaf.Path()
		name = strings.TrimSpace(strings.TrimPrefix(name, parser.Model.Name))
		if !told[name] {
			t.Errorf("docs/cli.md does not list %q", name)
		}
		delete(told, name)
	}
	for name := range told {
		t.Errorf("docs/cli.md lists %q, which does not exist", name)
	}
	for _, code := range []int{0, exitFailed, exitPartial, exitNoLogin, exitForbidden, exitNotFound, exitConflict, exitUnavailable, exitUsage} {
		if !strings.Contains(string(text), fmt.Sprintf("\n| %d | ", code)) {
			t.Errorf("docs/cli.md does not list the exit code %d", code)
		}
	}
}
