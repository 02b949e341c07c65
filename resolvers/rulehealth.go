package resolvers

import (
	"cmp"
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

// rankedRules gives the rules that match and have something to be compared by, in
// an order that the database does not know.
func (r *Resolver) rankedRules(ctx context.Context, filter *monitor.RuleFilter, order monitor.RuleOrder, args page.Args) (*monitor.RuleConnection, error) {
	if args.After != "" {
		return nil, monitor.InputErrorf("after", "in the order %s there is one page", order)
	}
	ids, err := r.ranking(ctx, order)
	if err != nil {
		return nil, err
	}
	place := make(map[monitor.ID]int, len(ids))
	for i, id := range ids {
		place[id] = i
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

// ranking gives the ids of rules in an order, as many as are compared.
func (r *Resolver) ranking(ctx context.Context, order monitor.RuleOrder) (ids []monitor.ID, err error) {
	if order == monitor.RulesByCost {
		for _, c := range r.Bench.Costs(ctx) {
			ids = append(ids, c.Rule)
		}
		return ids[:min(len(ids), monitor.MaxRuleCosts)], nil
	}
	busy, err := r.Rules.RuleActivities(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, a := range monitor.RankActivities(busy, order) {
		ids = append(ids, a.Rule)
	}
	return ids[:min(len(ids), monitor.MaxRankedRules)], nil
}

func (evidenceResolver) RuleVersion(ctx context.Context, e *monitor.Evidence) (int, error) {
	if e.RuleVersion > 0 {
		return e.RuleVersion, nil
	}
	alert, err := loadersOf(ctx).alerts.Load(ctx, e.AlertID)
	if err != nil || alert == nil {
		return 0, err
	}
	return alert.RuleVersion, nil
}

func (r evidenceResolver) Shown(ctx context.Context, e *monitor.Evidence) ([]*monitor.ShownField, error) {
	alert, err := loadersOf(ctx).alerts.Load(ctx, e.AlertID)
	if err != nil || alert == nil {
		return []*monitor.ShownField{}, err
	}
	rule, err := loadersOf(ctx).fired.Load(ctx, monitor.RuleAt{ID: alert.RuleID, Version: cmp.Or(e.RuleVersion, alert.RuleVersion)})
	if err != nil || rule == nil || len(rule.FieldsShown) == 0 {
		return []*monitor.ShownField{}, err
	}
	event, err := loadersOf(ctx).events.Load(ctx, e.Event)
	if err != nil || event == nil {
		return []*monitor.ShownField{}, err
	}
	return r.Bench.Shown(event.Raw, rule.FieldsShown), nil
}
