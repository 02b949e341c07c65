package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// CreateRestore notes a restore of archived events that begins.
func (s *Store) CreateRestore(ctx context.Context, actor monitor.Actor, r *monitor.EventRestore) error {
	err := s.change(ctx, actor, monitor.ActionEventRestore, func(t *tx) error {
		r.ID, r.State, r.CreatedBy, r.CreatedAt, r.UpdatedAt = monitor.NewID(t.now), monitor.RestoreRunning, actor, t.now, t.now
		if err := exec(ctx, t, dialect.Insert("event_restores").Rows(goqu.Record{
			"id": bytesOf(r.ID[:]), "state": string(r.State), "until": r.Until, "body": jsonColumn{r}, "created_at": r.CreatedAt,
		})); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindEventRestore, r.ID, monitor.ActionEventRestore, nil, r)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return fmt.Errorf("create restore: %w", err)
	}
	return nil
}

// SaveRestore keeps how far a restore is; its end stands in the journal.
func (s *Store) SaveRestore(ctx context.Context, r *monitor.EventRestore) error {
	err := s.change(ctx, monitor.SystemActor, monitor.ActionEventRestore, func(t *tx) error {
		r.UpdatedAt = t.now
		set := goqu.Record{"state": string(r.State), "until": r.Until, "body": jsonColumn{r}}
		if err := exec(ctx, t, dialect.Update("event_restores").Set(set).Where(goqu.C("id").Eq(bytesOf(r.ID[:])))); err != nil {
			return err
		}
		if r.State == monitor.RestoreRunning {
			return nil
		}
		change, err := monitor.NewChange(monitor.KindEventRestore, r.ID, monitor.ActionEventRestore, nil, r)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return fmt.Errorf("save restore %s: %w", r.ID, err)
	}
	return nil
}

// RunningRestores gives the restores that are not at their end and have given no sign of
// life for so long.
func (s *Store) RunningRestores(ctx context.Context, silent time.Duration) ([]*monitor.EventRestore, error) {
	running, err := query(ctx, s.db, dialect.From("event_restores").Select("body").Where(goqu.C("state").Eq(string(monitor.RestoreRunning))).Limit(100), scanRestore)
	if err != nil {
		return nil, fmt.Errorf("find running restores: %w", err)
	}
	var stale []*monitor.EventRestore
	for _, r := range running {
		if !r.UpdatedAt.After(s.now().Add(-silent)) {
			stale = append(stale, r)
		}
	}
	return stale, nil
}

// ExpireRestores marks the restores whose time is over. ReleaseHolds takes their events.
func (s *Store) ExpireRestores(ctx context.Context) error {
	over, err := query(ctx, s.db, dialect.From("event_restores").Select("body").
		Where(goqu.C("state").In(string(monitor.RestoreDone), string(monitor.RestoreFailed)), goqu.C("until").Lte(s.now())).Limit(100), scanRestore)
	if err != nil {
		return fmt.Errorf("find restores that are over: %w", err)
	}
	for _, r := range over {
		r.State = monitor.RestoreExpired
		if err := s.SaveRestore(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// EventRestores gives one page of restores, latest first.
func (s *Store) EventRestores(ctx context.Context, args page.Args) (*monitor.EventRestoreConnection, error) {
	st, err := newestFirst(dialect.From("event_restores").Select("body"), args)
	if err != nil {
		return nil, err
	}
	found, err := query(ctx, s.db, st, scanRestore)
	if err != nil {
		return nil, fmt.Errorf("list restores: %w", err)
	}
	return page.Build(found, args, func(r *monitor.EventRestore) string { return page.EncodeCursor(r.CreatedAt, r.ID) }), nil
}

// InsertRestored puts archived events back under their ids, held by the restore, and
// gives how many it holds. What is there and was never removed is left alone; what is
// there since another holds it gets one holder more. Calling it again changes nothing.
// It is no ingest: nothing is raised, and no feed shows the events as new.
func (s *Store) InsertRestored(ctx context.Context, restore monitor.ID, events []*monitor.Event) (held int, err error) {
	for from := 0; from < len(events); from += removeEvents {
		n, err := s.insertRestored(ctx, restore, events[from:min(from+removeEvents, len(events))])
		if err != nil {
			return held, fmt.Errorf("restore events: %w", err)
		}
		held += n
	}
	return held, nil
}

func (s *Store) insertRestored(ctx context.Context, restore monitor.ID, events []*monitor.Event) (n int, err error) {
	keys := make([]monitor.EventID, len(events))
	for i, e := range events {
		keys[i] = e.ID
	}
	err = s.change(ctx, monitor.SystemActor, monitor.ActionEventRestore, func(t *tx) error {
		there, err := t.eventKeys(ctx, "events", keys)
		if err != nil {
			return err
		}
		held, err := t.eventKeys(ctx, "event_holds", keys, goqu.C("removed").Eq(true))
		if err != nil {
			return err
		}
		var holds []any
		var rows []*monitor.Event
		for _, e := range events {
			if there[e.ID] && !held[e.ID] {
				continue // it never left
			}
			holds = append(holds, goqu.Record{"day": e.ID.Day(), "batch": bytesOf(e.ID.Batch[:]), "ordinal": e.ID.Ordinal, "holder": bytesOf(restore[:]), "kind": heldByRestore, "removed": true})
			if !there[e.ID] {
				rows = append(rows, e)
			}
		}
		n = len(holds)
		if n == 0 {
			return nil
		}
		if err := exec(ctx, t, dialect.Insert("event_holds").Rows(holds...).OnConflict(goqu.DoUpdate("", goqu.Record{"kind": goqu.C("kind")}))); err != nil {
			return err
		}
		// A row may be up to a MiB: a statement is bounded by bytes, too.
		return insertSized(ctx, t, rows)
	})
	return n, err
}

func insertSized(ctx context.Context, t *tx, events []*monitor.Event) error {
	for len(events) > 0 {
		var values []any
		n := 0
		for size := 0; n < len(events) && size < insertBytes; n++ {
			values = append(values, eventValues(events[n])...)
			size += len(events[n].Raw)
		}
		if err := exec(ctx, t, insertEvent.ofMissing(values)); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// eventKeys tells which of the keys a table has.
func (t *tx) eventKeys(ctx context.Context, table string, keys []monitor.EventID, that ...exp.Expression) (map[monitor.EventID]bool, error) {
	found, err := query(ctx, t, dialect.From(table).Select("batch", "ordinal").Where(withID(keys)).Where(that...), scanEventID)
	if err != nil {
		return nil, err
	}
	has := make(map[monitor.EventID]bool, len(found))
	for _, id := range found {
		has[id] = true
	}
	return has, nil
}

func scanRestore(r scanner) (*monitor.EventRestore, error) {
	restore := &monitor.EventRestore{}
	return restore, r.Scan(jsonColumn{restore})
}

// RestoreByID gives a restore; NOT_FOUND where there is none.
func (s *Store) RestoreByID(ctx context.Context, id monitor.ID) (*monitor.EventRestore, error) {
	r, found, err := one(ctx, s.db, dialect.From("event_restores").Select("body").Where(goqu.C("id").Eq(bytesOf(id[:]))), scanRestore)
	if err == nil && !found {
		err = monitor.Errorf(monitor.CodeNotFound, "there is no such restore")
	}
	if err != nil {
		return nil, fmt.Errorf("load restore %s: %w", id, err)
	}
	return r, nil
}
