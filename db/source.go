package db

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var sourceColumns = []string{
	"id", "version", "protocol", "token_id", "token_name", "format", "first_seen", "last_seen", "records", "rejected", "bytes", "lag_ms", "lag_max_ms",
	"sightings", "gap_ms", "expect_seconds", "silent_since", "alert_id", "updated_at",
}

// countChunk is how many sources one transaction counts.
const countChunk = 200

// CountSources adds what a replica has counted since the last time. The journal tells of
// sources that are new and of those that send again; counts are no news. It gives the
// sources that found no place: there are monitor.MaxSources already.
func (s *Store) CountSources(ctx context.Context, counts []*monitor.SourceCount) (refused int, err error) {
	counts = slices.Clone(counts)
	slices.SortFunc(counts, func(a, b *monitor.SourceCount) int {
		x, y := a.Key.ID(), b.Key.ID()
		return bytes.Compare(x[:], y[:])
	})
	for chunk := range slices.Chunk(counts, countChunk) {
		n, err := s.countSources(ctx, chunk)
		if refused += n; err != nil {
			return refused, fmt.Errorf("count %d sources: %w", len(counts), err)
		}
	}
	return refused, nil
}

func (s *Store) countSources(ctx context.Context, counts []*monitor.SourceCount) (refused int, err error) {
	ids := make([]monitor.ID, len(counts))
	for i, c := range counts {
		ids[i] = c.Key.ID()
	}
	err = s.change(ctx, monitor.SystemActor, monitor.ActionSourceCount, func(t *tx) error {
		refused = 0
		found, err := t.lockSources(ctx, ids)
		if err != nil {
			return err
		}
		room := monitor.MaxSources
		if len(found) < len(counts) {
			n, _, err := one(ctx, t, dialect.From("sources").Select(goqu.COUNT(goqu.Star())), func(r scanner) (n int, err error) { return n, r.Scan(&n) })
			if err != nil {
				return err
			}
			room -= n
		}
		var rows []any
		for i, c := range counts {
			was := found[ids[i]]
			if was == nil {
				if room--; room < 0 {
					refused++
					continue
				}
				if was, err = t.findSource(ctx, c); err != nil {
					return err
				}
			}
			next := *was
			next.Count(c)
			if !was.SilentSince.IsZero() && c.Records > 0 {
				if err := t.endSilence(ctx, was, &next); err != nil {
					return err
				}
			}
			if err := t.writeSource(ctx, &next); err != nil {
				return err
			}
			for _, at := range slices.SortedFunc(maps.Keys(c.Minutes), time.Time.Compare) {
				m := c.Minutes[at]
				rows = append(rows, goqu.Record{"source_id": bytesOf(ids[i][:]), "at": at, "records": m.Records, "rejected": m.Rejected, "bytes": m.Bytes})
			}
		}
		return t.addMinutes(ctx, rows)
	})
	return refused, err
}

// findSource makes the row of a source that sends for the first time. Another replica
// may have made it meanwhile: its row is locked then, and it is no news.
func (t *tx) findSource(ctx context.Context, c *monitor.SourceCount) (*monitor.Source, error) {
	fresh := &monitor.Source{ID: c.Key.ID(), Version: 1, SourceKey: c.Key, FirstSeen: c.First, UpdatedAt: t.now}
	row := sourceRow(fresh)
	row["last_seen"] = c.First
	insert := dialect.Insert("sources").Rows(row).OnConflict(goqu.DoUpdate("", goqu.Record{"id": goqu.C("id")}))
	if err := exec(ctx, t, insert); err != nil {
		return nil, err
	}
	found, err := t.lockSources(ctx, []monitor.ID{fresh.ID})
	if err != nil {
		return nil, err
	}
	is := found[fresh.ID]
	if is == nil {
		return nil, fmt.Errorf("source %s: vanished under its lock", fresh.ID)
	}
	if is.Sightings > 0 {
		return is, nil
	}
	return fresh, t.noteSource(monitor.ActionSourceFound, nil, fresh)
}

// endSilence notes that a silent source sends again: the alert about it is closed, or
// marked where somebody works on it.
func (t *tx) endSilence(ctx context.Context, was, next *monitor.Source) error {
	next.SilentSince, next.AlertID, next.Version, next.UpdatedAt = time.Time{}, monitor.ID{}, was.Version+1, t.now
	if err := t.noteSource(monitor.ActionSourceReturn, was, next); err != nil || was.AlertID.IsZero() {
		return err
	}
	alert, err := t.lockAlert(ctx, was.AlertID)
	if monitor.CodeOf(err) == monitor.CodeNotFound {
		return nil
	}
	if err != nil || alert.Status == monitor.AlertClosed {
		return err
	}
	changed := *alert
	if alert.Status != monitor.AlertNew {
		if err := changed.Tag([]string{monitor.TagSourceReturned}, nil); err != nil {
			return nil //nolint:nilerr // it has as many tags as it may: the journal tells of the return all the same
		}
		return t.writeAlert(ctx, alert, &changed, monitor.ActionAlertTag)
	}
	reason := fmt.Sprintf("the source sends again, after %s of silence", next.LastSeen.Sub(was.LastSeen).Round(time.Second))
	if err := changed.Close(monitor.Benign, reason, t.now); err != nil {
		return err
	}
	return t.writeAlert(ctx, alert, &changed, monitor.ActionAlertClose)
}

func (t *tx) addMinutes(ctx context.Context, rows []any) error {
	add := goqu.Record{}
	for _, name := range []string{"records", "rejected", "bytes"} {
		add[name] = goqu.L("? + VALUES(?)", goqu.C(name), goqu.C(name))
	}
	for chunk := range slices.Chunk(rows, insertEvents) {
		if err := exec(ctx, t, dialect.Insert("source_rates").Rows(chunk...).OnConflict(goqu.DoUpdate("", add))); err != nil {
			return fmt.Errorf("add rates: %w", err)
		}
	}
	return nil
}

// lockSources locks sources in the order of their ids; missing ones are left out.
func (t *tx) lockSources(ctx context.Context, ids []monitor.ID) (map[monitor.ID]*monitor.Source, error) {
	st := dialect.From("sources").Select(columnList(sourceColumns)...).Where(goqu.C("id").In(idList(ids))).Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	found, err := query(ctx, t, st, scanSource)
	if err != nil {
		return nil, err
	}
	byID := make(map[monitor.ID]*monitor.Source, len(found))
	for _, each := range found {
		byID[each.ID] = each
	}
	return byID, nil
}

func (t *tx) writeSource(ctx context.Context, s *monitor.Source) error {
	row := sourceRow(s)
	delete(row, "id")
	return exec(ctx, t, dialect.Update("sources").Set(row).Where(goqu.C("id").Eq(s.ID[:])))
}

func (t *tx) noteSource(action string, was, next *monitor.Source) error {
	about := next
	if about == nil {
		about = was
	}
	change, err := monitor.NewChange(monitor.KindSource, about.ID, action, was, next)
	t.changes = append(t.changes, change)
	return err
}

// Sources gives one page of the sources, those in one state where one is named: silent
// ones first, then as they were heard of, latest first.
func (s *Store) Sources(ctx context.Context, filter *monitor.SourceFilter, args page.Args) (*monitor.SourceConnection, error) {
	st := dialect.From("sources").Select(columnList(sourceColumns)...).Order(descending([]string{"last_seen", "id"})...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if filter != nil {
		if filter.Silent != nil && *filter.Silent {
			st = st.Where(goqu.C("silent_since").IsNotNull())
		} else if filter.Silent != nil {
			st = st.Where(goqu.C("silent_since").IsNull())
		}
		if filter.Protocol != nil {
			st = st.Where(goqu.C("protocol").Eq(*filter.Protocol))
		}
		if filter.Format != nil {
			st = st.Where(goqu.C("format").Eq(*filter.Format))
		}
	}
	if args.After != "" {
		var at time.Time
		var id monitor.ID
		if err := page.DecodeCursor(args.After, &at, &id); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(before([]string{"last_seen", "id"}, []any{at, id[:]}))
	}
	found, err := query(ctx, s.db, st, scanSource)
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	return page.Build(found, args, func(x *monitor.Source) string { return page.EncodeCursor(x.LastSeen, x.ID) }), nil
}

// SourcesByID gives the sources with those ids, in no order; missing ones are left out.
func (s *Store) SourcesByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Source, error) {
	return byIDs(ctx, s.db, "sources", sourceColumns, ids, scanSource)
}

// SourceMinutes gives for each source what came in the minutes that are kept, oldest
// first; minutes in which nothing came are left out.
func (s *Store) SourceMinutes(ctx context.Context, ids []monitor.ID) ([][]monitor.SourceMinute, error) {
	out := make([][]monitor.SourceMinute, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	type row struct {
		source monitor.ID
		monitor.SourceMinute
	}
	st := dialect.From("source_rates").Select("source_id", "at", "records", "rejected", "bytes").
		Where(goqu.C("source_id").In(idList(ids)), goqu.C("at").Gt(s.now().Add(-monitor.SourceMinutes*time.Minute))).Order(goqu.C("source_id").Asc(), goqu.C("at").Asc())
	rows, err := query(ctx, s.db, st, func(r scanner) (x row, err error) {
		return x, r.Scan(idColumn{&x.source}, timeColumn{&x.At}, &x.Records, &x.Rejected, &x.Bytes)
	})
	if err != nil {
		return nil, fmt.Errorf("read rates of %d sources: %w", len(ids), err)
	}
	for _, x := range rows {
		i := slices.Index(ids, x.source)
		out[i] = append(out[i], x.SourceMinute)
	}
	return out, nil
}

// UpdateSource changes what people say of a source, as UpdateAlert does an alert.
func (s *Store) UpdateSource(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.Source) error) (*monitor.Source, error) {
	var now *monitor.Source
	err := s.change(ctx, actor, monitor.ActionSourceUpdate, func(t *tx) error {
		was, err := t.lockSource(ctx, id, expected)
		if now = was; err != nil {
			return err
		}
		next := *was
		if err := change(&next); err != nil {
			return err
		}
		same, err := monitor.NewChange(monitor.KindSource, id, monitor.ActionSourceUpdate, was, &next)
		if err != nil || string(same.Before) == "{}" {
			return err
		}
		next.Version, next.UpdatedAt = was.Version+1, t.now
		now = &next
		if err := t.writeSource(ctx, now); err != nil {
			return err
		}
		return t.noteSource(monitor.ActionSourceUpdate, was, now)
	})
	if err != nil {
		return now, fmt.Errorf("update source %s: %w", id, err)
	}
	return now, nil
}

// DeleteSource forgets a source, with its counts. It is found anew when it sends again.
func (s *Store) DeleteSource(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.Source, error) {
	var now *monitor.Source
	err := s.change(ctx, actor, monitor.ActionSourceDelete, func(t *tx) error {
		was, err := t.lockSource(ctx, id, expected)
		if now = was; err != nil {
			return err
		}
		for table, column := range map[string]string{"source_rates": "source_id", "sources": "id"} {
			if err := exec(ctx, t, dialect.Delete(table).Where(goqu.C(column).Eq(id[:]))); err != nil {
				return err
			}
		}
		return t.noteSource(monitor.ActionSourceDelete, was, nil)
	})
	if err != nil {
		return now, fmt.Errorf("delete source %s: %w", id, err)
	}
	return nil, nil
}

func (t *tx) lockSource(ctx context.Context, id monitor.ID, expected *int) (*monitor.Source, error) {
	found, err := t.lockSources(ctx, []monitor.ID{id})
	if err != nil {
		return nil, err
	}
	was := found[id]
	if was == nil {
		return nil, monitor.Errorf(monitor.CodeNotFound, "there is no such source")
	}
	if expected != nil && *expected != was.Version {
		return was, monitor.Errorf(monitor.CodeConflict, "the source has changed since: it is at version %d, not %d", was.Version, *expected)
	}
	return was, nil
}

// TrimSources forgets the rates of more than an hour ago.
func (s *Store) TrimSources(ctx context.Context) error {
	old := dialect.Delete("source_rates").Where(goqu.C("at").Lt(s.now().Add(-(monitor.SourceMinutes + 1) * time.Minute))).Limit(20_000)
	if err := exec(ctx, s.db, old); err != nil {
		return fmt.Errorf("trim rates of sources: %w", err)
	}
	return nil
}

func sourceRow(s *monitor.Source) goqu.Record {
	var expect any
	if s.Expect != nil {
		expect = int64(*s.Expect / time.Second)
	}
	return goqu.Record{
		"id": bytesOf(s.ID[:]), "version": s.Version, "protocol": s.Protocol, "token_id": bytesOf(s.TokenID[:]), "token_name": s.TokenName, "format": s.Format,
		"first_seen": s.FirstSeen, "last_seen": s.LastSeen, "records": s.Records, "rejected": s.Rejected, "bytes": s.Bytes,
		"lag_ms": s.Lag.Milliseconds(), "lag_max_ms": s.LagMax.Milliseconds(), "sightings": s.Sightings, "gap_ms": s.Gap.Milliseconds(),
		"expect_seconds": expect, "silent_at": nullTime(s.SilentAt()), "silent_since": nullTime(s.SilentSince), "alert_id": nullID(s.AlertID), "updated_at": s.UpdatedAt,
	}
}

func scanSource(r scanner) (*monitor.Source, error) {
	s := &monitor.Source{}
	var expect *int64
	var lag, most, gap int64
	var alert []byte
	err := r.Scan(idColumn{&s.ID}, &s.Version, &s.Protocol, idColumn{&s.TokenID}, &s.TokenName, &s.Format, timeColumn{&s.FirstSeen}, timeColumn{&s.LastSeen},
		&s.Records, &s.Rejected, &s.Bytes, &lag, &most, &s.Sightings, &gap, &expect, timeColumn{&s.SilentSince}, &alert, timeColumn{&s.UpdatedAt})
	copy(s.AlertID[:], alert)
	s.Lag, s.LagMax, s.Gap = time.Duration(lag)*time.Millisecond, time.Duration(most)*time.Millisecond, time.Duration(gap)*time.Millisecond
	if expect != nil {
		every := time.Duration(*expect) * time.Second
		s.Expect = &every
	}
	return s, err
}
