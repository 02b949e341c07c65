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
	AlertsOfIncident(ctx context.Context, incident monitor.ID, filter *monitor.AlertFilter, args page.Args) (*monitor.AlertConnection, error)
	CreateIncident(ctx context.Context, actor monitor.Actor, i monitor.Incident, alerts []monitor.ID) (*monitor.Incident, error)
	IncidentsAsOf(ctx context.Context, at time.Time, filter *monitor.IncidentFilter, args page.Args) (*monitor.IncidentConnection, error)
	IncidentAsOf(ctx context.Context, at time.Time, id monitor.ID) (*monitor.Incident, error)
	UpdateIncident(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, change func(*monitor.Incident, time.Time) error) (*monitor.Incident, error)
}

// IncidentReading tells what is in incidents, from a bounded number of rows each.
type IncidentReading interface {
	IncidentTimeline(ctx context.Context, incident monitor.ID, args page.Args) (*monitor.IncidentTimelineConnection, error)
	AlertGroupsOfIncidents(ctx context.Context, incidents []monitor.ID) ([]*monitor.IncidentGroups, error)
	IncidentSpans(ctx context.Context, incidents []monitor.ID) ([]*monitor.IncidentSpan, error)
	IncidentEntities(ctx context.Context, incident monitor.ID) (*monitor.IncidentEntities, error)
}

// IncidentComments keeps what people write on incidents.
type IncidentComments interface {
	AddIncidentComment(ctx context.Context, actor monitor.Actor, c monitor.Comment) (*monitor.Comment, *monitor.Incident, error)
	CommentsOfIncident(ctx context.Context, incident monitor.ID, args page.Args) (*monitor.CommentConnection, error)
}

type incidentResolver struct{ *Resolver }

// Incident answers the fields of Incident that are more than a value.
func (r *Resolver) Incident() graph.IncidentResolver { return incidentResolver{r} }

// Incidents lists incidents.
func (r queryResolver) Incidents(ctx context.Context, filter *monitor.IncidentFilter, first int, after *string, asOf *time.Time) (*monitor.IncidentConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	position := r.Feed.Position().Cursor() // before the list: what changes in between comes twice, not never
	connection, err := r.incidentsAt(ctx, asOf, filter, args)
	if err != nil {
		return nil, err
	}
	connection.Position = position
	return connection, nil
}

func (r *Resolver) incidentsAt(ctx context.Context, asOf *time.Time, filter *monitor.IncidentFilter, args page.Args) (*monitor.IncidentConnection, error) {
	if asOf != nil {
		return r.Incidents.IncidentsAsOf(ctx, *asOf, filter, args)
	}
	return r.Incidents.Incidents(ctx, filter, args)
}

// Incident gives one incident.
func (r queryResolver) Incident(ctx context.Context, id string, asOf *time.Time) (*monitor.Incident, error) {
	if asOf != nil {
		key, err := monitor.ParseIDOf(monitor.KindIncident, id)
		if err != nil {
			return nil, err
		}
		return r.Resolver.Incidents.IncidentAsOf(ctx, *asOf, key)
	}
	return byGlobalID(ctx, monitor.KindIncident, id, r.IncidentsByID)
}

// IncidentsByID loads incidents.
func (r *Resolver) IncidentsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Incident, error) {
	return r.Incidents.IncidentsByID(ctx, ids)
}

func (incidentResolver) Assignee(ctx context.Context, i *monitor.Incident) (*monitor.User, error) {
	return loadUser(ctx, i.AssigneeID)
}

func (incidentResolver) FirstSeen(ctx context.Context, i *monitor.Incident) (*time.Time, error) {
	span, err := loadersOf(ctx).spans.Load(ctx, i.ID)
	if err != nil || span == nil {
		return nil, err
	}
	return optionalTime(span.FirstSeen), nil
}

func (incidentResolver) LastSeen(ctx context.Context, i *monitor.Incident) (*time.Time, error) {
	span, err := loadersOf(ctx).spans.Load(ctx, i.ID)
	if err != nil || span == nil {
		return nil, err
	}
	return optionalTime(span.LastSeen), nil
}

func (incidentResolver) MergedInto(ctx context.Context, i *monitor.Incident) (*monitor.Incident, error) {
	return loadIncident(ctx, i.MergedIntoID)
}

// Incident gives the incident that an alert belongs to.
func (alertResolver) Incident(ctx context.Context, a *monitor.Alert) (*monitor.Incident, error) {
	return loadIncident(ctx, a.IncidentID)
}

// loadIncident gives nil for none.
func loadIncident(ctx context.Context, id monitor.ID) (*monitor.Incident, error) {
	if id.IsZero() {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return loadersOf(ctx).incidents.Load(ctx, id)
}

func (incidentResolver) Grouping(ctx context.Context, i *monitor.Incident) (*monitor.IncidentGrouping, error) {
	if i.GroupingID.IsZero() {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return loadersOf(ctx).groupings.Load(ctx, i.GroupingID)
}

func (incidentResolver) AlertCounts(ctx context.Context, i *monitor.Incident) (*model.AlertCounts, error) {
	counted, err := loadersOf(ctx).counts.Load(ctx, i.ID)
	if err != nil || counted == nil {
		return alertCounts(nil), err
	}
	return alertCounts(counted.Groups), nil
}

func (incidentResolver) Entities(ctx context.Context, i *monitor.Incident) (*monitor.IncidentEntities, error) {
	return loadersOf(ctx).entities.Load(ctx, i.ID)
}

func (incidentResolver) Techniques(ctx context.Context, i *monitor.Incident) ([]*monitor.EntityCount, error) {
	entities, err := loadersOf(ctx).entities.Load(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	out := make([]*monitor.EntityCount, len(entities.Techniques))
	for n := range entities.Techniques {
		out[n] = &entities.Techniques[n]
	}
	return out, nil
}

// entitiesOf serves entities and techniques of one incident with one reading. A
// list of incidents takes one for each; the cost of the field says so.
func (r *Resolver) entitiesOf(ctx context.Context, incidents []monitor.ID) ([]*monitor.IncidentEntities, error) {
	out := make([]*monitor.IncidentEntities, len(incidents))
	for i, id := range incidents {
		var err error
		if out[i], err = r.IncidentReading.IncidentEntities(ctx, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r incidentResolver) Comments(ctx context.Context, i *monitor.Incident, first int, after *string) (*monitor.CommentConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.IncidentComments.CommentsOfIncident(ctx, i.ID, args)
}

func (r incidentResolver) Timeline(ctx context.Context, i *monitor.Incident, first int, after *string) (*monitor.IncidentTimelineConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.IncidentReading.IncidentTimeline(ctx, i.ID, args)
}

func (r incidentResolver) Alerts(ctx context.Context, i *monitor.Incident, filter *monitor.AlertFilter, first int, after *string) (*monitor.AlertConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	position := r.Feed.Position().Cursor()
	connection, err := r.Incidents.AlertsOfIncident(ctx, i.ID, filter, args)
	if err != nil {
		return nil, err
	}
	connection.Position = position
	connection.TotalCount = i.AlertCount
	if filter != nil && asked(ctx, "totalCount", "totalCountIsEstimate") {
		id := i.GlobalID()
		within := &monitor.AlertFilter{And: []*monitor.AlertFilter{{Incident: &monitor.IDFilter{Eq: &id}}, filter}}
		connection.TotalCount, connection.TotalCountIsEstimate, err = r.Resolver.Alerts.CountAlerts(ctx, within, countBound)
		if err != nil {
			return nil, err
		}
	}
	return connection, nil
}

func (r incidentResolver) Journal(ctx context.Context, i *monitor.Incident, first int, after *string) (*monitor.JournalConnection, error) {
	return r.journalOf(ctx, monitor.KindIncident, i.ID, first, after)
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
