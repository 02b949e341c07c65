package monitor

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a process tree.
const (
	MaxTreeEvents    = 2_000          // process events that one tree is made of
	MaxTreeProcesses = 500            // of one tree
	TreePage         = 100            // events that are read at once: a record may be large
	TreeBefore       = 24 * time.Hour // how far around the event they are looked for
	TreeAfter        = time.Hour
	sameProcess      = 5 * time.Second // two reports of one start are at most so far apart
)

// ProcessTree is what started what, around one event of a host.
type ProcessTree struct {
	Processes []*Process // parents before their children, the eldest first
	Truncated bool       // there was more than the bounds let in
}

// Process is one process as events report it.
type Process struct {
	Key       string // unique in its tree
	ParentKey string // "" where nothing is known of a parent
	Depth     int    // 0 for the eldest
	Image     string
	Command   string
	User      string
	PID       int       // 0 where it is not known
	StartedAt time.Time // zero: nothing reports its start, only its children name it
	EventID   EventID   // that reports its start; zero as above
	Focus     bool      // the tree is about it

	guid               string
	parentGUID         string
	parentPID          int
	parentImage        string
	parentCommand      string
	hasParentReference bool
}

// The names that records give a process and its parent, in lower case: of Sysmon,
// of Windows' own audit, of the Elastic Common Schema, of auditd.
var (
	guidNames          = []string{"processguid", "process.entity_id", "sourceprocessguid"}
	parentGUIDNames    = []string{"parentprocessguid", "process.parent.entity_id"}
	pidNames           = []string{"newprocessid", "processid", "process.pid", "pid"}
	parentPIDNames     = []string{"parentprocessid", "process.parent.pid", "ppid"}
	parentImageNames   = []string{"parentimage", "parentprocessname", "process.parent.executable"}
	parentCommandNames = []string{"parentcommandline", "process.parent.command_line"}
)

// NewProcess reads of an event which process it is about; nil where it names none.
func NewProcess(e *Event) *Process {
	all := e.Raw.scalars()
	first := func(names []string) string {
		for _, name := range names {
			if value := all[name]; value != "" && value != "-" {
				return value
			}
		}
		return ""
	}
	p := &Process{
		Image: e.Process, Command: e.Command, User: e.User, EventID: e.ID, StartedAt: e.OccurredAt,
		guid: foldGUID(first(guidNames)), parentGUID: foldGUID(first(parentGUIDNames)),
		PID: pidOf(first(pidNames)), parentPID: pidOf(first(parentPIDNames)),
		parentImage: first(parentImageNames), parentCommand: first(parentCommandNames),
	}
	if all["newprocessid"] != "" { // of Windows' audit: there ProcessId is the parent's
		p.parentPID = pidOf(all["processid"])
	}
	if p.guid == "" && p.PID == 0 {
		return nil
	}
	p.hasParentReference = p.parentGUID != "" || p.parentPID != 0 || p.parentImage != ""
	return p
}

func foldGUID(guid string) string { return Fold(strings.Trim(guid, "{}")) }

func pidOf(text string) int {
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

// scalars gives the texts and numbers of a record by their names in lower case, and
// those of nested objects by their paths, too.
func (r RawJSON) scalars() map[string]string {
	d := json.NewDecoder(bytes.NewReader(r))
	d.UseNumber()
	var tree any
	out := map[string]string{}
	if d.Decode(&tree) == nil {
		collect(out, "", tree, 0)
	}
	return out
}

func collect(out map[string]string, path string, tree any, depth int) {
	object, ok := tree.(map[string]any)
	if !ok || depth > 6 {
		return
	}
	for name, value := range object {
		name = Fold(name)
		whole := strings.TrimPrefix(path+"."+name, ".")
		var text string
		switch value := value.(type) {
		case string:
			text = value
		case json.Number:
			text = value.String()
		default:
			collect(out, whole, value, depth+1)
			continue
		}
		out[whole] = text
		if _, taken := out[name]; !taken || depth == 0 {
			out[name] = text
		}
	}
}

// NewProcessTree makes the tree around the process of an event: what led to it, what
// it started and what its parent started, out of what the process events of its host
// report, in any order. It is nil where the event names no process.
func NewProcessTree(focus *Event, reported []*Process) *ProcessTree {
	wanted := NewProcess(focus)
	if wanted == nil {
		return nil
	}
	forest := &forest{byGUID: map[string]*Process{}, byPID: map[int][]*Process{}, children: map[*Process][]*Process{}}
	reported = slices.Clone(reported)
	slices.SortStableFunc(reported, func(a, b *Process) int { return a.StartedAt.Compare(b.StartedAt) })
	for _, p := range reported {
		if p.hasParentReference { // else it reports no start
			forest.add(p)
		}
	}
	at := forest.find(wanted.guid, wanted.PID, focus.OccurredAt.Add(sameProcess))
	if at == nil { // its start is not reported: it is known by this event only
		at = wanted
		if !wanted.hasParentReference {
			at.EventID, at.StartedAt = EventID{}, time.Time{}
		}
		forest.add(at)
	}
	forest.link()
	return forest.around(at)
}

// forest is all processes of a host, by what they are named.
type forest struct {
	all      []*Process
	byGUID   map[string]*Process
	byPID    map[int][]*Process // by their start
	children map[*Process][]*Process
	parents  map[*Process]*Process
}

// add takes a process, unless it is another report of one that is there.
func (f *forest) add(p *Process) {
	if twin := f.find(p.guid, p.PID, p.StartedAt.Add(sameProcess)); twin != nil && (p.guid == "" || twin.guid == "" || p.guid == twin.guid) && p.StartedAt.Sub(twin.StartedAt) <= sameProcess {
		twin.learn(p)
		if twin.guid != "" {
			f.byGUID[twin.guid] = twin
		}
		return
	}
	f.all = append(f.all, p)
	if p.guid != "" {
		f.byGUID[p.guid] = p
	}
	if p.PID != 0 {
		f.byPID[p.PID] = append(f.byPID[p.PID], p)
	}
}

// learn takes from another report what this one lacks.
func (p *Process) learn(other *Process) {
	fill(&p.guid, other.guid)
	fill(&p.parentGUID, other.parentGUID)
	fill(&p.PID, other.PID)
	fill(&p.parentPID, other.parentPID)
	fill(&p.parentImage, other.parentImage)
	fill(&p.parentCommand, other.parentCommand)
	fill(&p.Image, other.Image)
	fill(&p.Command, other.Command)
	fill(&p.User, other.User)
}

func fill[T comparable](field *T, other T) {
	var zero T
	if *field == zero {
		*field = other
	}
}

// find gives the process of a GUID, or the last one of a PID that began by then: the
// numbers are used again.
func (f *forest) find(guid string, pid int, by time.Time) *Process {
	if p := f.byGUID[guid]; guid != "" && p != nil {
		return p
	}
	var last *Process
	for _, p := range f.byPID[pid] {
		if pid != 0 && !p.StartedAt.After(by) && (guid == "" || p.guid == "") {
			last = p
		}
	}
	return last
}

// link finds each process its parent. One that only its children name is made.
func (f *forest) link() {
	f.parents = map[*Process]*Process{}
	for _, p := range slices.Clone(f.all) {
		parent := f.find(p.parentGUID, p.parentPID, p.StartedAt)
		if parent == nil && p.hasParentReference {
			parent = &Process{guid: p.parentGUID, PID: p.parentPID, Image: p.parentImage, Command: p.parentCommand}
			if parent.guid != "" || parent.PID != 0 {
				f.add(parent)
			}
		}
		if parent != nil && parent != p && !f.above(parent, p) {
			f.parents[p] = parent
			f.children[parent] = append(f.children[parent], p)
		}
	}
}

// above tells whether p is among the ancestors of a process: records may lie.
func (f *forest) above(of, p *Process) bool {
	for at := of; at != nil; at = f.parents[at] {
		if at == p {
			return true
		}
	}
	return false
}

// around gives the ancestors of a process, what its parent started, and all that
// it started.
func (f *forest) around(focus *Process) *ProcessTree {
	focus.Focus = true
	t := &ProcessTree{}
	var line []*Process // from the eldest to the focus's parent
	for p := f.parents[focus]; p != nil; p = f.parents[p] {
		line = append(line, p)
	}
	slices.Reverse(line)
	for i, p := range line {
		t.put(p, f.parents[p], i)
	}
	depth := len(line)
	t.grow(f, focus, depth) // first: the bound must not leave it out
	if depth > 0 {
		for _, sibling := range f.children[line[depth-1]] {
			if sibling != focus {
				t.put(sibling, line[depth-1], depth)
			}
		}
	}
	return t
}

func (t *ProcessTree) grow(f *forest, p *Process, depth int) {
	if !t.put(p, f.parents[p], depth) {
		return
	}
	for _, child := range f.children[p] {
		t.grow(f, child, depth+1)
	}
}

func (t *ProcessTree) put(p, parent *Process, depth int) bool {
	if len(t.Processes) == MaxTreeProcesses {
		t.Truncated = true
		return false
	}
	p.Key, p.Depth = strconv.Itoa(len(t.Processes)+1), depth
	if parent != nil {
		p.ParentKey = parent.Key
	}
	t.Processes = append(t.Processes, p)
	return true
}
