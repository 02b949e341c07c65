package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Incidents keeps incidents. Changes are refused with CONFLICT, NOT_FOUND or
// BAD_INPUT and then leave everything as it was.
type Incidents interface {
	Incidents(ctx context.Context, filter *monitor.IncidentFilter, args page.Args) (*monitor.IncidentConnection, error)
	IncidentsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Incident, error)
	AlertsOfIncident(ctx context.Context, incident monitor.ID, args page.Args) (*monitor.AlertConnection, error)
	CreateIncident(ctx context.Context, actor monitor.Actor, i monitor.Incident, alerts []monitor.ID) (*monitor.Incident, error)
	UpdateIncident(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, change func(*monitor.Incident, time.Time) error) (*monitor.Incident, error)
}

type incidentResolver struct{ *Resolver }

// Incident answers the fields of Incident that are more than a value.
func (r *Resolver) Incident() graph.IncidentResolver { return incidentResolver{r} }

// Incidents lists incidents.
func (r queryResolver) Incidents(ctx context.Context, filter *monitor.IncidentFilter, first int, after *string) (*monitor.IncidentConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	position := r.Feed.Position().Cursor() // before the list: what changes in between comes twice, not never
	connection, err := r.Resolver.Incidents.Incidents(ctx, filter, args)
	if err != nil {
		return nil, err
	}
	connection.Position = position
	return connection, nil
}

// Incident gives one incident.
func (r queryResolver) Incident(ctx context.Context, id string) (*monitor.Incident, error) {
	return byGlobalID(ctx, monitor.KindIncident, id, r.IncidentsByID)
}

// IncidentsByID loads incidents.
func (r *Resolver) IncidentsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Incident, error) {
	return r.Incidents.IncidentsByID(ctx, ids)
}

// IncidentCreate opens an incident.
func (r mutationResolver) IncidentCreate(ctx context.Context, input model.IncidentCreateInput) (*model.IncidentPayload, error) {
	alerts := make([]monitor.ID, len(input.Alerts))
	var incident *monitor.Incident
	var err error
	for i, id := range input.Alerts {
		if alerts[i], err = monitor.ParseIDOf(monitor.KindAlert, id); err != nil {
			break
		}
	}
	if err == nil {
		wanted := monitor.Incident{Title: input.Title, Severity: input.Severity}
		incident, err = r.Incidents.CreateIncident(ctx, monitor.ViewerFrom(ctx).Actor(), wanted, alerts)
	}
	mendable, err := userErrors(err)
	return &model.IncidentPayload{Incident: incident, Errors: mendable}, err
}

// IncidentClose closes an incident.
func (r mutationResolver) IncidentClose(ctx context.Context, input model.IncidentCloseInput) (*model.IncidentPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindIncident, input.ID)
	var incident *monitor.Incident
	if err == nil {
		incident, err = r.Incidents.UpdateIncident(ctx, monitor.ViewerFrom(ctx).Actor(), monitor.ActionIncidentClose, id, input.ExpectedVersion, func(i *monitor.Incident, now time.Time) error {
			return i.Close(input.Reason, now)
		})
	}
	mendable, err := userErrors(err)
	return &model.IncidentPayload{Incident: incident, Errors: mendable}, err
}

func (incidentResolver) Assignee(ctx context.Context, i *monitor.Incident) (*monitor.User, error) {
	return loadUser(ctx, i.AssigneeID)
}

func (r incidentResolver) Alerts(ctx context.Context, i *monitor.Incident, first int, after *string) (*monitor.AlertConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	position := r.Feed.Position().Cursor()
	connection, err := r.Incidents.AlertsOfIncident(ctx, i.ID, args)
	if err != nil {
		return nil, err
	}
	connection.Position = position
	connection.TotalCount = i.AlertCount
	return connection, nil
}

func (r incidentResolver) Journal(ctx context.Context, i *monitor.Incident, first int, after *string) (*monitor.JournalConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	entries, err := r.Discussion.JournalOf(ctx, monitor.KindIncident, i.ID, args)
	if err != nil {
		return nil, err
	}
	return r.journalOf(ctx, i.ID, entries)
}

// IncidentFeed gives every change of the incidents that match.
func (r subscriptionResolver) IncidentFeed(ctx context.Context, filter *monitor.IncidentFilter, _ *string) (<-chan *model.IncidentFeedBatch, error) {
	matching, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	return follow(ctx, r.Feed, func(page monitor.JournalPage) (messages[model.IncidentFeedBatch], error) {
		batch := &model.IncidentFeedBatch{Cursor: page.At.Cursor(), Entries: []*model.IncidentFeedEntry{}}
		for _, e := range page.Entries {
			changed, err := listChanges(&r.incidentStates, monitor.KindIncident, &matching, e)
			if err != nil {
				return messages[model.IncidentFeedBatch]{}, err
			}
			for _, c := range changed {
				batch.Entries = append(batch.Entries, &model.IncidentFeedEntry{
					Change: c.change, Cursor: r.Feed.PositionOf(e).Cursor(), Action: c.action, Actor: e.Body.Actor, At: e.Body.At, Incident: *c.after,
				})
			}
		}
		return one(batch, len(batch.Entries)), nil
	})
}
