package db

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// For how long, and how many at most, names of parts are remembered. A sender that
// tries again later than that has its part stored again.
const (
	PartMemory = 24 * time.Hour
	MaxParts   = 5_000_000
)

// trimParts is how many names one statement forgets.
const trimParts = 1_000

// leaveRepeated claims the names of the batch's parts, and gives the batch without
// those that came before. The row of a name is locked until the end of the
// transaction: another one with the same part waits, on whatever replica, and then
// finds it stored, or, where this one is rolled back, stores it. Names are claimed
// in order, before every other lock, so that two batches cannot wait for each other.
func (t *tx) leaveRepeated(ctx context.Context, b *monitor.Batch, batch monitor.ID) (*monitor.Batch, error) {
	named := make([]*monitor.Part, 0, len(b.Parts))
	for _, p := range b.Parts {
		p.Outcome, p.Batch = monitor.PartStored, batch
		if p.Key != (monitor.PartHash{}) {
			named = append(named, p)
		}
	}
	if len(named) == 0 {
		return b, nil
	}
	// Of two with one name in this batch the first is stored.
	slices.SortStableFunc(named, func(a, b *monitor.Part) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	repeats := false
	for from := 0; from < len(named); {
		to := from
		for names := 0; to < len(named) && (names < insertEvents || named[to].Key == named[to-1].Key); to++ {
			if to == from || named[to].Key != named[to-1].Key {
				names++
			}
		}
		known, err := t.claimParts(ctx, named[from:to], batch)
		if err != nil {
			return nil, fmt.Errorf("claim names of parts: %w", err)
		}
		repeats = repeats || known
		from = to
	}
	if !repeats {
		return b, nil
	}
	return withoutRepeated(b), nil
}

// claimParts claims the names of some parts, sorted by name, and tells whether any of
// them is not to be stored.
func (t *tx) claimParts(ctx context.Context, parts []*monitor.Part, batch monitor.ID) (repeats bool, err error) {
	var rows []any
	var keys [][]byte
	for i, p := range parts {
		if i > 0 && p.Key == parts[i-1].Key {
			continue
		}
		rows = append(rows, goqu.Record{"part_key": bytesOf(p.Key[:]), "content": bytesOf(p.Content[:]), "batch": bytesOf(batch[:]), "at": t.now})
		keys = append(keys, bytesOf(p.Key[:]))
	}
	claim := dialect.Insert("ingest_parts").Rows(rows...).OnConflict(goqu.DoUpdate("", goqu.Record{"part_key": goqu.C("part_key")}))
	if err := exec(ctx, t, claim); err != nil {
		return false, err
	}
	st := dialect.From("ingest_parts").Select("part_key", "content", "batch").Where(goqu.C("part_key").In(keys)).Order(goqu.C("part_key").Asc()).ForUpdate(goqu.Wait)
	found, err := query(ctx, t, st, scanPart)
	if err != nil {
		return false, err
	}
	stored := make(map[monitor.PartHash]monitor.Part, len(found))
	for _, p := range found {
		stored[p.Key] = p
	}
	claimed := map[monitor.PartHash]bool{}
	for _, p := range parts {
		is, there := stored[p.Key]
		switch {
		case !there:
			return false, fmt.Errorf("name %x: vanished under its lock", p.Key)
		case is.Content != p.Content:
			p.Outcome = monitor.PartConflict
		case is.Batch != batch || claimed[p.Key]:
			p.Outcome = monitor.PartRepeated
		}
		p.Batch, claimed[p.Key] = is.Batch, true
		repeats = repeats || p.Outcome != monitor.PartStored
	}
	return repeats, nil
}

func scanPart(r scanner) (p monitor.Part, err error) {
	var key, content []byte
	err = r.Scan(&key, &content, idColumn{&p.Batch})
	copy(p.Key[:], key)
	copy(p.Content[:], content)
	return p, err
}

// withoutRepeated gives the batch's events that are to be stored, with what was found
// in them.
func withoutRepeated(b *monitor.Batch) *monitor.Batch {
	kept := &monitor.Batch{Events: make([]*monitor.Event, 0, len(b.Events))}
	now := make([]int, len(b.Events)) // the index that an event has then; -1 where it goes
	at := 0
	for _, p := range b.Parts {
		for range p.Events {
			if now[at] = -1; p.Outcome == monitor.PartStored {
				now[at] = len(kept.Events)
				kept.Events = append(kept.Events, b.Events[at])
			}
			at++
		}
	}
	for _, f := range b.Findings {
		if f.Event = now[f.Event]; f.Event >= 0 {
			kept.Findings = append(kept.Findings, f)
		}
	}
	for _, s := range b.Samples {
		if s.Event = now[s.Event]; s.Event >= 0 {
			kept.Samples = append(kept.Samples, s)
		}
	}
	return kept
}

// TrimParts forgets the names of parts that are older than PartMemory, and the oldest
// of more than MaxParts.
func (s *Store) TrimParts(ctx context.Context) error { return s.trimParts(ctx, PartMemory, MaxParts) }

func (s *Store) trimParts(ctx context.Context, memory time.Duration, most uint) error {
	before := s.now().Add(-memory)
	newest := dialect.From("ingest_parts").Select("at").Order(goqu.C("at").Desc(), goqu.C("part_key").Desc()).Offset(most).Limit(1)
	beyond, found, err := one(ctx, s.db, newest, func(r scanner) (at time.Time, err error) { return at, r.Scan(timeColumn{&at}) })
	if err != nil {
		return fmt.Errorf("count names of parts: %w", err)
	}
	if found && !beyond.Before(before) {
		before = beyond.Add(time.Microsecond) // with those of the same instant
	}
	for {
		old := dialect.From("ingest_parts").Select("part_key").Where(goqu.C("at").Lt(before)).
			Order(goqu.C("at").Asc(), goqu.C("part_key").Asc()).Limit(trimParts)
		keys, err := query(ctx, s.db, old, func(r scanner) (key []byte, err error) { return key, r.Scan(&key) })
		if err != nil || len(keys) == 0 {
			return err
		}
		slices.SortFunc(keys, bytes.Compare)
		// One that was claimed anew meanwhile is there with a new time.
		forget := dialect.Delete("ingest_parts").Where(goqu.C("part_key").In(keys), goqu.C("at").Lt(before))
		if err := exec(ctx, s.db, forget); err != nil {
			return fmt.Errorf("forget names of parts: %w", err)
		}
		if len(keys) < trimParts {
			return nil
		}
	}
}
