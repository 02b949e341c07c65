package db

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// How much is read for the entities of one incident.
const (
	sampleAlerts = 5_000 // the latest
	sampleHashes = 200   // alerts, the latest, whose events are looked at
	sampleEvents = 1_000
	topEntities  = 20
)

// timelineRows gathers what a transaction's entries add to timelines.
type timelineRows struct {
	rows []any
	seen map[timelineKey]bool
}

type timelineKey struct {
	incident, entity monitor.ID
	seq              uint64
}

// add notes a change. That an alert came or went is told by the incident's own
// change; its row would be one of thousands that say the same.
func (r *timelineRows) add(c *monitor.Change, seq uint64) {
	key := timelineKey{c.Within, c.ID, seq}
	if c.Within.IsZero() || c.Action == monitor.ActionAlertIncident || r.seen[key] {
		return
	}
	if r.seen == nil {
		r.seen = map[timelineKey]bool{}
	}
	r.seen[key] = true
	r.rows = append(r.rows, goqu.Record{"incident_id": key.incident[:], "seq": seq, "entity_id": key.entity[:]})
}

// IncidentTimeline gives one page of what the journal says of an incident and of
// the alerts that are in it now, latest first.
func (s *Store) IncidentTimeline(ctx context.Context, incident monitor.ID, args page.Args) (*monitor.IncidentTimelineConnection, error) {
	keys := []string{"seq", "entity_id"}
	st := dialect.From("incident_timeline").Select("seq", "entity_id").Where(ofIncident(incident)).
		Order(descending(append([]string{"incident_id"}, keys...))...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if args.After != "" {
		var seq uint64
		var id monitor.ID
		if err := page.DecodeCursor(args.After, &seq, &id); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(before(keys, []any{seq, id[:]}))
	}
	items, err := query(ctx, s.db, st, func(r scanner) (*monitor.IncidentTimelineEntry, error) {
		item := &monitor.IncidentTimelineEntry{}
		return item, r.Scan(&item.Entry.Seq, idColumn{&item.Subject})
	})
	if err == nil {
		err = s.fillTimeline(ctx, items)
	}
	if err != nil {
		return nil, fmt.Errorf("read timeline of incident %s: %w", incident, err)
	}
	return page.Build(items, args, func(i *monitor.IncidentTimelineEntry) string { return page.EncodeCursor(i.Entry.Seq, i.Subject) }), nil
}

// fillTimeline reads each entry once, however many of its changes are told.
func (s *Store) fillTimeline(ctx context.Context, items []*monitor.IncidentTimelineEntry) error {
	var seqs []uint64
	for _, item := range items {
		if len(seqs) == 0 || seqs[len(seqs)-1] != item.Entry.Seq {
			seqs = append(seqs, item.Entry.Seq)
		}
	}
	if len(seqs) == 0 {
		return nil
	}
	entries, err := query(ctx, s.db, dialect.From("journal").Select("seq", "body", "hash").Where(goqu.C("seq").In(seqs)), scanEntry)
	if err != nil {
		return err
	}
	bySeq := make(map[uint64]monitor.Entry, len(entries))
	for _, e := range entries {
		bySeq[e.Seq] = e
	}
	for _, item := range items {
		if e, kept := bySeq[item.Entry.Seq]; kept {
			item.Entry = e
		}
	}
	return nil
}

// AlertGroupsOfIncidents counts the alerts of incidents by status and severity,
// from one index.
func (s *Store) AlertGroupsOfIncidents(ctx context.Context, incidents []monitor.ID) ([]*monitor.IncidentGroups, error) {
	st := dialect.From("alerts").Select("incident_id", "status", "severity", goqu.COUNT(goqu.Star())).
		Where(goqu.C("incident_id").In(idList(incidents))).GroupBy("incident_id", "status", "severity")
	of := map[monitor.ID]*monitor.IncidentGroups{}
	var all []*monitor.IncidentGroups
	_, err := query(ctx, s.db, st, func(r scanner) (struct{}, error) {
		var id monitor.ID
		var g monitor.AlertGroup
		var severity int
		err := r.Scan(idColumn{&id}, &g.Status, &severity, &g.Count)
		g.Severity = severityOf(severity)
		if of[id] == nil {
			of[id] = &monitor.IncidentGroups{ID: id}
			all = append(all, of[id])
		}
		of[id].Groups = append(of[id].Groups, g)
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count alerts of %d incidents: %w", len(incidents), err)
	}
	return all, nil
}

// IncidentSpans gives when the alerts of incidents saw something: two rows of two
// indexes for each.
func (s *Store) IncidentSpans(ctx context.Context, incidents []monitor.ID) ([]*monitor.IncidentSpan, error) {
	of := func(name string) *goqu.SelectDataset {
		st := dialect.From(goqu.T("alerts").As("a")).Select(goqu.I("a." + name)).Where(goqu.I("a.incident_id").Eq(goqu.I("i.id"))).Limit(1)
		if name == "first_seen" {
			return st.Order(goqu.I("a.first_seen").Asc())
		}
		return st.Order(goqu.I("a.last_seen").Desc())
	}
	st := dialect.From(goqu.T("incidents").As("i")).Select(goqu.I("i.id"), of("first_seen"), of("last_seen")).Where(goqu.I("i.id").In(idList(incidents)))
	spans, err := query(ctx, s.db, st, func(r scanner) (*monitor.IncidentSpan, error) {
		span := &monitor.IncidentSpan{}
		return span, r.Scan(idColumn{&span.ID}, timeColumn{&span.FirstSeen}, timeColumn{&span.LastSeen})
	})
	if err != nil {
		return nil, fmt.Errorf("read spans of %d incidents: %w", len(incidents), err)
	}
	return spans, nil
}

// IncidentEntities counts what an incident's latest alerts name.
func (s *Store) IncidentEntities(ctx context.Context, incident monitor.ID) (*monitor.IncidentEntities, error) {
	type named struct {
		id         monitor.ID
		host, user string
		src, dst   netip.Addr
		techniques []string
	}
	st := dialect.From("alerts").Select("id", "host", "user", "src_ip", "dst_ip", "techniques").Where(goqu.C("incident_id").Eq(incident[:])).
		Order(descending([]string{"last_seen", "id"})...).Limit(sampleAlerts + 1)
	alerts, err := query(ctx, s.db, st, func(r scanner) (n named, err error) {
		return n, r.Scan(idColumn{&n.id}, &n.host, &n.user, ipColumn{&n.src}, ipColumn{&n.dst}, jsonColumn{&n.techniques})
	})
	if err != nil {
		return nil, fmt.Errorf("read entities of incident %s: %w", incident, err)
	}
	out := &monitor.IncidentEntities{ID: incident, IsEstimate: len(alerts) > sampleAlerts}
	alerts = alerts[:min(len(alerts), sampleAlerts)]
	out.Alerts = len(alerts)
	hosts, users, addresses, techniques := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	var ids []monitor.ID
	for i, a := range alerts {
		hosts[a.host]++
		users[a.user]++
		if a.src.IsValid() {
			addresses[a.src.String()]++
		}
		if a.dst.IsValid() && a.dst != a.src {
			addresses[a.dst.String()]++
		}
		for _, technique := range a.techniques {
			techniques[technique]++
		}
		if i < sampleHashes {
			ids = append(ids, a.id)
		}
	}
	out.Hosts, out.Users, out.Addresses, out.Techniques = top(hosts), top(users), top(addresses), top(techniques)
	hashes, all, err := s.hashesOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read file hashes of incident %s: %w", incident, err)
	}
	out.Hashes = top(hashes)
	out.IsEstimate = out.IsEstimate || !all || len(alerts) > sampleHashes
	return out, nil
}

// hashesOf counts the file hashes of the events that made alerts, of a bounded
// number of events. An alert does not carry one.
func (s *Store) hashesOf(ctx context.Context, alerts []monitor.ID) (hashes map[string]int, all bool, err error) {
	hashes = map[string]int{}
	if len(alerts) == 0 {
		return hashes, true, nil
	}
	st := dialect.From("alert_events").Select("batch", "ordinal").Where(goqu.C("alert_id").In(idList(alerts))).Limit(sampleEvents + 1)
	events, err := query(ctx, s.db, st, func(r scanner) (id monitor.EventID, err error) { return id, r.Scan(idColumn{&id.Batch}, &id.Ordinal) })
	if err != nil {
		return nil, false, err
	}
	all = len(events) <= sampleEvents
	for chunk := range slices.Chunk(events[:min(len(events), sampleEvents)], 500) {
		anyOf := make([]goqu.Expression, len(chunk))
		for i, id := range chunk {
			anyOf[i] = goqu.Ex{"day": id.Day(), "batch": append([]byte(nil), id.Batch[:]...), "ordinal": id.Ordinal}
		}
		found, err := query(ctx, s.db, dialect.From("events").Select("file_hash").Where(goqu.Or(anyOf...)), func(r scanner) (hash string, err error) { return hash, r.Scan(&hash) })
		if err != nil {
			return nil, false, err
		}
		for _, hash := range found {
			hashes[hash]++
		}
	}
	return hashes, all, nil
}

// top gives the values that are named most often; nothing is no value.
func top(counts map[string]int) []monitor.EntityCount {
	delete(counts, "")
	out := make([]monitor.EntityCount, 0, len(counts))
	for value, n := range counts {
		out = append(out, monitor.EntityCount{Value: value, Count: n})
	}
	slices.SortFunc(out, func(a, b monitor.EntityCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return out[:min(len(out), topEntities)]
}
