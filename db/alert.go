package db

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var alertColumns = []string{
	"id", "version", "title", "severity", "status", "disposition", "reason", "assignee_id", "count", "first_seen", "last_seen",
	"created_at", "updated_at", "acknowledged_at", "closed_at", "host", "user", "src_ip", "src_port", "dst_ip", "dst_port",
	"process", "techniques", "tags", "rule_id", "rule_version", "rule_author", "comments", "dedup_key",
	"rule_severity", "started_at", "merged_into", "claimed_by", "claimed_until", "file_hash",
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
	"fileHash":      {names: []string{"file_hash"}, folded: true},
	"mergedInto":    {names: []string{"merged_into"}},
	"techniques":    {names: []string{"techniques"}, upper: true},
	"tags":          {names: []string{"tags"}},
	"count":         {names: []string{"count"}},
	"firstSeen":     {names: []string{"first_seen"}},
	"lastSeen":      {names: []string{"last_seen"}},
	"createdAt":     {names: []string{"created_at"}},
	"updatedAt":     {names: []string{"updated_at"}},
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
	st, _, err := alertList(&p, order, args, s.now())
	if err != nil {
		return nil, err
	}
	alerts, err := query(ctx, s.db, st, scanAlert)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	return page.Build(alerts, args, func(a *monitor.Alert) string { return alertCursor(order, a) }), nil
}

// AlertsAsOf gives one page of the alerts that matched at an instant, as they were.
func (s *Store) AlertsAsOf(ctx context.Context, at time.Time, filter *monitor.AlertFilter, order monitor.AlertOrder, args page.Args) (*monitor.AlertConnection, error) {
	predicate, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	st, from, err := alertList(&predicate, order, args, at)
	if err != nil {
		return nil, err
	}
	then, err := s.pastAt(ctx, at)
	if err != nil {
		return nil, err
	}
	keep := func(a *monitor.Alert) bool {
		return predicate.Matches(a, at) && (from == nil || placeOf(order, a).compare(*from) > 0)
	}
	compare := func(a, b *monitor.Alert) int { return placeOf(order, a).compare(placeOf(order, b)) }
	alerts, err := listAsOf(ctx, s, monitor.KindAlert, then, "alerts", st, scanAlert, keep, compare, args.First+1)
	if err != nil {
		return nil, err
	}
	for _, a := range alerts {
		a.ClaimedBy = monitor.ID{} // nobody looks at the past
	}
	return page.Build(alerts, args, func(a *monitor.Alert) string { return alertCursor(order, a) }), nil
}

// AlertAsOf gives one alert as it was, nil where it was not there yet.
func (s *Store) AlertAsOf(ctx context.Context, at time.Time, id monitor.ID) (*monitor.Alert, error) {
	alert, err := entityAsOf(ctx, s, monitor.KindAlert, id, at, func(a *monitor.Alert) time.Time { return a.CreatedAt }, s.AlertsByID)
	if err != nil {
		return nil, fmt.Errorf("read alert %s as of %s: %w", id, at, err)
	}
	if alert != nil {
		alert.ClaimedBy = monitor.ID{}
	}
	return alert, nil
}

// alertList selects one page and one alert more; from is where it begins, if not
// at the beginning.
func alertList(p *monitor.Predicate, order monitor.AlertOrder, args page.Args, now time.Time) (st *goqu.SelectDataset, from *alertPlace, err error) {
	keys, ok := alertOrderColumns[order]
	if !ok {
		return nil, nil, monitor.Errorf(monitor.CodeBadInput, "%q is no order of alerts", order)
	}
	st = dialect.From("alerts").Select(columnList(alertColumns)...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After == "" {
		return st.Where(condition(p, alertFilterColumns, now)).Order(descending(keys)...), nil, nil
	}
	if from, err = readAlertPlace(order, args.After); err != nil {
		return nil, nil, err
	}
	st = st.Where(before(keys, from.key()))
	if enums := pinnedBy[order]; enums != nil {
		if rest, names, ranges := pinned(p, enums); len(names) > 0 {
			return st.Where(ranges, condition(&rest, alertFilterColumns, now)).Order(descending(append(names, keys...))...), from, nil
		}
	}
	return st.Where(condition(p, alertFilterColumns, now)).Order(descending(keys)...), from, nil
}

// pinnedBy are the columns that stand in front of an order's in an index:
// alerts_status, alerts_severity, alerts_status_severity.
var pinnedBy = map[monitor.AlertOrder][]string{
	monitor.AlertsByLastSeen: {"status", "severity"},
	monitor.AlertsBySeverity: {"status"},
}

// pinned takes a status and a severity that all alerts of a list have out of its
// predicate, and gives them as ranges, to go with an order by their columns first: a
// page in the middle of the list then begins in the middle of an index. With an
// equality MariaDB reads from the list's beginning. Where another condition has an
// index of its own, it gives nothing.
func pinned(p *monitor.Predicate, enums []string) (rest monitor.Predicate, names []string, ranges goqu.Expression) {
	var all []goqu.Expression
	rest, found := *p, map[string]any{}
	if !unpin(&rest, enums, found) {
		return rest, nil, nil
	}
	for _, name := range enums {
		if value, ok := found[name]; ok {
			names = append(names, name)
			all = append(all, goqu.C(name).Gte(value), goqu.C(name).Lte(value))
		}
	}
	return rest, names, goqu.And(all...)
}

// unpin moves the conditions that pinned looks for out of a predicate. It is false
// where a condition has an index of its own.
func unpin(p *monitor.Predicate, enums []string, found map[string]any) bool {
	var tests []monitor.Test
	for _, t := range p.Tests {
		switch {
		case t.Op == monitor.TextIn && alertFilterColumns[t.Field].folded, t.Op == monitor.IPIn, t.Op == monitor.IDIn:
			return false
		case t.Op == monitor.EnumIn && len(t.Texts) == 1 && slices.Contains(enums, string(t.Field)) && found[string(t.Field)] == nil:
			found[string(t.Field)] = t.Texts[0]
			if t.Field == "severity" {
				found["severity"] = monitor.Severity(t.Texts[0]).Rank()
			}
		default:
			tests = append(tests, t)
		}
	}
	p.Tests = tests
	p.All = slices.Clone(p.All)
	for i := range p.All {
		if !unpin(&p.All[i], enums, found) {
			return false
		}
	}
	return true
}

// alertPlace is an alert's place in a list.
type alertPlace struct {
	ranked bool // whether rank is part of the order
	rank   int
	at     time.Time
	id     monitor.ID
}

func placeOf(order monitor.AlertOrder, a *monitor.Alert) alertPlace {
	switch order {
	case monitor.AlertsByCreated:
		return alertPlace{at: a.CreatedAt, id: a.ID}
	case monitor.AlertsBySeverity:
		return alertPlace{ranked: true, rank: a.Severity.Rank(), at: a.LastSeen, id: a.ID}
	default:
		return alertPlace{at: a.LastSeen, id: a.ID}
	}
}

func (p alertPlace) cursor() string {
	if p.ranked {
		return page.EncodeCursor(p.rank, p.at, p.id)
	}
	return page.EncodeCursor(p.at, p.id)
}

// alertCursor is an alert's place in the list of that order, for clients.
func alertCursor(order monitor.AlertOrder, a *monitor.Alert) string {
	return placeOf(order, a).cursor()
}

// alertKey gives the values of the order's columns at a cursor.
func alertKey(order monitor.AlertOrder, cursor string) ([]any, error) {
	p, err := readAlertPlace(order, cursor)
	if err != nil {
		return nil, err
	}
	return p.key(), nil
}

// readAlertPlace reads what cursor wrote for the same order.
func readAlertPlace(order monitor.AlertOrder, cursor string) (*alertPlace, error) {
	p := &alertPlace{ranked: order == monitor.AlertsBySeverity}
	into := []any{&p.at, &p.id}
	if p.ranked {
		into = append([]any{&p.rank}, into...)
	}
	if err := page.DecodeCursor(cursor, into...); err != nil {
		return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
	}
	return p, nil
}

// key gives the values of the order's columns.
func (p alertPlace) key() []any {
	if p.ranked {
		return []any{p.rank, p.at, p.id[:]}
	}
	return []any{p.at, p.id[:]}
}

// compare is negative where p comes before q.
func (p alertPlace) compare(q alertPlace) int {
	return cmp.Or(cmp.Compare(q.rank, p.rank), q.at.Compare(p.at), slices.Compare(q.id[:], p.id[:]))
}

// countedRows is among how many of the latest alerts text is looked for when they
// are counted: no index finds it, and reading all is dear.
const countedRows = 5_000

// CountAlerts counts the alerts that match, up to bound; more tells that there may
// be more than were counted: beyond the bound, or, where text is looked for, behind
// the latest countedRows that the other conditions leave.
func (s *Store) CountAlerts(ctx context.Context, filter *monitor.AlertFilter, bound int) (n int, more bool, err error) {
	p, err := filter.Compile()
	if err != nil {
		return 0, false, err
	}
	now := s.now()
	if asksOnly(&p, countedFields) {
		sum := dialect.From("alert_counts").Select(goqu.COALESCE(goqu.SUM("n"), 0)).Where(condition(&p, alertFilterColumns, now))
		n, _, err := one(ctx, s.db, sum, scanInt)
		if err != nil {
			return 0, false, fmt.Errorf("count alerts: %w", err)
		}
		return min(n, bound), n > bound, nil
	}
	where := condition(&p, alertFilterColumns, now)
	if rest, looks := withoutText(&p); looks {
		st := dialect.From("alerts").Select("last_seen").Where(condition(&rest, alertFilterColumns, now)).Order(goqu.C("last_seen").Desc()).Offset(countedRows).Limit(1)
		oldest, found, err := one(ctx, s.db, st, func(r scanner) (at time.Time, err error) { return at, r.Scan(timeColumn{&at}) })
		if err != nil {
			return 0, false, fmt.Errorf("count alerts: %w", err)
		}
		if more = found; found {
			where = goqu.And(where, goqu.C("last_seen").Gt(oldest))
		}
	}
	n, err = s.countAlerts(ctx, where, bound+1)
	return min(n, bound), more || n > bound, err
}

// withoutText leaves of a predicate the conditions that have to hold and look for no
// text inside of others; looks tells whether there are others.
func withoutText(p *monitor.Predicate) (rest monitor.Predicate, looks bool) {
	for _, t := range p.Tests {
		if t.Op == monitor.TextContains {
			looks = true
			continue
		}
		rest.Tests = append(rest.Tests, t)
	}
	for i := range p.All {
		part, also := withoutText(&p.All[i])
		rest.All, looks = append(rest.All, part), looks || also
	}
	for i := range p.Any {
		if _, also := withoutText(&p.Any[i]); also {
			return rest, true
		}
	}
	rest.Any = p.Any
	if p.Not != nil {
		if _, also := withoutText(p.Not); also {
			return rest, true
		}
		rest.Not = p.Not
	}
	return rest, looks
}

// CountAlertsAsOf counts the alerts that matched at an instant, up to bound.
func (s *Store) CountAlertsAsOf(ctx context.Context, at time.Time, filter *monitor.AlertFilter, bound int) (int, error) {
	p, err := filter.Compile()
	if err != nil {
		return 0, err
	}
	then, err := s.pastAt(ctx, at)
	if err != nil {
		return 0, err
	}
	former, err := formerStates(ctx, s, monitor.KindAlert, then, nil, func(a *monitor.Alert) bool { return p.Matches(a, at) })
	if err != nil {
		return 0, err
	}
	n, err := s.countAlerts(ctx, goqu.And(condition(&p, alertFilterColumns, at), then.unchanged(monitor.KindAlert, "alerts")), bound)
	return min(n+len(former), bound), err
}

func (s *Store) countAlerts(ctx context.Context, matching goqu.Expression, bound int) (int, error) {
	st := dialect.From("alerts").Select(goqu.L("1")).Where(matching).Limit(uint(bound)) //nolint:gosec // a constant of the caller's
	n, _, err := one(ctx, s.db, dialect.From(st.As("m")).Select(goqu.COUNT(goqu.Star())), scanInt)
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
	if asksOnly(&p, countedFields) {
		st = dialect.From("alert_counts").Select("status", "severity", "n").Where(condition(&p, alertFilterColumns, s.now()), goqu.C("n").Gt(0))
	}
	groups, err := query(ctx, s.db, st, scanAlertGroup)
	if err != nil {
		return nil, fmt.Errorf("count alerts by group: %w", err)
	}
	return groups, nil
}

func scanAlertGroup(r scanner) (g monitor.AlertGroup, err error) {
	var severity int
	err = r.Scan(&g.Status, &severity, &g.Count)
	g.Severity = severityOf(severity)
	return g, err
}

// AlertsByID gives the alerts with those ids, in no order; missing ones are left out.
func (s *Store) AlertsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Alert, error) {
	return byIDs(ctx, s.db, "alerts", alertColumns, ids, scanAlert)
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
			return versionConflict(was, *expected)
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
		return nil, errNoAlert()
	}
	return alert, nil
}

func versionConflict(is *monitor.Alert, expected int) error {
	return monitor.Errorf(monitor.CodeConflict, "the alert has changed since: it is at version %d, not %d", is.Version, expected)
}

func errNoAlert() error { return monitor.Errorf(monitor.CodeNotFound, "there is no such alert") }

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
		"rule_severity": a.RuleSeverity.Rank(), "started_at": nullTime(a.StartedAt), "merged_into": nullID(a.MergedInto),
		"claimed_by": nullID(a.ClaimedBy), "claimed_until": nullTime(a.ClaimedUntil), "file_hash": a.FileHash,
		"incident_id": nullID(a.IncidentID),
	}
}

func scanAlert(r scanner) (*monitor.Alert, error) {
	a := &monitor.Alert{}
	var severity, ruleSeverity int
	err := r.Scan(idColumn{&a.ID}, &a.Version, &a.Title, &severity, &a.Status, &a.Disposition, &a.Reason, idColumn{&a.AssigneeID}, &a.Count,
		timeColumn{&a.FirstSeen}, timeColumn{&a.LastSeen}, timeColumn{&a.CreatedAt}, timeColumn{&a.UpdatedAt}, timeColumn{&a.AcknowledgedAt},
		timeColumn{&a.ClosedAt}, &a.Host, &a.User, ipColumn{&a.SrcIP}, &a.SrcPort, ipColumn{&a.DstIP}, &a.DstPort, &a.Process,
		jsonColumn{&a.Techniques}, jsonColumn{&a.Tags}, idColumn{&a.RuleID}, &a.RuleVersion, &a.RuleAuthor, &a.Comments, &a.DedupKey,
		&ruleSeverity, timeColumn{&a.StartedAt}, idColumn{&a.MergedInto}, idColumn{&a.ClaimedBy}, timeColumn{&a.ClaimedUntil}, &a.FileHash, idColumn{&a.IncidentID})
	a.Severity, a.RuleSeverity = severityOf(severity), severityOf(ruleSeverity)
	return a, err
}
