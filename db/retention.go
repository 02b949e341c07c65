package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// One transaction deletes at most so many entries and bytes of bodies.
const (
	maxTrimEntries = 1_000
	maxTrimBytes   = 8 << 20
)

// Trimmed says what a TrimJournal deleted.
type Trimmed struct {
	Entries int
	Bytes   int64 // of their bodies
}

// TrimJournal deletes the oldest entries of the journal: while the oldest is
// older than olderThan, or the bodies of all take more than maxBytes. A bound of 0
// is none. The newest entry always stays.
//
// It works in many short transactions, each of which takes entries with all that
// belongs to them off the oldest end: a reader sees an entry, or a journal that
// begins behind it, and never a hole. While another process trims the same
// journal it does nothing. Stopped in the middle, what it did stays done.
func (s *Store) TrimJournal(ctx context.Context, olderThan time.Duration, maxBytes int64) (Trimmed, error) {
	var total Trimmed
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return total, fmt.Errorf("trim journal: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool, or was broken
	unlock, got, err := lockUpkeep(ctx, conn, "trim")
	if err != nil || !got {
		return total, err
	}
	defer unlock()
	t := trim{maxBytes: maxBytes, limit: 16}
	if olderThan > 0 {
		t.before = s.now().Add(-olderThan)
	}
	for {
		done, err := t.once(ctx, conn)
		if err != nil {
			return total, fmt.Errorf("trim journal: %w", err)
		}
		if done.Entries == 0 {
			return total, nil
		}
		total.Entries += done.Entries
		total.Bytes += done.Bytes
	}
}

// lockUpkeep takes a server-wide lock of that name, without waiting. It spares
// replicas doing the work twice; that nothing is deleted wrongly rests on more: on the
// row of journal_trimmed, which each step of a trim locks, and on that of an archive, which
// only the one that has seen it last may change.
func lockUpkeep(ctx context.Context, conn *sql.Conn, work string) (unlock func(), got bool, err error) {
	name := "LEFT(CONCAT('secmon." + work + ".', DATABASE()), 64)" // work is a constant of the program
	var locked sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+name+", 0)").Scan(&locked); err != nil {
		return nil, false, fmt.Errorf("lock for upkeep: %w", err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.ExecContext(ctx, "DO RELEASE_LOCK("+name+")"); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // it ends, and the lock with it
		}
	}, locked.Int64 == 1, nil
}

// trim is one run.
type trim struct {
	before   time.Time // entries from before it go; zero for none
	maxBytes int64
	limit    uint // how many entries to look at: few while they are large
}

// oldEntry is what a trim looks at of an entry.
type oldEntry struct {
	seq  uint64
	at   time.Time
	size int64
	hash []byte
}

// once deletes the next few entries; none when the rest may stay.
func (t *trim) once(ctx context.Context, conn *sql.Conn) (Trimmed, error) {
	begun, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return Trimmed{}, err
	}
	defer begun.Rollback() //nolint:errcheck // after a commit it does nothing
	lock := dialect.From("journal_trimmed").Select("seq").Where(goqu.C("id").Eq(1)).ForUpdate(goqu.Wait)
	if _, found, err := one(ctx, begun, lock, scanInt); err != nil || !found {
		return Trimmed{}, fmt.Errorf("lock position: found %t: %w", found, err)
	}
	is, err := extent(ctx, begun)
	if err != nil {
		return Trimmed{}, err
	}
	oldest := dialect.From("journal").Select("seq", "at", goqu.Func("LENGTH", goqu.C("body")), "hash").
		Where(goqu.C("seq").Gt(is.trimmed), goqu.C("seq").Lt(is.head)).Order(goqu.C("seq").Asc()).Limit(t.limit)
	entries, err := query(ctx, begun, oldest, func(r scanner) (e oldEntry, err error) {
		return e, r.Scan(&e.seq, timeColumn{&e.at}, &e.size, &e.hash)
	})
	if err != nil {
		return Trimmed{}, err
	}
	done := t.cut(entries, is.bytes)
	if done.Entries == 0 {
		return done, nil
	}
	last := entries[done.Entries-1]
	for _, table := range []string{"journal_refs", "incident_timeline", "journal"} {
		if err := exec(ctx, begun, dialect.Delete(table).Where(goqu.C("seq").Gt(is.trimmed), goqu.C("seq").Lte(last.seq))); err != nil {
			return Trimmed{}, fmt.Errorf("delete from %s: %w", table, err)
		}
	}
	advance := dialect.Update("journal_trimmed").Where(goqu.C("id").Eq(1)).
		Set(goqu.Record{"seq": last.seq, "hash": last.hash, "bytes": goqu.L("? + ?", goqu.C("bytes"), done.Bytes)})
	if err := exec(ctx, begun, advance); err != nil {
		return Trimmed{}, err
	}
	return done, begun.Commit()
}

// cut tells how many of the oldest entries go in one step, and sets how many to
// look at in the next.
func (t *trim) cut(oldest []oldEntry, bytes int64) Trimmed {
	var done Trimmed
	for _, e := range oldest {
		tooOld, tooMuch := e.at.Before(t.before), t.maxBytes > 0 && bytes-done.Bytes > t.maxBytes
		if !tooOld && !tooMuch {
			break
		}
		if done.Entries > 0 && done.Bytes+e.size > maxTrimBytes {
			t.limit = uint(done.Entries) //nolint:gosec // at most maxTrimEntries
			return done
		}
		done.Entries++
		done.Bytes += e.size
	}
	t.limit = min(2*t.limit, maxTrimEntries)
	return done
}

// journalExtent is where the journal begins and ends.
type journalExtent struct {
	epoch   uint64
	trimmed uint64 // the last entry that is gone
	hash    [32]byte
	head    uint64 // the newest entry

	headHash [32]byte
	bytes    int64 // of the bodies between
}

func extent(ctx context.Context, r runner) (journalExtent, error) {
	st := dialect.From(goqu.T("feed_state").As("f")).Join(goqu.T("journal_trimmed").As("t"), goqu.On(goqu.I("t.id").Eq(goqu.I("f.id")))).
		Select("f.epoch", "t.seq", "t.hash", "f.seq", "f.hash", "f.bytes", "t.bytes").Where(goqu.I("f.id").Eq(1))
	is, found, err := one(ctx, r, st, func(r scanner) (journalExtent, error) {
		var is journalExtent
		var hash, headHash []byte
		var appended, deleted int64
		err := r.Scan(&is.epoch, &is.trimmed, &hash, &is.head, &headHash, &appended, &deleted)
		copy(is.hash[:], hash)
		copy(is.headHash[:], headHash)
		is.bytes = max(0, appended-deleted)
		return is, err
	})
	if err == nil && !found {
		err = errUnfinished
	}
	if err != nil {
		return is, fmt.Errorf("read extent of the journal: %w", err)
	}
	return is, nil
}

func (e *journalExtent) earliest() monitor.Position {
	return monitor.Position{Epoch: e.epoch, Seq: e.trimmed, Tag: monitor.TagOf(e.hash)}
}

// Earliest gives the position before the oldest entry that is kept: everything
// behind it can be read. Its tag is that of the last entry that was trimmed.
func (s *Store) Earliest(ctx context.Context) (monitor.Position, error) {
	is, err := extent(ctx, s.db)
	return is.earliest(), err
}

// JournalExtent says how much of the journal is kept.
func (s *Store) JournalExtent(ctx context.Context) (monitor.JournalExtent, error) {
	is, err := extent(ctx, s.db)
	if err != nil {
		return monitor.JournalExtent{}, err
	}
	out := monitor.JournalExtent{Earliest: is.earliest(), Entries: int(is.head - is.trimmed), Bytes: is.bytes} //nolint:gosec // far below 2^63
	st := dialect.From("journal").Select("at").Where(goqu.C("seq").Gt(is.trimmed)).Order(goqu.C("seq").Asc()).Limit(1)
	out.Oldest, _, err = one(ctx, s.db, st, func(r scanner) (at time.Time, err error) { return at, r.Scan(timeColumn{&at}) })
	if err != nil {
		return out, fmt.Errorf("read oldest journal entry: %w", err)
	}
	return out, nil
}
