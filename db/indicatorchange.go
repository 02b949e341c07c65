package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// CreateIndicator stores an indicator that somebody wrote. One that is there already
// gives CONFLICT, and is given as it is.
func (s *Store) CreateIndicator(ctx context.Context, actor monitor.Actor, indicator monitor.Indicator) (*monitor.Indicator, error) {
	var now *monitor.Indicator
	err := s.change(ctx, actor, monitor.ActionIndicatorCreate, func(t *tx) error {
		next := indicator
		if next.ValidFrom.IsZero() {
			next.ValidFrom = t.now.Truncate(time.Second)
		}
		if err := next.Check(); err != nil {
			return err
		}
		known, err := t.lockIndicators(ctx, []monitor.ID{next.ID})
		if err != nil {
			return err
		}
		if now = known[next.ID]; now != nil {
			return monitor.Errorf(monitor.CodeConflict, "%s warns of %s already", next.Source, next.Value)
		}
		next.Version, next.CreatedAt, next.UpdatedAt, next.CreatedBy, next.UpdatedBy = 1, t.now, t.now, actor.Name, actor.Name
		if err := exec(ctx, t, dialect.Insert("indicators").Rows(indicatorRow(&next, monitor.NewID(t.now)))); err != nil {
			if isDuplicate(err) {
				return monitor.Errorf(monitor.CodeConflict, "%s warns of %s already", next.Source, next.Value)
			}
			return err
		}
		now = &next
		return t.noteIndicator(monitor.ActionIndicatorCreate, nil, &next)
	})
	if err != nil {
		return now, fmt.Errorf("create indicator: %w", err)
	}
	return now, nil
}

// UpdateIndicator changes what is said of a value, as UpdateAlert does an alert; the
// value itself, its kind and its source stay.
func (s *Store) UpdateIndicator(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.Indicator) error) (*monitor.Indicator, error) {
	var now *monitor.Indicator
	err := s.change(ctx, actor, monitor.ActionIndicatorUpdate, func(t *tx) error {
		was, err := t.lockIndicator(ctx, id, expected)
		if now = was; err != nil {
			return err
		}
		next := *was
		if err := change(&next); err != nil {
			return err
		}
		if err := next.Check(); err != nil {
			return err
		}
		if next.ID != was.ID {
			return monitor.Errorf(monitor.CodeBadInput, "what an indicator is and whose stays; make another one")
		}
		same, err := monitor.NewChange(monitor.KindIndicator, id, monitor.ActionIndicatorUpdate, was, &next)
		if err != nil || string(same.Before) == "{}" {
			return err
		}
		next.Version, next.UpdatedAt, next.UpdatedBy = was.Version+1, t.now, actor.Name
		row := indicatorRow(&next, monitor.NewID(t.now))
		delete(row, "id")
		if err := exec(ctx, t, dialect.Update("indicators").Set(row).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		now = &next
		return t.noteIndicator(monitor.ActionIndicatorUpdate, was, &next)
	})
	if err != nil {
		return now, fmt.Errorf("update indicator %s: %w", id, err)
	}
	return now, nil
}

// DeleteIndicator takes an indicator away; alerts that it raised stay. It gives the
// indicator as it was.
func (s *Store) DeleteIndicator(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.Indicator, error) {
	var was *monitor.Indicator
	err := s.change(ctx, actor, monitor.ActionIndicatorDelete, func(t *tx) error {
		var err error
		if was, err = t.lockIndicator(ctx, id, expected); err != nil {
			return err
		}
		if err := exec(ctx, t, dialect.Delete("indicators").Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindIndicator, id, monitor.ActionIndicatorDelete, was, nil)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return was, fmt.Errorf("delete indicator %s: %w", id, err)
	}
	return was, nil
}

func (t *tx) noteIndicator(action string, was, next *monitor.Indicator) error {
	change, err := monitor.NewChange(monitor.KindIndicator, next.ID, action, was, next)
	t.changes = append(t.changes, change)
	return err
}

// ImportIndicators stores indicators in one transaction: new ones, and what their
// source says now of those that are there. One with RevokedAt ends what is there,
// and is nothing where it is not; what has ended stays so unless of.Revive asks for
// the contrary. Of two with one id the later counts. It completes
// the import's counts and gives it an id, by which IndicatorsOfChange finds what was
// written. Call it with a few thousand at a time.
func (s *Store) ImportIndicators(ctx context.Context, actor monitor.Actor, of monitor.IndicatorImport, indicators []*monitor.Indicator) (monitor.IndicatorImport, error) {
	byID := make(map[monitor.ID]*monitor.Indicator, len(indicators))
	ids := make([]monitor.ID, 0, len(indicators))
	for _, i := range indicators {
		if byID[i.ID] == nil {
			ids = append(ids, i.ID)
		}
		byID[i.ID] = i
	}
	sortIDs(ids)
	var done monitor.IndicatorImport
	err := s.change(ctx, actor, monitor.ActionIndicatorImport, func(t *tx) error {
		done = of
		done.ID = monitor.NewID(t.now)
		for chunk := range slices.Chunk(ids, insertEvents) {
			if err := t.importIndicators(ctx, &done, chunk, byID); err != nil {
				return err
			}
		}
		if done.Added+done.Updated+done.Revoked == 0 {
			return nil
		}
		change, err := monitor.NewChange(monitor.KindIndicatorImport, done.ID, monitor.ActionIndicatorImport, nil, &done)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return of, fmt.Errorf("import %d indicators: %w", len(indicators), err)
	}
	done.Unchanged += len(indicators) - len(ids)
	return done, nil
}

func (t *tx) importIndicators(ctx context.Context, done *monitor.IndicatorImport, ids []monitor.ID, said map[monitor.ID]*monitor.Indicator) error {
	known, err := t.lockIndicators(ctx, ids)
	if err != nil {
		return err
	}
	var rows []any
	for _, id := range ids {
		if next := t.imported(done, known[id], *said[id]); next != nil {
			rows = append(rows, indicatorRow(next, done.ID))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	values := goqu.Record{}
	for name := range rows[0].(goqu.Record) { //nolint:forcetypeassert // made above
		if name != "id" && name != "created_at" && name != "created_by" {
			values[name] = goqu.L("VALUES(?)", goqu.C(name))
		}
	}
	if err := exec(ctx, t, dialect.Insert("indicators").Rows(rows...).OnConflict(goqu.DoUpdate("", values))); err != nil {
		return fmt.Errorf("write indicators: %w", err)
	}
	return nil
}

// imported gives what an indicator becomes by what its source says now, nil where it
// stays as it is.
func (t *tx) imported(done *monitor.IndicatorImport, was *monitor.Indicator, says monitor.Indicator) *monitor.Indicator {
	if was == nil {
		if !says.RevokedAt.IsZero() {
			done.Unchanged++
			return nil
		}
		if done.Added++; says.ValidFrom.IsZero() {
			says.ValidFrom = t.now.Truncate(time.Second)
		}
		says.Version, says.CreatedAt, says.UpdatedAt, says.CreatedBy, says.UpdatedBy = 1, t.now, t.now, t.actor.Name, t.actor.Name
		return &says
	}
	next := says
	if next.ValidFrom.IsZero() { // it says nothing of it
		next.ValidFrom = was.ValidFrom
	}
	if !was.RevokedAt.IsZero() && (!says.RevokedAt.IsZero() || !done.Revive) {
		next.RevokedAt = was.RevokedAt // it has been ended, and a list does not undo that by naming it
	}
	next.Version, next.CreatedAt, next.CreatedBy, next.UpdatedAt, next.UpdatedBy = was.Version, was.CreatedAt, was.CreatedBy, was.UpdatedAt, was.UpdatedBy
	switch {
	case sameIndicator(was, &next):
		done.Unchanged++
		return nil
	case !next.RevokedAt.IsZero() && was.RevokedAt.IsZero():
		done.Revoked++
	default:
		done.Updated++
	}
	next.Version, next.UpdatedAt, next.UpdatedBy = was.Version+1, t.now, t.actor.Name
	return &next
}

func sameIndicator(a, b *monitor.Indicator) bool {
	return a.Subdomains == b.Subdomains && a.Confidence == b.Confidence && a.Severity == b.Severity && a.ValidFrom.Equal(b.ValidFrom) &&
		a.ValidUntil.Equal(b.ValidUntil) && a.RevokedAt.Equal(b.RevokedAt) && a.Description == b.Description && a.Reference == b.Reference &&
		slices.Equal(list(a.Tags), list(b.Tags))
}

func (t *tx) lockIndicator(ctx context.Context, id monitor.ID, expected *int) (*monitor.Indicator, error) {
	known, err := t.lockIndicators(ctx, []monitor.ID{id})
	if err != nil {
		return nil, err
	}
	was := known[id]
	switch {
	case was == nil:
		return nil, monitor.Errorf(monitor.CodeNotFound, "there is no such indicator")
	case expected != nil && *expected != was.Version:
		return was, monitor.Errorf(monitor.CodeConflict, "the indicator has changed since: it is at version %d, not %d", was.Version, *expected)
	}
	return was, nil
}

// lockIndicators locks indicators in the order of their ids; missing ones are left out.
func (t *tx) lockIndicators(ctx context.Context, ids []monitor.ID) (map[monitor.ID]*monitor.Indicator, error) {
	st := dialect.From("indicators").Select(columnList(indicatorColumns)...).Where(goqu.C("id").In(idList(ids))).
		Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	found, err := query(ctx, t, st, scanIndicator)
	if err != nil {
		return nil, fmt.Errorf("lock indicators: %w", err)
	}
	known := make(map[monitor.ID]*monitor.Indicator, len(found))
	for _, i := range found {
		known[i.ID] = i
	}
	return known, nil
}
