package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// What docs/agent.md gives people to copy is what the program takes, and its table has
// every flag.
func TestDocumentedAgentRuns(t *testing.T) {
	text, err := os.ReadFile("../../docs/agent.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	block := func(language string) string {
		t.Helper()
		blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(page, -1)
		if len(blocks) == 0 {
			t.Fatalf("docs/agent.md has no %s", language)
		}
		return blocks[len(blocks)-1][1]
	}
	unit := regexp.MustCompile(`(?m)^ExecStart=\S+ (.*)$`).FindStringSubmatch(block("ini"))
	if unit == nil {
		t.Fatal("the unit starts nothing")
	}
	parsesAgent(t, strings.Fields(unit[1]))

	var daemonSet struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Args []string
						Env  []struct{ Name string }
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal([]byte(block("yaml")), &daemonSet); err != nil {
		t.Fatal(err)
	}
	container := daemonSet.Spec.Template.Spec.Containers[0]
	parsesAgent(t, container.Args)
	if container.Env[0].Name != "SECMON_HOST_NAME" {
		t.Errorf("the node's name goes to %s", container.Env[0].Name)
	}
	for _, flag := range agentNode(t).Flags {
		if flag.Name != "help" && !strings.HasPrefix(flag.Name, "log-") && !strings.Contains(page, "`--"+flag.Name+"`") && !strings.Contains(page, "`--no-"+flag.Name+"`") {
			t.Errorf("docs/agent.md has no --%s", flag.Name)
		}
	}
}

// A token on the command line could be read by everybody on the machine.
func TestAgentTakesNoTokenOnItsCommandLine(t *testing.T) {
	for _, flag := range agentNode(t).Flags {
		if flag.Name == "token" {
			t.Error("the agent has a flag for its token")
		}
	}
}

func agentParser(t *testing.T, c *commands) *kong.Kong {
	t.Helper()
	parser, err := kong.New(c, kong.Vars{"version": "", "datadir": t.TempDir()}, kong.DefaultEnvars("SECMON"))
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

func agentNode(t *testing.T) *kong.Node {
	t.Helper()
	for _, node := range agentParser(t, &commands{}).Model.Children {
		if node.Name == "agent" {
			return node
		}
	}
	t.Fatal("there is no agent")
	return nil
}

func parsesAgent(t *testing.T, args []string) {
	t.Helper()
	var c commands
	if _, err := agentParser(t, &c).Parse(args); err != nil {
		t.Errorf("%q: %v", args, err)
	}
	if c.Agent.Server == "" || c.Agent.Every == 0 || !c.Agent.Sockets {
		t.Errorf("%q gives %+v", args, c.Agent)
	}
}

func TestRunsOwnReportsCanBeSwitchedOff(t *testing.T) {
	for _, c := range []struct {
		args string
		want bool
	}{{"serve", false}, {"serve --demo", false}, {"serve --demo --agent", true}, {"serve --demo --agent --no-agent", false}} {
		var all commands
		if _, err := agentParser(t, &all).Parse(strings.Fields(c.args)); err != nil {
			t.Fatal(err)
		}
		if all.Serve.ReportHost != c.want {
			t.Errorf("%s: %v", c.args, all.Serve.ReportHost)
		}
	}
}

func TestMatchesOfTheJournalAreWords(t *testing.T) {
	var c commands
	if _, err := agentParser(t, &c).Parse([]string{"agent", "--journal-match", "_TRANSPORT=kernel + _PID=1", "--watch", "/tmp,/srv/..."}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Agent.Journal, "|"); got != "_TRANSPORT=kernel|+|_PID=1" || len(c.Agent.Watch) != 2 {
		t.Errorf("%q, %q", got, c.Agent.Watch)
	}
}
