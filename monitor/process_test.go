package monitor

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func shown(t *ProcessTree) string {
	var out []string
	for _, p := range t.Processes {
		mark := ""
		if p.Focus {
			mark = "*"
		}
		if p.StartedAt.IsZero() {
			mark += "?"
		}
		out = append(out, strings.Repeat(">", p.Depth)+p.Image+mark)
	}
	return strings.Join(out, " ")
}

func processes(events []*Event) (all []*Process) {
	for _, e := range events {
		if p := NewProcess(e); p != nil {
			all = append(all, p)
		}
	}
	return all
}

func started(at int, image, raw string) *Event {
	return &Event{OccurredAt: lineNow.Add(time.Duration(at) * time.Minute), Class: ClassProcessActivity, Process: image, Raw: RawJSON(raw)}
}

func TestProcessTree(t *testing.T) {
	sysmon := func(at int, image, own, parent string) *Event {
		return started(at, image, fmt.Sprintf(`{"Event":{"EventData":{"ProcessGuid":"{%s}","ParentProcessGuid":"{%s}","ParentImage":"%s-image"}}}`, own, parent, parent))
	}
	audit := func(at int, image, own, parent string) *Event {
		return started(at, image, fmt.Sprintf(`{"NewProcessId":"%s","ProcessId":"%s","ParentProcessName":"p"}`, own, parent))
	}
	shell := sysmon(2, "shell", "B", "A")
	forked := started(9, "sh", `{"pid":7,"ppid":6}`)
	for _, c := range []struct {
		reason string
		focus  *Event
		events []*Event
		want   string
	}{
		{"a chain, by GUID, in any order", shell, []*Event{sysmon(3, "mimi", "C", "B"), sysmon(1, "word", "A", "X"), shell, sysmon(4, "deep", "D", "C"), sysmon(2, "other", "E", "A")}, "x-image? >word >>shell* >>>mimi >>>>deep >>other"},
		{"the start of the event's process is not there", started(5, "", `{"ProcessGuid":"Z"}`), []*Event{sysmon(6, "child", "Y", "Z")}, "*? >child"},
		{"another event of a process that has started", started(5, "", `{"ProcessGuid":"b"}`), []*Event{shell}, "a-image? >shell*"},
		{"numbers in hexadecimal, used again", audit(9, "new", "0x10", "0x20"), []*Event{audit(1, "old", "0x10", "0x30"), audit(2, "parent", "32", "0x1"), audit(3, "parent-again", "0x20", "0x1"), audit(9, "new", "0x10", "0x20")}, "p? >parent-again >>new*"},
		{"the same start told twice", shell, []*Event{started(2, "shell", `{"ProcessGuid":"B","ProcessId":16,"ParentProcessGuid":"A"}`), audit(2, "shell", "0x10", "0x20"), audit(3, "child", "0x11", "0x10")}, "p? >shell* >>child"},
		{"auditd", forked, []*Event{started(8, "bash", `{"pid":6,"ppid":1}`), forked}, "? >bash >>sh*"},
		{"records that lie in a circle", sysmon(1, "a", "A", "B"), []*Event{sysmon(1, "a", "A", "B"), sysmon(2, "b", "B", "A")}, "b >a*"},
		{"its own parent", sysmon(1, "a", "A", "A"), []*Event{sysmon(1, "a", "A", "A")}, "a*"},
	} {
		got := NewProcessTree(c.focus, processes(c.events))
		if shownFolded := strings.ToLower(shown(got)); shownFolded != strings.ToLower(c.want) {
			t.Errorf("%s: %s, want %s", c.reason, shownFolded, c.want)
		}
	}
	if NewProcessTree(&Event{Raw: RawJSON(`{"x":1}`)}, nil) != nil || NewProcessTree(&Event{Raw: RawJSON(`[`)}, nil) != nil {
		t.Error("a tree of no process")
	}
}

func TestProcessTreeIsBounded(t *testing.T) {
	var events []*Event
	for i := range MaxTreeProcesses + 50 {
		events = append(events, started(i, fmt.Sprint(i), fmt.Sprintf(`{"pid":%d,"ppid":%d}`, i+2, i+1)))
	}
	tree := NewProcessTree(events[0], processes(events))
	if len(tree.Processes) != MaxTreeProcesses || !tree.Truncated || !tree.Processes[1].Focus {
		t.Errorf("%d processes, truncated %t", len(tree.Processes), tree.Truncated)
	}
}
