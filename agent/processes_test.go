package agent

import (
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// started begins a process that the test ends, with an argument of its own.
func startSleep(t *testing.T, seconds int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sleep", strconv.Itoa(seconds)) //nolint:gosec // a number
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

func TestStartedProcessesAreReportedOnce(t *testing.T) {
	a := newAgent(t, t.TempDir(), Config{Every: 50 * time.Millisecond})
	told := map[string]int{}
	var last map[string]any
	collect := func() {
		for _, r := range spooled(t, a.spool) {
			command, _ := r["command_line"].(string)
			told[command]++
			if command == "sleep 86392" {
				last = r
			}
		}
	}
	awaits := func(command string) func() bool {
		return func() bool { collect(); return told[command] > 0 }
	}
	learned := func() bool { known, _ := a.spool.Known("processes"); return len(known) == 1 }
	startSleep(t, 86391)
	stop := running(t, &processes{Agent: a})
	eventually(t, "the first look", learned)
	startSleep(t, 86392)
	eventually(t, "a process", awaits("sleep 86392"))
	stop()
	startSleep(t, 86393)
	stop = running(t, &processes{Agent: a})
	eventually(t, "one that was started while the agent was away", awaits("sleep 86393"))
	startSleep(t, 86394)
	eventually(t, "another", awaits("sleep 86394"))
	stop()
	collect()
	for command, want := range map[string]int{"sleep 86391": 0, "sleep 86392": 1, "sleep 86393": 1, "sleep 86394": 1} {
		if told[command] != want {
			t.Errorf("%s was told %d times, want %d", command, told[command], want)
		}
	}
	if last["report"] != "process" || last["parent_command_line"] == nil || last["executable"] == nil || last["user"] == nil || last["os"] == nil {
		t.Errorf("%v", last)
	}
}
