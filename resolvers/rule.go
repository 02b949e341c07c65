package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

type ruleResolver struct{ *Resolver }

// Rule answers the fields of Rule that are more than a value.
func (r *Resolver) Rule() graph.RuleResolver { return ruleResolver{r} }

// Rules lists rules.
func (r queryResolver) Rules(ctx context.Context, filter *monitor.RuleFilter, orderBy *monitor.RuleOrder, first int, after *string) (*monitor.RuleConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	if orderBy != nil && *orderBy != monitor.RulesByTitle {
		return r.rankedRules(ctx, filter, *orderBy, args)
	}
	connection, err := r.Resolver.Rules.Rules(ctx, filter, args)
	if err != nil {
		return nil, err
	}
	if !connection.PageInfo.HasNextPage && args.After == "" {
		connection.TotalCount = len(connection.Edges) // it is all there
	} else if asked(ctx, "totalCount") {
		connection.TotalCount, err = r.Resolver.Rules.CountRules(ctx, filter, countBound)
	}
	return connection, err
}

// Rule gives one rule.
func (r queryResolver) Rule(ctx context.Context, id string) (*monitor.Rule, error) {
	return byGlobalID(ctx, monitor.KindRule, id, r.Resolver.Rules.RulesByID)
}

// RuleEnable lets a rule fire.
func (r mutationResolver) RuleEnable(ctx context.Context, input model.RuleEnableInput) (*model.RulePayload, error) {
	return r.setRuleEnabled(ctx, input.ID, input.ExpectedVersion, true)
}

// RuleDisable stops a rule from firing.
func (r mutationResolver) RuleDisable(ctx context.Context, input model.RuleDisableInput) (*model.RulePayload, error) {
	return r.setRuleEnabled(ctx, input.ID, input.ExpectedVersion, false)
}

func (r mutationResolver) setRuleEnabled(ctx context.Context, global string, expected *int, enabled bool) (*model.RulePayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindRule, global)
	if err != nil {
		mendable, err := userErrors(err)
		return &model.RulePayload{Errors: mendable}, err
	}
	rule, err := r.Rules.SetRuleEnabled(ctx, monitor.ViewerFrom(ctx).Actor(), id, expected, enabled)
	mendable, err := userErrors(err)
	return &model.RulePayload{Rule: rule, Errors: mendable}, err
}

func (ruleResolver) StateReason(_ context.Context, rule *monitor.Rule) (*string, error) {
	return optional(rule.StateReason), nil
}
