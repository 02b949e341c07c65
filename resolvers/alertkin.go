package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// kinBatch is for how many alerts one query finds similar ones, or counts.
const kinBatch = 20

// maxSimilar bounds the list of similar alerts.
const maxSimilar = 50

// AlertKin finds what alerts have in common.
type AlertKin interface {
	// SimilarAlerts gives the similar alerts of each, the most similar first.
	SimilarAlerts(ctx context.Context, alerts []*monitor.Alert) ([][]monitor.SimilarAlert, error)
	Prevalence(ctx context.Context, keys []monitor.PrevalenceKey, since time.Time) (map[monitor.PrevalenceKey]monitor.Prevalence, error)
}

func (alertResolver) Similar(ctx context.Context, a *monitor.Alert, first int) ([]*monitor.SimilarAlert, error) {
	if first < 1 || first > maxSimilar {
		return nil, monitor.Errorf(monitor.CodeBadInput, "first: 1 to %d, not %d", maxSimilar, first)
	}
	found, err := loadersOf(ctx).similar.Load(ctx, a)
	out := make([]*monitor.SimilarAlert, min(first, len(found)))
	for i := range out {
		out[i] = &found[i]
	}
	return out, err
}

func (r *Resolver) similarAlerts(ctx context.Context, alerts []*monitor.Alert) ([][]monitor.SimilarAlert, error) {
	return r.Kin.SimilarAlerts(ctx, alerts)
}

func (alertResolver) Prevalence(ctx context.Context, a *monitor.Alert) (*monitor.Prevalence, error) {
	return loadersOf(ctx).prevalence.Load(ctx, monitor.PrevalenceKey{Rule: a.RuleID, Host: a.Host})
}

func (r *Resolver) prevalence(ctx context.Context, keys []monitor.PrevalenceKey) ([]*monitor.Prevalence, error) {
	found, err := r.Kin.Prevalence(ctx, keys, time.Now().Add(-monitor.PrevalenceWindow))
	out := make([]*monitor.Prevalence, len(keys))
	for i, key := range keys {
		counted := found[key]
		out[i] = &counted
	}
	return out, err
}
