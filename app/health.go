package app

import (
	"context"
	"time"
)

// How often what the program needs is looked at, and how long that may take.
const (
	healthPeriod = 5 * time.Second
	healthTime   = 2 * time.Second
)

// watchHealth notes whether the database and Redis answer, and when the
// certificates of the servers end that we speak to.
func (a *App) watchHealth(ctx context.Context) {
	for {
		a.ask(ctx, "database", a.Store.Ping)
		a.ask(ctx, "redis", a.bus.Ping)
		a.lookAtCertificates(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(healthPeriod):
		}
	}
}

func (a *App) ask(ctx context.Context, name string, ping func(context.Context) error) {
	asked, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	begun := time.Now()
	if err := ping(asked); ctx.Err() == nil {
		a.metrics.Health.Asked(name, time.Since(begun), err == nil)
	}
}
