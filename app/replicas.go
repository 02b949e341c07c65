package app

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// databasePatience bounds the look at the database that a replica takes to say
// how it is: below the time in which the others wait for its answer.
const databasePatience = 500 * time.Millisecond

// Health tells how each replica is that answers.
func (a *App) Health(ctx context.Context) *monitor.ServerHealth {
	answers, complete := a.bus.Ask(ctx, question{Health: true})
	health := &monitor.ServerHealth{Replicas: []*monitor.Replica{a.self(ctx)}, Complete: complete}
	for _, answer := range answers {
		var theirs monitor.Replica
		if err := json.Unmarshal(answer, &theirs); err != nil { // an older release knows the question by another name
			a.lg.Warn("health: unreadable answer of a replica", "error", err)
			health.Complete = false
			continue
		}
		health.Replicas = append(health.Replicas, &theirs)
	}
	slices.SortFunc(health.Replicas, monitor.CompareReplicas)
	return health
}

// self is how this replica is.
func (a *App) self(ctx context.Context) *monitor.Replica {
	stats := a.LiveStats()
	r := &monitor.Replica{
		Name: a.name, Version: Version, StartedAt: a.started, Redis: a.tail.BusUp(),
		Subscriptions: int(stats.Members), Connections: int(stats.Connections),
		IngestWaiting: a.pipe.Waiting(), IngestPlaces: a.pipe.Places(),
		JobsRunning: len(a.jobs), JobPlaces: cap(a.jobs), ExportsRunning: len(a.exports), ExportPlaces: cap(a.exports),
	}
	if rules := a.engine.Ruleset(); rules != nil {
		r.RulesRunning = rules.Len()
	}
	ctx, cancel := context.WithTimeout(ctx, databasePatience)
	defer cancel()
	seen, begun := a.tail.Position(), time.Now()
	head, err := a.Store.Head(ctx)
	if err != nil {
		return r
	}
	took := time.Since(begun)
	r.Database = &took
	if head.Epoch == seen.Epoch && head.Seq > seen.Seq {
		r.Behind = int(head.Seq - seen.Seq) //nolint:gosec // within retention
	}
	return r
}
