package app

import (
	"context"
	"time"
)

// silencePeriod is how often is looked for assets that have fallen silent.
const silencePeriod = 15 * time.Second

// watchSilence notes which assets fall silent until ctx ends. Every replica does;
// each silence is noted once.
func (a *App) watchSilence(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(silencePeriod):
		}
		n, err := a.Store.SweepSilent(ctx)
		if err != nil && ctx.Err() == nil {
			a.lg.Warn("look for silent assets", "error", err)
		}
		if n > 0 {
			a.lg.Info("assets fell silent", "count", n)
		}
	}
}

func (a *App) forgetAssets(ctx context.Context) {
	if err := a.Store.ForgetAssets(ctx); err != nil && ctx.Err() == nil {
		a.upkeepFailed("assets", "forget assets", err)
	}
}
