package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var alertColumns = []string{
	"id", "version", "title", "severity", "status", "disposition", "reason", "assignee_id", "count", "first_seen", "last_seen",
	"created_at", "updated_at", "acknowledged_at", "closed_at", "host", "user", "src_ip", "src_port", "dst_ip", "dst_port",
	"process", "techniques", "tags", "rule_id", "rule_version", "rule_author", "comments", "dedup_key",
	"incident_id",
}

var alertFilterColumns = map[monitor.FilterField]column{
	"status":        {names: []string{"status"}},
	"disposition":   {names: []string{"disposition"}},
	"severity":      {names: []string{"severity"}, rank: true},
	"title":         {names: []string{"title"}},
	"rule":          {names: []string{"rule_id"}},
	"assignee":      {names: []string{"assignee_id"}},
	"incident":      {names: []string{"incident_id"}},
	"host":          {names: []string{"host"}, folded: true},
	"user":          {names: []string{"user"}, folded: true},
	"sourceIp":      {names: []string{"src_ip"}},
	"destinationIp": {names: []string{"dst_ip"}},
	"process":       {names: []string{"process"}},
	"techniques":    {names: []string{"techniques"}, upper: true},
	"tags":          {names: []string{"tags"}},
	"count":         {names: []string{"count"}},
	"firstSeen":     {names: []string{"first_seen"}},
	"lastSeen":      {names: []string{"last_seen"}},
	"createdAt":     {names: []string{"created_at"}},
	"text":          {names: []string{"title", "host", "user", "process"}},
}

var alertOrderColumns = map[monitor.AlertOrder][]string{
	monitor.AlertsByLastSeen: {"last_seen", "id"},
	monitor.AlertsByCreated:  {"created_at", "id"},
	monitor.AlertsBySeverity: {"severity", "last_seen", "id"},
}

// Alerts gives one page of the alerts that match.
func (s *Store) Alerts(ctx context.Context, filter *monitor.AlertFilter, order monitor.AlertOrder, args page.Args) (*monitor.AlertConnection, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	keys, ok := alertOrderColumns[order]
	if !ok {
		return nil, monitor.Errorf(monitor.CodeBadInput, "%q is no order of alerts", order)
	}
	st := dialect.From("alerts").Select(columnList(alertColumns)...).Where(condition(&p, alertFilterColumns, s.now())).
		Order(descending(keys)...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		key, err := alertKey(order, args.After)
		if err != nil {
			return nil, err
		}
		st = st.Where(before(keys, key))
	}
	alerts, err := query(ctx, s.db, st, scanAlert)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	return page.Build(alerts, args, func(a *monitor.Alert) string { return alertCursor(order, a) }), nil
}

// alertCursor is an alert's place in the list of that order.
func alertCursor(order monitor.AlertOrder, a *monitor.Alert) string {
	switch order {
	case monitor.AlertsByCreated:
		return page.EncodeCursor(a.CreatedAt, a.ID)
	case monitor.AlertsBySeverity:
		return page.EncodeCursor(a.Severity.Rank(), a.LastSeen, a.ID)
	default:
		return page.EncodeCursor(a.LastSeen, a.ID)
	}
}

// alertKey reads what alertCursor wrote for the same order.
func alertKey(order monitor.AlertOrder, cursor string) ([]any, error) {
	var at time.Time
	var id monitor.ID
	var rank int
	into := []any{&at, &id}
	if order == monitor.AlertsBySeverity {
		into = []any{&rank, &at, &id}
	}
	if err := page.DecodeCursor(cursor, into...); err != nil {
		return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
	}
	if order == monitor.AlertsBySeverity {
		return []any{rank, at, id[:]}, nil
	}
	return []any{at, id[:]}, nil
}

// CountAlerts counts the alerts that match, up to bound.
func (s *Store) CountAlerts(ctx context.Context, filter *monitor.AlertFilter, bound int) (int, error) {
	p, err := filter.Compile()
	if err != nil {
		return 0, err
	}
	matching := dialect.From("alerts").Select(goqu.L("1")).Where(condition(&p, alertFilterColumns, s.now())).Limit(uint(bound)) //nolint:gosec // a constant of the caller's
	n, _, err := one(ctx, s.db, dialect.From(matching.As("m")).Select(goqu.COUNT(goqu.Star())), scanInt)
	if err != nil {
		return 0, fmt.Errorf("count alerts: %w", err)
	}
	return n, nil
}

func scanInt(r scanner) (n int, err error) { return n, r.Scan(&n) }

// AlertGroups counts the alerts that match by status and severity.
func (s *Store) AlertGroups(ctx context.Context, filter *monitor.AlertFilter) ([]monitor.AlertGroup, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	st := dialect.From("alerts").Select("status", "severity", goqu.COUNT(goqu.Star())).
		Where(condition(&p, alertFilterColumns, s.now())).GroupBy("status", "severity")
	groups, err := query(ctx, s.db, st, func(r scanner) (monitor.AlertGroup, error) {
		var g monitor.AlertGroup
		var severity int
		err := r.Scan(&g.Status, &severity, &g.Count)
		g.Severity = severityOf(severity)
		return g, err
	})
	if err != nil {
		return nil, fmt.Errorf("count alerts by group: %w", err)
	}
	return groups, nil
}

// AlertsByID gives the alerts with those ids, in no order; missing ones are left out.
func (s *Store) AlertsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Alert, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	st := dialect.From("alerts").Select(columnList(alertColumns)...).Where(goqu.C("id").In(idList(ids)))
	alerts, err := query(ctx, s.db, st, scanAlert)
	if err != nil {
		return nil, fmt.Errorf("load %d alerts: %w", len(ids), err)
	}
	return alerts, nil
}

func idList(ids []monitor.ID) [][]byte {
	list := make([][]byte, len(ids))
	for i := range ids {
		list[i] = ids[i][:]
	}
	return list
}

// UpdateAlert changes one alert under its lock and writes the journal. With an
// expected version that is not the present one, or when change refuses, nothing
// is written and the error says why (CONFLICT, NOT_FOUND, BAD_INPUT); the alert
// is then given as it is now, where it exists. A change that alters nothing
// leaves the version as it is.
func (s *Store) UpdateAlert(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, change func(*monitor.Alert, time.Time) error) (*monitor.Alert, error) {
	var now *monitor.Alert
	err := s.change(ctx, actor, action, func(t *tx) error {
		was, err := t.lockAlert(ctx, id)
		if err != nil {
			return err
		}
		now = was
		if expected != nil && *expected != was.Version {
			return monitor.Errorf(monitor.CodeConflict, "the alert has changed since: it is at version %d, not %d", was.Version, *expected)
		}
		next := *was
		if err := change(&next, t.now); err != nil {
			return err
		}
		if err := t.writeAlert(ctx, was, &next, action); err != nil {
			return err
		}
		now = &next
		return nil
	})
	if err != nil {
		return now, fmt.Errorf("%s %s: %w", action, id, err)
	}
	return now, nil
}

func (t *tx) lockAlert(ctx context.Context, id monitor.ID) (*monitor.Alert, error) {
	st := dialect.From("alerts").Select(columnList(alertColumns)...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait)
	alert, found, err := one(ctx, t, st, scanAlert)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, monitor.Errorf(monitor.CodeNotFound, "there is no such alert")
	}
	return alert, nil
}

// writeAlert stores next with a new version and journals the difference.
func (t *tx) writeAlert(ctx context.Context, was, next *monitor.Alert, action string) error {
	same, err := monitor.NewChange(monitor.KindAlert, next.ID, action, was, next)
	if err != nil {
		return err
	}
	if string(same.Before) == "{}" {
		return nil
	}
	next.Version, next.UpdatedAt = was.Version+1, t.now
	row := alertRow(next)
	delete(row, "id")
	err = exec(ctx, t, dialect.Update("alerts").Set(row).Where(goqu.C("id").Eq(next.ID[:])))
	if isDuplicate(err) {
		return monitor.Errorf(monitor.CodeConflict, "a newer alert about the same rule, host, user and source is open; work on that one")
	}
	if err != nil {
		return err
	}
	change, err := monitor.NewChange(monitor.KindAlert, next.ID, action, was, next)
	if err != nil {
		return err
	}
	t.changes = append(t.changes, change)
	return nil
}

func alertRow(a *monitor.Alert) goqu.Record {
	return goqu.Record{
		"id": a.ID[:], "version": a.Version, "title": a.Title, "severity": a.Severity.Rank(), "status": string(a.Status),
		"disposition": string(a.Disposition), "reason": a.Reason, "assignee_id": nullID(a.AssigneeID), "count": a.Count,
		"first_seen": a.FirstSeen, "last_seen": a.LastSeen, "created_at": a.CreatedAt, "updated_at": a.UpdatedAt,
		"acknowledged_at": nullTime(a.AcknowledgedAt), "closed_at": nullTime(a.ClosedAt), "host": a.Host, "user": a.User,
		"src_ip": ipBytes(a.SrcIP), "src_port": a.SrcPort, "dst_ip": ipBytes(a.DstIP), "dst_port": a.DstPort, "process": a.Process,
		"techniques": jsonColumn{a.Techniques}, "tags": jsonColumn{a.Tags}, "rule_id": a.RuleID[:], "rule_version": a.RuleVersion,
		"rule_author": a.RuleAuthor, "comments": a.Comments, "dedup_key": a.DedupKey,
		"incident_id": nullID(a.IncidentID),
	}
}

func scanAlert(r scanner) (*monitor.Alert, error) {
	a := &monitor.Alert{}
	var severity int
	err := r.Scan(idColumn{&a.ID}, &a.Version, &a.Title, &severity, &a.Status, &a.Disposition, &a.Reason, idColumn{&a.AssigneeID}, &a.Count,
		timeColumn{&a.FirstSeen}, timeColumn{&a.LastSeen}, timeColumn{&a.CreatedAt}, timeColumn{&a.UpdatedAt}, timeColumn{&a.AcknowledgedAt},
		timeColumn{&a.ClosedAt}, &a.Host, &a.User, ipColumn{&a.SrcIP}, &a.SrcPort, ipColumn{&a.DstIP}, &a.DstPort, &a.Process,
		jsonColumn{&a.Techniques}, jsonColumn{&a.Tags}, idColumn{&a.RuleID}, &a.RuleVersion, &a.RuleAuthor, &a.Comments, &a.DedupKey,
		idColumn{&a.IncidentID})
	a.Severity = severityOf(severity)
	return a, err
}
