package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

const (
	// keptPerBatch is how many findings of one batch a suppression keeps to look at:
	// all are counted, but one that hides a flood does not write a flood.
	keptPerBatch = 20
	// keptFindings is how many a suppression keeps in all, the latest; about, for
	// they are trimmed now and then.
	keptFindings = 1_000
	// trimFindings bounds one statement that deletes them.
	trimFindings = 5_000
	// expireSweep is how many suppressions one transaction finds at their end.
	expireSweep = 200
)

// hiddenFindings are those that one suppression hides in one transaction.
type hiddenFindings struct {
	count int
	rows  []any
}

// hide notes a finding that raises no alert. It lives with the transaction: tried
// again, it begins anew, and so nothing is counted twice.
func (t *tx) hide(by *monitor.Suppression, a *monitor.Alert, e *monitor.Event) {
	if t.hidden == nil {
		t.hidden = map[monitor.ID]*hiddenFindings{}
	}
	h := t.hidden[by.ID]
	if h == nil {
		h = &hiddenFindings{}
		t.hidden[by.ID] = h
	}
	if h.count++; len(h.rows) < keptPerBatch {
		h.rows = append(h.rows, goqu.Record{
			"suppression_id": append([]byte(nil), by.ID[:]...), "batch": append([]byte(nil), e.ID.Batch[:]...), "ordinal": e.ID.Ordinal,
			"rule_id": append([]byte(nil), a.RuleID[:]...),
		})
	}
}

func (t *tx) hiders() []monitor.ID {
	ids := make([]monitor.ID, 0, len(t.hidden))
	for id := range t.hidden {
		ids = append(ids, id)
	}
	return sortIDs(ids)
}

// suppressedCounts is what the journal says of it, in the order of ids.
func (t *tx) suppressedCounts() []monitor.SuppressedCount {
	var counts []monitor.SuppressedCount
	for _, id := range t.hiders() {
		counts = append(counts, monitor.SuppressedCount{Suppression: id, Findings: t.hidden[id].count})
	}
	return counts
}

// settleSuppressions counts what was hidden: one row of each suppression, whatever
// the batch has, in the order of ids. It runs right before the journal, whose lock
// makes transactions wait for one another anyhow, so that these rows are held for
// no longer than that.
func (t *tx) settleSuppressions(ctx context.Context) error {
	var rows []any
	for _, id := range t.hiders() {
		rows = append(rows, t.hidden[id].rows...)
	}
	// A rule that finds an event twice over (a rule and its correlation may) is one row.
	for len(rows) > 0 {
		n := min(len(rows), insertEvents)
		if err := exec(ctx, t, dialect.Insert("suppressed_findings").Rows(rows[:n]...).OnConflict(goqu.DoUpdate("", goqu.Record{"ordinal": goqu.C("ordinal")}))); err != nil {
			return fmt.Errorf("keep suppressed findings: %w", err)
		}
		rows = rows[n:]
	}
	for _, id := range t.hiders() {
		count := dialect.Update("suppressions").Where(goqu.C("id").Eq(id[:])).Set(goqu.Record{
			"hits": goqu.L("? + ?", goqu.C("hits"), t.hidden[id].count), "last_hit": goqu.L("GREATEST(COALESCE(?, ?), ?)", goqu.C("last_hit"), t.now, t.now),
		})
		if err := exec(ctx, t, count); err != nil {
			return fmt.Errorf("count suppressed findings: %w", err)
		}
	}
	return nil
}

// SuppressedFindings gives one page of the latest findings that a suppression hid,
// latest stored first. Of old ones, and of many in one batch, not all are kept.
func (s *Store) SuppressedFindings(ctx context.Context, of monitor.ID, args page.Args) (*monitor.SuppressedFindingConnection, error) {
	keys := []string{"batch", "ordinal", "rule_id"}
	st := dialect.From("suppressed_findings").Select(append([]any{"suppression_id"}, columnList(keys)...)...).Where(goqu.C("suppression_id").Eq(of[:])).
		Order(descending(keys)...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		var event monitor.EventID
		var rule monitor.ID
		if err := page.DecodeCursor(args.After, &event, &rule); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(before(keys, []any{event.Batch[:], event.Ordinal, rule[:]}))
	}
	found, err := query(ctx, s.db, st, func(r scanner) (*monitor.SuppressedFinding, error) {
		f := &monitor.SuppressedFinding{}
		return f, r.Scan(idColumn{&f.Suppression}, idColumn{&f.Event.Batch}, &f.Event.Ordinal, idColumn{&f.Rule})
	})
	if err != nil {
		return nil, fmt.Errorf("list findings that suppression %s hid: %w", of, err)
	}
	return page.Build(found, args, func(f *monitor.SuppressedFinding) string { return page.EncodeCursor(f.Event, f.Rule) }), nil
}

// ExpireSuppressions notes the suppressions whose end has come, each once over all
// replicas, and says how many there were. They had no effect since then: this only
// tells it. Call it now and then.
func (s *Store) ExpireSuppressions(ctx context.Context) (int, error) {
	due := dialect.From("suppressions").Select("id").Where(goqu.C("expired_at").IsNull(), goqu.C("until_at").Lte(s.now())).
		Order(goqu.C("until_at").Asc()).Limit(expireSweep)
	ids, err := query(ctx, s.db, due, scanID)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	n := 0
	err = s.change(ctx, monitor.SystemActor, monitor.ActionSuppressionExpire, func(t *tx) error {
		n = 0
		found, err := t.lockSuppressions(ctx, sortIDs(ids))
		if err != nil {
			return err
		}
		for _, was := range found {
			if !was.ExpiredAt.IsZero() || was.State(t.now) != monitor.SuppressionExpired {
				continue // another replica was here, or it was prolonged
			}
			next := *was
			next.ExpiredAt = t.now
			if err := t.writeSuppression(ctx, monitor.ActionSuppressionExpire, was, &next); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("note expired suppressions: %w", err)
	}
	return n, nil
}

// TrimSuppressed deletes the findings beyond the latest of each suppression, and
// those of suppressions that are gone, a bounded number in one call.
func (s *Store) TrimSuppressed(ctx context.Context) error {
	counted := dialect.From("suppressed_findings").Select("suppression_id", goqu.COUNT(goqu.Star())).GroupBy("suppression_id")
	kept := map[monitor.ID]int{}
	ids, err := query(ctx, s.db, counted, func(r scanner) (id monitor.ID, err error) {
		var n int
		err = r.Scan(idColumn{&id}, &n)
		kept[id] = n
		return id, err
	})
	if err != nil {
		return fmt.Errorf("count suppressed findings: %w", err)
	}
	there, err := s.SuppressionsByID(ctx, ids)
	if err != nil {
		return err
	}
	for _, each := range there {
		if kept[each.ID] > keptFindings {
			err = errors.Join(err, s.trimSuppressed(ctx, each.ID))
		}
		delete(kept, each.ID)
	}
	for gone := range kept {
		err = errors.Join(err, exec(ctx, s.db, dialect.Delete("suppressed_findings").Where(goqu.C("suppression_id").Eq(gone[:])).Limit(trimFindings)))
	}
	if err != nil {
		return fmt.Errorf("trim suppressed findings: %w", err)
	}
	return nil
}

func (s *Store) trimSuppressed(ctx context.Context, of monitor.ID) error {
	keys := []string{"batch", "ordinal", "rule_id"}
	last := dialect.From("suppressed_findings").Select(columnList(keys)...).Where(goqu.C("suppression_id").Eq(of[:])).
		Order(descending(keys)...).Offset(keptFindings - 1).Limit(1)
	f, found, err := one(ctx, s.db, last, func(r scanner) (f monitor.SuppressedFinding, err error) {
		return f, r.Scan(idColumn{&f.Event.Batch}, &f.Event.Ordinal, idColumn{&f.Rule})
	})
	if err != nil || !found {
		return err
	}
	return exec(ctx, s.db, dialect.Delete("suppressed_findings").
		Where(goqu.C("suppression_id").Eq(of[:]), before(keys, []any{f.Event.Batch[:], f.Event.Ordinal, f.Rule[:]})).Limit(trimFindings))
}
