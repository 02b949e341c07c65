package child_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/child"
)

func TestStopEndsTheChild(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p, err := child.Start(log, "sh", "-c", "echo up; sleep 60")
	if err != nil {
		t.Fatal(err)
	}
	p.Stop(5 * time.Second)
	p.Stop(5 * time.Second) // a second time does nothing
	if _, err := os.FindProcess(p.PID()); err != nil {
		t.Error(err)
	}
}

func TestStubbornChildIsKilled(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p, err := child.Start(log, "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if text, _ := os.ReadFile(log); strings.Contains(string(text), "ready") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the child never came up")
		}
	}
	p.Stop(100 * time.Millisecond)
	select {
	case <-p.Done():
	default:
		t.Error("Stop returned while the child was there")
	}
}

func TestMissingProgramIsAnError(t *testing.T) {
	if _, err := child.Start(filepath.Join(t.TempDir(), "log"), "/nonexistent/program"); err == nil {
		t.Error("no error")
	}
}
