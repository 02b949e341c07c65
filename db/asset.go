package db

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var assetColumns = []string{
	"id", "kind", "name", "version", "criticality", "owner", "tags", "note", "silent_after", "first_seen", "last_seen", "silent_since",
	"created_at", "updated_at", "risk",
}

var assetFilterColumns = map[monitor.FilterField]column{
	"kind":        {names: []string{"kind"}},
	"name":        {names: []string{"name"}, folded: true},
	"criticality": {names: []string{"criticality"}},
	"owner":       {names: []string{"owner"}},
	"tags":        {names: []string{"tags"}},
	"firstSeen":   {names: []string{"first_seen"}},
	"lastSeen":    {names: []string{"last_seen"}},
	"silentAt":    {names: []string{"silent_at"}},
}

// Assets gives one page of the assets that match.
func (s *Store) Assets(ctx context.Context, filter *monitor.AssetFilter, order monitor.AssetOrder, args page.Args) (*monitor.AssetConnection, error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	st := dialect.From("assets").Select(append(columnList(assetColumns), goqu.C("risk_rank"))...).
		Where(condition(&p, assetFilterColumns, s.now())).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	st, cursor, err := assetsInOrder(st, order, args.After)
	if err != nil {
		return nil, err
	}
	assets, err := query(ctx, s.db, st, func(r scanner) (rankedAsset, error) {
		var a rankedAsset
		var err error
		a.Asset, err = scanAsset(ahead{r, &a.rank})
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	ranked := page.Build(assets, args, cursor)
	out := &monitor.AssetConnection{PageInfo: ranked.PageInfo, Edges: make([]monitor.AssetEdge, len(ranked.Edges))}
	for i, e := range ranked.Edges {
		out.Edges[i] = monitor.AssetEdge{Node: e.Node.Asset, Cursor: e.Cursor}
	}
	return out, nil
}

// rankedAsset is an asset with its place in the order by risk.
type rankedAsset struct {
	*monitor.Asset
	rank float64
}

// ahead scans a row whose last column is read apart.
type ahead struct {
	scanner
	last any
}

// Scan reads the first columns, then the last.
func (a ahead) Scan(dest ...any) error { return a.scanner.Scan(append(dest, a.last)...) }

func assetsInOrder(st *goqu.SelectDataset, order monitor.AssetOrder, from string) (*goqu.SelectDataset, func(rankedAsset) string, error) {
	var id monitor.ID
	var err error
	read := func(key any) bool {
		if from != "" {
			err = page.DecodeCursor(from, key, &id)
		}
		return from != "" && err == nil
	}
	var cursor func(rankedAsset) string
	switch order {
	case monitor.AssetsByName:
		var name string
		keys := []string{"name", "id"}
		if read(&name) {
			st = st.Where(after(keys, []any{name, id[:]}))
		}
		st = st.Order(goqu.C("name").Asc(), goqu.C("id").Asc())
		cursor = func(a rankedAsset) string { return page.EncodeCursor(a.Name, a.ID) }
	case monitor.AssetsByLastSeen:
		var at time.Time
		keys := []string{"last_seen", "id"}
		if read(&at) {
			st = st.Where(before(keys, []any{at, id[:]}))
		}
		st = st.Order(descending(keys)...)
		cursor = func(a rankedAsset) string { return page.EncodeCursor(a.LastSeen, a.ID) }
	case monitor.AssetsByRisk:
		var bits uint64 // of the float, which has no exact short decimal form
		keys := []string{"risk_rank", "id"}
		if read(&bits) {
			st = st.Where(before(keys, []any{math.Float64frombits(bits), id[:]}))
		}
		st = st.Order(descending(keys)...)
		cursor = func(a rankedAsset) string { return page.EncodeCursor(math.Float64bits(a.rank), a.ID) }
	default:
		return nil, nil, monitor.Errorf(monitor.CodeBadInput, "%q is no order of assets", order)
	}
	if err != nil {
		return nil, nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
	}
	return st, cursor, nil
}

// AssetsByID gives the assets with those ids, in no order; missing ones are left out.
func (s *Store) AssetsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Asset, error) {
	return byIDs(ctx, s.db, "assets", assetColumns, ids, scanAsset)
}

// UpdateAsset changes what people say of an asset, as UpdateAlert does an alert.
func (s *Store) UpdateAsset(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.Asset) error) (*monitor.Asset, error) {
	var now *monitor.Asset
	err := s.change(ctx, actor, monitor.ActionAssetUpdate, func(t *tx) error {
		found, err := t.lockAssets(ctx, []monitor.ID{id})
		if err != nil {
			return err
		}
		was := found[id]
		if was == nil {
			return monitor.Errorf(monitor.CodeNotFound, "there is no such asset")
		}
		if now = was; expected != nil && *expected != was.Version {
			return monitor.Errorf(monitor.CodeConflict, "the asset has changed since: it is at version %d, not %d", was.Version, *expected)
		}
		next := *was
		if err := change(&next); err != nil {
			return err
		}
		if err := next.Check(); err != nil {
			return err
		}
		if !next.Silent(t.now) {
			next.SilentSince = time.Time{}
		}
		same, err := monitor.NewChange(monitor.KindAsset, id, monitor.ActionAssetUpdate, was, &next)
		if err != nil || string(same.Before) == "{}" {
			return err
		}
		next.Version, next.UpdatedAt = was.Version+1, t.now
		now = &next
		return t.writeAsset(ctx, monitor.ActionAssetUpdate, was, &next)
	})
	if err != nil {
		return now, fmt.Errorf("update asset %s: %w", id, err)
	}
	return now, nil
}

func (t *tx) writeAsset(ctx context.Context, action string, was, next *monitor.Asset) error {
	row := assetRow(next)
	delete(row, "id")
	if err := exec(ctx, t, dialect.Update("assets").Set(row).Where(goqu.C("id").Eq(next.ID[:]))); err != nil {
		return err
	}
	change, err := monitor.NewChange(monitor.KindAsset, next.ID, action, was, next)
	t.changes = append(t.changes, change)
	return err
}

// lockAssets locks assets in the order of their ids; missing ones are left out.
func (t *tx) lockAssets(ctx context.Context, ids []monitor.ID) (map[monitor.ID]*monitor.Asset, error) {
	st := dialect.From("assets").Select(columnList(assetColumns)...).Where(goqu.C("id").In(idList(ids))).
		Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	assets, err := query(ctx, t, st, scanAsset)
	if err != nil {
		return nil, fmt.Errorf("lock assets: %w", err)
	}
	found := make(map[monitor.ID]*monitor.Asset, len(assets))
	for _, a := range assets {
		found[a.ID] = a
	}
	return found, nil
}

// RiskyAlerts gives for each asset its open alerts, the latest first, at most n.
// All of them take one query.
func (s *Store) RiskyAlerts(ctx context.Context, assets []*monitor.Asset, n int) ([][]*monitor.Alert, error) {
	out := make([][]*monitor.Alert, len(assets))
	var all *goqu.SelectDataset
	for i, a := range assets {
		newest := dialect.From("alerts").Select(columnList(alertColumns)...).Where(openAbout(a.Kind, a.Name)).
			Order(goqu.C("last_seen").Desc(), goqu.C("id").Desc()).Limit(uint(n)) //nolint:gosec // a constant of the caller's
		all = unionAll(all, dialect.From(newest.As("n")).Select(append([]any{goqu.V(i)}, columnList(alertColumns)...)...))
	}
	if all == nil {
		return out, nil
	}
	_, err := query(ctx, s.db, all, func(r scanner) (struct{}, error) {
		var i int
		alert, err := scanAlert(behind{r, &i})
		if err == nil {
			out[i] = append(out[i], alert)
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("list alerts of %d assets: %w", len(assets), err)
	}
	return out, nil
}

// openAbout asks for the open alerts about an asset.
func openAbout(kind monitor.AssetKind, name string) exp.Expression {
	return goqu.And(goqu.C(alertColumnOf(kind)).Eq(name), goqu.C("status").Neq(string(monitor.AlertClosed)))
}

func alertColumnOf(kind monitor.AssetKind) string {
	if kind == monitor.AssetHost {
		return "host"
	}
	return "user"
}

func assetRow(a *monitor.Asset) goqu.Record {
	return goqu.Record{
		"id": append([]byte(nil), a.ID[:]...), "kind": string(a.Kind), "name": a.Name, "version": a.Version, "criticality": string(a.Criticality),
		"owner": a.Owner, "tags": jsonColumn{a.Tags}, "note": a.Note, "silent_after": nullSeconds(a.SilentAfter), "first_seen": a.FirstSeen,
		"last_seen": a.LastSeen, "silent_since": nullTime(a.SilentSince), "created_at": a.CreatedAt, "updated_at": a.UpdatedAt, "risk": a.Risk,
	}
}

func nullSeconds(d time.Duration) any {
	if d == 0 {
		return nil
	}
	return int64(d / time.Second)
}

func scanAsset(r scanner) (*monitor.Asset, error) {
	a := &monitor.Asset{}
	var seconds *int64
	err := r.Scan(idColumn{&a.ID}, &a.Kind, &a.Name, &a.Version, &a.Criticality, &a.Owner, jsonColumn{&a.Tags}, &a.Note, &seconds,
		timeColumn{&a.FirstSeen}, timeColumn{&a.LastSeen}, timeColumn{&a.SilentSince}, timeColumn{&a.CreatedAt}, timeColumn{&a.UpdatedAt}, &a.Risk)
	var none int64
	a.SilentAfter = time.Duration(*cmp.Or(seconds, &none)) * time.Second
	return a, err
}
