package app

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// kept says what this replica keeps in memory of the database: what loads it, by
// the kind of entity whose change makes it old.
func (a *App) kept() map[monitor.Kind]func(context.Context) error {
	return map[monitor.Kind]func(context.Context) error{
		monitor.KindRule:             a.loadRules,
		monitor.KindIncidentGrouping: a.Store.LoadGroupings,
		monitor.KindSuppression:      a.loadSuppressions,
		monitor.KindSettings:         a.loadSettings,
		monitor.KindMapping:          a.loadMappings,
	}
}

// loadSettings loads what administrators have set: the setup, and lists that rules read.
func (a *App) loadSettings(ctx context.Context) error {
	if err := a.loadSetup(ctx); err != nil {
		return err
	}
	return a.loadPlaceholders(ctx)
}

// watch loads all that is kept in memory and gives the feed of what changes it
// from then on.
func (a *App) watch(ctx context.Context) (*feed.Subscription, error) {
	changes, _, err := a.tail.Subscribe(ctx, nil) // first: a change during the load comes again
	if err != nil {
		return nil, err
	}
	for _, load := range a.kept() {
		if err := load(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.loadIndicators(ctx); err != nil {
		return nil, err
	}
	return changes, nil
}

// follow loads again what the journal tells to have changed, on this replica or
// another.
func (a *App) follow(ctx context.Context, changes *feed.Subscription) {
	err := a.reload(ctx, changes)
	for ctx.Err() == nil {
		a.lg.Warn("following the journal again", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		if changes, err = a.watch(ctx); err == nil {
			err = a.reload(ctx, changes)
		}
	}
}

// reload ends only with an error: the feed's, the database's or that of ctx.
func (a *App) reload(ctx context.Context, changes *feed.Subscription) error {
	kept := a.kept()
	for {
		entries, err := changes.Next(ctx, 256)
		if err != nil {
			return err
		}
		if err := a.followIndicators(ctx, entries); err != nil {
			return err
		}
		old := map[monitor.Kind]bool{}
		for _, e := range entries {
			// What is kept never shares an entry with other kinds.
			if len(e.Body.Changes) > 0 && kept[e.Body.Changes[0].Kind] != nil {
				old[e.Body.Changes[0].Kind] = true
			}
		}
		for kind := range old {
			if err := kept[kind](ctx); err != nil {
				return err
			}
		}
	}
}
