// Package agent reports about the machine that it runs on: open ports and
// connections with their processes, processes that start, new files with their
// hashes, the journal or the auth log, and its own health. What it has seen is
// spooled to disk and sent to a server's ingest endpoint, each record once.
//
// It judges nothing: rules and indicators do, on the server. It looks now and then
// (Config.Every), so what comes and goes between two looks is not seen.
//
//	sockets.go, processes.go, files.go, journal.go, logfile.go, heartbeat.go → spool.go → sender.go → client.Ingest
package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/security-monitor/secmon/client"
)

// Config is what an agent is told. Durations of 0 are those of Defaults.
type Config struct {
	Host     string // what records say that this machine is called; "" is its own name
	Version  string // of the agent
	Dir      string // of the spool
	MaxBytes int64  // of the spool
	Server   client.Ingest

	Every     time.Duration // between two looks at sockets and processes
	Inventory time.Duration // between two whole reports of sockets
	Heartbeat time.Duration

	Sockets   bool
	Loopback  bool // connections within the machine, too
	Processes bool
	// Folders are watched for new files: each itself, and with "/..." at its end those below.
	Folders   []string
	FileBytes int64 // largest file that is hashed
	// Journal has the entries of the journal that match JournalMatches read.
	Journal        bool
	JournalMatches []string
	// LogFiles are followed line by line, through rotation.
	LogFiles []string
}

// Defaults are what a Config of zeros means.
var Defaults = Config{
	MaxBytes: 256 << 20, Every: 10 * time.Second, Inventory: 15 * time.Minute, Heartbeat: time.Minute, FileBytes: 64 << 20,
}

// Agent is one running reporter.
type Agent struct {
	cfg   Config
	lg    *slog.Logger
	spool *Spool
	begun time.Time
	notes notes
}

// source looks at one thing until ctx ends. An error ends it; it is begun again
// after a while, from what the spool says that it has told.
type source interface {
	name() string
	run(ctx context.Context) error
}

// New opens the spool.
func New(cfg Config, lg *slog.Logger) (*Agent, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	spool, err := OpenSpool(cfg.Dir, cfg.MaxBytes)
	if err != nil {
		return nil, err
	}
	return &Agent{cfg: cfg, lg: lg, spool: spool, begun: time.Now(), notes: notes{faults: map[string]string{}}}, nil
}

func (c Config) complete() (Config, error) {
	for _, d := range []struct{ of, preset *time.Duration }{{&c.Every, &Defaults.Every}, {&c.Inventory, &Defaults.Inventory}, {&c.Heartbeat, &Defaults.Heartbeat}} {
		if *d.of <= 0 {
			*d.of = *d.preset
		}
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = Defaults.MaxBytes
	}
	if c.FileBytes <= 0 {
		c.FileBytes = Defaults.FileBytes
	}
	if c.Host == "" {
		name, err := os.Hostname()
		if err != nil {
			return c, fmt.Errorf("name of this machine: %w", err)
		}
		c.Host = name
	}
	return c, nil
}

// Run looks and sends until ctx ends. What could not be sent by then waits in the
// spool for the next Run.
func (a *Agent) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, s := range a.sources() {
		all.Go(func() { a.keep(ctx, s) })
	}
	err := (&sender{spool: a.spool, server: &a.cfg.Server, lg: a.lg, notes: &a.notes}).run(ctx)
	all.Wait()
	return err
}

// Close lets go of the spool; Run must have returned.
func (a *Agent) Close() error { return a.spool.Close() }

// Counters tell what became of the records.
func (a *Agent) Counters() (Counters, error) { return a.spool.Counters() }

func (a *Agent) sources() []source {
	all := []source{&heartbeat{Agent: a}}
	if a.cfg.Sockets {
		all = append(all, &sockets{Agent: a, look: lookAtSockets})
	}
	if a.cfg.Processes {
		all = append(all, &processes{Agent: a})
	}
	if len(a.cfg.Folders) > 0 {
		all = append(all, &files{Agent: a})
	}
	if a.cfg.Journal {
		all = append(all, &journal{Agent: a})
	}
	for _, path := range a.cfg.LogFiles {
		all = append(all, &logFile{Agent: a, path: path})
	}
	return all
}

// again is after how long a source that failed is begun again.
const again = 10 * time.Second

// keep runs a source until ctx ends, again after it failed.
func (a *Agent) keep(ctx context.Context, s source) {
	for {
		err := s.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("it ended")
		}
		a.fault(s.name(), err)
		if !sleep(ctx, again) {
			return
		}
	}
}

// fault notes for the heartbeat what does not work, and logs it once.
func (a *Agent) fault(about string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if a.notes.set(about, text) && err != nil {
		a.lg.Warn("agent: "+about, "error", err)
	}
}

// each calls look now and after each period until ctx ends. What a look says is
// noted; the next one tries again.
func (a *Agent) each(ctx context.Context, about string, period time.Duration, look func(context.Context) error) error {
	for {
		if err := look(ctx); ctx.Err() == nil {
			a.fault(about, err)
		}
		if !sleep(ctx, period) {
			return nil
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// notes are what the next heartbeat tells; safe for concurrent use.
type notes struct {
	mu      sync.Mutex
	faults  map[string]string // by what does not work
	skipped uint64            // see skip
}

// set notes a fault, "" for none; it tells whether that is new.
func (n *notes) set(about, fault string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.faults[about] == fault {
		return false
	}
	if fault == "" {
		delete(n.faults, about)
	} else {
		n.faults[about] = fault
	}
	return true
}

// skip counts one thing that was seen and could not be told: more than a look may tell
// of, and gone at the next; a file that went before it was read; the rest of a log that
// was rotated away.
func (n *notes) skip() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.skipped++
}

func (n *notes) tell() (faults []string, skipped uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for about, fault := range n.faults {
		faults = append(faults, about+": "+fault)
	}
	return faults, n.skipped
}

// head is what all records of the agent begin with.
type head struct {
	Report string `json:"report"`
	Time   string `json:"time"`
	Host   string `json:"host"`
	OS     string `json:"os"`
}

func (a *Agent) head(report string, at time.Time) head {
	system := runtime.GOOS
	if system == "darwin" {
		system = "macos"
	}
	return head{Report: report, Time: at.UTC().Format(time.RFC3339Nano), Host: a.cfg.Host, OS: system}
}

// encode writes records, each at most maxRecord long: callers bound what is in them.
func encode[T any](all []T) ([][]byte, error) {
	var records [][]byte
	for i := range all {
		text, err := json.Marshal(&all[i])
		if err != nil {
			return nil, err
		}
		records = append(records, text)
	}
	return records, nil
}
