package app

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// expiryPeriod is how often is looked for suppressions whose end has come.
const expiryPeriod = 5 * time.Second

// loadSuppressions puts suppressions in force. One that cannot be understood any
// more (an older release made it) hides nothing: that ends no server.
func (a *App) loadSuppressions(ctx context.Context) error {
	err := a.Store.LoadSuppressions(ctx)
	if err != nil && monitor.CodeOf(err) == monitor.CodeBadInput {
		a.lg.Error("suppression hides nothing", "error", err)
		return nil
	}
	return err
}

// watchExpiry notes which suppressions have come to their end until ctx ends. Every
// replica does; each end is noted once.
func (a *App) watchExpiry(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(expiryPeriod):
		}
		n, err := a.Store.ExpireSuppressions(ctx)
		if err != nil && ctx.Err() == nil {
			a.lg.Warn("look for expired suppressions", "error", err)
		}
		if n > 0 {
			a.lg.Info("suppressions expired", "count", n)
		}
	}
}

func (a *App) trimSuppressed(ctx context.Context) {
	if err := a.Store.TrimSuppressed(ctx); err != nil && ctx.Err() == nil {
		a.upkeepFailed("suppressions", "trim suppressed findings", err)
	}
}
