package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/process"
)

// processes reports processes that were started since the last look, and that are
// still there: auditd, Falco and the like see the others.
type processes struct {
	*Agent
	known map[int32]bool // at the last look
	state processState
}

// processState is what the spool keeps: which were told of.
type processState struct {
	Boot   uint64          `json:"boot"`
	Seen   int64           `json:"seen"`   // when the youngest was started, in ms
	Recent map[int32]int64 `json:"recent"` // those started just before; times of starts are not exact
}

const (
	stateKey      = "state"
	maxProcesses  = 200 // of a look
	startTimeSlip = 3 * time.Second
)

// processReport is the report "process".
type processReport struct {
	head
	Started           string `json:"started"`
	PID               int32  `json:"pid"`
	ParentPID         int32  `json:"parent_pid"`
	Process           string `json:"process"`
	Executable        string `json:"executable,omitempty"`
	CommandLine       string `json:"command_line"`
	CurrentDirectory  string `json:"current_directory,omitempty"`
	User              string `json:"user,omitempty"`
	ParentExecutable  string `json:"parent_executable,omitempty"`
	ParentCommandLine string `json:"parent_command_line,omitempty"`
}

func (s *processes) name() string { return "processes" }

func (s *processes) run(ctx context.Context) error {
	known, err := s.spool.Known(s.name())
	if err != nil {
		return err
	}
	boot, err := host.BootTimeWithContext(ctx)
	if err != nil {
		return err
	}
	s.known, s.state = map[int32]bool{}, processState{}
	if text := known[stateKey]; text != nil {
		if err := json.Unmarshal(text, &s.state); err != nil {
			return fmt.Errorf("spool: state of processes: %w", err)
		}
	}
	// The clock may have been set by seconds since; a boot takes longer.
	if diff := int64(boot) - int64(s.state.Boot); diff > 5 || diff < -5 {
		s.state.Recent = nil
	}
	first := s.state.Seen == 0
	s.state.Boot = boot
	return s.each(ctx, s.name(), s.cfg.Every, func(ctx context.Context) error {
		err := s.once(ctx, first)
		first = first && err != nil
		return err
	})
}

type started struct {
	*process.Process
	at int64
}

// once tells of the processes that are not known; the first time of all it only
// learns them.
func (s *processes) once(ctx context.Context, first bool) error {
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return err
	}
	var young []started
	for _, pid := range pids {
		if s.known[pid] {
			continue
		}
		p, err := process.NewProcessWithContext(ctx, pid)
		if errors.Is(err, process.ErrorProcessNotRunning) {
			continue
		}
		if err != nil {
			return err
		}
		at, err := p.CreateTimeWithContext(ctx)
		if err == nil {
			young = append(young, started{p, at})
		}
	}
	next, records := s.state, [][]byte{}
	slices.SortFunc(young, func(a, b started) int { return int(a.at - b.at) })
	slip := startTimeSlip.Milliseconds()
	told := 0
	for _, p := range young {
		next.Seen = max(next.Seen, p.at)
		if _, recent := s.state.Recent[p.Pid]; first || recent || p.at <= s.state.Seen-slip {
			continue
		}
		r, ok := s.report(ctx, p)
		if !ok {
			continue
		}
		if told++; told > maxProcesses {
			s.notes.skip()
			continue
		}
		record, err := json.Marshal(r)
		if err != nil {
			return err
		}
		records = append(records, record)
	}
	if len(young) > 0 {
		next.Recent = map[int32]int64{}
		for pid, at := range s.state.Recent {
			next.Recent[pid] = at
		}
		for _, p := range young {
			next.Recent[p.Pid] = p.at
		}
		maps.DeleteFunc(next.Recent, func(_ int32, at int64) bool { return at < next.Seen-2*slip })
		text, err := json.Marshal(next)
		if err != nil {
			return err
		}
		if err := s.spool.Put(s.name(), Known{stateKey: text}, records); err != nil {
			return err
		}
		s.state = next
	}
	s.known = map[int32]bool{}
	for _, pid := range pids {
		s.known[pid] = true
	}
	return nil
}

// report describes a process; ok is false for threads of the kernel and for what has
// ended meanwhile.
func (s *processes) report(ctx context.Context, p started) (r processReport, ok bool) {
	is := programOf(ctx, p.Process)
	parent, err := p.PpidWithContext(ctx)
	if err != nil || is.CommandLine == "" && is.Executable == "" {
		return r, false
	}
	cwd, _ := p.CwdWithContext(ctx)
	of := programCache{}.of(ctx, parent)
	at := time.UnixMilli(p.at)
	return processReport{
		head: s.head("process", at), Started: at.UTC().Format(time.RFC3339Nano), PID: p.Pid, ParentPID: parent, Process: is.Name, Executable: is.Executable,
		CommandLine: is.CommandLine, CurrentDirectory: cwd, User: is.User, ParentExecutable: of.Executable, ParentCommandLine: of.CommandLine,
	}, true
}
