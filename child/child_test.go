package child_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/child"
)

// A test that kills a parent needs a parent: this test binary, run again with
// the log's path in parentLog. It starts a child, prints its process id, waits.
const parentLog = "SECMON_TEST_PARENT_LOG"

func TestMain(m *testing.M) {
	if log := os.Getenv(parentLog); log != "" {
		beParent(log)
	}
	os.Exit(m.Run())
}

func beParent(log string) {
	p, err := child.Start(log, "sleep", "600")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	// Goroutines that end with a locked thread end that thread, and idle threads
	// come and go: the child must outlive all of that.
	for range 50 {
		ended := make(chan struct{})
		go func() { runtime.LockOSThread(); close(ended) }()
		<-ended
	}
	runtime.GC()
	fmt.Println(p.PID())
	select {}
}

func TestChildDiesWithAKilledParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Pdeathsig, which only Linux has")
	}
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), parentLog+"="+filepath.Join(t.TempDir(), "log"))
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent said %q", line)
	}
	if !running(pid) {
		t.Fatal("the child is gone while its parent lives")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	eventually(t, "the child to end", func() bool { return !running(pid) })
}

func TestStopEndsTheChild(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p, err := child.Start(log, "sh", "-c", "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child to come up", func() bool { return p.LastLines(1) == "up" })
	p.Stop(t.Context())
	p.Stop(t.Context()) // a second time does nothing
	if running(p.PID()) {
		t.Error("Stop returned while the child was there")
	}
	if got := p.LastLines(2); got != "up\nbye" {
		t.Errorf("the log ends with %q: SIGTERM did not reach the child first", got)
	}
	if err := p.Err(); err == nil || err.Error() != "exit status 3" {
		t.Errorf("Err() = %v, want the exit status", err)
	}
}

func TestStubbornChildIsKilled(t *testing.T) {
	p, err := child.Start(filepath.Join(t.TempDir(), "log"), "sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child to come up", func() bool { return p.LastLines(1) == "up" })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	p.Stop(ctx)
	if running(p.PID()) {
		t.Error("Stop returned while the child was there")
	}
}

func TestEndOfTheChildIsNoticed(t *testing.T) {
	p, err := child.Start(filepath.Join(t.TempDir(), "log"), "sleep", "600")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	p.Stop(t.Context()) // nothing is left to stop
}

func TestMissingProgramIsAnError(t *testing.T) {
	if _, err := child.Start(filepath.Join(t.TempDir(), "log"), "/nonexistent/program"); err == nil {
		t.Error("no error")
	}
}

// running tells whether a process is there and no zombie: an orphan's new parent
// may take its time to bury it.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// eventually polls what another process does and tells nobody.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
