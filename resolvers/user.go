package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
)

type commentResolver struct{ *Resolver }

// Comment answers the fields of Comment that are more than a value.
func (r *Resolver) Comment() graph.CommentResolver { return commentResolver{r} }

func (commentResolver) Author(ctx context.Context, c *monitor.Comment) (*monitor.User, error) {
	return loadUser(ctx, c.AuthorID)
}

// Mentions gives the people whom a comment names.
func (commentResolver) Mentions(ctx context.Context, c *monitor.Comment) ([]*monitor.User, error) {
	return loadNames(ctx, monitor.MentionedNames(c.Body))
}

// Users lists people.
func (r queryResolver) Users(ctx context.Context, disabledToo bool, first int, after *string) (*monitor.UserConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.Users.Users(ctx, disabledToo, args)
}

// Node gives any entity.
func (r queryResolver) Node(ctx context.Context, id string) (monitor.Node, error) {
	kind, _, err := monitor.ParseGlobalID(id)
	if err != nil {
		return nil, err
	}
	switch kind {
	case monitor.KindEvent:
		return node(r.Event(ctx, id))
	case monitor.KindAlert:
		return node(r.Alert(ctx, id, nil))
	case monitor.KindRule:
		return node(r.Rule(ctx, id))
	case monitor.KindUser:
		return node(byGlobalID(ctx, kind, id, r.Resolver.Users.UsersByID))
	case monitor.KindAsset:
		return node(r.Asset(ctx, id))
	case monitor.KindIndicator:
		return node(r.Indicator(ctx, id))
	case monitor.KindIncident:
		return node(r.Incident(ctx, id, nil))
	case monitor.KindIncidentTask:
		return node(byGlobalID[monitor.IncidentTask](ctx, kind, id, r.IncidentTasks.IncidentTasksByID))
	case monitor.KindIncidentGrouping:
		return node(byGlobalID(ctx, kind, id, r.Groupings.IncidentGroupingsByID))
	case monitor.KindSource:
		return node(r.Source(ctx, id))
	case monitor.KindMapping:
		return node(r.Mapping(ctx, id))
	case monitor.KindDeadLetter:
		return node(r.DeadLetter(ctx, id))
	case monitor.KindSuppression:
		return node(r.Suppression(ctx, id))
	case monitor.KindWebhook:
		return node(r.Webhook(ctx, id))
	case monitor.KindChannel:
		return node(r.Channel(ctx, id))
	case monitor.KindJob:
		return node(r.Job(ctx, id))
	case monitor.KindSavedView:
		return node(byGlobalID(ctx, kind, id, func(ctx context.Context, ids []monitor.ID) ([]*monitor.SavedView, error) {
			return r.Resolver.SavedViews.SavedViewsByID(ctx, keeper(ctx), ids)
		}))
	case monitor.KindSavedOperation:
		return node(byGlobalID(ctx, kind, id, func(ctx context.Context, ids []monitor.ID) ([]*monitor.SavedOperation, error) {
			return r.Resolver.SavedOperations.SavedOperationsByID(ctx, keeper(ctx), ids)
		}))
	case monitor.KindComment:
		key, err := monitor.ParseIDOf(kind, id)
		if err != nil {
			return nil, err
		}
		comment, _, err := r.Discussion.Comment(ctx, key)
		return node(comment, err)
	default:
		return nil, monitor.Errorf(monitor.CodeBadInput, "%q is not the id of anything that can be looked up", id)
	}
}

// node makes a nil pointer a nil Node.
func node[T any, P interface {
	*T
	monitor.Node
}](p P, err error) (monitor.Node, error) {
	if err != nil || p == nil {
		return nil, err
	}
	return p, nil
}
