package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"github.com/security-monitor/secmon/monitor"
)

// Kinds of holders.
const (
	heldByAlert   = "alert"
	heldByRestore = "restore"
)

// underWork says that an alert, or the incident that it is in, is not closed.
func underWork() exp.Expression {
	incident := dialect.From(goqu.T("incidents").As("i")).Select(goqu.L("1")).
		Where(goqu.I("i.id").Eq(goqu.I("a.incident_id")), goqu.I("i.status").Neq(string(monitor.IncidentClosed)))
	return goqu.Or(goqu.I("a.status").Neq("CLOSED"), goqu.L("EXISTS ?", incident))
}

// batchDay is the day that a batch's id begins with, which is the day of its events.
func batchDay(batch exp.Expression) exp.Expression {
	return goqu.L("DATE(TIMESTAMPADD(SECOND, FLOOR(CONV(HEX(LEFT(?, 6)), 16, 10) / 1000), '1970-01-01'))", batch)
}

// holdEvidence notes which of the events that have to go stay, since an alert that is
// open, or one in an open incident, points to them. It walks those alerts by the key of
// their evidence, which begins with the alert and goes on with the batch, and a batch's
// first bytes are its time. With a whole day goes what came for days before it.
func (s *Store) holdEvidence(ctx context.Context, day time.Time, due *monitor.DueClasses) error {
	from, to := monitor.NewID(day), monitor.NewID(day.AddDate(0, 0, 1))
	clear(from[6:])
	clear(to[6:])
	evidence := dialect.From(goqu.T("alerts").As("a")).
		Join(goqu.T("alert_events").As("v"), goqu.On(goqu.I("v.alert_id").Eq(goqu.I("a.id")))).
		Join(goqu.T("events"), goqu.On(goqu.I("events.day").Eq(batchDay(goqu.I("v.batch"))), goqu.I("events.batch").Eq(goqu.I("v.batch")), goqu.I("events.ordinal").Eq(goqu.I("v.ordinal")))).
		Select(goqu.I("events.day"), goqu.I("events.batch"), goqu.I("events.ordinal"), goqu.I("a.id"), goqu.V(heldByAlert), goqu.V(false)).
		Where(underWork(), goqu.I("v.batch").Lt(bytesOf(to[:])), dueClasses(due))
	if !due.All() {
		evidence = evidence.Where(goqu.I("v.batch").Gte(bytesOf(from[:])))
	}
	hold := dialect.Insert("event_holds").Cols("day", "batch", "ordinal", "holder", "kind", "removed").FromQuery(evidence).
		OnConflict(goqu.DoUpdate("", goqu.Record{"kind": goqu.L("event_holds.kind")}))
	return exec(ctx, s.db, hold)
}

// noteRemoved notes that the events are gone among which held ones were. Until then the
// time of a held event is not over for good: removing may be postponed, and retention
// lengthened meanwhile.
func (s *Store) noteRemoved(ctx context.Context, day time.Time, due *monitor.DueClasses) error {
	which := goqu.C("day").Lte(day)
	note := dialect.Update("event_holds").Set(goqu.Record{"removed": true})
	if due.All() {
		return exec(ctx, s.db, note.Where(which))
	}
	ended := dialect.From("events").Select(goqu.L("1")).Where(goqu.I("events.day").Eq(goqu.I("event_holds.day")),
		goqu.I("events.batch").Eq(goqu.I("event_holds.batch")), goqu.I("events.ordinal").Eq(goqu.I("event_holds.ordinal")), dueClasses(due))
	return exec(ctx, s.db, note.Where(goqu.C("day").Eq(day), goqu.L("EXISTS ?", ended)))
}

// ReleaseHolds lets go of the events that alerts and incidents held that are closed by
// now, and of those of restores whose time is over, and deletes the ones that nobody
// else holds. It works in short steps; stopped, it can be called again.
func (s *Store) ReleaseHolds(ctx context.Context) error {
	alerts := dialect.From(goqu.T("alerts").As("a")).Select(goqu.L("1")).Where(goqu.I("a.id").Eq(goqu.I("h.holder")), underWork())
	restores := dialect.From(goqu.T("event_restores").As("r")).Select(goqu.L("1")).Where(goqu.I("r.id").Eq(goqu.I("h.holder")), goqu.I("r.until").Gt(s.now()))
	for kind, holds := range map[string]exp.Expression{heldByAlert: goqu.L("NOT EXISTS ?", alerts), heldByRestore: goqu.L("NOT EXISTS ?", restores)} {
		over := dialect.From(goqu.T("event_holds").As("h")).Select("batch", "ordinal", "holder", "removed").Where(goqu.I("h.kind").Eq(kind), holds).Limit(removeEvents)
		for {
			found, err := query(ctx, s.db, over, func(r scanner) (h eventHold, err error) {
				return h, r.Scan(idColumn{&h.event.Batch}, &h.event.Ordinal, idColumn{&h.holder}, &h.removed)
			})
			if err != nil {
				return fmt.Errorf("release held events: %w", err)
			}
			if len(found) == 0 {
				break
			}
			if err := s.release(ctx, found); err != nil {
				return fmt.Errorf("release held events: %w", err)
			}
		}
	}
	return nil
}

type eventHold struct {
	event   monitor.EventID
	holder  monitor.ID
	removed bool
}

// release deletes the holds, and with them the events that have no other holder, where
// the events around them are gone.
func (s *Store) release(ctx context.Context, holds []eventHold) error {
	return s.change(ctx, monitor.SystemActor, monitor.ActionEventRestore, func(t *tx) error {
		keys := make([]monitor.EventID, len(holds))
		rows := make([]exp.Expression, len(holds))
		for i, h := range holds {
			keys[i] = h.event
			rows[i] = goqu.Ex{"day": h.event.Day(), "batch": bytesOf(h.event.Batch[:]), "ordinal": h.event.Ordinal, "holder": bytesOf(h.holder[:])}
		}
		if err := exec(ctx, t, dialect.Delete("event_holds").Where(goqu.Or(rows...))); err != nil {
			return err
		}
		held, err := query(ctx, t, dialect.From("event_holds").Select("batch", "ordinal").Where(withID(keys)).ForUpdate(goqu.Wait), scanEventID)
		if err != nil {
			return err
		}
		others := make(map[monitor.EventID]bool, len(held))
		for _, id := range held {
			others[id] = true
		}
		var free []monitor.EventID
		for _, h := range holds {
			if h.removed && !others[h.event] {
				free = append(free, h.event)
			}
		}
		if len(free) == 0 {
			return nil
		}
		return exec(ctx, t, dialect.Delete("events").Where(withID(free)))
	})
}

// HeldEvents tells which of the events stand in the database only because somebody
// holds them: their time is over, and where there is an archive, they are in it.
func (s *Store) HeldEvents(ctx context.Context, ids []monitor.EventID) (map[monitor.EventID]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := query(ctx, s.db, dialect.From("event_holds").Select("batch", "ordinal").Distinct().Where(withID(ids), goqu.C("removed").Eq(true)), scanEventID)
	if err != nil {
		return nil, fmt.Errorf("find held events: %w", err)
	}
	held := make(map[monitor.EventID]bool, len(found))
	for _, id := range found {
		held[id] = true
	}
	return held, nil
}
