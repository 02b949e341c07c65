package app

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

// sourcePeriod is how often is looked for sources that have fallen silent.
const sourcePeriod = 10 * time.Second

// sourceStart is how long a replica does not look at first: where all were down nobody
// was listened to, and senders need a while to come back.
const sourceStart = 5 * time.Minute

// watchSources raises alerts about sources that fall silent until ctx ends. Every replica
// does; each silence raises one.
func (a *App) watchSources(ctx context.Context) {
	for pause := sourceStart; ; pause = sourcePeriod {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		n, err := a.Store.NoteSilence(ctx)
		if err != nil && ctx.Err() == nil {
			a.lg.Warn("look for silent sources", "error", err)
		}
		if n > 0 {
			a.lg.Info("sources fell silent", "count", n)
		}
	}
}

// trimSources does the upkeep of sources and dead letters.
func (a *App) trimSources(ctx context.Context) {
	for _, trim := range []func(context.Context) error{a.Store.TrimSources, a.Store.ForgetSources, a.Store.TrimDeadLetters} {
		if err := trim(ctx); err != nil && ctx.Err() == nil {
			a.upkeepFailed("sources", "trim sources and dead letters", err)
		}
	}
}

// replays sends dead letters through the intake again.
type replays struct{ intake *ingest.Intake }

// Replay says of each what became of it.
func (r replays) Replay(ctx context.Context, letters []*monitor.DeadLetter, asText bool) ([]*monitor.LetterReplay, error) {
	return r.intake.Replay(ctx, letters, asText)
}
