package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// Reading as of an instant takes the present rows of what has not changed since,
// and brings the others back from the journal: the first change behind the
// instant holds what was before it. So it costs by how much has changed since;
// beyond these bounds it is refused.
const (
	maxChangedSince = 20_000
	maxRefsSince    = 400_000
	asOfEntries     = 20 // journal entries read at once: one may have megabytes
)

// past is an instant in terms of the journal.
type past struct {
	at  time.Time
	seq uint64 // the last entry that counts
}

// pastAt finds the state of the journal at an instant. One that is not over is
// BAD_INPUT; one before the oldest entry that is kept is CURSOR_EXPIRED.
func (s *Store) pastAt(ctx context.Context, at time.Time) (past, error) {
	if at.After(s.now()) {
		return past{}, monitor.Errorf(monitor.CodeBadInput, "asOf: this instant is not over")
	}
	st := dialect.From("journal").Select("seq").Where(goqu.C("at").Lte(at)).Order(goqu.C("at").Desc(), goqu.C("seq").Desc()).Limit(1)
	p := past{at: at}
	_, found, err := one(ctx, s.db, st, func(r scanner) (struct{}, error) { return struct{}{}, r.Scan(&p.seq) })
	if err != nil || found {
		return p, err
	}
	is, err := extent(ctx, s.db)
	if err == nil && is.trimmed > 0 {
		err = &monitor.Error{
			Code: monitor.CodeCursorExpired, Message: "asOf: the journal is not kept from then on",
			Details: map[string]any{"earliestCursor": is.earliest().Cursor()},
		}
	}
	return p, err
}

// unchanged leaves the rows of a table that have not changed since.
func (p past) unchanged(kind monitor.Kind, table string) goqu.Expression {
	later := dialect.From(goqu.T("journal_refs").As("r")).Select(goqu.L("1")).
		Where(goqu.I("r.kind").Eq(string(kind)), goqu.I("r.id").Eq(goqu.T(table).Col("id")), goqu.I("r.seq").Gt(p.seq))
	return goqu.And(goqu.T(table).Col("created_at").Lte(p.at), goqu.L("NOT EXISTS ?", later))
}

// firstChanges gives, for each entity of a kind that has changed since, the entry
// that changed it first, by entry. more is set when there were too many.
func (s *Store) firstChanges(ctx context.Context, kind monitor.Kind, p past, only *monitor.ID) (map[uint64][]monitor.ID, error) {
	st := dialect.From("journal_refs").Select("id", "seq").Where(goqu.C("kind").Eq(string(kind)), goqu.C("seq").Gt(p.seq)).
		Order(goqu.C("seq").Asc()).Limit(maxRefsSince + 1)
	if only != nil {
		st = st.Where(goqu.C("id").Eq(only[:])).Limit(1)
	}
	type ref struct {
		id  monitor.ID
		seq uint64
	}
	refs, err := query(ctx, s.db, st, func(r scanner) (f ref, err error) { return f, r.Scan(idColumn{&f.id}, &f.seq) })
	if err != nil {
		return nil, err
	}
	seen, first := map[monitor.ID]bool{}, map[uint64][]monitor.ID{}
	for _, f := range refs {
		if !seen[f.id] {
			seen[f.id] = true
			first[f.seq] = append(first[f.seq], f.id)
		}
	}
	if len(refs) > maxRefsSince || len(seen) > maxChangedSince {
		return nil, monitor.Errorf(monitor.CodeCostLimit, "asOf: more than %d have changed since then; choose a later instant, or read the journal", maxChangedSince)
	}
	return first, nil
}

// formerStates gives the entities that have changed since as they were, where
// keep holds for them. Those that were not there yet are left out.
func formerStates[T any](ctx context.Context, s *Store, kind monitor.Kind, p past, only *monitor.ID, keep func(*T) bool) ([]*T, error) {
	first, err := s.firstChanges(ctx, kind, p, only)
	if err != nil {
		return nil, err
	}
	seqs := make([]uint64, 0, len(first))
	for seq := range first {
		seqs = append(seqs, seq)
	}
	slices.Sort(seqs)
	var out []*T
	for chunk := range slices.Chunk(seqs, asOfEntries) {
		entries, err := query(ctx, s.db, dialect.From("journal").Select("seq", "body", "hash").Where(goqu.C("seq").In(chunk)), scanEntry)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			for _, c := range e.Body.Changes {
				if c.Kind != kind || c.Passing() || !slices.Contains(first[e.Seq], c.ID) {
					continue
				}
				_, was, err := monitor.States[T](c)
				if err != nil {
					return nil, err
				}
				if was != nil && keep(was) {
					out = append(out, was)
				}
			}
		}
	}
	return out, nil
}

// entityAsOf gives one entity as it was, nil where it was not there yet.
func entityAsOf[T any](ctx context.Context, s *Store, kind monitor.Kind, id monitor.ID, at time.Time, created func(*T) time.Time, load func(context.Context, []monitor.ID) ([]*T, error)) (*T, error) {
	p, err := s.pastAt(ctx, at)
	if err != nil {
		return nil, err
	}
	changed, err := s.firstChanges(ctx, kind, p, &id)
	if err != nil {
		return nil, err
	}
	if len(changed) > 0 {
		was, err := formerStates(ctx, s, kind, p, &id, func(*T) bool { return true })
		if err != nil || len(was) == 0 {
			return nil, err
		}
		return was[0], nil
	}
	now, err := load(ctx, []monitor.ID{id})
	if err != nil || len(now) == 0 || created(now[0]).After(at) {
		return nil, err
	}
	return now[0], nil
}

// listAsOf gives the first n of a list as it was: st is the list of the present
// rows behind the page's cursor, in the order of compare; behind tells which of
// the former states are.
func listAsOf[T any](ctx context.Context, s *Store, kind monitor.Kind, p past, table string, st *goqu.SelectDataset,
	scan func(scanner) (*T, error), keep func(*T) bool, compare func(a, b *T) int, n int,
) ([]*T, error) {
	former, err := formerStates(ctx, s, kind, p, nil, keep)
	if err != nil {
		return nil, fmt.Errorf("read %s as of %s: %w", table, p.at, err)
	}
	rows, err := query(ctx, s.db, st.Where(p.unchanged(kind, table)), scan)
	if err != nil {
		return nil, fmt.Errorf("read %s as of %s: %w", table, p.at, err)
	}
	rows = append(rows, former...)
	slices.SortFunc(rows, compare)
	return rows[:min(n, len(rows))], nil
}
