package db

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// The table alert_counts says how many alerts have each status and severity: what
// every screen shows all the time. appendJournal keeps it from the changes that
// it writes, while it holds the lock of feed_state; so it is exact.

// countedFields are what a filter may ask for to be answered from alert_counts.
var countedFields = []monitor.FilterField{"status", "severity"}

// counted is one row of alert_counts.
type counted struct {
	Status   monitor.AlertStatus `json:"status"`
	Severity monitor.Severity    `json:"severity"`
}

// countAlertChanges adds what the transaction's changes do to the counts.
func (t *tx) countAlertChanges(ctx context.Context, changes []monitor.Change) error {
	deltas := map[counted]int{}
	for i := range changes {
		if changes[i].Kind != monitor.KindAlert {
			continue
		}
		if err := countAlertChange(deltas, &changes[i]); err != nil {
			return fmt.Errorf("count alert %s: %w", changes[i].ID, err)
		}
	}
	var rows []any
	for _, key := range slices.SortedFunc(maps.Keys(deltas), func(a, b counted) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), a.Severity.Rank()-b.Severity.Rank())
	}) {
		if deltas[key] != 0 {
			rows = append(rows, goqu.Record{"status": string(key.Status), "severity": key.Severity.Rank(), "n": deltas[key]})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	add := goqu.DoUpdate("", goqu.Record{"n": goqu.L("? + VALUES(?)", goqu.I("alert_counts.n"), goqu.C("n"))})
	if err := exec(ctx, t, dialect.Insert("alert_counts").Rows(rows...).OnConflict(add)); err != nil {
		return fmt.Errorf("count alerts: %w", err)
	}
	return nil
}

func countAlertChange(deltas map[counted]int, c *monitor.Change) error {
	var before struct {
		Status   *monitor.AlertStatus `json:"status"`
		Severity *monitor.Severity    `json:"severity"`
	}
	created, deleted := isNull(c.Before), isNull(c.After)
	if !created {
		if err := json.Unmarshal(c.Before, &before); err != nil {
			return err
		}
		if !deleted && before.Status == nil && before.Severity == nil {
			return nil
		}
	}
	var is counted
	if !deleted {
		if err := json.Unmarshal(c.After, &is); err != nil {
			return err
		}
		deltas[is]++
	}
	if created {
		return nil
	}
	was := is
	if before.Status != nil {
		was.Status = *before.Status
	}
	if before.Severity != nil {
		was.Severity = *before.Severity
	}
	deltas[was]--
	return nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// RecountAlerts makes the counts anew. Replicas of a version that knows nothing
// of them do not keep them; after a rolling update this mends it. Commits wait
// meanwhile: some hundredths of a second with 200,000 alerts.
func (s *Store) RecountAlerts(ctx context.Context) error {
	begun, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return fmt.Errorf("count alerts anew: %w", err)
	}
	defer begun.Rollback() //nolint:errcheck // after a commit it does nothing
	lock := dialect.From("feed_state").Select("seq").Where(goqu.C("id").Eq(1)).ForUpdate(goqu.Wait)
	if _, found, err := one(ctx, begun, lock, scanInt); err != nil || !found {
		return fmt.Errorf("count alerts anew: lock feed state: found %t: %w", found, err)
	}
	groups, err := query(ctx, begun, dialect.From("alerts").Select("status", "severity", goqu.COUNT(goqu.Star())).GroupBy("status", "severity"), scanAlertGroup)
	if err != nil {
		return fmt.Errorf("count alerts anew: %w", err)
	}
	var rows []any
	for _, g := range groups {
		rows = append(rows, goqu.Record{"status": string(g.Status), "severity": g.Severity.Rank(), "n": g.Count})
	}
	if err := exec(ctx, begun, dialect.Delete("alert_counts")); err != nil {
		return fmt.Errorf("count alerts anew: %w", err)
	}
	if err := insertChunks(ctx, begun, "alert_counts", rows, insertEvents); err != nil {
		return fmt.Errorf("count alerts anew: %w", err)
	}
	return begun.Commit()
}

// asksOnly tells whether a predicate tests no other fields than these.
func asksOnly(p *monitor.Predicate, fields []monitor.FilterField) bool {
	for i := range p.Tests {
		if !slices.Contains(fields, p.Tests[i].Field) {
			return false
		}
	}
	for _, parts := range [][]monitor.Predicate{p.All, p.Any} {
		for i := range parts {
			if !asksOnly(&parts[i], fields) {
				return false
			}
		}
	}
	return p.Not == nil || asksOnly(p.Not, fields)
}
