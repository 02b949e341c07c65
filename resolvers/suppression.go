package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Suppressions keeps what says which findings raise no alert. Changes are refused
// as those of Alerts are.
type Suppressions interface {
	Suppressions(ctx context.Context, filter *monitor.SuppressionFilter, order monitor.SuppressionOrder, args page.Args) (*monitor.SuppressionConnection, error)
	SuppressionsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Suppression, error)
	CreateSuppression(ctx context.Context, actor monitor.Actor, made monitor.Suppression, until time.Time) (*monitor.Suppression, error)
	UpdateSuppression(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, expected *int, change func(*monitor.Suppression, time.Time) error) (*monitor.Suppression, error)
	DeleteSuppression(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.Suppression, error)
	SuppressionReading
}

// SuppressionReading tells what suppressions do, did and would do.
type SuppressionReading interface {
	// SuppressedFindings gives the latest that a suppression hid; not all are kept.
	SuppressedFindings(ctx context.Context, of monitor.ID, args page.Args) (*monitor.SuppressedFindingConnection, error)
	// PreviewSuppression looks at a bounded number of stored findings.
	PreviewSuppression(ctx context.Context, would monitor.Suppression, since time.Time) (*monitor.SuppressionPreview, error)
	// SuppressionsCovering gives for each alert those in force that fit its latest finding.
	SuppressionsCovering(ctx context.Context, alerts []*monitor.Alert) ([][]*monitor.Suppression, error)
}

// Suppressions lists suppressions.
func (r queryResolver) Suppressions(ctx context.Context, filter *monitor.SuppressionFilter, orderBy *monitor.SuppressionOrder, first int, after *string) (*monitor.SuppressionConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	order := monitor.SuppressionsByCreated
	if orderBy != nil {
		order = *orderBy
	}
	return r.Resolver.Suppressions.Suppressions(ctx, filter, order, args)
}

// Suppression gives one suppression.
func (r queryResolver) Suppression(ctx context.Context, id string) (*monitor.Suppression, error) {
	return byGlobalID(ctx, monitor.KindSuppression, id, r.Resolver.Suppressions.SuppressionsByID)
}

// SuppressionPreview tells what a suppression would have hidden.
func (r queryResolver) SuppressionPreview(ctx context.Context, input model.SuppressionPreviewInput) (*monitor.SuppressionPreview, error) {
	if input.Days < 1 || input.Days > monitor.MaxPreviewDays {
		return nil, monitor.InputErrorf("days", "1 to %d, not %d", monitor.MaxPreviewDays, input.Days)
	}
	would, err := hiding(input.Rules, input.AlertFilter, input.EventFilter)
	if err != nil {
		return nil, err
	}
	return r.Resolver.Suppressions.PreviewSuppression(ctx, would, time.Now().Add(-time.Duration(input.Days)*24*time.Hour))
}

// SuppressionCreate makes a suppression.
func (r mutationResolver) SuppressionCreate(ctx context.Context, input model.SuppressionCreateInput) (*model.SuppressionPayload, error) {
	made, err := hiding(input.Rules, input.AlertFilter, input.EventFilter)
	if err != nil {
		return suppressionPayload(nil, err)
	}
	made.Name, made.Reason, made.Enabled = input.Name, input.Reason, input.Enabled
	return suppressionPayload(r.Resolver.Suppressions.CreateSuppression(ctx, monitor.ViewerFrom(ctx).Actor(), made, valueOf(input.Until)))
}

// SuppressionUpdate changes a suppression.
func (r mutationResolver) SuppressionUpdate(ctx context.Context, input model.SuppressionUpdateInput) (*model.SuppressionPayload, error) {
	return r.changeSuppression(ctx, monitor.ActionSuppressionUpdate, input.ID, input.ExpectedVersion, func(s *monitor.Suppression, now time.Time) (err error) {
		set(&s.Name, input.Name)
		set(&s.Reason, input.Reason)
		if input.Rules != nil {
			if s.Rules, err = ruleIDs(input.Rules); err != nil {
				return err
			}
		}
		if input.AlertFilter.IsSet() {
			if s.AlertFilter, err = monitor.FilterJSON(input.AlertFilter.Value()); err != nil {
				return err
			}
		}
		if input.EventFilter.IsSet() {
			if s.EventFilter, err = monitor.FilterJSON(input.EventFilter.Value()); err != nil {
				return err
			}
		}
		if input.Until.IsSet() {
			return s.EndAt(valueOf(input.Until.Value()), now)
		}
		return nil
	})
}

// SuppressionEnable lets a suppression work again.
func (r mutationResolver) SuppressionEnable(ctx context.Context, input model.SuppressionEnableInput) (*model.SuppressionPayload, error) {
	return r.changeSuppression(ctx, monitor.ActionSuppressionEnable, input.ID, input.ExpectedVersion, switched(true))
}

// SuppressionDisable stops a suppression.
func (r mutationResolver) SuppressionDisable(ctx context.Context, input model.SuppressionDisableInput) (*model.SuppressionPayload, error) {
	return r.changeSuppression(ctx, monitor.ActionSuppressionDisable, input.ID, input.ExpectedVersion, switched(false))
}

func switched(on bool) func(*monitor.Suppression, time.Time) error {
	return func(s *monitor.Suppression, _ time.Time) error {
		s.Enabled = on
		return nil
	}
}

func (r mutationResolver) changeSuppression(ctx context.Context, action, global string, expected *int, change func(*monitor.Suppression, time.Time) error) (*model.SuppressionPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindSuppression, global)
	if err != nil {
		return suppressionPayload(nil, err)
	}
	return suppressionPayload(r.Resolver.Suppressions.UpdateSuppression(ctx, monitor.ViewerFrom(ctx).Actor(), action, id, expected, change))
}

// SuppressionDelete takes a suppression away.
func (r mutationResolver) SuppressionDelete(ctx context.Context, input model.SuppressionDeleteInput) (*model.SuppressionPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindSuppression, input.ID)
	if err != nil {
		return suppressionPayload(nil, err)
	}
	return suppressionPayload(r.Resolver.Suppressions.DeleteSuppression(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion))
}

// hiding is a suppression that says only which findings.
func hiding(rules []string, alert *monitor.AlertFilter, event *monitor.EventFilter) (s monitor.Suppression, err error) {
	if s.Rules, err = ruleIDs(rules); err != nil {
		return s, err
	}
	if s.AlertFilter, err = monitor.FilterJSON(alert); err != nil {
		return s, err
	}
	s.EventFilter, err = monitor.FilterJSON(event)
	return s, err
}

func ruleIDs(globals []string) ([]monitor.ID, error) {
	ids := make([]monitor.ID, len(globals))
	for i, global := range globals {
		id, err := monitor.ParseIDOf(monitor.KindRule, global)
		if err != nil {
			return nil, monitor.InputErrorf("rules", "%v", err)
		}
		ids[i] = id
	}
	return ids, nil
}

func valueOf(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}

func suppressionPayload(s *monitor.Suppression, err error) (*model.SuppressionPayload, error) {
	mendable, err := userErrors(err)
	return &model.SuppressionPayload{Suppression: s, Errors: mendable}, err
}

type suppressionResolver struct{ *Resolver }

// Suppression answers the fields of Suppression that are more than a value.
func (r *Resolver) Suppression() graph.SuppressionResolver { return suppressionResolver{r} }

func (suppressionResolver) State(_ context.Context, s *monitor.Suppression) (monitor.SuppressionState, error) {
	return s.State(time.Now()), nil
}

func (suppressionResolver) Rules(ctx context.Context, s *monitor.Suppression) ([]*monitor.Rule, error) {
	rules, err := loadersOf(ctx).rules.LoadAll(ctx, s.Rules)
	out := []*monitor.Rule{}
	for _, rule := range rules {
		if rule != nil {
			out = append(out, rule)
		}
	}
	return out, err
}

func (suppressionResolver) AnyRule(_ context.Context, s *monitor.Suppression) (bool, error) {
	return len(s.Rules) == 0, nil
}

func (suppressionResolver) AlertFilter(_ context.Context, s *monitor.Suppression) (monitor.RawJSON, error) {
	return monitor.RawJSON(s.AlertFilter), nil
}

func (suppressionResolver) EventFilter(_ context.Context, s *monitor.Suppression) (monitor.RawJSON, error) {
	return monitor.RawJSON(s.EventFilter), nil
}

func (r suppressionResolver) Findings(ctx context.Context, s *monitor.Suppression, first int, after *string) (*monitor.SuppressedFindingConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Suppressions.SuppressedFindings(ctx, s.ID, args)
}

func (r suppressionResolver) Journal(ctx context.Context, s *monitor.Suppression, first int, after *string) (*monitor.JournalConnection, error) {
	return r.journalOf(ctx, monitor.KindSuppression, s.ID, first, after)
}

type suppressedFindingResolver struct{ *Resolver }

// SuppressedFinding answers the fields of SuppressedFinding.
func (r *Resolver) SuppressedFinding() graph.SuppressedFindingResolver {
	return suppressedFindingResolver{r}
}

func (suppressedFindingResolver) At(_ context.Context, f *monitor.SuppressedFinding) (*time.Time, error) {
	at := f.Event.Batch.Time()
	return &at, nil
}

func (suppressedFindingResolver) Rule(ctx context.Context, f *monitor.SuppressedFinding) (*monitor.Rule, error) {
	return loadersOf(ctx).rules.Load(ctx, f.Rule)
}

func (suppressedFindingResolver) Event(ctx context.Context, f *monitor.SuppressedFinding) (*monitor.Event, error) {
	return loadersOf(ctx).events.Load(ctx, f.Event)
}

type suppressedCountResolver struct{ *Resolver }

// SuppressedCount answers the fields of SuppressedCount that are more than a value.
func (r *Resolver) SuppressedCount() graph.SuppressedCountResolver { return suppressedCountResolver{r} }

func (suppressedCountResolver) SuppressionID(_ context.Context, c *monitor.SuppressedCount) (string, error) {
	return monitor.GlobalID(monitor.KindSuppression, c.Suppression.String()), nil
}

func (suppressedCountResolver) Suppression(ctx context.Context, c *monitor.SuppressedCount) (*monitor.Suppression, error) {
	return loadersOf(ctx).suppressions.Load(ctx, c.Suppression)
}

type suppressionPreviewRuleResolver struct{ *Resolver }

// SuppressionPreviewRule answers the fields of SuppressionPreviewRule that are more than a value.
func (r *Resolver) SuppressionPreviewRule() graph.SuppressionPreviewRuleResolver {
	return suppressionPreviewRuleResolver{r}
}

func (suppressionPreviewRuleResolver) Rule(ctx context.Context, p *monitor.SuppressionPreviewRule) (*monitor.Rule, error) {
	return loadersOf(ctx).rules.Load(ctx, p.RuleID)
}

func (alertResolver) Suppressions(ctx context.Context, a *monitor.Alert) ([]*monitor.Suppression, error) {
	return loadersOf(ctx).covering.Load(ctx, a)
}

func (r *Resolver) suppressionsCovering(ctx context.Context, alerts []*monitor.Alert) ([][]*monitor.Suppression, error) {
	return r.Suppressions.SuppressionsCovering(ctx, alerts)
}
