package resolvers

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

type alertResolver struct{ *Resolver }

// Alert answers the fields of Alert that are more than a value.
func (r *Resolver) Alert() graph.AlertResolver { return alertResolver{r} }

// Alerts lists alerts.
func (r queryResolver) Alerts(ctx context.Context, filter *monitor.AlertFilter, orderBy *monitor.AlertOrder, first int, after *string, asOf *time.Time) (*monitor.AlertConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	order := monitor.AlertsByLastSeen
	if orderBy != nil {
		order = *orderBy
	}
	position := r.Feed.Position().Cursor() // before the list: what changes in between comes twice, not never
	connection, err := r.alertsAt(ctx, asOf, filter, order, args)
	if err != nil {
		return nil, err
	}
	connection.Position = position
	if !connection.PageInfo.HasNextPage && args.After == "" {
		connection.TotalCount = len(connection.Edges) // it is all there
	} else if asked(ctx, "totalCount", "totalCountIsEstimate") {
		connection.TotalCount, connection.TotalCountIsEstimate, err = r.countAlertsAt(ctx, asOf, filter)
		if err != nil {
			return nil, err
		}
	}
	return connection, nil
}

func (r *Resolver) alertsAt(ctx context.Context, asOf *time.Time, filter *monitor.AlertFilter, order monitor.AlertOrder, args page.Args) (*monitor.AlertConnection, error) {
	if asOf != nil {
		return r.Alerts.AlertsAsOf(ctx, *asOf, filter, order, args)
	}
	return r.Alerts.Alerts(ctx, filter, order, args)
}

// countAlertsAt counts up to the bound of totals.
func (r *Resolver) countAlertsAt(ctx context.Context, asOf *time.Time, filter *monitor.AlertFilter) (n int, more bool, err error) {
	if asOf != nil {
		n, err = r.Alerts.CountAlertsAsOf(ctx, *asOf, filter, countBound+1)
		return min(n, countBound), n > countBound, err
	}
	return r.Alerts.CountAlerts(ctx, filter, countBound)
}

// asked tells whether the query selects one of the fields of this object.
func asked(ctx context.Context, names ...string) bool {
	return slices.ContainsFunc(graphql.CollectAllFields(ctx), func(name string) bool { return slices.Contains(names, name) })
}

// Alert gives one alert.
func (r queryResolver) Alert(ctx context.Context, id string, asOf *time.Time) (*monitor.Alert, error) {
	if asOf != nil {
		key, err := monitor.ParseIDOf(monitor.KindAlert, id)
		if err != nil {
			return nil, err
		}
		return r.Resolver.Alerts.AlertAsOf(ctx, *asOf, key)
	}
	return byGlobalID(ctx, monitor.KindAlert, id, r.Resolver.Alerts.AlertsByID)
}

// AlertCounts counts by status and severity.
func (r queryResolver) AlertCounts(ctx context.Context, filter *monitor.AlertFilter) (*model.AlertCounts, error) {
	groups, err := r.Resolver.Alerts.AlertGroups(ctx, filter)
	if err != nil {
		return nil, err
	}
	return alertCounts(groups), nil
}

func alertCounts(groups []monitor.AlertGroup) *model.AlertCounts {
	counts := &model.AlertCounts{}
	byStatus, bySeverity := map[monitor.AlertStatus]int{}, map[monitor.Severity]int{}
	for _, g := range groups {
		counts.Total += g.Count
		byStatus[g.Status] += g.Count
		bySeverity[g.Severity] += g.Count
	}
	for _, s := range monitor.AlertStatuses {
		counts.ByStatus = append(counts.ByStatus, &model.AlertStatusCount{Status: s, Count: byStatus[s]})
	}
	for _, s := range monitor.Severities {
		counts.BySeverity = append(counts.BySeverity, &model.SeverityCount{Severity: s, Count: bySeverity[s]})
	}
	return counts
}

// AlertAcknowledge says that somebody looks after the alert.
func (r mutationResolver) AlertAcknowledge(ctx context.Context, input model.AlertAcknowledgeInput) (*model.AlertPayload, error) {
	viewer := monitor.ViewerFrom(ctx)
	return r.updateAlert(ctx, monitor.ActionAlertAcknowledge, input.ID, input.ExpectedVersion, func(a *monitor.Alert, now time.Time) error {
		if input.AssignToViewer && viewer.User != nil {
			a.AssigneeID = viewer.User.ID
		}
		return a.Acknowledge(now)
	})
}

// AlertAssign gives the alert to somebody or nobody.
func (r mutationResolver) AlertAssign(ctx context.Context, input model.AlertAssignInput) (*model.AlertPayload, error) {
	assignee, err := r.assignee(ctx, input.Assignee)
	if err != nil {
		return alertPayload(nil, err)
	}
	return r.updateAlert(ctx, monitor.ActionAlertAssign, input.ID, input.ExpectedVersion, func(a *monitor.Alert, _ time.Time) error {
		a.AssigneeID = assignee
		return nil
	})
}

// AlertClose closes the alert.
func (r mutationResolver) AlertClose(ctx context.Context, input model.AlertCloseInput) (*model.AlertPayload, error) {
	return r.updateAlert(ctx, monitor.ActionAlertClose, input.ID, input.ExpectedVersion, func(a *monitor.Alert, now time.Time) error {
		return a.Close(input.Disposition, input.Reason, now)
	})
}

// AlertReopen takes a closed alert up again.
func (r mutationResolver) AlertReopen(ctx context.Context, input model.AlertReopenInput) (*model.AlertPayload, error) {
	return r.updateAlert(ctx, monitor.ActionAlertReopen, input.ID, input.ExpectedVersion, func(a *monitor.Alert, _ time.Time) error {
		return a.Reopen(input.Reason)
	})
}

func (r *Resolver) updateAlert(ctx context.Context, action, global string, expected *int, change func(*monitor.Alert, time.Time) error) (*model.AlertPayload, error) {
	return r.onAlert(ctx, global, func(actor monitor.Actor, id monitor.ID) (*monitor.Alert, error) {
		return r.Alerts.UpdateAlert(ctx, actor, action, id, expected, change)
	})
}

// AlertComment writes a comment.
func (r mutationResolver) AlertComment(ctx context.Context, input model.AlertCommentInput) (*model.AlertCommentPayload, error) {
	viewer := monitor.ViewerFrom(ctx)
	c := monitor.Comment{Body: input.Body}
	if viewer.User != nil {
		c.AuthorID = viewer.User.ID
	}
	var err error
	if c.AlertID, err = monitor.ParseIDOf(monitor.KindAlert, input.ID); err != nil {
		mendable, err := userErrors(err)
		return &model.AlertCommentPayload{Errors: mendable}, err
	}
	comment, alert, err := r.Discussion.AddComment(ctx, viewer.Actor(), c)
	mendable, err := userErrors(err)
	return &model.AlertCommentPayload{Comment: comment, Alert: alert, Errors: mendable}, err
}

func (alertResolver) Assignee(ctx context.Context, a *monitor.Alert) (*monitor.User, error) {
	return loadUser(ctx, a.AssigneeID)
}

func (alertResolver) Rule(ctx context.Context, a *monitor.Alert) (*monitor.Rule, error) {
	return loadersOf(ctx).rules.Load(ctx, a.RuleID)
}

func (alertResolver) FiredRule(ctx context.Context, a *monitor.Alert) (*monitor.FiredRule, error) {
	return loadersOf(ctx).fired.Load(ctx, monitor.RuleAt{ID: a.RuleID, Version: a.RuleVersion})
}

// firedRules reads the texts of versions of rules.
func (r *Resolver) firedRules(ctx context.Context, of []monitor.RuleAt) ([]*monitor.FiredRule, error) {
	known, err := r.Bench.FiredRules(ctx, of)
	out := make([]*monitor.FiredRule, len(of))
	for i, at := range of {
		out[i] = known[at]
	}
	return out, err
}

func (r alertResolver) Evidence(ctx context.Context, a *monitor.Alert, first int, after *string) (*monitor.EvidenceConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Discussion.EvidenceOf(ctx, a.ID, args)
}

func (r alertResolver) Members(ctx context.Context, a *monitor.Alert, first int, after *string) (*monitor.AlertMemberConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Discussion.AlertMembers(ctx, a.ID, args)
}

func (r alertResolver) Comments(ctx context.Context, a *monitor.Alert, first int, after *string) (*monitor.CommentConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Discussion.CommentsOf(ctx, a.ID, args)
}

func (r alertResolver) Journal(ctx context.Context, a *monitor.Alert, first int, after *string) (*monitor.JournalConnection, error) {
	return r.journalOf(ctx, monitor.KindAlert, a.ID, first, after)
}
