package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var incidentColumns = []string{
	"id", "version", "title", "severity", "status", "assignee_id", "reason", "alerts", "created_at", "updated_at", "closed_at",
}

var incidentFilterColumns = map[monitor.FilterField]column{
	"status":    {names: []string{"status"}},
	"severity":  {names: []string{"severity"}, rank: true},
	"title":     {names: []string{"title"}},
	"assignee":  {names: []string{"assignee_id"}},
	"createdAt": {names: []string{"created_at"}},
	"updatedAt": {names: []string{"updated_at"}},
}

// CreateIncident opens an incident over alerts. An alert that is not there is
// NOT_FOUND, one that belongs to an incident already is a CONFLICT; then nothing
// is created.
func (s *Store) CreateIncident(ctx context.Context, actor monitor.Actor, i monitor.Incident, alerts []monitor.ID) (*monitor.Incident, error) {
	if err := i.Check(); err != nil {
		return nil, err
	}
	if len(alerts) > monitor.MaxIncidentAlerts {
		return nil, monitor.InputErrorf("alerts", "at most %d alerts, not %d", monitor.MaxIncidentAlerts, len(alerts))
	}
	err := s.change(ctx, actor, monitor.ActionIncidentCreate, func(t *tx) error {
		i.ID, i.Version, i.Status, i.CreatedAt, i.UpdatedAt = monitor.NewID(t.now), 1, monitor.IncidentOpen, t.now, t.now
		i.AlertCount = len(alerts)
		if err := t.gatherAlerts(ctx, i.ID, alerts); err != nil {
			return err
		}
		if err := exec(ctx, t, dialect.Insert("incidents").Rows(incidentRow(&i))); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindIncident, i.ID, monitor.ActionIncidentCreate, nil, &i)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create incident: %w", err)
	}
	return &i, nil
}

// gatherAlerts puts alerts into an incident.
func (t *tx) gatherAlerts(ctx context.Context, incident monitor.ID, alerts []monitor.ID) error {
	if len(alerts) == 0 {
		return nil
	}
	st := dialect.From("alerts").Select("id").Where(goqu.C("id").In(idList(alerts))).Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	found, err := query(ctx, t, st, func(r scanner) (id monitor.ID, err error) { return id, r.Scan(idColumn{&id}) })
	if err != nil {
		return err
	}
	if len(found) != len(alerts) {
		return monitor.Errorf(monitor.CodeNotFound, "one of the alerts does not exist, or is named twice")
	}
	rows := make([]any, len(found))
	for i := range found {
		rows[i] = goqu.Record{"alert_id": found[i][:], "incident_id": incident[:], "added_at": t.now}
	}
	err = exec(ctx, t, dialect.Insert("incident_alerts").Rows(rows...))
	if isDuplicate(err) {
		return monitor.Errorf(monitor.CodeConflict, "one of the alerts belongs to another incident")
	}
	return err
}

// UpdateIncident changes one incident as UpdateAlert does an alert.
func (s *Store) UpdateIncident(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, change func(*monitor.Incident, time.Time) error) (*monitor.Incident, error) {
	var now *monitor.Incident
	err := s.change(ctx, actor, action, func(t *tx) error {
		st := dialect.From("incidents").Select(columnList(incidentColumns)...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait)
		was, found, err := one(ctx, t, st, scanIncident)
		if err != nil {
			return err
		}
		if !found {
			return monitor.Errorf(monitor.CodeNotFound, "there is no such incident")
		}
		now = was
		if expected != nil && *expected != was.Version {
			return monitor.Errorf(monitor.CodeConflict, "the incident has changed since: it is at version %d, not %d", was.Version, *expected)
		}
		next := *was
		if err := change(&next, t.now); err != nil {
			return err
		}
		next.Version, next.UpdatedAt = was.Version+1, t.now
		row := incidentRow(&next)
		delete(row, "id")
		if err := exec(ctx, t, dialect.Update("incidents").Set(row).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		noted, err := monitor.NewChange(monitor.KindIncident, id, action, was, &next)
		t.changes, now = append(t.changes, noted), &next
		return err
	})
	if err != nil {
		return now, fmt.Errorf("%s %s: %w", action, id, err)
	}
	return now, nil
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

// IncidentsByID gives the incidents with those ids, in no order; missing ones are left out.
func (s *Store) IncidentsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Incident, error) {
	st := dialect.From("incidents").Select(columnList(incidentColumns)...).Where(goqu.C("id").In(idList(ids)))
	incidents, err := query(ctx, s.db, st, scanIncident)
	if err != nil {
		return nil, fmt.Errorf("load %d incidents: %w", len(ids), err)
	}
	return incidents, nil
}

// AlertsOfIncident gives one page of an incident's alerts, latest first.
func (s *Store) AlertsOfIncident(ctx context.Context, incident monitor.ID, args page.Args) (*monitor.AlertConnection, error) {
	keys := []string{"last_seen", "id"}
	members := dialect.From("incident_alerts").Select("alert_id").Where(goqu.C("incident_id").Eq(incident[:]))
	st := dialect.From("alerts").Select(columnList(alertColumns)...).Where(goqu.C("id").In(members)).
		Order(descending(keys)...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
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

func incidentRow(i *monitor.Incident) goqu.Record {
	return goqu.Record{
		"id": i.ID[:], "version": i.Version, "title": i.Title, "severity": i.Severity.Rank(), "status": string(i.Status),
		"assignee_id": nullID(i.AssigneeID), "reason": i.Reason, "alerts": i.AlertCount, "created_at": i.CreatedAt, "updated_at": i.UpdatedAt,
		"closed_at": nullTime(i.ClosedAt),
	}
}

func scanIncident(r scanner) (*monitor.Incident, error) {
	i := &monitor.Incident{}
	var severity int
	err := r.Scan(idColumn{&i.ID}, &i.Version, &i.Title, &severity, &i.Status, idColumn{&i.AssigneeID}, &i.Reason, &i.AlertCount,
		timeColumn{&i.CreatedAt}, timeColumn{&i.UpdatedAt}, timeColumn{&i.ClosedAt})
	i.Severity = severityOf(severity)
	return i, err
}
