package resolvers

import (
	"context"
	"slices"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Consumers knows what runs at this moment, on all replicas.
type Consumers interface {
	// Consumers gives those of a user or token, all where of is zero, the longest
	// running first; complete is false when a replica did not answer.
	Consumers(ctx context.Context, of monitor.ID) (all []*monitor.FeedConsumer, complete bool)
	// Health tells how each replica is that answers within a second.
	Health(ctx context.Context) *monitor.ServerHealth
}

// maxOwnFeeds bounds a list that has no pages.
const maxOwnFeeds = 1_000

type feedConsumerResolver struct{ *Resolver }

// FeedConsumer answers the fields of FeedConsumer that are more than a value.
func (r *Resolver) FeedConsumer() graph.FeedConsumerResolver { return feedConsumerResolver{r} }

func (feedConsumerResolver) Position(_ context.Context, c *monitor.FeedConsumer) (string, error) {
	return c.Position.Cursor(), nil
}

func (r viewerResolver) Feeds(ctx context.Context, v *monitor.Viewer) ([]*monitor.FeedConsumer, error) {
	all, _ := r.Running.Consumers(ctx, v.Actor().ID)
	return all[:min(len(all), maxOwnFeeds)], nil
}

// ServerHealth tells how the replicas are.
func (r queryResolver) ServerHealth(ctx context.Context) (*monitor.ServerHealth, error) {
	return r.Running.Health(ctx), nil
}

// FeedConsumers lists all running subscriptions.
func (r queryResolver) FeedConsumers(ctx context.Context, first int, after *string) (*monitor.FeedConsumerConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	all, complete := r.Running.Consumers(ctx, monitor.ID{})
	if args.After != "" {
		var last monitor.FeedConsumer
		if err := page.DecodeCursor(args.After, &last.Since, &last.ID); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		all = slices.DeleteFunc(all, func(c *monitor.FeedConsumer) bool { return monitor.CompareConsumers(c, &last) <= 0 })
	}
	connection := page.Build(all[:min(len(all), args.First+1)], args, func(c *monitor.FeedConsumer) string { return page.EncodeCursor(c.Since, c.ID) })
	return &monitor.FeedConsumerConnection{Connection: *connection, Complete: complete}, nil
}
