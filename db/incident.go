package db

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var incidentColumns = []string{
	"id", "version", "title", "severity", "status", "assignee_id", "reason", "alerts", "created_at", "updated_at", "closed_at",
	"description", "disposition", "merged_into_id", "grouping_id", "tasks", "tasks_done", "comments",
}

var incidentFilterColumns = map[monitor.FilterField]column{
	"status":    {names: []string{"status"}},
	"severity":  {names: []string{"severity"}, rank: true},
	"title":     {names: []string{"title"}},
	"assignee":  {names: []string{"assignee_id"}},
	"createdAt": {names: []string{"created_at"}},
	"updatedAt": {names: []string{"updated_at"}},

	"description": {names: []string{"description"}},
	"disposition": {names: []string{"disposition"}},
	"grouping":    {names: []string{"grouping_id"}},
	"alertCount":  {names: []string{"alerts"}},
}

// CreateIncident opens an incident over alerts. An alert that is not there is
// NOT_FOUND, one that belongs to an incident already is a CONFLICT; then nothing
// is created.
func (s *Store) CreateIncident(ctx context.Context, actor monitor.Actor, i monitor.Incident, alerts []monitor.ID) (*monitor.Incident, error) {
	if err := i.Check(); err != nil {
		return nil, err
	}
	err := s.change(ctx, actor, monitor.ActionIncidentCreate, func(t *tx) error {
		i.ID, i.Version, i.Status, i.CreatedAt, i.UpdatedAt = monitor.NewID(t.now), 1, monitor.IncidentOpen, t.now, t.now
		i.AlertCount = 0
		if err := t.addAlerts(ctx, &i, alerts); err != nil {
			return err
		}
		return t.insertIncident(ctx, &i, monitor.ActionIncidentCreate)
	})
	if err != nil {
		return nil, fmt.Errorf("create incident: %w", err)
	}
	return &i, nil
}

// UpdateIncident changes one incident as UpdateAlert does an alert.
func (s *Store) UpdateIncident(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, change func(*monitor.Incident, time.Time) error) (*monitor.Incident, error) {
	return s.changeIncident(ctx, actor, action, id, expected, func(t *tx, next *monitor.Incident) error {
		if err := change(next, t.now); err != nil {
			return err
		}
		return next.Check()
	})
}

// changeIncident changes an incident and whatever else fn changes, under the
// incident's lock, which is the first that the transaction takes. Where fn alters
// nothing of the incident, its version stays.
func (s *Store) changeIncident(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, fn func(*tx, *monitor.Incident) error) (*monitor.Incident, error) {
	var now *monitor.Incident
	err := s.change(ctx, actor, action, func(t *tx) error {
		locked, err := t.lockIncidents(ctx, id)
		if err != nil {
			return err
		}
		was := locked[id]
		now = was
		if expected != nil && *expected != was.Version {
			return monitor.Errorf(monitor.CodeConflict, "the incident has changed since: it is at version %d, not %d", was.Version, *expected)
		}
		next := *was
		before := len(t.changes)
		if err := fn(t, &next); err != nil {
			return err
		}
		if next == *was && len(t.changes) == before {
			return nil
		}
		now = &next
		return t.writeIncident(ctx, was, &next, action)
	})
	if err != nil {
		return now, fmt.Errorf("%s %s: %w", action, id, err)
	}
	return now, nil
}

// lockIncidents gives the incidents with those ids, locked in the order of their
// ids; one that is not there is NOT_FOUND.
func (t *tx) lockIncidents(ctx context.Context, ids ...monitor.ID) (map[monitor.ID]*monitor.Incident, error) {
	st := dialect.From("incidents").Select(columnList(incidentColumns)...).Where(goqu.C("id").In(idList(ids))).
		Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	found, err := query(ctx, t, st, scanIncident)
	if err != nil {
		return nil, err
	}
	locked := make(map[monitor.ID]*monitor.Incident, len(found))
	for _, i := range found {
		locked[i.ID] = i
	}
	for _, id := range ids {
		if locked[id] == nil {
			return nil, monitor.Errorf(monitor.CodeNotFound, "there is no such incident")
		}
	}
	return locked, nil
}

// insertIncident stores a new incident and journals it.
func (t *tx) insertIncident(ctx context.Context, i *monitor.Incident, action string) error {
	if err := exec(ctx, t, dialect.Insert("incidents").Rows(incidentRow(i))); err != nil {
		return err
	}
	change, err := monitor.NewChange(monitor.KindIncident, i.ID, action, nil, i)
	t.changes = append(t.changes, change)
	return err
}

// writeIncident stores next with a new version and journals the difference.
func (t *tx) writeIncident(ctx context.Context, was, next *monitor.Incident, action string) error {
	next.Version, next.UpdatedAt = was.Version+1, t.now
	row := incidentRow(next)
	delete(row, "id")
	if err := exec(ctx, t, dialect.Update("incidents").Set(row).Where(goqu.C("id").Eq(next.ID[:]))); err != nil {
		return err
	}
	change, err := monitor.NewChange(monitor.KindIncident, next.ID, action, was, next)
	t.changes = append(t.changes, change)
	return err
}

// Incidents gives one page of the incidents that match, newest first.
func (s *Store) Incidents(ctx context.Context, filter *monitor.IncidentFilter, args page.Args) (*monitor.IncidentConnection, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	st, err := newestFirst(dialect.From("incidents").Select(columnList(incidentColumns)...).Where(condition(&p, incidentFilterColumns, s.now())), args)
	if err != nil {
		return nil, err
	}
	incidents, err := query(ctx, s.db, st, scanIncident)
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	return page.Build(incidents, args, func(i *monitor.Incident) string { return page.EncodeCursor(i.CreatedAt, i.ID) }), nil
}

// IncidentsAsOf gives one page of the incidents that matched at an instant, as they were.
func (s *Store) IncidentsAsOf(ctx context.Context, at time.Time, filter *monitor.IncidentFilter, args page.Args) (*monitor.IncidentConnection, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	st, err := newestFirst(dialect.From("incidents").Select(columnList(incidentColumns)...).Where(condition(&p, incidentFilterColumns, at)), args)
	if err != nil {
		return nil, err
	}
	then, err := s.pastAt(ctx, at)
	if err != nil {
		return nil, err
	}
	from := &monitor.Incident{} // the last of the page before
	if args.After != "" {
		if err := page.DecodeCursor(args.After, &from.CreatedAt, &from.ID); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
	}
	keep := func(i *monitor.Incident) bool {
		return p.Matches(i, at) && (args.After == "" || newerIncident(from, i) < 0)
	}
	incidents, err := listAsOf(ctx, s, monitor.KindIncident, then, "incidents", st, scanIncident, keep, newerIncident, args.First+1)
	if err != nil {
		return nil, err
	}
	return page.Build(incidents, args, func(i *monitor.Incident) string { return page.EncodeCursor(i.CreatedAt, i.ID) }), nil
}

// newerIncident orders the newest first.
func newerIncident(a, b *monitor.Incident) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), bytes.Compare(b.ID[:], a.ID[:]))
}

// IncidentAsOf gives one incident as it was, nil where it was not there yet.
func (s *Store) IncidentAsOf(ctx context.Context, at time.Time, id monitor.ID) (*monitor.Incident, error) {
	incident, err := entityAsOf(ctx, s, monitor.KindIncident, id, at, func(i *monitor.Incident) time.Time { return i.CreatedAt }, s.IncidentsByID)
	if err != nil {
		return nil, fmt.Errorf("read incident %s as of %s: %w", id, at, err)
	}
	return incident, nil
}

// IncidentsByID gives the incidents with those ids, in no order; missing ones are left out.
func (s *Store) IncidentsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Incident, error) {
	return byIDs(ctx, s.db, "incidents", incidentColumns, ids, scanIncident)
}

func incidentRow(i *monitor.Incident) goqu.Record {
	return goqu.Record{
		"id": i.ID[:], "version": i.Version, "title": i.Title, "severity": i.Severity.Rank(), "status": string(i.Status),
		"assignee_id": nullID(i.AssigneeID), "reason": i.Reason, "alerts": i.AlertCount, "created_at": i.CreatedAt, "updated_at": i.UpdatedAt,
		"closed_at": nullTime(i.ClosedAt), "description": i.Description, "disposition": string(i.Disposition), "merged_into_id": nullID(i.MergedIntoID),
		"grouping_id": nullID(i.GroupingID), "tasks": i.TaskCount, "tasks_done": i.TasksDone, "comments": i.CommentCount,
	}
}

func scanIncident(r scanner) (*monitor.Incident, error) {
	i := &monitor.Incident{}
	var severity int
	err := r.Scan(idColumn{&i.ID}, &i.Version, &i.Title, &severity, &i.Status, idColumn{&i.AssigneeID}, &i.Reason, &i.AlertCount,
		timeColumn{&i.CreatedAt}, timeColumn{&i.UpdatedAt}, timeColumn{&i.ClosedAt}, &i.Description, &i.Disposition, idColumn{&i.MergedIntoID},
		idColumn{&i.GroupingID}, &i.TaskCount, &i.TasksDone, &i.CommentCount)
	i.Severity = severityOf(severity)
	return i, err
}
