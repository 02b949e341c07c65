package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// Merging joins alerts. Changes are refused as those of Alerts.
type Merging interface {
	MergeAlerts(ctx context.Context, actor monitor.Actor, into monitor.ID, expected *int, from []monitor.ID) (*monitor.Alert, error)
	DetachAlert(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.Alert, error)
}

// Claims keeps who looks at which alert.
type Claims interface {
	ClaimAlert(ctx context.Context, actor monitor.Actor, id, by monitor.ID, takeOver bool) (*monitor.Alert, error)
	ReleaseAlert(ctx context.Context, actor monitor.Actor, id, by monitor.ID) (*monitor.Alert, error)
}

type alertClaimResolver struct{ *Resolver }

// AlertClaim answers the fields of AlertClaim that are more than a value.
func (r *Resolver) AlertClaim() graph.AlertClaimResolver { return alertClaimResolver{r} }

// AlertStart says that work on the alert has begun.
func (r mutationResolver) AlertStart(ctx context.Context, input model.AlertStartInput) (*model.AlertPayload, error) {
	viewer := monitor.ViewerFrom(ctx)
	return r.updateAlert(ctx, monitor.ActionAlertStart, input.ID, input.ExpectedVersion, func(a *monitor.Alert, now time.Time) error {
		if a.AssigneeID.IsZero() && viewer.User != nil {
			a.AssigneeID = viewer.User.ID
		}
		return a.Start(now)
	})
}

// AlertSetSeverity overrides the rule's severity.
func (r mutationResolver) AlertSetSeverity(ctx context.Context, input model.AlertSetSeverityInput) (*model.AlertPayload, error) {
	return r.updateAlert(ctx, monitor.ActionAlertSeverity, input.ID, input.ExpectedVersion, func(a *monitor.Alert, _ time.Time) error {
		if input.Severity == nil {
			a.SetSeverity("")
			return nil
		}
		a.SetSeverity(*input.Severity)
		return nil
	})
}

// AlertTag changes the alert's tags.
func (r mutationResolver) AlertTag(ctx context.Context, input model.AlertTagInput) (*model.AlertPayload, error) {
	return r.updateAlert(ctx, monitor.ActionAlertTag, input.ID, input.ExpectedVersion, func(a *monitor.Alert, _ time.Time) error {
		return a.Tag(input.Add, input.Remove)
	})
}

// AlertMerge takes other alerts into this one.
func (r mutationResolver) AlertMerge(ctx context.Context, input model.AlertMergeInput) (*model.AlertPayload, error) {
	from, err := idsOf(monitor.KindAlert, "from", input.From)
	if err != nil {
		return alertPayload(nil, err)
	}
	return r.onAlert(ctx, input.ID, func(actor monitor.Actor, id monitor.ID) (*monitor.Alert, error) {
		return r.Merging.MergeAlerts(ctx, actor, id, input.ExpectedVersion, from)
	})
}

// AlertDetach takes a merged alert out of the other.
func (r mutationResolver) AlertDetach(ctx context.Context, input model.AlertDetachInput) (*model.AlertPayload, error) {
	return r.onAlert(ctx, input.ID, func(actor monitor.Actor, id monitor.ID) (*monitor.Alert, error) {
		return r.Merging.DetachAlert(ctx, actor, id, input.ExpectedVersion)
	})
}

// AlertClaim shows that the viewer looks at the alert.
func (r mutationResolver) AlertClaim(ctx context.Context, input model.AlertClaimInput) (*model.AlertPayload, error) {
	return r.onAlert(ctx, input.ID, func(actor monitor.Actor, id monitor.ID) (*monitor.Alert, error) {
		user, err := personOf(ctx)
		if err != nil {
			return nil, err
		}
		return r.Claims.ClaimAlert(ctx, actor, id, user, input.TakeOver)
	})
}

// AlertRelease ends the viewer's claim.
func (r mutationResolver) AlertRelease(ctx context.Context, input model.AlertReleaseInput) (*model.AlertPayload, error) {
	return r.onAlert(ctx, input.ID, func(actor monitor.Actor, id monitor.ID) (*monitor.Alert, error) {
		user, err := personOf(ctx)
		if err != nil {
			return nil, err
		}
		return r.Claims.ReleaseAlert(ctx, actor, id, user)
	})
}

// personOf gives the person that asks; a token has none.
func personOf(ctx context.Context) (monitor.ID, error) {
	viewer := monitor.ViewerFrom(ctx)
	if viewer.User == nil {
		return monitor.ID{}, monitor.Errorf(monitor.CodeBadInput, "only a person can look at an alert; this is an API token")
	}
	return viewer.User.ID, nil
}

// onAlert does something to the alert of a global id.
func (r *Resolver) onAlert(ctx context.Context, global string, do func(monitor.Actor, monitor.ID) (*monitor.Alert, error)) (*model.AlertPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindAlert, global)
	if err != nil {
		return alertPayload(nil, err)
	}
	return alertPayload(do(monitor.ViewerFrom(ctx).Actor(), id))
}

func alertPayload(alert *monitor.Alert, err error) (*model.AlertPayload, error) {
	mendable, err := userErrors(err)
	return &model.AlertPayload{Alert: alert, Errors: mendable}, err
}

// idsOf parses global ids of one kind; field names the input that they come from.
func idsOf(kind monitor.Kind, field string, globals []string) ([]monitor.ID, error) {
	ids := make([]monitor.ID, len(globals))
	for i, global := range globals {
		var err error
		if ids[i], err = monitor.ParseIDOf(kind, global); err != nil {
			return nil, monitor.InputErrorf(field, "%v", err)
		}
	}
	return ids, nil
}

func (alertResolver) Claim(_ context.Context, a *monitor.Alert) (*monitor.AlertClaim, error) {
	return a.ClaimAt(time.Now()), nil
}

func (alertClaimResolver) User(ctx context.Context, c *monitor.AlertClaim) (*monitor.User, error) {
	return loadUser(ctx, c.UserID)
}

func (alertResolver) MergedInto(ctx context.Context, a *monitor.Alert) (*monitor.Alert, error) {
	if a.MergedInto.IsZero() {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return loadersOf(ctx).alerts.Load(ctx, a.MergedInto)
}

func (r alertResolver) Merged(ctx context.Context, a *monitor.Alert, first int, after *string) (*monitor.AlertConnection, error) {
	id := a.GlobalID()
	return queryResolver(r).Alerts(ctx, &monitor.AlertFilter{MergedInto: &monitor.IDFilter{Eq: &id}}, nil, first, after, nil)
}
