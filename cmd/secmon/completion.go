package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/security-monitor/secmon/client/contexts"
	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

type completionCommand struct {
	Shell string `arg:"" env:"-" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// The scripts ask the program itself, so that they stay right when it changes. A
// suggestion is a line: a word, a tab, and what it means.
var completionScripts = map[string]string{
	"bash": `# secmon completion bash > ~/.local/share/bash-completion/completions/secmon
_secmon() {
	local IFS=$'\n' line word="${COMP_WORDS[COMP_CWORD]}"
	COMPREPLY=()
	while IFS= read -r line; do
		COMPREPLY+=("${line%%$'\t'*}")
	done < <(secmon __complete -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$word" 2>/dev/null)
}
complete -o default -F _secmon secmon
`,
	"zsh": `#compdef secmon
# secmon completion zsh > ~/.zfunc/_secmon, with ~/.zfunc in fpath before compinit
_secmon() {
	local line
	local -a found
	while IFS= read -r line; do
		found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
	done < <(secmon __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
	if (( ${#found} )); then
		_describe secmon found
	else
		_files
	fi
}
if [ "$funcstack[1]" = _secmon ]; then
	_secmon "$@"
else
	compdef _secmon secmon
fi
`,
	"fish": `# secmon completion fish > ~/.config/fish/completions/secmon.fish
function __secmon
	set -l words (commandline -opc) (commandline -ct)
	secmon __complete -- $words[2..-1] 2>/dev/null
end
complete -c secmon -a '(__secmon)'
`,
}

// Run prints the script.
func (c *completionCommand) Run() error {
	_, err := fmt.Print(completionScripts[c.Shell])
	return err
}

type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:"" env:"-"`
}

// Run prints what may stand in place of the last word.
func (c *completeCommand) Run(ctx context.Context, parser *kong.Kong) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, s := range suggest(ctx, parser.Model.Node, words) {
		if _, err := fmt.Fprintf(os.Stdout, "%s\t%s\n", s.word, table.Visible(s.means)); err != nil {
			return err
		}
	}
	return nil
}

type suggestion struct{ word, means string }

// suggest walks the words down the commands. Nothing means that files may be meant.
func suggest(ctx context.Context, root *kong.Node, words []string) []suggestion {
	if len(words) == 0 {
		words = []string{""}
	}
	word, before := words[len(words)-1], words[:len(words)-1]
	node, positional := root, 0
	var flag *kong.Flag // that waits for its value
	for _, w := range before {
		switch {
		case flag != nil:
			flag = nil
		case strings.HasPrefix(w, "-"):
			if flag = flagOf(node, w); flag != nil && (flag.IsBool() || strings.Contains(w, "=")) {
				flag = nil
			}
		default:
			if child := childOf(node, w); child != nil {
				node, positional = child, 0
			} else {
				positional++
			}
		}
	}
	if flag != nil {
		return beginning(valuesOf(ctx, flag.Value, node), word)
	}
	if strings.HasPrefix(word, "-") {
		return beginning(flagsOf(node), word)
	}
	if commands := commandsOf(node); len(commands) > 0 {
		return beginning(commands, word)
	}
	if n := len(node.Positional); n > 0 && (positional < n || node.Positional[n-1].IsCumulative()) {
		return beginning(valuesOf(ctx, node.Positional[min(positional, n-1)], node), word)
	}
	return nil
}

func beginning(all []suggestion, with string) []suggestion {
	return slices.DeleteFunc(all, func(s suggestion) bool { return !strings.HasPrefix(s.word, with) })
}

func childOf(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

func commandsOf(node *kong.Node) (list []suggestion) {
	for _, child := range node.Children {
		if !child.Hidden {
			list = append(list, suggestion{child.Name, child.Help})
		}
	}
	return list
}

func flagsOf(node *kong.Node) (list []suggestion) {
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			list = append(list, suggestion{"--" + flag.Name, flag.Help})
		}
	}
	return list
}

func flagOf(node *kong.Node, word string) *kong.Flag {
	name, _, _ := strings.Cut(word, "=")
	for _, group := range node.AllFlags(false) {
		for _, flag := range group {
			if "--"+flag.Name == name || flag.Short != 0 && "-"+string(flag.Short) == name {
				return flag
			}
		}
	}
	return nil
}

// valuesOf gives what a flag or an argument can be: one of its values, a login,
// or a rule.
func valuesOf(ctx context.Context, value *kong.Value, node *kong.Node) (list []suggestion) {
	switch {
	case value.Enum != "":
		for _, each := range value.EnumSlice() {
			if each != "" {
				list = append(list, suggestion{each, ""})
			}
		}
	case value.Name == "context", node.Name == "use":
		list = loginsKnown()
	case node.Parent != nil && node.Parent.Name == "rules" && value.Name == "id":
		list = rulesKnown(ctx)
	}
	return list
}

func loginsKnown() (list []suggestion) {
	file, err := contexts.Default()
	if err != nil {
		return nil
	}
	all, err := file.Read()
	if err != nil {
		return nil
	}
	for _, name := range all.Names() {
		list = append(list, suggestion{name, all.Contexts[name].Server})
	}
	return list
}

// patience is how long somebody waits who has pressed a key.
const patience = 2 * time.Second

// rulesKnown asks the current server for rules: their ids, with their titles.
func rulesKnown(ctx context.Context) (list []suggestion) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := connection{Token: os.Getenv("SECMON_TOKEN"), Server: os.Getenv("SECMON_SERVER"), Context: os.Getenv("SECMON_CONTEXT")}.open()
	if err != nil {
		return nil
	}
	var data struct {
		Rules struct{ Nodes []struct{ ID, Title string } }
	}
	if r.Get(ctx, `{ rules(first: 500) { nodes { id title } } }`, nil, &data) != nil {
		return nil
	}
	for _, rule := range data.Rules.Nodes {
		if _, id, err := monitor.ParseGlobalID(rule.ID); err == nil {
			list = append(list, suggestion{id, rule.Title})
		}
	}
	return list
}
