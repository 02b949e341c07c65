package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// maxFactors is how many alerts explain a risk.
const maxFactors = 20

// Assets keeps assets. Changes are refused as those of Alerts.
type Assets interface {
	Assets(ctx context.Context, filter *monitor.AssetFilter, order monitor.AssetOrder, args page.Args) (*monitor.AssetConnection, error)
	AssetsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Asset, error)
	UpdateAsset(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.Asset) error) (*monitor.Asset, error)
	// RiskyAlerts gives the open alerts of each, latest first, at most n.
	RiskyAlerts(ctx context.Context, assets []*monitor.Asset, n int) ([][]*monitor.Alert, error)
}

type assetResolver struct{ *Resolver }

// Asset answers the fields of Asset that are more than a value.
func (r *Resolver) Asset() graph.AssetResolver { return assetResolver{r} }

// Assets lists assets.
func (r queryResolver) Assets(ctx context.Context, filter *monitor.AssetFilter, orderBy *monitor.AssetOrder, first int, after *string) (*monitor.AssetConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	order := monitor.AssetsByRisk
	if orderBy != nil {
		order = *orderBy
	}
	return r.Resolver.Assets.Assets(ctx, filter, order, args)
}

// Asset gives one asset.
func (r queryResolver) Asset(ctx context.Context, id string) (*monitor.Asset, error) {
	return byGlobalID(ctx, monitor.KindAsset, id, r.Resolver.Assets.AssetsByID)
}

// AssetUpdate changes what people say of an asset.
func (r mutationResolver) AssetUpdate(ctx context.Context, input model.AssetUpdateInput) (*model.AssetPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindAsset, input.ID)
	var asset *monitor.Asset
	if err == nil {
		asset, err = r.Assets.UpdateAsset(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, func(a *monitor.Asset) error {
			applyTo(&a.Criticality, input.Criticality)
			applyTo(&a.Owner, input.Owner)
			applyTo(&a.Note, input.Note)
			applyTo(&a.SilentAfter, (*time.Duration)(input.SilentAfter))
			if input.Tags != nil {
				a.Tags = input.Tags
			}
			return nil
		})
	}
	mendable, err := userErrors(err)
	return &model.AssetPayload{Asset: asset, Errors: mendable}, err
}

// applyTo sets what the input has.
func applyTo[T any](field *T, input *T) {
	if input != nil {
		*field = *input
	}
}

func (assetResolver) SilentAfter(_ context.Context, a *monitor.Asset) (*monitor.Duration, error) {
	return optional(monitor.Duration(a.SilentAfter)), nil
}

func (assetResolver) Silent(_ context.Context, a *monitor.Asset) (bool, error) {
	return a.Silent(time.Now()), nil
}

func (assetResolver) SilentSince(_ context.Context, a *monitor.Asset) (*time.Time, error) {
	return optionalTime(a.SilentSince), nil
}

func (assetResolver) Risk(_ context.Context, a *monitor.Asset) (*monitor.AssetRisk, error) {
	now := time.Now()
	return &monitor.AssetRisk{Asset: a, At: now, Score: a.Score(now), Formula: monitor.RiskFormula}, nil
}

func (r assetResolver) Alerts(ctx context.Context, a *monitor.Asset, first int, after *string) (*monitor.AlertConnection, error) {
	filter, is := &monitor.AlertFilter{}, &monitor.StringFilter{Eq: &a.Name}
	if a.Kind == monitor.AssetHost {
		filter.Host = is
	} else {
		filter.User = is
	}
	return queryResolver(r).Alerts(ctx, filter, nil, first, after, nil)
}

func (r assetResolver) Journal(ctx context.Context, a *monitor.Asset, first int, after *string) (*monitor.JournalConnection, error) {
	return r.journalOf(ctx, monitor.KindAsset, a.ID, first, after)
}

type assetRiskResolver struct{ *Resolver }

// AssetRisk answers the fields of AssetRisk that are more than a value.
func (r *Resolver) AssetRisk() graph.AssetRiskResolver { return assetRiskResolver{r} }

func (assetRiskResolver) Factors(ctx context.Context, risk *monitor.AssetRisk) ([]*monitor.AssetRiskFactor, error) {
	alerts, err := loadersOf(ctx).risky.Load(ctx, risk.Asset)
	out := make([]*monitor.AssetRiskFactor, len(alerts))
	for i, a := range alerts {
		out[i] = risk.Asset.RiskFactor(a, risk.At)
	}
	return out, err
}

func (r *Resolver) riskyAlerts(ctx context.Context, assets []*monitor.Asset) ([][]*monitor.Alert, error) {
	return r.Assets.RiskyAlerts(ctx, assets, maxFactors)
}

func (alertResolver) HostAsset(ctx context.Context, a *monitor.Alert) (*monitor.Asset, error) {
	return loadAsset(ctx, monitor.AssetHost, a.Host)
}

func (alertResolver) UserAsset(ctx context.Context, a *monitor.Alert) (*monitor.Asset, error) {
	return loadAsset(ctx, monitor.AssetUser, a.User)
}

func loadAsset(ctx context.Context, kind monitor.AssetKind, name string) (*monitor.Asset, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return loadersOf(ctx).assets.Load(ctx, monitor.AssetID(kind, name))
}
