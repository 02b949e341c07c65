package resolvers

import (
	"context"

	"github.com/vikstrous/dataloadgen"

	"github.com/security-monitor/secmon/monitor"
)

// mostNodes is how many entities one nodes field gives; mostEventNodes how many of
// them events: each has its whole record, of up to 1 MiB unless --max-record-kb says more.
const (
	mostNodes      = 100
	mostEventNodes = 16
)

// Nodes gives many entities at once, in the order of their ids: what lists are
// made of by one query for each kind, the rest one by one.
func (r queryResolver) Nodes(ctx context.Context, ids []string) ([]monitor.Node, error) {
	if len(ids) > mostNodes {
		return nil, monitor.Errorf(monitor.CodeBadInput, "ids has %d entries; at most %d can be asked for at once", len(ids), mostNodes)
	}
	places := map[monitor.Kind][]int{}
	for i, id := range ids {
		kind, _, err := monitor.ParseGlobalID(id)
		if err != nil {
			return nil, err
		}
		places[kind] = append(places[kind], i)
	}
	if n := len(places[monitor.KindEvent]); n > mostEventNodes {
		return nil, monitor.Errorf(monitor.CodeBadInput, "ids names %d events; at most %d can be asked for at once: a page of events has more", n, mostEventNodes)
	}
	out := make([]monitor.Node, len(ids))
	for kind, at := range places {
		if err := r.nodesOf(ctx, kind, ids, at, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// nodesOf puts the entities of one kind to their places.
func (r queryResolver) nodesOf(ctx context.Context, kind monitor.Kind, ids []string, at []int, out []monitor.Node) error {
	loaders := loadersOf(ctx)
	switch kind {
	case monitor.KindAlert:
		return loadNodes(ctx, kind, loaders.alerts, ids, at, out)
	case monitor.KindRule:
		return loadNodes(ctx, kind, loaders.rules, ids, at, out)
	case monitor.KindUser:
		return loadNodes(ctx, kind, loaders.users, ids, at, out)
	case monitor.KindAsset:
		return loadNodes(ctx, kind, loaders.assets, ids, at, out)
	case monitor.KindIndicator:
		return loadNodes(ctx, kind, loaders.indicators, ids, at, out)
	case monitor.KindIncident:
		return loadNodes(ctx, kind, loaders.incidents, ids, at, out)
	}
	for _, i := range at {
		found, err := r.Node(ctx, ids[i])
		if err != nil {
			return err
		}
		out[i] = found
	}
	return nil
}

func loadNodes[T any, P interface {
	*T
	monitor.Node
}](ctx context.Context, kind monitor.Kind, loader *dataloadgen.Loader[monitor.ID, P], ids []string, at []int, out []monitor.Node) error {
	keys := make([]monitor.ID, len(at))
	for n, i := range at {
		key, err := monitor.ParseIDOf(kind, ids[i])
		if err != nil {
			return err
		}
		keys[n] = key
	}
	found, err := loader.LoadAll(ctx, keys)
	if err != nil {
		return err
	}
	for n, i := range at {
		if out[i], err = node(found[n], nil); err != nil {
			return err
		}
	}
	return nil
}
