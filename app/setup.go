package app

import (
	"context"

	"github.com/security-monitor/secmon/monitor"
)

// loadSetup puts what administrators have set in force, over the configuration.
func (a *App) loadSetup(ctx context.Context) error {
	now := a.cfg.setup()
	if !a.cfg.PinSettings {
		set, err := a.Store.Overrides(ctx)
		if err != nil {
			return err
		}
		now = set.Over(now)
	}
	a.setup.Store(&now)
	a.Auth.SetLifetime(now.SessionLifetime)
	return nil
}

// offers say who may read the schema and gets the playground, now.
func (a *App) offers() monitor.Offers { return a.setup.Load().Offers }

// setup is what the resolvers know of it.
type setup struct{ *App }

// Now is what counts now.
func (s setup) Now() monitor.Setup { return *s.setup.Load() }

// Base is what the configuration says.
func (s setup) Base() (base monitor.Setup, pinned bool) { return s.cfg.setup(), s.cfg.PinSettings }
