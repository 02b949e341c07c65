package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Archives keep what became of old events.
type Archives interface {
	EventDays(ctx context.Context) ([]*monitor.EventDay, error)
	EventArchives(ctx context.Context, args page.Args) (*monitor.EventArchiveConnection, error)
	EventRestores(ctx context.Context, args page.Args) (*monitor.EventRestoreConnection, error)
	// EventRestore begins a job; CONFLICT without an archive, RATE_LIMITED when too many run.
	EventRestore(ctx context.Context, actor monitor.Actor, r *monitor.EventRestore) (*monitor.Job, error)
	// ArchivePath is where the archive is, for people; nil without one.
	ArchivePath() *string
}

type eventResolver struct{ *Resolver }

// Event answers the fields of Event that are more than a value.
func (r *Resolver) Event() graph.EventResolver { return eventResolver{r} }

// Held tells whether somebody holds the event.
func (eventResolver) Held(ctx context.Context, e *monitor.Event) (bool, error) {
	return loadersOf(ctx).held.Load(ctx, e.ID)
}

// heldEvents is the batch of the loader.
func (r *Resolver) heldEvents(ctx context.Context, ids []monitor.EventID) ([]bool, error) {
	held, err := r.Events.HeldEvents(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]bool, len(ids))
	for i, id := range ids {
		out[i] = held[id]
	}
	return out, nil
}

// EventDays lists the days of stored events.
func (r queryResolver) EventDays(ctx context.Context) ([]*monitor.EventDay, error) {
	return r.Archives.EventDays(ctx)
}

// EventArchives lists archives.
func (r queryResolver) EventArchives(ctx context.Context, first int, after *string) (*monitor.EventArchiveConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Archives.EventArchives(ctx, args)
}

// EventRestores lists restores.
func (r queryResolver) EventRestores(ctx context.Context, first int, after *string) (*monitor.EventRestoreConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Archives.EventRestores(ctx, args)
}

// EventRestore begins to bring events back.
func (r mutationResolver) EventRestore(ctx context.Context, input model.EventRestoreInput) (*model.JobPayload, error) {
	job, err := r.Archives.EventRestore(ctx, monitor.ViewerFrom(ctx).Actor(), &monitor.EventRestore{
		From: input.From.UTC(), To: input.To.UTC(), Query: input.Query, Until: time.Now().Add(time.Duration(input.Hold)),
	})
	mendable, err := userErrors(err)
	return &model.JobPayload{Job: job, Errors: mendable}, err
}

func retentionRules(rules []monitor.RetentionRule) []*monitor.RetentionRule {
	out := make([]*monitor.RetentionRule, len(rules))
	for i := range rules {
		out[i] = &rules[i]
	}
	return out
}

func retentionRulesOf(input []*model.RetentionRuleInput) []monitor.RetentionRule {
	var rules []monitor.RetentionRule
	for _, r := range input {
		rules = append(rules, monitor.RetentionRule{Name: r.Name, Product: r.Product, Category: r.Category, Service: r.Service, Format: r.Format, Keep: time.Duration(r.Keep)})
	}
	return rules
}
