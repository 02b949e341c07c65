package db

import (
	"context"
	"fmt"
	"slices"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Bounds of one transaction that moves alerts: a journal entry takes as many
// changes, and each alert's history comes along into the timeline.
const (
	moveAlerts   = maxEntryChanges
	moveComments = 500
	copyHistory  = 20_000 // rows, the newest
)

// AlertsOfIncident gives one page of an incident's alerts that match, latest first.
func (s *Store) AlertsOfIncident(ctx context.Context, incident monitor.ID, filter *monitor.AlertFilter, args page.Args) (*monitor.AlertConnection, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	keys := []string{"last_seen", "id"}
	st := dialect.From("alerts").Select(columnList(alertColumns)...).
		Where(ofIncident(incident), condition(&p, alertFilterColumns, s.now())).
		Order(descending(append([]string{"incident_id"}, keys...))...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		key, err := alertKey(monitor.AlertsByLastSeen, args.After)
		if err != nil {
			return nil, err
		}
		st = st.Where(before(keys, key))
	}
	alerts, err := query(ctx, s.db, st, scanAlert)
	if err != nil {
		return nil, fmt.Errorf("list alerts of incident %s: %w", incident, err)
	}
	return page.Build(alerts, args, func(a *monitor.Alert) string { return alertCursor(monitor.AlertsByLastSeen, a) }), nil
}

// ofIncident is incident_id = ? in a form that lets a page begin in the middle of
// an index: with an equality, MariaDB reads the incident from its newest row to the
// page. It goes with an order by incident_id first.
func ofIncident(id monitor.ID) exp.Expression {
	return goqu.And(goqu.C("incident_id").Gte(id[:]), goqu.C("incident_id").Lte(id[:]))
}

// AddIncidentAlerts puts alerts into an incident. Those that are in it already
// stay; one that is in another is a CONFLICT.
func (s *Store) AddIncidentAlerts(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, alerts []monitor.ID) (*monitor.Incident, error) {
	return s.changeIncident(ctx, actor, monitor.ActionIncidentAddAlerts, id, expected, func(t *tx, i *monitor.Incident) error {
		return t.addAlerts(ctx, i, alerts)
	})
}

// AddMatchingAlerts puts every alert that matches and is in no incident into one,
// up to MaxIncidentMatching, in transactions of bounded size: what an error leaves
// undone, the next call does.
func (s *Store) AddMatchingAlerts(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, filter *monitor.AlertFilter) (*monitor.Incident, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	free := goqu.And(goqu.C("incident_id").IsNull(), condition(&p, alertFilterColumns, s.now()))
	for range monitor.MaxIncidentMatching / moveAlerts {
		more := false
		now, err := s.changeIncident(ctx, actor, monitor.ActionIncidentAddAlerts, id, expected, func(t *tx, i *monitor.Incident) error {
			candidates, err := query(ctx, t, dialect.From("alerts").Select("id").Where(free).Limit(moveAlerts), scanID)
			if err != nil || len(candidates) == 0 {
				return err
			}
			more = len(candidates) == moveAlerts
			n, err := t.moveAlerts(ctx, goqu.And(goqu.C("id").In(idList(candidates)), goqu.C("incident_id").IsNull()), i.ID)
			if err != nil {
				return err
			}
			return i.Take(n)
		})
		if err != nil || !more {
			return now, err
		}
		expected = nil // the first step has compared it
	}
	found, err := s.IncidentsByID(ctx, []monitor.ID{id})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// RemoveIncidentAlerts takes alerts out of an incident; each must be in it.
func (s *Store) RemoveIncidentAlerts(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, alerts []monitor.ID) (*monitor.Incident, error) {
	return s.changeIncident(ctx, actor, monitor.ActionIncidentRemoveAlerts, id, expected, func(t *tx, i *monitor.Incident) error {
		return t.leave(ctx, i, alerts, monitor.ID{})
	})
}

// SplitIncident opens a new incident with some of an incident's alerts. It gives
// the old and the new one.
func (s *Store) SplitIncident(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, fresh monitor.Incident, alerts []monitor.ID) (from, made *monitor.Incident, err error) {
	if err := fresh.Check(); err != nil {
		return nil, nil, err
	}
	from, err = s.changeIncident(ctx, actor, monitor.ActionIncidentSplit, id, expected, func(t *tx, i *monitor.Incident) error {
		made = &fresh
		made.ID, made.Version, made.Status, made.CreatedAt, made.UpdatedAt = monitor.NewID(t.now), 1, monitor.IncidentOpen, t.now, t.now
		made.AlertCount = len(alerts)
		if made.Severity == "" {
			made.Severity = i.Severity
		}
		if len(alerts) == 0 {
			return monitor.InputErrorf("alerts", "a new incident needs one alert at least")
		}
		if err := t.leave(ctx, i, alerts, made.ID); err != nil {
			return err
		}
		return t.insertIncident(ctx, made, monitor.ActionIncidentSplit)
	})
	if err != nil {
		return from, nil, err
	}
	return from, made, nil
}

// MergeIncidents moves the alerts, tasks and comments of other incidents into one
// and closes them. A large one moves in several transactions: what an error leaves
// undone, the next call does.
func (s *Store) MergeIncidents(ctx context.Context, actor monitor.Actor, into monitor.ID, expected *int, from []monitor.ID) (*monitor.Incident, error) {
	if len(from) == 0 || len(from) > monitor.MaxIncidentMerge {
		return nil, monitor.InputErrorf("from", "1 to %d incidents, not %d", monitor.MaxIncidentMerge, len(from))
	}
	if slices.Contains(from, into) {
		return nil, monitor.InputErrorf("from", "an incident cannot be merged into itself")
	}
	var now *monitor.Incident
	for _, id := range from {
		for done := false; !done; expected = nil { // the first step compares it
			var err error
			now, err = s.changeIncident(ctx, actor, monitor.ActionIncidentMerge, into, expected, func(t *tx, next *monitor.Incident) (err error) {
				done, err = t.mergeStep(ctx, next, id)
				return err
			})
			if err != nil {
				return now, err
			}
		}
	}
	return now, nil
}

// mergeStep moves up to moveAlerts alerts; with the last of them the incident is closed.
func (t *tx) mergeStep(ctx context.Context, into *monitor.Incident, id monitor.ID) (done bool, err error) {
	locked, err := t.lockIncidents(ctx, id)
	if err != nil {
		return false, err
	}
	was := locked[id]
	next := *was
	switch {
	case was.MergedIntoID == into.ID && was.AlertCount == 0:
		return true, nil // an earlier call has done it
	case !was.MergedIntoID.IsZero():
		return false, monitor.Errorf(monitor.CodeConflict, "the incident %q was merged into another already", was.Title)
	case into.TaskCount+was.TaskCount > monitor.MaxIncidentTasks:
		return false, monitor.Errorf(monitor.CodeConflict, "together they have more than %d tasks", monitor.MaxIncidentTasks)
	}
	n, err := t.moveAlerts(ctx, goqu.C("incident_id").Eq(id[:]), into.ID)
	if err != nil {
		return false, err
	}
	if err := into.Take(n); err != nil {
		return false, err
	}
	next.AlertCount -= n
	comments, err := t.moveComments(ctx, id, into.ID)
	if err != nil {
		return false, err
	}
	into.CommentCount, next.CommentCount = into.CommentCount+comments, next.CommentCount-comments
	if n == moveAlerts || comments == moveComments {
		return false, t.writeIncident(ctx, was, &next, monitor.ActionIncidentMerge)
	}
	if err := t.moveTasks(ctx, id, into.ID); err != nil {
		return false, err
	}
	follow := dialect.Update("incident_groups").Set(goqu.Record{"incident_id": into.ID[:]}).Where(goqu.C("incident_id").Eq(id[:]))
	if err := exec(ctx, t, follow); err != nil { // the groups' further alerts
		return false, err
	}
	into.TaskCount, into.TasksDone = into.TaskCount+was.TaskCount, into.TasksDone+was.TasksDone
	next.TaskCount, next.TasksDone, next.MergedIntoID = 0, 0, into.ID
	next.Status, next.Disposition, next.Reason = monitor.IncidentClosed, monitor.Duplicate, "Merged into: "+into.Title
	if was.ClosedAt.IsZero() {
		next.ClosedAt = t.now
	}
	return true, t.writeIncident(ctx, was, &next, monitor.ActionIncidentMerge)
}

// addAlerts puts alerts into an incident that is locked or not there yet.
func (t *tx) addAlerts(ctx context.Context, i *monitor.Incident, alerts []monitor.ID) error {
	found, err := t.lockAlerts(ctx, "alerts", alerts)
	if err != nil {
		return err
	}
	var fresh []monitor.ID
	for _, a := range found {
		switch a.IncidentID {
		case monitor.ID{}:
			fresh = append(fresh, a.ID)
		case i.ID:
		default:
			return monitor.Errorf(monitor.CodeConflict, "one of the alerts belongs to another incident")
		}
	}
	if err := i.Take(len(fresh)); err != nil || len(fresh) == 0 {
		return err
	}
	_, err = t.moveAlerts(ctx, goqu.C("id").In(idList(fresh)), i.ID)
	return err
}

// leave takes alerts out of a locked incident, into another or into none.
func (t *tx) leave(ctx context.Context, i *monitor.Incident, alerts []monitor.ID, into monitor.ID) error {
	found, err := t.lockAlerts(ctx, "alerts", alerts)
	if err != nil {
		return err
	}
	for _, a := range found {
		if a.IncidentID != i.ID {
			return monitor.Errorf(monitor.CodeConflict, "one of the alerts is not in the incident")
		}
	}
	i.AlertCount -= len(found)
	if len(found) == 0 {
		return nil
	}
	_, err = t.moveAlerts(ctx, goqu.C("id").In(idList(alerts)), into)
	return err
}

// moveAlerts gives up to moveAlerts alerts another incident, or none, with their
// place in its timeline, and tells how many there were.
func (t *tx) moveAlerts(ctx context.Context, which exp.Expression, into monitor.ID) (int, error) {
	st := dialect.From("alerts").Select(columnList(alertColumns)...).Where(which).Limit(moveAlerts).ForUpdate(goqu.Wait)
	found, err := query(ctx, t, st, scanAlert)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	ids := make([]monitor.ID, len(found))
	for i, was := range found {
		next := *was
		next.IncidentID, next.Version, next.UpdatedAt = into, was.Version+1, t.now
		change, err := monitor.NewChange(monitor.KindAlert, was.ID, monitor.ActionAlertIncident, was, &next)
		if err != nil {
			return 0, err
		}
		t.changes, ids[i] = append(t.changes, change), was.ID
	}
	set := goqu.Record{"incident_id": nullID(into), "version": goqu.L("? + 1", goqu.C("version")), "updated_at": t.now}
	if err := exec(ctx, t, dialect.Update("alerts").Set(set).Where(goqu.C("id").In(idList(ids)))); err != nil {
		return 0, err
	}
	return len(found), t.moveTimeline(ctx, ids, into)
}

// moveTimeline gives alerts that are locked their place in the timeline of the
// incident that they are in now, and in no other.
func (t *tx) moveTimeline(ctx context.Context, alerts []monitor.ID, into monitor.ID) error {
	leave := dialect.Delete("incident_timeline").Where(goqu.C("entity_id").In(idList(alerts)))
	if err := exec(ctx, t, leave); err != nil || into.IsZero() {
		return err
	}
	history := dialect.From("journal_refs").Select(goqu.V(into[:]), goqu.C("seq"), goqu.C("id")).
		Where(goqu.C("kind").Eq(string(monitor.KindAlert)), goqu.C("id").In(idList(alerts))).
		Order(goqu.C("seq").Desc()).Limit(copyHistory)
	return exec(ctx, t, dialect.Insert("incident_timeline").Cols("incident_id", "seq", "entity_id").FromQuery(history))
}

// moveComments moves up to moveComments comments to another incident.
func (t *tx) moveComments(ctx context.Context, from, into monitor.ID) (int, error) {
	st := dialect.From("comments").Select(columnList(commentColumns)...).Where(goqu.C("incident_id").Eq(from[:])).Limit(moveComments).ForUpdate(goqu.Wait)
	found, err := query(ctx, t, st, scanComment)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	ids := make([]monitor.ID, len(found))
	for i, was := range found {
		next := *was
		next.IncidentID = into
		change, err := monitor.NewChange(monitor.KindComment, was.ID, monitor.ActionIncidentMerge, was, &next)
		if err != nil {
			return 0, err
		}
		t.changes, ids[i] = append(t.changes, change), was.ID
	}
	return len(ids), exec(ctx, t, dialect.Update("comments").Set(goqu.Record{"incident_id": into[:]}).Where(goqu.C("id").In(idList(ids))))
}

// moveTasks moves all tasks, of which there are few, to another incident.
func (t *tx) moveTasks(ctx context.Context, from, into monitor.ID) error {
	st := dialect.From("incident_tasks").Select(columnList(taskColumns)...).Where(goqu.C("incident_id").Eq(from[:])).ForUpdate(goqu.Wait)
	found, err := query(ctx, t, st, scanTask)
	if err != nil {
		return err
	}
	for _, was := range found {
		next := *was
		next.IncidentID = into
		if err := t.writeTask(ctx, was, &next, monitor.ActionIncidentMerge); err != nil {
			return err
		}
	}
	return nil
}

func scanID(r scanner) (id monitor.ID, err error) { return id, r.Scan(idColumn{&id}) }
