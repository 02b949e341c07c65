package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// journal is a journal in memory: the benchmark measures feeds, not the database.
type journal struct {
	mu      sync.Mutex
	entries []monitor.Entry
}

// commit appends n alerts that match every filter of the load. The title carries
// a running number and the time of sending.
func (j *journal) commit(n int) []monitor.Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	added := make([]monitor.Entry, n)
	for i := range added {
		seq := uint64(len(j.entries)) + 1
		now := time.Now().UTC()
		a := alertOf(seq, now)
		change, err := monitor.NewChange(monitor.KindAlert, a.ID, monitor.ActionAlertRaise, nil, a)
		if err != nil {
			panic(err)
		}
		body := monitor.EntryBody{At: now, Actor: monitor.SystemActor, Action: monitor.ActionIngest, Changes: []monitor.Change{change}}
		raw, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		var before [32]byte
		if seq > 1 {
			before = j.entries[seq-2].Hash
		}
		added[i] = monitor.Entry{Seq: seq, Hash: monitor.ChainHash(before, seq, raw), Body: body}
		j.entries = append(j.entries, added[i])
	}
	return added
}

func alertOf(seq uint64, now time.Time) *monitor.Alert {
	return &monitor.Alert{
		ID: monitor.ID{byte(seq >> 24), byte(seq >> 16), byte(seq >> 8), byte(seq)}, Version: 1, //nolint:gosec // bytes of a number
		Title:    fmt.Sprintf("%s %d %d", titleMark, seq, now.UnixNano()),
		Severity: monitor.SeverityHigh, Status: monitor.AlertNew, Count: 3, FirstSeen: now, LastSeen: now, CreatedAt: now, UpdatedAt: now,
		Host: "all", User: "svc_backup", Process: `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`,
		Techniques: []string{"T1059.001", "T1027"}, Tags: []string{"attack.execution", "attack.defense_evasion"}, RuleAuthor: "Florian Roth (Nextron Systems)",
	}
}

// titleMark is what the client looks for in a message.
const titleMark = "Suspicious encoded command line, number"

func (j *journal) Head(context.Context) (monitor.Position, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := monitor.Position{Epoch: 1, Seq: uint64(len(j.entries))}
	if p.Seq > 0 {
		p.Tag = monitor.TagOf(j.entries[p.Seq-1].Hash)
	}
	return p, nil
}

func (j *journal) Entries(_ context.Context, seq uint64, limit int) ([]monitor.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq >= uint64(len(j.entries)) {
		return nil, nil
	}
	rest := j.entries[seq:]
	return append([]monitor.Entry(nil), rest[:min(len(rest), limit)]...), nil
}

func (j *journal) Entry(_ context.Context, seq uint64) (monitor.Entry, bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq == 0 || seq > uint64(len(j.entries)) {
		return monitor.Entry{}, false, nil
	}
	return j.entries[seq-1], true, nil
}

func (j *journal) Earliest(context.Context) (monitor.Position, error) {
	return monitor.Position{Epoch: 1}, nil
}

// query is what every subscriber asks; the payload of one alert has some 620 bytes.
var query = strings.Join(strings.Fields(`subscription($filter: AlertFilter, $after: Cursor) {
  alertFeed(filter: $filter, after: $after) { cursor entries { change cursor action
    alert { id version title severity status count firstSeen lastSeen host user process techniques tags ruleAuthor } } } }`), " ")
