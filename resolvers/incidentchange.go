package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// IncidentMoves moves alerts in and out of incidents. Changes are refused as those
// of Incidents are.
type IncidentMoves interface {
	AddIncidentAlerts(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, alerts []monitor.ID) (*monitor.Incident, error)
	AddMatchingAlerts(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, filter *monitor.AlertFilter) (*monitor.Incident, error)
	RemoveIncidentAlerts(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, alerts []monitor.ID) (*monitor.Incident, error)
	SplitIncident(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, fresh monitor.Incident, alerts []monitor.ID) (from, made *monitor.Incident, err error)
	MergeIncidents(ctx context.Context, actor monitor.Actor, into monitor.ID, expected *int, from []monitor.ID) (*monitor.Incident, error)
}

// IncidentCreate opens an incident.
func (r mutationResolver) IncidentCreate(ctx context.Context, input model.IncidentCreateInput) (*model.IncidentPayload, error) {
	alerts, err := parseIDs(monitor.KindAlert, input.Alerts)
	if err != nil {
		return incidentPayload(nil, err)
	}
	wanted := monitor.Incident{Title: input.Title, Description: input.Description, Severity: input.Severity}
	return incidentPayload(r.Incidents.CreateIncident(ctx, monitor.ViewerFrom(ctx).Actor(), wanted, alerts))
}

// IncidentUpdate changes an incident.
func (r mutationResolver) IncidentUpdate(ctx context.Context, input model.IncidentUpdateInput) (*model.IncidentPayload, error) {
	assignee, err := r.assignee(ctx, input.Assignee.Value())
	if err != nil {
		return incidentPayload(nil, err)
	}
	return r.updateIncident(ctx, monitor.ActionIncidentUpdate, input.ID, input.ExpectedVersion, func(i *monitor.Incident, _ time.Time) error {
		set(&i.Title, input.Title)
		set(&i.Description, input.Description)
		set(&i.Severity, input.Severity)
		if input.Assignee.IsSet() {
			i.AssigneeID = assignee
		}
		if input.Status == nil {
			return nil
		}
		return i.Begin(*input.Status)
	})
}

// set changes what the input says something about.
func set[T any](field, wanted *T) {
	if wanted != nil {
		*field = *wanted
	}
}

// IncidentAssign gives the incident to somebody or nobody.
func (r mutationResolver) IncidentAssign(ctx context.Context, input model.IncidentAssignInput) (*model.IncidentPayload, error) {
	assignee, err := r.assignee(ctx, input.Assignee)
	if err != nil {
		return incidentPayload(nil, err)
	}
	return r.updateIncident(ctx, monitor.ActionIncidentAssign, input.ID, input.ExpectedVersion, func(i *monitor.Incident, _ time.Time) error {
		i.AssigneeID = assignee
		return nil
	})
}

// IncidentClose closes an incident.
func (r mutationResolver) IncidentClose(ctx context.Context, input model.IncidentCloseInput) (*model.IncidentPayload, error) {
	var disposition monitor.AlertDisposition
	set(&disposition, input.Disposition)
	return r.updateIncident(ctx, monitor.ActionIncidentClose, input.ID, input.ExpectedVersion, func(i *monitor.Incident, now time.Time) error {
		return i.Close(disposition, input.Reason, now)
	})
}

// IncidentReopen takes a closed incident up again.
func (r mutationResolver) IncidentReopen(ctx context.Context, input model.IncidentReopenInput) (*model.IncidentPayload, error) {
	return r.updateIncident(ctx, monitor.ActionIncidentReopen, input.ID, input.ExpectedVersion, func(i *monitor.Incident, _ time.Time) error {
		return i.Reopen(input.Reason)
	})
}

// IncidentAddAlerts puts alerts into an incident.
func (r mutationResolver) IncidentAddAlerts(ctx context.Context, input model.IncidentAddAlertsInput) (*model.IncidentPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindIncident, input.ID)
	if err != nil {
		return incidentPayload(nil, err)
	}
	alerts, err := parseIDs(monitor.KindAlert, input.Alerts)
	if err == nil && (len(alerts) > 0) == (input.Filter != nil) {
		err = monitor.InputErrorf("alerts", "give either alerts or a filter")
	}
	if err != nil {
		return incidentPayload(nil, err)
	}
	actor := monitor.ViewerFrom(ctx).Actor()
	if input.Filter != nil {
		return incidentPayload(r.IncidentMoves.AddMatchingAlerts(ctx, actor, id, input.ExpectedVersion, input.Filter))
	}
	return incidentPayload(r.IncidentMoves.AddIncidentAlerts(ctx, actor, id, input.ExpectedVersion, alerts))
}

// IncidentRemoveAlerts takes alerts out of an incident.
func (r mutationResolver) IncidentRemoveAlerts(ctx context.Context, input model.IncidentRemoveAlertsInput) (*model.IncidentPayload, error) {
	id, alerts, err := parseIncidentAlerts(input.ID, input.Alerts)
	if err != nil {
		return incidentPayload(nil, err)
	}
	return incidentPayload(r.IncidentMoves.RemoveIncidentAlerts(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, alerts))
}

// IncidentMerge moves other incidents into one.
func (r mutationResolver) IncidentMerge(ctx context.Context, input model.IncidentMergeInput) (*model.IncidentPayload, error) {
	into, err := monitor.ParseIDOf(monitor.KindIncident, input.Into)
	if err != nil {
		return incidentPayload(nil, err)
	}
	from, err := parseIDs(monitor.KindIncident, input.From)
	if err != nil {
		return incidentPayload(nil, err)
	}
	return incidentPayload(r.IncidentMoves.MergeIncidents(ctx, monitor.ViewerFrom(ctx).Actor(), into, input.ExpectedVersion, from))
}

// IncidentSplit opens an incident with some alerts of another.
func (r mutationResolver) IncidentSplit(ctx context.Context, input model.IncidentSplitInput) (*model.IncidentSplitPayload, error) {
	var from, made *monitor.Incident
	id, alerts, err := parseIncidentAlerts(input.ID, input.Alerts)
	if err == nil {
		wanted := monitor.Incident{Title: input.Title}
		set(&wanted.Severity, input.Severity)
		from, made, err = r.IncidentMoves.SplitIncident(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, wanted, alerts)
	}
	mendable, err := userErrors(err)
	return &model.IncidentSplitPayload{Incident: from, Created: made, Errors: mendable}, err
}

// IncidentComment writes a comment.
func (r mutationResolver) IncidentComment(ctx context.Context, input model.IncidentCommentInput) (*model.IncidentCommentPayload, error) {
	viewer := monitor.ViewerFrom(ctx)
	c := monitor.Comment{Body: input.Body}
	if viewer.User != nil {
		c.AuthorID = viewer.User.ID
	}
	var comment *monitor.Comment
	var incident *monitor.Incident
	var err error
	if c.IncidentID, err = monitor.ParseIDOf(monitor.KindIncident, input.ID); err == nil {
		comment, incident, err = r.IncidentComments.AddIncidentComment(ctx, viewer.Actor(), c)
	}
	mendable, err := userErrors(err)
	return &model.IncidentCommentPayload{Comment: comment, Incident: incident, Errors: mendable}, err
}

func (r mutationResolver) updateIncident(ctx context.Context, action, global string, expected *int, change func(*monitor.Incident, time.Time) error) (*model.IncidentPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindIncident, global)
	if err != nil {
		return incidentPayload(nil, err)
	}
	return incidentPayload(r.Incidents.UpdateIncident(ctx, monitor.ViewerFrom(ctx).Actor(), action, id, expected, change))
}

func incidentPayload(incident *monitor.Incident, err error) (*model.IncidentPayload, error) {
	mendable, err := userErrors(err)
	return &model.IncidentPayload{Incident: incident, Errors: mendable}, err
}

// assignee gives the id of a user who can be given work; zero for nobody.
func (r *Resolver) assignee(ctx context.Context, global *string) (monitor.ID, error) {
	if global == nil {
		return monitor.ID{}, nil
	}
	user, err := byGlobalID(ctx, monitor.KindUser, *global, r.Users.UsersByID)
	if err == nil && (user == nil || user.Disabled) {
		err = monitor.InputErrorf("assignee", "there is no such user")
	}
	if err != nil {
		return monitor.ID{}, err
	}
	return user.ID, nil
}

func parseIDs(kind monitor.Kind, globals []string) ([]monitor.ID, error) {
	ids := make([]monitor.ID, len(globals))
	for i, global := range globals {
		var err error
		if ids[i], err = monitor.ParseIDOf(kind, global); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func parseIncidentAlerts(incident string, alerts []string) (id monitor.ID, ids []monitor.ID, err error) {
	if id, err = monitor.ParseIDOf(monitor.KindIncident, incident); err == nil {
		ids, err = parseIDs(monitor.KindAlert, alerts)
	}
	return id, ids, err
}
