package db

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

const (
	// assetGrain is how exact last_seen is: a hot host's row is not written with
	// every batch, for then all batches would wait for one another.
	assetGrain = 15 * time.Second
	// knownAssets bounds what a replica remembers to have written.
	knownAssets = 20_000
	// silentSweep is how many assets one transaction finds silent.
	silentSweep = 200
	// forgotten is when an asset that nobody has said anything about is deleted.
	forgotten = 90 * 24 * time.Hour
)

// sighting is when an asset was heard of.
type sighting struct {
	kind        monitor.AssetKind
	name        string
	first, last time.Time
}

// sightings are those of one batch.
type sightings map[monitor.ID]*sighting

// sightingsOf lists the hosts and users that events tell of. The user of
// something that failed is none: whoever guesses names would fill the table. No
// event tells of the future.
func sightingsOf(events []*monitor.Event, now time.Time) sightings {
	seen := sightings{}
	add := func(kind monitor.AssetKind, name string, at time.Time) {
		if name == "" {
			return
		}
		if at.After(now) {
			at = now
		}
		id := monitor.AssetID(kind, name)
		s := seen[id]
		if s == nil {
			s = &sighting{kind: kind, name: name, first: at, last: at}
			seen[id] = s
		}
		s.first, s.last = earliest(s.first, at), latest(s.last, at)
	}
	for _, e := range events {
		add(monitor.AssetHost, e.Host, e.OccurredAt)
		if e.Outcome != monitor.OutcomeFailure {
			add(monitor.AssetUser, e.User, e.OccurredAt)
		}
	}
	return seen
}

// assetMemory is what this replica has written: what is in it need not be
// written again. It may be wrong only by what another replica deletes, which is
// what nobody has heard of for long.
type assetMemory struct {
	mu      sync.Mutex
	written map[monitor.ID]sighting
}

// news leaves the sightings that have to be written.
func (m *assetMemory) news(seen sightings) sightings {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, s := range seen {
		if w, ok := m.written[id]; ok && !s.first.Before(w.first) && s.last.Before(w.last.Add(assetGrain)) {
			delete(seen, id)
		}
	}
	return seen
}

func (m *assetMemory) remember(seen sightings) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.written == nil || len(m.written)+len(seen) > knownAssets {
		m.written = make(map[monitor.ID]sighting, len(seen))
	}
	for id, s := range seen {
		w, ok := m.written[id]
		if !ok {
			w = *s
		}
		w.first, w.last = earliest(w.first, s.first), latest(w.last, s.last)
		m.written[id] = w
	}
}

// settleAssets brings the assets in line with what the transaction did: the risk
// of those that its alerts are about, and those that its events tell of. It runs
// last, and locks in the order of ids, so that transactions wait for each other
// here for as short as can be.
func (t *tx) settleAssets(ctx context.Context) error {
	deltas, err := riskDeltas(t.changes)
	if err != nil || len(deltas)+len(t.seen) == 0 {
		return err
	}
	ids := make([]monitor.ID, 0, len(deltas)+len(t.seen))
	for id := range deltas {
		ids = append(ids, id)
	}
	for id := range t.seen {
		if _, both := deltas[id]; !both {
			ids = append(ids, id)
		}
	}
	known := map[monitor.ID]*monitor.Asset{}
	for chunk := range slices.Chunk(sortIDs(ids), insertEvents) {
		found, err := t.lockAssets(ctx, chunk)
		if err != nil {
			return err
		}
		for id, a := range found {
			known[id] = a
		}
	}
	var rows []any
	var fresh []*monitor.Asset
	for _, id := range ids {
		asset, seen := known[id], t.seen[id]
		switch {
		case asset != nil:
			asset.Risk = max(0, asset.Risk+deltas[id])
			if err := t.see(asset, seen); err != nil {
				return err
			}
			rows = append(rows, assetRow(asset))
		case seen != nil:
			fresh = append(fresh, monitor.NewAsset(seen.kind, seen.name, seen.first, t.now))
			fresh[len(fresh)-1].See(seen.last)
		}
	}
	if err := t.discover(ctx, fresh); err != nil {
		return err
	}
	return t.upsertAssets(ctx, rows)
}

// see takes a sighting in; one of a silent asset is news.
func (t *tx) see(asset *monitor.Asset, seen *sighting) error {
	if seen == nil {
		return nil
	}
	was := *asset
	asset.See(seen.first)
	asset.See(seen.last)
	if asset.SilentSince.IsZero() || asset.Silent(t.now) {
		return nil
	}
	asset.SilentSince = time.Time{}
	change, err := monitor.NewChange(monitor.KindAsset, asset.ID, monitor.ActionAssetHeard, &was, asset)
	t.changes = append(t.changes, change)
	return err
}

// discover stores assets that were not known, with the risk of the alerts about
// them that were there before.
func (t *tx) discover(ctx context.Context, fresh []*monitor.Asset) error {
	for kind, column := range map[monitor.AssetKind]string{monitor.AssetHost: "host", monitor.AssetUser: "user"} {
		byName := map[string]*monitor.Asset{}
		var names []string
		for _, a := range fresh {
			if a.Kind == kind {
				byName[a.Name], names = a, append(names, a.Name)
			}
		}
		if len(names) == 0 {
			continue
		}
		st := dialect.From("alerts").Select(columnList(alertColumns)...).
			Where(goqu.C(column).In(names), goqu.C("status").Neq(string(monitor.AlertClosed)))
		if _, err := query(ctx, t, st, func(r scanner) (struct{}, error) {
			alert, err := scanAlert(r)
			if err == nil {
				byName[map[monitor.AssetKind]string{monitor.AssetHost: alert.Host, monitor.AssetUser: alert.User}[kind]].Risk += monitor.RiskPoints(alert)
			}
			return struct{}{}, err
		}); err != nil {
			return fmt.Errorf("risk of new assets: %w", err)
		}
	}
	rows := make([]any, len(fresh))
	for i, a := range fresh {
		rows[i] = assetRow(a)
		change, err := monitor.NewChange(monitor.KindAsset, a.ID, monitor.ActionAssetDiscover, nil, a)
		if err != nil {
			return err
		}
		t.changes = append(t.changes, change)
	}
	return t.upsertAssets(ctx, rows)
}

// upsertAssets writes what was observed. A row that another replica inserted in
// the meantime keeps the rest.
func (t *tx) upsertAssets(ctx context.Context, rows []any) error {
	values := goqu.Record{
		"first_seen": goqu.L("LEAST(?, VALUES(?))", goqu.C("first_seen"), goqu.C("first_seen")),
		"last_seen":  goqu.L("GREATEST(?, VALUES(?))", goqu.C("last_seen"), goqu.C("last_seen")),
	}
	for _, name := range []string{"silent_since", "risk"} {
		values[name] = goqu.L("VALUES(?)", goqu.C(name))
	}
	for chunk := range slices.Chunk(rows, insertEvents) {
		if err := exec(ctx, t, dialect.Insert("assets").Rows(chunk...).OnConflict(goqu.DoUpdate("", values))); err != nil {
			return fmt.Errorf("write assets: %w", err)
		}
	}
	return nil
}

// riskDeltas sums what changes of alerts do to the risk of hosts and users.
func riskDeltas(changes []monitor.Change) (map[monitor.ID]float64, error) {
	deltas := map[monitor.ID]float64{}
	for _, c := range changes {
		if c.Kind != monitor.KindAlert || c.Passing() {
			continue
		}
		is, was, err := monitor.States[monitor.Alert](c)
		if err != nil {
			return nil, err
		}
		delta := monitor.RiskPoints(is) - monitor.RiskPoints(was)
		if delta == 0 {
			continue
		}
		if is.Host != "" {
			deltas[monitor.AssetID(monitor.AssetHost, is.Host)] += delta
		}
		if is.User != "" {
			deltas[monitor.AssetID(monitor.AssetUser, is.User)] += delta
		}
	}
	return deltas, nil
}

func sortIDs(ids []monitor.ID) []monitor.ID {
	slices.SortFunc(ids, func(a, b monitor.ID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// SweepSilent notes the watched assets that have fallen silent, each once over all
// replicas, and says how many there were. Call it now and then.
func (s *Store) SweepSilent(ctx context.Context) (int, error) {
	overdue := dialect.From("assets").Select("id").Where(goqu.C("silent_since").IsNull(), goqu.C("silent_at").Lte(s.now())).
		Order(goqu.C("silent_at").Asc()).Limit(silentSweep)
	ids, err := query(ctx, s.db, overdue, func(r scanner) (id monitor.ID, err error) { return id, r.Scan(idColumn{&id}) })
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	n := 0
	err = s.change(ctx, monitor.SystemActor, monitor.ActionAssetSilent, func(t *tx) error {
		n = 0
		assets, err := t.lockAssets(ctx, sortIDs(ids))
		if err != nil {
			return err
		}
		for _, id := range ids {
			was := assets[id]
			if was == nil || !was.SilentSince.IsZero() || !was.Silent(t.now) {
				continue // another replica was here, or it was heard of
			}
			next := *was
			next.SilentSince = t.now
			if err := t.writeAsset(ctx, monitor.ActionAssetSilent, was, &next); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("note silent assets: %w", err)
	}
	return n, nil
}

// ForgetAssets deletes assets that nobody has heard of for 90 days and nobody has
// said anything about, a bounded number in one call.
func (s *Store) ForgetAssets(ctx context.Context) error {
	st := dialect.Delete("assets").Where(goqu.C("last_seen").Lt(s.now().Add(-forgotten)), goqu.C("version").Eq(1)).Limit(1_000)
	if err := exec(ctx, s.db, st); err != nil {
		return fmt.Errorf("forget assets: %w", err)
	}
	return nil
}
