package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// Filling is state that is written as it stands, with the ids and times that it
// has. Benchmarks and tests make large databases of it.
type Filling struct {
	Events    []*monitor.Event
	Alerts    []*monitor.Alert
	Evidence  []*monitor.Evidence
	Comments  []*monitor.Comment
	Incidents []*monitor.Incident
	Members   map[monitor.ID][]monitor.ID // the alerts of incidents
	Journal   []monitor.EntryBody         // goes behind the newest entry, in this order
}

// Fill writes a filling in one transaction. It checks nothing and tells no feed;
// a server that runs meanwhile learns of it by polling.
func (s *Store) Fill(ctx context.Context, f *Filling) error {
	insert, err := s.eventInsert(ctx, len(f.Events))
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	begun, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	defer begun.Rollback() //nolint:errcheck // after a commit it does nothing
	t := &tx{Tx: begun, meter: s.db.meter, now: s.now()}
	if err := t.insertEvents(ctx, f.Events, insert); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	for _, table := range f.tables() {
		if err := insertChunks(ctx, t, table.name, table.rows, insertEvents); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
	}
	if err := t.fillJournal(ctx, f.Journal); err != nil {
		return fmt.Errorf("fill journal: %w", err)
	}
	for incident, alerts := range f.Members {
		for chunk := range slices.Chunk(alerts, 2_000) {
			if err := t.fillMembers(ctx, incident, chunk); err != nil {
				return fmt.Errorf("fill incidents: %w", err)
			}
		}
	}
	if err := begun.Commit(); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	return nil
}

type filledTable struct {
	name string
	rows []any
}

func (f *Filling) tables() []filledTable {
	all := []filledTable{{name: "alerts"}, {name: "alert_events"}, {name: "comments"}, {name: "incidents"}}
	for _, a := range f.Alerts {
		all[0].rows = append(all[0].rows, alertRow(a))
	}
	for _, e := range f.Evidence {
		all[1].rows = append(all[1].rows, goqu.Record{
			"alert_id": e.AlertID[:], "batch": e.Event.Batch[:], "ordinal": e.Event.Ordinal, "matched": jsonColumn{e.Matched}, "rule_version": e.RuleVersion,
		})
	}
	for _, c := range f.Comments {
		all[2].rows = append(all[2].rows, commentRow(c))
	}
	for _, i := range f.Incidents {
		all[3].rows = append(all[3].rows, incidentRow(i))
	}
	return all
}

// fillMembers puts alerts into an incident, and what the journal says of them into
// its timeline.
func (t *tx) fillMembers(ctx context.Context, incident monitor.ID, alerts []monitor.ID) error {
	in := dialect.Update("alerts").Set(goqu.Record{"incident_id": incident[:]}).Where(goqu.C("id").In(idList(alerts)))
	if err := exec(ctx, t, in); err != nil {
		return err
	}
	said := dialect.From("journal_refs").Select(goqu.V(incident[:]), goqu.C("seq"), goqu.C("id")).
		Where(goqu.C("kind").Eq(string(monitor.KindAlert)), goqu.C("id").In(idList(alerts)))
	return exec(ctx, t, dialect.Insert("incident_timeline").Cols("incident_id", "seq", "entity_id").FromQuery(said))
}

// fillJournal is appendJournal for entries of many times and actors.
func (t *tx) fillJournal(ctx context.Context, bodies []monitor.EntryBody) error {
	if len(bodies) == 0 {
		return nil
	}
	state := dialect.From("feed_state").Select("seq", "hash").Where(goqu.C("id").Eq(1)).ForUpdate(goqu.Wait)
	last, found, err := one(ctx, t, state, func(r scanner) (e monitor.Entry, err error) {
		var hash []byte
		err = r.Scan(&e.Seq, &hash)
		copy(e.Hash[:], hash)
		return e, err
	})
	if err != nil || !found {
		return fmt.Errorf("lock feed state: found %t: %w", found, err)
	}
	var rows, refs []any
	var changes []monitor.Change
	size := 0
	for _, body := range bodies {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		last.Seq++
		last.Hash = monitor.ChainHash(last.Hash, last.Seq, raw)
		size += len(raw)
		rows = append(rows, goqu.Record{"seq": last.Seq, "at": body.At, "action": body.Action, "body": raw, "hash": append([]byte(nil), last.Hash[:]...)})
		changes = append(changes, body.Changes...)
		for _, c := range body.Changes {
			refs = append(refs, goqu.Record{"kind": string(c.Kind), "id": append([]byte(nil), c.ID[:]...), "seq": last.Seq})
		}
	}
	if err := insertChunks(ctx, t, "journal", rows, insertEvents); err != nil {
		return err
	}
	if err := insertChunks(ctx, t, "journal_refs", refs, 2_000); err != nil {
		return err
	}
	if err := t.countAlertChanges(ctx, changes); err != nil {
		return err
	}
	advance := dialect.Update("feed_state").Where(goqu.C("id").Eq(1)).
		Set(goqu.Record{"seq": last.Seq, "hash": last.Hash[:], "bytes": goqu.L("? + ?", goqu.C("bytes"), size)})
	return exec(ctx, t, advance)
}
