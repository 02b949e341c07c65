package resolvers

import (
	"context"
	"slices"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

func (r ruleResolver) Health(_ context.Context, rule *monitor.Rule) (monitor.RuleHealth, error) {
	health, _ := r.Bench.Health(rule)
	return health, nil
}

func (r ruleResolver) HealthReason(_ context.Context, rule *monitor.Rule) (*string, error) {
	_, why := r.Bench.Health(rule)
	return optional(why), nil
}

func (ruleResolver) Cost(ctx context.Context, rule *monitor.Rule) (*monitor.RuleCost, error) {
	return loadersOf(ctx).costs.Load(ctx, rule.ID)
}

// ruleCosts asks the replicas once for all rules of a list.
func (r *Resolver) ruleCosts(ctx context.Context, ids []monitor.ID) ([]*monitor.RuleCost, error) {
	byRule := map[monitor.ID]*monitor.RuleCost{}
	for _, c := range r.Bench.Costs(ctx) {
		byRule[c.Rule] = c
	}
	out := make([]*monitor.RuleCost, len(ids))
	for i, id := range ids {
		out[i] = byRule[id]
	}
	return out, nil
}

// slowestRules gives the rules that match and were measured, the slowest first.
func (r *Resolver) slowestRules(ctx context.Context, filter *monitor.RuleFilter, args page.Args) (*monitor.RuleConnection, error) {
	if args.After != "" {
		return nil, monitor.InputErrorf("after", "in the order COST there is one page")
	}
	costs := r.Bench.Costs(ctx)
	ids := make([]monitor.ID, min(len(costs), monitor.MaxRuleCosts))
	place := make(map[monitor.ID]int, len(ids))
	for i := range ids {
		ids[i] = costs[i].Rule
		place[ids[i]] = i
	}
	rules, err := r.Rules.RulesAmong(ctx, filter, ids)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rules, func(a, b *monitor.Rule) int { return place[a.ID] - place[b.ID] })
	rules = rules[:min(len(rules), args.First)]
	connection := page.Build(rules, args, func(rule *monitor.Rule) string { return page.EncodeCursor(rule.Title, rule.ID) })
	connection.TotalCount = len(rules)
	return connection, nil
}

func (r evidenceResolver) Shown(ctx context.Context, e *monitor.Evidence) ([]*monitor.ShownField, error) {
	alert, err := loadersOf(ctx).alerts.Load(ctx, e.AlertID)
	if err != nil || alert == nil {
		return []*monitor.ShownField{}, err
	}
	rule, err := loadersOf(ctx).rules.Load(ctx, alert.RuleID)
	if err != nil || rule == nil || len(rule.FieldsShown) == 0 {
		return []*monitor.ShownField{}, err
	}
	event, err := loadersOf(ctx).events.Load(ctx, e.Event)
	if err != nil || event == nil {
		return []*monitor.ShownField{}, err
	}
	return r.Bench.Shown(event.Raw, rule.FieldsShown), nil
}
