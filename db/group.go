package db

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// group is what one batch brings to a group of a grouping.
type group struct {
	grouping *monitor.IncidentGrouping
	monitor.Group
	raised   []*monitor.Alert // of this batch
	incident monitor.ID       // that was taking the group's alerts; zero for none
}

type groupKey struct {
	grouping monitor.ID
	key      [32]byte
}

func (g *group) id() groupKey { return groupKey{g.grouping.ID, g.Key} }

// is names the group's rows.
func (g *group) is() goqu.Ex {
	return goqu.Ex{"grouping_id": append([]byte(nil), g.grouping.ID[:]...), "group_key": append([]byte(nil), g.Key[:]...)}
}

// openIncident is an incident that takes alerts in this transaction.
type openIncident struct {
	was  *monitor.Incident // nil: it is new
	next *monitor.Incident
}

// grouper groups the alerts that one batch raises. Its transaction holds the rows
// of the groups that they come to, each locked in the order of its key, so that
// over all replicas a group's alerts are counted one batch after another.
type grouper struct {
	*tx
	groups []*group // by grouping, oldest first
	open   map[monitor.ID]*openIncident
}

// groupRaised puts alerts that were just raised into incidents, as the groupings
// say, and sets their IncidentID. It costs nothing where no grouping matches, and a
// fixed number of statements more where no incident opens.
func (t *tx) groupRaised(ctx context.Context, groupings []*monitor.IncidentGrouping, raised []*monitor.Alert) error {
	g := &grouper{tx: t, open: map[monitor.ID]*openIncident{}}
	g.find(groupings, raised)
	if len(g.groups) == 0 {
		return nil
	}
	for _, step := range []func(context.Context) error{g.lock, g.loadIncidents, g.assign, g.writeIncidents} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("group alerts: %w", err)
		}
	}
	return nil
}

// find says which groups the alerts come to.
func (g *grouper) find(groupings []*monitor.IncidentGrouping, raised []*monitor.Alert) {
	known := map[groupKey]*group{}
	for _, grouping := range groupings {
		for _, a := range raised {
			for _, found := range grouping.Groups(a, g.now) {
				key := groupKey{grouping.ID, found.Key}
				if known[key] == nil {
					known[key] = &group{grouping: grouping, Group: found}
					g.groups = append(g.groups, known[key])
				}
				known[key].raised = append(known[key].raised, a)
			}
		}
	}
}

// lock makes the groups' rows where they are missing, and locks them.
func (g *grouper) lock(ctx context.Context) error {
	sorted := slices.Clone(g.groups)
	slices.SortFunc(sorted, func(a, b *group) int {
		if c := bytes.Compare(a.grouping.ID[:], b.grouping.ID[:]); c != 0 {
			return c
		}
		return bytes.Compare(a.Key[:], b.Key[:])
	})
	byID := make(map[groupKey]*group, len(sorted))
	for chunk := range slices.Chunk(sorted, insertEvents) {
		rows, anyOf := make([]any, len(chunk)), make([]goqu.Expression, len(chunk))
		for i, each := range chunk {
			row := goqu.Record(each.is())
			row["touched_at"] = g.now
			rows[i], anyOf[i], byID[each.id()] = row, each.is(), each
		}
		touch := goqu.DoUpdate("", goqu.Record{"touched_at": goqu.L("VALUES(?)", goqu.C("touched_at"))})
		if err := exec(ctx, g, dialect.Insert("incident_groups").Rows(rows...).OnConflict(touch)); err != nil {
			return err
		}
		st := dialect.From("incident_groups").Select("grouping_id", "group_key", "incident_id").Where(goqu.Or(anyOf...), goqu.C("incident_id").IsNotNull())
		_, err := query(ctx, g, st, func(r scanner) (struct{}, error) {
			var id groupKey
			var key []byte
			var incident monitor.ID
			err := r.Scan(idColumn{&id.grouping}, &key, idColumn{&incident})
			copy(id.key[:], key)
			if each := byID[id]; each != nil {
				each.incident = incident
			}
			return struct{}{}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// loadIncidents locks the incidents that take alerts of the groups. One that is
// closed or full takes none: its group waits for a new one.
func (g *grouper) loadIncidents(ctx context.Context) error {
	var ids []monitor.ID
	most := 0
	for _, each := range g.groups {
		most += len(each.raised)
		if !each.incident.IsZero() {
			ids = append(ids, each.incident)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	st := dialect.From("incidents").Select(columnList(incidentColumns)...).Where(goqu.C("id").In(idList(ids))).Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	incidents, err := query(ctx, g, st, scanIncident)
	if err != nil {
		return err
	}
	for _, was := range incidents {
		if was.Status != monitor.IncidentClosed && was.AlertCount+most <= monitor.MaxIncidentSize {
			next := *was
			g.open[was.ID] = &openIncident{was, &next}
		}
	}
	return nil
}

// assign gives each alert to the first group that takes it.
func (g *grouper) assign(ctx context.Context) error {
	if err := g.remember(ctx); err != nil {
		return err
	}
	waiting, err := g.waiting(ctx)
	if err != nil {
		return err
	}
	for _, each := range g.groups {
		fresh := free(each.raised)
		if open := g.open[each.incident]; open != nil {
			open.next.AlertCount += len(fresh)
			if err := g.join(ctx, open.next.ID, fresh); err != nil {
				return err
			}
			continue
		}
		if len(fresh) > 0 && len(fresh)+len(waiting[each.id()]) >= each.grouping.MinimumCount {
			if err := g.openWith(ctx, each, fresh, waiting[each.id()]); err != nil {
				return err
			}
		}
	}
	return nil
}

// free gives the alerts that no group has taken.
func free(alerts []*monitor.Alert) []*monitor.Alert {
	return slices.DeleteFunc(slices.Clone(alerts), func(a *monitor.Alert) bool { return !a.IncidentID.IsZero() })
}

// remember keeps the raised alerts with the groups that have no incident.
func (g *grouper) remember(ctx context.Context) error {
	var rows []any
	for _, each := range g.groups {
		if g.open[each.incident] != nil {
			continue
		}
		for _, a := range each.raised {
			row := goqu.Record(each.is())
			row["raised_at"], row["alert_id"] = a.CreatedAt, a.ID[:]
			rows = append(rows, row)
		}
	}
	return insertChunks(ctx, g, "incident_group_alerts", rows, insertEvents)
}

// waiting gives the alerts of earlier batches that the groups without an incident
// wait with: raised within the window, open and in no incident.
func (g *grouper) waiting(ctx context.Context) (map[groupKey][]monitor.ID, error) {
	out := map[groupKey][]monitor.ID{}
	ours := map[monitor.ID]bool{}
	var anyOf []goqu.Expression
	for _, each := range g.groups {
		for _, a := range each.raised {
			ours[a.ID] = true
		}
		if g.open[each.incident] == nil {
			anyOf = append(anyOf, goqu.And(goqu.I("m.grouping_id").Eq(each.grouping.ID[:]), goqu.I("m.group_key").Eq(each.Key[:]),
				goqu.I("m.raised_at").Gt(g.now.Add(-each.grouping.Window))))
		}
	}
	for chunk := range slices.Chunk(anyOf, insertEvents) {
		st := dialect.From(goqu.T("incident_group_alerts").As("m")).Join(goqu.T("alerts").As("a"), goqu.On(goqu.I("a.id").Eq(goqu.I("m.alert_id")))).
			Select("m.grouping_id", "m.group_key", "m.alert_id").
			Where(goqu.Or(chunk...), goqu.I("a.incident_id").IsNull(), goqu.I("a.status").Neq(string(monitor.AlertClosed)))
		_, err := query(ctx, g, st, func(r scanner) (struct{}, error) {
			var id groupKey
			var key []byte
			var alert monitor.ID
			err := r.Scan(idColumn{&id.grouping}, &key, idColumn{&alert})
			copy(id.key[:], key)
			if !ours[alert] {
				out[id] = append(out[id], alert)
			}
			return struct{}{}, err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// openWith opens an incident with a group's alerts, unless some of those that
// waited have been closed or taken away meanwhile and the rest are too few.
func (g *grouper) openWith(ctx context.Context, each *group, fresh []*monitor.Alert, waiting []monitor.ID) error {
	members := slices.Clone(fresh)
	waits := goqu.And(goqu.C("id").In(idList(waiting)), goqu.C("incident_id").IsNull(), goqu.C("status").Neq(string(monitor.AlertClosed)))
	if len(waiting) > 0 {
		st := dialect.From("alerts").Select(columnList(alertColumns)...).Where(waits).Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
		found, err := query(ctx, g, st, scanAlert)
		if err != nil {
			return err
		}
		members = append(members, found...)
	}
	if len(members) < each.grouping.MinimumCount {
		return nil
	}
	i := each.grouping.Open(monitor.NewID(g.now), each.Group, members, g.now)
	g.open[i.ID] = &openIncident{next: i}
	for moved := len(fresh); moved < len(members); {
		n, err := g.moveAlerts(ctx, waits, i.ID)
		if err != nil || n == 0 {
			return fmt.Errorf("%d of %d alerts moved: %w", moved, len(members), err)
		}
		moved += n
	}
	g.tellRepeats(members[len(fresh):], i.ID)
	if err := g.join(ctx, i.ID, fresh); err != nil {
		return err
	}
	if err := exec(ctx, g, dialect.Update("incident_groups").Set(goqu.Record{"incident_id": i.ID[:]}).Where(each.is())); err != nil {
		return err
	}
	return exec(ctx, g, dialect.Delete("incident_group_alerts").Where(each.is()))
}

// join puts alerts of this batch into an incident. They are new: that they are in
// it is part of their being raised.
func (g *grouper) join(ctx context.Context, incident monitor.ID, fresh []*monitor.Alert) error {
	if len(fresh) == 0 {
		return nil
	}
	ids := make([]monitor.ID, len(fresh))
	for i, a := range fresh {
		a.IncidentID, ids[i] = incident, a.ID
	}
	return exec(ctx, g, dialect.Update("alerts").Set(goqu.Record{"incident_id": incident[:]}).Where(goqu.C("id").In(idList(ids))))
}

// tellRepeats puts what the batch did to alerts before they came into the incident
// into its timeline; what earlier batches did moveAlerts has put there.
func (g *grouper) tellRepeats(members []*monitor.Alert, incident monitor.ID) {
	moved := make(map[monitor.ID]bool, len(members))
	for _, a := range members {
		moved[a.ID] = true
	}
	for i := range g.changes {
		if c := &g.changes[i]; moved[c.ID] {
			c.Within = incident
		}
	}
}

// writeIncidents stores the incidents that took alerts.
func (g *grouper) writeIncidents(ctx context.Context) error {
	ids := make([]monitor.ID, 0, len(g.open))
	for id := range g.open {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b monitor.ID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range ids {
		var err error
		switch i := g.open[id]; {
		case i.was == nil:
			err = g.insertIncident(ctx, i.next, monitor.ActionIncidentGroup)
		case i.next.AlertCount != i.was.AlertCount:
			err = g.writeIncident(ctx, i.was, i.next, monitor.ActionIncidentGroup)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TrimGroups forgets groups, and alerts of groups, that are older than any window.
func (s *Store) TrimGroups(ctx context.Context) error {
	old := s.now().Add(-monitor.MaxGroupingWindow)
	for _, st := range []statement{
		dialect.Delete("incident_group_alerts").Where(goqu.C("raised_at").Lt(old)).Limit(10_000),
		dialect.Delete("incident_groups").Where(goqu.C("touched_at").Lt(old), goqu.C("incident_id").IsNull()).Limit(10_000),
	} {
		if err := exec(ctx, s.db, st); err != nil {
			return fmt.Errorf("trim groups of alerts: %w", err)
		}
	}
	return nil
}
