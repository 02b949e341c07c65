package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var suppressionColumns = []string{
	"id", "version", "name", "reason", "enabled", "rules", "alert_filter", "event_filter", "until_at", "expired_at", "created_by", "created_at",
	"updated_at", "hits", "last_hit",
}

var suppressionFilterColumns = map[monitor.FilterField]column{
	"enabled":   {names: []string{"enabled"}},
	"rules":     {names: []string{"rules"}},
	"anyRule":   {names: []string{"any_rule"}},
	"name":      {names: []string{"name"}},
	"reason":    {names: []string{"reason"}},
	"text":      {names: []string{"name", "reason"}},
	"hits":      {names: []string{"hits"}},
	"until":     {names: []string{"until_at"}},
	"createdAt": {names: []string{"created_at"}},
}

// endless is how the end of what has none is stored, so that a comparison never
// meets NULL.
var endless = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// LoadSuppressions puts the enabled suppressions of the database in force for the
// batches that this store keeps from now on. Until the first call there are none.
// One that cannot be understood any more hides nothing and is the error, BAD_INPUT;
// the others are in force all the same.
func (s *Store) LoadSuppressions(ctx context.Context) error {
	unread, err := s.loadSuppressions(ctx)
	if err == nil {
		err = unread
	}
	return err
}

func (s *Store) loadSuppressions(ctx context.Context) (unread, err error) {
	st := dialect.From("suppressions").Select(columnList(suppressionColumns)...).Where(goqu.C("enabled").Eq(1), goqu.C("until_at").Gt(s.now())).
		Order(goqu.C("created_at").Asc(), goqu.C("id").Asc()).Limit(monitor.MaxSuppressions)
	enabled, err := query(ctx, s.db, st, scanSuppression)
	if err != nil {
		return nil, fmt.Errorf("load suppressions: %w", err)
	}
	var inForce []*monitor.Suppression
	for _, each := range enabled {
		if err := each.Check(); err != nil {
			unread = fmt.Errorf("suppression %s: %w", each.ID, err)
			continue
		}
		inForce = append(inForce, each)
	}
	s.suppressions.Store(monitor.NewSuppressions(inForce))
	return unread, nil
}

// suppressionsChanged puts a change in force here at once; other replicas hear of it.
func (s *Store) suppressionsChanged(ctx context.Context) error {
	_, err := s.loadSuppressions(ctx)
	return err
}

// Hides tells whether a suppression in force hides a finding: an event, and the
// alert that it alone would raise.
func (s *Store) Hides(a *monitor.Alert, e *monitor.Event) bool {
	return s.suppressions.Load().First(a, e, s.now()) != nil
}

// Suppressions gives one page of the suppressions that match.
func (s *Store) Suppressions(ctx context.Context, filter *monitor.SuppressionFilter, order monitor.SuppressionOrder, args page.Args) (*monitor.SuppressionConnection, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	st := dialect.From("suppressions").Select(columnList(suppressionColumns)...).Where(condition(&p, suppressionFilterColumns, s.now()))
	cursor := func(x *monitor.Suppression) string { return page.EncodeCursor(x.CreatedAt, x.ID) }
	switch order {
	case monitor.SuppressionsByCreated:
		if st, err = newestFirst(st, args); err != nil {
			return nil, err
		}
	case monitor.SuppressionsByHits:
		keys := []string{"hits", "id"}
		st = st.Order(descending(keys)...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
		if args.After != "" {
			var hits int64
			var id monitor.ID
			if err := page.DecodeCursor(args.After, &hits, &id); err != nil {
				return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
			}
			st = st.Where(before(keys, []any{hits, id[:]}))
		}
		cursor = func(x *monitor.Suppression) string { return page.EncodeCursor(x.Hits, x.ID) }
	default:
		return nil, monitor.Errorf(monitor.CodeBadInput, "%q is no order of suppressions", order)
	}
	found, err := query(ctx, s.db, st, scanSuppression)
	if err != nil {
		return nil, fmt.Errorf("list suppressions: %w", err)
	}
	return page.Build(found, args, cursor), nil
}

// SuppressionsByID gives the suppressions with those ids, in no order; missing ones are left out.
func (s *Store) SuppressionsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Suppression, error) {
	return byIDs(ctx, s.db, "suppressions", suppressionColumns, ids, scanSuppression)
}

// CreateSuppression stores a new suppression that ends at until (zero: never). A
// rule that is not there is BAD_INPUT, one suppression too many a CONFLICT.
func (s *Store) CreateSuppression(ctx context.Context, actor monitor.Actor, made monitor.Suppression, until time.Time) (*monitor.Suppression, error) {
	err := s.change(ctx, actor, monitor.ActionSuppressionCreate, func(t *tx) error {
		if err := made.EndAt(until, t.now); err != nil {
			return err
		}
		if err := t.checkSuppression(ctx, &made); err != nil {
			return err
		}
		// The rows are locked, so that two at once cannot both be the last.
		st := dialect.From("suppressions").Select("id").Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
		there, err := query(ctx, t, st, scanID)
		if err != nil {
			return err
		}
		if len(there) >= monitor.MaxSuppressions {
			return monitor.Errorf(monitor.CodeConflict, "there are %d suppressions already", monitor.MaxSuppressions)
		}
		made.ID, made.Version, made.CreatedBy, made.CreatedAt, made.UpdatedAt = monitor.NewID(t.now), 1, actor, t.now, t.now
		row := suppressionRow(&made)
		row["hits"] = 0
		if err := exec(ctx, t, dialect.Insert("suppressions").Rows(row)); err != nil {
			return err
		}
		return t.noteSuppression(monitor.ActionSuppressionCreate, made.ID, nil, &made)
	})
	if err != nil {
		return nil, fmt.Errorf("create suppression: %w", err)
	}
	return &made, s.suppressionsChanged(ctx)
}

// UpdateSuppression changes a suppression as UpdateAlert does an alert. The
// function is given the time by which an end lies in the future.
func (s *Store) UpdateSuppression(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, change func(*monitor.Suppression, time.Time) error) (*monitor.Suppression, error) {
	now, err := s.changeSuppression(ctx, actor, action, id, expected, func(t *tx, was *monitor.Suppression) (*monitor.Suppression, error) {
		next := *was
		if err := change(&next, t.now); err != nil {
			return nil, err
		}
		if err := t.checkSuppression(ctx, &next); err != nil {
			return nil, err
		}
		same, err := monitor.NewChange(monitor.KindSuppression, id, action, was, &next)
		if err != nil || string(same.Before) == "{}" {
			return was, err
		}
		next.Version, next.UpdatedAt = was.Version+1, t.now
		return &next, t.writeSuppression(ctx, action, was, &next)
	})
	if err != nil {
		return now, err
	}
	return now, s.suppressionsChanged(ctx)
}

// DeleteSuppression takes a suppression away, with what it kept of the findings
// that it hid. Their events stay.
func (s *Store) DeleteSuppression(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.Suppression, error) {
	now, err := s.changeSuppression(ctx, actor, monitor.ActionSuppressionDelete, id, expected, func(t *tx, was *monitor.Suppression) (*monitor.Suppression, error) {
		if err := exec(ctx, t, dialect.Delete("suppressions").Where(goqu.C("id").Eq(id[:]))); err != nil {
			return nil, err
		}
		// The findings go with the upkeep: they may be many.
		return nil, t.noteSuppression(monitor.ActionSuppressionDelete, id, was, nil)
	})
	if err != nil {
		return now, err
	}
	return nil, s.suppressionsChanged(ctx)
}

func (s *Store) changeSuppression(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, fn func(*tx, *monitor.Suppression) (*monitor.Suppression, error)) (*monitor.Suppression, error) {
	var now *monitor.Suppression
	err := s.change(ctx, actor, action, func(t *tx) error {
		found, err := t.lockSuppressions(ctx, []monitor.ID{id})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return monitor.Errorf(monitor.CodeNotFound, "there is no such suppression")
		}
		now = found[0]
		if expected != nil && *expected != now.Version {
			return monitor.Errorf(monitor.CodeConflict, "the suppression has changed since: it is at version %d, not %d", now.Version, *expected)
		}
		next, err := fn(t, now)
		if err == nil {
			now = next
		}
		return err
	})
	if err != nil {
		return now, fmt.Errorf("%s %s: %w", action, id, err)
	}
	return now, nil
}

// lockSuppressions locks suppressions in the order of their ids; missing ones are left out.
func (t *tx) lockSuppressions(ctx context.Context, ids []monitor.ID) ([]*monitor.Suppression, error) {
	st := dialect.From("suppressions").Select(columnList(suppressionColumns)...).Where(goqu.C("id").In(idList(ids))).
		Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	return query(ctx, t, st, scanSuppression)
}

// checkSuppression is Check, and that its rules are there: a suppression for a rule
// that nobody has would look as if it did something.
func (t *tx) checkSuppression(ctx context.Context, s *monitor.Suppression) error {
	if err := s.Check(); err != nil || len(s.Rules) == 0 {
		return err
	}
	there, err := query(ctx, t, dialect.From("rules").Select("id").Where(goqu.C("id").In(idList(s.Rules))), scanID)
	if err != nil {
		return err
	}
	if len(there) < len(s.Rules) {
		return monitor.InputErrorf("rules", "%d of the %d rules are not there", len(s.Rules)-len(there), len(s.Rules))
	}
	return nil
}

func (t *tx) writeSuppression(ctx context.Context, action string, was, next *monitor.Suppression) error {
	row := suppressionRow(next)
	delete(row, "id")
	if err := exec(ctx, t, dialect.Update("suppressions").Set(row).Where(goqu.C("id").Eq(next.ID[:]))); err != nil {
		return err
	}
	return t.noteSuppression(action, next.ID, was, next)
}

func (t *tx) noteSuppression(action string, id monitor.ID, was, next *monitor.Suppression) error {
	change, err := monitor.NewChange(monitor.KindSuppression, id, action, was, next)
	t.changes = append(t.changes, change)
	return err
}

// suppressionRow leaves out what is counted: whoever writes the rest does not know it.
func suppressionRow(s *monitor.Suppression) goqu.Record {
	until := s.Until
	if until.IsZero() {
		until = endless
	}
	return goqu.Record{
		"id": append([]byte(nil), s.ID[:]...), "version": s.Version, "name": s.Name, "reason": s.Reason, "enabled": s.Enabled,
		"rules": jsonColumn{s.Rules}, "any_rule": len(s.Rules) == 0, "alert_filter": string(s.AlertFilter), "event_filter": string(s.EventFilter),
		"until_at": until, "expired_at": nullTime(s.ExpiredAt), "created_by": jsonColumn{s.CreatedBy}, "created_at": s.CreatedAt, "updated_at": s.UpdatedAt,
	}
}

func scanSuppression(r scanner) (*monitor.Suppression, error) {
	s := &monitor.Suppression{}
	var alert, event []byte
	err := r.Scan(idColumn{&s.ID}, &s.Version, &s.Name, &s.Reason, &s.Enabled, jsonColumn{&s.Rules}, &alert, &event, timeColumn{&s.Until},
		timeColumn{&s.ExpiredAt}, jsonColumn{&s.CreatedBy}, timeColumn{&s.CreatedAt}, timeColumn{&s.UpdatedAt}, &s.Hits, timeColumn{&s.LastHit})
	s.AlertFilter, s.EventFilter = alert, event
	if s.Until.Equal(endless) {
		s.Until = time.Time{}
	}
	return s, err
}
