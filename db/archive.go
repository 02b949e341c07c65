package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// removeEvents is how many events one statement deletes or moves.
const removeEvents = 500

var archiveColumns = []string{"id", "day", "generation", "scope", "state", "objects", "events", "bytes", "manifest", "error", "created_at", "updated_at"}

var eventKey = []string{"day", "batch", "ordinal"}

// ArchiveAlone runs f while no other replica does, and says whether it did. Where
// another one is at it nothing happens.
func (s *Store) ArchiveAlone(ctx context.Context, f func() error) (ran bool, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return false, away(err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool, or was broken
	unlock, got, err := lockUpkeep(ctx, conn, "archive")
	if err != nil || !got {
		return false, err
	}
	defer unlock()
	return true, f()
}

// EventDays gives the days that have a partition, the oldest first, with the sizes that
// the server estimates.
func (s *Store) EventDays(ctx context.Context) ([]*monitor.EventDay, error) {
	st := dialect.From(goqu.S("information_schema").Table("PARTITIONS")).
		Select("PARTITION_NAME", "TABLE_ROWS", goqu.L("? + ?", goqu.C("DATA_LENGTH"), goqu.C("INDEX_LENGTH"))).
		Where(goqu.C("TABLE_SCHEMA").Eq(goqu.L("DATABASE()")), goqu.C("TABLE_NAME").Eq("events"), goqu.C("PARTITION_NAME").Neq("pmax")).
		Order(goqu.C("PARTITION_ORDINAL_POSITION").Asc())
	days, err := query(ctx, s.db, st, func(r scanner) (*monitor.EventDay, error) {
		d := &monitor.EventDay{}
		var name string
		var rows, bytes sql.NullInt64
		if err := r.Scan(&name, &rows, &bytes); err != nil {
			return nil, err
		}
		day, err := time.Parse(partitionName, name)
		d.Day, d.Events, d.Bytes = day, int(rows.Int64), float64(bytes.Int64)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("list days of events: %w", err)
	}
	return days, nil
}

// dueEvents are the events of a day whose class has ended, but for those that are held
// since the others went: they went into the archive with them. Where the whole day has
// ended that means all in its partition, with what came late for days before it.
func dueEvents(day time.Time, due *monitor.DueClasses) exp.Expression {
	return dueUnlessHeld(day, due, goqu.I("h.removed").Eq(true))
}

// dueUnlessHeld leaves out what has a hold that fits.
func dueUnlessHeld(day time.Time, due *monitor.DueClasses, hold ...exp.Expression) exp.Expression {
	held := dialect.From(goqu.T("event_holds").As("h")).Select(goqu.L("1")).Where(
		goqu.I("h.day").Eq(goqu.I("events.day")), goqu.I("h.batch").Eq(goqu.I("events.batch")), goqu.I("h.ordinal").Eq(goqu.I("events.ordinal"))).Where(hold...)
	free := goqu.L("NOT EXISTS ?", held)
	if due.All() {
		return goqu.And(goqu.C("day").Lte(day), free)
	}
	return goqu.And(goqu.C("day").Eq(day), dueClasses(due), free)
}

// dueClasses are the events whose class has ended.
func dueClasses(due *monitor.DueClasses) exp.Expression {
	if due.All() {
		return goqu.L("TRUE")
	}
	var classes, before []exp.Expression // before: that none of the rules before fits
	for i, ended := range due.Ended {
		class := append([]exp.Expression{}, before...)
		if i < len(due.Rules) {
			fits := ruleFits(&due.Rules[i])
			class = append(class, fits)
			before = append(before, goqu.L("NOT (?)", fits))
		}
		if ended {
			classes = append(classes, goqu.And(class...))
		}
	}
	return goqu.Or(classes...)
}

func ruleFits(r *monitor.RetentionRule) exp.Expression {
	var all []exp.Expression
	for _, pair := range [][2]string{{"product", r.Product}, {"category", r.Category}, {"service", r.Service}, {"format", r.Format}} {
		if pair[1] != "" {
			all = append(all, goqu.I("events."+pair[0]).Eq(pair[1]))
		}
	}
	return goqu.And(all...)
}

// DueEvents gives some events of a day that are kept no longer, in the order of their
// keys, behind one of them, as long as more of them are wanted.
func (s *Store) DueEvents(ctx context.Context, day time.Time, due monitor.DueClasses, behind *monitor.EventID, limit int, more func(*monitor.Event) bool) ([]*monitor.Event, error) {
	st := dialect.From("events").Select(columnList(eventColumns)...).Where(dueEvents(day, &due)).
		Order(goqu.C("day").Asc(), goqu.C("batch").Asc(), goqu.C("ordinal").Asc()).Limit(uint(limit)) //nolint:gosec // a constant of the caller
	if behind != nil {
		st = st.Where(after(eventKey, []any{behind.Day(), behind.Batch[:], behind.Ordinal}))
	}
	events, err := queryWhile(ctx, s.db, st, scanEvent, more)
	if err != nil {
		return nil, fmt.Errorf("read events of %s: %w", day.Format(time.DateOnly), err)
	}
	return events, nil
}

// CountDueEvents counts them.
func (s *Store) CountDueEvents(ctx context.Context, day time.Time, due monitor.DueClasses) (int, error) {
	n, _, err := one(ctx, s.db, dialect.From("events").Select(goqu.COUNT(goqu.Star())).Where(dueEvents(day, &due)), scanInt)
	if err != nil {
		return 0, fmt.Errorf("count events of %s: %w", day.Format(time.DateOnly), err)
	}
	return n, nil
}

// RemoveDueEvents takes the events out of the database that DueEvents gives: a whole
// day with its partition, some classes in many short transactions. What open alerts and
// incidents point to stays, and is given back when they are closed. Stopped at any
// point, it can be called again.
func (s *Store) RemoveDueEvents(ctx context.Context, day time.Time, due monitor.DueClasses) error {
	if err := s.holdEvidence(ctx, day, &due); err != nil {
		return fmt.Errorf("hold evidence of %s: %w", day.Format(time.DateOnly), err)
	}
	remove := s.deleteClasses
	if due.All() {
		remove = func(ctx context.Context, day time.Time, _ *monitor.DueClasses) error { return s.dropDay(ctx, day) }
	}
	if err := remove(ctx, day, &due); err != nil {
		return err
	}
	if err := s.noteRemoved(ctx, day, &due); err != nil {
		return fmt.Errorf("note what is held of %s: %w", day.Format(time.DateOnly), err)
	}
	return nil
}

func (s *Store) deleteClasses(ctx context.Context, day time.Time, due *monitor.DueClasses) error {
	for {
		keys, err := query(ctx, s.db, dialect.From("events").Select("batch", "ordinal").Where(dueUnlessHeld(day, due)).
			Order(goqu.C("batch").Asc(), goqu.C("ordinal").Asc()).Limit(removeEvents), scanEventID)
		if err != nil || len(keys) == 0 {
			return err
		}
		if err := exec(ctx, s.db, dialect.Delete("events").Where(withID(keys))); err != nil {
			return fmt.Errorf("delete events of %s: %w", day.Format(time.DateOnly), err)
		}
	}
}

func scanEventID(r scanner) (id monitor.EventID, err error) {
	return id, r.Scan(idColumn{&id.Batch}, &id.Ordinal)
}

// dropDay drops the partition of a day. Held events in it are put aside, and come back
// under their keys: they then stand in the partition of the oldest day.
func (s *Store) dropDay(ctx context.Context, day time.Time) error {
	if err := s.putAside(ctx, day); err != nil {
		return fmt.Errorf("put held events aside: %w", err)
	}
	if err := s.dropPartition(ctx, day); err != nil {
		return err
	}
	return s.ReturnKept(ctx)
}

func (s *Store) putAside(ctx context.Context, day time.Time) error {
	columns := append([]string{"day"}, eventColumns...)
	var last *monitor.EventID
	for {
		st := dialect.From("event_holds").Select("batch", "ordinal").Distinct().Where(goqu.C("day").Lte(day)).
			Order(goqu.C("batch").Asc(), goqu.C("ordinal").Asc()).Limit(removeEvents)
		if last != nil {
			st = st.Where(after([]string{"batch", "ordinal"}, []any{last.Batch[:], last.Ordinal}))
		}
		keys, err := query(ctx, s.db, st, scanEventID)
		if err != nil || len(keys) == 0 {
			return err
		}
		aside := dialect.Insert("kept_events").Cols(columnList(columns)...).
			FromQuery(dialect.From("events").Select(columnList(columns)...).Where(withID(keys))).OnConflict(goqu.DoUpdate("", goqu.Record{"day": goqu.L("VALUES(day)")}))
		if err := exec(ctx, s.db, aside); err != nil {
			return err
		}
		last = &keys[len(keys)-1]
	}
}

// ReturnKept brings back the held events that a crash in the middle of dropping a day
// has left aside.
func (s *Store) ReturnKept(ctx context.Context) error {
	columns := append([]string{"day"}, eventColumns...)
	for {
		keys, err := query(ctx, s.db, dialect.From("kept_events").Select("batch", "ordinal").
			Order(goqu.C("day").Asc(), goqu.C("batch").Asc(), goqu.C("ordinal").Asc()).Limit(removeEvents), scanEventID)
		if err != nil || len(keys) == 0 {
			return err
		}
		back := dialect.Insert("events").Cols(columnList(columns)...).
			FromQuery(dialect.From("kept_events").Select(columnList(columns)...).Where(withID(keys))).OnConflict(goqu.DoUpdate("", goqu.Record{"day": goqu.L("VALUES(day)")}))
		if err := exec(ctx, s.db, back); err != nil {
			return fmt.Errorf("return held events: %w", err)
		}
		if err := exec(ctx, s.db, dialect.Delete("kept_events").Where(withID(keys))); err != nil {
			return fmt.Errorf("return held events: %w", err)
		}
	}
}

// OpenArchive gives the archive of a day and scope that is begun and not at its end, or
// the one that took all of it already; else nil.
func (s *Store) OpenArchive(ctx context.Context, day time.Time, scope string) (*monitor.EventArchive, error) {
	st := dialect.From("event_archives").Select(columnList(archiveColumns)...).Where(goqu.C("day").Eq(day), goqu.C("scope").Eq(scope)).
		Order(goqu.C("generation").Desc()).Limit(1)
	a, found, err := one(ctx, s.db, st, scanArchive)
	if err != nil {
		return nil, fmt.Errorf("load archive of %s: %w", day.Format(time.DateOnly), err)
	}
	if !found {
		return nil, nil //nolint:nilnil // none
	}
	return a, nil
}

// CreateArchive begins the next generation of a day.
func (s *Store) CreateArchive(ctx context.Context, day time.Time, scope string) (*monitor.EventArchive, error) {
	now := s.now()
	a := &monitor.EventArchive{ID: monitor.NewID(now), Day: day, Scope: scope, State: monitor.ArchiveWriting, CreatedAt: now, UpdatedAt: now}
	last, _, err := one(ctx, s.db, dialect.From("event_archives").Select(goqu.COALESCE(goqu.MAX("generation"), 0)).Where(goqu.C("day").Eq(day)), scanInt)
	if err != nil {
		return nil, fmt.Errorf("create archive of %s: %w", day.Format(time.DateOnly), err)
	}
	a.Generation = last + 1 // one for each change of the rules
	if err := exec(ctx, s.db, dialect.Insert("event_archives").Rows(archiveRow(a))); err != nil {
		return nil, fmt.Errorf("create archive of %s: %w", day.Format(time.DateOnly), err)
	}
	return a, nil
}

// SaveArchive keeps how far an archive is. That events have left the database stands in
// the journal.
func (s *Store) SaveArchive(ctx context.Context, a *monitor.EventArchive) error {
	var saved time.Time
	err := s.change(ctx, monitor.SystemActor, monitor.ActionEventArchive, func(t *tx) error {
		ours := dialect.From("event_archives").Select("generation").Where(goqu.C("id").Eq(a.ID[:]), goqu.C("updated_at").Eq(a.UpdatedAt)).ForUpdate(goqu.Wait)
		_, found, err := one(ctx, t, ours, scanInt)
		if err != nil {
			return err
		}
		if !found {
			return monitor.Errorf(monitor.CodeConflict, "another process works on this archive")
		}
		next := *a
		next.UpdatedAt = t.now
		if !next.UpdatedAt.After(a.UpdatedAt) {
			next.UpdatedAt = a.UpdatedAt.Add(time.Microsecond)
		}
		row := archiveRow(&next)
		delete(row, "id")
		if err := exec(ctx, t, dialect.Update("event_archives").Set(row).Where(goqu.C("id").Eq(a.ID[:]))); err != nil {
			return err
		}
		saved = next.UpdatedAt
		if a.State != monitor.ArchiveRemoved && a.State != monitor.ArchiveDisabled {
			return nil
		}
		noted := *a
		noted.Objects = nil // the manifest has them
		change, err := monitor.NewChange(monitor.KindEventArchive, a.ID, monitor.ActionEventArchive, nil, &noted)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return fmt.Errorf("save archive of %s: %w", a.Day.Format(time.DateOnly), err)
	}
	a.UpdatedAt = saved
	return nil
}

// EventArchives gives one page of archives, latest begun first.
func (s *Store) EventArchives(ctx context.Context, args page.Args) (*monitor.EventArchiveConnection, error) {
	st, err := newestFirst(dialect.From("event_archives").Select(columnList(archiveColumns)...), args)
	if err != nil {
		return nil, err
	}
	found, err := query(ctx, s.db, st, scanArchive)
	if err != nil {
		return nil, fmt.Errorf("list archives: %w", err)
	}
	return page.Build(found, args, func(a *monitor.EventArchive) string { return page.EncodeCursor(a.CreatedAt, a.ID) }), nil
}

// FailedArchive gives the oldest archive that cannot be written, or nil.
func (s *Store) FailedArchive(ctx context.Context) (*monitor.EventArchive, error) {
	st := dialect.From("event_archives").Select(columnList(archiveColumns)...).Where(goqu.C("error").Neq("")).Order(goqu.C("day").Asc()).Limit(1)
	a, found, err := one(ctx, s.db, st, scanArchive)
	if err != nil || !found {
		return nil, err
	}
	return a, nil
}

func archiveRow(a *monitor.EventArchive) goqu.Record {
	return goqu.Record{
		"id": bytesOf(a.ID[:]), "day": a.Day, "generation": a.Generation, "scope": a.Scope, "state": string(a.State), "objects": jsonColumn{a.Objects},
		"events": a.Events, "bytes": a.Bytes, "manifest": a.Manifest, "error": a.Error, "created_at": a.CreatedAt, "updated_at": a.UpdatedAt,
	}
}

func scanArchive(r scanner) (*monitor.EventArchive, error) {
	a := &monitor.EventArchive{}
	return a, r.Scan(idColumn{&a.ID}, timeColumn{&a.Day}, &a.Generation, &a.Scope, &a.State, jsonColumn{&a.Objects}, &a.Events, &a.Bytes, &a.Manifest, &a.Error,
		timeColumn{&a.CreatedAt}, timeColumn{&a.UpdatedAt})
}

// UnfinishedArchives gives the archives whose events are not known to be gone.
func (s *Store) UnfinishedArchives(ctx context.Context) ([]*monitor.EventArchive, error) {
	st := dialect.From("event_archives").Select(columnList(archiveColumns)...).Where(goqu.C("state").In(string(monitor.ArchiveWriting), string(monitor.ArchiveWritten))).Order(goqu.C("day").Asc()).Limit(1_000)
	found, err := query(ctx, s.db, st, scanArchive)
	if err != nil {
		return nil, fmt.Errorf("list unfinished archives: %w", err)
	}
	return found, nil
}
