package db

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

const (
	// previewChunk is of how many alerts all findings are read at once.
	previewChunk = 20
	// coveringChunk is of how many alerts the latest finding is read at once.
	coveringChunk = 100
)

// PreviewSuppression tells what a suppression would have hidden of the findings
// stored since then, had it been there. It asks what the ingest would ask, of each
// finding; of many it looks at the latest alerts only and says so.
func (s *Store) PreviewSuppression(ctx context.Context, would monitor.Suppression, since time.Time) (*monitor.SuppressionPreview, error) {
	if err := would.CheckFilters(); err != nil {
		return nil, err
	}
	out := &monitor.SuppressionPreview{Since: since, Complete: true}
	alerts, err := s.previewAlerts(ctx, &would, since)
	if err != nil {
		return nil, fmt.Errorf("preview of a suppression: %w", err)
	}
	if len(alerts) > monitor.MaxPreviewAlerts {
		alerts, out.Complete = alerts[:monitor.MaxPreviewAlerts], false
	}
	left := monitor.MaxPreviewFindings
	for chunk := range slices.Chunk(alerts, previewChunk) {
		if left == 0 {
			out.Complete = false
			break
		}
		findings, cut, err := s.findingsOf(ctx, chunk, since, left+1, left)
		if err != nil {
			return nil, fmt.Errorf("preview of a suppression: %w", err)
		}
		out.Complete = out.Complete && !cut
		for _, a := range chunk {
			hidden := 0
			for _, f := range findings[a.ID] {
				if would.Fits(f.alert, f.event, f.event.ReceivedAt) {
					hidden++
				}
			}
			out.Add(a, len(findings[a.ID]), hidden)
			left -= len(findings[a.ID])
		}
	}
	out.Sort()
	return out, nil
}

// previewAlerts gives the alerts that may have findings to hide, latest first, one
// more than are looked at.
func (s *Store) previewAlerts(ctx context.Context, would *monitor.Suppression, since time.Time) ([]*monitor.Alert, error) {
	may := would.Candidates()
	st := dialect.From("alerts").Select(columnList(alertColumns)...).
		Where(goqu.C("last_seen").Gte(since), condition(&may, alertFilterColumns, s.now())).
		Order(goqu.C("last_seen").Desc(), goqu.C("id").Desc()).Limit(monitor.MaxPreviewAlerts + 1)
	if len(would.Rules) > 0 {
		st = st.Where(goqu.C("rule_id").In(idList(would.Rules)))
	}
	return query(ctx, s.db, st, scanAlert)
}

// storedFinding is a finding as it was, with the rule as it is.
type storedFinding struct {
	alert *monitor.Alert // that it alone would raise
	event *monitor.Event
}

// findingsOf gives the findings that are stored since then (zero: ever), of each
// alert the latest so many, of all together at most so many, and whether there are
// more. Events that are not kept any more are left out.
func (s *Store) findingsOf(ctx context.Context, alerts []*monitor.Alert, since time.Time, each, most int) (findings map[monitor.ID][]storedFinding, cut bool, err error) {
	var all *goqu.SelectDataset
	var earliest monitor.ID
	if !since.IsZero() {
		earliest = monitor.FirstID(since)
	}
	for i, a := range alerts {
		newest := dialect.From("alert_events").Select("alert_id", "batch", "ordinal").Where(goqu.C("alert_id").Eq(a.ID[:]), goqu.C("batch").Gte(earliest[:])).
			Order(descending([]string{"batch", "ordinal"})...).Limit(uint(min(each, most+1))) //nolint:gosec // bounded by the caller
		all = unionAll(all, dialect.From(newest.As("n")).Select(goqu.V(i), goqu.C("batch"), goqu.C("ordinal")))
	}
	type found struct {
		alert *monitor.Alert
		id    monitor.EventID
	}
	rows, err := query(ctx, s.db, dialect.From(all.As("f")).Limit(uint(most+1)), func(r scanner) (f found, err error) { //nolint:gosec // bounded by the caller
		var i int
		err = r.Scan(&i, idColumn{&f.id.Batch}, &f.id.Ordinal)
		f.alert = alerts[i]
		return f, err
	})
	if err != nil {
		return nil, false, fmt.Errorf("list findings of %d alerts: %w", len(alerts), err)
	}
	if cut = len(rows) > most; cut {
		rows = rows[:most]
	}
	rules, err := s.rulesOf(ctx, alerts)
	if err != nil {
		return nil, false, err
	}
	findings = map[monitor.ID][]storedFinding{}
	for chunk := range slices.Chunk(rows, insertEvents) {
		ids := make([]monitor.EventID, len(chunk))
		for i, f := range chunk {
			ids[i] = f.id
		}
		events, err := s.EventsByID(ctx, ids)
		if err != nil {
			return nil, false, err
		}
		byID := make(map[monitor.EventID]*monitor.Event, len(events))
		for _, e := range events {
			byID[e.ID] = e
		}
		for _, f := range chunk {
			rule, event := rules[f.alert.RuleID], byID[f.id]
			if rule == nil || event == nil {
				continue
			}
			findings[f.alert.ID] = append(findings[f.alert.ID], storedFinding{monitor.NewAlert(f.alert.ID, rule, event, event.ReceivedAt), event})
		}
	}
	return findings, cut, nil
}

// rulesOf gives the rules of alerts, by their ids.
func (s *Store) rulesOf(ctx context.Context, alerts []*monitor.Alert) (map[monitor.ID]*monitor.Rule, error) {
	wanted := map[monitor.ID]*monitor.Rule{}
	for _, a := range alerts {
		wanted[a.RuleID] = nil
	}
	rules, err := s.RulesByID(ctx, slices.SortedFunc(maps.Keys(wanted), func(a, b monitor.ID) int { return bytes.Compare(a[:], b[:]) }))
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		wanted[r.ID] = r
	}
	return wanted, nil
}

// SuppressionsCovering gives for each alert the suppressions in force that would hide
// a finding like its latest. Without any in force it asks nothing.
func (s *Store) SuppressionsCovering(ctx context.Context, alerts []*monitor.Alert) ([][]*monitor.Suppression, error) {
	out := make([][]*monitor.Suppression, len(alerts))
	inForce := s.suppressions.Load()
	if inForce.Len() == 0 {
		return out, nil
	}
	for from := 0; from < len(alerts); from += coveringChunk {
		chunk := alerts[from:min(from+coveringChunk, len(alerts))]
		latest, _, err := s.findingsOf(ctx, chunk, time.Time{}, 1, len(chunk))
		if err != nil {
			return nil, fmt.Errorf("suppressions of %d alerts: %w", len(alerts), err)
		}
		for i, a := range chunk {
			for _, f := range latest[a.ID] {
				out[from+i] = inForce.Fitting(f.alert, f.event, s.now())
			}
		}
	}
	return out, nil
}
