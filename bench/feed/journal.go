package feed

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// keptEntries bounds the journal; a burst's window and a storm's absence are far
// shorter.
const keptEntries = 16_384

// journal is the product's journal in memory.
type journal struct {
	mu      sync.Mutex
	entries []monitor.Entry // entries[i].Seq == entries[0].Seq + i
	head    monitor.Entry
	before  uint32 // tag of the newest entry that is not kept
}

// append adds one entry for each alert and gives them.
func (j *journal) append(alerts int, sent time.Time) ([]monitor.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	added := make([]monitor.Entry, alerts)
	for i := range added {
		next, err := entryOf(newAlert(j.head.Seq+1, sent), &j.head, sent)
		if err != nil {
			return nil, err
		}
		added[i], j.head = next, next
	}
	j.entries = append(j.entries, added...)
	if over := len(j.entries) - keptEntries; over > 0 {
		j.before = monitor.TagOf(j.entries[over-1].Hash)
		clear(j.entries[:over])
		j.entries = j.entries[over:]
	}
	return added, nil
}

func entryOf(a *monitor.Alert, before *monitor.Entry, at time.Time) (monitor.Entry, error) {
	change, err := monitor.NewChange(monitor.KindAlert, a.ID, monitor.ActionAlertRaise, nil, a)
	if err != nil {
		return monitor.Entry{}, err
	}
	body := monitor.EntryBody{At: at, Actor: monitor.SystemActor, Action: monitor.ActionIngest, Changes: []monitor.Change{change}}
	raw, err := json.Marshal(body)
	if err != nil {
		return monitor.Entry{}, err
	}
	seq := before.Seq + 1
	return monitor.Entry{Seq: seq, Hash: monitor.ChainHash(before.Hash, seq, raw), Body: body}, nil
}

// Head gives the position behind the newest entry.
func (j *journal) Head(context.Context) (monitor.Position, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := monitor.Position{Epoch: 1, Seq: j.head.Seq}
	if p.Seq > 0 {
		p.Tag = monitor.TagOf(j.head.Hash)
	}
	return p, nil
}

// Entries gives up to limit entries behind seq.
func (j *journal) Entries(_ context.Context, seq uint64, limit int) ([]monitor.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq >= j.head.Seq {
		return nil, nil
	}
	rest := j.entries[max(seq+1, j.entries[0].Seq)-j.entries[0].Seq:]
	return append([]monitor.Entry(nil), rest[:min(len(rest), limit)]...), nil
}

// Entry gives one entry.
func (j *journal) Entry(_ context.Context, seq uint64) (monitor.Entry, bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) == 0 || seq < j.entries[0].Seq || seq > j.head.Seq {
		return monitor.Entry{}, false, nil
	}
	return j.entries[seq-j.entries[0].Seq], true, nil
}

// Earliest gives the position before the oldest entry that is kept.
func (j *journal) Earliest(context.Context) (monitor.Position, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := monitor.Position{Epoch: 1}
	if len(j.entries) > 0 && j.entries[0].Seq > 1 {
		p.Seq, p.Tag = j.entries[0].Seq-1, j.before
	}
	return p, nil
}
