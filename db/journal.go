package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// maxEntryChanges bounds one journal entry; a larger transaction writes several.
const maxEntryChanges = 1_000

// appendJournal writes what the transaction did. It locks the counter row, so
// it has to be the last thing before the commit: then seq order is commit order.
func (t *tx) appendJournal(ctx context.Context) ([]monitor.Entry, error) {
	entries, bodies, err := t.entries()
	if err != nil {
		return nil, err
	}
	var seq uint64
	var hash [32]byte
	state := dialect.From("feed_state").Select("seq", "hash").Where(goqu.C("id").Eq(1)).ForUpdate(goqu.Wait)
	if _, found, err := one(ctx, t, state, func(r scanner) (struct{}, error) {
		var b []byte
		err := r.Scan(&seq, &b)
		copy(hash[:], b)
		return struct{}{}, err
	}); err != nil || !found {
		return nil, fmt.Errorf("lock feed state: found %t: %w", found, err)
	}
	rows, size := make([]any, len(entries)), 0
	var refs []any
	noted := map[journalRef]bool{}
	timeline := timelineRows{}
	for i := range entries {
		seq++
		hash = monitor.ChainHash(hash, seq, bodies[i])
		entries[i].Seq, entries[i].Hash = seq, hash
		size += len(bodies[i])
		rows[i] = goqu.Record{"seq": seq, "at": t.now, "action": t.action, "body": bodies[i], "hash": append([]byte(nil), hash[:]...)}
		for _, c := range entries[i].Body.Changes {
			if c.Passing() {
				continue
			}
			if ref := (journalRef{c.Kind, c.ID, seq}); !noted[ref] { // a repeated alert may come into an incident too
				noted[ref] = true
				refs = append(refs, goqu.Record{"kind": string(c.Kind), "id": append([]byte(nil), c.ID[:]...), "seq": seq})
			}
			timeline.add(&c, seq)
		}
	}
	for _, row := range rows { // one each: a row may be megabytes
		if err := exec(ctx, t, dialect.Insert("journal").Rows(row)); err != nil {
			return nil, fmt.Errorf("append journal: %w", err)
		}
	}
	if err := insertChunks(ctx, t, "journal_refs", refs, 2_000); err != nil {
		return nil, err
	}
	if err := insertChunks(ctx, t, "incident_timeline", timeline.rows, 2_000); err != nil {
		return nil, err
	}
	if err := t.countAlertChanges(ctx, t.changes); err != nil {
		return nil, err
	}
	advance := dialect.Update("feed_state").Set(goqu.Record{"seq": seq, "hash": hash[:], "bytes": goqu.L("? + ?", goqu.C("bytes"), size)}).Where(goqu.C("id").Eq(1))
	if err := exec(ctx, t, advance); err != nil {
		return nil, fmt.Errorf("advance feed state: %w", err)
	}
	return entries, nil
}

// journalRef says that an entry changed an entity.
type journalRef struct {
	kind monitor.Kind
	id   monitor.ID
	seq  uint64
}

// entries cuts the transaction's changes into bounded entries; the first names the batch.
func (t *tx) entries() ([]monitor.Entry, [][]byte, error) {
	var entries []monitor.Entry
	var bodies [][]byte
	for rest := t.changes; len(entries) == 0 || len(rest) > 0; {
		n := min(len(rest), maxEntryChanges)
		body := monitor.EntryBody{At: t.now, Actor: t.actor, Action: t.action, Changes: rest[:n]}
		if len(entries) == 0 {
			body.Batch, body.Events, body.Suppressed = t.batch, t.events, t.suppressedCounts()
		}
		rest = rest[n:]
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, nil, fmt.Errorf("journal entry: %w", err)
		}
		entries, bodies = append(entries, monitor.Entry{Body: body}), append(bodies, raw)
	}
	return entries, bodies, nil
}

// insertChunks inserts rows, at most n a statement.
func insertChunks(ctx context.Context, r runner, table string, rows []any, n int) error {
	for len(rows) > 0 {
		k := min(len(rows), n)
		if err := exec(ctx, r, dialect.Insert(table).Rows(rows[:k]...)); err != nil {
			return fmt.Errorf("insert into %s: %w", table, err)
		}
		rows = rows[k:]
	}
	return nil
}

// errUnfinished is what a database says whose restore has not come to its end.
var errUnfinished = errors.New("the database is not whole: a restore into it has not finished; run it again")

// Head gives the position behind the newest entry.
func (s *Store) Head(ctx context.Context) (monitor.Position, error) {
	st := dialect.From("feed_state").Select("epoch", "seq", "hash").Where(goqu.C("id").Eq(1))
	head, found, err := one(ctx, s.db, st, func(r scanner) (monitor.Position, error) {
		var p monitor.Position
		var hash []byte
		err := r.Scan(&p.Epoch, &p.Seq, &hash)
		p.Tag = monitor.TagOf([32]byte(hash))
		return p, err
	})
	if err != nil {
		return monitor.Position{}, fmt.Errorf("read feed state: %w", err)
	}
	if !found {
		return monitor.Position{}, errUnfinished
	}
	return head, nil
}

// Entries gives up to limit entries behind seq, in order and without holes.
func (s *Store) Entries(ctx context.Context, seq uint64, limit int) ([]monitor.Entry, error) {
	st := dialect.From("journal").Select("seq", "body", "hash").
		Where(goqu.C("seq").Gt(seq)).Order(goqu.C("seq").Asc()).Limit(uint(limit)) //nolint:gosec // a small constant of the caller's
	entries, err := query(ctx, s.db, st, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read journal behind %d: %w", seq, err)
	}
	return entries, nil
}

// Entry gives one entry; found is false where it is not kept (any more or yet).
func (s *Store) Entry(ctx context.Context, seq uint64) (monitor.Entry, bool, error) {
	st := dialect.From("journal").Select("seq", "body", "hash").Where(goqu.C("seq").Eq(seq))
	entry, found, err := one(ctx, s.db, st, scanEntry)
	if err != nil {
		return monitor.Entry{}, false, fmt.Errorf("read journal entry %d: %w", seq, err)
	}
	return entry, found, nil
}

// EntryAt gives the newest entry that was written by then, or else the oldest one
// that is kept; found is false where there is none at all.
func (s *Store) EntryAt(ctx context.Context, at time.Time) (monitor.Entry, bool, error) {
	all := dialect.From("journal").Select("seq", "body", "hash").Limit(1)
	for _, st := range []*goqu.SelectDataset{
		all.Where(goqu.C("at").Lte(at)).Order(goqu.C("at").Desc(), goqu.C("seq").Desc()),
		all.Order(goqu.C("seq").Asc()),
	} {
		entry, found, err := one(ctx, s.db, st, scanEntry)
		if err != nil {
			return monitor.Entry{}, false, fmt.Errorf("read the journal at %s: %w", at.UTC().Format(time.RFC3339), err)
		}
		if found {
			return entry, true, nil
		}
	}
	return monitor.Entry{}, false, nil
}

// JournalOf gives the entries that touched an entity, latest first.
func (s *Store) JournalOf(ctx context.Context, kind monitor.Kind, id monitor.ID, args page.Args) (*page.Connection[monitor.Entry], error) {
	refs := dialect.From("journal_refs").Select("seq").Where(goqu.C("kind").Eq(string(kind)), goqu.C("id").Eq(id[:])).
		Order(goqu.C("seq").Desc()).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		var seq uint64
		if err := page.DecodeCursor(args.After, &seq); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		refs = refs.Where(goqu.C("seq").Lt(seq))
	}
	st := dialect.From(refs.As("r")).Join(goqu.T("journal").As("j"), goqu.On(goqu.I("j.seq").Eq(goqu.I("r.seq")))).
		Select("j.seq", "j.body", "j.hash").Order(goqu.I("j.seq").Desc())
	entries, err := query(ctx, s.db, st, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read journal of %s %s: %w", kind, id, err)
	}
	return page.Build(entries, args, func(e monitor.Entry) string { return page.EncodeCursor(e.Seq) }), nil
}

func scanEntry(r scanner) (monitor.Entry, error) {
	var e monitor.Entry
	var body, hash []byte
	if err := r.Scan(&e.Seq, &body, &hash); err != nil {
		return e, err
	}
	copy(e.Hash[:], hash)
	return e, json.Unmarshal(body, &e.Body)
}
