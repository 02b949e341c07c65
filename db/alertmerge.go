package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// windowEvidence is up to how many matched events are read to find out when the
// first and the last of them happened.
const windowEvidence = 5_000

// MergeAlerts takes alerts into another, all or none: they are closed as its
// duplicates. With an expected version of the other that is not the present one
// nothing is done and the error is a CONFLICT; the alert is then given as it is.
func (s *Store) MergeAlerts(ctx context.Context, actor monitor.Actor, into monitor.ID, expected *int, from []monitor.ID) (*monitor.Alert, error) {
	if len(from) == 0 || len(from) > monitor.MaxMerge {
		return nil, monitor.InputErrorf("from", "1 to %d alerts can be merged at once, not %d", monitor.MaxMerge, len(from))
	}
	var now *monitor.Alert
	err := s.change(ctx, actor, monitor.ActionAlertMerge, func(t *tx) error {
		alerts, err := t.lockAlerts(ctx, "from", append([]monitor.ID{into}, from...))
		if err != nil {
			return err
		}
		was := alerts[into]
		if now = was; expected != nil && *expected != was.Version {
			return versionConflict(was, *expected)
		}
		next := *was
		for _, id := range from {
			other := *alerts[id]
			if err := next.Merge(&other, t.now); err != nil {
				return err
			}
			if err := t.refuseChain(ctx, id); err != nil {
				return err
			}
			if err := t.writeAlert(ctx, alerts[id], &other, monitor.ActionAlertMerge); err != nil {
				return err
			}
		}
		now = &next
		return t.writeAlert(ctx, was, &next, monitor.ActionAlertMerge)
	})
	if err != nil {
		return now, fmt.Errorf("merge %d alerts into %s: %w", len(from), into, err)
	}
	return now, nil
}

// refuseChain keeps merging one step deep: what stands for others cannot be
// merged itself.
func (t *tx) refuseChain(ctx context.Context, id monitor.ID) error {
	st := dialect.From("alerts").Select(goqu.L("1")).Where(goqu.C("merged_into").Eq(id[:])).Limit(1)
	_, found, err := one(ctx, t, st, scanInt)
	if err == nil && found {
		err = monitor.Errorf(monitor.CodeConflict, "one of the alerts stands for merged ones itself; merge the others into it, or detach them first")
	}
	return err
}

// DetachAlert takes a merged alert out of the other again and opens it. It gives
// the detached alert; on an error as it is now, where it exists.
func (s *Store) DetachAlert(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.Alert, error) {
	var now *monitor.Alert
	err := s.change(ctx, actor, monitor.ActionAlertDetach, func(t *tx) error {
		parent, err := t.mergedInto(ctx, id)
		if err != nil {
			return err
		}
		alerts, err := t.lockAlerts(ctx, "id", []monitor.ID{id, parent})
		if err != nil {
			return err
		}
		was, wasParent := alerts[id], alerts[parent]
		if now = was; expected != nil && *expected != was.Version {
			return versionConflict(was, *expected)
		}
		next, nextParent := *was, *wasParent
		if err := nextParent.Detach(&next); err != nil {
			return err
		}
		if err := t.writeAlert(ctx, was, &next, monitor.ActionAlertDetach); err != nil {
			return err
		}
		if err := t.shrinkWindow(ctx, &nextParent); err != nil {
			return err
		}
		now = &next
		return t.writeAlert(ctx, wasParent, &nextParent, monitor.ActionAlertDetach)
	})
	if err != nil {
		return now, fmt.Errorf("detach alert %s: %w", id, err)
	}
	return now, nil
}

func (t *tx) mergedInto(ctx context.Context, id monitor.ID) (monitor.ID, error) {
	st := dialect.From("alerts").Select("merged_into").Where(goqu.C("id").Eq(id[:]))
	parent, found, err := one(ctx, t, st, func(r scanner) (p monitor.ID, err error) { return p, r.Scan(idColumn{&p}) })
	switch {
	case err != nil:
		return parent, err
	case !found:
		return parent, errNoAlert()
	case parent.IsZero():
		return parent, monitor.Errorf(monitor.CodeConflict, "the alert is not merged into another")
	}
	return parent, nil
}

// shrinkWindow sets FirstSeen and LastSeen to what the alert still stands for: its
// own evidence and the alerts that are merged into it. It leaves them as they are
// where the evidence is past retention or too much to read.
func (t *tx) shrinkWindow(ctx context.Context, a *monitor.Alert) error {
	type window struct{ first, last time.Time }
	scan := func(r scanner) (w window, err error) { return w, r.Scan(timeColumn{&w.first}, timeColumn{&w.last}) }
	merged, _, err := one(ctx, t, dialect.From("alerts").Select(goqu.MIN("first_seen"), goqu.MAX("last_seen")).
		Where(goqu.C("merged_into").Eq(a.ID[:])), scan)
	if err != nil {
		return err
	}
	ids, err := query(ctx, t, dialect.From("alert_events").Select("batch", "ordinal").Where(goqu.C("alert_id").Eq(a.ID[:])).Limit(windowEvidence+1),
		func(r scanner) (id monitor.EventID, err error) { return id, r.Scan(idColumn{&id.Batch}, &id.Ordinal) })
	if err != nil || len(ids) > windowEvidence {
		return err
	}
	var own window
	for chunk := range slices.Chunk(ids, insertEvents) {
		w, _, err := one(ctx, t, dialect.From("events").Select(goqu.MIN("occurred_at"), goqu.MAX("occurred_at")).Where(withID(chunk)), scan)
		if err != nil {
			return err
		}
		own.first, own.last = earliest(own.first, w.first), latest(own.last, w.last)
	}
	if own.first.IsZero() {
		return nil
	}
	a.FirstSeen, a.LastSeen = earliest(own.first, merged.first), latest(own.last, merged.last)
	return nil
}

// earliest and latest leave out times that are not known.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// lockAlerts gives alerts by id, locked in the order of their ids, so that two
// transactions cannot wait for each other. One that is not there is NOT_FOUND,
// one that is named twice BAD_INPUT with the input's field.
func (t *tx) lockAlerts(ctx context.Context, field string, ids []monitor.ID) (map[monitor.ID]*monitor.Alert, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if len(ids) > monitor.MaxIncidentAlerts {
		return nil, monitor.InputErrorf(field, "at most %d alerts, not %d", monitor.MaxIncidentAlerts, len(ids))
	}
	alerts, err := t.findAlerts(ctx, ids)
	if err != nil {
		return nil, err
	}
	named := map[monitor.ID]bool{}
	for _, id := range ids {
		switch {
		case named[id]:
			return nil, monitor.InputErrorf(field, "an alert is named twice")
		case alerts[id] == nil:
			return nil, errNoAlert()
		}
		named[id] = true
	}
	return alerts, nil
}

// findAlerts locks the alerts with those ids that there are, in the order of ids.
func (t *tx) findAlerts(ctx context.Context, ids []monitor.ID) (map[monitor.ID]*monitor.Alert, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	st := dialect.From("alerts").Select(columnList(alertColumns)...).Where(goqu.C("id").In(idList(ids))).
		Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	found, err := query(ctx, t, st, scanAlert)
	if err != nil {
		return nil, err
	}
	alerts := make(map[monitor.ID]*monitor.Alert, len(found))
	for _, a := range found {
		alerts[a.ID] = a
	}
	return alerts, nil
}
