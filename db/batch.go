package db

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// A statement carries at most this many events and roughly this many bytes.
const (
	insertEvents = 500
	insertBytes  = 2 << 20
)

// StoreBatch keeps the batch's events, counts what correlations look for, raises or
// extends the alerts of its findings and of correlations that fire, and writes the
// journal, all in one transaction. It gives the events
// and the batch their ids. An error means that nothing was stored, unless the
// connection broke during the commit itself. Of a batch with parts it leaves out those
// that came before, over all replicas, and says so in them; where nothing is left the
// id is of no batch.
func (s *Store) StoreBatch(ctx context.Context, b *monitor.Batch) (monitor.ID, error) {
	if len(b.Events) == 0 {
		return monitor.ID{}, nil
	}
	now := s.now()
	batch := monitor.NewID(now)
	insert, err := s.eventInsert(ctx, len(b.Events))
	if err != nil {
		return monitor.ID{}, err
	}
	s.makeRoom(ctx, b)
	var seen sightings
	var counted *correlator
	whole := b
	err = s.change(ctx, monitor.SystemActor, monitor.ActionIngest, func(t *tx) error {
		counted, seen = nil, nil
		b, err := t.leaveRepeated(ctx, whole, batch)
		if err != nil || len(b.Events) == 0 {
			return err
		}
		for i, e := range b.Events {
			e.ID = monitor.EventID{Batch: batch, Ordinal: uint32(i)} //nolint:gosec // a batch is bounded
			e.ReceivedAt = now
		}
		seen = s.assets.news(sightingsOf(b.Events, now))
		t.batch, t.events, t.seen = batch, len(b.Events), seen
		if err := t.insertEvents(ctx, b.Events, insert); err != nil {
			return err
		}
		suppressions := s.suppressions.Load()
		found := t.group(b, suppressions)
		if len(b.Samples) > 0 {
			if counted, err = t.correlate(ctx, b, s.correlating); err != nil {
				return err
			}
			found = append(found, t.groupFired(counted, suppressions)...)
		}
		return t.raiseAlerts(ctx, found, s.enabledGroupings())
	})
	if err != nil {
		return monitor.ID{}, fmt.Errorf("store batch of %d events: %w", len(b.Events), err)
	}
	if seen != nil {
		s.assets.remember(seen)
	}
	s.correlated.note(counted)
	s.rooms.took(counted)
	return batch, nil
}

// eventInsert gives the prepared statement where so many events need it. It is asked
// for before the transaction has a connection.
func (s *Store) eventInsert(ctx context.Context, events int) (*sql.Stmt, error) {
	if events < preparedEvents {
		return nil, nil //nolint:nilnil // there is nothing to use it for
	}
	return s.insertEvents.on(ctx, s.db)
}

// insertEvents writes the events: by a statement that is prepared where there are enough
// of a usual size, otherwise by text.
func (t *tx) insertEvents(ctx context.Context, events []*monitor.Event, stmt *sql.Stmt) error {
	for len(events) > 0 {
		var values []any
		rows := 0
		for size := 0; rows < min(len(events), preparedEvents) && size < insertBytes; rows++ {
			e := events[rows]
			values = append(values, eventValues(e)...)
			size += len(e.Raw) + len(e.Message) + len(e.Command)
		}
		err := errNotPrepared
		if rows == preparedEvents && stmt != nil {
			err = t.execPrepared(ctx, insertEvent.oneRow, stmt, values)
		}
		if errors.Is(err, errNotPrepared) {
			err = exec(ctx, t, insertEvent.of(values))
		}
		if err != nil {
			return fmt.Errorf("insert events: %w", err)
		}
		events = events[rows:]
	}
	return nil
}

// raiseAlerts brings the candidates together with the open alerts of their dedup
// keys. Keys are locked in order, so that two batches cannot wait for each other.
func (t *tx) raiseAlerts(ctx context.Context, found []*candidate, groupings []*monitor.IncidentGrouping) error {
	if len(found) == 0 {
		return nil
	}
	slices.SortFunc(found, func(a, b *candidate) int { return bytes.Compare(a.DedupKey, b.DedupKey) })
	open, err := t.lockOpenAlerts(ctx, found)
	if err != nil {
		return err
	}
	var repeated []any
	var raised []*monitor.Alert
	into := make([]monitor.ID, len(found))
	for i, candidate := range found {
		alert := open[[32]byte(candidate.DedupKey)]
		if alert == nil {
			return fmt.Errorf("alert %s: vanished under its lock", candidate.ID)
		}
		into[i] = alert.ID
		if alert.ID == candidate.ID {
			raised = append(raised, candidate.Alert)
			continue
		}
		was := *alert
		candidate.joins()
		alert.Absorb(candidate.Alert)
		alert.Version++
		alert.UpdatedAt = t.now
		repeated = append(repeated, alertRow(alert))
		change, err := monitor.NewChange(monitor.KindAlert, alert.ID, monitor.ActionAlertRepeat, &was, alert)
		if err != nil {
			return err
		}
		t.changes = append(t.changes, change)
	}
	if err := t.updateRepeated(ctx, repeated); err != nil {
		return err
	}
	if err := t.noteRaised(ctx, raised, groupings); err != nil {
		return err
	}
	return t.insertEvidence(ctx, found, into)
}

// joins makes a candidate ready to be taken in by an open alert: what a correlation
// counted before stands there already.
func (c *candidate) joins() {
	if c.firing != nil {
		c.Count = c.firing.fresh
	}
}

// insertEvidence keeps which events the candidates are about, with the alerts that
// they went into.
func (t *tx) insertEvidence(ctx context.Context, found []*candidate, into []monitor.ID) error {
	var rows, counted []any
	for i, candidate := range found {
		for _, row := range candidate.evidence {
			row["alert_id"] = append([]byte(nil), into[i][:]...)
			rows = append(rows, row)
		}
		if candidate.firing != nil {
			evidence, err := t.insertMembers(ctx, into[i], candidate.firing)
			if err != nil {
				return err
			}
			counted = append(counted, evidence...)
		}
	}
	if err := t.insertMissing(ctx, "alert_events", counted); err != nil {
		return err
	}
	return insertChunks(ctx, t, "alert_events", rows, insertEvents)
}

// noteRaised journals new alerts, and before that groups them: the incident that
// takes an alert is part of its being raised. What happens to incidents and to
// older alerts stands behind them in the entry.
func (t *tx) noteRaised(ctx context.Context, raised []*monitor.Alert, groupings []*monitor.IncidentGrouping) error {
	before := len(t.changes)
	if err := t.groupRaised(ctx, groupings, raised); err != nil {
		return err
	}
	grouped := slices.Clone(t.changes[before:])
	t.changes = t.changes[:before]
	for _, alert := range raised {
		change, err := monitor.NewChange(monitor.KindAlert, alert.ID, monitor.ActionAlertRaise, nil, alert)
		if err != nil {
			return err
		}
		t.changes = append(t.changes, change)
	}
	t.changes = append(t.changes, grouped...)
	return nil
}

// groupFired makes one candidate per firing of a correlation, but for those that a
// suppression fits.
func (t *tx) groupFired(counted *correlator, suppressions *monitor.Suppressions) []*candidate {
	var found []*candidate
	for _, f := range counted.firings {
		fired, ev := counted.candidate(f), counted.batch.Events[f.event]
		if by := suppressions.First(fired.Alert, ev, t.now); by != nil {
			t.hide(by, fired.Alert, ev)
			continue
		}
		found = append(found, fired)
	}
	return found
}

// group makes one candidate per dedup key of the findings, with its evidence. What a
// suppression fits is left out and counted.
func (t *tx) group(b *monitor.Batch, suppressions *monitor.Suppressions) []*candidate {
	byKey := map[[32]byte]*candidate{}
	var found []*candidate
	for _, f := range b.Findings {
		ev := b.Events[f.Event]
		fresh := monitor.NewAlert(monitor.NewID(t.now), f.Rule, ev, t.now)
		if by := suppressions.First(fresh, ev, t.now); by != nil {
			t.hide(by, fresh, ev)
			continue
		}
		key := [32]byte(fresh.DedupKey)
		alert := byKey[key]
		if alert == nil {
			alert = &candidate{Alert: fresh}
			byKey[key] = alert
			found = append(found, alert)
		} else {
			alert.Absorb(fresh)
		}
		alert.evidence = append(alert.evidence, goqu.Record{
			"batch": append([]byte(nil), ev.ID.Batch[:]...), "ordinal": ev.ID.Ordinal, "matched": jsonColumn{f.Matched},
			"rule_version": fresh.RuleVersion,
		})
	}
	return found
}

// lockOpenAlerts inserts the candidates whose key has no open alert, and gives
// the open alert of every key, locked. Inserting first makes a concurrent batch
// with the same key wait here instead of failing later.
func (t *tx) lockOpenAlerts(ctx context.Context, found []*candidate) (map[[32]byte]*monitor.Alert, error) {
	open := make(map[[32]byte]*monitor.Alert, len(found))
	for chunk := range slices.Chunk(found, insertEvents) {
		rows, keys := make([]any, len(chunk)), make([][]byte, len(chunk))
		for i, a := range chunk {
			rows[i], keys[i] = alertRow(a.Alert), a.DedupKey
		}
		insert := dialect.Insert("alerts").Rows(rows...).OnConflict(goqu.DoUpdate("", goqu.Record{"id": goqu.C("id")}))
		if err := exec(ctx, t, insert); err != nil {
			return nil, fmt.Errorf("insert alerts: %w", err)
		}
		// The insert has locked these alerts and no others, in the order of their keys.
		// This locks nothing: a FOR UPDATE would lock whatever the server reads on its way.
		st := dialect.From("alerts").Select(columnList(alertColumns)...).Where(goqu.C("open_key").In(keys)).Order(goqu.C("open_key").Asc())
		alerts, err := query(ctx, t, st, scanAlert)
		if err != nil {
			return nil, fmt.Errorf("lock alerts: %w", err)
		}
		for _, a := range alerts {
			open[[32]byte(a.DedupKey)] = a
		}
	}
	return open, nil
}

// updateRepeated writes the counters of alerts that are locked already. The
// inserts never happen: each row's key is there.
func (t *tx) updateRepeated(ctx context.Context, rows []any) error {
	values := goqu.Record{}
	for _, name := range []string{"version", "count", "first_seen", "last_seen", "updated_at"} {
		values[name] = goqu.L("VALUES(?)", goqu.C(name))
	}
	for chunk := range slices.Chunk(rows, insertEvents) {
		update := dialect.Insert("alerts").Rows(chunk...).OnConflict(goqu.DoUpdate("", values))
		if err := exec(ctx, t, update); err != nil {
			return fmt.Errorf("update alerts: %w", err)
		}
	}
	return nil
}
